/* reader.c - a cursor and a flat reader, step by step. */
#include "reader.h"

#include "model.h"
#include <string.h>

struct reader {
	struct ibuf_cursor cursor;
	const struct ibuf_mbuf *m;
	const uint8_t *bytes;
	size_t len, position, stop;
	uint64_t copied;
};

static size_t
remaining(const struct reader *r)
{
	return r->stop - r->position;
}

static void
check_place(const struct reader *r)
{
	CHECK_EQUAL(ibuf_cursor_position(&r->cursor), r->position);
	CHECK_EQUAL(ibuf_cursor_remaining(&r->cursor), remaining(r));
}

/* n bytes that lie in one segment? */
static bool
is_in_place(const struct reader *r, size_t n)
{
	size_t run;

	CHECK(ibuf_mbuf_at(r->m, r->position, &run) != NULL);
	return n <= remaining(r) && n <= run;
}

/* ---- integers ------------------------------------------------------ */

#define UNTOUCHED UINT64_C(0x5a5a5a5a5a5a5a5a)

#define GET(what, type)                                                        \
	static bool get_##what(struct ibuf_cursor *c, uint64_t *value)         \
	{                                                                      \
		type v = (type)UNTOUCHED;                                      \
		bool ok = ibuf_cursor_get_##what(c, &v);                       \
                                                                               \
		CHECK(ok || v == (type)UNTOUCHED);                             \
		*value = v;                                                    \
		return ok;                                                     \
	}
GET(u8, uint8_t)
GET(be16, uint16_t)
GET(be24, uint32_t)
GET(be32, uint32_t)
GET(be64, uint64_t)
GET(le16, uint16_t)
GET(le24, uint32_t)
GET(le32, uint32_t)
GET(le64, uint64_t)

static const struct {
	bool (*get)(struct ibuf_cursor *c, uint64_t *value);
	uint8_t size;
	bool big;
} integers[] = {
	{get_u8, 1, true},    {get_be16, 2, true},  {get_be24, 3, true},
	{get_be32, 4, true},  {get_be64, 8, true},  {get_le16, 2, false},
	{get_le24, 3, false}, {get_le32, 4, false}, {get_le64, 8, false},
};

static void
step_integer(struct reader *r, size_t arg)
{
	size_t kind = arg % (sizeof(integers) / sizeof(integers[0]));
	size_t n = integers[kind].size;
	const uint8_t *at = r->bytes + r->position;
	uint64_t expected = 0, value;

	if (!integers[kind].get(&r->cursor, &value)) {
		CHECK(n > remaining(r));
		return;
	}
	CHECK(n <= remaining(r));
	for (size_t i = 0; i < n; i++)
		expected =
			expected << 8 | at[integers[kind].big ? i : n - 1 - i];
	CHECK_EQUAL(value, expected);
	r->position += n;
}

/* ---- bytes --------------------------------------------------------- */

static void
step_read(struct reader *r, size_t n)
{
	uint8_t bytes[BYTES_MAX];
	bool inside = n <= remaining(r);

	bytes[0] = 0xa5;
	CHECK_EQUAL(ibuf_cursor_read(&r->cursor, bytes, n), inside);
	if (inside && n != 0) {
		CHECK(memcmp(bytes, r->bytes + r->position, n) == 0);
		r->position += n;
	} else {
		CHECK_EQUAL(bytes[0], 0xa5);
	}
}

static void
step_span(struct reader *r, size_t n)
{
	bool in_place = is_in_place(r, n);
	const uint8_t *at = ibuf_cursor_span(&r->cursor, n);

	CHECK_EQUAL(at != NULL, in_place);
	if (at == NULL)
		return;
	if (n != 0)
		CHECK(at == ibuf_mbuf_at(r->m, r->position, NULL));
	r->position += n;
}

static void
step_view(struct reader *r, size_t n)
{
	uint8_t scratch[BYTES_MAX];
	bool in_place = is_in_place(r, n);
	const uint8_t *at = ibuf_cursor_view(&r->cursor, n, scratch);

	CHECK_EQUAL(at != NULL, n <= remaining(r));
	if (at == NULL)
		return;
	CHECK_EQUAL(at == scratch, !in_place);
	CHECK(memcmp(at, r->bytes + r->position, n) == 0);
	r->copied += in_place ? 0 : n;
	r->position += n;
}

static void
step_take(struct reader *r, size_t n)
{
	struct ibuf_mbuf *m = ibuf_cursor_take(&r->cursor, n);
	uint8_t bytes[BYTES_MAX];

	CHECK_EQUAL(m != NULL, n <= remaining(r));
	if (m == NULL)
		return;
	CHECK_EQUAL(-ibuf_mbuf_validate(m), 0);
	CHECK_EQUAL(ibuf_mbuf_len(m), n);
	CHECK(n == 0 || ibuf_mbuf_at(m, 0, NULL) ==
				ibuf_mbuf_at(r->m, r->position, NULL));
	CHECK_EQUAL(-ibuf_mbuf_copy_out(m, 0, bytes, n), 0);
	CHECK(memcmp(bytes, r->bytes + r->position, n) == 0);
	ibuf_mbuf_free(m);
	r->position += n;
}

/* ---- places -------------------------------------------------------- */

static void
step_skip(struct reader *r, size_t n)
{
	bool inside = n <= remaining(r);

	CHECK_EQUAL(ibuf_cursor_skip(&r->cursor, n), inside);
	r->position += inside ? n : 0;
}

static void
step_seek(struct reader *r, size_t position)
{
	bool inside = position <= r->stop;

	CHECK_EQUAL(ibuf_cursor_seek(&r->cursor, position), inside);
	r->position = inside ? position : r->position;
}

static void
step_limit(struct reader *r, size_t n)
{
	bool inside = n <= remaining(r);

	CHECK_EQUAL(ibuf_cursor_limit(&r->cursor, n), inside);
	r->stop = inside ? r->position + n : r->stop;
}

static void
step_reset(struct reader *r, size_t arg)
{
	(void)arg;
	ibuf_cursor_reset(&r->cursor);
	r->position = 0;
	r->stop = r->len;
}

/* What a copy does is not noticed. */
static void
step_peek(struct reader *r, size_t n)
{
	struct reader copy = *r;

	step_read(&copy, n);
	step_limit(&copy, n / 2);
	step_integer(&copy, n);
	check_place(&copy);
	check_place(r);
}

uint64_t
read_message(const struct ibuf_mbuf *m, const uint8_t *bytes, size_t len,
	     const uint8_t *script, size_t n)
{
	static void (*const steps[])(struct reader * r, size_t n) = {
		step_integer, step_integer, step_integer, step_integer,
		step_integer, step_read,    step_read,    step_span,
		step_span,    step_view,    step_view,    step_take,
		step_skip,    step_seek,    step_limit,   step_peek,
	};
	struct reader r = {.m = m, .bytes = bytes, .len = len, .stop = len};

	ibuf_cursor_init(&r.cursor, m);
	check_place(&r);
	for (; n >= 3; script += 3, n -= 3) {
		size_t arg = script[1] | (size_t)(script[2] & 1) << 8;

		if (script[2] >= 250) /* more than any message */
			arg = SIZE_MAX - arg;
		else if (script[2] >= 128) /* near what remains */
			arg = remaining(&r) - arg % 3 + 1;
		steps[script[0] % 16](&r, arg);
		check_place(&r);
		if (script[0] >= 248)
			step_reset(&r, 0);
	}
	return r.copied;
}
