/* first.c - a program that uses the package. */
#include <ibuf/ibuf.h>

int
main(void)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(64);

	if (m == NULL || ibuf_mbuf_append(m, "world\n", 6) != 0 ||
	    ibuf_mbuf_prepend(m, "hello, ", 7) != 0)
		return 1;
	ibuf_io_write(1, m);
	ibuf_mbuf_free(m);
	return 0;
}
