/*
 * options.c - parse the command line.
 */
#include "options.h"
#include "complain.h"
#include "meter.h"
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char options_help[] =
	"Usage: ibuf-flow [OPTION]... FILE...\n"
	"Show the flows of packet captures: who talks to whom, how much, "
	"when.\n"
	"\n"
	"FILE is a pcap or pcapng capture; - is standard input.  Several are\n"
	"summed up.\n"
	"\n"
	"  -n, --top=N        list the first N flows only; 0, the default: "
	"all\n"
	"  -s, --sort=ORDER   bytes (default), packets, duration, first or "
	"last\n"
	"  -j, --json         print one JSON object instead of a table\n"
	"  -t, --threads=N    count flows with N threads, 1 to 64\n"
	"  -e, --extract=DIR  write each side of each TCP stream to a file "
	"there\n"
	"  -g, --max-gap=BYTES     go on without missing bytes of a stream "
	"when so\n"
	"                          many came behind them (1M)\n"
	"  -m, --max-memory=BYTES  keep no more for streams and names (256M)\n"
	"                          BYTES may end with K, M or G\n"
	"  -h, --help         show this help and exit\n"
	"  -V, --version      show the version and exit\n"
	"\n"
	"Exit status: 0 when every byte was read, 1 when not or when the "
	"output\n"
	"could not be written, 2 when the command line is wrong.\n";

static const char letters[] = ":n:s:jt:e:g:m:hV";

/* The reader has one processor, the workers share the others. */
static unsigned
default_workers(void)
{
	enum { ENOUGH = 4 };
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (processors <= 2)
		return 1;
	return processors > ENOUGH ? ENOUGH : (unsigned)processors - 1;
}

/* A decimal number from least to most, and nothing else. */
static bool
parse_number(const char *text, unsigned long least, unsigned long most,
	     unsigned long *number)
{
	char *end;

	/* strtoul() would take a sign and blanks. */
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoul(text, &end, 10);
	return errno == 0 && *end == '\0' && *number >= least &&
	       *number <= most;
}

/* A number of bytes, of 1024, its square or its cube with K, M or G. */
static bool
parse_bytes(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMG";
	char digits[24] = "";
	size_t n = strspn(text, "0123456789");
	unsigned long number;
	const char *unit;
	unsigned shift = 0;

	if (n >= sizeof digits)
		return false;
	memcpy(digits, text, n);
	if (text[n] != '\0') {
		unit = strchr(units, text[n]);
		if (unit == NULL || text[n + 1] != '\0')
			return false;
		shift = 10 * (unsigned)(unit - units + 1);
	}
	if (!parse_number(digits, 0, SIZE_MAX >> shift >> 1, &number))
		return false;
	*bytes = (uint64_t)number << shift;
	return true;
}

static bool
parse_option(struct options *o, int letter)
{
	unsigned long number;

	switch (letter) {
	case 'n':
		if (!parse_number(optarg, 0, SIZE_MAX, &number)) {
			complain("--top takes a number, not '%s'", optarg);
			return false;
		}
		o->top = number;
		return true;
	case 's':
		if (!order_parse(optarg, &o->order)) {
			complain("--sort takes %s, not '%s'", order_names,
				 optarg);
			return false;
		}
		return true;
	case 't':
		if (!parse_number(optarg, 1, METER_WORKERS_MAX, &number)) {
			complain("--threads takes a number from 1 to %d, "
				 "not '%s'",
				 METER_WORKERS_MAX, optarg);
			return false;
		}
		o->workers = (unsigned)number;
		return true;
	case 'j':
		o->is_json = true;
		return true;
	case 'e':
		o->extract = optarg;
		return true;
	case 'g':
		if (parse_bytes(optarg, &o->max_gap))
			return true;
		complain("--max-gap takes bytes, as 64K, not '%s'", optarg);
		return false;
	case 'm':
		if (parse_bytes(optarg, &o->max_memory))
			return true;
		complain("--max-memory takes bytes, as 64M, not '%s'", optarg);
		return false;
	default:
		return false;
	}
}

/*
 * What getopt_long() did not take.  A letter of ours that it did not take was
 * a long option with a value that this option does not have.
 */
static void
complain_unknown(char **argv, int letter)
{
	if (letter == ':')
		complain("option '%s' needs an argument; see --help",
			 argv[optind - 1]);
	else if (optopt != 0 && strchr(letters, optopt) == NULL)
		complain("unknown option '-%c'; see --help", optopt);
	else
		complain("unknown option '%s'; see --help", argv[optind - 1]);
}

enum options_result
options_parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{"top", required_argument, NULL, 'n'},
		{"sort", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"threads", required_argument, NULL, 't'},
		{"extract", required_argument, NULL, 'e'},
		{"max-gap", required_argument, NULL, 'g'},
		{"max-memory", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int letter;

	*o = (struct options){
		.workers = default_workers(),
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
			complain_unknown(argv, letter);
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
