/*
 * inline/slot.h - objects in and out of the slots of home.h.
 */
#ifndef IBUF_INLINE_SLOT_H
#define IBUF_INLINE_SLOT_H

#include <ibuf/home.h>

/** @cond: private */

/*
 * Count one up, after all that was written before; the calling thread is the
 * only one that counts.  On x86 one instruction does it, since its stores
 * are releases; the thread sanitizer must see an atomic one.
 */
static inline void
ibuf_count_(uint64_t *counter)
{
#if defined(__x86_64__) && !defined(IBUF_TSAN_)
	__asm__ volatile("addq $1, %0" : "+m"(*counter) : : "cc", "memory");
#else
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELEASE);
#endif
}

/*
 * The calling thread's slots for the home of m, which is not CAREFUL.
 *
 * Their address must not wait for m's header: where a thread frees what it
 * has just allocated, it was written a moment ago, and every step would wait
 * for the one before.  So the number is guessed, and the guess compared: a
 * branch is predicted, an address is not.  The guess is the pool that last
 * took the long way; it stands in the heap's slots, which hold nothing.
 */
static inline struct ibuf_slots_ *
ibuf_slots_of_(const struct ibuf_mbuf *m)
{
	struct ibuf_slots_ *slots = ibuf_pool_slots_;
	size_t guess = slots[0].element_.kept_;

	if (IBUF_LIKELY(m->pool_ == guess)) {
		/* Or the compiler would use the number it was compared with. */
		__asm__("" : "+r"(guess));
		return &slots[guess];
	}
	return &slots[m->pool_];
}

/* How many objects it has. */
static inline uint32_t
ibuf_slot_n_(const struct ibuf_slot_ *slot)
{
	return __atomic_load_n(&slot->n_, __ATOMIC_RELAXED);
}

/* How many it may have. */
static inline uint32_t
ibuf_slot_cap_(const struct ibuf_slot_ *slot)
{
	return __atomic_load_n(&slot->cap_, __ATOMIC_RELAXED);
}

/* Take an object out of a slot that has n, more than 0. */
static inline struct ibuf_mbuf *
ibuf_slot_take_(struct ibuf_slot_ *slot, uint32_t n)
{
	struct ibuf_mbuf *m = slot->objects_[n - 1];

	__atomic_store_n(&slot->n_, n - 1, __ATOMIC_RELAXED);
	/* Pairs with the acquire in cache.c: who sees an object come home
	   has seen it go out. */
	ibuf_count_(&slot->taken_);
	return m;
}

/* Put an object into a slot that has n, fewer than it may. */
static inline void
ibuf_slot_give_(struct ibuf_slot_ *slot, uint32_t n, struct ibuf_mbuf *m)
{
	slot->objects_[n] = m;
	__atomic_store_n(&slot->n_, n + 1, __ATOMIC_RELAXED);
	/* Pairs with the acquire in cache.c: what is home is no longer used. */
	ibuf_count_(&slot->given_);
	/*
	 * Who closes the pool sets cap_ to 0, makes every thread pass a
	 * barrier, and reads given_: either it sees our object or we see the
	 * 0.  On our side the compiler's order is enough.
	 */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (!IBUF_LIKELY(ibuf_slot_cap_(slot) != 0))
		ibuf_pool_late_(slot);
}

/** @endcond */

#endif
