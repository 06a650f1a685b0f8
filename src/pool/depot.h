/*
 * depot.h - magazines, and the two stacks of those that no thread has.
 *
 * A magazine is an array of free headers with one owner: a thread cache, one
 * of the two stacks, or who is moving it.  Magazines are known by numbers and
 * live as long as the depot, so a stack may look into one that somebody else
 * has just popped; a tag of 40 bits in the stack's head makes that harmless
 * (the compare fails, since every pop counts it up).
 */
#ifndef IBUF_SRC_DEPOT_H
#define IBUF_SRC_DEPOT_H

#include "../library.h"

#include "../platform/platform.h"
#include <ibuf/inline/layout.h>
#include <stddef.h>

struct ibuf_magazine {
	struct ibuf_depot *depot;
	uint32_t number; /* of this one, from 1 */
	uint32_t next;   /* atomic: in a stack, the one below; 0: none */
	uint32_t n;
	struct ibuf_mbuf *headers[]; /* as many as the depot's magazine_size */
};

/* Magazines by number: part k holds 64 << k of them. */
#define DEPOT_PARTS 18

struct ibuf_depot {
	/* Heads of stacks: 40 bits of tag, 24 bits of number. */
	_Alignas(CACHE_LINE) uint64_t full;  /* atomic */
	_Alignas(CACHE_LINE) uint64_t empty; /* atomic */
	_Alignas(CACHE_LINE) size_t
		magazine_size; /* headers; 0: none are used */
	struct ibuf_magazine **parts[DEPOT_PARTS]; /* atomic pointers */
	/* Under the lock of the pool: */
	uint32_t n_magazines;
	uint32_t n_spares; /* of them, those made by ibuf_depot_spare_() */
};

/* Pop a magazine that holds headers; NULL: there is none. */
struct ibuf_magazine *ibuf_depot_pop_full_(struct ibuf_depot *depot);

/* Push a magazine that holds headers, or one that holds none. */
void ibuf_depot_push_(struct ibuf_depot *depot, struct ibuf_magazine *magazine);

/* Pop a magazine without headers; NULL: there is none. */
struct ibuf_magazine *ibuf_depot_pop_empty_(struct ibuf_depot *depot);

/* The same, or make one; NULL: no memory.  Needs the lock. */
struct ibuf_magazine *ibuf_depot_get_empty_(struct ibuf_depot *depot);

/*
 * Headers came out of the slabs that had been put there for want of a
 * magazine: make one more, where there is memory, so that they can come back
 * in it.  There are never more than could hold so many headers, which are all
 * there are.  Needs the lock.
 */
void ibuf_depot_spare_(struct ibuf_depot *depot, size_t headers);

/*
 * In the child of a fork: every magazine but two, or none, is an empty one.
 * What the other threads were doing is not asked, since they may have been in
 * the midst of it.
 */
void ibuf_depot_inherit_(struct ibuf_depot *depot,
			 const struct ibuf_magazine *but,
			 const struct ibuf_magazine *and_but);

/* Free the magazines; nobody has one any more. */
void ibuf_depot_end_(struct ibuf_depot *depot);

#endif
