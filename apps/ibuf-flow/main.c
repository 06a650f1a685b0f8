/*
 * ibuf-flow - the flows of packet captures.
 *
 *	captures --> reader --> workers: counter.c --> list --> table or JSON
 *	 capture.c   meter.c -> worker:  streams.c     order.c  report.c,
 *	                                               report_json.c
 */
#include "../common/complain.h"
#include "meter.h"
#include "options.h"
#include "report.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char complain_name[] = "ibuf-flow";

enum { STATUS_DONE = 0, STATUS_INCOMPLETE = 1, STATUS_USAGE = 2 };

/*
 * A closed standard stream must not become the descriptor of a capture.  Its
 * place is taken by something that cannot be written to, so that output which
 * goes nowhere is noticed.
 */
static void
hold_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* Write out what is buffered.  false: it did not go out, and why is said. */
static bool
finish_output(bool done)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout) && done)
		return true;
	complain("cannot write the output: %s",
		 errno != 0 ? strerror(errno) : "write error");
	return false;
}

static bool
report(struct meter *m, const struct options *o)
{
	size_t count = meter_flow_count(m);

	order_flows(meter_flows(m), count, o->order);
	if (o->top > 0 && o->top < count)
		count = o->top;
	return finish_output(o->is_json ? report_json(stdout, m, count)
					: report_table(stdout, m, count));
}

static int
run(const struct options *o)
{
	struct streams_options streams = {
		.max_gap = o->max_gap,
		.max_memory = o->max_memory,
	};
	struct meter *m;
	bool done;
	char **file;

	if (o->extract != NULL) {
		streams.extract = extract_open(o->extract);
		if (streams.extract == NULL)
			return STATUS_INCOMPLETE;
	}
	m = meter_start(o->workers, &streams);
	if (m == NULL) {
		complain("cannot start %u threads", o->workers);
		return STATUS_INCOMPLETE;
	}
	for (file = o->files; *file != NULL; file++)
		meter_read(m, *file);
	done = meter_finish(m);
	if (!done)
		complain("out of memory");
	else if (meter_totals(m)->lost > 0)
		complain("out of memory: %llu packets are in no flow",
			 (unsigned long long)meter_totals(m)->lost);
	else if (meter_totals(m)->lost_streams > 0)
		complain("out of memory: streams are incomplete");
	done = done && report(m, o) && meter_totals(m)->complete &&
	       meter_totals(m)->lost == 0 && meter_totals(m)->lost_streams == 0;
	meter_free(m);
	if (streams.extract != NULL && !extract_close(streams.extract))
		done = false;
	return done ? STATUS_DONE : STATUS_INCOMPLETE;
}

int
main(int argc, char **argv)
{
	struct options options;

	hold_standard_streams();
	/* A reader of ours that goes away is an error of writing, no death. */
	signal(SIGPIPE, SIG_IGN);
	switch (options_parse(&options, argc, argv)) {
	case OPTIONS_RUN:
		return run(&options);
	case OPTIONS_HELP:
		fputs(options_help, stdout);
		return finish_output(true) ? STATUS_DONE : STATUS_INCOMPLETE;
	case OPTIONS_VERSION:
		printf("ibuf-flow %s\n", ibuf_version_string());
		return finish_output(true) ? STATUS_DONE : STATUS_INCOMPLETE;
	default:
		return STATUS_USAGE;
	}
}
