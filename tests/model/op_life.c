/* op_life.c - messages are born, shared and freed; pools come and go. */
#include "operations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- born ---------------------------------------------------------- */

void
op_new(struct world *w, const struct operation *op, struct message *a)
{
	struct message *to = free_slot(w, NULL, op->slots >> 3);
	size_t capacity = op->x % (op->how & 1 ? 300U : 20U);
	size_t headroom = op->y % 50;
	struct ibuf_mbuf *m;

	(void)a;
	if (op->how >> 1 & 1)
		headroom = 0;
	if ((op->how & 63) == 63)
		capacity = SIZE_MAX - op->byte;
	say(w, "m%u = new_headroom(%zu, %zu)", slot_of(w, to), headroom,
	    capacity);
	arm(op);
	m = headroom == 0 ? ibuf_mbuf_new(capacity)
			  : ibuf_mbuf_new_headroom(headroom, capacity);
	if (made(m, !is_huge(capacity)))
		message_open(to, m, &heap,
			     room_on_heap(headroom, capacity, false));
}

void
op_from(struct world *w, const struct operation *op, struct message *a)
{
	struct message *to = free_slot(w, NULL, op->slots >> 3);
	size_t len = op->x % 100;
	struct ibuf_mbuf *m;

	(void)a;
	say(w, "m%u = from(%zu bytes)", slot_of(w, to), len);
	arm(op);
	m = ibuf_mbuf_from(w->source + op->byte, len);
	if (!made(m, true))
		return;
	message_open(to, m, &heap, room_on_heap(0, len, false));
	message_append(to, w->source + op->byte, len);
}

static void
release(void *bytes, size_t len, void *arg)
{
	struct wrapped *wrap = arg;

	CHECK(bytes == wrap->bytes);
	CHECK_EQUAL(len, wrap->len);
	wrap->released++;
	if (!wrap->read_only)
		free(bytes);
}

static void
do_wrap(struct world *w, const struct operation *op, bool read_only)
{
	struct message *to = free_slot(w, NULL, op->slots >> 3);
	struct wrapped *wrap = calloc(1, sizeof(*wrap));
	struct ibuf_mbuf *m;

	CHECK(wrap != NULL);
	wrap->len = op->x % 60;
	wrap->read_only = read_only;
	say(w, "m%u = wrap%s(%zu bytes)", slot_of(w, to),
	    read_only ? "_const" : "", wrap->len);
	if (read_only) {
		const uint8_t *piece = w->read_only + op->byte % 64 * 64;

		wrap->bytes = (uint8_t *)(uintptr_t)piece;
		arm(op);
		m = ibuf_mbuf_wrap_const(piece, wrap->len, release, wrap);
	} else {
		wrap->bytes = malloc(wrap->len + 1);
		CHECK(wrap->bytes != NULL);
		memcpy(wrap->bytes, w->source + op->byte, wrap->len);
		arm(op);
		m = ibuf_mbuf_wrap(wrap->bytes, wrap->len, release, wrap);
	}
	if (!made(m, true)) {
		CHECK_EQUAL(wrap->released, 0);
		if (!read_only)
			free(wrap->bytes);
		free(wrap);
		return;
	}
	message_open(to, m, &heap, room_wrapped(wrap));
	memcpy(to->bytes, wrap->bytes, wrap->len);
	to->len = to->at[0].len = wrap->len;
}

void
op_wrap(struct world *w, const struct operation *op, struct message *a)
{
	(void)a;
	do_wrap(w, op, false);
}

void
op_wrap_const(struct world *w, const struct operation *op, struct message *a)
{
	(void)a;
	do_wrap(w, op, true);
}

/* ---- shared -------------------------------------------------------- */

void
op_clone(struct world *w, const struct operation *op, struct message *a)
{
	struct message *to = free_slot(w, a, op->slots >> 3);
	struct ibuf_mbuf *m;

	say(w, "m%u = clone(m%u)", slot_of(w, to), slot_of(w, a));
	arm(op);
	m = ibuf_mbuf_clone(a->m);
	if (made(m, true))
		message_clone(to, m, a);
}

void
op_clone_bulk(struct world *w, const struct operation *op, struct message *a)
{
	struct ibuf_mbuf *out[SLOTS] = {0};
	struct message *to[SLOTS];
	size_t n = 0;

	for (unsigned i = 0; i < SLOTS && n < op->x % 4U; i++)
		if (w->slot[i].m == NULL)
			to[n++] = &w->slot[i];
	say(w, "clone_bulk(m%u, %zu) into the first free slots", slot_of(w, a),
	    n);
	arm(op);
	if (!did(ibuf_mbuf_clone_bulk(a->m, out, n), 0)) {
		CHECK(out[0] == NULL);
		return;
	}
	/* All have the C that a had before the first: as a clone's clone. */
	for (size_t i = 0; i < n; i++)
		message_clone(to[i], out[i], i == 0 ? a : to[0]);
	CHECK(out[n] == NULL);
}

void
op_slice(struct world *w, const struct operation *op, struct message *a)
{
	struct message *to = free_slot(w, a, op->slots >> 3);
	struct ibuf_mbuf *m;
	size_t off, len;

	range_of(op, a->len, &off, &len);
	say(w, "m%u = slice(m%u, %zu, %zu)", slot_of(w, to), slot_of(w, a), off,
	    len);
	arm(op);
	m = ibuf_mbuf_slice(a->m, off, len);
	if (made(m, is_inside(a, off, len)))
		message_slice(to, m, a, off, len);
}

void
op_copy(struct world *w, const struct operation *op, struct message *a)
{
	struct message *to = free_slot(w, a, op->slots >> 3);
	struct ibuf_mbuf *m;
	size_t off, len;

	range_of(op, a->len, &off, &len);
	say(w, "m%u = copy(m%u, %zu, %zu)", slot_of(w, to), slot_of(w, a), off,
	    len);
	arm(op);
	m = ibuf_mbuf_copy(a->m, off, len);
	if (made(m, is_inside(a, off, len)))
		message_copy(to, m, a, off, len);
}

/*
 * An empty take between two segments may show the end of the one or at
 * the start of the other; the contract does not say.
 */
static void
take_nothing(struct message *to, struct ibuf_mbuf *m, const struct message *a,
	     size_t off)
{
	size_t in = off;
	size_t i = message_find(a, &in);
	const struct segment *before;

	message_slice(to, m, a, off, 0);
	if (i == 0 || in != 0)
		return;
	before = &a->at[i - 1];
	if (ibuf_mbuf_data(m) != before->room->base + before->off + before->len)
		return;
	segment_free(&to->at[0]);
	segment_share(&to->at[0], before, before->len, 0, 0);
}

void
op_take(struct world *w, const struct operation *op, struct message *a)
{
	struct message *to = free_slot(w, a, op->slots >> 3);
	struct ibuf_cursor cursor;
	struct ibuf_mbuf *m;
	size_t off, len;
	bool inside;

	range_of(op, a->len, &off, &len);
	inside = is_inside(a, off, len);
	say(w, "m%u = take(%zu bytes from %zu of m%u)", slot_of(w, to), len,
	    off, slot_of(w, a));
	ibuf_cursor_init(&cursor, a->m);
	if (inside && op->byte & 1)
		CHECK(ibuf_cursor_limit(&cursor, off + len));
	CHECK_EQUAL(op->byte & 2 ? ibuf_cursor_seek(&cursor, off)
				 : ibuf_cursor_skip(&cursor, off),
		    off <= a->len);
	off = ibuf_cursor_position(&cursor);
	inside = is_inside(a, off, len);
	arm(op);
	m = ibuf_cursor_take(&cursor, len);
	if (!made(m, inside)) {
		CHECK_EQUAL(ibuf_cursor_position(&cursor), off);
		return;
	}
	CHECK_EQUAL(ibuf_cursor_position(&cursor), off + len);
	if (len != 0)
		message_slice(to, m, a, off, len);
	else
		take_nothing(to, m, a, off);
}

/* ---- freed --------------------------------------------------------- */

void
free_message(struct world *w, struct message *message)
{
	say(w, "free(m%u)", slot_of(w, message));
	ibuf_mbuf_free(message->m);
	message_free(message);
}

void
op_free(struct world *w, const struct operation *op, struct message *a)
{
	(void)op;
	free_message(w, a);
}

void
op_free_bulk(struct world *w, const struct operation *op, struct message *a)
{
	struct message *other = other_of(w, op);
	struct ibuf_mbuf *ms[3] = {NULL, a->m, other != a ? other->m : NULL};

	say(w, "free_bulk(NULL, m%u, m%u)", slot_of(w, a), slot_of(w, other));
	ibuf_mbuf_free_bulk(ms, 3);
	message_free(a);
	if (other != a)
		message_free(other);
}
