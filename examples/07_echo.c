/* 07_echo.c - an echo: what a socket has to read goes back as it came. */
#include <errno.h>
#include <ibuf/ibuf.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Until the other end closes. */
static void *
echo(void *arg)
{
	const int *fd = arg;
	struct ibuf_mbuf *m = ibuf_mbuf_new(4096);
	ssize_t n = m == NULL ? -ENOMEM : 1;

	while (n > 0) {
		n = ibuf_io_read(*fd, m, SIZE_MAX);
		/* A write may take only a part, and leaves the rest in m. */
		while (n > 0 && ibuf_mbuf_len(m) != 0)
			n = ibuf_io_write_socket(*fd, m, 0);
	}
	ibuf_mbuf_free(m);
	shutdown(*fd, SHUT_WR);
	return NULL;
}

int
main(void)
{
	struct ibuf_mbuf *out = ibuf_mbuf_from("hello ", 6);
	struct ibuf_mbuf *in = ibuf_mbuf_new(16);
	struct ibuf_mbuf *tail = ibuf_mbuf_from("world", 5);
	pthread_t thread;
	int ends[2];

	if (in == NULL || out == NULL || tail == NULL ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ||
	    pthread_create(&thread, NULL, echo, &ends[1]) != 0)
		return 1;

	/* Two segments go out in one call, without being joined. */
	if (ibuf_mbuf_concat(out, tail) != 0)
		return 1;
	printf("%zu segments, ", ibuf_mbuf_segments(out));
	printf("%zd bytes sent, ", ibuf_io_write_socket(ends[0], out, 0));
	printf("%zu left\n", ibuf_mbuf_len(out));

	shutdown(ends[0], SHUT_WR);
	while (ibuf_io_read(ends[0], in, SIZE_MAX) > 0)
		;
	printf("came back: %.*s\n", (int)ibuf_mbuf_len(in),
	       (const char *)ibuf_mbuf_data(in));

	pthread_join(thread, NULL);
	close(ends[0]);
	close(ends[1]);
	ibuf_mbuf_free(in);
	ibuf_mbuf_free(out);
	return 0;
}

/* Prints:
 * 2 segments, 11 bytes sent, 0 left
 * came back: hello world
 */
