/*
 * layout.h - where the members of a library's structs lie, as it tells itself.
 *
 * The library's tables have names and offsets (src/platform/registry.h), which
 * are looked up once for each process.  Members are numbers of 1 to 8 bytes in
 * a piece of memory that has been copied.
 */
#ifndef TOP_LAYOUT_H
#define TOP_LAYOUT_H

#include "process.h"

/* In a table of pools up to T_OTHERS; those of queues begin at Q_NEXT. */
enum field {
	P_NEXT,
	P_NAME,
	P_INDEX,
	P_CLOSED,
	P_FAILURES,
	P_WAITS,
	P_COPIED,
	P_CACHES,
	P_DIRECT, /* a store, as the next one */
	P_OTHERS,
	S_POOL,
	S_DEPOT,
	S_MAX,
	S_TAKEN,
	S_GIVEN,
	S_LOST,
	S_PEAK,
	S_GROWS,
	S_MADE,
	S_CARVED,
	S_BYTES,
	C_LINK,
	C_BASE,
	C_TOP,
	C_KEPT,
	C_TAKEN,
	C_GIVEN,
	T_DIRECT, /* a thread cache, as the next one */
	T_OTHERS,
	Q_NEXT,
	Q_LINK,
	Q_MOST,
	Q_PUSHED,
	Q_POPPED,
	Q_SIGNS,
	N_BEFORE, /* a number, as the next ones */
	F_POPPER,
	F_PUSHER,
	F_CLOSED,
	FIELDS
};

struct layout {
	bool is_queues;
	unsigned library; /* as of ibuf_version_number() */
	uint64_t head;    /* where the pointer to the first lies */
	uint16_t offset[FIELDS];
	uint16_t size[FIELDS];
};

/* Most bytes of a pool, a queue or a pair of thread caches. */
enum { LAYOUT_PIECE = 4096 };

/* Read a table; false: why[] says what is wrong with it. */
bool layout_read(struct layout *l, struct process *p, uint64_t table,
		 char why[96]);

/* Bytes from where a struct begins to behind the last of these members. */
size_t layout_span(const struct layout *l, enum field first, enum field last);

/* A member of the struct that begins at `at` of a piece. */
uint64_t layout_get(const struct layout *l, const uint8_t *piece, size_t at,
		    enum field field);

#endif
