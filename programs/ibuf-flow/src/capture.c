/*
 * capture.c - open files and read frames by libpcap.
 */
#include "capture.h"
#include "filter.h"
#include "live.h"
#include "rewriter.h"
#include "stop.h"
#include <errno.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct capture {
	struct source *in;         /* NULL: an interface */
	struct rewriter *rewriter; /* freed by pcap_close() */
	const char *filter;
	pcap_t *pcap;
	struct live *live; /* NULL, or what is read instead of libpcap */
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
capture_open(const char *path, const char *filter,
	     char error[static CAPTURE_ERROR_MAX])
{
	struct capture *c = calloc(1, sizeof *c);

	if (c == NULL) {
		say(error, strerror(errno));
		return NULL;
	}
	c->filter = filter;
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

/* libpcap waits on, whatever interrupts it, unless it is told. */
static pcap_t *live;

static void
break_live(void)
{
	pcap_breakloop(live);
}

struct capture *
capture_open_live(const char *interface, const char *filter,
		  char error[static CAPTURE_ERROR_MAX])
{
	enum { SNAPSHOT = 262144, TIMEOUT_MS = 100, BUFFER = 16 << 20 };
	char reason[PCAP_ERRBUF_SIZE] = "";
	struct capture *c = calloc(1, sizeof *c);
	struct bpf_program program = {0, NULL};
	int status;

	if (c != NULL)
		c->pcap = pcap_create(interface, reason);
	if (c == NULL || c->pcap == NULL) {
		say(error, c == NULL ? "out of memory" : reason);
		free(c);
		return NULL;
	}
	pcap_set_snaplen(c->pcap, SNAPSHOT);
	pcap_set_promisc(c->pcap, 1);
	pcap_set_timeout(c->pcap, TIMEOUT_MS);
	pcap_set_buffer_size(c->pcap, BUFFER);
	pcap_set_tstamp_precision(c->pcap, PCAP_TSTAMP_PRECISION_NANO);
	status = pcap_activate(c->pcap);
	if (status < 0) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s%s%s",
			 pcap_statustostr(status),
			 *pcap_geterr(c->pcap) == '\0' ? "" : ": ",
			 pcap_geterr(c->pcap));
		goto fail;
	}
	if (filter != NULL && pcap_compile(c->pcap, &program, filter, 1,
					   PCAP_NETMASK_UNKNOWN) != 0) {
		say(error, pcap_geterr(c->pcap));
		goto fail;
	}
	/* libpcap has opened it, says what is wrong, and reads all other links. */
	if (pcap_datalink(c->pcap) == DLT_EN10MB)
		c->live =
			live_open(interface, program.bf_insns, program.bf_len);
	if (c->live == NULL && filter != NULL)
		status = pcap_setfilter(c->pcap, &program);
	pcap_freecode(&program);
	if (status < 0) {
		say(error, pcap_geterr(c->pcap));
		goto fail;
	}
	if (c->live == NULL) {
		live = c->pcap;
		stop_hook = break_live;
	} else {
		pcap_close(c->pcap);
		c->pcap = NULL;
	}
	return c;
fail:
	pcap_close(c->pcap);
	free(c);
	return NULL;
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

/* The next packet that libpcap has: as pcap_next_ex(), waiting for it. */
static int
next_packet(struct capture *c, struct pcap_pkthdr **header,
	    struct capture_frame *frame)
{
	int got;

	do {
		got = pcap_next_ex(c->pcap, header, &frame->bytes);
	} while (got == 0 && !stop_is_asked());
	frame->link = c->in != NULL ? rewriter_link(c->rewriter)
				    : pcap_datalink(c->pcap);
	return got;
}

int
capture_next(struct capture *c, struct capture_frame *frame,
	     char error[static CAPTURE_ERROR_MAX])
{
	char reason[PCAP_ERRBUF_SIZE] = "";
	struct pcap_pkthdr *header;
	int matches = 1;
	int got;

	if (c->live != NULL) {
		frame->link = DLT_EN10MB;
		return live_next(c->live, frame, error);
	}
	do {
		got = next_packet(c, &header, frame);
		if (got == 1 && c->filter != NULL && c->in != NULL)
			matches = filter_match(c->filter, frame->link, header,
					       frame->bytes, reason);
	} while (got == 1 && matches == 0);
	if (got == PCAP_ERROR_BREAK || got == 0)
		return 0;
	if (got != 1 || matches < 0) {
		if (got == 1)
			say(error, reason);
		else if (c->in != NULL && source_error(c->in) != NULL)
			say(error, source_error(c->in));
		else
			say(error, pcap_geterr(c->pcap));
		return -1;
	}
	frame->wire = header->len;
	frame->captured = header->caplen;
	frame->time_ns = time_of(header);
	return 1;
}

void
capture_close(struct capture *c)
{
	stop_hook = NULL;
	if (c->live != NULL)
		live_close(c->live);
	else
		pcap_close(c->pcap);
	if (c->in != NULL)
		source_close(c->in);
	free(c);
}
