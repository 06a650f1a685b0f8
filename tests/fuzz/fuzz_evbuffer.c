/*
 * fuzz_evbuffer.c - the same stream through messages and through evbuffers of
 * libevent: what goes in, what is looked for, and what comes out, in which
 * pieces ever.
 */
#include "script.h"
#include <event2/buffer.h>
#include <string.h>

enum { MOST = 6000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pair {
	struct ibuf_mbuf *m;
	struct evbuffer *e;
};

static struct pair
make(void)
{
	struct pair p = {ibuf_mbuf_new(0), evbuffer_new()};

	CHECK(p.m != NULL && p.e != NULL);
	return p;
}

static void
end(struct pair *p)
{
	ibuf_mbuf_free(p->m);
	evbuffer_free(p->e);
}

static void
compare(const struct pair *p)
{
	static uint8_t bytes[2 * MOST];
	size_t len = evbuffer_get_length(p->e);

	CHECK_EQUAL(-ibuf_mbuf_validate(p->m), 0);
	CHECK_EQUAL(ibuf_mbuf_len(p->m), len);
	CHECK((size_t)evbuffer_copyout(p->e, bytes, len) == len);
	CHECK(ibuf_mbuf_matches(p->m, 0, bytes, len));
}

static void
goes_in(struct pair *p, struct script *s, bool in_front)
{
	const uint8_t *bytes;
	size_t n = script_bytes(s, &bytes, script_byte(s));

	if (evbuffer_get_length(p->e) + n > MOST)
		return;
	if (in_front) {
		CHECK_EQUAL(-ibuf_mbuf_prepend(p->m, bytes, n), 0);
		CHECK(evbuffer_prepend(p->e, bytes, n) == 0);
	} else {
		CHECK(ibuf_mbuf_write(p->m, bytes, n) == (ssize_t)n);
		CHECK(evbuffer_add(p->e, bytes, n) == 0);
	}
}

/* What comes out is the same, and so is how much. */
static void
comes_out(struct pair *p, size_t n)
{
	static uint8_t a[2 * MOST], b[2 * MOST];
	size_t got = ibuf_mbuf_read(p->m, a, n);
	size_t want = (size_t)evbuffer_remove(p->e, b, n);

	CHECK_EQUAL(got, want);
	CHECK(memcmp(a, b, got) == 0);
}

static void
look_for(const struct pair *p, struct script *s)
{
	const uint8_t *needle;
	size_t off = script_number(s, evbuffer_get_length(p->e));
	size_t n = script_bytes(s, &needle, script_byte(s) % 4), found;
	struct evbuffer_ptr from, at;

	if (n == 0 || off == evbuffer_get_length(p->e))
		return;
	CHECK(evbuffer_ptr_set(p->e, &from, off, EVBUFFER_PTR_SET) == 0);
	at = evbuffer_search(p->e, (const char *)needle, n, &from);
	found = ibuf_mbuf_find(p->m, off, needle, n);
	CHECK_EQUAL(found, at.pos < 0 ? SIZE_MAX : (size_t)at.pos);
}

/* The front goes to the other stream, or all of it. */
static void
move(struct pair *p, struct pair *other, size_t n)
{
	struct ibuf_mbuf *front;

	if (evbuffer_get_length(other->e) + n > MOST)
		return;
	CHECK_EQUAL(-ibuf_mbuf_split_front(p->m, n, &front), 0);
	CHECK_EQUAL(-ibuf_mbuf_concat(other->m, front), 0);
	CHECK((size_t)evbuffer_remove_buffer(p->e, other->e, n) == n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = {data, data + size};
	struct pair p[2] = {make(), make()};

	while (s.at < s.end) {
		uint8_t byte = script_byte(&s);
		struct pair *one = &p[byte & 1], *other = &p[~byte & 1];
		size_t len = evbuffer_get_length(one->e);

		switch ((byte >> 1) % 7) {
		case 0:
			goes_in(one, &s, false);
			break;
		case 1:
			goes_in(one, &s, true);
			break;
		case 2:
			comes_out(one, script_number(&s, len));
			break;
		case 3:
			len = script_number(&s, len);
			CHECK_EQUAL(-ibuf_mbuf_trim_head(one->m, len), 0);
			CHECK(evbuffer_drain(one->e, len) == 0);
			break;
		case 4:
			look_for(one, &s);
			break;
		case 5:
			len = script_number(&s, len);
			CHECK(len == 0 ||
			      memcmp(ibuf_mbuf_pullup(one->m, len),
				     evbuffer_pullup(one->e, (ssize_t)len),
				     len) == 0);
			break;
		default:
			move(one, other, script_number(&s, len));
		}
		compare(one);
		compare(other);
	}
	end(&p[0]);
	end(&p[1]);
	return 0;
}
