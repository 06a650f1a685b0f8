/* op_segment.c - written in place; joined, cut, made contiguous. */
#include "operations.h"

#include <errno.h>
#include <string.h>

/* ---- in place ------------------------------------------------------ */

static void
move_private(struct message *a, size_t first, size_t last)
{
	message_move(a, first, last, segment_plan_private);
}

/* Write some bytes in place, here and in the model. */
static void
scribble(struct message *a, uint8_t *at, size_t off, size_t n, uint8_t byte)
{
	for (size_t i = 0; i < n; i += 1 + byte % 7) {
		at[i] = (uint8_t)(at[i] ^ (byte | 1));
		a->bytes[off + i] = at[i];
	}
}

void
op_data_mut(struct world *w, const struct operation *op, struct message *a)
{
	uint8_t *data;

	say(w, "data_mut(m%u), and it is written", slot_of(w, a));
	arm(op);
	data = ibuf_mbuf_data_mut(a->m);
	if (!made(data, a->segments == 1))
		return;
	move_private(a, 0, 0);
	CHECK(data == ibuf_mbuf_data(a->m));
	scribble(a, data, 0, a->len, op->byte);
}

void
op_at_mut(struct world *w, const struct operation *op, struct message *a)
{
	size_t off = op->x % (a->len + 2), run = SIZE_MAX, in = off, i;
	uint8_t *at;

	say(w, "at_mut(m%u, %zu), and it is written", slot_of(w, a), off);
	arm(op);
	at = ibuf_mbuf_at_mut(a->m, off, op->how & 1 ? &run : NULL);
	if (!made(at, off <= a->len)) {
		CHECK_EQUAL(run, SIZE_MAX);
		return;
	}
	i = message_find(a, &in);
	move_private(a, i, i);
	if (op->how & 1)
		CHECK_EQUAL(run, a->at[i].len - in);
	scribble(a, at, off, a->at[i].len - in, op->byte);
}

void
op_unshare(struct world *w, const struct operation *op, struct message *a)
{
	say(w, "unshare(m%u)", slot_of(w, a));
	arm(op);
	if (!did(ibuf_mbuf_unshare(a->m), 0))
		return;
	move_private(a, 0, a->segments - 1);
	CHECK(ibuf_mbuf_is_unique(a->m));
}

void
op_write_at(struct world *w, const struct operation *op, struct message *a)
{
	const uint8_t *copy, *bytes;
	size_t off, n;
	bool inside;

	range_of(op, a->len, &off, &n);
	inside = is_inside(a, off, n);
	if (inside) {
		bytes = source_of(w, op, a, &n, &copy);
	} else {
		copy = bytes = w->source;
	}
	say(w, "write_at(m%u, %zu, %zu bytes%s)", slot_of(w, a), off, n,
	    copy == bytes ? "" : " of a message");
	arm(op);
	if (!did(ibuf_mbuf_write_at(a->m, off, bytes, n),
		 inside ? 0 : -ERANGE) ||
	    n == 0)
		return;
	memcpy(a->bytes + off, copy, n);
	n = off + n - 1;
	move_private(a, message_find(a, &off), message_find(a, &n));
}

/* ---- joined, cut --------------------------------------------------- */

void
op_concat(struct world *w, const struct operation *op, struct message *a)
{
	struct message *tail = other_of(w, op);
	int expected = tail == a ? -EINVAL : 0;

	if (a->len + tail->len > BYTES_MAX ||
	    a->segments + tail->segments > SEGMENTS_MAX)
		return;
	say(w, "concat(m%u, m%u)", slot_of(w, a), slot_of(w, tail));
	arm(op);
	if (did(ibuf_mbuf_concat(a->m, tail->m), expected))
		message_concat(a, tail);
}

void
op_split(struct world *w, const struct operation *op, struct message *a)
{
	struct message *rest = free_slot(w, a, op->slots >> 3);
	size_t at = op->x % (a->len + 2);
	struct ibuf_mbuf *m;

	switch (op->how & 7) {
	case 0:
		at = a->at[0].len;
		break;
	case 1:
		at = a->len;
		break;
	case 2:
		at = 0;
		break;
	case 3:
		at = a->len - message_last(a)->len;
		break;
	default:
		break;
	}
	say(w, "m%u = split(m%u, %zu)", slot_of(w, rest), slot_of(w, a), at);
	arm(op);
	m = ibuf_mbuf_split(a->m, at);
	if (made(m, at <= a->len))
		message_split(a, at, m, rest);
}

void
op_concat_front(struct world *w, const struct operation *op, struct message *a)
{
	struct message *front = other_of(w, op);
	int expected = front == a ? -EINVAL : 0;

	if (a->len + front->len > BYTES_MAX ||
	    a->segments + front->segments > SEGMENTS_MAX)
		return;
	say(w, "concat_front(m%u, m%u)", slot_of(w, a), slot_of(w, front));
	arm(op);
	if (did(ibuf_mbuf_concat_front(a->m, front->m), expected))
		message_concat_front(a, front);
}

void
op_split_front(struct world *w, const struct operation *op, struct message *a)
{
	struct message *front = free_slot(w, a, op->slots >> 3);
	struct ibuf_mbuf *const none = (struct ibuf_mbuf *)(void *)w, *m = none;
	size_t n = op->x % (a->len + 2);

	switch (op->how & 7) {
	case 0:
		n = a->at[0].len;
		break;
	case 1:
		n = a->len;
		break;
	case 2:
		n = 0;
		break;
	case 3:
		n = a->len - message_last(a)->len;
		break;
	default:
		break;
	}
	say(w, "split_front(m%u, %zu, &m%u)", slot_of(w, a), n,
	    slot_of(w, front));
	arm(op);
	if (did(ibuf_mbuf_split_front(a->m, n, &m), n <= a->len ? 0 : -ERANGE))
		message_split_front(a, n, m, front);
	else
		CHECK(m == none);
}

/* ---- contiguous ---------------------------------------------------- */

void
op_linearize(struct world *w, const struct operation *op, struct message *a)
{
	say(w, "linearize(m%u)", slot_of(w, a));
	arm(op);
	if (did(ibuf_mbuf_linearize(a->m), 0))
		message_gather(a, a->len);
}

void
op_pullup(struct world *w, const struct operation *op, struct message *a)
{
	size_t n = op->x % (a->len + 2);
	const uint8_t *data;

	say(w, "pullup(m%u, %zu)", slot_of(w, a), n);
	arm(op);
	data = ibuf_mbuf_pullup(a->m, n);
	if (!made(data, n <= a->len))
		return;
	message_gather(a, n);
	CHECK(data == ibuf_mbuf_seg_data(a->m));
}
