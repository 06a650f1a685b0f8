/*
 * capture.h - read the frames of a pcap or pcapng file, by libpcap.
 */
#ifndef FLOW_CAPTURE_H
#define FLOW_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

struct capture;

struct capture_frame {
	const uint8_t *bytes; /* valid until the next frame is read */
	uint32_t captured;    /* how many of them there are */
	uint32_t wire;        /* how many the frame had, as the file has it */
	int64_t time_ns;      /* since 1970; far times are cut to what fits */
	int link;             /* LINKTYPE, or the DLT of libpcap */
};

/* Room for what went wrong, in one line. */
enum { CAPTURE_ERROR_MAX = 512 };

/*
 * Open a capture; "-" is standard input.  NULL, and the reason in error, when
 * it cannot be opened or is no capture.
 */
struct capture *capture_open(const char *path,
			     char error[static CAPTURE_ERROR_MAX]);

/*
 * Read the next frame.  1: there is one; 0: the capture is read to its end;
 * -1, and the reason in error: it is cut or damaged here.
 */
int capture_next(struct capture *c, struct capture_frame *frame,
		 char error[static CAPTURE_ERROR_MAX]);

/* Bytes of a regular file, 0 for anything else. */
uint64_t capture_size(const struct capture *c);

/* Bytes of it that were read. */
uint64_t capture_position(const struct capture *c);

void capture_close(struct capture *c);

#endif
