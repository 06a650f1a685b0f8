/* choose.c - what an operation works on: messages, sizes, bytes, luck. */
#include "operations.h"

#include <errno.h>
#include <string.h>
#include <unit/fault.h>

/* ---- choosing messages --------------------------------------------- */

struct message *
some_message(struct world *w, unsigned wish)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		struct message *message = &w->slot[(wish + i) % SLOTS];

		if (message->m != NULL)
			return message;
	}
	return NULL;
}

struct message *
other_of(struct world *w, const struct operation *op)
{
	return some_message(w, op->slots >> 3);
}

struct message *
free_slot(struct world *w, const struct message *keep, unsigned wish)
{
	struct message *message;

	for (unsigned i = 0; i < SLOTS; i++)
		if (w->slot[i].m == NULL)
			return &w->slot[i];
	message = &w->slot[wish % SLOTS];
	if (message == keep)
		message = &w->slot[(wish + 1) % SLOTS];
	free_message(w, message);
	return message;
}

/* ---- choosing sizes ------------------------------------------------ */

bool
is_huge(size_t n)
{
	return n > SIZE_MAX / 4;
}

static size_t
huge_size(const struct operation *op, size_t len)
{
	switch (op->y / 4 % 4) {
	case 0:
		return SIZE_MAX;
	case 1:
		return SIZE_MAX - len;
	case 2:
		return (size_t)PTRDIFF_MAX + 1;
	default:
		return PTRDIFF_MAX;
	}
}

/* One less than n, n, or one more. */
static size_t
about(size_t n, unsigned luck)
{
	return luck % 3 == 0 && n == 0 ? 0 : n + luck % 3 - 1;
}

size_t
size_of(const struct operation *op, const struct message *a)
{
	size_t n;

	switch (op->how & 7) {
	case 0:
		n = op->x % 4;
		break;
	case 1:
		n = op->x % 17;
		break;
	case 2:
		n = op->x % 65;
		break;
	case 3:
		n = op->x % 300;
		break;
	case 4:
		n = about(segment_tailroom(message_last(a)), op->y);
		break;
	case 5:
		n = about(segment_headroom(&a->at[0]), op->y);
		break;
	case 6:
		n = about(segment_capacity(message_last(a)), op->y);
		break;
	default:
		if (op->y % 4 == 0)
			return huge_size(op, a->len);
		n = op->x % 1500;
	}
	return n <= BYTES_MAX - a->len ? n : BYTES_MAX - a->len;
}

const uint8_t *
source_of(struct world *w, const struct operation *op, const struct message *a,
	  size_t *n, const uint8_t **copy)
{
	const uint8_t *bytes = w->source + op->byte * 16;
	size_t off, run;

	*copy = bytes;
	if (*n == 0)
		return op->byte % 2 == 0 ? NULL : bytes;
	if (is_huge(*n) || (op->how >> 3 & 7) < 5)
		return bytes;
	if ((op->how >> 3 & 7) == 5)
		a = other_of(w, op);
	if (a->len == 0)
		return bytes;
	off = op->y % a->len;
	bytes = ibuf_mbuf_at(a->m, off, &run);
	*n = *n < run ? *n : run;
	*copy = memcpy(w->scratch, a->bytes + off, *n);
	return bytes;
}

void
range_of(const struct operation *op, size_t len, size_t *off, size_t *n)
{
	*off = op->x % (len + 1);
	*n = op->y % (len - *off + 1);
	switch (op->how & 31) {
	case 0:
		*n = len - *off + 1;
		break;
	case 1:
		*off = len + 1 + op->byte % 2;
		break;
	case 2:
		*n = SIZE_MAX - op->byte % 4;
		break;
	case 3:
		*off = SIZE_MAX - op->byte % 4;
		break;
	case 4:
	case 5:
		*off = 0;
		*n = len;
		break;
	case 6:
		*off = len;
		*n = 0;
		break;
	default:
		break;
	}
}

bool
is_inside(const struct message *a, size_t off, size_t n)
{
	return off <= a->len && n <= a->len - off;
}

/* ---- running out of memory ----------------------------------------- */

void
arm(const struct operation *op)
{
	if (op->how >> 6 == 3 && op->byte % 4 == 0)
		fault_from(1 + op->byte / 4 % 3);
}

bool
did(int error, int expected)
{
	bool struck = fault_off();

	if (struck && error == -ENOMEM)
		return false;
	CHECK_EQUAL(-error, (uintmax_t)-expected);
	return error == 0;
}

bool
made(const void *pointer, bool expected)
{
	bool struck = fault_off();

	if (struck && pointer == NULL)
		return false;
	CHECK_EQUAL(pointer != NULL, expected);
	return pointer != NULL;
}
