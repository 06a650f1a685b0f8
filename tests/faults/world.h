/*
 * world.h - a function under faults: what it works on, how it is called.
 *
 * A row of the table names a public function, says on which worlds it is
 * tried, and calls it.  The call gives 0, or -errno, which for functions that
 * give NULL is -ENOMEM; and it writes what it gives to its world.  A call
 * that fails leaves its world as it was, byte by byte.
 */
#ifndef WORLD_H
#define WORLD_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ibuf/ibuf.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define TEXT "abcdefghij"
#define LEN 10
#define DATAGRAMS 3

struct world {
	struct ibuf_mbuf *m;      /* what the call works on, TEXT; or NULL */
	struct ibuf_mbuf *kin;    /* shares with it; or NULL */
	struct ibuf_mbuf *other;  /* a second argument; or NULL */
	struct ibuf_mbuf *result; /* what the call made */
	struct ibuf_mbuf *results[4];
	struct ibuf_pool *pool;    /* of the messages; NULL: the heap */
	struct ibuf_pool *made;    /* a pool that the call made */
	struct ibuf_queue *queue;  /* or that it works on */
	struct ibuf_cursor cursor; /* of m */
	struct ibuf_io_datagram datagrams[DATAGRAMS];
	struct ibuf_io_control controls[DATAGRAMS];
	int to, from;      /* ends of a pipe, or sockets; -1: none */
	int released;      /* how often wrapped memory was released */
	uint8_t bytes[64]; /* what the call gives, of any kind */
};

/* On which worlds a function is tried. */
enum kind {
	NOTHING, /* nothing was ever called: the first call of a program */
	MESSAGE,
	SOME, /* many functions of one body: some of those worlds */
	POOL,
	QUEUE,
	STREAM,
	SOCKET,
	INSIDE /* serves the inline body of another function */
};

struct row {
	const char *name;
	enum kind kind;
	int (*call)(struct world *w);
	const char *after; /* what m holds after the call; NULL: see the call.
	                      INSIDE: which function it serves */
};

/* The table, in several files; each ends with a row without a name. */
extern const struct row rows_message[], rows_number[], rows_pool[], rows_io[];

/* The worlds of a kind: build the i-th; NULL: there are no more.  Gives its
   name.  quick: not of all messages. */
const char *world_make(struct world *w, enum kind kind, unsigned i, bool quick);
void world_end(struct world *w);

/* End the child: this does not hold. */
_Noreturn void fail(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#define hold(condition)                                                        \
	do {                                                                   \
		if (!(condition))                                              \
			fail("%s:%d: not so: %s", __FILE__, __LINE__,          \
			     #condition);                                      \
	} while (0)

/* What a function that gives NULL says by it. */
static inline int
error_of(const void *result)
{
	return result != NULL ? 0 : -ENOMEM;
}

static inline void
hold_message(const struct ibuf_mbuf *m, const char *bytes, size_t n)
{
	hold(ibuf_mbuf_validate(m) == 0);
	hold(ibuf_mbuf_len(m) == n);
	hold(ibuf_mbuf_matches(m, 0, bytes, n));
}

#endif
