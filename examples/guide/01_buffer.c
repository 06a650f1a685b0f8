/* 01_buffer.c - guide 1: a message on the heap, and its two ends. */
#include <ibuf/ibuf.h>
#include <stdio.h>

static void
show(const struct ibuf_mbuf *m)
{
	printf("\"%.*s\": %zu bytes, headroom %zu, tailroom %zu\n",
	       (int)ibuf_mbuf_len(m), (const char *)ibuf_mbuf_data(m),
	       ibuf_mbuf_len(m), ibuf_mbuf_headroom(m), ibuf_mbuf_tailroom(m));
}

int
main(void)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new_headroom(16, 32);
	char text[8];
	void *place;

	if (m == NULL)
		return 1;

	if (ibuf_mbuf_append(m, "world", 5) != 0 ||
	    ibuf_mbuf_prepend(m, "hello ", 6) != 0)
		return 1;
	show(m);

	place = ibuf_mbuf_reserve(m, 16);
	if (place == NULL)
		return 1;
	if (ibuf_mbuf_commit(m, (size_t)sprintf(place, ", again")) != 0)
		return 1;
	show(m);

	ibuf_mbuf_trim_head(m, 6);
	ibuf_mbuf_trim_tail(m, 7);
	show(m);

	if (ibuf_mbuf_copy_out(m, 3, text, 8) != 0)
		printf("there are no 8 bytes from offset 3 on\n");
	if (ibuf_mbuf_trim_head(m, 6) != 0)
		printf("there are no 6 bytes to take off\n");
	show(m);

	ibuf_mbuf_free(m);
	return 0;
}

/* Prints:
 * "hello world": 11 bytes, headroom 10, tailroom 27
 * "hello world, again": 18 bytes, headroom 10, tailroom 20
 * "world": 5 bytes, headroom 16, tailroom 27
 * there are no 8 bytes from offset 3 on
 * there are no 6 bytes to take off
 * "world": 5 bytes, headroom 16, tailroom 27
 */
