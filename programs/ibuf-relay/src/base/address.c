/*
 * address.c - sockets by name.
 */
#include "address.h"
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static void
print(const struct sockaddr_storage *address, socklen_t len, char *text,
      size_t size)
{
	char host[108], port[8];

	if (address->ss_family == AF_UNIX) {
		const struct sockaddr_un *un = (const void *)address;

		snprintf(text, size, "%.107s:0", un->sun_path);
		return;
	}
	if (getnameinfo((const void *)address, len, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		snprintf(text, size, "?:0");
	else
		snprintf(text, size,
			 address->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
			 host, port);
}

void
address_of(int fd, char *peer, size_t peer_size, char *own, size_t own_size)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	memset(&address, 0, sizeof(address));
	if (getsockname(fd, (void *)&address, &len) != 0)
		address.ss_family = AF_UNSPEC;
	print(&address, len, own, own_size);
	/* The peer of a Unix socket has no name; ours is as good. */
	if (address.ss_family == AF_UNIX) {
		print(&address, len, peer, peer_size);
		return;
	}
	len = sizeof(address);
	if (getpeername(fd, (void *)&address, &len) != 0)
		address.ss_family = AF_UNSPEC;
	print(&address, len, peer, peer_size);
}
