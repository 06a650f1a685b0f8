/*
 * layout.c - where the members of public structs lie, and how large these are:
 * programs are compiled with it, inline functions too.  On machines with 64-bit
 * pointers; compiled by the tests, never linked.
 *
 * A line that is no longer true means that programs which were built against a
 * release would not run with the library: after 0.1.0 that takes a new soname.
 * Structs that are handed over with their size may grow at the end, so only the
 * least that they have is said.
 */
#include <ibuf/ibuf.h>
#include <stddef.h>

#define AT(kind, member, offset)                                               \
	_Static_assert(offsetof(struct kind, member) == (offset),              \
		       #kind "." #member)
#define SIZE(kind, size) _Static_assert(sizeof(struct kind) == (size), #kind)
#define SIZE_AT_LEAST(kind, size)                                              \
	_Static_assert(sizeof(struct kind) >= (size), #kind)

#if UINTPTR_MAX == UINT64_MAX

AT(ibuf_cursor, m_, 0);
AT(ibuf_cursor, seg_, 8);
AT(ibuf_cursor, at_, 16);
AT(ibuf_cursor, end_, 24);
AT(ibuf_cursor, behind_, 32);
AT(ibuf_cursor, stop_, 40);
SIZE(ibuf_cursor, 48);

AT(ibuf_provider, map, 0);
AT(ibuf_provider, unmap, 8);
AT(ibuf_provider, context, 16);
SIZE(ibuf_provider, 24);

AT(ibuf_pool_options, size, 0);
AT(ibuf_pool_options, name, 8);
AT(ibuf_pool_options, capacity, 16);
AT(ibuf_pool_options, headroom, 24);
AT(ibuf_pool_options, initial, 32);
AT(ibuf_pool_options, max, 40);
AT(ibuf_pool_options, cache, 48);
AT(ibuf_pool_options, alignment, 56);
AT(ibuf_pool_options, private_size, 64);
AT(ibuf_pool_options, flags, 72);
AT(ibuf_pool_options, provider, 80);
SIZE_AT_LEAST(ibuf_pool_options, 88);

AT(ibuf_pool_stats, capacity, 0);
AT(ibuf_pool_stats, allocated, 8);
AT(ibuf_pool_stats, available, 16);
AT(ibuf_pool_stats, cached, 24);
AT(ibuf_pool_stats, peak, 32);
AT(ibuf_pool_stats, handles, 40);
AT(ibuf_pool_stats, allocs, 48);
AT(ibuf_pool_stats, frees, 56);
AT(ibuf_pool_stats, grows, 64);
AT(ibuf_pool_stats, failures, 72);
AT(ibuf_pool_stats, waits, 80);
AT(ibuf_pool_stats, copied_bytes, 88);
AT(ibuf_pool_stats, mapped_bytes, 96);
SIZE_AT_LEAST(ibuf_pool_stats, 104);

AT(ibuf_io_datagram, m, 0);
AT(ibuf_io_datagram, peer, 8);
AT(ibuf_io_datagram, peer_len, 136);
AT(ibuf_io_datagram, truncated, 140);
SIZE(ibuf_io_datagram, 144);

AT(ibuf_io_control, data, 0);
AT(ibuf_io_control, size, 8);
AT(ibuf_io_control, len, 16);
AT(ibuf_io_control, flags, 24);
AT(ibuf_io_control, segment_size, 28);
AT(ibuf_io_control, takes_descriptors, 30);
SIZE(ibuf_io_control, 32);

AT(ibuf_tcache_, top_, 0);
AT(ibuf_tcache_, end_, 8);
AT(ibuf_tcache_, base_, 16);
AT(ibuf_tcache_, taken_, 24);
AT(ibuf_tcache_, given_, 32);
AT(ibuf_tcache_, previous_, 40);
AT(ibuf_tcache_, link_, 48);
AT(ibuf_tcache_, kept_, 56);
SIZE(ibuf_tcache_, 64);

AT(ibuf_tcaches_, of_, 0);
SIZE(ibuf_tcaches_, 128);

AT(ibuf_recent_, direct_, 0);
AT(ibuf_recent_, indirect_, 4);
AT(ibuf_recent_, tcaches_, 8);
AT(ibuf_recent_, wiping_, 16);
SIZE(ibuf_recent_, 24);

AT(ibuf_kept_, first_, 0);
AT(ibuf_kept_, places_, 8);
AT(ibuf_kept_, block_, 12);
SIZE(ibuf_kept_, 16);

AT(ibuf_thread_, recent_, 0);
AT(ibuf_thread_, rest_of_line_, 24);
AT(ibuf_thread_, tcaches_, 64);
AT(ibuf_thread_, parts_, 32832);
AT(ibuf_thread_, kept_, 34880);
SIZE(ibuf_thread_, 35152);

AT(ibuf_room_, count_, 0);
AT(ibuf_room_, headroom_, 4);
SIZE(ibuf_room_, 8);

AT(ibuf_mbuf, off_, 0);
AT(ibuf_mbuf, len_, 4);
AT(ibuf_mbuf, cap_, 8);
AT(ibuf_mbuf, flags_, 12);
AT(ibuf_mbuf, pool_, 14);
AT(ibuf_mbuf, base_, 16);
AT(ibuf_mbuf, room_, 24);
AT(ibuf_mbuf, next_, 32);
AT(ibuf_mbuf, last_, 40);
AT(ibuf_mbuf, rest_, 48);
AT(ibuf_mbuf, own_, 56);
SIZE(ibuf_mbuf, 64);

AT(ibuf_fresh_, off_, 0);
AT(ibuf_fresh_, len_, 4);
AT(ibuf_fresh_, cap_, 8);
AT(ibuf_fresh_, flags_, 12);
AT(ibuf_fresh_, pool_, 14);
SIZE(ibuf_fresh_, 16);

AT(ibuf_pool_front_, fresh_, 0);
AT(ibuf_pool_front_, tcache_, 16);
SIZE(ibuf_pool_front_, 24);

/* Numbers that programs are compiled with. */
#define IS(name, value) _Static_assert((name) == (value), #name)

IS(IBUF_POOL_F_WAIT, 0x2);
IS(IBUF_POOL_F_WIPE, 0x1);
IS(IBUF_QUEUE_F_SINGLE_CONSUMER, 0x2);
IS(IBUF_QUEUE_F_SINGLE_PRODUCER, 0x1);

#endif
