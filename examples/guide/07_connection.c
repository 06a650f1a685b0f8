/* 07_connection.c - guide 7: both directions of a socket, a part at a time. */
#include "conn.h"
#include <stdio.h>
#include <sys/socket.h>

int
main(void)
{
	struct ibuf_pool *pool = ibuf_pool_new(0, 4096);
	struct ibuf_pool_stats stats;
	struct conn c;
	char answer[32];
	int ends[2];
	ssize_t n;

	if (pool == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ||
	    conn_open(&c, ends[1], pool) != 0)
		return 1;

	/* The peer sends one frame and a half. */
	if (write(ends[0], "\0\0\0\5hello\0\0\0\5w", 14) != 14)
		return 1;
	n = conn_read(&c, pool);
	if (n < 0 || conn_answer(&c) != 0)
		return 1;
	printf("read %zd, %zu of them wait; %zu to write in %zu segments\n", n,
	       ibuf_mbuf_len(c.in), ibuf_mbuf_len(c.out),
	       ibuf_mbuf_segments(c.out));

	if (conn_write(&c) != 0)
		return 1;
	n = read(ends[0], answer, sizeof answer);
	printf("the peer has %zd bytes: %.*s\n", n, (int)n - 4, answer + 4);

	ibuf_pool_get_stats(pool, &stats, sizeof stats);
	printf("copied: %zu bytes\n", (size_t)stats.copied_bytes);
	conn_close(&c);
	close(ends[0]);
	return ibuf_pool_destroy(pool) == 0 ? 0 : 1;
}

/* Prints:
 * read 14, 5 of them wait; 12 to write in 2 segments
 * the peer has 12 bytes: ok hello
 * copied: 0 bytes
 */
