/*
 * ring.h - the ring of a queue: pointers, and its two ends.
 *
 *   cells   . . . . m m m m m m . . . .          at indices modulo a power of
 *                   ^           ^                 two, which count up for ever
 *                   head        tail
 *
 *   0 <= tail - head <= capacity        also where an index wraps
 *   taking.shown = head, putting.shown = tail
 *   shown <= limit       limit: how far an end knows that it may go
 *
 * Each end has a cache line, which the other end reads only when it runs into
 * its limit: once a lap, where the other is far enough ahead.  A bulk reads it
 * each time, for what it copies meanwhile hides the wait.
 *
 * One thread at a time works at an end, by a lock or by the caller's promise.
 * A promised producer says in pushing, which is in a line of its own, what it
 * is about to show; so whoever closes the queue can wait until it has.
 */
#ifndef IBUF_SRC_RING_H
#define IBUF_SRC_RING_H

#include "../library.h"
#include "../platform/spin.h"

#include <ibuf/mbuf.h>
#include <stdalign.h>
#include <string.h>

/*
 * A turn is some twenty instructions where all of it is inline.  And what a
 * function saves on the stack are stores that wait behind those to contended
 * lines, so the usual way saves nothing and calls nothing.
 */
#define RING_INLINE static inline __attribute__((always_inline))

/* Some machines fetch lines in pairs. */
#define APART (2 * CACHE_LINE)

/* Indices begin shortly before they wrap, so that every program meets that; at
   the beginning of a cache line, as bulks of a usual size go on. */
#define RING_BEFORE 128
#define RING_FIRST ((uint32_t)0 - RING_BEFORE)

struct ring_end {
	alignas(APART) uint32_t shown;
	uint32_t limit;
	uint32_t ahead; /* limit - what the other end shows: 0, or capacity */
	uint32_t lock;
	bool many; /* threads, so that the lock is needed */
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
	alignas(APART) uint32_t pushing; /* putting.shown, or what it will be */
};

/* A thread's turn at an end: n cells from at on are its own. */
struct turn {
	uint32_t at, n;
	bool many, fenced; /* as they were when it began */
};

/* Store what an end does, before it looks at the signs. */
RING_INLINE void
ring_store(const struct turn *t, uint32_t *word, uint32_t value)
{
	if (__builtin_expect(t->fenced, 0))
		store_seq_cst_u32(word, value);
	else
		store_release_u32(word, value);
}

/*
 * Look at the signs, behind a store.  Pairs with a thread that sets a sign,
 * makes all pass a barrier and then looks at what was stored: one of the two
 * sees the other.
 */
RING_INLINE uint32_t
ring_signs(const struct turn *t, const struct ring *r)
{
	keep_order();
	if (__builtin_expect(t->fenced, 0))
		return load_seq_cst_u32(&r->signs);
	return load_relaxed_u32(&r->signs);
}

/* An end of one promised thread, where barriers are to be had. */
RING_INLINE bool
ring_is_plain(const struct ring *r, const struct ring_end *end)
{
	return __builtin_expect(!end->many, 1) &&
	       __builtin_expect(load_relaxed_u32(&r->fenced) == 0, 1);
}

RING_INLINE struct turn
ring_enter(const struct ring *r, struct ring_end *end, bool plain)
{
	bool fenced = !plain && load_relaxed_u32(&r->fenced) != 0;
	bool many = !plain && end->many;

	if (many)
		spin_lock(&end->lock);
	return (struct turn){end->shown, 0, many, fenced};
}

RING_INLINE void
ring_leave(const struct turn *t, struct ring_end *end)
{
	if (t->many)
		spin_unlock(&end->lock);
}

/* Of n cells, as many as the end may go ahead. */
RING_INLINE uint32_t
ring_reach(const struct turn *t, struct ring_end *end,
	   const struct ring_end *other, size_t n)
{
	uint32_t can = end->limit - t->at;

	if (n > 1 || can < n) {
		/* Pairs with the other end's store: it is done with them. */
		end->limit = load_acquire_u32(&other->shown) + end->ahead;
		can = end->limit - t->at;
	}
	return n < can ? (uint32_t)n : can;
}

/* Two words a move, and no call, are worth a tenth of a bulk of 32. */
RING_INLINE void
ring_copy(struct ibuf_mbuf **to, struct ibuf_mbuf *const *from, size_t n)
{
	for (; n >= 4; n -= 4, to += 4, from += 4)
		memcpy(to, from, 4 * sizeof *to);
	for (; n > 0; n--)
		*to++ = *from++;
}

/* How many cells from an index on before they begin again. */
RING_INLINE uint32_t
ring_run(const struct ring *r, uint32_t at, uint32_t n)
{
	uint32_t run = r->mask + 1 - (at & r->mask);

	return n < run ? n : run;
}

RING_INLINE void
ring_copy_in(struct ring *r, uint32_t at, struct ibuf_mbuf *const *ms,
	     uint32_t n)
{
	uint32_t run = ring_run(r, at, n);

	ring_copy(r->cells + (at & r->mask), ms, run);
	ring_copy(r->cells, ms + run, n - run);
}

RING_INLINE void
ring_copy_out(const struct ring *r, uint32_t at, struct ibuf_mbuf **ms,
	      uint32_t n)
{
	uint32_t run = ring_run(r, at, n);

	ring_copy(ms, r->cells + (at & r->mask), run);
	ring_copy(ms + run, r->cells, n - run);
}

/*
 * How many are inside.  The head is read first, so the tail is not behind
 * it; it may be more than the capacity ahead when others work meanwhile.
 */
RING_INLINE uint32_t
ring_len(const struct ring *r)
{
	uint32_t head = load_seq_cst_u32(&r->taking.shown);

	return load_seq_cst_u32(&r->putting.shown) - head;
}

#endif
