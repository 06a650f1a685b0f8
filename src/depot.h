/*
 * depot.h - the free objects of one kind that no thread keeps back.
 *
 *   slot <--- objects, one by one            (inline, no lock)
 *     |
 *   magazine, magazine --- whole ---> depot  (lock-free)
 *                                       |
 *                     stock: listed and uncarved objects  (lock)
 *
 * A magazine is an array of free objects with one owner: a slot, one of the
 * two stacks, or who is moving it.  Magazines are known by numbers and live
 * as long as the depot, so a stack may look into one that somebody else has
 * just popped; a tag of 40 bits in the stack's head makes that harmless (the
 * compare fails, since every pop counts it up).
 *
 *   stock.capacity = out + in slots + in magazines + listed + uncarved
 */
#ifndef IBUF_SRC_DEPOT_H
#define IBUF_SRC_DEPOT_H

#include "platform.h"
#include "slab.h"
#include <pthread.h>

struct ibuf_magazine {
	struct ibuf_depot *depot;
	uint32_t number; /* of this one, from 1 */
	uint32_t next;   /* atomic: in a stack, the one below; 0: none */
	uint32_t n;
	struct ibuf_mbuf *objects[]; /* as many as the depot's magazine_size */
};

/* Magazines by number: part k holds 64 << k of them. */
#define DEPOT_PARTS 18

struct ibuf_depot {
	/* Heads of stacks: 40 bits of tag, 24 bits of number. */
	_Alignas(CACHE_LINE) uint64_t full;  /* atomic */
	_Alignas(CACHE_LINE) uint64_t empty; /* atomic */
	_Alignas(CACHE_LINE) struct ibuf_cache *owner;
	pthread_mutex_t *lock; /* the owner's */
	size_t magazine_size;  /* objects; 0: no slots */
	bool single;           /* a slot has one magazine, not two */
	struct ibuf_magazine **parts[DEPOT_PARTS]; /* atomic pointers */
	/* Under the lock: */
	uint32_t n_magazines;
	struct ibuf_stock stock;
	/* Objects that went out and came home past the slots, and through
	   slots that are gone: */
	uint64_t taken;
	uint64_t given;
	size_t lost; /* of stock.capacity, with threads that a fork left behind */
};

/* Pop a magazine that holds objects; NULL: there is none. */
struct ibuf_magazine *ibuf_depot_pop_full_(struct ibuf_depot *depot);

/* Push a magazine that holds objects, or one that holds none. */
void ibuf_depot_push_(struct ibuf_depot *depot, struct ibuf_magazine *magazine);

/*
 * Get a magazine without objects: an old one, or a new one; NULL: no memory.
 * The lock must be held for a new one; may_make says that it is.
 */
struct ibuf_magazine *ibuf_depot_get_empty_(struct ibuf_depot *depot,
					    bool may_make);

/*
 * Move up to n objects of the stock into an array, listed ones first; gives
 * how many.  Those just carved are made ready by carved().  Needs the lock.
 */
size_t ibuf_depot_unstock_(struct ibuf_depot *depot, struct ibuf_mbuf **out,
			   size_t n,
			   void (*carved)(struct ibuf_mbuf *m, void *arg),
			   void *arg);

/*
 * Put n objects into the stock's list.  Needs the lock.  One that is in use,
 * or listed already, was freed twice: two frees that overlap may each have
 * put it into a magazine, and here they meet.
 */
void ibuf_depot_stock_(struct ibuf_depot *depot, struct ibuf_mbuf *const *ms,
		       size_t n);

/* Objects that are listed, or not carved yet.  Needs the lock. */
static inline size_t
depot_stocked(const struct ibuf_depot *depot)
{
	return depot->stock.n_listed + depot->stock.capacity -
	       depot->stock.carved;
}

/*
 * Put the objects of full magazines into the list until n are in the stock,
 * or there is no full magazine.  Needs the lock.
 */
void ibuf_depot_unload_(struct ibuf_depot *depot, size_t n);

/*
 * In the child of a fork: what the full magazines hold goes to the stock, and
 * every magazine but two, or none, is an empty one.  What the other threads
 * were doing is not asked, since they may have been in the midst of it.
 */
void ibuf_depot_inherit_(struct ibuf_depot *depot,
			 const struct ibuf_magazine *but,
			 const struct ibuf_magazine *and_but);

/* Free the magazines; nobody has one any more. */
void ibuf_depot_end_(struct ibuf_depot *depot);

#endif
