/* 11_runs.c - a run of datagrams, sent and received as one message. */
#include <errno.h>
#include <ibuf/ibuf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#ifndef UDP_GRO
#define UDP_GRO 104 /* of <linux/udp.h> */
#endif

/* Cut the first n bytes, or all, off m: the same bytes, not a copy. */
static struct ibuf_mbuf *
cut(struct ibuf_mbuf *m, size_t n)
{
	struct ibuf_mbuf *front;

	if (n > ibuf_mbuf_len(m))
		n = ibuf_mbuf_len(m);
	return ibuf_mbuf_split_front(m, n, &front) == 0 ? front : NULL;
}

/* Send all of m, in datagrams of so many bytes. */
static bool
send_run(int fd, struct ibuf_mbuf *m, uint16_t size)
{
	struct ibuf_io_datagram d = {.m = m};
	struct ibuf_io_control c = {.segment_size = size};
	int sent = ibuf_io_send_control(fd, &d, &c, 1, 0);

	/* Where the system does not cut, the program does. */
	while (sent == -ENOTSUP && ibuf_mbuf_len(m) != 0) {
		d.m = cut(m, size);
		if (d.m == NULL || ibuf_io_send(fd, &d, 1, 0) != 1)
			break;
	}
	if (sent == 1)
		return true;
	if (d.m != m)
		ibuf_mbuf_free(d.m); /* it was not sent, or it is NULL */
	sent = ibuf_mbuf_len(m) == 0;
	ibuf_mbuf_free(m);
	return sent;
}

/* Receive what is there, a run or a single datagram; how many bytes. */
static size_t
receive_run(int fd, struct ibuf_pool *p)
{
	struct ibuf_io_datagram d;
	struct ibuf_io_control c = {0};
	struct ibuf_mbuf *piece;
	size_t n;

	if (ibuf_io_recv_control(fd, p, &d, &c, 1, 0) != 1)
		return 0;
	n = ibuf_mbuf_len(d.m);
	do {
		piece = cut(d.m, c.segment_size != 0 ? c.segment_size : n);
		if (piece == NULL)
			break;
		printf("a datagram of %zu bytes\n", ibuf_mbuf_len(piece));
		ibuf_mbuf_free(piece);
	} while (ibuf_mbuf_len(d.m) != 0);
	ibuf_mbuf_free(d.m);
	return n;
}

int
main(void)
{
	struct ibuf_pool *p = ibuf_pool_new(0, 65535);
	struct ibuf_mbuf *m = ibuf_mbuf_new(2800);
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct sockaddr *to = (struct sockaddr *)&address;
	int in = socket(AF_INET, SOCK_DGRAM, 0);
	int out = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof(address);
	size_t left = 2800;
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (p == NULL || m == NULL || bind(in, to, len) != 0 ||
	    getsockname(in, to, &len) != 0 || connect(out, to, len) != 0 ||
	    ibuf_mbuf_append_fill(m, 'x', left) != 0)
		return 1;
	/* Where the system does not know runs, each datagram comes alone. */
	(void)setsockopt(in, IPPROTO_UDP, UDP_GRO, &on, sizeof(on));

	if (!send_run(out, m, 1200))
		return 1;
	while (left != 0) {
		size_t n = receive_run(in, p);

		if (n == 0)
			return 1;
		left -= n;
	}
	close(in);
	close(out);
	return ibuf_pool_destroy(p) != 0;
}

/* Prints:
 * a datagram of 1200 bytes
 * a datagram of 1200 bytes
 * a datagram of 400 bytes
 */
