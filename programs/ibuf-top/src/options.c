/* options.c - what the command line says. */
#include "options.h"
#include "../../common/complain.h"
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>

static const char letters[] = ":1ji:p:s:hV";

const char options_help[] =
	"usage: ibuf-top [OPTION]...\n"
	"\n"
	"Show the message pools and queues of running programs that use ibuf.\n"
	"\n"
	"  -1, --once          show them once, and end\n"
	"  -j, --json          print a line of JSON at each interval\n"
	"  -i, --interval=S    seconds from one look to the next, 1 to 3600; "
	"2\n"
	"  -p, --pid=PID       only this process; may be given several times\n"
	"  -s, --sort=KEY      allocated, rate, copied, failures, mapped, name "
	"or\n"
	"                      pid; rate\n"
	"  -h, --help          show this and end\n"
	"  -V, --version       show the version and end\n"
	"\n"
	"On the screen a, r, c, f, m, n and p sort by these keys; arrows "
	"scroll; q ends.\n";

static bool
add_pid(struct options *o)
{
	uint64_t number;
	pid_t *more;

	if (!option_number("pid", optarg, 1, INT_MAX, &number))
		return false;
	more = realloc(o->pids, (o->pids_count + 1) * sizeof *more);
	if (more == NULL) {
		complain("out of memory");
		return false;
	}
	o->pids = more;
	o->pids[o->pids_count++] = (pid_t)number;
	return true;
}

static bool
parse_option(struct options *o, int letter)
{
	uint64_t number;

	switch (letter) {
	case '1':
		o->once = true;
		return true;
	case 'j':
		o->json = true;
		return true;
	case 'i':
		if (!option_number("interval", optarg, 1, 3600, &number))
			return false;
		o->interval_s = (unsigned)number;
		return true;
	case 'p':
		return add_pid(o);
	default:
		o->order = view_order_named(optarg);
		if (o->order == NULL)
			complain("--sort takes allocated, rate, copied, "
				 "failures, mapped, name or pid, not '%s'",
				 optarg);
		return o->order != NULL;
	}
}

enum options_result
options_parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{"once", no_argument, NULL, '1'},
		{"json", no_argument, NULL, 'j'},
		{"interval", required_argument, NULL, 'i'},
		{"pid", required_argument, NULL, 'p'},
		{"sort", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	enum options_result result;
	int letter;

	*o = (struct options){
		.interval_s = 2,
		.order = view_order_named("rate"),
	};
	while ((letter = option_next(argc, argv, letters, longs, &result)) !=
	       -1)
		if (!parse_option(o, letter))
			return OPTIONS_WRONG;
	if (result != OPTIONS_RUN)
		return result;
	if (argv[optind] != NULL) {
		complain("what is '%s'? see --help", argv[optind]);
		return OPTIONS_WRONG;
	}
	return OPTIONS_RUN;
}
