/*
 * room.c - read from a descriptor into rooms that many reads share.
 */
#include "room.h"
#include "memory.h"
#include <errno.h>

/* Less room than this is not worth a read. */
enum { LEAST_ROOM_BYTES = 4096 };

struct ibuf_mbuf *
room_new(struct ibuf_pool *rooms)
{
	struct ibuf_pool_stats s;

	if (memory_is_short(0)) {
		/* What other threads keep back cannot be had. */
		ibuf_pool_get_stats(rooms, &s, sizeof(s));
		if (s.available <= s.cached)
			return NULL;
	}
	return ibuf_pool_alloc(rooms);
}

ssize_t
room_read(struct ibuf_pool *rooms, struct ibuf_mbuf **room, int fd,
	  struct ibuf_mbuf **read)
{
	struct ibuf_mbuf *rest;
	ssize_t n;

	if (*room != NULL && ibuf_mbuf_tailroom(*room) < LEAST_ROOM_BYTES) {
		ibuf_mbuf_free(*room);
		*room = NULL;
	}
	if (*room == NULL)
		*room = room_new(rooms);
	if (*room == NULL)
		return -ENOBUFS;
	n = ibuf_io_read(fd, *room, ibuf_mbuf_tailroom(*room));
	if (n <= 0)
		return n;
	/* Without memory for another header the reader gets all of it. */
	rest = ibuf_mbuf_split(*room, (size_t)n);
	*read = *room;
	*room = rest;
	return n;
}
