/* mbuf.c - messages are born, shared and looked at. */
#define _POSIX_C_SOURCE 200809L
#include "../library.h"

#include <ibuf/mbuf.h>

#include "chain.h"
#include <errno.h>
#include <ibuf/segment.h>
#include <string.h>

/* ---- life -------------------------------------------------------------- */

/* For a room of the heap, where the thread keeps no header back. */
static __attribute__((noinline)) struct ibuf_mbuf *
header_for_room(struct heap_room *heap)
{
	struct ibuf_mbuf *m = ibuf_owner_take_indirect_(owner_heap());

	if (m == NULL)
		heap_room_free(heap);
	return m;
}

/* headroom + capacity <= ROOM_MAX */
static inline struct ibuf_mbuf *
new_on_heap(size_t headroom, size_t capacity, bool wipe)
{
	struct heap_room *heap = heap_room_new(headroom, capacity, wipe);
	struct ibuf_mbuf *m;

	if (heap == NULL)
		return NULL;
	m = heap_tcache_take();
	if (!IBUF_LIKELY(m != NULL)) {
		m = header_for_room(heap);
		if (m == NULL)
			return NULL;
	}
	return header_bear(m, IBUF_MBUF_HEAP_, (uint32_t)headroom, 0,
			   (uint32_t)(headroom + capacity),
			   heap_room_base(heap), &heap->room);
}

struct ibuf_mbuf *
ibuf_mbuf_new_headroom(size_t headroom, size_t capacity)
{
	if (headroom > ROOM_MAX || capacity > ROOM_MAX - headroom)
		return NULL;
	return new_on_heap(headroom, capacity, false);
}

struct ibuf_mbuf *
ibuf_mbuf_new(size_t capacity)
{
	return ibuf_mbuf_new_headroom(0, capacity);
}

struct ibuf_mbuf *
ibuf_mbuf_from(const void *bytes, size_t len)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(len);

	if (m != NULL)
		cannot_fail(ibuf_mbuf_append(m, bytes, len));
	return m;
}

struct ibuf_mbuf *
ibuf_mbuf_clone_any_(const struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *clone;

	if ((m->flags_ & IBUF_MBUF_CHAINED_) == 0)
		return ibuf_segment_new_(m, 0, m->len_, segment_capacity(m));
	return ibuf_mbuf_clone_bulk(m, &clone, 1) == 0 ? clone : NULL;
}

/* n unused headers for each segment of m, all in one list, clone by clone. */
static bool
take_headers(const struct ibuf_mbuf *m, size_t n, struct ibuf_mbuf **list)
{
	struct ibuf_mbuf **end = list;

	*list = NULL;
	while (n-- != 0) {
		const struct ibuf_mbuf *s;

		for (s = m; s != NULL; s = s->next_) {
			*end = ibuf_owner_take_indirect_(owner_of(s));
			if (*end == NULL)
				return false;
			end = &(*end)->next_;
		}
	}
	return true;
}

static void
give_headers(struct ibuf_mbuf *list)
{
	struct ibuf_mbuf *next;

	for (; list != NULL; list = next) {
		next = list->next_;
		ibuf_header_free_(list);
	}
}

/* Count n segments more on each room of m, or on none. */
static bool
add_segments(const struct ibuf_mbuf *m, uint32_t n)
{
	const struct ibuf_mbuf *s, *full;

	for (full = m; full != NULL; full = full->next_)
		if (!ibuf_room_add_(full->room_, n))
			break;
	if (full == NULL)
		return true;
	for (s = m; s != full; s = s->next_)
		ibuf_room_undo_(s->room_, n);
	return false;
}

/* Make a clone of the first headers of a list; gives the others. */
static struct ibuf_mbuf *
fill_clone(struct ibuf_mbuf *list, const struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *clone = list, *last = list;
	const struct ibuf_mbuf *s = m;

	do {
		/* One segment at least was there before: C as it was. */
		segment_refer(list, s, s->off_, s->len_,
			      list->cap_); /* NOLINT: one each */
		if (list != clone) {
			list->flags_ |= IBUF_MBUF_INNER_;
			list->last_ = last;
		}
		last = list;
		list = list->next_;
	} while ((s = s->next_) != NULL);
	last->next_ = NULL;
	if (m->next_ != NULL)
		chain_set(clone, last, m->rest_, m->last_->rest_);
	return list;
}

/* One segment, and headers at hand; false: go the long way. */
static bool
clone_many(const struct ibuf_mbuf *m, struct ibuf_mbuf **out, size_t n)
{
	struct ibuf_owner *owner = owner_of(m);
	uint32_t capacity;
	size_t i;

	if (m->next_ != NULL || (m->flags_ & IBUF_MBUF_CAREFUL_) != 0 ||
	    owner->ops->take_many == NULL)
		return false;
	capacity = segment_capacity(m); /* before others share the room */
	if (!ibuf_room_add_(m->room_, (uint32_t)n))
		return false;
	if (!owner->ops->take_many(owner, out, n)) {
		ibuf_room_undo_(m->room_, (uint32_t)n);
		return false;
	}
	for (i = 0; i < n; i++)
		ibuf_mbuf_refer_(out[i], m->off_, m->len_, capacity,
				 ibuf_mbuf_indirect_key_(m), m->base_,
				 m->room_);
	return true;
}

int
ibuf_mbuf_clone_bulk(const struct ibuf_mbuf *m, struct ibuf_mbuf **out,
		     size_t n)
{
	struct ibuf_mbuf *list, *clone;
	const struct ibuf_mbuf *s = m;
	size_t i;

	if (n > SEGMENTS_MAX)
		return -EOVERFLOW;
	if (n == 0 || clone_many(m, out, n))
		return 0;
	if (!take_headers(m, n, &list)) {
		give_headers(list);
		return -ENOMEM;
	}
	/* What C is depends on who shares, so it is read before we do. */
	clone = list;
	do {
		clone->cap_ = segment_capacity(s);
		s = s->next_ == NULL ? m : s->next_;
	} while ((clone = clone->next_) != NULL);
	if (!add_segments(m, (uint32_t)n)) {
		give_headers(list);
		return -EOVERFLOW;
	}
	for (i = 0; i < n; i++) {
		out[i] = list;
		list = fill_clone(list, m);
	}
	return 0;
}

struct ibuf_mbuf *
ibuf_mbuf_slice_any_(const struct ibuf_mbuf *m, size_t off, size_t len)
{
	if (!chain_covers(m, off, len))
		return NULL;
	m = chain_find(m, &off);
	return ibuf_chain_slice_(m, off, len);
}

/* Does some of the range have to be overwritten, wherever it has been? */
static bool
range_wipes(const struct ibuf_mbuf *s, size_t off, size_t n)
{
	while (n != 0) {
		if (ibuf_segment_wipes_(s))
			return true;
		if (n <= s->len_ - off)
			break;
		n -= s->len_ - off;
		off = 0;
		s = s->next_;
	}
	return false;
}

struct ibuf_mbuf *
ibuf_mbuf_copy(const struct ibuf_mbuf *m, size_t off, size_t len)
{
	struct ibuf_owner *owner = owner_of(m);
	struct ibuf_mbuf *copy = NULL;
	const struct ibuf_mbuf *s;
	size_t in = off;
	bool wipe;

	if (!chain_covers(m, off, len) || len > ROOM_MAX)
		return NULL;
	s = chain_find(m, &in);
	wipe = range_wipes(s, in, len);
	if (len <= owner->room_size - owner->headroom && (owner->wipe || !wipe))
		copy = owner->ops->take(owner, IBUF_DIRECT_);
	if (copy == NULL)
		copy = new_on_heap(0, len, owner->wipe || wipe);
	if (copy == NULL)
		return NULL;
	/* It has the room, and the bytes are there. */
	(void)ibuf_mbuf_copy_out(m, off, ibuf_mbuf_extend_tail(copy, len), len);
	return copy;
}

/* ---- look -------------------------------------------------------------- */

const uint8_t *
ibuf_mbuf_at_any_(const struct ibuf_mbuf *m, size_t off, size_t *run)
{
	if (!chain_covers(m, off, 0))
		return NULL;
	m = chain_find(m, &off);
	if (run != NULL)
		*run = m->len_ - off;
	return segment_data(m) + off;
}

size_t
ibuf_mbuf_headroom(const struct ibuf_mbuf *m)
{
	if ((m->flags_ & IBUF_MBUF_HEAD_) != 0 || segment_owns(m))
		return m->off_;
	return 0;
}

size_t
ibuf_mbuf_tailroom(const struct ibuf_mbuf *m)
{
	return segment_tailroom(chain_last(m));
}

size_t
ibuf_mbuf_capacity(const struct ibuf_mbuf *m)
{
	const struct ibuf_mbuf *last = chain_last(m);

	return ibuf_mbuf_len(m) - last->len_ + segment_capacity(last);
}

bool
ibuf_mbuf_is_unique(const struct ibuf_mbuf *m)
{
	for (; m != NULL; m = m->next_)
		if (!segment_owns(m))
			return false;
	return true;
}

struct ibuf_pool *
ibuf_mbuf_pool(const struct ibuf_mbuf *m)
{
	return __atomic_load_n(&owner_of(m)->pool, __ATOMIC_ACQUIRE);
}

void *
ibuf_mbuf_private(struct ibuf_mbuf *m)
{
	uint32_t size = owner_of(m)->private_size;

	if (size == 0)
		return NULL;
	if ((m->flags_ & IBUF_MBUF_PRIVATE_) == 0) {
		m->flags_ |= IBUF_MBUF_PRIVATE_;
		memset(private_area(m), 0, size);
	}
	return private_area(m);
}
