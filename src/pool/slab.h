/*
 * slab.h - slabs: pieces of a provider's memory that are cut into objects.
 *
 *   | object | object | object | . . . not carved . . . |
 *   base                                                 base + size
 *
 * The slabs of a pool are found by address, in a tree.  Nothing here has a
 * lock, or knows what the objects are.
 */
#ifndef IBUF_SRC_SLAB_H
#define IBUF_SRC_SLAB_H

#include "../library.h"

#include <ibuf/inline/layout.h>
#include <ibuf/provider.h>

/* What all slabs of a tree have in common. */
struct ibuf_slab_kind {
	size_t stride;    /* from one object to the next */
	size_t alignment; /* of a slab */
};

struct ibuf_slab {
	uint8_t *base;
	size_t size;                /* bytes, as the provider was asked */
	size_t objects;             /* size / stride */
	size_t carved;              /* of them, from the first on */
	size_t n_free;              /* of those, in the list of this slab */
	struct ibuf_mbuf *free;     /* linked by next_ */
	struct ibuf_slab *child[2]; /* lower and higher addresses */
	struct ibuf_slab *next;     /* open slabs: n_free + uncarved > 0 */
	struct ibuf_slab *previous;
};

static inline uintptr_t
slab_start(const struct ibuf_slab *slab)
{
	return (uintptr_t)slab->base;
}

static inline bool
slab_covers(const struct ibuf_slab *slab, uintptr_t address)
{
	return address - slab_start(slab) < slab->size;
}

/*
 * Get a slab of n objects from a provider; where it refuses, one of fewer:
 * what is needed, then half of that, and so on down to one object.
 *
 * 0; -ENOMEM; -EINVAL: what the provider gave is not aligned, or wraps
 * around the end of memory.  Needs no lock.
 */
int ibuf_slab_map_(struct ibuf_slab **slab, const struct ibuf_slab_kind *kind,
		   size_t n, size_t needed,
		   const struct ibuf_provider *provider);

/* Give a slab that is in no tree back to its provider.  Needs no lock. */
void ibuf_slab_unmap_(struct ibuf_slab *slab,
		      const struct ibuf_provider *provider);

/* Free what is known of a slab, and leave its memory alone. */
void ibuf_slab_forget_(struct ibuf_slab *slab);

/* ---- a tree of slabs, none of which overlap; O(log slabs) each ---------- */

/* link leads to the root. */
void ibuf_slab_insert_(struct ibuf_slab **link, struct ibuf_slab *slab);
void ibuf_slab_remove_(struct ibuf_slab **link, const struct ibuf_slab *slab);

/* The slab with the highest start that is not above an address, or NULL. */
struct ibuf_slab *ibuf_slab_floor_(struct ibuf_slab *root, uintptr_t address);

#endif
