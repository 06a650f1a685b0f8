/* 06_map.c - a file that is mapped into memory is a message. */
#define _POSIX_C_SOURCE 200809L
#include <ibuf/ibuf.h>
#include <stdio.h>
#include <sys/mman.h>

/* Called once, when the last message that shows the file is gone. */
static void
unmap(void *bytes, size_t len, void *arg)
{
	(void)arg;
	munmap(bytes, len);
	printf("unmapped %zu bytes\n", len);
}

static void
show(const char *what, const struct ibuf_mbuf *m)
{
	printf("%s: %.*s\n", what, (int)ibuf_mbuf_len(m),
	       (const char *)ibuf_mbuf_data(m));
}

int
main(void)
{
	FILE *file = tmpfile();
	int len = file == NULL ? -1 : fprintf(file, "name: ibuf\nkind: C\n");
	struct ibuf_mbuf *m, *line;
	void *bytes;

	if (len < 0 || fflush(file) != 0)
		return 1;
	bytes = mmap(NULL, (size_t)len, PROT_READ, MAP_SHARED, fileno(file), 0);
	if (bytes == MAP_FAILED)
		return 1;
	fclose(file);
	m = ibuf_mbuf_wrap_const(bytes, (size_t)len, unmap, NULL);
	if (m == NULL)
		return 1;

	/* A slice shows the file's own pages and keeps them mapped. */
	line = ibuf_mbuf_slice(m, 0, ibuf_mbuf_find(m, 0, "\n", 1));
	ibuf_mbuf_free(m);
	if (line == NULL)
		return 1;
	show("in the file", line);
	printf("at the same place: %s\n",
	       (const void *)ibuf_mbuf_data(line) == bytes ? "yes" : "no");

	/* They are read-only: whoever writes moves to a private copy. */
	if (ibuf_mbuf_append(line, "!", 1) != 0)
		return 1;
	show("in memory", line);
	ibuf_mbuf_free(line);
	return 0;
}

/* Prints:
 * in the file: name: ibuf
 * at the same place: yes
 * unmapped 19 bytes
 * in memory: name: ibuf!
 */
