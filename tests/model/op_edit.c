/* op_edit.c - both ends of a message: longer, shorter, read, emptied. */
#include "operations.h"

#include <errno.h>
#include <string.h>

/* What an addition of n bytes must say. */
static int
expected_of(size_t n)
{
	return is_huge(n) ? -EOVERFLOW : 0;
}

/* ---- longer -------------------------------------------------------- */

void
op_append(struct world *w, const struct operation *op, struct message *a)
{
	size_t n = size_of(op, a);
	const uint8_t *copy, *bytes = source_of(w, op, a, &n, &copy);

	say(w, "append(m%u, %zu bytes%s)", slot_of(w, a), n,
	    copy == bytes ? "" : " of a message");
	arm(op);
	if (did(ibuf_mbuf_append(a->m, bytes, n), expected_of(n)))
		message_append(a, copy, n);
}

void
op_append_range(struct world *w, const struct operation *op, struct message *a)
{
	const struct message *from = other_of(w, op);
	uint8_t copy[BYTES_MAX];
	size_t off, n;
	bool inside;

	range_of(op, from->len, &off, &n);
	inside = is_inside(from, off, n);
	if (inside && a->len + n > BYTES_MAX)
		return;
	say(w, "append_range(m%u, m%u, %zu, %zu)", slot_of(w, a),
	    slot_of(w, from), off, n);
	if (inside)
		memcpy(copy, from->bytes + off, n);
	arm(op);
	if (did(ibuf_mbuf_append_range(a->m, from->m, off, n),
		inside ? expected_of(n) : -ERANGE))
		message_append(a, copy, n);
}

void
op_write(struct world *w, const struct operation *op, struct message *a)
{
	size_t n = size_of(op, a);
	const uint8_t *copy, *bytes = source_of(w, op, a, &n, &copy);
	ssize_t written;

	say(w, "write(m%u, %zu bytes%s)", slot_of(w, a), n,
	    copy == bytes ? "" : " of a message");
	arm(op);
	written = ibuf_mbuf_write(a->m, bytes, n);
	if (!did(written < 0 ? (int)written : 0, expected_of(n)))
		return;
	CHECK_EQUAL(written, n);
	message_append(a, copy, n);
}

void
op_prepend(struct world *w, const struct operation *op, struct message *a)
{
	size_t n = size_of(op, a);
	const uint8_t *copy, *bytes = source_of(w, op, a, &n, &copy);

	say(w, "prepend(m%u, %zu bytes%s)", slot_of(w, a), n,
	    copy == bytes ? "" : " of a message");
	arm(op);
	if (did(ibuf_mbuf_prepend(a->m, bytes, n), expected_of(n)))
		message_prepend(a, copy, n);
}

void
op_fill(struct world *w, const struct operation *op, struct message *a)
{
	size_t n = size_of(op, a);

	say(w, "append_fill(m%u, %u, %zu)", slot_of(w, a), op->byte, n);
	arm(op);
	if (!did(ibuf_mbuf_append_fill(a->m, op->byte, n), expected_of(n)))
		return;
	memset(w->scratch, op->byte, n);
	message_append(a, w->scratch, n);
}

void
op_extend_tail(struct world *w, const struct operation *op, struct message *a)
{
	const uint8_t *bytes = w->source + op->byte;
	size_t n = size_of(op, a);
	uint8_t *added;

	say(w, "extend_tail(m%u, %zu)", slot_of(w, a), n);
	arm(op);
	added = ibuf_mbuf_extend_tail(a->m, n);
	if (!made(added, !is_huge(n)))
		return;
	memcpy(added, bytes, n);
	message_append(a, bytes, n);
}

void
op_extend_head(struct world *w, const struct operation *op, struct message *a)
{
	const uint8_t *bytes = w->source + op->byte;
	size_t n = size_of(op, a);
	uint8_t *added;

	say(w, "extend_head(m%u, %zu)", slot_of(w, a), n);
	arm(op);
	added = ibuf_mbuf_extend_head(a->m, n);
	if (!made(added, !is_huge(n)))
		return;
	memcpy(added, bytes, n);
	message_prepend(a, bytes, n);
}

void
op_printf(struct world *w, const struct operation *op, struct message *a)
{
	size_t n = size_of(op, a);
	int width;

	if (is_huge(n) || n == 0) {
		say(w, "printf(m%u, \"\")", slot_of(w, a));
		CHECK_EQUAL(-ibuf_mbuf_printf(a->m, "%s", ""), 0);
		return;
	}
	width = (int)n;
	say(w, "printf(m%u, \"%%*u\", %d)", slot_of(w, a), width);
	/* Digits of a byte, in front of them zeros. */
	snprintf((char *)w->scratch, BYTES_MAX, "%0*u", width, op->byte);
	n = strlen((char *)w->scratch);
	if (n > BYTES_MAX - a->len || (size_t)width >= BYTES_MAX)
		return;
	arm(op);
	if (did(ibuf_mbuf_printf(a->m, "%0*u", width, op->byte), 0))
		message_append(a, w->scratch, n);
}

/* What is reserved may be written, and is not data yet. */
void
op_reserve(struct world *w, const struct operation *op, struct message *a)
{
	size_t n = size_of(op, a);
	const struct segment *last;
	uint8_t *room;

	say(w, "reserve(m%u, %zu)", slot_of(w, a), n);
	arm(op);
	room = ibuf_mbuf_reserve(a->m, n);
	if (!made(room, !is_huge(n)))
		return;
	memset(room, op->byte, n);
	message_reserve(a, n);
	last = message_last(a);
	if (last->room->base != NULL)
		CHECK(room == last->room->base + last->off + last->len);
}

void
op_commit(struct world *w, const struct operation *op, struct message *a)
{
	size_t room = segment_tailroom(message_last(a)), n = op->x % (room + 2);
	const uint8_t *bytes = w->source + op->byte;

	if (n > BYTES_MAX - a->len)
		n = BYTES_MAX - a->len;
	say(w, "commit(m%u, %zu)", slot_of(w, a), n);
	if (n <= room)
		memcpy(ibuf_mbuf_reserve(a->m, 0), bytes, n);
	if (did(ibuf_mbuf_commit(a->m, n), n <= room ? 0 : -ERANGE))
		message_append(a, bytes, n);
}

/* ---- numbers ------------------------------------------------------- */

/* Call the one of nine functions that kind says; *n: bytes it adds. */
#define NUMBER(where)                                                          \
	static int where##_number(struct ibuf_mbuf *m, unsigned kind,          \
				  uint64_t v)                                  \
	{                                                                      \
		switch (kind) {                                                \
		case 0:                                                        \
			return ibuf_mbuf_##where##_u8(m, (uint8_t)v);          \
		case 1:                                                        \
			return ibuf_mbuf_##where##_be16(m, (uint16_t)v);       \
		case 2:                                                        \
			return ibuf_mbuf_##where##_be24(m, (uint32_t)v);       \
		case 3:                                                        \
			return ibuf_mbuf_##where##_be32(m, (uint32_t)v);       \
		case 4:                                                        \
			return ibuf_mbuf_##where##_be64(m, v);                 \
		case 5:                                                        \
			return ibuf_mbuf_##where##_le16(m, (uint16_t)v);       \
		case 6:                                                        \
			return ibuf_mbuf_##where##_le24(m, (uint32_t)v);       \
		case 7:                                                        \
			return ibuf_mbuf_##where##_le32(m, (uint32_t)v);       \
		default:                                                       \
			return ibuf_mbuf_##where##_le64(m, v);                 \
		}                                                              \
	}
NUMBER(append)
NUMBER(prepend)

static void
do_number(struct world *w, const struct operation *op, struct message *a,
	  bool at_the_end)
{
	static const uint8_t sizes[] = {1, 2, 3, 4, 8, 2, 3, 4, 8};
	unsigned kind = op->byte % 9;
	size_t n = sizes[kind];
	uint64_t v = op->x * UINT64_C(0x1000300050007) + op->y;
	int expected = 0;
	uint8_t bytes[8];

	if (n > BYTES_MAX - a->len)
		return;
	if (n == 3 && op->how & 3)
		v &= 0xffffff;
	if (n == 3 && (v & 0xff000000) != 0)
		expected = -ERANGE;
	for (size_t i = 0; i < n; i++)
		bytes[kind < 5 ? n - 1 - i : i] = (uint8_t)(v >> 8 * i);
	say(w, "%s_%s%zu(m%u, ...)", at_the_end ? "append" : "prepend",
	    kind < 5 ? "be" : "le", 8 * n, slot_of(w, a));
	arm(op);
	if (at_the_end && did(append_number(a->m, kind, v), expected))
		message_append(a, bytes, n);
	if (!at_the_end && did(prepend_number(a->m, kind, v), expected))
		message_prepend(a, bytes, n);
}

void
op_append_number(struct world *w, const struct operation *op, struct message *a)
{
	do_number(w, op, a, true);
}

void
op_prepend_number(struct world *w, const struct operation *op,
		  struct message *a)
{
	do_number(w, op, a, false);
}

/* ---- shorter ------------------------------------------------------- */

/* How many bytes to take off: few, to the edge of a segment, all, too many. */
static size_t
less_of(const struct operation *op, const struct message *a)
{
	switch (op->how & 7) {
	case 0:
	case 1:
		return op->x % (a->len + 2);
	case 2:
		return a->at[0].len + op->y % 2;
	case 3:
		return message_last(a)->len + op->y % 2;
	case 4:
		return a->len;
	case 5:
		return op->y % 4 == 0 ? SIZE_MAX - op->byte : 0;
	default:
		return op->x % (a->len < 40 ? a->len + 1 : 40);
	}
}

void
op_trim_head(struct world *w, const struct operation *op, struct message *a)
{
	size_t n = less_of(op, a);

	say(w, "trim_head(m%u, %zu)", slot_of(w, a), n);
	arm(op);
	if (did(ibuf_mbuf_trim_head(a->m, n), n <= a->len ? 0 : -ERANGE))
		message_trim_head(a, n);
}

void
op_trim_tail(struct world *w, const struct operation *op, struct message *a)
{
	size_t n = less_of(op, a);

	say(w, "trim_tail(m%u, %zu)", slot_of(w, a), n);
	arm(op);
	if (did(ibuf_mbuf_trim_tail(a->m, n), n <= a->len ? 0 : -ERANGE))
		message_trim_tail(a, n);
}

void
op_clear(struct world *w, const struct operation *op, struct message *a)
{
	say(w, "clear(m%u)", slot_of(w, a));
	arm(op);
	ibuf_mbuf_clear(a->m);
	did(0, 0);
	message_clear(a);
}

void
op_read(struct world *w, const struct operation *op, struct message *a)
{
	size_t n = less_of(op, a), got = n < a->len ? n : a->len;

	say(w, "read(m%u, %zu)", slot_of(w, a), n);
	arm(op);
	CHECK_EQUAL(ibuf_mbuf_read(a->m, w->scratch, n), got);
	did(0, 0);
	CHECK(memcmp(w->scratch, a->bytes, got) == 0);
	message_trim_head(a, got);
}

void
op_shrink(struct world *w, const struct operation *op, struct message *a)
{
	say(w, "shrink(m%u)", slot_of(w, a));
	arm(op);
	if (did(ibuf_mbuf_shrink(a->m), 0))
		message_move(a, 0, a->segments - 1, segment_plan_smaller);
}
