/* adapt/inline/packet.h - the bodies of <ibuf/adapt/packet.h>. */
#ifndef IBUF_ADAPT_INLINE_PACKET_H
#define IBUF_ADAPT_INLINE_PACKET_H

#include <errno.h>
#include <ibuf/mbuf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes of a block that the kernel has are nobody's to read. */
#if defined(__SANITIZE_ADDRESS__)
#define IBUF_PACKET_WATCHED_
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IBUF_PACKET_WATCHED_
#endif
#endif
#ifdef IBUF_PACKET_WATCHED_
#include <sanitizer/asan_interface.h>
#define IBUF_PACKET_HIDE_(at, n) ASAN_POISON_MEMORY_REGION(at, n)
#define IBUF_PACKET_SHOW_(at, n) ASAN_UNPOISON_MEMORY_REGION(at, n)
#else
#define IBUF_PACKET_HIDE_(at, n) ((void)0)
#define IBUF_PACKET_SHOW_(at, n) ((void)0)
#endif

IBUF_BEGIN_DECLS
IBUF_BEGIN_BODIES_

#define IBUF_PACKET_TAG_ 4u              /* bytes of a VLAN tag */
#define IBUF_PACKET_BEFORE_ ((size_t)12) /* two addresses before it */
#define IBUF_PACKET_HEAD_                                                      \
	((sizeof(struct tpacket3_hdr) + 15) & ~(size_t)15) /* TPACKET_ALIGN */
/* The status of a block that messages show: neither the kernel's, nor new. */
#define IBUF_PACKET_OUT_ 0x80000000u
/* As linux/if_arp.h has them, which does not go with all other headers. */
#define IBUF_PACKET_ETHER_ 1
#define IBUF_PACKET_LOOPBACK_ 772

struct ibuf_packet {
	int fd;           /* the socket */
	int edge;         /* of it, which says that a block came */
	uint32_t holders; /* who called open, and each block that is out */
	uint8_t *ring;
	size_t block_size, blocks;
	size_t next;             /* block that the kernel hands over next */
	struct ibuf_mbuf *block; /* NULL, or that of which frames are left */
	size_t off, left;        /* the first of them, and their number */
	struct ibuf_packet_stats stats;
};

/* ---- life -------------------------------------------------------------- */

static inline void
ibuf_packet_drop_(struct ibuf_packet *k)
{
	size_t size = k->block_size * k->blocks;

	/* Release: done with the ring.  Acquire: so is everybody else. */
	if (__atomic_sub_fetch(&k->holders, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	if (k->ring != NULL) {
		IBUF_PACKET_SHOW_(k->ring, size);
		munmap(k->ring, size);
	}
	free(k);
}

static inline int
ibuf_packet_set_(int fd, int name, const void *value, socklen_t size)
{
	return setsockopt(fd, SOL_PACKET, name, value, size) == 0 ? 0 : -errno;
}

static inline int
ibuf_packet_map_(struct ibuf_packet *k, unsigned timeout_ms)
{
	struct tpacket_req3 ring;
	int version = TPACKET_V3, reserve = IBUF_PACKET_TAG_, error;
	void *at;

	memset(&ring, 0, sizeof(ring));
	ring.tp_block_size = (unsigned)k->block_size;
	ring.tp_block_nr = (unsigned)k->blocks;
	ring.tp_frame_size = TPACKET_ALIGNMENT << 7;
	ring.tp_frame_nr =
		ring.tp_block_size / ring.tp_frame_size * ring.tp_block_nr;
	ring.tp_retire_blk_tov = timeout_ms != 0 ? timeout_ms : 10;
	error = ibuf_packet_set_(k->fd, PACKET_VERSION, &version,
				 sizeof(version));
	if (error == 0)
		error = ibuf_packet_set_(k->fd, PACKET_RESERVE, &reserve,
					 sizeof(reserve));
	if (error == 0)
		error = ibuf_packet_set_(k->fd, PACKET_RX_RING, &ring,
					 sizeof(ring));
	if (error != 0)
		return error;
	at = mmap(NULL, k->block_size * k->blocks, PROT_READ | PROT_WRITE,
		  MAP_SHARED, k->fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	k->ring = (uint8_t *)at;
	return 0;
}

/*
 * The socket is readable as long as the newest block is not the kernel's, so
 * while its messages live.  What a program can wait for is that it changes.
 */
static inline int
ibuf_packet_watch_(struct ibuf_packet *k)
{
	struct epoll_event event;

	memset(&event, 0, sizeof(event));
	event.events = EPOLLIN | EPOLLET;
	k->edge = epoll_create1(EPOLL_CLOEXEC);
	if (k->edge < 0 || epoll_ctl(k->edge, EPOLL_CTL_ADD, k->fd, &event))
		return -errno;
	return 0;
}

/* Without a protocol the socket has received nothing until now. */
static inline int
ibuf_packet_bind_(int fd, const struct ibuf_packet_options *o)
{
	struct packet_mreq member;
	struct sockaddr_ll at;
	int error = 0;

	memset(&member, 0, sizeof(member));
	member.mr_ifindex = (int)o->interface;
	member.mr_type = PACKET_MR_PROMISC;
	memset(&at, 0, sizeof(at));
	at.sll_family = AF_PACKET;
	at.sll_protocol = __builtin_bswap16(ETH_P_ALL);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	at.sll_protocol = ETH_P_ALL;
#endif
	at.sll_ifindex = (int)o->interface;
	if (o->filter != NULL && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER,
					    o->filter, sizeof(*o->filter)) != 0)
		return -errno;
	if (o->promiscuous && o->interface != 0)
		error = ibuf_packet_set_(fd, PACKET_ADD_MEMBERSHIP, &member,
					 sizeof(member));
	if (error == 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		error = -errno;
	return error;
}

static inline int
ibuf_packet_open(struct ibuf_packet **k,
		 const struct ibuf_packet_options *options)
{
	struct ibuf_packet_options o;
	struct ibuf_packet *made;
	int error;

	memset(&o, 0, sizeof(o));
	if (options != NULL)
		o = *options;
	made = (struct ibuf_packet *)calloc(1, sizeof(*made));
	if (made == NULL)
		return -ENOMEM;
	made->holders = 1;
	made->block_size = o.block_size != 0 ? o.block_size : 1u << 18;
	made->blocks = o.blocks != 0 ? o.blocks : 64;
	made->edge = -1;
	made->fd =
		socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	error = made->fd < 0 ? -errno : ibuf_packet_map_(made, o.timeout_ms);
	if (error == 0)
		error = ibuf_packet_watch_(made);
	if (error == 0)
		error = ibuf_packet_bind_(made->fd, &o);
	if (error == 0) {
		*k = made;
		return 0;
	}
	if (made->edge >= 0)
		close(made->edge);
	if (made->fd >= 0)
		close(made->fd);
	ibuf_packet_drop_(made);
	return error;
}

static inline int
ibuf_packet_fd(const struct ibuf_packet *k)
{
	return k->edge;
}

static inline void
ibuf_packet_close(struct ibuf_packet *k)
{
	struct sock_filter none = {BPF_RET | BPF_K, 0, 0, 0};
	struct sock_fprog filter = {1, &none};

	if (k == NULL)
		return;
	/* The mapping keeps the socket, which is to receive nothing more. */
	(void)setsockopt(k->fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
			 sizeof(filter));
	close(k->edge);
	close(k->fd);
	ibuf_mbuf_free(k->block);
	ibuf_packet_drop_(k);
}

/* ---- blocks and frames ------------------------------------------------- */

/* No message shows the block any more: in whatever thread. */
static inline void
ibuf_packet_release_(void *bytes, size_t len, void *arg)
{
	struct tpacket_block_desc *block = (struct tpacket_block_desc *)bytes;

	(void)len;
	IBUF_PACKET_HIDE_(block + 1, len - sizeof(*block));
	/* Pairs with the kernel, which writes when it has seen it. */
	__atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL,
			 __ATOMIC_RELEASE);
	ibuf_packet_drop_((struct ibuf_packet *)arg);
}

/* 1: the next block is here; 0: the kernel has it; -ENOMEM. */
static inline int
ibuf_packet_next_(struct ibuf_packet *k)
{
	uint8_t *at = k->ring + k->next * k->block_size;
	struct tpacket_hdr_v1 *header =
		&((struct tpacket_block_desc *)(void *)at)->hdr.bh1;

	/* Pairs with the kernel, which has written the block before. */
	if ((__atomic_load_n(&header->block_status, __ATOMIC_ACQUIRE) &
	     TP_STATUS_USER) == 0)
		return 0;
	k->block = ibuf_mbuf_wrap(at, k->block_size, ibuf_packet_release_, k);
	if (k->block == NULL)
		return -ENOMEM;
	IBUF_PACKET_SHOW_(at, k->block_size);
	/* Relaxed: the kernel does not write what is not its own. */
	__atomic_store_n(&header->block_status, IBUF_PACKET_OUT_,
			 __ATOMIC_RELAXED);
	/* Relaxed: this holder keeps the ring meanwhile. */
	__atomic_fetch_add(&k->holders, 1, __ATOMIC_RELAXED);
	k->off = header->offset_to_first_pkt;
	k->left = header->num_pkts;
	k->next = (k->next + 1) % k->blocks;
	return 1;
}

/* The kernel took the tag out of the bytes; put it back. */
static inline void
ibuf_packet_tag_(const struct tpacket3_hdr *header, uint8_t *mac)
{
	uint32_t tag = (header->tp_status & TP_STATUS_VLAN_TPID_VALID) != 0
			       ? header->hv1.tp_vlan_tpid
			       : ETH_P_8021Q;
	uint8_t *at = mac + IBUF_PACKET_BEFORE_ - IBUF_PACKET_TAG_;

	memmove(mac - IBUF_PACKET_TAG_, mac, IBUF_PACKET_BEFORE_);
	at[0] = (uint8_t)(tag >> 8);
	at[1] = (uint8_t)tag;
	at[2] = (uint8_t)(header->hv1.tp_vlan_tci >> 8);
	at[3] = (uint8_t)header->hv1.tp_vlan_tci;
}

static inline bool
ibuf_packet_take_(struct ibuf_packet *k, struct ibuf_packet_frame *frame)
{
	uint8_t *base =
		k->ring + (k->next + k->blocks - 1) % k->blocks * k->block_size;
	struct tpacket3_hdr *header =
		(struct tpacket3_hdr *)(void *)(base + k->off);
	const struct sockaddr_ll *from =
		(const struct sockaddr_ll *)(const void *)(base + k->off +
							   IBUF_PACKET_HEAD_);
	uint8_t *at = base + k->off + header->tp_mac;
	uint32_t len = header->tp_snaplen, tag = 0;

	if ((header->tp_status & TP_STATUS_VLAN_VALID) != 0 &&
	    (from->sll_hatype == IBUF_PACKET_ETHER_ ||
	     from->sll_hatype == IBUF_PACKET_LOOPBACK_) &&
	    len >= IBUF_PACKET_BEFORE_)
		tag = IBUF_PACKET_TAG_;
	frame->m =
		ibuf_mbuf_slice(k->block, (size_t)(at - tag - base), len + tag);
	if (frame->m == NULL)
		return false;
	if (tag != 0)
		ibuf_packet_tag_(header, at);
	frame->time_ns = (int64_t)header->tp_sec * 1000000000 + header->tp_nsec;
	frame->wire = header->tp_len + tag;
	frame->interface = (unsigned)from->sll_ifindex;
	frame->link = from->sll_hatype;
	frame->type = from->sll_pkttype;
	k->off += header->tp_next_offset;
	k->left--;
	return true;
}

static inline int
ibuf_packet_error_(const struct ibuf_packet *k)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(k->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	return -error;
}

/* There is none; from now on the descriptor says when there is. */
static inline int
ibuf_packet_arm_(struct ibuf_packet *k)
{
	struct epoll_event event;

	(void)epoll_wait(k->edge, &event, 1, 0);
	return ibuf_packet_next_(k);
}

static inline int
ibuf_packet_recv(struct ibuf_packet *k, struct ibuf_packet_frame *frames, int n)
{
	int got = 0, rc = 1;

	while (got < n && rc > 0) {
		if (k->block == NULL)
			rc = ibuf_packet_next_(k);
		else if (ibuf_packet_take_(k, &frames[got]))
			got++;
		else
			rc = -ENOMEM;
		if (k->block != NULL && k->left == 0) {
			/* Its frames hold it. */
			ibuf_mbuf_free(k->block);
			k->block = NULL;
		}
		if (rc == 0 && got == 0)
			rc = ibuf_packet_arm_(k);
	}
	if (got != 0 || n <= 0)
		return got;
	return rc < 0 ? rc : ibuf_packet_error_(k);
}

static inline int
ibuf_packet_get_stats(struct ibuf_packet *k, struct ibuf_packet_stats *stats)
{
	struct tpacket_stats_v3 since;
	socklen_t size = sizeof(since);

	if (getsockopt(k->fd, SOL_PACKET, PACKET_STATISTICS, &since, &size) !=
	    0)
		return -errno;
	/* The kernel forgets what it has told. */
	k->stats.frames += since.tp_packets;
	k->stats.dropped += since.tp_drops;
	k->stats.frozen += since.tp_freeze_q_cnt;
	*stats = k->stats;
	return 0;
}

IBUF_END_BODIES_
IBUF_END_DECLS

#endif
