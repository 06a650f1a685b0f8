/*
 * ibuf-flow - the flows of packet captures.
 *
 *	captures --> reader --> workers: flow.c, --> list --> table or JSON
 *	 capture.c   meter.c             streams.c   order.c  report.c,
 *	                                                      report_json.c
 */
#include "../../common/complain.h"
#include "../../common/hash.h"
#include "../../common/standard.h"
#include "meter.h"
#include "options.h"
#include "report.h"
#include "stop.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

const char complain_name[] = "ibuf-flow";

enum { STATUS_DONE = 0, STATUS_INCOMPLETE = 1, STATUS_USAGE = 2 };

static bool
report(struct meter *m, const struct options *o)
{
	size_t count = meter_flow_count(m);

	order_flows(meter_flows(m), count, o->order);
	if (o->top > 0 && o->top < count)
		count = o->top;
	if (o->is_csv)
		return standard_finish(report_csv(stdout, m, count));
	return standard_finish(o->is_json ? report_json(stdout, m, count)
					  : report_table(stdout, m, count));
}

static int
run(const struct options *o)
{
	struct meter_options options = {
		.threads = o->threads,
		.no_streams = o->no_streams,
		.timeouts = o->timeouts,
		.filter = o->filter,
		.streams.max_gap = o->max_gap,
		.streams.max_memory = o->max_memory,
	};
	struct meter *m;
	bool done;
	char **file;

	if (o->extract != NULL) {
		options.streams.extract = extract_open(o->extract);
		if (options.streams.extract == NULL)
			return STATUS_INCOMPLETE;
	}
	m = meter_start(&options);
	if (m == NULL) {
		complain("cannot start %u threads", o->threads);
		return STATUS_INCOMPLETE;
	}
	stop_prepare();
	if (o->interface != NULL)
		meter_read(m, o->interface, true);
	for (file = o->files; *file != NULL && !stop_is_asked(); file++)
		meter_read(m, *file, false);
	stop_no_more();
	done = meter_finish(m);
	if (!done)
		complain("out of memory");
	else if (meter_totals(m)->flows.lost > 0)
		complain(
			"out of memory: %llu packets are not counted in a flow",
			(unsigned long long)meter_totals(m)->flows.lost);
	else if (meter_totals(m)->lost_streams > 0)
		complain("out of memory: streams are incomplete");
	done = done && report(m, o) && meter_totals(m)->complete &&
	       meter_totals(m)->flows.lost == 0 &&
	       meter_totals(m)->lost_streams == 0;
	meter_free(m);
	if (options.streams.extract != NULL &&
	    !extract_close(options.streams.extract))
		done = false;
	/* That is how a live capture ends. */
	if (stop_is_asked() && o->interface == NULL)
		stop_now();
	return done ? STATUS_DONE : STATUS_INCOMPLETE;
}

int
main(int argc, char **argv)
{
	struct options options;
	int status;

	hash_init_random();
	/* Output that goes nowhere is noticed. */
	standard_hold(O_RDONLY);
	/* When nobody reads our output any more, there is nothing to do. */
	signal(SIGPIPE, SIG_DFL);
	/* A file that may not grow is an error of writing. */
	signal(SIGXFSZ, SIG_IGN);
	switch (options_parse(&options, argc, argv)) {
	case OPTIONS_RUN:
		status = run(&options);
		free(options.filter);
		return status;
	case OPTIONS_HELP:
		fputs(options_help, stdout);
		break;
	case OPTIONS_VERSION:
		printf("ibuf-flow %s\n", ibuf_version_string());
		break;
	default:
		return STATUS_USAGE;
	}
	return standard_finish(true) ? STATUS_DONE : STATUS_INCOMPLETE;
}
