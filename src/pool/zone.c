/*
 * zone.c - bytes around the rooms of pools: for IBUF_DEBUG=redzone.
 *
 *   | header | private | front zone | mark | pad | room | back zone |
 *
 * A pool lays them out beside what its rooms have, so nothing shrinks.  They
 * are filled when a header goes out and looked at when it comes back.  In a
 * pool that wipes the mark lies behind the front zone, and is looked at as a
 * part of it.
 */
#define _POSIX_C_SOURCE 200809L
#include "debug.h"

#include <inttypes.h>

#define ZONE_BYTE 0xfa
#define ZONE_MOST 256 /* what a large alignment adds is not looked at */

struct zone {
	uint8_t *at;
	size_t n;
};

static struct zone
front_of(const struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	uint8_t *from = (uint8_t *)private_area(m) + p->owner.private_size;
	uint8_t *to = (uint8_t *)m + p->owner.room_offset;

	if (p->owner.wipe)
		to = (uint8_t *)mark_of(to);
	if (to - from > ZONE_MOST)
		from = to - ZONE_MOST;
	return (struct zone){from, (size_t)(to - from)};
}

static struct zone
back_of(const struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	size_t from = p->owner.room_offset + p->owner.room_size;
	size_t n = p->store[IBUF_DIRECT_].slabs.shape.stride - from;

	return (struct zone){(uint8_t *)m + from,
			     n < ZONE_MOST ? n : ZONE_MOST};
}

static void
fill_zone(struct zone zone)
{
	unhide(zone.at, zone.n);
	memset(zone.at, ZONE_BYTE, zone.n);
	hide(zone.at, zone.n);
}

void
ibuf_zone_fill_(const struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	fill_zone(front_of(p, m));
	fill_zone(back_of(p, m));
}

bool
ibuf_zone_is_(const uint8_t *bytes, size_t n, uint8_t byte, size_t *at)
{
	if (n == 0 ||
	    (bytes[0] == byte && memcmp(bytes, bytes + 1, n - 1) == 0))
		return true;
	for (*at = 0; bytes[*at] == byte; ++*at)
		;
	return false;
}

/* ---- what is found -------------------------------------------------------- */

static void
say_neighbour(const struct ibuf_record *record, bool behind)
{
	size_t stride = record->pool->store[IBUF_DIRECT_].slabs.shape.stride;
	uintptr_t at = (uintptr_t)record->of;
	const struct ibuf_record *other;

	ibuf_record_lock_();
	other = ibuf_record_find_((void *)(behind ? at + stride : at - stride));
	ibuf_record_unlock_();
	if (other != NULL)
		ibuf_debug_say_site_(
			behind ? "the mbuf behind was allocated by"
			       : "the mbuf in front was allocated by",
			other->site);
}

static void
say_front(const struct ibuf_record *record)
{
	say_neighbour(record, false);
}

static void
say_behind(const struct ibuf_record *record)
{
	say_neighbour(record, true);
}

/* Is it a mark that the library wrote? */
static bool
is_sound(const struct mark *mark, const struct ibuf_pool *p)
{
	uint32_t low = load_relaxed_u32(&mark->low);
	uint32_t high = load_relaxed_u32(&mark->high);

	return high == 0 ? low == UINT32_MAX
			 : low < high && high <= p->owner.room_size;
}

static void
check_front(const struct ibuf_pool *p, struct ibuf_mbuf *m,
	    const struct ibuf_record *record)
{
	struct zone zone = front_of(p, m);
	uint8_t *base = (uint8_t *)m + p->owner.room_offset;
	size_t at, n = zone.n;
	bool whole;

	unhide(zone.at, zone.n);
	whole = ibuf_zone_is_(zone.at, zone.n, ZONE_BYTE, &at);
	/* The last that is damaged is the nearest. */
	while (!whole && zone.at[n - 1] == ZONE_BYTE)
		n--;
	if (whole && p->owner.wipe && !is_sound(mark_of(base), p)) {
		whole = false;
		n = (size_t)(base - zone.at);
	}
	if (!whole)
		ibuf_debug_die_(record, say_front,
				": byte %zu in front of its room was written",
				(size_t)(base - zone.at) - n + 1);
}

void
ibuf_zone_check_(const struct ibuf_pool *p, struct ibuf_mbuf *m,
		 const struct ibuf_record *record)
{
	struct zone zone = back_of(p, m);
	size_t at;

	check_front(p, m, record);
	unhide(zone.at, zone.n);
	if (!ibuf_zone_is_(zone.at, zone.n, ZONE_BYTE, &at))
		ibuf_debug_die_(record, say_behind,
				": byte %zu behind its room of %" PRIu32
				" was written",
				at + 1, p->owner.room_size);
}
