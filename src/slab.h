/*
 * slab.h - objects of one stride, carved from slabs when first needed.
 *
 *   slab:  | phase | object | object | object | . . . not carved . . . |
 *
 *   capacity = out + listed + uncarved
 *
 * A stock keeps the free objects of one kind.  It has no lock and no idea
 * of what the objects are; the pool has both.
 */
#ifndef IBUF_SRC_SLAB_H
#define IBUF_SRC_SLAB_H

#include "library.h"

#include <ibuf/home.h>
#include <ibuf/provider.h>

struct ibuf_slab {
	uint8_t *base;
	size_t size; /* bytes, as the provider was asked */
	size_t objects;
	size_t carved;
};

struct ibuf_stock {
	size_t stride;           /* from one object to the next */
	size_t phase;            /* from a slab's start to its first object */
	size_t alignment;        /* of a slab */
	struct ibuf_slab *slabs; /* sorted by base */
	size_t n_slabs;
	size_t carving; /* slabs before this one are carved to the end */
	struct ibuf_mbuf *listed; /* free objects, linked by next_ */
	size_t n_listed;
	size_t capacity; /* objects in all slabs */
	size_t carved;   /* objects that were ever handed out */
};

/* Add a slab of n objects.  0, -EOVERFLOW or -ENOMEM. */
int ibuf_stock_grow_(struct ibuf_stock *stock, size_t n,
		     const struct ibuf_provider *provider);

/*
 * Take an object; NULL: there is none.  *fresh: it was just carved and its
 * bytes are the provider's.
 */
struct ibuf_mbuf *ibuf_stock_take_(struct ibuf_stock *stock, bool *fresh);

/* Give an object back. */
void ibuf_stock_give_(struct ibuf_stock *stock, struct ibuf_mbuf *m);

/*
 * Is there an object at this address, in use or free?  Where the address
 * lies in a slab, its bounds are told.
 */
bool ibuf_stock_has_(const struct ibuf_stock *stock, const void *address,
		     uintptr_t *from, uintptr_t *to);

/*
 * Take out of the stock each slab whose carved objects are all listed; they
 * go to gone, which has room for n_slabs.  Gives how many.
 */
size_t ibuf_stock_trim_(struct ibuf_stock *stock, struct ibuf_slab *gone);

/* Bytes in all slabs. */
size_t ibuf_stock_bytes_(const struct ibuf_stock *stock);

#endif
