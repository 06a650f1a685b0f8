/*
 * slot.h - a slot at work: two magazines, traded with a depot.
 *
 *   base_ to top_       the magazine that objects go to and come from
 *   previous_ (kept_)   the one before: full or empty, or what an exchange
 *                       has left
 *
 * Taking and giving swap the two first; only when that does not help does a
 * whole magazine go to the depot or come from it.  All functions are for the
 * thread whose slot it is, where they do not say otherwise.
 */
#ifndef IBUF_SRC_SLOT_H
#define IBUF_SRC_SLOT_H

#include "depot.h"
#include <ibuf/inline/thread.h>

/* The calling thread's slots by the number of a home; NULL: it has none. */
extern __thread struct ibuf_slots_ *ibuf_slots_own_ IBUF_TLS_;

/* The magazine that a slot, not one of zeros, works with. */
static inline struct ibuf_magazine *
slot_magazine(const struct ibuf_slot_ *slot)
{
	return (struct ibuf_magazine *)(void *)((uint8_t *)slot->base_ -
						offsetof(struct ibuf_magazine,
							 objects));
}

/* Where it trades them. */
static inline struct ibuf_depot *
slot_depot(const struct ibuf_slot_ *slot)
{
	return slot_magazine(slot)->depot;
}

/* How many objects a slot has, for any thread; size is that of a magazine. */
uint32_t ibuf_slot_held_(const struct ibuf_slot_ *slot, size_t size);

/* Get objects into an empty slot without a lock; false: there are none. */
bool ibuf_slot_refill_(struct ibuf_slot_ *slot);

/* See to it that a slot has n objects, without a lock; false: it cannot. */
bool ibuf_slot_top_up_(struct ibuf_slot_ *slot, size_t n);

/* Take n objects out of a slot that has them. */
void ibuf_slot_pour_(struct ibuf_slot_ *slot, struct ibuf_mbuf **out, size_t n);

/*
 * Get objects into an empty slot from the stock; the lock is held.  They are
 * few at first and twice as many each time, up to a magazine: what a thread
 * keeps back grows with its use of the pool.
 */
bool ibuf_slot_unstock_(struct ibuf_slot_ *slot,
			void (*carved)(struct ibuf_mbuf *m, void *arg),
			void *arg);

/* Put an object into a slot, full or not; false: it has been closed. */
bool ibuf_slot_put_(struct ibuf_slot_ *slot, struct ibuf_mbuf *m);

/*
 * Give a slot its magazines, two or one; it stays closed.  false: no memory.
 * The lock is held, as for the three below.
 */
bool ibuf_slot_set_up_(struct ibuf_slot_ *slot, struct ibuf_depot *depot,
		       bool two);

/* Open a slot that has been set up: it may be filled. */
void ibuf_slot_open_(struct ibuf_slot_ *slot);

/* Has it been opened, and not closed?  For its thread. */
static inline bool
slot_is_open(const struct ibuf_slot_ *slot)
{
	return __atomic_load_n(&slot->end_, __ATOMIC_RELAXED) != NULL;
}

/* Close a slot of any thread, for good: who fills it finds it full. */
void ibuf_slot_close_(struct ibuf_slot_ *slot);

/* Put what a slot holds into the stock, at most n objects; how many. */
size_t ibuf_slot_empty_(struct ibuf_slot_ *slot, size_t n);

/* Hand the numbers and the magazines of an empty slot to the depot. */
void ibuf_slot_retire_(struct ibuf_slot_ *slot);

/*
 * In the child of a fork: a slot whose thread is not there leaves its numbers
 * to the depot; then the depot has all magazines but those of the thread that
 * is there, where that has a slot.
 */
void ibuf_slot_abandon_(struct ibuf_slot_ *slot);
void ibuf_slot_inherit_(struct ibuf_depot *depot, const struct ibuf_slot_ *own);

/* A slot belongs to no cache any more; its thread, any, sees zeros. */
void ibuf_slot_forget_(struct ibuf_slot_ *slot);

#endif
