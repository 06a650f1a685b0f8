/*
 * depot.h - the free objects of one kind that no thread keeps back.
 *
 *   tcache <--- objects, one by one            (inline, no lock)
 *     |
 *   magazine, magazine --- whole ---> depot  (lock-free)
 *                                       |
 *                     stock: listed and uncarved objects  (lock)
 *
 * A magazine is an array of free objects with one owner: a tcache, one of the
 * two stacks, or who is moving it.  Magazines are known by numbers and live
 * as long as the depot, so a stack may look into one that somebody else has
 * just popped; a tag of 40 bits in the stack's head makes that harmless (the
 * compare fails, since every pop counts it up).
 *
 *   stock.capacity = out + in tcaches + in magazines + stocked
 *
 * Magazines are made on the way out of the pool only, for tcaches and, as
 * spares, for objects that had to come back without one.  The way back takes
 * what there is, and where there is none it uses the stock's list, so giving
 * back needs no memory.
 */
#ifndef IBUF_SRC_DEPOT_H
#define IBUF_SRC_DEPOT_H

#include "../platform/platform.h"
#include "stock.h"
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
	size_t magazine_size;  /* objects; 0: no tcaches */
	bool single;           /* a tcache has one magazine, not two */
	struct ibuf_magazine **parts[DEPOT_PARTS]; /* atomic pointers */
	/* Under the lock: */
	uint32_t n_magazines;
	uint32_t n_spares; /* of them, those made by ibuf_depot_spare_() */
	struct ibuf_slabs stock;
	/* Objects of slabs that are between the provider and the stock, in
	   either direction; they count against the pool's max. */
	size_t moving;
	size_t piece; /* objects in the last slab, since one was refused; or 0 */
	/* Objects that went out and came back past the tcaches, and through
	   tcaches that are gone: */
	uint64_t taken;
	uint64_t given;
	size_t lost; /* of stock.capacity, with threads that a fork left behind */
};

/* Pop a magazine that holds objects; NULL: there is none. */
struct ibuf_magazine *ibuf_depot_pop_full_(struct ibuf_depot *depot);

/* Push a magazine that holds objects, or one that holds none. */
void ibuf_depot_push_(struct ibuf_depot *depot, struct ibuf_magazine *magazine);

/* Pop a magazine without objects; NULL: there is none. */
struct ibuf_magazine *ibuf_depot_pop_empty_(struct ibuf_depot *depot);

/* The same, or make one; NULL: no memory.  Needs the lock. */
struct ibuf_magazine *ibuf_depot_get_empty_(struct ibuf_depot *depot);

/*
 * Objects came out of the stock that had been put there for want of a
 * magazine: make one more, where there is memory, so that they can go back
 * in it.  There are never more than could hold all objects.  Needs the lock.
 */
void ibuf_depot_spare_(struct ibuf_depot *depot);

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

/*
 * Sort at most n objects, of the list or of full magazines, into the lists of
 * their slabs; gives how many.  Needs the lock.
 */
size_t ibuf_depot_sort_(struct ibuf_depot *depot, size_t n);

/* Objects in the stock, carved or not.  Needs the lock. */
static inline size_t
depot_stocked(const struct ibuf_depot *depot)
{
	const struct ibuf_slabs *stock = &depot->stock;

	return stock->n_listed + stock->n_sorted + stock->capacity -
	       stock->carved;
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
