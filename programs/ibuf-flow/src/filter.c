/*
 * filter.c - one program for each link type, compiled when it is first seen.
 */
#include "filter.h"
#include <stdio.h>
#include <string.h>

enum { SNAPSHOT = 262144, PROGRAMS = 8 };

/* Alike for all captures, for there is one expression. */
static struct {
	int link;
	struct bpf_program program;
} programs[PROGRAMS];
static unsigned count;

static bool
compile(const char *expression, int link, struct bpf_program *program,
	char error[static PCAP_ERRBUF_SIZE])
{
	enum { LINKTYPE_RAW = 101 };
	int dlt = link == LINKTYPE_RAW ? DLT_RAW : link;
	pcap_t *dead = pcap_open_dead(dlt, SNAPSHOT);
	bool done;

	if (dead == NULL) {
		snprintf(error, PCAP_ERRBUF_SIZE, "out of memory");
		return false;
	}
	done = pcap_compile(dead, program, expression, 1,
			    PCAP_NETMASK_UNKNOWN) == 0;
	if (!done)
		snprintf(error, PCAP_ERRBUF_SIZE, "%s", pcap_geterr(dead));
	pcap_close(dead);
	return done;
}

bool
filter_check(const char *expression, char error[static PCAP_ERRBUF_SIZE])
{
	static const int links[] = {DLT_IEEE802_11_RADIO, DLT_LINUX_SLL,
				    DLT_RAW, DLT_EN10MB};
	struct bpf_program program;
	size_t i;

	for (i = 0; i < sizeof links / sizeof links[0]; i++) {
		if (compile(expression, links[i], &program, error)) {
			pcap_freecode(&program);
			return true;
		}
	}
	return false;
}

int
filter_match(const char *expression, int link, const struct pcap_pkthdr *header,
	     const u_char *bytes, char error[static PCAP_ERRBUF_SIZE])
{
	unsigned i = 0;

	while (i < count && programs[i].link != link)
		i++;
	if (i == count) {
		/* With more link types than that, the last one changes. */
		if (count == PROGRAMS)
			pcap_freecode(&programs[--count, --i].program);
		if (!compile(expression, link, &programs[i].program, error))
			return -1;
		programs[i].link = link;
		count++;
	}
	return pcap_offline_filter(&programs[i].program, header, bytes) != 0;
}
