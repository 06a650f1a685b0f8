/*
 * relay-limit - the least that a server of publish and subscribe can do.
 *
 *	relay-limit -p PORT -u PATH
 *
 * Not a server, but what no server that sends can be faster than: it believes
 * what it reads, waits where a socket is full, keeps no queue and frees
 * nothing.  For all that one read brought it makes the messages once, in one
 * piece, and sends that to each subscriber.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS_MAX = 10000, ROOM_BYTES = 4 << 20, READ_BYTES = 256 * 1024 };

static const char subscribed[] =
	"*3\r\n$9\r\nsubscribe\r\n$5\r\nbench\r\n:1\r\n";
static const char publish[] = "*3\r\n$7\r\nPUBLISH\r\n";
static const char message[] = "*3\r\n$7\r\nmessage\r\n";

enum { BEFORE_BYTES = sizeof(publish) - 1, CHANNEL_BYTES = 11 };

static int subscribers[CLIENTS_MAX];
static size_t subscriber_count;

/* Requests that are not whole yet; what they become. */
static char in[ROOM_BYTES], out[ROOM_BYTES];
static size_t in_bytes;

static void
send_all(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

		if (sent < 0)
			err(1, "cannot send");
		bytes += sent;
		n -= (size_t)sent;
	}
}

/* Bytes of the request at `at`; 0: it is not whole. */
static size_t
request_bytes(size_t at)
{
	size_t line = at + BEFORE_BYTES + CHANNEL_BYTES, bytes;
	char *end;

	if (in_bytes < line + 3)
		return 0;
	end = memchr(in + line, '\n', in_bytes - line);
	if (end == NULL)
		return 0;
	bytes = (size_t)(end + 1 - (in + at)) +
		strtoul(in + line + 1, NULL, 10) + 2;
	return at + bytes <= in_bytes ? bytes : 0;
}

/* false: the publisher has gone. */
static int
relay(int publisher)
{
	static char replies[ROOM_BYTES];
	char reply[16];
	size_t at = 0, n, out_bytes = 0, replies_bytes = 0;
	size_t room = ROOM_BYTES - in_bytes;
	ssize_t got = read(publisher, in + in_bytes,
			   room < READ_BYTES ? room : READ_BYTES);
	size_t reply_bytes = (size_t)snprintf(reply, sizeof(reply), ":%zu\r\n",
					      subscriber_count);

	if (got <= 0)
		return 0;
	in_bytes += (size_t)got;
	for (; (n = request_bytes(at)) != 0; at += n) {
		/* Both words have seven letters. */
		memcpy(out + out_bytes, in + at, n);
		memcpy(out + out_bytes, message, BEFORE_BYTES);
		out_bytes += n;
		memcpy(replies + replies_bytes, reply, reply_bytes);
		replies_bytes += reply_bytes;
	}
	send_all(publisher, replies, replies_bytes);
	for (size_t i = 0; i < subscriber_count; i++)
		send_all(subscribers[i], out, out_bytes);
	memmove(in, in + at, in_bytes - at);
	in_bytes -= at;
	return 1;
}

/* Until the publisher has gone, and with him the load. */
static void
serve(int publisher)
{
	while (relay(publisher))
		;
	while (subscriber_count > 0)
		close(subscribers[--subscriber_count]);
	close(publisher);
	in_bytes = 0;
}

static int
listen_at(struct sockaddr *address, socklen_t n)
{
	int fd = socket(address->sa_family, SOCK_STREAM, 0), on = 1;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, address, n) != 0 || listen(fd, 511) != 0)
		err(1, "cannot listen");
	return fd;
}

/* Who speaks before it has subscribed is the publisher. */
static void
accept_one(int listener)
{
	char word[BEFORE_BYTES];
	int fd = accept(listener, NULL, NULL), on = 1;

	if (fd < 0)
		err(1, "cannot accept");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (recv(fd, word, sizeof(word), MSG_PEEK | MSG_WAITALL) !=
	    (ssize_t)sizeof(word)) {
		close(fd);
		return;
	}
	if (memcmp(word, publish, sizeof(word)) == 0) {
		serve(fd);
		return;
	}
	if (subscriber_count == CLIENTS_MAX)
		errx(1, "too many subscribers");
	if (read(fd, in, ROOM_BYTES) <= 0)
		err(1, "cannot read");
	send_all(fd, subscribed, sizeof(subscribed) - 1);
	subscribers[subscriber_count++] = fd;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in tcp = {.sin_family = AF_INET};
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	struct pollfd listeners[2] = {{.events = POLLIN}, {.events = POLLIN}};
	struct rlimit limit;

	if (argc != 5 || strcmp(argv[1], "-p") != 0 ||
	    strcmp(argv[3], "-u") != 0)
		errx(2, "usage: relay-limit -p PORT -u PATH");
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	tcp.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	snprintf(local.sun_path, sizeof(local.sun_path), "%s", argv[4]);
	listeners[0].fd = listen_at((struct sockaddr *)&tcp, sizeof(tcp));
	listeners[1].fd = listen_at((struct sockaddr *)&local, sizeof(local));
	for (;;) {
		if (poll(listeners, 2, -1) < 0)
			err(1, "poll");
		for (int i = 0; i < 2; i++)
			if (listeners[i].revents != 0)
				accept_one(listeners[i].fd);
	}
}
