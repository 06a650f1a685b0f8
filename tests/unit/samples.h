/*
 * samples.h - the same ten bytes in every kind of message there is.
 */
#ifndef SAMPLES_H
#define SAMPLES_H

#include "messages.h"
#include "pools.h"
#include "states.h"

/* TEXT in m; kin shares with it. */
struct sample {
	struct ibuf_mbuf *m, *kin;
	struct ibuf_pool *pool;
};

#define TEXT "abcdefghij"
#define LEN 10

static inline void
full(struct sample *w)
{
	w->m = message_of(TEXT, LEN);
}

static inline void
with_dead_headroom(struct sample *w)
{
	w->m = message_with(4, LEN + 5, 0);
	assert_int_equal(ibuf_mbuf_trim_head(w->m, 5), 0);
	assert_int_equal(ibuf_mbuf_write_at(w->m, 0, TEXT, LEN), 0);
}

static inline void
shared(struct sample *w)
{
	w->m = message_of(TEXT, LEN);
	w->kin = ibuf_mbuf_clone(w->m);
	assert_int_equal(ibuf_mbuf_trim_head(w->m, 0), 0);
}

static inline void
sliced(struct sample *w)
{
	w->kin = message_of("<" TEXT ">", LEN + 2);
	w->m = ibuf_mbuf_slice(w->kin, 1, LEN);
}

static inline void
orphaned(struct sample *w)
{
	struct ibuf_mbuf *parent = message_of("<" TEXT ">", LEN + 2);

	w->m = ibuf_mbuf_slice(parent, 1, LEN);
	ibuf_mbuf_free(parent);
}

static inline void
wrapped(struct sample *w)
{
	static char text[LEN];

	memcpy(text, TEXT, LEN);
	w->m = ibuf_mbuf_wrap(text, LEN, NULL, NULL);
}

static inline void
read_only(struct sample *w)
{
	w->m = ibuf_mbuf_wrap_const(TEXT, LEN, NULL, NULL);
}

static inline void
chained(struct sample *w)
{
	w->m = message_of("abc", 3);
	add_segment(w->m, "def", 3);
	add_segment(w->m, "ghij", 4);
}

static inline void
chained_and_shared(struct sample *w)
{
	chained(w);
	w->kin = ibuf_mbuf_clone(w->m);
}

static inline void
chained_long_and_shared(struct sample *w)
{
	w->m = message_of("a", 1);
	for (int i = 1; i < LEN; i++)
		add_segment(w->m, &TEXT[i], 1);
	w->kin = ibuf_mbuf_clone(w->m);
}

static inline void
chained_and_spacious(struct sample *w)
{
	w->m = message_with(3, 3, 9);
	assert_int_equal(ibuf_mbuf_write_at(w->m, 0, "abc", 3), 0);
	add_segment(w->m, "defghij", 7);
}

static inline struct ibuf_mbuf *
from_pool(struct sample *w, const char *bytes, size_t len)
{
	struct ibuf_mbuf *m;

	if (w->pool == NULL)
		w->pool = pool_of(2, 0);
	m = ibuf_pool_alloc(w->pool);
	assert_non_null(m);
	assert_int_equal(ibuf_mbuf_append(m, bytes, len), 0);
	return m;
}

static inline void
of_a_pool(struct sample *w)
{
	w->m = from_pool(w, TEXT, LEN);
	/* The room is used up at both ends. */
	assert_non_null(ibuf_mbuf_extend_tail(w->m, 54));
	assert_int_equal(ibuf_mbuf_trim_head(w->m, 54), 0);
	assert_int_equal(ibuf_mbuf_write_at(w->m, 0, TEXT, LEN), 0);
}

static inline void
of_a_pool_and_grown(struct sample *w)
{
	of_a_pool(w);
	assert_int_equal(ibuf_mbuf_append_fill(w->m, 'x', 100), 0);
	assert_int_equal(ibuf_mbuf_trim_tail(w->m, 100), 0);
}

static inline void
of_a_pool_and_shared(struct sample *w)
{
	w->m = from_pool(w, TEXT, LEN);
	w->kin = ibuf_mbuf_clone(w->m);
}

static inline void
of_an_empty_pool_and_shared(struct sample *w)
{
	of_a_pool_and_shared(w);
	assert_int_equal(ibuf_mbuf_concat(w->kin, from_pool(w, "other", 5)), 0);
}

static inline void
of_a_pool_and_chained(struct sample *w)
{
	w->m = from_pool(w, "abcd", 4);
	assert_int_equal(ibuf_mbuf_concat(w->m, from_pool(w, "efghij", 6)), 0);
	w->kin = ibuf_mbuf_clone(w->m);
}

static const struct {
	const char *name;
	void (*make)(struct sample *w);
} worlds[] = {
#define WORLD(name)                                                            \
	{                                                                      \
#name, name                                                    \
	}
	WORLD(full),
	WORLD(with_dead_headroom),
	WORLD(shared),
	WORLD(sliced),
	WORLD(orphaned),
	WORLD(wrapped),
	WORLD(read_only),
	WORLD(chained),
	WORLD(chained_and_shared),
	WORLD(chained_long_and_shared),
	WORLD(chained_and_spacious),
	WORLD(of_a_pool),
	WORLD(of_a_pool_and_grown),
	WORLD(of_a_pool_and_shared),
	WORLD(of_an_empty_pool_and_shared),
	WORLD(of_a_pool_and_chained),
};

static inline void
world_end(struct sample *w)
{
	ibuf_mbuf_free(w->m);
	ibuf_mbuf_free(w->kin);
	if (w->pool != NULL)
		assert_int_equal(ibuf_pool_destroy(w->pool), 0);
}

#endif
