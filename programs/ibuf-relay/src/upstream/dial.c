/*
 * dial.c - connect to a host and a port.
 */
#include "dial.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

int
dial(const struct url_host *host, uint64_t chance, const char **why)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found, *to;
	uint64_t n = 0;
	int fd, error;

	error = getaddrinfo(host->host, host->port, &hints, &found);
	if (error != 0) {
		*why = gai_strerror(error);
		return -1;
	}
	for (to = found; to != NULL; to = to->ai_next)
		n++;
	to = found;
	for (n = chance % n; n > 0; n--)
		to = to->ai_next;
	fd = open_socket(to);
	*why = strerror(errno);
	freeaddrinfo(found);
	return fd;
}
