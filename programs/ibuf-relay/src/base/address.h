/*
 * address.h - sockets by name.
 */
#ifndef RELAY_ADDRESS_H
#define RELAY_ADDRESS_H

#include <stddef.h>

/*
 * The two ends of a connection as Redis writes them: 127.0.0.1:6379,
 * [::1]:6379, /path:0.
 */
void address_of(int fd, char *peer, size_t peer_size, char *own,
		size_t own_size);

#endif
