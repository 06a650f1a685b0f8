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
 * Open a capture; "-" is standard input.  Only packets that match the filter,
 * which may be NULL and stays the caller's, come out of it.  NULL, and the reason in error, when
 * it cannot be opened or is no capture.
 */
struct capture *capture_open(const char *path, const char *filter,
			     char error[static CAPTURE_ERROR_MAX]);

/* The same for an interface; it ends when the program is asked to stop. */
struct capture *capture_open_live(const char *interface, const char *filter,
				  char error[static CAPTURE_ERROR_MAX]);

/*
 * Read the next frame.  1: there is one; 0: the capture is read to its end;
 * -1, and the reason in error: it is cut or damaged here.
 */
int capture_next(struct capture *c, struct capture_frame *frame,
		 char error[static CAPTURE_ERROR_MAX]);

void capture_close(struct capture *c);

#endif
