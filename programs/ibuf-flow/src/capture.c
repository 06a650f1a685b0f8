/*
 * capture.c - open files and read frames by libpcap.
 */
#include "capture.h"
#include "rewriter.h"
#include <errno.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct capture {
	struct source *in;
	struct rewriter *rewriter; /* freed by pcap_close() */
	pcap_t *pcap;
};

static void
say(char error[static CAPTURE_ERROR_MAX], const char *reason)
{
	snprintf(error, CAPTURE_ERROR_MAX, "%s", reason);
}

/* Put libpcap on top of the source. */
static bool
attach(struct capture *c, char error[static CAPTURE_ERROR_MAX])
{
	char reason[PCAP_ERRBUF_SIZE] = "";

	c->rewriter = rewriter_open(c->in);
	if (c->rewriter == NULL) {
		say(error, strerror(errno));
		return false;
	}
	c->pcap = pcap_fopen_offline_with_tstamp_precision(
		rewriter_file(c->rewriter), PCAP_TSTAMP_PRECISION_NANO, reason);
	if (c->pcap == NULL) {
		say(error,
		    source_error(c->in) != NULL ? source_error(c->in) : reason);
		fclose(rewriter_file(c->rewriter));
		return false;
	}
	return true;
}

struct capture *
capture_open(const char *path, char error[static CAPTURE_ERROR_MAX])
{
	struct capture *c = calloc(1, sizeof *c);

	if (c == NULL) {
		say(error, strerror(errno));
		return NULL;
	}
	c->in = source_open(path);
	if (c->in == NULL) {
		say(error, strerror(errno));
		free(c);
		return NULL;
	}
	if (!attach(c, error)) {
		source_close(c->in);
		free(c);
		return NULL;
	}
	return c;
}

/*
 * pcap files have 32 bits of seconds, which libpcap takes for signed: what
 * seems to be before 1970 is after 2038.  Fractions are nanoseconds by our
 * request, but no one has checked that they are less than a second.
 */
static int64_t
time_of(const struct pcap_pkthdr *header)
{
	enum { SECOND_NS = 1000000000 };
	const int64_t most = INT64_MAX / SECOND_NS - 16;
	int64_t seconds = header->ts.tv_sec;

	if (seconds < 0 && seconds >= INT32_MIN)
		seconds += INT64_C(1) << 32;
	if (seconds > most)
		seconds = most;
	if (seconds < -most)
		seconds = -most;
	return seconds * SECOND_NS + header->ts.tv_usec % (8L * SECOND_NS);
}

int
capture_next(struct capture *c, struct capture_frame *frame,
	     char error[static CAPTURE_ERROR_MAX])
{
	struct pcap_pkthdr *header;
	int got = pcap_next_ex(c->pcap, &header, &frame->bytes);

	if (got == PCAP_ERROR_BREAK)
		return 0;
	if (got != 1) {
		say(error, source_error(c->in) != NULL ? source_error(c->in)
						       : pcap_geterr(c->pcap));
		return -1;
	}
	frame->wire = header->len;
	frame->captured = header->caplen;
	frame->time_ns = time_of(header);
	frame->link = rewriter_link(c->rewriter);
	return 1;
}

uint64_t
capture_size(const struct capture *c)
{
	return source_size(c->in);
}

uint64_t
capture_position(const struct capture *c)
{
	return source_position(c->in);
}

void
capture_close(struct capture *c)
{
	pcap_close(c->pcap);
	source_close(c->in);
	free(c);
}
