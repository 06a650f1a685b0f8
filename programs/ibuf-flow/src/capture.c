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
#include <sys/stat.h>

struct capture {
	FILE *in;
	struct rewriter *rewriter; /* freed by pcap_close() */
	pcap_t *pcap;
	uint64_t size;
};

static void
say(char error[static CAPTURE_ERROR_MAX], const char *reason)
{
	snprintf(error, CAPTURE_ERROR_MAX, "%s", reason);
}

static void
close_file(FILE *in)
{
	if (in != stdin)
		fclose(in);
}

static uint64_t
regular_size(FILE *in)
{
	struct stat status;

	if (fstat(fileno(in), &status) != 0 || !S_ISREG(status.st_mode))
		return 0;
	return (uint64_t)status.st_size;
}

/* Put libpcap on top of the file. */
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
		say(error, reason);
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
	c->in = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	if (c->in == NULL) {
		say(error, strerror(errno));
		free(c);
		return NULL;
	}
	c->size = regular_size(c->in);
	if (!attach(c, error)) {
		close_file(c->in);
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
		say(error, pcap_geterr(c->pcap));
		return -1;
	}
	frame->wire = header->len;
	frame->captured = header->caplen;
	frame->time_ns = time_of(header);
	frame->link = rewriter_link(c->rewriter);
	if (frame->link < 0)
		frame->link = pcap_datalink(c->pcap);
	return 1;
}

uint64_t
capture_size(const struct capture *c)
{
	return c->size;
}

uint64_t
capture_position(const struct capture *c)
{
	off_t position = ftello(c->in);

	return position < 0 ? 0 : (uint64_t)position;
}

void
capture_close(struct capture *c)
{
	pcap_close(c->pcap);
	close_file(c->in);
	free(c);
}
