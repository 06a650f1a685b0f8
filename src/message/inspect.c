/* inspect.c - a message is checked, and shown to a person. */
#define _POSIX_C_SOURCE 200809L
#include "../library.h"

#include <ibuf/mbuf.h>

#include "chain.h"
#include "lines.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

/* ---- validate ---------------------------------------------------------- */

static bool
header_is_valid(const struct ibuf_mbuf *s)
{
	const struct ibuf_owner *owner = ibuf_owner_find_(s->pool_);
	uint32_t own;

	if (owner == NULL || (s->flags_ & IBUF_MBUF_LIVE_) == 0)
		return false;
	if (!is_direct(s))
		return true;
	if (owner->room_offset == 0)
		return false; /* the heap has none */
	own = load_acquire_u32(&s->own_.count_);
	return is_in_own_room(s) == ((own & IBUF_ROOM_HEADER_) == 0) &&
	       is_in_own_room(s) == ((s->flags_ & IBUF_MBUF_AWAY_) == 0);
}

static bool
segment_is_valid(const struct ibuf_mbuf *s)
{
	unsigned rights = s->flags_ & BOTH_RIGHTS;
	uint32_t segments, size;

	if (s->room_ == NULL || (s->flags_ & ROOM_KIND) == ROOM_KIND ||
	    s->base_ != ibuf_room_base_(s))
		return false;
	if ((s->flags_ & IBUF_MBUF_RDONLY_) != 0 &&
	    (rights != 0 || (s->flags_ & IBUF_MBUF_WRAPPED_) == 0))
		return false;
	size = ibuf_room_size_(s);
	segments = load_acquire_u32(&s->room_->count_) & IBUF_ROOM_SEGMENTS_;
	if (segments == 0 || s->room_->headroom_ > size)
		return false;
	if (s->off_ > size || s->len_ > size - s->off_)
		return false;
	if ((rights & IBUF_MBUF_TAIL_) != 0)
		return s->cap_ == size;
	return s->cap_ <= size;
}

int
ibuf_mbuf_validate(const struct ibuf_mbuf *m)
{
	const struct ibuf_mbuf *s = m, *last = m;
	size_t rest = 0, segments = 0;

	do {
		if (!header_is_valid(s) || !segment_is_valid(s))
			return -EINVAL;
		/* Only an empty message has an empty segment. */
		if (s->len_ == 0 && (s != m || m->next_ != NULL))
			return -EINVAL;
		if (s != m && s->last_ != last)
			return -EINVAL;
		if ((s != m) != ((s->flags_ & IBUF_MBUF_INNER_) != 0))
			return -EINVAL;
		if (s != m)
			rest += s->len_;
		segments++;
		last = s;
		/* A circle would be met here before it is run through. */
		if (m->next_ != NULL && segments > m->last_->rest_)
			return -EINVAL;
	} while ((s = s->next_) != NULL);
	if (m->next_ != NULL &&
	    (m->last_ != last || m->rest_ != rest || last->rest_ != segments))
		return -EINVAL;
	return rest <= MESSAGE_MAX - m->len_ ? 0 : -EINVAL;
}

/* ---- dump -------------------------------------------------------------- */

static const char *
rights_name(const struct ibuf_mbuf *s)
{
	static const char *const names[] = {"none", "HEAD", "TAIL",
					    "HEAD and TAIL"};

	if (segment_owns(s))
		return "sole owner";
	return names[s->flags_ & BOTH_RIGHTS];
}

/* false: the stream takes no more. */
static bool
dump_line(const uint8_t *bytes, size_t n, size_t off, FILE *to)
{
	static const char digits[] = "0123456789abcdef";
	char hex[3 * BYTES_A_LINE + 2], text[BYTES_A_LINE + 1], *at;
	size_t i;

	memset(hex, ' ', sizeof hex);
	for (i = 0; i < n; i++) {
		/* Two halves, with a blank more in between. */
		at = hex + 3 * i + (i >= BYTES_A_LINE / 2) + 1;
		at[0] = digits[bytes[i] >> 4];
		at[1] = digits[bytes[i] & 15];
		text[i] = (char)(isprint(bytes[i]) ? bytes[i] : '.');
	}
	hex[sizeof hex - 1] = text[n] = '\0';
	return fprintf(to, "    %08zx %s  |%s|\n", off, hex, text) >= 0;
}

/* off: of the segment's first byte in the message. */
static void
dump_segment(const struct ibuf_mbuf *s, size_t index, size_t off, FILE *to)
{
	uint32_t count = load_acquire_u32(&s->room_->count_);
	struct line line = {0, 0};

	fprintf(to,
		"  segment %zu: %" PRIu32 " bytes at %p, headroom %zu, "
		"tailroom %zu, rights: %s\n",
		index, s->len_, (const void *)segment_data(s),
		segment_owns(s) || (s->flags_ & IBUF_MBUF_HEAD_) != 0
			? (size_t)s->off_
			: 0,
		segment_owns(s) || (s->flags_ & IBUF_MBUF_TAIL_) != 0
			? (size_t)(ibuf_room_size_(s) - s->off_ - s->len_)
			: 0,
		rights_name(s));
	fprintf(to,
		"    room: %s, %" PRIu32 " bytes at %p, made with headroom "
		"%" PRIu32 ", segments: %" PRIu32 "\n",
		ibuf_room_name_(s), ibuf_room_size_(s), (const void *)s->base_,
		s->room_->headroom_, count & IBUF_ROOM_SEGMENTS_);
	while (line_next(&line, s->len_) &&
	       dump_line(segment_data(s) + line.at, line.n, off + line.at, to))
		;
}

void
ibuf_mbuf_dump(const struct ibuf_mbuf *m, FILE *to)
{
	const struct ibuf_mbuf *s;
	size_t index = 0, off = 0;

	fprintf(to, "mbuf %p of %s: %zu bytes in %zu segment%s\n",
		(const void *)m, owner_of(m)->name, ibuf_mbuf_len(m),
		ibuf_mbuf_segments(m), m->next_ == NULL ? "" : "s");
	for (s = m; s != NULL; s = s->next_) {
		dump_segment(s, index++, off, to);
		off += s->len_;
	}
}
