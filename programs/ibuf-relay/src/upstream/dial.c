/*
 * dial.c - look up a host and connect to it.
 */
#include "dial.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Look-ups at a time. */
enum { THREADS_MAX = 8 };

struct dial {
	struct url_host host;
	struct addrinfo *found;
	int error;       /* of getaddrinfo() */
	atomic_int refs; /* who has it: the caller, the thread */
	atomic_bool is_done;
};

static atomic_int threads;

/* A connected socket, or one that is about to be; -1: errno says why. */
static int
open_socket(const struct addrinfo *to)
{
	int one = 1;
	int fd = socket(to->ai_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, to->ai_addr, to->ai_addrlen) != 0 &&
	    errno != EINPROGRESS) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static void
look_up(struct dial *d, int flags)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICSERV | flags,
		.ai_socktype = SOCK_STREAM,
	};

	d->error = getaddrinfo(d->host.host, d->host.port, &hints, &d->found);
}

static void
release(struct dial *d)
{
	/* The last who has it frees it; acquires what the other wrote. */
	if (atomic_fetch_sub(&d->refs, 1) > 1)
		return;
	if (d->found != NULL)
		freeaddrinfo(d->found);
	free(d);
}

static void *
run(void *arg)
{
	struct dial *d = arg;

	look_up(d, 0);
	/* Releases what was found; pairs with dial_is_done(). */
	atomic_store(&d->is_done, true);
	release(d);
	atomic_fetch_sub(&threads, 1);
	return NULL;
}

struct dial *
dial_begin(const struct url_host *host)
{
	struct dial *d = calloc(1, sizeof(*d));
	pthread_t thread;

	if (d == NULL)
		return NULL;
	d->host = *host;
	atomic_init(&d->refs, 1);
	look_up(d, AI_NUMERICHOST);
	atomic_init(&d->is_done, d->error != EAI_NONAME);
	if (d->error != EAI_NONAME)
		return d;
	/* Those that hang must not become ever more. */
	if (atomic_fetch_add(&threads, 1) < THREADS_MAX) {
		atomic_store(&d->refs, 2);
		if (pthread_create(&thread, NULL, run, d) == 0) {
			pthread_detach(thread);
			return d;
		}
		atomic_store(&d->refs, 1);
	}
	atomic_fetch_sub(&threads, 1);
	atomic_store(&d->is_done, true);
	d->error = EAI_AGAIN;
	return d;
}

bool
dial_is_done(const struct dial *d)
{
	return atomic_load(&d->is_done);
}

int
dial_connect(const struct dial *d, uint64_t chance, const char **why)
{
	const struct addrinfo *to;
	uint64_t n = 0;
	int fd;

	if (d->error != 0) {
		*why = gai_strerror(d->error);
		return -1;
	}
	for (to = d->found; to != NULL; to = to->ai_next)
		n++;
	to = d->found;
	for (n = chance % n; n > 0; n--)
		to = to->ai_next;
	fd = open_socket(to);
	*why = strerror(errno);
	return fd;
}

void
dial_end(struct dial *d)
{
	if (d != NULL)
		release(d);
}
