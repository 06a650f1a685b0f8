/*
 * load.c - the load of W18: connections with one message under way each.
 *
 *	echo-load PORT PID CONNECTIONS BYTES SECONDS
 *
 * Prints how many messages came back whole in that time, and the nanoseconds of
 * CPU that the process PID, all of its threads, used meanwhile.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct conn {
	int fd;
	size_t came, went;
};

static size_t size;
static uint8_t *out, *in;
static uint64_t messages;

/* The first number of schedstat is nanoseconds on a CPU. */
static uint64_t
cpu_ns(const char *pid)
{
	char path[300];
	struct dirent *entry;
	uint64_t sum = 0;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%.20s/task", pid);
	threads = opendir(path);
	if (threads == NULL)
		err(1, "%s", path);
	while ((entry = readdir(threads)) != NULL) {
		unsigned long long ns = 0;
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/task/%.20s/schedstat",
			 pid, entry->d_name);
		file = fopen(path, "r");
		if (file == NULL || fscanf(file, "%llu", &ns) != 1)
			err(1, "%s", path);
		fclose(file);
		sum += ns;
	}
	closedir(threads);
	return sum;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
push(struct conn *c)
{
	while (c->went < size) {
		ssize_t n = send(c->fd, out + c->went, size - c->went,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			err(1, "send");
		c->went += (size_t)n;
	}
}

static void
pull(struct conn *c)
{
	ssize_t n = recv(c->fd, in, size - c->came, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		errx(1, "the server is gone");
	if (memcmp(in, out + c->came, (size_t)n) != 0)
		errx(1, "this is not what was sent");
	c->came += (size_t)n;
	if (c->came < size)
		return;
	messages++;
	c->came = c->went = 0;
	push(c);
}

static void
run(int epoll, double until)
{
	struct epoll_event events[256];

	while (now() < until) {
		int n = epoll_wait(epoll, events, 256, 1000);

		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;

			if (c->went < size)
				push(c);
			if ((events[i].events & EPOLLIN) != 0)
				pull(c);
		}
	}
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	int epoll = epoll_create1(0), on = 1;
	uint64_t cpu, before;
	struct conn *conns;
	double start;
	unsigned n;

	if (argc != 6)
		errx(1, "usage: echo-load PORT PID CONNECTIONS BYTES SECONDS");
	at.sin_port = htons((uint16_t)atoi(argv[1]));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	n = (unsigned)atoi(argv[3]);
	size = (size_t)atol(argv[4]);
	out = malloc(size);
	in = malloc(size);
	conns = calloc(n, sizeof(*conns));
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(i * 7);
	for (unsigned i = 0; i < n; i++) {
		struct epoll_event event = {.events = EPOLLIN | EPOLLOUT |
						      EPOLLET};

		conns[i].fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(conns[i].fd, (struct sockaddr *)&at, sizeof(at)) !=
		    0)
			err(1, "connect");
		setsockopt(conns[i].fd, IPPROTO_TCP, TCP_NODELAY, &on,
			   sizeof(on));
		event.data.ptr = &conns[i];
		epoll_ctl(epoll, EPOLL_CTL_ADD, conns[i].fd, &event);
	}
	run(epoll, now() + 0.2);
	before = messages;
	cpu = cpu_ns(argv[2]);
	start = now();
	run(epoll, start + atof(argv[5]));
	cpu = cpu_ns(argv[2]) - cpu;
	printf("%llu %llu %.3f\n", (unsigned long long)(messages - before),
	       (unsigned long long)cpu, now() - start);
	return 0;
}
