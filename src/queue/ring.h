/*
 * ring.h - the ring of a queue: pointers, and its two ends.
 *
 *   cells   . . . . m m m m m m . . . .          at indices modulo a power of
 *                   ^           ^                 two, which count up for ever
 *                   head        tail
 *
 *   0 <= tail - head <= capacity        also where an index wraps
 *   taking.shown = head    taking.at = head but for a pop under way
 *   putting.shown = tail   putting.at = tail but for a push under way
 *   at <= limit            limit: how far an end knows that it may go
 *
 * Each end works in a cache line of its own and shows what it has done in
 * another.  It reads what the other end shows only when it runs into its
 * limit: once a lap where the ring is long enough.
 *
 * One thread at a time works at an end, by a lock or by the caller's promise.
 * An end of one promised thread is marked as busy by at != shown, which costs
 * nothing: at is written first.  So whoever closes the queue can wait for it.
 */
#ifndef IBUF_SRC_RING_H
#define IBUF_SRC_RING_H

#include "../library.h"
#include "../platform/spin.h"

#include <ibuf/mbuf.h>
#include <stdalign.h>
#include <string.h>

/* Some machines fetch lines in pairs. */
#define APART (2 * CACHE_LINE)

/* Indices begin shortly before they wrap, so that every program meets that. */
#define RING_FIRST ((uint32_t)0 - 100)

struct ring_end {
	alignas(APART) uint32_t lock; /* where there may be many threads */
	bool many;
	uint32_t at;
	uint32_t limit;
	uint32_t ahead; /* limit - what the other end shows: 0, or capacity */
	alignas(APART) uint32_t shown;
};

struct ring {
	/* Flags that threads leave for each other; see queue.h. */
	uint32_t signs;
	/*
	 * Threads do not all pass a barrier when one asks for it.  So a store
	 * in front of a look at the signs is seq_cst, and so is the look.
	 */
	uint32_t fenced;
	uint32_t capacity;
	uint32_t mask; /* of an index: how many cells, less 1 */
	struct ibuf_mbuf **cells;
	struct ring_end putting, taking;
};

/* Store what an end does, before it looks at the signs. */
static inline void
ring_store(const struct ring *r, uint32_t *word, uint32_t value)
{
	if (__builtin_expect(load_relaxed_u32(&r->fenced) != 0, 0))
		store_seq_cst_u32(word, value);
	else
		store_release_u32(word, value);
}

/*
 * Look at the signs, behind a store.  Pairs with a thread that sets a sign,
 * makes all pass a barrier and then looks at what was stored: one of the two
 * sees the other.
 */
static inline uint32_t
ring_signs(const struct ring *r)
{
	keep_order();
	if (__builtin_expect(load_relaxed_u32(&r->fenced) != 0, 0))
		return load_seq_cst_u32(&r->signs);
	return load_relaxed_u32(&r->signs);
}

static inline void
ring_enter(struct ring_end *end)
{
	if (end->many)
		spin_lock(&end->lock);
}

static inline void
ring_leave(struct ring_end *end)
{
	if (end->many)
		spin_unlock(&end->lock);
}

/* Of n cells, as many as the end may go ahead. */
static inline uint32_t
ring_reach(struct ring_end *end, const struct ring_end *other, size_t n)
{
	uint32_t can = end->limit - end->at;

	if (can < n) {
		/* Pairs with the other end's store: it is done with them. */
		end->limit = load_acquire_u32(&other->shown) + end->ahead;
		can = end->limit - end->at;
	}
	return n < can ? (uint32_t)n : can;
}

/* How many cells from an index on before they begin again. */
static inline uint32_t
ring_run(const struct ring *r, uint32_t at, uint32_t n)
{
	uint32_t run = r->mask + 1 - (at & r->mask);

	return n < run ? n : run;
}

static inline void
ring_copy_in(struct ring *r, uint32_t at, struct ibuf_mbuf *const *ms,
	     uint32_t n)
{
	uint32_t run = ring_run(r, at, n);

	memcpy(r->cells + (at & r->mask), ms, run * sizeof *ms);
	memcpy(r->cells, ms + run, (n - run) * sizeof *ms);
}

static inline void
ring_copy_out(const struct ring *r, uint32_t at, struct ibuf_mbuf **ms,
	      uint32_t n)
{
	uint32_t run = ring_run(r, at, n);

	memcpy(ms, r->cells + (at & r->mask), run * sizeof *ms);
	memcpy(ms + run, r->cells, (n - run) * sizeof *ms);
}

/*
 * How many are inside.  The head is read first, so the tail is not behind
 * it; it may be more than the capacity ahead when others work meanwhile.
 */
static inline uint32_t
ring_len(const struct ring *r)
{
	uint32_t head = load_seq_cst_u32(&r->taking.shown);

	return load_seq_cst_u32(&r->putting.shown) - head;
}

#endif
