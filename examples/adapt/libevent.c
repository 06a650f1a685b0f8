/* libevent.c - adapt: messages through a bufferevent, and none is copied. */
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <ibuf/adapt/libevent.h>
#include <ibuf/ibuf.h>
#include <stdio.h>

/* What came is a message, which any thread may keep and free. */
static void
on_read(struct bufferevent *end, void *in)
{
	struct ibuf_mbuf *m = ibuf_libevent_take(bufferevent_get_input(end));

	if (m != NULL && ibuf_mbuf_concat(in, m) != 0)
		ibuf_mbuf_free(m);
}

int
main(void)
{
	struct event_base *base = event_base_new();
	struct ibuf_mbuf *out = ibuf_mbuf_from("two ", 4), *in;
	struct ibuf_mbuf *tail = ibuf_mbuf_from("segments", 8);
	struct ibuf_pool_stats heap;
	struct bufferevent *ends[2];

	in = ibuf_mbuf_new(0);
	if (base == NULL || out == NULL || tail == NULL || in == NULL ||
	    ibuf_mbuf_concat(out, tail) != 0 ||
	    bufferevent_pair_new(base, 0, ends) != 0)
		return 1;
	bufferevent_setcb(ends[1], on_read, NULL, NULL, in);
	bufferevent_enable(ends[0], EV_WRITE);
	bufferevent_enable(ends[1], EV_READ);
	if (ibuf_libevent_add(bufferevent_get_output(ends[0]), out) != 0)
		return 1;
	event_base_loop(base, EVLOOP_NONBLOCK);

	bufferevent_free(ends[0]);
	bufferevent_free(ends[1]);
	event_base_free(base);
	printf("%zu bytes in %zu segments\n", ibuf_mbuf_len(in),
	       ibuf_mbuf_segments(in));
	ibuf_pool_get_stats(NULL, &heap, sizeof(heap));
	printf("copied: %llu\n", (unsigned long long)heap.copied_bytes);
	ibuf_mbuf_free(in);
	return 0;
}

/* Prints:
 * 12 bytes in 2 segments
 * copied: 0
 */
