/*
 * inline/slot.h - objects in and out of the slots of home.h.
 */
#ifndef IBUF_INLINE_SLOT_H
#define IBUF_INLINE_SLOT_H

#include <ibuf/home.h>
#include <string.h>

/** @cond: private */

/*
 * What a header is and whose, once the rights and the kind of room are left
 * out, as one number: those of a plain element (it has AWAY where it looks
 * elsewhere) and of a plain window are made by ibuf_kind_().
 */
#define IBUF_MBUF_PLAIN_ELEMENT_ (IBUF_MBUF_ELEMENT_ | IBUF_MBUF_LIVE_)
#define IBUF_MBUF_PLAIN_WINDOW_ IBUF_MBUF_LIVE_
#define IBUF_MBUF_LEFT_OUT_                                                    \
	(IBUF_MBUF_HEAD_ | IBUF_MBUF_TAIL_ | IBUF_MBUF_ROOM_)

static inline uint32_t
ibuf_kind_(uint32_t flags, uint32_t home)
{
	struct {
		uint16_t flags_, pool_;
	} both = {(uint16_t)flags, (uint16_t)home};
	uint32_t kind;

	memcpy(&kind, &both, sizeof kind);
	return kind;
}

/* What m's header says of both, nothing left out. */
static inline uint32_t
ibuf_mbuf_both_(const struct ibuf_mbuf *m)
{
	uint32_t kind;

	memcpy(&kind, (const char *)m + offsetof(struct ibuf_mbuf, flags_),
	       sizeof kind);
	return kind;
}

static inline uint32_t
ibuf_mbuf_kind_(const struct ibuf_mbuf *m)
{
	return ibuf_mbuf_both_(m) & ~ibuf_kind_(IBUF_MBUF_LEFT_OUT_, 0);
}

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

/* Where the next object goes, and behind where the last one is. */
static inline struct ibuf_mbuf **
ibuf_slot_top_(struct ibuf_slot_ *slot)
{
	return __atomic_load_n(&slot->top_, __ATOMIC_RELAXED);
}

/* Is there nothing below the top? */
static inline bool
ibuf_slot_is_empty_(struct ibuf_slot_ *slot, struct ibuf_mbuf **top)
{
	return top == __atomic_load_n(&slot->base_, __ATOMIC_RELAXED);
}

/* Is there no place at the top?  There is none either in a closed slot. */
static inline bool
ibuf_slot_is_full_(struct ibuf_slot_ *slot, struct ibuf_mbuf **top)
{
	return (uintptr_t)top >=
	       (uintptr_t)__atomic_load_n(&slot->end_, __ATOMIC_RELAXED);
}

/* Take an object out of a slot that is not empty. */
static inline struct ibuf_mbuf *
ibuf_slot_take_(struct ibuf_slot_ *slot, struct ibuf_mbuf **top)
{
	struct ibuf_mbuf *m = top[-1];

	__atomic_store_n(&slot->top_, top - 1, __ATOMIC_RELAXED);
	/* Pairs with the acquire in cache.c: who sees an object come home
	   has seen it go out. */
	ibuf_count_(&slot->taken_);
	return m;
}

/*
 * Objects have been put into a slot, and counted.
 *
 * Who closes the pool sets end_ to NULL, makes every thread pass a barrier,
 * and reads given_: either it sees our object or we see the NULL.  On our
 * side the compiler's order is enough.
 */
static inline void
ibuf_slot_given_(struct ibuf_slot_ *slot)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (!IBUF_LIKELY(__atomic_load_n(&slot->end_, __ATOMIC_RELAXED) !=
			 NULL))
		ibuf_pool_late_(slot);
}

/* Put an object into a slot that is not full. */
static inline void
ibuf_slot_give_(struct ibuf_slot_ *slot, struct ibuf_mbuf **top,
		struct ibuf_mbuf *m)
{
	*top = m;
	__atomic_store_n(&slot->top_, top + 1, __ATOMIC_RELAXED);
	/* Pairs with the acquire in cache.c: what is home is no longer used. */
	ibuf_count_(&slot->given_);
	ibuf_slot_given_(slot);
}

/** @endcond */

#endif
