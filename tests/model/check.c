/* check.c - what can be seen of the library is what the model says. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

void
fail_unequal(const char *file, int line, const char *what, uintmax_t is,
	     uintmax_t expected)
{
	fprintf(stderr, "%s:%d: %s is %ju, expected %ju\n", file, line, what,
		is, expected);
	abort();
}

/* ---- messages ------------------------------------------------------ */

/* The address of a room is learnt once. */
static void
check_address(struct room *room, const uint8_t *base)
{
	if (room->base == NULL)
		room->base = base;
	CHECK(room->base == base);
}

static void
check_segments(struct message *message)
{
	const struct ibuf_mbuf *s = message->m;
	const uint8_t *bytes = message->bytes;

	for (size_t i = 0; i < message->segments; i++) {
		struct segment *w = &message->at[i];

		CHECK(s != NULL);
		CHECK_EQUAL(ibuf_mbuf_seg_len(s), w->len);
		check_address(w->room, ibuf_mbuf_seg_data(s) - w->off);
		CHECK(memcmp(ibuf_mbuf_seg_data(s), bytes, w->len) == 0);
		if (w->room->wrap != NULL)
			CHECK_EQUAL(w->room->wrap->released, 0);
		bytes += w->len;
		s = ibuf_mbuf_seg_next(s);
	}
	CHECK(s == NULL);
}

static void
check_private(struct message *message)
{
	static uint8_t stamps;
	struct segment *w = &message->at[0];
	size_t size = w->owner->private_size;
	uint8_t *area = ibuf_mbuf_private(message->m);

	CHECK((area == NULL) == (size == 0));
	if (area == NULL)
		return;
	CHECK_EQUAL((uintptr_t)area % 16, 0);
	for (size_t i = 0; i < size; i++) {
		if (w->private_state == PRIVATE_ZERO)
			CHECK_EQUAL(area[i], 0);
		if (w->private_state == PRIVATE_STAMPED)
			CHECK_EQUAL(area[i], w->stamp);
	}
	if (w->private_state == PRIVATE_STAMPED)
		return;
	w->private_state = PRIVATE_STAMPED;
	w->stamp = ++stamps;
	memset(area, w->stamp, size);
}

void
check_message(struct message *message)
{
	const struct ibuf_mbuf *m = message->m;
	const struct segment *first = &message->at[0];
	const struct segment *last = message_last(message);
	bool contiguous = message->segments == 1;

	CHECK_EQUAL(-ibuf_mbuf_validate(m), 0);
	CHECK_EQUAL(ibuf_mbuf_len(m), message->len);
	CHECK_EQUAL(ibuf_mbuf_segments(m), message->segments);
	CHECK_EQUAL(ibuf_mbuf_is_contiguous(m), contiguous);
	check_segments(message);
	CHECK(ibuf_mbuf_data(m) == (contiguous ? ibuf_mbuf_seg_data(m) : NULL));
	CHECK_EQUAL(ibuf_mbuf_headroom(m), segment_headroom(first));
	CHECK_EQUAL(ibuf_mbuf_tailroom(m), segment_tailroom(last));
	CHECK_EQUAL(ibuf_mbuf_capacity(m),
		    message->len - last->len + segment_capacity(last));
	CHECK_EQUAL(ibuf_mbuf_is_unique(m), message_is_unique(message));
	CHECK(ibuf_mbuf_pool(m) == first->owner->pool);
	check_private(message);
}

/* ---- owners --------------------------------------------------------- */

void
check_owner(const struct owner *owner)
{
	struct ibuf_pool_stats stats;

	CHECK_EQUAL(-ibuf_pool_get_stats(owner->pool, &stats, sizeof(stats)),
		    0);
	CHECK_EQUAL(stats.handles, owner->others);
	CHECK_EQUAL(stats.copied_bytes, owner->copied);
	if (!owner->is_pool)
		return;
	CHECK_EQUAL(stats.allocated, owner->direct);
	CHECK_EQUAL(stats.capacity, stats.allocated + stats.available);
	CHECK_EQUAL(stats.allocs - stats.frees, owner->direct);
	CHECK(owner->max == 0 || stats.capacity <= owner->max);
	CHECK(stats.cached <= stats.available);
	CHECK(stats.peak >= stats.allocated);
}
