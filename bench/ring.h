/*
 * ring.h - from one thread to one other, the same for every peer.
 *
 *   slots  0 ....... head ///////////// tail ....... RING_SLOTS
 *                    consumer's         producer's     (both modulo)
 *
 * Each side has what it knows of the other's end in its own cache line, and
 * shows its own end once every RING_BURST entries, as a program does that
 * receives and hands on in bursts.  peers/bytes has it again in Rust.
 */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include <sched.h>
#include <stdalign.h>
#include <stdint.h>

#define RING_SLOTS 1024u
#define RING_BURST 32u

struct ring {
	alignas(64) uint64_t tail; /* shown by the producer */
	alignas(64) uint64_t head; /* shown by the consumer */
	alignas(64) struct {
		uint64_t tail, head_seen;
	} producer;
	alignas(64) struct {
		uint64_t head, tail_seen;
	} consumer;
	alignas(64) void *slots[RING_SLOTS];
};

static inline void
ring_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Wait a little; where threads outnumber CPUs, for the other one to run. */
static inline void
ring_wait(unsigned *tries)
{
	if (++*tries % 1024 == 0)
		sched_yield();
	else
		ring_pause();
}

static inline void
ring_show_tail(struct ring *r)
{
	/* Pairs with the load in ring_take(). */
	__atomic_store_n(&r->tail, r->producer.tail, __ATOMIC_RELEASE);
}

static inline void
ring_give(struct ring *r, void *p)
{
	unsigned tries = 0;

	while (r->producer.tail - r->producer.head_seen == RING_SLOTS) {
		/* Pairs with the store in ring_take(). */
		r->producer.head_seen =
			__atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
		if (r->producer.tail - r->producer.head_seen == RING_SLOTS)
			ring_wait(&tries);
	}
	r->slots[r->producer.tail++ % RING_SLOTS] = p;
	if (r->producer.tail % RING_BURST == 0)
		ring_show_tail(r);
}

static inline void *
ring_take(struct ring *r)
{
	unsigned tries = 0;
	void *p;

	while (r->consumer.head == r->consumer.tail_seen) {
		/* Pairs with the store in ring_show_tail(). */
		r->consumer.tail_seen =
			__atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
		if (r->consumer.head == r->consumer.tail_seen)
			ring_wait(&tries);
	}
	p = r->slots[r->consumer.head++ % RING_SLOTS];
	if (r->consumer.head % RING_BURST == 0)
		/* Pairs with the load in ring_give(). */
		__atomic_store_n(&r->head, r->consumer.head, __ATOMIC_RELEASE);
	return p;
}

#endif
