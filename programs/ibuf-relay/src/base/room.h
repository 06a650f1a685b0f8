/*
 * room.h - read from a descriptor into rooms that many reads share.
 */
#ifndef RELAY_ROOM_H
#define RELAY_ROOM_H

#include <ibuf/ibuf.h>
#include <sys/types.h>

/* What is read goes into rooms of this size, many requests into one. */
enum { ROOM_BYTES = 64 * 1024 };

/* An empty room; NULL: the pool has none, and --max-memory is used up. */
struct ibuf_mbuf *room_new(struct ibuf_pool *rooms);

/*
 * Read into *room, which is NULL or empty and has room behind it, and is
 * replaced when little is left; *read is what came, a message of its own.
 * As ibuf_io_read(); -ENOBUFS: the pool has none.
 */
ssize_t room_read(struct ibuf_pool *rooms, struct ibuf_mbuf **room, int fd,
		  struct ibuf_mbuf **read);

#endif
