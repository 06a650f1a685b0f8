/* looked-at.c - a program that stops where gdb is to look at it. */
#include <ibuf/ibuf.h>
#include <stdlib.h>
#include <string.h>

/* All that it has, in the order in which it was made. */
static struct ibuf_pool *rx;
static struct ibuf_queue *queue;
static struct ibuf_mbuf *plain, *packet, *slice, *joined, *heap, *gone;
static struct ibuf_cursor cursor;

__attribute__((noinline)) static void
look_here(const struct ibuf_mbuf *m, const struct ibuf_pool *pool)
{
	__asm__ volatile("" : : "r"(m), "r"(pool) : "memory");
}

static void
must(int error)
{
	if (error != 0)
		exit(1);
}

int
main(int n, char **arguments)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;

	options.name = "rx packets";
	options.capacity = 1500;
	options.initial = 8;
	must(ibuf_pool_create(&rx, &options));
	must(ibuf_queue_create(&queue, 5, 0));
	plain = ibuf_pool_alloc(rx);
	packet = ibuf_pool_alloc(rx);
	gone = ibuf_pool_alloc(rx);
	heap = ibuf_mbuf_from("on the heap", 11);
	if (plain == NULL || packet == NULL || gone == NULL || heap == NULL)
		return 1;
	must(ibuf_mbuf_append(packet, "a packet of 22 bytes..", 22));
	slice = ibuf_mbuf_slice(packet, 2, 6);
	joined = ibuf_mbuf_from("head ", 5);
	if (slice == NULL || joined == NULL)
		return 1;
	must(ibuf_mbuf_concat(joined, ibuf_mbuf_from("tail", 4)));
	ibuf_cursor_init(&cursor, packet);
	if (!ibuf_cursor_skip(&cursor, 4))
		return 1;
	must(ibuf_queue_push(queue, plain));
	ibuf_mbuf_free(gone);
	look_here(packet, rx);
	if (n > 1 && strcmp(arguments[1], "abort") == 0)
		abort();
	return 0;
}
