/* with_libevent.c - cookbook: messages into an evbuffer, and out of one. */
#include <event2/buffer.h>
#include <ibuf/ibuf.h>
#include <stdio.h>

static void
let_go(const void *data, size_t len, void *m)
{
	(void)data;
	(void)len;
	ibuf_mbuf_free(m);
}

/*
 * Put a message behind out without copying, and take it over: 0.  -1: out is
 * as it was, and m is still the caller's.
 */
static int
add_message(struct evbuffer *out, struct ibuf_mbuf *m)
{
	struct evbuffer *all = evbuffer_new();
	struct ibuf_mbuf *piece;
	size_t off, run;
	int rc = all == NULL ? -1 : 0;

	for (off = 0; rc == 0 && off < ibuf_mbuf_len(m); off += run) {
		ibuf_mbuf_at(m, off, &run);
		piece = ibuf_mbuf_slice(m, off, run);
		if (piece == NULL ||
		    evbuffer_add_reference(all, ibuf_mbuf_data(piece), run,
					   let_go, piece) != 0) {
			ibuf_mbuf_free(piece);
			rc = -1;
		}
	}
	if (rc == 0)
		rc = evbuffer_add_buffer(out, all);
	if (all != NULL)
		evbuffer_free(all);
	if (rc == 0)
		ibuf_mbuf_free(m); /* the slices keep its bytes */
	return rc;
}

/* Move what in has to the end of m, in one copy. */
static int
take_bytes(struct evbuffer *in, struct ibuf_mbuf *m)
{
	size_t n = evbuffer_get_length(in);
	void *place = ibuf_mbuf_reserve(m, n);

	if (place == NULL || evbuffer_copyout(in, place, n) != (ssize_t)n ||
	    ibuf_mbuf_commit(m, n) != 0)
		return -1;
	return evbuffer_drain(in, n);
}

int
main(void)
{
	struct evbuffer *buffer = evbuffer_new();
	struct ibuf_mbuf *m = ibuf_mbuf_from("two ", 4);
	struct ibuf_mbuf *tail = ibuf_mbuf_from("segments", 8);
	struct ibuf_mbuf *back = ibuf_mbuf_new(64);

	if (buffer == NULL || m == NULL || tail == NULL || back == NULL ||
	    ibuf_mbuf_concat(m, tail) != 0 || add_message(buffer, m) != 0)
		return 1;
	printf("%zu bytes in the evbuffer\n", evbuffer_get_length(buffer));

	if (take_bytes(buffer, back) != 0)
		return 1;
	printf("back: %.*s\n", (int)ibuf_mbuf_len(back),
	       (const char *)ibuf_mbuf_data(back));
	ibuf_mbuf_free(back);
	evbuffer_free(buffer);
	return 0;
}

/* Prints:
 * 12 bytes in the evbuffer
 * back: two segments
 */
