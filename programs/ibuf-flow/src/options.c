/*
 * options.c - parse the command line.
 */
#include "options.h"
#include "../../common/complain.h"
#include "../../common/option.h"
#include "meter.h"
#include <getopt.h>
#include <unistd.h>

const char options_help[] =
	"Usage: ibuf-flow [OPTION]... FILE...\n"
	"Show the flows of packet captures: who talks to whom, how much, "
	"when.\n"
	"\n"
	"FILE is a pcap or pcapng capture; - is standard input.  Several are\n"
	"added up.\n"
	"\n"
	"  -n, --top=N        list the first N flows only; 0, the default: "
	"all\n"
	"  -s, --sort=ORDER   bytes (default), packets, duration, first or "
	"last\n"
	"  -j, --json         print one JSON object instead of a table\n"
	"  -t, --threads=N    use N threads, 1 to 64\n"
	"      --no-streams   put no TCP streams together, look for no names\n"
	"  -e, --extract=DIR  write each side of each TCP stream to a file "
	"there\n"
	"  -g, --max-gap=BYTES     skip missing bytes of a stream once this "
	"many\n"
	"                          came behind them (1M)\n"
	"  -m, --max-memory=BYTES  most memory for streams and names (256M)\n"
	"                          BYTES may end with K, M or G\n"
	"  -h, --help         show this help and exit\n"
	"  -V, --version      show the version and exit\n"
	"\n"
	"Exit status: 0 when every byte was read, 1 when not or when the "
	"output\n"
	"could not be written, 2 when the command line is wrong.\n";

/* Options without a letter. */
enum { NO_STREAMS = 256 };

static const char letters[] = ":n:s:jt:e:g:m:hV";

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

enum options_result
options_parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{"top", required_argument, NULL, 'n'},
		{"sort", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"threads", required_argument, NULL, 't'},
		{"no-streams", no_argument, NULL, NO_STREAMS},
		{"extract", required_argument, NULL, 'e'},
		{"max-gap", required_argument, NULL, 'g'},
		{"max-memory", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int letter;

	*o = (struct options){
		.threads = default_threads(),
		.max_gap = UINT64_C(1) << 20,
		.max_memory = UINT64_C(256) << 20,
	};
	opterr = 0;
	while ((letter = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (letter == 'h')
			return OPTIONS_HELP;
		if (letter == 'V')
			return OPTIONS_VERSION;
		if (letter == '?' || letter == ':') {
			option_complain(argv, letter, letters);
			return OPTIONS_WRONG;
		}
		if (!parse_option(o, letter))
			return OPTIONS_WRONG;
	}
	if (optind == argc) {
		complain("no FILE given; see --help");
		return OPTIONS_WRONG;
	}
	o->files = argv + optind;
	return OPTIONS_RUN;
}
