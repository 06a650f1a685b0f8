/*
 * adapt/packet.h - frames of an interface, by AF_PACKET, not copied.
 *
 *   ring of blocks, shared with the kernel (TPACKET_V3)
 *   +-------------+-------------+-------------+
 *   | frame frame | frame frame |  kernel's   |   a block is a room,
 *   +---^-----^---+-------------+-------------+   a frame a slice of it
 *       m     m
 *
 * The kernel fills a block and hands it over.  Each frame in it is a message,
 * which any thread may keep, cut, send on and free.  With the last message that
 * shows a block, the block goes back to the kernel.
 *
 * The kernel takes the blocks in their order.  So one message that is kept holds
 * up the ring when the kernel comes round to its block, however many others are
 * free, and what comes then is dropped and counted.  What is to be kept for long
 * is copied (ibuf_mbuf_copy()).
 *
 * Linux only; needs CAP_NET_RAW.
 */
#ifndef IBUF_ADAPT_PACKET_H
#define IBUF_ADAPT_PACKET_H

#include <ibuf/base.h>
#include <linux/filter.h>

IBUF_BEGIN_DECLS

struct ibuf_mbuf;
struct ibuf_packet;

/** How a ring is made; all zero: 64 blocks of 256 KiB, of all interfaces. */
struct ibuf_packet_options {
	/** As if_nametoindex() gives it; 0: all. */
	unsigned interface;
	/** Bytes of a block, a multiple of the page size; 0: 256 KiB. */
	unsigned block_size;
	/** Their number; 0: 64. */
	unsigned blocks;
	/** After how many milliseconds a block that has a frame is handed over,
	    full or not; 0: 10. */
	unsigned timeout_ms;
	/** Also frames that are for others. */
	bool promiscuous;
	/** Which frames, and how many bytes of each; NULL: all. */
	const struct sock_fprog *filter;
};

/** A frame that came. */
struct ibuf_packet_frame {
	/** Its bytes, with the VLAN tag that the kernel had taken out. */
	struct ibuf_mbuf *m;
	/** Nanoseconds since 1970. */
	int64_t time_ns;
	/** Its length on the wire: more than m has where it was cut. */
	uint32_t wire;
	/** Where it came from, or went to. */
	unsigned interface;
	/** ARPHRD_*, of linux/if_arp.h: what m begins with. */
	uint16_t link;
	/** PACKET_*, of linux/if_packet.h: for us, others, outgoing ... */
	uint8_t type;
};

/** What a ring counts, from its beginning on. */
struct ibuf_packet_stats {
	/** Frames that passed the filter, also those that were dropped. */
	uint64_t frames;
	/** Frames for which the ring had no place. */
	uint64_t dropped;
	/** How often the kernel found the next block still in use. */
	uint64_t frozen;
};

/**
 * Begin to receive.
 *
 * @param k where the ring goes; untouched on failure
 * @param options how; NULL: all zero
 * @return 0; -EPERM: without CAP_NET_RAW; -ENODEV: no such interface; -ENOMEM;
 *         -EINVAL: a block of no whole pages, a filter that is none; -ENETDOWN
 * @owner the caller ends it by ibuf_packet_close()
 */
static inline int ibuf_packet_open(struct ibuf_packet **k,
				   const struct ibuf_packet_options *options);

/**
 * The descriptor, to poll: readable once a block was handed over, or the interface
 * went down; a call of ibuf_packet_recv() that finds nothing arms it again.
 */
static inline int ibuf_packet_fd(const struct ibuf_packet *k);

/**
 * Take frames that are there.
 *
 * @param frames where they go
 * @param n how many at most
 * @return how many; 0: none now, poll; -ENETDOWN: the interface went down, said
 *         once, and it goes on when it is up again; -ENOMEM: for the headers,
 *         and no frame is lost; -errno
 * @owner the caller has each message, and frees it by ibuf_mbuf_free()
 * @mt object; messages are freed in any thread
 * @cost a header a frame; a malloc, a store for the kernel a block; no system
 *       call where a frame is there
 */
static inline int ibuf_packet_recv(struct ibuf_packet *k,
				   struct ibuf_packet_frame *frames, int n);

/**
 * Read what a ring has counted.
 *
 * @return 0; -errno
 * @mt object
 */
static inline int ibuf_packet_get_stats(struct ibuf_packet *k,
					struct ibuf_packet_stats *stats);

/**
 * End it: nothing is received any more.  The ring's memory goes with the last
 * of its messages, which may live on.
 *
 * @param k the ring; NULL is fine
 * @mt setup for the ring; its messages may be used and freed meanwhile
 */
static inline void ibuf_packet_close(struct ibuf_packet *k);

IBUF_END_DECLS

#include <ibuf/adapt/inline/packet.h>

#endif
