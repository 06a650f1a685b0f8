/*
 * consumer.c - a program of someone else's, in C11 and in C++17: an inline
 * function, a function of the library and a pool.
 */
#include <ibuf/ibuf.h>
#include <stdio.h>

int
main(void)
{
	struct ibuf_pool *pool = ibuf_pool_new(10, 1024);
	struct ibuf_mbuf *m = pool != NULL ? ibuf_pool_alloc(pool) : NULL;
	struct ibuf_cursor cursor;
	uint8_t space = 0;

	if (m == NULL || ibuf_mbuf_append(m, "hello", 5) != 0 ||
	    ibuf_mbuf_append_u8(m, ' ') != 0 ||
	    ibuf_mbuf_printf(m, "%s", "world") != 0)
		return 1;
	ibuf_cursor_init(&cursor, m);
	if (!ibuf_cursor_skip(&cursor, 5) ||
	    !ibuf_cursor_get_u8(&cursor, &space) || space != ' ')
		return 1;
	printf("ibuf %s: %.*s\n", ibuf_version_string(), (int)ibuf_mbuf_len(m),
	       (const char *)ibuf_mbuf_data(m));
	ibuf_mbuf_free(m);
	return (int)ibuf_pool_destroy(pool);
}
