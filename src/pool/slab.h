/*
 * slab.h - slabs: pieces of a provider's memory that are carved into headers
 * of one kind, each with what lies behind it.
 *
 *   | header | header | header | . . . not carved . . . |
 *   base                                                 base + size
 *
 * A set of slabs keeps the free headers of one kind:
 *
 *   capacity = out + listed + sorted + uncarved
 *
 * One that comes back goes to the front of a list, whatever slab it is of, in
 * O(1).  Sorting moves it to the list of its slab, in O(log slabs).  A slab is
 * idle when all that was carved from it has been sorted; then it can be taken
 * out of the set.
 *
 * Nothing here has a lock, or knows what a header is but for next_.
 */
#ifndef IBUF_SRC_SLAB_H
#define IBUF_SRC_SLAB_H

#include "../library.h"

#include <ibuf/inline/layout.h>
#include <ibuf/provider.h>

/* What all slabs of a set have in common. */
struct ibuf_slab_shape {
	size_t stride;    /* from one header to the next */
	size_t alignment; /* of a slab */
};

struct ibuf_slab {
	uint8_t *base;
	size_t size;                /* bytes, as the provider was asked */
	size_t headers;             /* size / stride */
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
 * Get a slab of n headers from a provider; where it refuses, one of fewer:
 * what is needed, then half of that, and so on down to one header.
 *
 * 0; -ENOMEM; -EINVAL: what the provider gave is not aligned, or wraps
 * around the end of memory.  Needs no lock.
 */
int ibuf_slab_map_(struct ibuf_slab **slab, const struct ibuf_slab_shape *shape,
		   size_t n, size_t needed,
		   const struct ibuf_provider *provider);

/* Give a slab that is in no tree back to its provider.  Needs no lock. */
void ibuf_slab_unmap_(struct ibuf_slab *slab,
		      const struct ibuf_provider *provider);

/* Free what is known of a slab, and leave its memory alone. */
void ibuf_slab_forget_(struct ibuf_slab *slab,
		       const struct ibuf_provider *provider);

/*
 * Who keeps what is known of a slab, where that is not malloc: an area, so that
 * a pool there takes no other memory.  NULL until there is an area.
 */
struct ibuf_slab_records {
	/* Zeroed; NULL: no memory. */
	struct ibuf_slab *(*make)(const struct ibuf_provider *provider);
	void (*drop)(struct ibuf_slab *slab,
		     const struct ibuf_provider *provider);
};
extern const struct ibuf_slab_records *ibuf_slab_records_;

/* ---- a tree of slabs, none of which overlap; O(log slabs) each --------- */

/* link leads to the root. */
void ibuf_slab_insert_(struct ibuf_slab **link, struct ibuf_slab *slab);
void ibuf_slab_remove_(struct ibuf_slab **link, const struct ibuf_slab *slab);

/* The slab with the highest start that is not above an address, or NULL. */
struct ibuf_slab *ibuf_slab_floor_(struct ibuf_slab *root, uintptr_t address);

/* ---- a set of slabs ---------------------------------------------------- */

struct ibuf_slabs {
	struct ibuf_slab_shape shape;
	struct ibuf_slab *root;       /* of the tree of all slabs */
	struct ibuf_slab *first_open; /* idle slabs stand behind the others */
	struct ibuf_slab *last_open;
	struct ibuf_mbuf *listed; /* free headers, linked by next_ */
	size_t n_listed;
	size_t n_sorted; /* free headers in the lists of slabs */
	size_t capacity; /* headers in all slabs */
	size_t carved;   /* headers that were ever handed out */
	size_t bytes;    /* in all slabs */
};

/* Does any slab of the set share a byte with this one? */
bool ibuf_slabs_overlaps_(const struct ibuf_slabs *slabs,
			  const struct ibuf_slab *slab);

/* Add a slab that overlaps none of the set. */
void ibuf_slabs_add_(struct ibuf_slabs *slabs, struct ibuf_slab *slab);

/*
 * Take a header; NULL: there is none.  *fresh: it was just carved and its
 * bytes are the provider's.
 */
struct ibuf_mbuf *ibuf_slabs_take_(struct ibuf_slabs *slabs, bool *fresh);

/* Give a header back. */
void ibuf_slabs_give_(struct ibuf_slabs *slabs, struct ibuf_mbuf *m);

/*
 * Give a header back, to the list of its slab.  *recent is where the search
 * begins; it starts as NULL and may be kept while the lock is.
 */
void ibuf_slabs_sort_(struct ibuf_slabs *slabs, struct ibuf_mbuf *m,
		      struct ibuf_slab **recent);

/* Take the first header of the list that is not sorted; NULL: it is empty. */
struct ibuf_mbuf *ibuf_slabs_unlist_(struct ibuf_slabs *slabs);

/*
 * Is there a header at this address, in use or free?  Where the address
 * lies in a slab, its bounds are told.
 */
bool ibuf_slabs_has_(const struct ibuf_slabs *slabs, const void *address,
		     uintptr_t *from, uintptr_t *to);

/*
 * Visit all headers that were ever carved, in the order of their addresses.
 */
void ibuf_slabs_visit_(const struct ibuf_slabs *slabs,
		       void (*visit)(struct ibuf_mbuf *m, void *arg),
		       void *arg);

/* Take an idle slab out of the set, or any; NULL: there is none. */
struct ibuf_slab *ibuf_slabs_take_idle_(struct ibuf_slabs *slabs);
struct ibuf_slab *ibuf_slabs_take_any_(struct ibuf_slabs *slabs);

#endif
