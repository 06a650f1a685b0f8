/*
 * failures.h - a call is made to fail at each of its allocations in turn.
 *
 * A world is a message and what shares rooms with it.  assert_survives()
 * builds it anew for each failure, and sees that the call that fails changes
 * nothing and that the same call then works.
 */
#ifndef FAILURES_H
#define FAILURES_H

#include "dry.h"
#include "states.h"

#include <sys/uio.h>

#define PIECES_MAX 64

struct failure {
	struct ibuf_mbuf *m;      /* what the call works on */
	struct ibuf_mbuf *peer;   /* what it must not touch; or NULL */
	struct ibuf_mbuf *result; /* what it made; or NULL */
	struct ibuf_pool *pool;   /* where they come from; NULL: the heap */
};

typedef void world_make_fn(struct failure *w);
typedef int world_call_fn(struct failure *w);

/* How many segments look at the room of one segment. */
static inline uint32_t
segments_at(const struct ibuf_mbuf *s)
{
	return __atomic_load_n(&s->room_->count_, __ATOMIC_RELAXED) &
	       IBUF_ROOM_SEGMENTS_;
}

/* Where each segment lies, how long it is and how many share its room. */
struct pieces {
	struct iovec iov[PIECES_MAX];
	uint32_t segments[PIECES_MAX];
	size_t n;
};

static inline void
pieces_take(struct pieces *p, const struct ibuf_mbuf *m)
{
	p->n = 0;
	for (const struct ibuf_mbuf *s = m; s != NULL;
	     s = ibuf_mbuf_seg_next(s)) {
		assert_in_range(p->n, 0, PIECES_MAX - 1);
		p->iov[p->n].iov_base =
			(void *)(uintptr_t)ibuf_mbuf_seg_data(s);
		p->iov[p->n].iov_len = ibuf_mbuf_seg_len(s);
		p->segments[p->n++] = segments_at(s);
	}
}

/* The segments are where they were, and shared by as many. */
static inline void
assert_pieces(const struct ibuf_mbuf *m, const struct pieces *was)
{
	struct pieces now;

	pieces_take(&now, m);
	assert_int_equal(now.n, was->n);
	for (size_t i = 0; i < now.n; i++) {
		assert_ptr_equal(now.iov[i].iov_base, was->iov[i].iov_base);
		assert_int_equal(now.iov[i].iov_len, was->iov[i].iov_len);
		assert_int_equal(now.segments[i], was->segments[i]);
	}
}

static inline struct ibuf_pool_stats
world_stats(const struct failure *w)
{
	struct ibuf_pool_stats stats;

	assert_int_equal(ibuf_pool_get_stats(w->pool, &stats, sizeof(stats)),
			 0);
	return stats;
}

static inline void
world_end(struct failure *w)
{
	ibuf_mbuf_free(w->m);
	ibuf_mbuf_free(w->peer);
	ibuf_mbuf_free(w->result);
	if (w->pool != NULL)
		assert_int_equal(ibuf_pool_destroy(w->pool), 0);
	*w = (struct failure){NULL, NULL, NULL, NULL};
}

/* The message and its peer, as they were. */
struct world_state {
	struct state m, peer;
	struct pieces m_pieces, peer_pieces;
	struct ibuf_pool_stats stats;
};

static inline void
world_take(struct world_state *was, const struct failure *w)
{
	state_take(&was->m, w->m);
	pieces_take(&was->m_pieces, w->m);
	if (w->peer != NULL) {
		state_take(&was->peer, w->peer);
		pieces_take(&was->peer_pieces, w->peer);
	}
	was->stats = world_stats(w);
}

static inline void
assert_world(const struct failure *w, const struct world_state *was)
{
	struct ibuf_pool_stats stats = world_stats(w);

	assert_state(w->m, &was->m);
	assert_pieces(w->m, &was->m_pieces);
	if (w->peer != NULL) {
		assert_state(w->peer, &was->peer);
		assert_pieces(w->peer, &was->peer_pieces);
	}
	assert_int_equal(stats.copied_bytes, was->stats.copied_bytes);
	if (w->pool != NULL) {
		assert_int_equal(stats.allocated, was->stats.allocated);
		assert_int_equal(stats.handles, was->stats.handles);
	}
}

/* Fail the call from its n-th allocation on, or only there; was it struck? */
static inline bool
world_strike(world_make_fn *make, world_call_fn *call, void (*fault)(size_t n),
	     size_t n, const void *bytes, size_t len, size_t *failures)
{
	struct failure w = {NULL, NULL, NULL, NULL};
	size_t all_blocks = fault_live_blocks(), blocks;
	size_t mapped = fault_live_bytes_mapped();
	struct world_state *was = malloc(sizeof(*was));
	bool struck, on_heap;
	int error;

	make(&w);
	world_take(was, &w);
	if (w.pool == NULL)
		heap_dry();
	blocks = fault_live_blocks();
	fault(n);
	error = call(&w);
	struck = fault_off();
	if (error != 0) {
		assert_true(struck);
		assert_int_equal(error, -ENOMEM);
		/* A pool may keep what it got for the next call. */
		if (w.pool == NULL)
			assert_in_range(fault_live_blocks() - blocks, 0,
					heap_may_keep(PIECES_MAX));
		assert_null(w.result);
		assert_world(&w, was);
		assert_int_equal(call(&w), 0);
		++*failures;
	}
	assert_message(w.m, bytes, len);
	if (w.peer != NULL)
		assert_message(w.peer, was->peer.bytes, was->peer.len);
	on_heap = w.pool == NULL;
	world_end(&w);
	free(was);
	if (on_heap)
		heap_wet_since(all_blocks, mapped);
	return struck;
}

/*
 * The call, which allocates, ends with these bytes in m; failing it changes
 * nothing.  The peer keeps its bytes in any case.
 */
static inline void
assert_survives(world_make_fn *make, world_call_fn *call, const void *bytes,
		size_t len)
{
	size_t failures = 0, n = 1;

	while (world_strike(make, call, fault_at, n, bytes, len, &failures))
		n++;
	n = 1;
	while (world_strike(make, call, fault_from, n, bytes, len, &failures))
		n++;
	assert_true(failures != 0);
}

#endif
