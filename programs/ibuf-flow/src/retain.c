/*
 * retain.c - slices of large pieces, copies of small ones.
 */
#include "retain.h"

/* What a message on the heap takes beside its bytes. */
enum { OVERHEAD = 256 };

/* A private message grows by half, so its bytes may take twice their size. */
static size_t
add_copy(struct ibuf_mbuf *held, const struct ibuf_mbuf *m, size_t off,
	 size_t len)
{
	size_t before = ibuf_mbuf_len(held);
	size_t end = off + len;
	size_t run;

	while (off < end) {
		const uint8_t *bytes = ibuf_mbuf_at(m, off, &run);

		if (run > end - off)
			run = end - off;
		if (ibuf_mbuf_append(held, bytes, run) != 0) {
			(void)ibuf_mbuf_trim_tail(held,
						  ibuf_mbuf_len(held) - before);
			return 0;
		}
		off += run;
	}
	return 2 * len;
}

bool
retain_all(struct ibuf_mbuf **held, struct ibuf_mbuf *tail)
{
	if (*held != NULL)
		return ibuf_mbuf_concat(*held, tail) == 0;
	*held = tail;
	return true;
}

/* On the heap: a copy by the library would take another element of the pool. */
static struct ibuf_mbuf *
copy(const struct ibuf_mbuf *m, size_t off, size_t len)
{
	struct ibuf_mbuf *held = ibuf_mbuf_new(len);

	if (held != NULL && len > 0 && add_copy(held, m, off, len) == 0) {
		ibuf_mbuf_free(held);
		return NULL;
	}
	return held;
}

size_t
retain(struct ibuf_mbuf **held, const struct ibuf_mbuf *m, size_t off,
       size_t len, size_t cost)
{
	bool is_small = len < cost / 4;
	struct ibuf_mbuf *part;

	if (is_small && *held != NULL)
		return add_copy(*held, m, off, len);
	part = is_small ? copy(m, off, len) : ibuf_mbuf_slice(m, off, len);
	if (part == NULL)
		return 0;
	if (!retain_all(held, part)) {
		ibuf_mbuf_free(part);
		return 0;
	}
	return is_small ? len + OVERHEAD : cost + OVERHEAD;
}
