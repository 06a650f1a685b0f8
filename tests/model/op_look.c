/* op_look.c - what is only looked at, each against the flat bytes. */
#include "operations.h"

#include "reader.h"
#include <errno.h>
#include <string.h>

void
op_at(struct world *w, const struct operation *op, struct message *a)
{
	size_t off = op->x % (a->len + 2), run = SIZE_MAX, in = off;
	const uint8_t *at = ibuf_mbuf_at(a->m, off, &run);

	say(w, "at(m%u, %zu)", slot_of(w, a), off);
	CHECK((at != NULL) == (off <= a->len));
	CHECK(ibuf_mbuf_at(a->m, off, NULL) == at);
	if (at == NULL) {
		CHECK_EQUAL(run, SIZE_MAX);
		CHECK(ibuf_mbuf_at(a->m, SIZE_MAX, &run) == NULL);
		return;
	}
	CHECK_EQUAL(run, a->at[message_find(a, &in)].len - in);
	CHECK(memcmp(at, a->bytes + off, run) == 0);
}

void
op_copy_out(struct world *w, const struct operation *op, struct message *a)
{
	size_t off, n;
	bool inside;

	range_of(op, a->len, &off, &n);
	inside = is_inside(a, off, n);
	say(w, "copy_out(m%u, %zu, %zu)", slot_of(w, a), off, n);
	w->scratch[0] = op->byte;
	if (did(ibuf_mbuf_copy_out(a->m, off, w->scratch, n),
		inside ? 0 : -ERANGE))
		CHECK(memcmp(w->scratch, a->bytes + off, n) == 0);
	else
		CHECK_EQUAL(w->scratch[0], op->byte);
}

static int
sign_of(int n)
{
	return (n > 0) - (n < 0);
}

void
op_compare(struct world *w, const struct operation *op, struct message *a)
{
	const struct message *b = other_of(w, op);
	size_t common = a->len < b->len ? a->len : b->len;
	int expected = sign_of(memcmp(a->bytes, b->bytes, common));

	say(w, "compare(m%u, m%u)", slot_of(w, a), slot_of(w, b));
	if (expected == 0)
		expected = (a->len > b->len) - (a->len < b->len);
	CHECK(sign_of(ibuf_mbuf_compare(a->m, b->m)) == expected);
	CHECK(sign_of(ibuf_mbuf_compare(b->m, a->m)) == -expected);
}

static size_t
find_flat(const struct message *a, size_t off, const uint8_t *needle, size_t n)
{
	for (; is_inside(a, off, n); off++)
		if (memcmp(a->bytes + off, needle, n) == 0)
			return off;
	return SIZE_MAX;
}

void
op_find(struct world *w, const struct operation *op, struct message *a)
{
	size_t from = op->x % (a->len + 2);
	size_t at = op->y % (a->len + 1), n = op->byte % 12;

	/* A piece of the message itself, which is there, or a byte off. */
	if (n > a->len - at)
		n = a->len - at;
	memcpy(w->scratch, a->bytes + at, n);
	if ((op->how & 3) == 0 && n != 0)
		w->scratch[n - 1] ^= 1;
	say(w, "find(m%u, %zu, %zu bytes)", slot_of(w, a), from, n);
	CHECK_EQUAL(ibuf_mbuf_find(a->m, from, w->scratch, n),
		    find_flat(a, from, w->scratch, n));
	CHECK_EQUAL(ibuf_mbuf_find(a->m, SIZE_MAX, w->scratch, n), SIZE_MAX);
	CHECK_EQUAL(ibuf_mbuf_find(a->m, 0, w->source, SIZE_MAX), SIZE_MAX);
}

void
op_matches(struct world *w, const struct operation *op, struct message *a)
{
	size_t off = op->x % (a->len + 2), n = op->byte % 12;
	bool same = off <= a->len && n <= a->len - off;
	uint8_t get = 0xa5;

	memcpy(w->scratch, w->source, n);
	if (same)
		memcpy(w->scratch, a->bytes + off, n);
	if ((op->how & 3) == 0 && n != 0) {
		w->scratch[op->y % n] ^= 1;
		same = false;
	}
	say(w, "matches(m%u, %zu, %zu bytes), get_u8", slot_of(w, a), off, n);
	CHECK_EQUAL(ibuf_mbuf_matches(a->m, off, w->scratch, n), same);
	CHECK(!ibuf_mbuf_matches(a->m, SIZE_MAX, w->scratch, n));
	CHECK_EQUAL(ibuf_mbuf_get_u8(a->m, off, &get), off < a->len);
	CHECK_EQUAL(get, off < a->len ? a->bytes[off] : 0xa5);
}

void
op_iov(struct world *w, const struct operation *op, struct message *a)
{
	struct iovec iov[SEGMENTS_MAX + 1] = {{0}};
	size_t off = op->x % (a->len + 2), max = op->y % (SEGMENTS_MAX + 1);
	size_t expected = 0, in = off, filled, i;

	say(w, "iov(m%u, %zu, %zu)", slot_of(w, a), off, max);
	if (off < a->len)
		expected = a->segments - message_find(a, &in);
	CHECK_EQUAL(ibuf_mbuf_iov(a->m, off, max == 0 ? NULL : iov, max),
		    expected);
	filled = expected < max ? expected : max;
	for (i = 0; i < filled; i++) {
		CHECK(iov[i].iov_len != 0 && iov[i].iov_len <= a->len - off);
		CHECK(memcmp(iov[i].iov_base, a->bytes + off, iov[i].iov_len) ==
		      0);
		off += iov[i].iov_len;
	}
	CHECK(iov[i].iov_base == NULL);
	if (filled == expected && expected != 0)
		CHECK_EQUAL(off, a->len);
}

/* RFC 1071, with the end-around carry at once. */
static uint16_t
checksum_flat(const uint8_t *bytes, size_t n, uint32_t start)
{
	uint32_t sum = (start & 0xffff) + (start >> 16);

	for (size_t i = 0; i < n; i++) {
		sum += (uint32_t)bytes[i] << (i % 2 == 0 ? 8 : 0);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void
op_checksum(struct world *w, const struct operation *op, struct message *a)
{
	uint32_t start = op->how & 1 ? op->x * 65521U + op->y : 0;
	uint16_t sum = op->x;
	size_t off, n;

	range_of(op, a->len, &off, &n);
	say(w, "checksum(m%u, %zu, %zu)", slot_of(w, a), off, n);
	if (did(ibuf_mbuf_checksum(a->m, off, n, start, &sum),
		is_inside(a, off, n) ? 0 : -ERANGE))
		CHECK_EQUAL(sum, checksum_flat(a->bytes + off, n, start));
	else
		CHECK_EQUAL(sum, op->x);
}

void
op_cursor(struct world *w, const struct operation *op, struct message *a)
{
	uint8_t script[48];
	uint32_t bits = (uint32_t)op->x << 16 | op->y;

	for (size_t i = 0; i < sizeof(script); i++) {
		bits = bits * 1664525 + 1013904223;
		script[i] = (uint8_t)(bits >> 24);
	}
	say(w, "%zu bytes tell a cursor what to do on m%u", sizeof(script),
	    slot_of(w, a));
	a->at[0].owner->copied +=
		read_message(a->m, a->bytes, a->len, script, sizeof(script));
}

void
op_dump(struct world *w, const struct operation *op, struct message *a)
{
	say(w, "dump(m%u)", slot_of(w, a));
	if (op->byte % 8 == 0)
		ibuf_mbuf_dump(a->m, w->nowhere);
	CHECK(!ferror(w->nowhere));
}
