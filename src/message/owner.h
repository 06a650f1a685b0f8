/*
 * owner.h - who gives out headers and takes them back: a pool, or the heap.
 *
 * Messages know their owner by a number, ibuf_mbuf.pool_, and what they need
 * of it by this struct; which pool stands behind it they do not know.  Owner
 * 0 is the heap.
 */
#ifndef IBUF_SRC_OWNER_H
#define IBUF_SRC_OWNER_H

#include "../library.h"

#include "../platform/platform.h"
#include <ibuf/inline/layout.h>
#include <ibuf/inline/thread.h>
#include <stdbool.h>
#include <string.h>

/* Most owners there can be; the number is 16 bits, and 0 is the heap. */
#define OWNERS_MAX 65536

/* The table of owners comes in parts, of one page where pointers have 64 bits;
   a part is made for the first owner that needs it, and stays. */
#define OWNERS_PART 512
#define OWNERS_PARTS (OWNERS_MAX / OWNERS_PART)

/* A header is one cache line on every machine; the private area follows. */
#define HEADER_SIZE 64

struct ibuf_owner;
struct ibuf_pool;
struct ibuf_pool_options;
struct ibuf_pool_stats;
struct timespec;

/*
 * What an owner does; all may be called from any thread, and from any copy of
 * the library in the process (copies.h).
 */
struct ibuf_owner_ops {
	/*
	 * A header of a kind; NULL: no memory, or the owner has been closed.
	 * A direct one is a fresh message in the room of its own (the heap
	 * has none); an indirect one has no room, flags_ LIVE, next_ NULL.
	 */
	struct ibuf_mbuf *(*take)(struct ibuf_owner *owner, unsigned kind);
	/* n indirect headers at once, which the caller sets up; false: take
	   them one by one, and out is as it was.  NULL: as false. */
	bool (*take_many)(struct ibuf_owner *owner, struct ibuf_mbuf **out,
			  size_t n);
	/* Take back a header that shows nothing any more. */
	void (*give)(struct ibuf_owner *owner, struct ibuf_mbuf *m,
		     unsigned kind);
	/* The same for a direct one that is BIASED, and shows the room of its
	   own with nobody else.  NULL: the owner has none of these. */
	void (*give_biased)(struct ibuf_owner *owner, struct ibuf_mbuf *m);
	/* Tell what is known of a header that is freed twice, and abort.  NULL:
	   nothing is. */
	void (*twice)(struct ibuf_owner *owner, const struct ibuf_mbuf *m);

	/* The functions of ibuf/pool.h; the heap has get_stats() and walk()
	   only. */
	struct ibuf_mbuf *(*alloc)(struct ibuf_pool *p);
	struct ibuf_mbuf *(*alloc_wait)(struct ibuf_pool *p,
					const struct timespec *timeout);
	int (*alloc_bulk)(struct ibuf_pool *p, struct ibuf_mbuf **out,
			  size_t n);
	size_t (*alloc_upto)(struct ibuf_pool *p, struct ibuf_mbuf **out,
			     size_t n);
	void (*free)(struct ibuf_pool *p, struct ibuf_mbuf *m);
	int (*reserve)(struct ibuf_pool *p, size_t n);
	size_t (*trim)(struct ibuf_pool *p);
	void (*flush)(struct ibuf_pool *p);
	int (*get_stats)(const struct ibuf_pool *p, struct ibuf_pool_stats *out,
			 size_t out_size);
	size_t (*allocated)(const struct ibuf_pool *p);
	int (*get_options)(const struct ibuf_pool *p,
			   struct ibuf_pool_options *out, size_t out_size);
	size_t (*walk)(struct ibuf_pool *p,
		       void (*fn)(const struct ibuf_mbuf *m, void *arg),
		       void *arg);
	size_t (*destroy)(struct ibuf_pool *p);
};

/*
 * Counted up with any change of what copies of the library share: the structs
 * of ibuf/inline/layout.h, those of rooms, a struct ibuf_pool up to its owner,
 * and what is here.  Those that grow here are seen by their sizes.
 */
#define OWNERS_LAYOUT 3

struct ibuf_owner {
	const struct ibuf_owner_ops *ops;
	struct ibuf_pool *pool; /* atomic; NULL: the heap, or destroyed */
	const char *name;
	uint32_t index;        /* of this owner; 0: the heap */
	uint32_t room_offset;  /* from a direct header to its room */
	uint32_t room_size;    /* of a direct header; the heap has 0 */
	uint32_t headroom;     /* of a fresh message */
	uint32_t private_size; /* behind every header */
	bool wipe;             /* overwrite whatever is freed */
	uint64_t copied_bytes; /* atomic */
};

/*
 * The heap of this copy, which the layer of the pools defines: its headers
 * are kept as a pool's are.  It is the heap of all copies that use our table.
 */
extern struct ibuf_owner *const ibuf_owner_own_heap_;

/* What a copy does where another one's code was called for its thread cache;
   false: the thread cache is not of the calling thread's in this copy. */
struct ibuf_late {
	bool (*late)(struct ibuf_tcache_ *tcache);
	struct ibuf_late *next;
};

/* The table of owners, of this copy of the library or of another. */
struct ibuf_owners {
	struct ibuf_owner **parts[OWNERS_PARTS]; /* atomic */
	struct ibuf_late
		*late; /* of each copy that has thread caches; atomic */
};

/* The one in use; atomic.  An empty one, until this copy has joined. */
extern struct ibuf_owners *ibuf_owners_;

/*
 * The owner with a number; NULL: none, or this copy has not joined.  The
 * acquire loads pair with the release of who put up the table, and of who
 * made the part.  The entry needs no order: whoever holds a number got it
 * from somebody who saw its owner registered.
 */
static inline struct ibuf_owner *
owner_by(uint32_t number)
{
	struct ibuf_owners *owners =
		__atomic_load_n(&ibuf_owners_, __ATOMIC_ACQUIRE);
	struct ibuf_owner **part = __atomic_load_n(
		&owners->parts[number / OWNERS_PART], __ATOMIC_ACQUIRE);

	if (part == NULL)
		return NULL;
	return __atomic_load_n(&part[number % OWNERS_PART], __ATOMIC_RELAXED);
}

/* The owner with a number, for any copy; NULL: none. */
struct ibuf_owner *ibuf_owner_find_(uint32_t number);

/* The same for a message, which dies where there is none. */
struct ibuf_owner *ibuf_owner_of_(const struct ibuf_mbuf *m);

static inline struct ibuf_owner *
owner_of(const struct ibuf_mbuf *m)
{
	struct ibuf_owner *owner = owner_by(m->pool_);

	return IBUF_LIKELY(owner != NULL) ? owner : ibuf_owner_of_(m);
}

/* The heap's. */
static inline struct ibuf_owner *
owner_heap(void)
{
	struct ibuf_owner *owner = owner_by(0);

	return IBUF_LIKELY(owner != NULL) ? owner : ibuf_owner_find_(0);
}

/* The end of a process that frees a header twice. */
_Noreturn void ibuf_owner_freed_twice_(const struct ibuf_mbuf *m);

static inline void *
private_area(const struct ibuf_mbuf *m)
{
	return (uint8_t *)(uintptr_t)m + HEADER_SIZE;
}

/* Overwrite it, where it has been used. */
static inline void
private_wipe(const struct ibuf_owner *owner, const struct ibuf_mbuf *m)
{
	if ((m->flags_ & IBUF_MBUF_PRIVATE_) != 0)
		ibuf_platform_wipe_(private_area(m), owner->private_size);
}

/*
 * Give the owner a number, the lowest that is free: 0, -ENOBUFS when all are
 * in use, or -ENOMEM.  Both take no lock and can run at once.
 */
int ibuf_owner_register_(struct ibuf_owner *owner);
void ibuf_owner_unregister_(struct ibuf_owner *owner);

/* The thread cache of the calling thread with headers of the heap. */
static inline struct ibuf_tcache_ *
heap_tcache(void)
{
	return &ibuf_pool_thread_->tcaches_[0].of_[IBUF_INDIRECT_];
}

/* An unused header of the heap; NULL: it has to be asked for one. */
static inline struct ibuf_mbuf *
heap_tcache_take(void)
{
	struct ibuf_tcache_ *tcache = heap_tcache();
	struct ibuf_mbuf **top = ibuf_tcache_top_(tcache);

	if (!IBUF_LIKELY(!ibuf_tcache_is_empty_(tcache, top)))
		return NULL;
	return ibuf_tcache_take_(tcache, top);
}

/* Take one back; false: it has no place.  The heap is never closed, so nobody
   is told. */
static inline bool
heap_tcache_give(struct ibuf_mbuf *m)
{
	struct ibuf_tcache_ *tcache = heap_tcache();
	struct ibuf_mbuf **top = ibuf_tcache_top_(tcache);

	if (!IBUF_LIKELY(!ibuf_tcache_is_full_(tcache, top)))
		return false;
	m->flags_ = IBUF_MBUF_FREE_;
	ibuf_tcache_push_(tcache, top, m);
	return true;
}

/*
 * The thread cache of the calling thread from which a header like m's comes,
 * and to which m's own goes if it is indirect; NULL: go to the owner itself.
 */
static inline struct ibuf_tcache_ *
indirect_tcache(const struct ibuf_mbuf *m)
{
	if ((m->flags_ & IBUF_MBUF_CAREFUL_) != 0)
		return NULL; /* they may lie elsewhere, or it be wiped first */
	return &ibuf_pool_thread_->tcaches_[m->pool_].of_[IBUF_INDIRECT_];
}

static inline bool
tcache_has_header(struct ibuf_tcache_ *tcache)
{
	return !ibuf_tcache_is_empty_(tcache, ibuf_tcache_top_(tcache));
}

static inline bool
tcache_has_place(struct ibuf_tcache_ *tcache)
{
	return !ibuf_tcache_is_full_(tcache, ibuf_tcache_top_(tcache));
}

/* How many headers fit in at the top. */
static inline size_t
tcache_places(struct ibuf_tcache_ *tcache, struct ibuf_mbuf **top)
{
	struct ibuf_mbuf **end =
		__atomic_load_n(&tcache->end_, __ATOMIC_RELAXED);

	return end == NULL ? 0 : (size_t)(end - top);
}

/* A thread's thread caches for the owner with a number; NULL: it has no part for
   a number so high. */
static inline struct ibuf_tcaches_ *
thread_tcaches(struct ibuf_thread_ *own, uint32_t number)
{
	struct ibuf_tcaches_ *part;

	if (number < IBUF_TCACHES_MAX_)
		return &own->tcaches_[number];
	part = own->parts_[number / IBUF_TCACHES_MAX_];
	return part == NULL ? NULL : &part[number % IBUF_TCACHES_MAX_];
}

/* What a direct header of a wiping pool has, in its own room. */
#define WIPING_DIRECT                                                          \
	(IBUF_MBUF_PLAIN_DIRECT_ | IBUF_MBUF_CAREFUL_ | IBUF_MBUF_WIPES_ |     \
	 IBUF_MBUF_MARKED_)

/* The next free guesses that it is of the owner with this number, which has
   these thread caches. */
static inline void
thread_remember(struct ibuf_thread_ *own, struct ibuf_tcaches_ *tcaches,
		uint32_t number)
{
	unsigned careful = number < IBUF_TCACHES_MAX_ ? 0 : IBUF_MBUF_CAREFUL_;

	own->recent_.direct_ =
		ibuf_key_(IBUF_MBUF_PLAIN_DIRECT_ | careful, number);
	own->recent_.indirect_ =
		ibuf_key_(IBUF_MBUF_PLAIN_INDIRECT_ | careful, number);
	own->recent_.wiping_ = ibuf_key_(WIPING_DIRECT, number);
	own->recent_.tcaches_ = tcaches;
}

/*
 * Take a header from an owner, or from the heap where the owner is closed;
 * NULL: no memory.
 */
struct ibuf_mbuf *ibuf_owner_take_indirect_(struct ibuf_owner *owner);

#endif
