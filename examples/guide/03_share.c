/* 03_share.c - guide 3: clones and slices share bytes; a write does not. */
#include <ibuf/ibuf.h>
#include <stdio.h>

static void
show(const char *name, const struct ibuf_mbuf *m)
{
	printf("%-6s \"%.*s\"%s\n", name, (int)ibuf_mbuf_len(m),
	       (const char *)ibuf_mbuf_data(m),
	       ibuf_mbuf_is_unique(m) ? "" : ", shared");
}

static size_t
copied(void)
{
	struct ibuf_pool_stats stats;

	ibuf_pool_get_stats(NULL, &stats, sizeof stats);
	return (size_t)stats.copied_bytes;
}

int
main(void)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from("GET /index", 10);
	struct ibuf_mbuf *clone, *path;

	if (m == NULL)
		return 1;

	clone = ibuf_mbuf_clone(m);
	path = ibuf_mbuf_slice(m, 4, 6);
	if (clone == NULL || path == NULL)
		return 1;
	printf("the slice is inside: %s\n",
	       ibuf_mbuf_data(path) == ibuf_mbuf_data(m) + 4 ? "yes" : "no");
	printf("copied so far: %zu\n", copied());

	/* The bytes stay where clone and path show them. */
	ibuf_mbuf_free(m);
	show("clone", clone);
	show("path", path);

	if (ibuf_mbuf_write_at(path, 1, "INDEX", 5) != 0)
		return 1;
	show("clone", clone);
	show("path", path);
	printf("copied for the write: %zu\n", copied());

	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(path);
	return 0;
}

/* Prints:
 * the slice is inside: yes
 * copied so far: 0
 * clone  "GET /index", shared
 * path   "/index", shared
 * clone  "GET /index"
 * path   "/INDEX"
 * copied for the write: 6
 */
