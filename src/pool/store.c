/* store.c - free headers of one kind, in magazines and in slabs. */
#define _POSIX_C_SOURCE 200809L
#include "store.h"

#include "../message/mark.h"

/* A header that was just carved becomes a free one. */
static void
carved(struct ibuf_store *store, struct ibuf_mbuf *m)
{
	m->pool_ = (uint16_t)store->owner->index;
	store_ready(store, m);
	if (store->kind == IBUF_DIRECT_ && store->owner->wipe)
		mark_reset(mark_of(m->base_));
	if (store->peak < store->slabs.carved)
		store->peak = store->slabs.carved;
}

size_t
ibuf_store_take_(struct ibuf_store *store, struct ibuf_mbuf **out, size_t n)
{
	struct ibuf_mbuf *m;
	size_t i;
	bool fresh;

	for (i = 0; i < n; i++) {
		m = ibuf_slabs_take_(&store->slabs, &fresh);
		if (m == NULL)
			break;
		if (fresh)
			carved(store, m);
		m->next_ = NULL;
		m->flags_ = IBUF_MBUF_FREE_;
		out[i] = m;
	}
	return i;
}

/* A header goes into a list of the slabs, where it may not be yet. */
static void
mark_listed(struct ibuf_mbuf *m)
{
	if ((m->flags_ & (IBUF_MBUF_LIVE_ | IBUF_MBUF_LISTED_)) != 0)
		ibuf_owner_freed_twice_(m);
	m->flags_ = IBUF_MBUF_LISTED_;
}

void
ibuf_store_put_(struct ibuf_store *store, struct ibuf_mbuf *const *ms, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		mark_listed(ms[i]);
		ibuf_slabs_give_(&store->slabs, ms[i]);
	}
	ibuf_wait_serve_(store);
}

struct ibuf_mbuf *
ibuf_store_take_counted_(struct ibuf_store *store)
{
	struct ibuf_mbuf *m;

	ibuf_store_unload_(store, 1);
	if (ibuf_store_take_(store, &m, 1) == 0)
		return NULL;
	store->taken++;
	return m;
}

/* Two frees that overlap meet here: the second finds it listed. */
void
ibuf_store_put_counted_(struct ibuf_store *store, struct ibuf_mbuf *m)
{
	m->flags_ &= IBUF_MBUF_LISTED_;
	ibuf_store_put_(store, &m, 1);
	store->given++;
}

void
ibuf_store_unload_(struct ibuf_store *store, size_t n)
{
	struct ibuf_magazine *magazine;

	while (store_free(store) < n &&
	       (magazine = ibuf_depot_pop_full_(&store->depot)) != NULL) {
		ibuf_store_put_(store, magazine->headers, magazine->n);
		magazine->n = 0;
		ibuf_depot_push_(&store->depot, magazine);
	}
}

size_t
ibuf_store_sort_(struct ibuf_store *store, size_t n)
{
	struct ibuf_slabs *slabs = &store->slabs;
	struct ibuf_slab *recent = NULL;
	struct ibuf_magazine *magazine;
	struct ibuf_mbuf *m;
	size_t left = n;

	while (left != 0 && (m = ibuf_slabs_unlist_(slabs)) != NULL) {
		ibuf_slabs_sort_(slabs, m, &recent);
		left--;
	}
	while (left != 0 &&
	       (magazine = ibuf_depot_pop_full_(&store->depot)) != NULL) {
		while (left != 0 && magazine->n != 0) {
			m = magazine->headers[--magazine->n];
			mark_listed(m);
			ibuf_slabs_sort_(slabs, m, &recent);
			left--;
		}
		ibuf_depot_push_(&store->depot, magazine);
	}
	return n - left;
}
