/*
 * bias.h - a lock around the thread caches of one thread for one pool, which
 * costs that thread no barrier and no read-modify-write.
 *
 *   the owner              who recalls, with the lock of the pool
 *     inside is odd          recalled := 1
 *     is recalled 0?         barrier in all threads
 *     work in the cache      is inside even?  then what is there is mine
 *     inside is even
 *     is recalled 0?
 *
 * By the barrier either the owner sees that it is recalled, or who recalls
 * sees that the owner is inside.  An owner that is found inside sees, once it
 * is out, that it is recalled meanwhile, and brings what it has.
 *
 * An owner that has the lock of the pool needs none of this.
 */
#ifndef IBUF_SRC_BIAS_H
#define IBUF_SRC_BIAS_H

#include "../library.h"

#include "../platform/platform.h"
#include <ibuf/base.h>

struct ibuf_bias {
	uint32_t inside;   /* atomic: counted up on the way in and out */
	uint32_t recalled; /* atomic, written under the lock of the pool */
};

/* Is the thread in the midst of it?  Its own question is one of a signal
   handler. */
static inline bool
bias_is_inside(const struct ibuf_bias *bias)
{
	/* Pairs with the release on the way out: what the owner did there. */
	return load_acquire_u32(&bias->inside) % 2 != 0;
}

/*
 * Go inside; false: somebody recalls, or the caller interrupts itself.  The
 * compiler's order is enough between the two words: who recalls makes this
 * thread pass a barrier.
 */
static inline bool
bias_enter(struct ibuf_bias *bias, uint32_t *outside)
{
	*outside = load_relaxed_u32(&bias->inside);
	if (!IBUF_LIKELY(*outside % 2 == 0))
		return false;
	store_relaxed_u32(&bias->inside, *outside + 1);
	keep_order();
	/* Pairs with the release in bias_let(): what was recalled is gone. */
	if (IBUF_LIKELY(load_acquire_u32(&bias->recalled) == 0))
		return true;
	store_release_u32(&bias->inside, *outside + 2);
	return false;
}

/* Go out again; true: somebody has begun to recall meanwhile. */
static inline bool
bias_leave(struct ibuf_bias *bias, uint32_t outside)
{
	store_release_u32(&bias->inside, outside + 2);
	keep_order();
	return !IBUF_LIKELY(load_relaxed_u32(&bias->recalled) == 0);
}

/* Keep the owner out; the lock is held, as for the next. */
static inline void
bias_recall(struct ibuf_bias *bias)
{
	store_relaxed_u32(&bias->recalled, 1);
}

/* Let the owner in again. */
static inline void
bias_let(struct ibuf_bias *bias)
{
	store_release_u32(&bias->recalled, 0);
}

#endif
