/*
 * copies.h - the copies of the library in one process share what must be
 * one.
 *
 * A program and each of its plugins may have a copy of its own.  A message may
 * come from one copy to another, so its number must lead every copy to the
 * same owner: they share the numbers, and the table of owners.  What an owner
 * does is done by the copy that made it, since its functions are called
 * through it; all that is a thread's, and all locks, each copy has for itself.
 *
 *   a copy          struct ibuf_copy, which a note leads to
 *     table   ----> one table of owners, of whichever copy was first
 *     numbers ----> the bits of the numbers that are in use, likewise
 *
 * Copies that lay out what they share in other ways have another table.  They
 * still share the numbers, so a message of theirs is of no owner that is known
 * here, and is refused.
 */
#ifndef IBUF_SRC_COPIES_H
#define IBUF_SRC_COPIES_H

#include <stdbool.h>
#include <stdint.h>

/* What a copy lays out in its own way; equal where it may be shared. */
struct ibuf_layout {
	uint32_t version;
	uint32_t sizes[4];
};

/*
 * Other releases read this: a change needs a note of another type.  All
 * pointers are atomic.
 */
struct ibuf_copy {
	struct ibuf_layout layout;
	void *table;       /* that it uses; NULL: it has not joined */
	uint32_t *numbers; /* that it uses, once it has a table */
	/* What those use who join while nobody has: of the copy that was loaded
	   first, and of the first with its layout. */
	uint32_t *elected_numbers;
	void *elected_table;
};

/*
 * Join the others: find the table and the numbers in use, or put up our own.
 * Any thread may call it, at any time; it allocates nothing.
 */
void ibuf_copies_join_(struct ibuf_copy *self, void *own_table,
		       uint32_t *own_numbers);

#endif
