/* wrap.c - messages of the caller's own memory. */
#include "../library.h"

#include <ibuf/mbuf.h>

#include "header.h"
#include <stdlib.h>

/* The caller's memory as a room; false: no memory. */
static bool
wrap_room(struct ibuf_place *place, void *bytes, size_t len,
	  ibuf_mbuf_release_fn *fn, void *arg)
{
	struct wrapped_room *wrapped = malloc(sizeof *wrapped);

	if (wrapped == NULL)
		return false;
	wrapped->room.count_ = 1;
	wrapped->room.headroom_ = 0;
	wrapped->size = (uint32_t)len;
	wrapped->bytes = bytes;
	wrapped->release = fn;
	wrapped->arg = arg;
	place->room = &wrapped->room;
	/* Data is never NULL, also where there is none. */
	place->base = bytes != NULL ? bytes : (uint8_t *)(wrapped + 1);
	place->size = (uint32_t)len;
	place->kind = IBUF_MBUF_WRAPPED_;
	return true;
}

static struct ibuf_mbuf *
wrap(void *bytes, size_t len, ibuf_mbuf_release_fn *fn, void *arg)
{
	struct ibuf_place place;
	struct ibuf_mbuf *m;

	if (len > ROOM_MAX || (bytes == NULL && len != 0))
		return NULL;
	if (!wrap_room(&place, bytes, len, fn, arg))
		return NULL;
	m = heap_tcache_take();
	if (m == NULL)
		m = ibuf_owner_take_indirect_(owner_heap());
	if (m == NULL) {
		free(place.room); /* nothing is released */
		return NULL;
	}
	return header_bear(m, IBUF_MBUF_WRAPPED_, 0, (uint32_t)len,
			   (uint32_t)len, place.base, place.room);
}

struct ibuf_mbuf *
ibuf_mbuf_wrap(void *bytes, size_t len, ibuf_mbuf_release_fn *fn, void *arg)
{
	return wrap(bytes, len, fn, arg);
}

struct ibuf_mbuf *
ibuf_mbuf_wrap_const(const void *bytes, size_t len, ibuf_mbuf_release_fn *fn,
		     void *arg)
{
	struct ibuf_mbuf *m = wrap((void *)(uintptr_t)bytes, len, fn, arg);

	if (m != NULL)
		m->flags_ = (uint16_t)((m->flags_ & ~BOTH_RIGHTS) |
				       IBUF_MBUF_RDONLY_);
	return m;
}
