/* wrapped.c - messages of the caller's own memory. */
#include "../library.h"

#include <ibuf/mbuf.h>

#include "room.h"
#include <stdlib.h>

static struct ibuf_mbuf *
wrap(void *bytes, size_t len, ibuf_mbuf_release_fn *fn, void *arg,
     uint16_t rights)
{
	struct wrapped_room *wrapped;
	struct ibuf_mbuf *m;

	if (len > ROOM_MAX || (bytes == NULL && len != 0))
		return NULL;
	wrapped = malloc(sizeof *wrapped);
	if (wrapped == NULL)
		return NULL;
	m = ibuf_owner_take_indirect_(owner_heap());
	if (m == NULL) {
		free(wrapped);
		return NULL;
	}
	wrapped->room.count_ = 1;
	wrapped->room.headroom_ = 0;
	wrapped->size = (uint32_t)len;
	wrapped->bytes = bytes;
	wrapped->release = fn;
	wrapped->arg = arg;
	m->off_ = 0;
	m->len_ = (uint32_t)len;
	m->cap_ = (uint32_t)len;
	m->flags_ |= (uint16_t)(IBUF_MBUF_WRAPPED_ | rights);
	/* Data is never NULL, also where there is none. */
	m->base_ = bytes != NULL ? bytes : (uint8_t *)(wrapped + 1);
	m->room_ = &wrapped->room;
	return m;
}

struct ibuf_mbuf *
ibuf_mbuf_wrap(void *bytes, size_t len, ibuf_mbuf_release_fn *fn, void *arg)
{
	return wrap(bytes, len, fn, arg, BOTH_RIGHTS);
}

struct ibuf_mbuf *
ibuf_mbuf_wrap_const(const void *bytes, size_t len, ibuf_mbuf_release_fn *fn,
		     void *arg)
{
	return wrap((void *)(uintptr_t)bytes, len, fn, arg, IBUF_MBUF_RDONLY_);
}
