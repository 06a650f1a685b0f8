/*
 * inline/thread.h - what a thread keeps back, and headers in and out of it.
 */
#ifndef IBUF_INLINE_THREAD_H
#define IBUF_INLINE_THREAD_H

#include <ibuf/inline/layout.h>
#include <string.h>

IBUF_BEGIN_BODIES_

/** @cond: private */

/*
 * A thread cache: what one thread keeps back of one kind of header of one pool.
 *
 *   | free | free | free |  . . .  |
 *   base_                top_      end_
 *
 * Only its thread moves headers; others read the numbers.  A thread cache of
 * zeros is empty and full at once, so who finds one goes the long way: that is
 * what a thread has before it ever used the pool, and what is left of a thread
 * cache when the pool is destroyed.
 *
 * Pointers, not numbers: to take or to give is then a load and a store whose
 * addresses wait for nothing else (docs/pool.md has what that is worth).
 */
struct ibuf_tcache_ {
	struct ibuf_mbuf **top_; /* atomic, as all that others look at */
	struct ibuf_mbuf **end_; /* NULL: the pool has been closed */
	struct ibuf_mbuf **base_;
	uint64_t taken_; /* headers that went out through it, ever */
	uint64_t given_; /* and that came back */
	/* The library's own, which the inline bodies do not look at: */
	struct ibuf_magazine *previous_; /* the one before base_'s */
	void *link_;
	uint32_t kept_; /* headers in previous_ */
	union {
		/* Open: headers to ask the pool for next; 0: the first. */
		uint32_t refill_;
		/* Closed: taken_ - given_ when last seen. */
		uint32_t seen_;
	};
};

/* Those of one pool, a cache line each: of direct headers, and of indirect. */
struct ibuf_tcaches_ {
	struct ibuf_tcache_ of_[2]; /* IBUF_DIRECT_, IBUF_INDIRECT_ */
};

/*
 * The inline bodies find the thread caches of the first numbers themselves.
 * Those of higher ones come in parts, which a thread makes when it needs them;
 * their pools' headers are CAREFUL, so the inline bodies do not look for them.
 */
#define IBUF_TCACHES_MAX_ 256
#define IBUF_TCACHES_PARTS_ (65536 / IBUF_TCACHES_MAX_)

/*
 * The pool that a thread went to last: the keys of its plain headers, see
 * ibuf_key_(), and where they go.
 */
struct ibuf_recent_ {
	uint32_t direct_;
	uint32_t indirect_;
	struct ibuf_tcaches_ *tcaches_;
	uint32_t wiping_; /* of a direct header, if the pool wipes */
};

/* Rooms of the heap of one size, src/message/kept.h; the inline bodies do not
   look at them. */
struct ibuf_kept_ {
	struct heap_room *first_; /* they are linked */
	uint32_t places_;         /* for so many more */
	uint32_t block_;          /* bytes of each; 0: none is kept */
};

#define IBUF_KEPT_SIZES_ 17

/* What a thread has; its thread caches go by the number of the pool. */
struct ibuf_thread_ {
	struct ibuf_recent_ recent_;
	uint8_t rest_of_line_[64 - sizeof(struct ibuf_recent_)];
	struct ibuf_tcaches_ tcaches_[IBUF_TCACHES_MAX_];
	/* Of numbers from i * IBUF_TCACHES_MAX_ on, or NULL; the first never
	   is one. */
	struct ibuf_tcaches_ *parts_[IBUF_TCACHES_PARTS_];
	struct ibuf_kept_ kept_[IBUF_KEPT_SIZES_];
};

IBUF_BEGIN_DECLS

/* The calling thread's; one without thread caches has one that is shared,
   all 0. */
extern IBUF_API __thread struct ibuf_thread_ *ibuf_pool_thread_ IBUF_TLS_;

/* A header was put into a thread cache whose pool has been closed meanwhile. */
IBUF_API void ibuf_pool_late_(struct ibuf_tcache_ *tcache);

IBUF_END_DECLS

/*
 * What a header is and whose, once the rights, the kind of room and the state
 * of the private area are left out, as one number, its key.  A plain direct
 * header shows the room of its own (else it has AWAY); neither kind of plain
 * header is CHAINED, INNER, MARKED or of a pool that wipes, and none is CAREFUL
 * but that of a pool with a high number.  None is BORN on the heap: its free is
 * cheaper where it asks first who shows the room.
 */
#define IBUF_MBUF_PLAIN_DIRECT_ (IBUF_MBUF_DIRECT_ | IBUF_MBUF_LIVE_)
#define IBUF_MBUF_PLAIN_INDIRECT_ IBUF_MBUF_LIVE_
#define IBUF_MBUF_LEFT_OUT_                                                    \
	(IBUF_MBUF_HEAD_ | IBUF_MBUF_TAIL_ | IBUF_MBUF_RDONLY_ |               \
	 IBUF_MBUF_HEAP_ | IBUF_MBUF_WRAPPED_ | IBUF_MBUF_PRIVATE_)

static inline uint32_t
ibuf_key_(uint32_t flags, uint32_t owner)
{
	struct {
		uint16_t flags_, pool_;
	} both = {(uint16_t)flags, (uint16_t)owner};
	uint32_t key;

	memcpy(&key, &both, sizeof key);
	return key;
}

/* What m's header says of both, nothing left out. */
static inline uint32_t
ibuf_mbuf_both_(const struct ibuf_mbuf *m)
{
	uint32_t key;

	memcpy(&key, (const char *)m + offsetof(struct ibuf_mbuf, flags_),
	       sizeof key);
	return key;
}

static inline uint32_t
ibuf_mbuf_key_(const struct ibuf_mbuf *m)
{
	return ibuf_mbuf_both_(m) & ~ibuf_key_(IBUF_MBUF_LEFT_OUT_, 0);
}

/*
 * Count one up, after all that was written before; the calling thread is the
 * only one that counts.  On x86 one instruction does it, since its stores
 * are releases; the thread sanitizer must see an atomic one.
 */
static inline void
ibuf_count_(uint64_t *counter)
{
#if defined(__x86_64__) && !defined(IBUF_TSAN_)
	__asm__ volatile("addq $1, %0" : "+m"(*counter) : : "cc", "memory");
#else
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELEASE);
#endif
}

/* Where the next header goes, and behind where the last one is. */
static inline struct ibuf_mbuf **
ibuf_tcache_top_(struct ibuf_tcache_ *tcache)
{
	return __atomic_load_n(&tcache->top_, __ATOMIC_RELAXED);
}

/* Is there nothing below the top? */
static inline bool
ibuf_tcache_is_empty_(struct ibuf_tcache_ *tcache, struct ibuf_mbuf **top)
{
	return top == __atomic_load_n(&tcache->base_, __ATOMIC_RELAXED);
}

/* Is there no place at the top?  There is none either in a closed thread
   cache. */
static inline bool
ibuf_tcache_is_full_(struct ibuf_tcache_ *tcache, struct ibuf_mbuf **top)
{
	return (uintptr_t)top >=
	       (uintptr_t)__atomic_load_n(&tcache->end_, __ATOMIC_RELAXED);
}

/* Take a header out of a thread cache that is not empty. */
static inline struct ibuf_mbuf *
ibuf_tcache_take_(struct ibuf_tcache_ *tcache, struct ibuf_mbuf **top)
{
	struct ibuf_mbuf *m = top[-1];

	__atomic_store_n(&tcache->top_, top - 1, __ATOMIC_RELAXED);
	/* Pairs with the acquire in stats.c: who sees a header come back
	   has seen it go out. */
	ibuf_count_(&tcache->taken_);
	return m;
}

/*
 * Objects have been put into a thread cache, and counted.
 *
 * Who closes the pool sets end_ to NULL, makes every thread pass a barrier,
 * and reads given_: either it sees our header or we see the NULL.  On our
 * side the compiler's order is enough.
 */
static inline void
ibuf_tcache_given_(struct ibuf_tcache_ *tcache)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (!IBUF_LIKELY(__atomic_load_n(&tcache->end_, __ATOMIC_RELAXED) !=
			 NULL))
		ibuf_pool_late_(tcache);
}

/* Put a header into a thread cache that is not full, of a pool that is never
   closed. */
static inline void
ibuf_tcache_push_(struct ibuf_tcache_ *tcache, struct ibuf_mbuf **top,
		  struct ibuf_mbuf *m)
{
	*top = m;
	__atomic_store_n(&tcache->top_, top + 1, __ATOMIC_RELAXED);
	/* Pairs with the acquire in stats.c: what is back is no longer used. */
	ibuf_count_(&tcache->given_);
}

/* The same of any pool. */
static inline void
ibuf_tcache_give_(struct ibuf_tcache_ *tcache, struct ibuf_mbuf **top,
		  struct ibuf_mbuf *m)
{
	ibuf_tcache_push_(tcache, top, m);
	ibuf_tcache_given_(tcache);
}

/** @endcond */

IBUF_END_BODIES_

#endif
