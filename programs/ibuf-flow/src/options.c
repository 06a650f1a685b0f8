/*
 * options.c - parse the command line.
 */
#include "options.h"
#include "../../common/complain.h"
#include "filter.h"
#include "meter.h"
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char options_help[] = "\
Usage: ibuf-flow [OPTION]... FILE... [FILTER]\n\
       ibuf-flow [OPTION]... -i INTERFACE [FILTER]\n\
Show the flows of packet captures: who talks to whom, how much, when.\n\
\n\
FILE is a pcap or pcapng capture, also compressed by gzip or zstd; - is\n\
standard input.  Several are added up.  FILTER is an expression of\n\
pcap-filter(7).\n\
\n\
  -n, --top=N        list the first N flows only; 0, the default: all\n\
  -s, --sort=ORDER   bytes (default), packets, duration, first or last\n\
  -j, --json         print one JSON object instead of a table\n\
  -c, --csv          print a line of values for each flow instead\n\
  -i, --interface=INTERFACE  capture, until SIGINT or SIGTERM\n\
  -A, --active-timeout=S     end a flow's record after S seconds\n\
  -I, --inactive-timeout=S   or when nothing came for S seconds\n\
      --no-streams   put no TCP streams together, look for no names\n\
  -t, --threads=N    use N threads, 1 to 64\n\
  -e, --extract=DIR  write each side of each TCP stream to a file there\n\
  -g, --max-gap=BYTES     skip missing bytes of a stream once this many\n\
                          came behind them (1M)\n\
  -m, --max-memory=BYTES  most memory for streams and names (256M)\n\
                          BYTES may end with K, M or G\n\
  -h, --help         show this help and exit\n\
  -V, --version      show the version and exit\n\
\n\
Exit status: 0 when every byte was read, 1 when not or when the output\n\
could not be written, 2 when the command line is wrong.\n";

/* Options without a letter. */
enum { NO_STREAMS = 256 };

static const char letters[] = ":n:s:jct:i:A:I:e:g:m:hV";

/* As many as there are processors, but few. */
static unsigned
default_threads(void)
{
	enum { ENOUGH = 4 };
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (processors < 1)
		return 1;
	return processors > ENOUGH ? ENOUGH : (unsigned)processors;
}

static bool
parse_seconds(const char *name, int64_t *ns)
{
	enum { MOST = 1000000000, SECOND_NS = 1000000000 };
	uint64_t seconds;

	if (!option_number(name, optarg, 1, MOST, &seconds))
		return false;
	*ns = (int64_t)seconds * SECOND_NS;
	return true;
}

static bool
parse_option(struct options *o, int letter)
{
	uint64_t number;

	switch (letter) {
	case 'n':
		if (!option_number("top", optarg, 0, SIZE_MAX, &number))
			return false;
		o->top = (size_t)number;
		return true;
	case 's':
		if (!order_parse(optarg, &o->order)) {
			complain("--sort takes %s, not '%s'", order_names,
				 optarg);
			return false;
		}
		return true;
	case 't':
		if (!option_number("threads", optarg, 1, METER_THREADS_MAX,
				   &number))
			return false;
		o->threads = (unsigned)number;
		return true;
	case 'j':
		o->is_json = true;
		return true;
	case 'c':
		o->is_csv = true;
		return true;
	case 'i':
		o->interface = optarg;
		return true;
	case 'A':
		return parse_seconds("active-timeout", &o->timeouts.active_ns);
	case 'I':
		return parse_seconds("inactive-timeout",
				     &o->timeouts.inactive_ns);
	case NO_STREAMS:
		o->no_streams = true;
		return true;
	case 'e':
		o->extract = optarg;
		return true;
	case 'g':
		return option_bytes("max-gap", optarg, 0, &o->max_gap);
	case 'm':
		return option_bytes("max-memory", optarg, 0, &o->max_memory);
	default:
		return false;
	}
}

/*
 * A word of a filter: no file is called so, and it has blanks, or no slash and
 * no dot, as the names of captures have.
 */
static bool
begins_filter(const char *word)
{
	return strcmp(word, "-") != 0 && access(word, F_OK) != 0 &&
	       (strchr(word, ' ') != NULL || strpbrk(word, "/.") == NULL);
}

/* The words from the first such one on are one expression. */
static bool
take_filter(struct options *o)
{
	char error[PCAP_ERRBUF_SIZE];
	char **word = o->files;
	size_t size = 1;
	char **at;

	while (*word != NULL && o->interface == NULL && !begins_filter(*word))
		word++;
	for (at = word; *at != NULL; at++)
		size += strlen(*at) + 1;
	if (size == 1)
		return true;
	o->filter = calloc(1, size);
	if (o->filter == NULL) {
		complain("out of memory");
		return false;
	}
	for (at = word; *at != NULL; at++) {
		if (at != word)
			strcat(o->filter, " ");
		strcat(o->filter, *at);
	}
	*word = NULL;
	if (filter_check(o->filter, error))
		return true;
	complain("'%s' is neither a file nor a filter: %s", o->filter, error);
	free(o->filter);
	return false;
}

enum options_result
options_parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{"top", required_argument, NULL, 'n'},
		{"sort", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"threads", required_argument, NULL, 't'},
		{"csv", no_argument, NULL, 'c'},
		{"interface", required_argument, NULL, 'i'},
		{"active-timeout", required_argument, NULL, 'A'},
		{"inactive-timeout", required_argument, NULL, 'I'},
		{"no-streams", no_argument, NULL, NO_STREAMS},
		{"extract", required_argument, NULL, 'e'},
		{"max-gap", required_argument, NULL, 'g'},
		{"max-memory", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	enum options_result result;
	int letter;

	*o = (struct options){
		.threads = default_threads(),
		.max_gap = UINT64_C(1) << 20,
		.max_memory = UINT64_C(256) << 20,
	};
	while ((letter = option_next(argc, argv, letters, longs, &result)) !=
	       -1)
		if (!parse_option(o, letter))
			return OPTIONS_WRONG;
	if (result != OPTIONS_RUN)
		return result;
	o->files = argv + optind;
	if (!take_filter(o))
		return OPTIONS_WRONG;
	if (*o->files == NULL && o->interface == NULL) {
		complain("no FILE given; see --help");
		return OPTIONS_WRONG;
	}
	return OPTIONS_RUN;
}
