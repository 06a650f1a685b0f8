/* 04_segments.c - guide 4: a message of several segments. */
#include <ibuf/ibuf.h>
#include <stdio.h>

static void
list(const struct ibuf_mbuf *m)
{
	const struct ibuf_mbuf *s;

	for (s = m; s != NULL; s = ibuf_mbuf_seg_next(s))
		printf("[%.*s]", (int)ibuf_mbuf_seg_len(s),
		       (const char *)ibuf_mbuf_seg_data(s));
	printf(" %zu bytes in %zu segments\n", ibuf_mbuf_len(m),
	       ibuf_mbuf_segments(m));
}

int
main(void)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from("name=", 5);
	struct ibuf_mbuf *value = ibuf_mbuf_from("ibuf;kind=C", 11);
	struct ibuf_mbuf *rest;
	size_t at;

	if (m == NULL || value == NULL)
		return 1;

	/* From here on value is a part of m, and not ours to free. */
	if (ibuf_mbuf_concat(m, value) != 0) {
		ibuf_mbuf_free(value);
		return 1;
	}
	list(m);

	if (ibuf_mbuf_data(m) == NULL)
		printf("there is no pointer to all of it\n");

	at = ibuf_mbuf_find(m, 0, "=ibuf;", 6);
	printf("found across segments, at %zu\n", at);

	rest = ibuf_mbuf_split(m, at + 6);
	if (rest == NULL)
		return 1;
	list(m);
	list(rest);

	if (ibuf_mbuf_linearize(m) != 0)
		return 1;
	list(m);

	ibuf_mbuf_free(rest);
	ibuf_mbuf_free(m);
	return 0;
}

/* Prints:
 * [name=][ibuf;kind=C] 16 bytes in 2 segments
 * there is no pointer to all of it
 * found across segments, at 4
 * [name=][ibuf;] 10 bytes in 2 segments
 * [kind=C] 6 bytes in 1 segments
 * [name=ibuf;] 10 bytes in 1 segments
 */
