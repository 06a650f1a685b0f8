/*
 * spin.h - a lock for a few instructions, and how to wait for another thread
 * that is inside of them.
 *
 * No system call while it is free.  A thread that holds it may lose its CPU;
 * so who waits spins, then lets others run, and then sleeps for moments.  The
 * lock is a word of 0: free, or 1.
 */
#ifndef IBUF_SRC_SPIN_H
#define IBUF_SRC_SPIN_H

#include "platform.h"

/* Tell the CPU that this thread spins. */
static inline void
cpu_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#else
	keep_order();
#endif
}

/*
 * Wait a little, and longer the more tries there were; the first is 0.  Never
 * a cancellation point.
 */
void ibuf_spin_wait_(unsigned *tries);

void ibuf_spin_take_(uint32_t *lock);

static inline void
spin_lock(uint32_t *lock)
{
	/* Pairs with the release of whoever had it. */
	if (exchange_acquire_u32(lock, 1) != 0)
		ibuf_spin_take_(lock);
}

static inline void
spin_unlock(uint32_t *lock)
{
	store_release_u32(lock, 0);
}

#endif
