/*
 * adapt/inline/uring_slabs.h - the slabs of a pool as registered buffers of a ring.
 *
 *   pool -- map --> provider --> slab, listed    any thread
 *                     ibuf_uring_slabs_update()  the ring's thread
 *                                --> registered
 *
 * A pool whose messages are sent or read by the operations with fixed buffers
 * (io_uring_prep_send_zc_fixed(), io_uring_prep_read_fixed() and so on) has
 * this provider.  A ring is registered with by one thread, and a pool grows on
 * any, so a new slab is listed first, and registered at the next update; a
 * message in a slab that is not registered yet has no index, and goes the
 * ordinary way.
 */
#ifndef IBUF_ADAPT_INLINE_URING_SLABS_H
#define IBUF_ADAPT_INLINE_URING_SLABS_H

#include <ibuf/adapt/inline/uring_send.h>
#include <ibuf/provider.h>

#include <pthread.h>

IBUF_BEGIN_BODIES_

/**
 * @defgroup uring_slabs Registered buffers of io_uring
 * A provider whose memory a ring knows.
 *
 * @mt object: one thread at a time, the one that submits to the ring; the pool
 *     itself may be used by any
 * @cost a lock, and O(slabs)
 * @{
 */

/** @cond private */
struct ibuf_uring_slab_ {
	uint8_t *base;
	size_t size;
	bool mapped, registered;
};
/** @endcond */

/** The slabs of one pool and their numbers in a ring; its address must not
 * change while it is open. */
struct ibuf_uring_slabs {
	/** @cond private */
	struct io_uring *ring_;
	struct ibuf_provider from_, provider_;
	pthread_mutex_t lock_; /* of what follows */
	struct ibuf_uring_slab_ *slabs_;
	unsigned most_;
	/** @endcond */
};

/** @cond private */
static inline void *
ibuf_uring_slabs_map_(size_t size, size_t alignment, void *context)
{
	struct ibuf_uring_slabs *s = (struct ibuf_uring_slabs *)context;
	void *base = s->from_.map(size, alignment, s->from_.context);
	unsigned i;

	if (base == NULL)
		return NULL;
	pthread_mutex_lock(&s->lock_);
	for (i = 0; i < s->most_; i++) {
		struct ibuf_uring_slab_ *slab = &s->slabs_[i];

		if (slab->mapped || slab->registered)
			continue;
		slab->base = (uint8_t *)base;
		slab->size = size;
		slab->mapped = true;
		break;
	}
	pthread_mutex_unlock(&s->lock_);
	return base; /* without an index where the list is full */
}

static inline void
ibuf_uring_slabs_unmap_(void *base, size_t size, void *context)
{
	struct ibuf_uring_slabs *s = (struct ibuf_uring_slabs *)context;
	unsigned i;

	pthread_mutex_lock(&s->lock_);
	for (i = 0; i < s->most_; i++)
		if (s->slabs_[i].mapped && s->slabs_[i].base == base)
			s->slabs_[i].mapped = false;
	pthread_mutex_unlock(&s->lock_);
	s->from_.unmap(base, size, s->from_.context);
}

/* Let entry i of the ring's table show a slab, or nothing. */
static inline int
ibuf_uring_slabs_set_(struct ibuf_uring_slabs *s, unsigned i, bool shows)
{
	struct iovec iov = {NULL, 0};
	int n;

	if (shows) {
		iov.iov_base = s->slabs_[i].base;
		iov.iov_len = s->slabs_[i].size;
	}
	n = io_uring_register_buffers_update_tag(s->ring_, i, &iov, NULL, 1);
	if (n < 0)
		return n;
	s->slabs_[i].registered = shows;
	return 0;
}
/** @endcond */

/**
 * Make a provider of slabs that a ring can know.
 *
 * Takes the ring's table of registered buffers, of which there is one.
 *
 * @param s where it goes
 * @param ring must be there until close
 * @param most slabs that have a number; those beyond have none
 * @param from where the memory comes from; the struct is copied; NULL:
 *        ibuf_provider_pages()
 * @return 0; -EINVAL: most is 0; -EBUSY: the ring has such a table; -ENOMEM;
 *         -errno
 * @owner its context is s, which must live until the pool's memory is gone: the
 *        last message too
 */
IBUF_MUST_USE static inline int
ibuf_uring_slabs_open(struct ibuf_uring_slabs *s, struct io_uring *ring,
		      unsigned most, const struct ibuf_provider *from)
{
	int error;

	if (most == 0)
		return -EINVAL;
	memset(s, 0, sizeof(*s));
	s->slabs_ = (struct ibuf_uring_slab_ *)calloc(most, sizeof(*s->slabs_));
	if (s->slabs_ == NULL)
		return -ENOMEM;
	error = io_uring_register_buffers_sparse(ring, most);
	if (error == 0)
		error = -pthread_mutex_init(&s->lock_, NULL);
	if (error != 0) {
		free(s->slabs_);
		s->slabs_ = NULL;
		return error;
	}
	s->ring_ = ring;
	s->most_ = most;
	s->from_ = from != NULL ? *from : *ibuf_provider_pages();
	s->provider_.map = ibuf_uring_slabs_map_;
	s->provider_.unmap = ibuf_uring_slabs_unmap_;
	s->provider_.context = s;
	return 0;
}

/** Get the provider, for the options of a pool. */
static inline const struct ibuf_provider *
ibuf_uring_slabs_provider(const struct ibuf_uring_slabs *s)
{
	return &s->provider_;
}

/**
 * Register the slabs that are new, and let go of those that are gone: after the
 * pool was made, and from time to time where it grows.
 *
 * @return 0; -ENOMEM: more memory than RLIMIT_MEMLOCK lets a process lock;
 *         -errno; the slabs that were not registered have no index yet
 * @cost O(slabs); a system call for each that changed, which locks its pages
 */
static inline int
ibuf_uring_slabs_update(struct ibuf_uring_slabs *s)
{
	int error = 0;
	unsigned i;

	pthread_mutex_lock(&s->lock_);
	for (i = 0; i < s->most_ && error == 0; i++)
		if (s->slabs_[i].mapped != s->slabs_[i].registered)
			error = ibuf_uring_slabs_set_(s, i,
						      s->slabs_[i].mapped);
	pthread_mutex_unlock(&s->lock_);
	return error;
}

/**
 * Find the number of the registered buffer in which some bytes of a live
 * message lie.
 *
 * @return the index; -ENOENT: they are in none
 */
static inline int
ibuf_uring_slabs_index(struct ibuf_uring_slabs *s, const void *bytes,
		       size_t len)
{
	const uint8_t *at = (const uint8_t *)bytes;
	int index = -ENOENT;
	unsigned i;

	pthread_mutex_lock(&s->lock_);
	for (i = 0; i < s->most_ && index < 0; i++) {
		const struct ibuf_uring_slab_ *slab = &s->slabs_[i];

		if (slab->mapped && slab->registered && at >= slab->base &&
		    at < slab->base + slab->size &&
		    len <= (size_t)(slab->base + slab->size - at))
			index = (int)i;
	}
	pthread_mutex_unlock(&s->lock_);
	return index;
}

/**
 * Let a send without a copy that was just prepared use the registered buffer
 * in which its bytes lie, so that the kernel need not look up their pages.
 *
 * @param sqe as ibuf_uring_send_prep() or ibuf_uring_send_rest() left it
 * @return does it: false too where the part has several segments, or is copied
 */
static inline bool
ibuf_uring_slabs_use(struct ibuf_uring_slabs *s, struct io_uring_sqe *sqe)
{
	int index;

	if (sqe->opcode != IORING_OP_SEND_ZC)
		return false;
	index = ibuf_uring_slabs_index(s, (const void *)(uintptr_t)sqe->addr,
				       sqe->len);
	if (index < 0)
		return false;
	sqe->ioprio |= IORING_RECVSEND_FIXED_BUF;
	sqe->buf_index = (uint16_t)index;
	return true;
}

/**
 * Give the ring's table back: before the ring ends, and after the pool was
 * destroyed and its last message freed.
 */
static inline void
ibuf_uring_slabs_close(struct ibuf_uring_slabs *s)
{
	io_uring_unregister_buffers(s->ring_);
	pthread_mutex_destroy(&s->lock_);
	free(s->slabs_);
	s->slabs_ = NULL;
}

/** @} */

IBUF_END_BODIES_

#endif
