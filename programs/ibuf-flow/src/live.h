/*
 * live.h - frames of an Ethernet interface, where the kernel put them.
 */
#ifndef FLOW_LIVE_H
#define FLOW_LIVE_H

#include "capture.h"
#include <stdbool.h>

struct live;

/*
 * Capture from an interface, what passes a filter of n instructions; 0: all.
 * The code is that of the kernel, which pcap_compile() makes.  NULL: libpcap
 * has to do it.
 */
struct live *live_open(const char *interface, const void *code, unsigned n);

/* As capture_next(), but for the link, which is Ethernet. */
int live_next(struct live *l, struct capture_frame *frame,
	      char error[static CAPTURE_ERROR_MAX]);

void live_close(struct live *l);

#endif
