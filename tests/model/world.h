/*
 * world.h - a population of messages that share rooms, and what can be done
 * to it.
 *
 * An operation is eight bytes, whoever made them: a generator, a fuzzer.  It
 * means something in every state (slots, sizes and offsets are taken modulo
 * what there is), so that a sequence from which operations are dropped is a
 * sequence still.
 */
#ifndef WORLD_H
#define WORLD_H

#include "model.h"
#include <stdio.h>

enum {
	SLOTS = 8,
	POOLS = 4,
	SOURCE_SIZE = 2 * BYTES_MAX,
};

struct operation {
	uint8_t code;  /* which; see operations.c */
	uint8_t slots; /* three bits: the message; three: the other */
	uint8_t how;   /* three bits: kind of size; three: of what; two: luck */
	uint8_t byte;
	uint16_t x, y; /* sizes and offsets are made of these */
};

_Static_assert(sizeof(struct operation) == 8, "as many bytes as are drawn");

struct world {
	unsigned checks; /* of the whole world */
	struct message slot[SLOTS];
	struct owner *pools[POOLS];
	struct owner *closed;     /* destroyed, perhaps with messages live */
	const uint8_t *read_only; /* a page that must not be written */
	uint8_t *source;          /* bytes to take from */
	uint8_t *scratch;         /* BYTES_MAX bytes */
	size_t blocks, mapped;    /* what was allocated before */
	FILE *nowhere;
	FILE *talk; /* NULL: silent; each operation is told before it runs */
};

void world_begin(struct world *w, FILE *talk);
void world_run(struct world *w, const struct operation *op);
/* Free everything; nothing may be left. */
void world_end(struct world *w);

/* Run a whole sequence in a world of its own; *at is kept up to date. */
void world_play(const struct operation *ops, size_t n, FILE *talk,
		volatile size_t *at);

/* ---- for the operations -------------------------------------------- */

typedef void operation_fn(struct world *w, const struct operation *op,
			  struct message *a);

/* Tell what is about to be called. */
__attribute__((format(printf, 2, 3))) void say(const struct world *w,
					       const char *format, ...);
unsigned slot_of(const struct world *w, const struct message *message);

/* The other message of the operation, which may be a itself, or is not. */
struct message *other_of(struct world *w, const struct operation *op);

/* A slot that is free, or is freed; never that of keep. */
struct message *free_slot(struct world *w, const struct message *keep,
			  unsigned wish);

/* How many bytes to add to a message: 0 to the most, at an edge, too many. */
size_t size_of(const struct operation *op, const struct message *a);
bool is_huge(size_t n);
/* n bytes to add: of nobody, of a or of another; *copy: what they are. */
const uint8_t *source_of(struct world *w, const struct operation *op,
			 const struct message *a, size_t *n,
			 const uint8_t **copy);
/* An offset and a length; mostly inside. */
void range_of(const struct operation *op, size_t len, size_t *off, size_t *n);
bool is_inside(const struct message *a, size_t off, size_t n);

/* Now and then let memory run out in what is called next. */
void arm(const struct operation *op);
/* What was called since arm() did, or it failed as it must, or for memory;
   then it has changed nothing. */
bool did(int error, int expected);
bool made(const void *pointer, bool expected);

operation_fn op_new, op_from, op_wrap, op_wrap_const, op_pool_alloc,
	op_pool_bulk, op_pool_free, op_pool_care, op_pool_destroy, op_free,
	op_free_bulk, op_clone, op_clone_bulk, op_slice, op_copy, op_take;
operation_fn op_append, op_prepend, op_fill, op_extend_tail, op_extend_head,
	op_printf, op_reserve, op_commit, op_trim_head, op_trim_tail, op_clear,
	op_shrink, op_read, op_write, op_append_number, op_prepend_number;
operation_fn op_data_mut, op_at_mut, op_unshare, op_write_at, op_concat,
	op_concat_front, op_split, op_split_front, op_append_range,
	op_linearize, op_pullup;
operation_fn op_at, op_copy_out, op_compare, op_find, op_matches, op_iov,
	op_checksum, op_cursor, op_dump;

#endif
