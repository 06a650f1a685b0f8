/* xdp.c - wire: a frame is sent and comes back, in memory of one pool. */
#define _GNU_SOURCE
#include <bpf/libbpf.h>
#include <ibuf/adapt/xdp.h>
#include <ibuf/ibuf.h>
#include <linux/if_link.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <xdp/libxdp.h>

/* A network of our own, whose loopback gives back what is sent. */
static int
open_loopback(struct ibuf_xdp **xdp)
{
	struct ibuf_xdp_options options = {.interface = "lo",
					   .xdp_flags = XDP_FLAGS_SKB_MODE};
	struct ifreq lo = {.ifr_name = "lo"};
	int any, error;

	if (unshare(CLONE_NEWNET) != 0)
		return -1;
	any = socket(AF_INET, SOCK_DGRAM, 0);
	lo.ifr_flags = IFF_UP;
	error = ioctl(any, SIOCSIFFLAGS, &lo);
	close(any);
	libbpf_set_print(NULL);
	libxdp_set_print(NULL);
	return error != 0 ? error : ibuf_xdp_open(xdp, &options);
}

int
main(void)
{
	static const uint8_t head[14] = {[12] = 0x88, [13] = 0xb5};
	struct ibuf_xdp *xdp;
	struct ibuf_mbuf *m;
	int n = 0;

	if (open_loopback(&xdp) != 0)
		return 77; /* no right to do so */
	m = ibuf_pool_alloc(ibuf_xdp_pool(xdp));
	if (m == NULL || ibuf_mbuf_append(m, "there and back", 14) != 0 ||
	    ibuf_mbuf_prepend(m, head, sizeof head) != 0 ||
	    ibuf_xdp_send(xdp, &m, 1) != 1)
		return 1;

	while (n == 0) {
		struct pollfd p = {ibuf_xdp_fd(xdp), POLLIN, 0};

		poll(&p, 1, -1);
		n = ibuf_xdp_recv(xdp, &m, 1);
	}
	/* The message outlives the socket, in whatever thread. */
	ibuf_xdp_close(xdp);
	if (n < 0 || ibuf_mbuf_trim_head(m, sizeof head) != 0)
		return 1;
	printf("\"%.*s\"\n", (int)ibuf_mbuf_len(m),
	       (const char *)ibuf_mbuf_data(m));
	ibuf_mbuf_free(m);
	return 0;
}

/* Prints:
 * "there and back"
 */
