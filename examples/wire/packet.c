/* packet.c - wire: frames of the loopback, shown where the kernel put them. */
#define _GNU_SOURCE
#include <ibuf/adapt/packet.h>
#include <ibuf/ibuf.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>

/* A network of our own, where we may receive; else there is nothing to see. */
static int
open_loopback(void)
{
	struct ifreq lo = {.ifr_name = "lo"};
	int udp;

	if (unshare(CLONE_NEWNET) != 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return -1;
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	lo.ifr_flags = IFF_UP;
	return ioctl(udp, SIOCSIFFLAGS, &lo) == 0 ? udp : -1;
}

int
main(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = 9};
	struct ibuf_packet_options options = {.timeout_ms = 1};
	struct ibuf_packet *ring;
	struct ibuf_packet_frame frame;
	int udp = open_loopback(), n = 0;

	options.interface = if_nametoindex("lo");
	if (udp < 0 || ibuf_packet_open(&ring, &options) != 0)
		return 77; /* no right to do so */
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sendto(udp, "hello", 5, 0, (struct sockaddr *)&to, sizeof to);

	while (n == 0) {
		struct pollfd p = {ibuf_packet_fd(ring), POLLIN, 0};

		poll(&p, 1, -1);
		n = ibuf_packet_recv(ring, &frame, 1);
	}
	/* The message outlives the ring, in whatever thread. */
	ibuf_packet_close(ring);
	if (n < 0 || ibuf_mbuf_trim_head(frame.m, 14 + 20 + 8) != 0)
		return 1;
	printf("%u bytes on the wire, of them \"%.*s\"\n", frame.wire,
	       (int)ibuf_mbuf_len(frame.m),
	       (const char *)ibuf_mbuf_data(frame.m));
	ibuf_mbuf_free(frame.m);
	return 0;
}

/* Prints:
 * 47 bytes on the wire, of them "hello"
 */
