/*
 * live.c - read frames by a ring that is shared with the kernel.
 */
#include "live.h"
#include "stop.h"
#include <ibuf/adapt/packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>

struct live {
	struct ibuf_packet *ring;
	struct ibuf_mbuf *frame; /* the one that was read last */
	unsigned loopback;       /* where each frame goes out and comes in */
};

struct live *
live_open(const char *interface, const void *code, unsigned n)
{
	struct sock_fprog filter = {(unsigned short)n,
				    (struct sock_filter *)(uintptr_t)code};
	struct ibuf_packet_options options = {
		.interface = if_nametoindex(interface),
		.timeout_ms = 100,
		.promiscuous = true,
		.filter = n != 0 ? &filter : NULL,
	};
	struct live *l = calloc(1, sizeof *l);

	if (l == NULL || options.interface == 0 || n > BPF_MAXINSNS ||
	    ibuf_packet_open(&l->ring, &options) != 0) {
		free(l);
		return NULL;
	}
	l->loopback = if_nametoindex("lo");
	return l;
}

/* A frame, or the reason why there is none: 0 when it is asked to stop. */
static int
wait_for(struct live *l, struct ibuf_packet_frame *frame)
{
	struct pollfd ready = {ibuf_packet_fd(l->ring), POLLIN, 0};
	int got;

	for (;;) {
		got = ibuf_packet_recv(l->ring, frame, 1);
		if (got < 0 || stop_is_asked())
			return got;
		if (got == 0)
			poll(&ready, 1, -1); /* a signal interrupts it */
		else if (frame->type == PACKET_OUTGOING &&
			 frame->interface == l->loopback)
			ibuf_mbuf_free(frame->m);
		else
			return 1;
	}
}

int
live_next(struct live *l, struct capture_frame *frame,
	  char error[static CAPTURE_ERROR_MAX])
{
	struct ibuf_packet_frame next = {.m = NULL};
	int got;

	ibuf_mbuf_free(l->frame);
	l->frame = NULL;
	got = wait_for(l, &next);
	if (got < 0)
		snprintf(error, CAPTURE_ERROR_MAX, "%s", strerror(-got));
	if (got <= 0)
		return got < 0 ? -1 : 0;
	l->frame = next.m;
	frame->bytes = ibuf_mbuf_data(next.m);
	frame->captured = (uint32_t)ibuf_mbuf_len(next.m);
	frame->wire = next.wire;
	frame->time_ns = next.time_ns;
	return 1;
}

void
live_close(struct live *l)
{
	ibuf_mbuf_free(l->frame);
	ibuf_packet_close(l->ring);
	free(l);
}
