/* adapt/inline/xdp.h - the bodies of <ibuf/adapt/xdp.h>. */
#ifndef IBUF_ADAPT_INLINE_XDP_H
#define IBUF_ADAPT_INLINE_XDP_H

#include <errno.h>
#include <ibuf/pool.h>
#include <ibuf/segment.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <xdp/xsk.h>

IBUF_BEGIN_DECLS
IBUF_BEGIN_BODIES_

#define IBUF_XDP_HEADROOM_ 256u /* XDP_PACKET_HEADROOM, before each frame */
#define IBUF_XDP_RING_ 2048u

/* A message that the kernel is sending, and the address that it will give. */
struct ibuf_xdp_sent_ {
	uint64_t address;
	struct ibuf_mbuf *m; /* NULL: it has been sent */
};

/*
 *   frame = the room of an mbuf: headroom and capacity
 *   filled[(frame - area.base) / chunk] = the mbuf, while the kernel has it
 */
struct ibuf_xdp {
	uint32_t holders; /* who called open, and each slab of the pool */
	unsigned chunk;
	struct ibuf_provider_area area; /* the umem */
	struct ibuf_pool *pool;
	bool is_open; /* the slabs of mbufs are there */
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons completed, rx;
	unsigned first, n; /* of those that are being sent, in their order */
	struct ibuf_xdp_sent_ sent[IBUF_XDP_RING_];
	unsigned to_fill; /* so many more */
	struct ibuf_mbuf **filled;
};

/* ---- memory ------------------------------------------------------------ */

static inline bool
ibuf_xdp_has_(const struct ibuf_xdp *x, const void *at)
{
	return (uintptr_t)at - (uintptr_t)x->area.base < x->area.size;
}

static inline void
ibuf_xdp_drop_(struct ibuf_xdp *x)
{
	/* Release: done with the memory.  Acquire: so is everybody else. */
	if (__atomic_sub_fetch(&x->holders, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	munmap(x->area.base, x->area.size);
	free(x);
}

/* Mbufs lie in the umem; clones, which come later, anywhere. */
static inline void *
ibuf_xdp_map_(size_t size, size_t alignment, void *context)
{
	struct ibuf_xdp *x = (struct ibuf_xdp *)context;
	const struct ibuf_provider *from =
		x->is_open ? ibuf_provider_pages() : &x->area.provider;
	void *base = from->map(size, alignment, from->context);

	/* Relaxed: the pool keeps another holder meanwhile. */
	if (base != NULL)
		__atomic_fetch_add(&x->holders, 1, __ATOMIC_RELAXED);
	return base;
}

static inline void
ibuf_xdp_unmap_(void *base, size_t size, void *context)
{
	struct ibuf_xdp *x = (struct ibuf_xdp *)context;
	const struct ibuf_provider *to = ibuf_xdp_has_(x, base)
						 ? &x->area.provider
						 : ibuf_provider_pages();

	to->unmap(base, size, to->context);
	ibuf_xdp_drop_(x);
}

/* x without a socket: its memory and its pool. */
static inline int
ibuf_xdp_make_(struct ibuf_xdp **made, unsigned mbufs, unsigned capacity)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	unsigned chunk = IBUF_XDP_HEADROOM_ + capacity;
	/* Behind each: its header, and what aligns it. */
	size_t size = ((size_t)mbufs * (chunk + 256) + 8191) & ~(size_t)4095;
	struct ibuf_provider provider;
	struct ibuf_xdp *x;
	void *at;
	int error;

	x = (struct ibuf_xdp *)calloc(
		1,
		sizeof(*x) + (size / chunk + 1) * sizeof(struct ibuf_mbuf *));
	if (x == NULL)
		return -ENOMEM;
	x->filled = (struct ibuf_mbuf **)(void *)(x + 1);
	at = mmap(NULL, size, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED) {
		free(x);
		return -ENOMEM;
	}
	x->holders = 1;
	x->chunk = chunk;
	x->to_fill = mbufs / 2 < IBUF_XDP_RING_ ? mbufs / 2 : IBUF_XDP_RING_;
	ibuf_provider_area_make(&x->area, at, size);
	provider.map = ibuf_xdp_map_;
	provider.unmap = ibuf_xdp_unmap_;
	provider.context = x;
	o.name = "xdp";
	o.capacity = capacity;
	o.headroom = IBUF_XDP_HEADROOM_;
	o.initial = o.max = mbufs;
	o.provider = &provider;
	error = ibuf_pool_create(&x->pool, &o);
	if (error != 0) {
		ibuf_xdp_drop_(x);
		return error;
	}
	x->is_open = true;
	*made = x;
	return 0;
}

/* ---- rings ------------------------------------------------------------- */

/* Give the kernel mbufs, as many as there are and it takes. */
static inline void
ibuf_xdp_refill_(struct ibuf_xdp *x)
{
	struct ibuf_mbuf *ms[64];
	uint32_t at = 0;

	while (x->to_fill != 0) {
		size_t n = xsk_prod_nb_free(&x->fill, 64), i;

		n = n < 64 ? n : 64;
		n = ibuf_pool_alloc_upto(x->pool, ms,
					 n < x->to_fill ? n : x->to_fill);
		if (n == 0)
			break;
		(void)xsk_ring_prod__reserve(&x->fill, (uint32_t)n, &at);
		for (i = 0; i < n; i++) {
			uint64_t frame =
				(uint64_t)(ibuf_mbuf_data(ms[i]) -
					   IBUF_XDP_HEADROOM_ - x->area.base);

			x->filled[frame / x->chunk] = ms[i];
			*xsk_ring_prod__fill_addr(&x->fill, at + (uint32_t)i) =
				frame;
		}
		xsk_ring_prod__submit(&x->fill, (uint32_t)n);
		x->to_fill -= (unsigned)n;
	}
	if (xsk_ring_prod__needs_wakeup(&x->fill))
		(void)recv(xsk_socket__fd(x->socket), NULL, 0, MSG_DONTWAIT);
}

/* A frame that came becomes what its mbuf shows. */
static inline struct ibuf_mbuf *
ibuf_xdp_take_(struct ibuf_xdp *x, const struct xdp_desc *desc)
{
	uint64_t frame = xsk_umem__extract_addr(desc->addr);
	uint64_t off = xsk_umem__extract_offset(desc->addr);
	struct ibuf_mbuf *m = x->filled[frame / x->chunk];

	x->filled[frame / x->chunk] = NULL;
	/* An XDP program may have moved its beginning. */
	if (off < IBUF_XDP_HEADROOM_) {
		size_t more = IBUF_XDP_HEADROOM_ - off;

		(void)!ibuf_mbuf_extend_head(m, more);
		if (desc->len > more)
			(void)!ibuf_mbuf_extend_tail(m, desc->len - more);
		else
			(void)!ibuf_mbuf_trim_tail(m, more - desc->len);
	} else {
		size_t less = off - IBUF_XDP_HEADROOM_;

		(void)!ibuf_mbuf_extend_tail(m, less + desc->len);
		(void)!ibuf_mbuf_trim_head(m, less);
	}
	return m;
}

/* Free what has been sent; mostly that is in the order of sending. */
static inline void
ibuf_xdp_complete_(struct ibuf_xdp *x)
{
	uint32_t at = 0, got, i;

	got = xsk_ring_cons__peek(&x->completed, IBUF_XDP_RING_, &at);
	for (i = 0; i < got; i++) {
		uint64_t address =
			*xsk_ring_cons__comp_addr(&x->completed, at + i);
		struct ibuf_xdp_sent_ *s = NULL;
		unsigned k;

		for (k = 0; k < x->n; k++) {
			s = &x->sent[(x->first + k) % IBUF_XDP_RING_];
			if (s->m != NULL && s->address == address)
				break;
		}
		if (k == x->n)
			continue;
		ibuf_mbuf_free(s->m);
		s->m = NULL;
		while (x->n != 0 &&
		       x->sent[x->first % IBUF_XDP_RING_].m == NULL) {
			x->first = (x->first + 1) % IBUF_XDP_RING_;
			x->n--;
		}
	}
	if (got != 0)
		xsk_ring_cons__release(&x->completed, got);
}

static inline int
ibuf_xdp_recv(struct ibuf_xdp *x, struct ibuf_mbuf **ms, int n)
{
	uint32_t at = 0, got, i;
	int error = 0;
	socklen_t size = sizeof(error);

	if (n <= 0)
		return 0;
	ibuf_xdp_complete_(x);
	got = xsk_ring_cons__peek(&x->rx, (uint32_t)n, &at);
	for (i = 0; i < got; i++)
		ms[i] = ibuf_xdp_take_(x,
				       xsk_ring_cons__rx_desc(&x->rx, at + i));
	if (got != 0)
		xsk_ring_cons__release(&x->rx, got);
	x->to_fill += got;
	ibuf_xdp_refill_(x);
	if (got == 0 && getsockopt(xsk_socket__fd(x->socket), SOL_SOCKET,
				   SO_ERROR, &error, &size) != 0)
		error = errno;
	return got != 0 ? (int)got : -error;
}

static inline bool
ibuf_xdp_is_frame_(const struct ibuf_xdp *x, const struct ibuf_mbuf *m)
{
	size_t len = ibuf_mbuf_len(m);
	const uint8_t *bytes = ibuf_mbuf_data(m);

	return len != 0 && len <= x->chunk && ibuf_mbuf_segments(m) == 1 &&
	       ibuf_xdp_has_(x, bytes) && ibuf_xdp_has_(x, bytes + len - 1);
}

/* Let the kernel look at what is to be sent. */
static inline int
ibuf_xdp_kick_(struct ibuf_xdp *x)
{
	if (x->n == 0 || !xsk_ring_prod__needs_wakeup(&x->tx))
		return 0;
	if (sendto(xsk_socket__fd(x->socket), NULL, 0, MSG_DONTWAIT, NULL, 0) <
		    0 &&
	    errno == ENETDOWN)
		return -ENETDOWN;
	return 0; /* it is busy, and looks later */
}

static inline int
ibuf_xdp_send(struct ibuf_xdp *x, struct ibuf_mbuf *const *ms, int n)
{
	uint32_t at = 0;
	int taken = 0, error;

	/* What lies there from before goes first. */
	error = ibuf_xdp_kick_(x);
	ibuf_xdp_complete_(x);
	if (error != 0 || n <= 0)
		return error;
	while (taken < n && ibuf_xdp_is_frame_(x, ms[taken])) {
		struct ibuf_xdp_sent_ *s =
			&x->sent[(x->first + x->n) % IBUF_XDP_RING_];
		struct xdp_desc *desc;

		if (x->n == IBUF_XDP_RING_ ||
		    xsk_ring_prod__reserve(&x->tx, 1, &at) != 1) {
			if (taken == 0)
				return -EAGAIN;
			break;
		}
		s->m = ms[taken];
		s->address = (uint64_t)(ibuf_mbuf_data(s->m) - x->area.base);
		desc = xsk_ring_prod__tx_desc(&x->tx, at);
		memset(desc, 0, sizeof(*desc));
		desc->addr = s->address;
		desc->len = (uint32_t)ibuf_mbuf_len(s->m);
		x->n++;
		taken++;
	}
	if (taken == 0)
		return -EINVAL;
	xsk_ring_prod__submit(&x->tx, (uint32_t)taken);
	(void)ibuf_xdp_kick_(x);
	return taken;
}

static inline unsigned
ibuf_xdp_pending(const struct ibuf_xdp *x)
{
	return x->n;
}

/* ---- life -------------------------------------------------------------- */

static inline void
ibuf_xdp_close(struct ibuf_xdp *x)
{
	size_t i;

	if (x == NULL)
		return;
	if (x->socket != NULL)
		xsk_socket__delete(x->socket);
	if (x->umem != NULL)
		xsk_umem__delete(x->umem);
	/* Now the kernel has nothing any more. */
	for (i = 0; i <= x->area.size / x->chunk; i++)
		ibuf_mbuf_free(x->filled[i]);
	for (i = 0; i < x->n; i++)
		ibuf_mbuf_free(x->sent[(x->first + i) % IBUF_XDP_RING_].m);
	ibuf_pool_destroy(x->pool);
	ibuf_xdp_drop_(x);
}

static inline int
ibuf_xdp_join_(struct ibuf_xdp *x, const struct ibuf_xdp_options *o)
{
	struct xsk_umem_config memory;
	struct xsk_socket_config socket;
	int error;

	memset(&memory, 0, sizeof(memory));
	memory.fill_size = memory.comp_size = IBUF_XDP_RING_;
	memory.frame_size = x->chunk;
	memory.flags = XDP_UMEM_UNALIGNED_CHUNK_FLAG;
	memset(&socket, 0, sizeof(socket));
	socket.rx_size = socket.tx_size = IBUF_XDP_RING_;
	socket.xdp_flags = o->xdp_flags;
	socket.bind_flags = (uint16_t)(o->bind_flags | XDP_USE_NEED_WAKEUP);
	error = xsk_umem__create(&x->umem, x->area.base, x->area.size, &x->fill,
				 &x->completed, &memory);
	if (error != 0)
		x->umem = NULL;
	else
		error = xsk_socket__create(&x->socket, o->interface, o->queue,
					   x->umem, &x->rx, &x->tx, &socket);
	if (error != 0)
		x->socket = NULL;
	return error;
}

static inline int
ibuf_xdp_open(struct ibuf_xdp **x, const struct ibuf_xdp_options *options)
{
	unsigned capacity = options->capacity != 0 ? options->capacity : 1792;
	unsigned mbufs = options->mbufs != 0 ? options->mbufs : 4096;
	struct ibuf_xdp *made;
	int error;

	if (capacity < 1792 || capacity > 3840 || mbufs > 1u << 20)
		return -EINVAL;
	if (if_nametoindex(options->interface) == 0)
		return -ENODEV;
	error = ibuf_xdp_make_(&made, mbufs, capacity);
	if (error != 0)
		return error;
	error = ibuf_xdp_join_(made, options);
	if (error != 0) {
		ibuf_xdp_close(made);
		return error;
	}
	ibuf_xdp_refill_(made);
	*x = made;
	return 0;
}

static inline struct ibuf_pool *
ibuf_xdp_pool(const struct ibuf_xdp *x)
{
	return x->pool;
}

static inline int
ibuf_xdp_fd(const struct ibuf_xdp *x)
{
	return xsk_socket__fd(x->socket);
}

static inline int
ibuf_xdp_get_stats(const struct ibuf_xdp *x, struct ibuf_xdp_stats *stats)
{
	struct xdp_statistics now;
	socklen_t size = sizeof(now);

	memset(&now, 0, sizeof(now));
	if (getsockopt(ibuf_xdp_fd(x), SOL_XDP, XDP_STATISTICS, &now, &size) !=
	    0)
		return -errno;
	stats->dropped = now.rx_dropped;
	stats->ring_full = now.rx_ring_full;
	stats->no_mbuf = now.rx_fill_ring_empty_descs;
	stats->invalid = now.tx_invalid_descs;
	return 0;
}

IBUF_END_BODIES_
IBUF_END_DECLS

#endif
