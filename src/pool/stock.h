/*
 * stock.h - free objects of one kind, carved from slabs when first needed.
 *
 *   capacity = out + listed + sorted + uncarved
 *
 * A stock keeps the free objects of one kind.  One that comes back goes to
 * the front of a list, whatever slab it is of, in O(1).  Sorting moves it to
 * the list of its slab, in O(log slabs).  A slab is idle when all that was
 * carved from it has been sorted; then it can be taken out of the stock.
 *
 * A stock has no lock and does not know what the objects are; the pool does.
 */
#ifndef IBUF_SRC_SLABS_H
#define IBUF_SRC_SLABS_H

#include "slab.h"

struct ibuf_slabs {
	struct ibuf_slab_kind kind;
	struct ibuf_slab *root;       /* of the tree of all slabs */
	struct ibuf_slab *first_open; /* idle slabs stand behind the others */
	struct ibuf_slab *last_open;
	struct ibuf_mbuf *listed; /* free objects, linked by next_ */
	size_t n_listed;
	size_t n_sorted; /* free objects in the lists of slabs */
	size_t capacity; /* objects in all slabs */
	size_t carved;   /* objects that were ever handed out */
	size_t bytes;    /* in all slabs */
};

/* Does any slab of the stock share a byte with this one? */
bool ibuf_slabs_overlaps_(const struct ibuf_slabs *stock,
			  const struct ibuf_slab *slab);

/* Add a slab that overlaps none. */
void ibuf_slabs_add_(struct ibuf_slabs *stock, struct ibuf_slab *slab);

/*
 * Take an object; NULL: there is none.  *fresh: it was just carved and its
 * bytes are the provider's.
 */
struct ibuf_mbuf *ibuf_slabs_take_(struct ibuf_slabs *stock, bool *fresh);

/* Give an object back. */
void ibuf_slabs_give_(struct ibuf_slabs *stock, struct ibuf_mbuf *m);

/*
 * Give an object back, to the list of its slab.  *recent is where the search
 * begins; it starts as NULL and may be kept while the lock is.
 */
void ibuf_slabs_sort_(struct ibuf_slabs *stock, struct ibuf_mbuf *m,
		      struct ibuf_slab **recent);

/* Take the first object of the list that is not sorted; NULL: it is empty. */
struct ibuf_mbuf *ibuf_slabs_unlist_(struct ibuf_slabs *stock);

/*
 * Is there an object at this address, in use or free?  Where the address
 * lies in a slab, its bounds are told.
 */
bool ibuf_slabs_has_(const struct ibuf_slabs *stock, const void *address,
		     uintptr_t *from, uintptr_t *to);

/* Take an idle slab out of the stock, or any; NULL: there is none. */
struct ibuf_slab *ibuf_slabs_take_idle_(struct ibuf_slabs *stock);
struct ibuf_slab *ibuf_slabs_take_any_(struct ibuf_slabs *stock);

#endif
