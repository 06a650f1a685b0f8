/* queue.c - messages from thread to thread: what a queue does. */
#define _POSIX_C_SOURCE 200809L
#include "state.h"

#include "../platform/deadline.h"
#include "forked.h"
#include "ready.h"
#include "waiters.h"

#include <errno.h>
#include <stdlib.h>

#define MOST ((size_t)1 << 24)

/* Looks at the ring before a thread goes to sleep: some microseconds. */
#define LOOKS 100

/* ---- made ----------------------------------------------------------- */

static void
ring_init(struct ring *r, uint32_t capacity, unsigned flags)
{
	r->capacity = capacity;
	r->putting.many = (flags & IBUF_QUEUE_F_SINGLE_PRODUCER) == 0;
	r->putting.ahead = capacity;
	r->putting.shown = r->pushing = RING_FIRST;
	r->putting.limit = RING_FIRST + capacity;
	r->taking.many = (flags & IBUF_QUEUE_F_SINGLE_CONSUMER) == 0;
	r->taking.shown = r->taking.limit = RING_FIRST;
}

/* A queue and behind it its cells; nothing is known of it yet. */
static struct ibuf_queue *
queue_alloc(uint32_t capacity)
{
	struct ibuf_queue *q;
	size_t cells = 1;
	void *memory;

	while (cells < capacity)
		cells *= 2;
	if (posix_memalign(&memory, alignof(struct ibuf_queue),
			   sizeof *q + cells * sizeof *q->ring.cells) != 0)
		return NULL;
	q = memory;
	memset(q, 0, sizeof *q);
	q->ring.cells = (struct ibuf_mbuf **)(q + 1);
	q->ring.mask = (uint32_t)(cells - 1);
	q->to_pop.sign = WAIT_TO_POP;
	q->to_push.sign = WAIT_TO_PUSH;
	q->event = EVENT_NONE;
	return q;
}

int
ibuf_queue_create(struct ibuf_queue **q, size_t capacity, unsigned flags)
{
	static const unsigned known =
		IBUF_QUEUE_F_SINGLE_PRODUCER | IBUF_QUEUE_F_SINGLE_CONSUMER;
	struct ibuf_queue *made;

	if (capacity == 0 || capacity > MOST || (flags & ~known) != 0)
		return -EINVAL;
	made = queue_alloc((uint32_t)capacity);
	if (made == NULL)
		return -ENOMEM;
	ring_init(&made->ring, (uint32_t)capacity, flags);
	if (pthread_mutex_init(&made->lock, NULL) != 0)
		goto no_lock;
	if (ibuf_forked_add_(made) != 0)
		goto no_fork;
	*q = made;
	return 0;

no_fork:
	pthread_mutex_destroy(&made->lock);
no_lock:
	free(made);
	return -ENOMEM;
}

size_t
ibuf_queue_len(const struct ibuf_queue *q)
{
	uint32_t len = ring_len(&q->ring);

	return len < q->ring.capacity ? len : q->ring.capacity;
}

/* ---- signs ---------------------------------------------------------- */

uint32_t
ibuf_queue_sign_(struct ibuf_queue *q, uint32_t sign)
{
	uint32_t was = fetch_or_seq_cst_u32(&q->ring.signs, sign);

	if (load_relaxed_u32(&q->ring.fenced) == 0 && !ibuf_platform_barrier_())
		/* Barriers were to be had, and are no more. */
		store_seq_cst_u32(&q->ring.fenced, 1);
	return was;
}

/* So many messages were pushed, and there is a sign. */
static __attribute__((noinline)) void
pushed(struct ibuf_queue *q, size_t n)
{
	pthread_mutex_lock(&q->lock);
	ibuf_waiters_wake_(&q->to_pop, n);
	ibuf_ready_set_(q);
	pthread_mutex_unlock(&q->lock);
}

/* So many were popped, and there is a sign. */
static __attribute__((noinline)) void
popped(struct ibuf_queue *q, size_t n)
{
	pthread_mutex_lock(&q->lock);
	ibuf_waiters_wake_(&q->to_push, n);
	pthread_mutex_unlock(&q->lock);
}

/* ---- push ----------------------------------------------------------- */

/*
 * Begin to push up to n.  While what is said to be pushed is not shown,
 * whoever closes the queue waits for this push.
 */
RING_INLINE struct turn
push_begin(struct ring *r, size_t n, bool plain)
{
	struct turn t = ring_enter(r, &r->putting, plain);
	uint32_t got = ring_reach(&t, &r->putting, &r->taking, n);

	if (got == 0)
		return t;
	if (!t.many)
		ring_store(&t, &r->pushing, t.at + got);
	if ((ring_signs(&t, r) & CLOSED) == 0)
		t.n = got;
	else if (!t.many)
		store_release_u32(&r->pushing, t.at);
	return t;
}

/* The cells are filled. */
RING_INLINE void
push_end(struct ibuf_queue *q, const struct turn *t)
{
	struct ring *r = &q->ring;

	if (t->n != 0)
		ring_store(t, &r->putting.shown, t->at + t->n);
	ring_leave(t, &r->putting);
	if (t->n != 0 && (ring_signs(t, r) & (WAIT_TO_POP | ARMED)) != 0)
		pushed(q, t->n);
}

static __attribute__((noinline)) int
why_not(const struct ibuf_queue *q)
{
	return (load_seq_cst_u32(&q->ring.signs) & CLOSED) ? -EPIPE : -EAGAIN;
}

RING_INLINE int
push(struct ibuf_queue *q, struct ibuf_mbuf *m, bool plain)
{
	struct turn t = push_begin(&q->ring, 1, plain);

	if (t.n != 0)
		q->ring.cells[t.at & q->ring.mask] = m;
	push_end(q, &t);
	return t.n != 0 ? 0 : why_not(q);
}

/* With a lock, or fences. */
static __attribute__((noinline)) int
push_guarded(struct ibuf_queue *q, struct ibuf_mbuf *m)
{
	return push(q, m, false);
}

int
ibuf_queue_push(struct ibuf_queue *q, struct ibuf_mbuf *m)
{
	if (ring_is_plain(&q->ring, &q->ring.putting))
		return push(q, m, true);
	return push_guarded(q, m);
}

size_t
ibuf_queue_push_bulk(struct ibuf_queue *q, struct ibuf_mbuf *const *ms,
		     size_t n)
{
	struct turn t = push_begin(&q->ring, n, false);

	if (t.n != 0)
		ring_copy_in(&q->ring, t.at, ms, t.n);
	push_end(q, &t);
	return t.n;
}

/* ---- pop ------------------------------------------------------------ */

RING_INLINE struct turn
pop_begin(struct ring *r, size_t n, bool plain)
{
	struct turn t = ring_enter(r, &r->taking, plain);

	t.n = ring_reach(&t, &r->taking, &r->putting, n);
	return t;
}

/* The cells are read. */
RING_INLINE void
pop_end(struct ibuf_queue *q, const struct turn *t)
{
	struct ring *r = &q->ring;

	if (t->n != 0)
		ring_store(t, &r->taking.shown, t->at + t->n);
	ring_leave(t, &r->taking);
	if (t->n != 0 && (ring_signs(t, r) & WAIT_TO_PUSH) != 0)
		popped(q, t->n);
}

/*
 * A consumer that has caught up pauses once before it looks again: else it
 * takes the producer's line away for each single message.
 */
RING_INLINE struct ibuf_mbuf *
take_one(struct ibuf_queue *q, bool plain)
{
	const struct ring_end *end = &q->ring.taking;
	struct ibuf_mbuf *m = NULL;
	struct turn t;

	if (plain && end->shown == end->limit)
		cpu_pause();
	t = pop_begin(&q->ring, 1, plain);

	if (t.n != 0)
		m = q->ring.cells[t.at & q->ring.mask];
	pop_end(q, &t);
	return m;
}

/* With a lock or fences, or not. */
static __attribute__((noinline)) struct ibuf_mbuf *
take(struct ibuf_queue *q)
{
	return take_one(q, false);
}

/* A pop has none to give. */
static __attribute__((noinline)) struct ibuf_mbuf *
found_none(struct ibuf_queue *q)
{
	if ((load_seq_cst_u32(&q->ring.signs) & (SET | SEALED)) == SET)
		ibuf_ready_arm_(q);
	return NULL;
}

struct ibuf_mbuf *
ibuf_queue_pop(struct ibuf_queue *q)
{
	struct ibuf_mbuf *m;

	if (ring_is_plain(&q->ring, &q->ring.taking))
		m = take_one(q, true);
	else
		m = take(q);
	return m != NULL ? m : found_none(q);
}

size_t
ibuf_queue_pop_bulk(struct ibuf_queue *q, struct ibuf_mbuf **ms, size_t max)
{
	struct turn t = pop_begin(&q->ring, max, false);

	if (t.n != 0)
		ring_copy_out(&q->ring, t.at, ms, t.n);
	pop_end(q, &t);
	if (t.n == 0)
		found_none(q);
	return t.n;
}

/* ---- waiting -------------------------------------------------------- */

/* How long a call may still wait. */
struct patience {
	bool over;
	const struct timespec *end; /* NULL: for ever */
	struct timespec at;
};

static void
patience_begin(struct patience *p, const struct timespec *timeout)
{
	p->over = timeout != NULL && !ibuf_deadline_after_(&p->at, timeout);
	p->end = timeout == NULL ? NULL : &p->at;
}

/* Wait for a turn; false: the time is over. */
static bool
await(struct ibuf_queue *q, struct waiters *waiters,
      bool may(const struct ibuf_queue *q), struct patience *p)
{
	unsigned looks;

	if (p->over)
		return false;
	for (looks = 0; looks < LOOKS && !may(q); looks++)
		cpu_pause();
	if (looks == LOOKS)
		p->over = !ibuf_waiters_sleep_(q, waiters, p->end);
	return true;
}

int
ibuf_queue_push_wait(struct ibuf_queue *q, struct ibuf_mbuf *m,
		     const struct timespec *timeout)
{
	struct patience p;
	int error = ibuf_queue_push(q, m);

	if (error != -EAGAIN)
		return error;
	patience_begin(&p, timeout);
	while (error == -EAGAIN && await(q, &q->to_push, queue_may_push, &p))
		error = ibuf_queue_push(q, m);
	return error == -EAGAIN ? -ETIMEDOUT : error;
}

/* 0, -EAGAIN, or -EPIPE: none will come. */
static int
try_pop(struct ibuf_queue *q, struct ibuf_mbuf **m)
{
	uint32_t sealed = load_seq_cst_u32(&q->ring.signs) & SEALED;
	struct ibuf_mbuf *got = take(q);

	if (got == NULL)
		return sealed != 0 ? -EPIPE : -EAGAIN;
	*m = got;
	return 0;
}

int
ibuf_queue_pop_wait(struct ibuf_queue *q, struct ibuf_mbuf **m,
		    const struct timespec *timeout)
{
	struct patience p;
	int error = try_pop(q, m);

	if (error != -EAGAIN)
		return error;
	patience_begin(&p, timeout);
	while (error == -EAGAIN && await(q, &q->to_pop, queue_may_pop, &p))
		error = try_pop(q, m);
	if (error != -EAGAIN)
		return error;
	found_none(q);
	return -ETIMEDOUT;
}

/* ---- the end -------------------------------------------------------- */

/* No push begins any more; until none is under way. */
static void
await_pushes(struct ring *r)
{
	struct ring_end *end = &r->putting;
	unsigned tries = 0;

	if (end->many) {
		spin_lock(&end->lock);
		spin_unlock(&end->lock);
		return;
	}
	/* Pairs with the stores of both in a push. */
	while (load_seq_cst_u32(&r->pushing) != load_seq_cst_u32(&end->shown))
		ibuf_spin_wait_(&tries);
}

void
ibuf_queue_close(struct ibuf_queue *q)
{
	uint32_t *signs = &q->ring.signs;
	unsigned tries = 0;

	if (ibuf_queue_sign_(q, CLOSED) & CLOSED) {
		while ((load_seq_cst_u32(signs) & SEALED) == 0)
			ibuf_spin_wait_(&tries); /* somebody else closes it */
		return;
	}
	await_pushes(&q->ring);
	fetch_or_seq_cst_u32(signs, SEALED);
	pthread_mutex_lock(&q->lock);
	ibuf_waiters_wake_(&q->to_pop, SIZE_MAX);
	ibuf_waiters_wake_(&q->to_push, SIZE_MAX);
	ibuf_ready_set_(q);
	pthread_mutex_unlock(&q->lock);
}

void
ibuf_queue_destroy(struct ibuf_queue *q)
{
	struct ibuf_mbuf *m;

	if (q == NULL)
		return;
	while ((m = take(q)) != NULL)
		ibuf_mbuf_free(m);
	ibuf_forked_remove_(q);
	ibuf_event_close_(&q->event);
	pthread_mutex_destroy(&q->lock);
	free(q);
}
