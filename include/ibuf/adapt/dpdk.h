/*
 * adapt/dpdk.h - messages as DPDK's mbufs and back, not copied.
 *
 *   ibuf_dpdk_from()      rte_mbuf ---> message   a wrapped room a segment
 *   ibuf_dpdk_to()        message ---> rte_mbuf   an external buffer a segment
 *   ibuf_dpdk_tx_burst()  messages ---> a port, those it takes
 *
 * For programs that have called rte_eal_init().  An rte_mbuf goes to its mempool
 * when the last message that shows it is gone; a message is freed when the last
 * rte_mbuf that shows it is.  Either happens in whatever thread that is, of DPDK
 * or not.
 *
 * A port that reads memory itself must know it.  With a card, let the pool be of
 * an area (ibuf_provider_area_make()), and register that once by rte_extmem_register()
 * and rte_dev_dma_map().
 */
#ifndef IBUF_ADAPT_DPDK_H
#define IBUF_ADAPT_DPDK_H

#include <errno.h>
#include <ibuf/mbuf.h>
#include <ibuf/segment.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_memory.h>
#include <stdlib.h>

IBUF_BEGIN_DECLS
IBUF_BEGIN_BODIES_

/* A message in the hands of DPDK, and how many of its segments are left. */
struct ibuf_dpdk_lent_ {
	struct rte_mbuf_ext_shared_info shared;
	struct ibuf_mbuf *m; /* NULL: it was taken back */
};

static inline void
ibuf_dpdk_sent_(void *bytes, void *arg)
{
	struct ibuf_dpdk_lent_ *lent = (struct ibuf_dpdk_lent_ *)arg;

	(void)bytes;
	ibuf_mbuf_free(lent->m);
	free(lent);
}

static inline rte_iova_t
ibuf_dpdk_iova_(const void *at)
{
	return rte_eal_iova_mode() == RTE_IOVA_VA ? (rte_iova_t)(uintptr_t)at
						  : rte_mem_virt2iova(at);
}

/* -EOVERFLOW: a segment or their number is beyond 16 bits. */
static inline int
ibuf_dpdk_fits_(const struct ibuf_mbuf *m)
{
	const struct ibuf_mbuf *s;

	if (ibuf_mbuf_segments(m) > RTE_MBUF_MAX_NB_SEGS ||
	    ibuf_mbuf_len(m) > UINT32_MAX)
		return -EOVERFLOW;
	for (s = m; s != NULL; s = ibuf_mbuf_seg_next(s))
		if (ibuf_mbuf_seg_len(s) > UINT16_MAX)
			return -EOVERFLOW;
	return 0;
}

/* Let an rte_mbuf show a segment of a message. */
static inline void
ibuf_dpdk_show_(struct rte_mbuf *to, const struct ibuf_mbuf *s,
		struct ibuf_dpdk_lent_ *lent)
{
	uint16_t len = (uint16_t)ibuf_mbuf_seg_len(s);
	const uint8_t *bytes = ibuf_mbuf_seg_data(s);
	void *at = (void *)(uintptr_t)bytes;

	rte_pktmbuf_attach_extbuf(to, at, ibuf_dpdk_iova_(at), len,
				  &lent->shared);
	to->data_off = 0;
	to->data_len = len;
}

/**
 * Make an rte_mbuf of a message: a chain where it has several segments.
 *
 * @param pool of rte_mbufs, which may have no data room
 * @param m the message, whose bytes are not to be written any more
 * @param to where the rte_mbuf goes; untouched on failure
 * @return 0; -EOVERFLOW: a segment of more than 65535 bytes, or too many; -ENOBUFS:
 *         the mempool is empty; -ENOMEM
 * @owner on success m must not be used any more; on failure it is still the
 *        caller's
 * @mt any for the mempool, object for the message
 * @cost a malloc, an rte_mbuf a segment
 */
static inline int
ibuf_dpdk_to(struct rte_mempool *pool, struct ibuf_mbuf *m,
	     struct rte_mbuf **to)
{
	struct ibuf_dpdk_lent_ *lent;
	struct rte_mbuf *head = NULL, *last = NULL;
	const struct ibuf_mbuf *s;
	int error = ibuf_dpdk_fits_(m);

	if (error != 0)
		return error;
	lent = (struct ibuf_dpdk_lent_ *)malloc(sizeof(*lent));
	if (lent == NULL)
		return -ENOMEM;
	for (s = m; s != NULL; s = ibuf_mbuf_seg_next(s)) {
		struct rte_mbuf *next = rte_pktmbuf_alloc(pool);

		if (next == NULL) {
			rte_pktmbuf_free(head); /* shows nothing yet */
			free(lent);
			return -ENOBUFS;
		}
		if (head == NULL)
			head = next;
		else
			last->next = next;
		last = next;
	}
	lent->m = m;
	lent->shared.free_cb = ibuf_dpdk_sent_;
	lent->shared.fcb_opaque = lent;
	head->nb_segs = (uint16_t)ibuf_mbuf_segments(m);
	head->pkt_len = (uint32_t)ibuf_mbuf_len(m);
	rte_mbuf_ext_refcnt_set(&lent->shared, head->nb_segs);
	for (s = m, last = head; s != NULL;
	     s = ibuf_mbuf_seg_next(s), last = last->next)
		ibuf_dpdk_show_(last, s, lent);
	*to = head;
	return 0;
}

/* Free an rte_mbuf of ibuf_dpdk_to() that nobody had; the message remains. */
static inline void
ibuf_dpdk_take_back_(struct rte_mbuf *mbuf)
{
	((struct ibuf_dpdk_lent_ *)mbuf->shinfo->fcb_opaque)->m = NULL;
	rte_pktmbuf_free(mbuf);
}

/**
 * Send messages by a port.
 *
 * @param pool as for ibuf_dpdk_to()
 * @param n how many messages; of more than 64 the first 64 are looked at
 * @return how many of the first were taken; fewer where the port takes no more, or
 *         where ibuf_dpdk_to() refuses the next one
 * @owner those taken are not the caller's any more; all others are
 * @mt as rte_eth_tx_burst()
 */
static inline uint16_t
ibuf_dpdk_tx_burst(uint16_t port, uint16_t queue, struct rte_mempool *pool,
		   struct ibuf_mbuf *const *ms, uint16_t n)
{
	struct rte_mbuf *mbufs[64];
	uint16_t made = 0, taken, i;

	while (made < n && made < 64 &&
	       ibuf_dpdk_to(pool, ms[made], &mbufs[made]) == 0)
		made++;
	taken = rte_eth_tx_burst(port, queue, mbufs, made);
	for (i = taken; i < made; i++)
		ibuf_dpdk_take_back_(mbufs[i]);
	return taken;
}

/* No message shows the segment any more. */
static inline void
ibuf_dpdk_release_(void *bytes, size_t len, void *segment)
{
	(void)bytes;
	(void)len;
	rte_pktmbuf_free_seg((struct rte_mbuf *)segment);
}

/* A segment as a message that has a reference of its own to it, or NULL.  It
   is written in place only where no other rte_mbuf shows the bytes. */
static inline struct ibuf_mbuf *
ibuf_dpdk_wrap_(struct rte_mbuf *segment)
{
	bool own =
		RTE_MBUF_DIRECT(segment) && rte_mbuf_refcnt_read(segment) == 1;
	void *at = rte_pktmbuf_mtod(segment, void *);
	struct ibuf_mbuf *m;

	m = own ? ibuf_mbuf_wrap(at, segment->data_len, ibuf_dpdk_release_,
				 segment)
		: ibuf_mbuf_wrap_const(at, segment->data_len,
				       ibuf_dpdk_release_, segment);
	if (m != NULL)
		rte_mbuf_refcnt_update(segment, 1);
	return m;
}

/**
 * Make a message of an rte_mbuf, with a segment for each of its own.
 *
 * @param mbuf as a port gives it; also one that is shared, external or indirect
 * @return the message; NULL: no memory, and mbuf is still the caller's
 * @owner on success mbuf must not be used any more
 * @mt object
 * @cost a malloc and a header a segment
 */
static inline IBUF_MAKES_MBUF struct ibuf_mbuf *
ibuf_dpdk_from(struct rte_mbuf *mbuf)
{
	struct ibuf_mbuf *m = ibuf_dpdk_wrap_(mbuf), *tail;
	struct rte_mbuf *s, *next;

	for (s = mbuf->next; m != NULL && s != NULL; s = s->next) {
		tail = ibuf_dpdk_wrap_(s);
		if (tail == NULL || ibuf_mbuf_concat(m, tail) != 0) {
			ibuf_mbuf_free(tail);
			ibuf_mbuf_free(m);
			m = NULL;
		}
	}
	/* The chain's references go, and with them segments without bytes. */
	for (s = mbuf; m != NULL && s != NULL; s = next) {
		next = s->next;
		s->next = NULL;
		s->nb_segs = 1;
		rte_pktmbuf_free_seg(s);
	}
	return m;
}

IBUF_END_BODIES_
IBUF_END_DECLS

#endif
