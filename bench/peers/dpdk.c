/*
 * dpdk.c - DPDK's mbufs, with what its manual says makes them fast: a mempool
 * with a per-lcore cache, threads that are registered as lcores, a pool of
 * its own for indirect mbufs, the bulk calls.
 *
 * EAL runs without reserved huge pages, which an ordinary machine does not
 * have, so its memory is advised to be transparent huge pages instead; that is
 * the nearest there is to how it is deployed.
 */
#define _GNU_SOURCE
#include "../bench.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_memory.h>
#include <rte_ring.h>
#include <rte_version.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>

#define MSG struct rte_mbuf *
#define POOLS_MOST 256
#define MEBIBYTES 4096

static struct rte_mempool *pools[POOLS_MOST];
static struct rte_mempool *windows;
static size_t n_pools;

static inline MSG
msg_new(unsigned pool)
{
	MSG m = rte_pktmbuf_alloc(pools[pool]);

	if (__builtin_expect(m == NULL, 0))
		bench_die("rte_pktmbuf_alloc");
	return m;
}

static inline void
msg_free(MSG m)
{
	rte_pktmbuf_free(m);
}

static inline void
msg_append(MSG m, const void *bytes, size_t n)
{
	char *to = rte_pktmbuf_append(m, (uint16_t)n);

	if (to == NULL)
		bench_die("rte_pktmbuf_append");
	memcpy(to, bytes, n);
}

#define HAS_BULK
static inline void
msg_new_bulk(MSG *out, size_t n)
{
	if (rte_pktmbuf_alloc_bulk(pools[0], out, (unsigned)n) != 0)
		bench_die("rte_pktmbuf_alloc_bulk");
}

static inline void
msg_free_bulk(MSG *ms, size_t n)
{
	rte_pktmbuf_free_bulk(ms, (unsigned)n);
}

#define HAS_READ
static inline void
msg_read(MSG m, void *dst, size_t n)
{
	memcpy(dst, rte_pktmbuf_mtod(m, void *), n);
	rte_pktmbuf_adj(m, (uint16_t)n);
}

/* An mbuf holds less than 64 KiB and does not grow: no W9, no W11. */
static inline void
msg_clear(MSG m)
{
	m->data_off = RTE_PKTMBUF_HEADROOM;
	m->data_len = 0;
	m->pkt_len = 0;
}

#define HAS_PREPEND
static inline void
msg_prepend(MSG m, const void *bytes, size_t n)
{
	char *to = rte_pktmbuf_prepend(m, (uint16_t)n);

	if (to == NULL)
		bench_die("rte_pktmbuf_prepend");
	memcpy(to, bytes, n);
}

static inline void
msg_trim_head(MSG m, size_t n)
{
	rte_pktmbuf_adj(m, (uint16_t)n);
}

static inline uint16_t
msg_u16(MSG m)
{
	return rte_be_to_cpu_16(*rte_pktmbuf_mtod(m, uint16_t *));
}

#define HAS_CLONE
#define HAS_SLICE
#define SHARED MSG
#define CLONE MSG

/*
 * rte_mbuf_refcnt_update() adds without an atomic operation while the count is
 * 1, so two threads may only clone what was cloned before.
 */
static MSG kept;

static inline CLONE
clone_new(SHARED m)
{
	return rte_pktmbuf_clone(m, windows);
}

static inline SHARED
shared_new(const void *bytes, size_t n)
{
	MSG m = msg_new(0);

	msg_append(m, bytes, n);
	kept = clone_new(m);
	return m;
}

static inline void
shared_free(SHARED m)
{
	msg_free(kept);
	msg_free(m);
}

static inline void
clone_fan_out(SHARED m, CLONE *out, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		out[i] = clone_new(m);
}

static inline CLONE
clone_slice(SHARED m, size_t off, size_t len)
{
	CLONE c = clone_new(m);

	rte_pktmbuf_adj(c, (uint16_t)off);
	rte_pktmbuf_trim(c, (uint16_t)(c->data_len - len));
	return c;
}

#define clone_free msg_free

/* rte_pktmbuf_chain() walks to the last segment; who chains many keeps it. */
#define HAS_CHAIN
struct chain {
	MSG first;
	MSG last;
};

static inline void
chain_start(struct chain *c)
{
	c->first = c->last = NULL;
}

static inline void
chain_add(struct chain *c, MSG m)
{
	if (c->first == NULL) {
		c->first = m;
	} else {
		c->last->next = m;
		c->first->nb_segs++;
		c->first->pkt_len += m->data_len;
	}
	c->last = m;
}

static inline size_t
chain_iov(struct chain *c, struct iovec *iov, size_t most)
{
	size_t n = 0;
	MSG m;

	for (m = c->first; m != NULL && n < most; m = m->next) {
		iov[n].iov_base = rte_pktmbuf_mtod(m, void *);
		iov[n++].iov_len = m->data_len;
	}
	return n;
}

static inline void
chain_free(struct chain *c)
{
	rte_pktmbuf_free(c->first);
}

#define NO_HEAP
#define HAS_FRAMES
#define STREAM MSG
#define FRAME MSG
#define frame_free msg_free

static inline STREAM
stream_new(size_t capacity)
{
	MSG m = msg_new(0);

	(void)capacity;
	kept = clone_new(m);
	return m;
}

#define stream_free shared_free

static inline void
stream_fill(STREAM s, const void *bytes, size_t n)
{
	s->data_off = 0;
	s->data_len = 0;
	s->pkt_len = 0;
	msg_append(s, bytes, n);
}

static inline FRAME
frame_next(STREAM s)
{
	uint16_t n = msg_u16(s);
	FRAME f;

	rte_pktmbuf_adj(s, 2);
	f = clone_slice(s, 0, n);
	rte_pktmbuf_adj(s, n);
	return f;
}

/* The headroom is fixed when DPDK is built: no W15a. */
#define HAS_HEADROOM
#define ALWAYS_HEADROOM
#define HAS_POOLS
static inline void
msg_free_to(unsigned pool, MSG m)
{
	(void)pool;
	msg_free(m);
}

#define HAS_QUEUE
#define HAS_QUEUE_BULK
#define HAS_QUEUE_MANY
#define QUEUE struct rte_ring *
static QUEUE
queue_new(size_t slots, bool many)
{
	unsigned one = RING_F_SP_ENQ | RING_F_SC_DEQ;
	QUEUE q = rte_ring_create("queue", (unsigned)slots + 1, SOCKET_ID_ANY,
				  many ? 0 : one);

	if (q == NULL)
		bench_die(rte_strerror(rte_errno));
	return q;
}

#define queue_free rte_ring_free

static BENCH_INLINE bool
queue_push(QUEUE q, void *p)
{
	return rte_ring_sp_enqueue(q, p) == 0;
}

static BENCH_INLINE void *
queue_pop(QUEUE q)
{
	void *p;

	return rte_ring_sc_dequeue(q, &p) == 0 ? p : NULL;
}

static BENCH_INLINE size_t
queue_push_bulk(QUEUE q, void **ps, size_t n)
{
	return rte_ring_sp_enqueue_burst(q, ps, (unsigned)n, NULL);
}

static BENCH_INLINE size_t
queue_pop_bulk(QUEUE q, void **ps, size_t n)
{
	return rte_ring_sc_dequeue_burst(q, ps, (unsigned)n, NULL);
}

static BENCH_INLINE bool
queue_push_many(QUEUE q, void *p)
{
	return rte_ring_mp_enqueue(q, p) == 0;
}

static BENCH_INLINE void *
queue_pop_many(QUEUE q)
{
	void *p;

	return rte_ring_mc_dequeue(q, &p) == 0 ? p : NULL;
}

#include "../loops.h"

/*
 * What rte_pktmbuf_pool_create() does, but for the flag: no device will read
 * the mbufs, so they may lie across pages of 4 KiB; else each would take one.
 * The cache may be 512, and at most two thirds of the pool.
 */
static struct rte_mempool *
pool_make(const char *name, size_t i, size_t live, unsigned threads,
	  size_t room)
{
	char full[RTE_MEMPOOL_NAMESIZE];
	unsigned cache = n_pools > 1 ? 64 : RTE_MEMPOOL_CACHE_MAX_SIZE;
	size_t n = live + (threads + 1) * cache * 2;
	struct rte_pktmbuf_pool_private sizes = {0};
	struct rte_mempool *p;

	if (room > 1 << 14) {
		cache = 32;
		n = 128;
	}
	snprintf(full, sizeof full, "%s%zu", name, i);
	p = rte_mempool_create_empty(full, (unsigned)n,
				     (unsigned)(sizeof(struct rte_mbuf) + room),
				     cache, sizeof sizes, SOCKET_ID_ANY,
				     RTE_MEMPOOL_F_NO_IOVA_CONTIG);
	if (p == NULL)
		bench_die(rte_strerror(rte_errno));
	sizes.mbuf_data_room_size = (uint16_t)room;
	rte_pktmbuf_pool_init(p, &sizes);
	if (rte_mempool_populate_default(p) < 0)
		bench_die("rte_mempool_populate_default");
	rte_mempool_obj_iter(p, rte_pktmbuf_init, NULL);
	return p;
}

static void
pool_open(const struct bench_setup *setup)
{
	size_t i, room = setup->capacity + RTE_PKTMBUF_HEADROOM;

	n_pools = setup->pools;
	for (i = 0; i < n_pools; i++)
		pools[i] = pool_make("pool", i, setup->live, setup->threads,
				     room > UINT16_MAX ? UINT16_MAX : room);
	windows = pool_make("windows", 0, 128, setup->threads, 0);
}

static void
pool_close(void)
{
	while (n_pools > 0)
		rte_mempool_free(pools[--n_pools]);
	rte_mempool_free(windows);
}

static int
advise(const struct rte_memseg_list *list, void *arg)
{
	(void)arg;
	madvise(list->base_va, list->len, MADV_HUGEPAGE);
	return 0;
}

/* The memory is only reserved; what is not used is never there. */
static void
start(unsigned cpu)
{
	char cores[16], memory[16];
	char *argv[] = {"bench-dpdk",  "--no-huge", "--no-pci",
			"--no-shconf", "-l",        cores,
			"-m",          memory,      "--no-telemetry",
			"--log-level", "error",     NULL};

	snprintf(cores, sizeof cores, "%u", cpu);
	snprintf(memory, sizeof memory, "%u", MEBIBYTES);
	if (rte_eal_init((int)(sizeof argv / sizeof *argv) - 1, argv) < 0)
		bench_die("rte_eal_init");
	rte_memseg_list_walk(advise, NULL);
}

static void
enter(void)
{
	if (rte_thread_register() != 0)
		bench_die("rte_thread_register");
}

const struct bench_peer bench_peer = {
	.name = "dpdk",
	.most = 60000,
	.version = rte_version,
	.start = start,
	.open = pool_open,
	.close = pool_close,
	.enter = enter,
	.leave = rte_thread_unregister,
	.cases = loop_cases,
};
