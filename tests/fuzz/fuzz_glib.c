/*
 * fuzz_glib.c - the same edits on a message and on a GByteArray of GLib, which
 * then hold the same bytes.
 */
#include "script.h"
#include <glib.h>
#include <string.h>

enum { MOST = 6000, CLONES = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pair {
	struct ibuf_mbuf *m;
	GByteArray *a;
};

static void
compare(const struct pair *p)
{
	CHECK_EQUAL(-ibuf_mbuf_validate(p->m), 0);
	CHECK_EQUAL(ibuf_mbuf_len(p->m), p->a->len);
	CHECK(ibuf_mbuf_matches(p->m, 0, p->a->data, p->a->len));
}

static void
edit_ends(struct pair *p, struct script *s, unsigned what)
{
	const uint8_t *bytes;
	size_t n = what < 3 ? script_bytes(s, &bytes, script_byte(s))
			    : script_number(s, p->a->len);
	uint8_t byte;

	if (what < 3 && p->a->len + n > MOST)
		return;
	switch (what) {
	case 0:
		CHECK_EQUAL(-ibuf_mbuf_append(p->m, bytes, n), 0);
		g_byte_array_append(p->a, bytes, (guint)n);
		break;
	case 1:
		CHECK_EQUAL(-ibuf_mbuf_prepend(p->m, bytes, n), 0);
		g_byte_array_prepend(p->a, bytes, (guint)n);
		break;
	case 2:
		byte = script_byte(s);
		n = script_byte(s);
		if (p->a->len + n > MOST)
			return;
		CHECK_EQUAL(-ibuf_mbuf_append_fill(p->m, byte, n), 0);
		for (size_t i = 0; i < n; i++)
			g_byte_array_append(p->a, &byte, 1);
		break;
	case 3:
		CHECK_EQUAL(-ibuf_mbuf_trim_head(p->m, n), 0);
		if (n != 0)
			g_byte_array_remove_range(p->a, 0, (guint)n);
		break;
	default:
		CHECK_EQUAL(-ibuf_mbuf_trim_tail(p->m, n), 0);
		g_byte_array_set_size(p->a, p->a->len - (guint)n);
	}
}

static void
edit_inside(struct pair *p, struct script *s, unsigned what)
{
	size_t off = script_number(s, p->a->len);
	size_t n = script_number(s, p->a->len - off);
	struct ibuf_mbuf *rest;
	const uint8_t *bytes;

	switch (what) {
	case 5:
		n = script_bytes(s, &bytes, n);
		CHECK_EQUAL(-ibuf_mbuf_write_at(p->m, off, bytes, n), 0);
		if (n != 0)
			memcpy(p->a->data + off, bytes, n);
		break;
	case 6: /* bytes of its own, which move while they are added */
		if (p->a->len + n > MOST)
			return;
		CHECK_EQUAL(-ibuf_mbuf_append_range(p->m, p->m, off, n), 0);
		for (size_t i = 0; i < n; i++)
			g_byte_array_append(p->a,
					    &(guint8){p->a->data[off + i]}, 1);
		break;
	case 7:
		rest = ibuf_mbuf_split(p->m, off);
		CHECK(rest != NULL);
		CHECK_EQUAL(ibuf_mbuf_len(rest), p->a->len - off);
		CHECK_EQUAL(-ibuf_mbuf_concat(p->m, rest), 0);
		break;
	case 8: /* the same again, at the other end, by another message */
		CHECK_EQUAL(-ibuf_mbuf_split_front(p->m, off, &rest), 0);
		CHECK_EQUAL(-ibuf_mbuf_concat(rest, p->m), 0);
		p->m = rest;
		break;
	case 9:
		CHECK_EQUAL(-ibuf_mbuf_linearize(p->m), 0);
		break;
	case 10:
		CHECK_EQUAL(-ibuf_mbuf_shrink(p->m), 0);
		break;
	case 11:
		CHECK(ibuf_mbuf_pullup(p->m, off) != NULL);
		break;
	default:
		ibuf_mbuf_clear(p->m);
		g_byte_array_set_size(p->a, 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = {data, data + size};
	struct pair p[CLONES] = {
		{ibuf_mbuf_new(script_byte(&s)), g_byte_array_new()}};
	size_t n = 1;

	CHECK(p[0].m != NULL);
	while (s.at < s.end) {
		struct pair *one = &p[script_byte(&s) % n];
		unsigned what = script_byte(&s) % 14;

		if (what < 5) {
			edit_ends(one, &s, what);
		} else if (what < 13) {
			edit_inside(one, &s, what);
		} else if (n < CLONES) {
			p[n].m = ibuf_mbuf_clone(one->m);
			CHECK(p[n].m != NULL);
			p[n].a = g_byte_array_new();
			g_byte_array_append(p[n].a, one->a->data, one->a->len);
			n++;
		}
		for (size_t i = 0; i < n; i++)
			compare(&p[i]);
	}
	while (n-- > 0) {
		ibuf_mbuf_free(p[n].m);
		g_byte_array_free(p[n].a, TRUE);
	}
	return 0;
}
