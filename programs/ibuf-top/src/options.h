/* options.h - what the command line says. */
#ifndef TOP_OPTIONS_H
#define TOP_OPTIONS_H

#include "../../common/option.h"
#include "view.h"

struct options {
	pid_t *pids; /* those that are asked for, or NULL: all */
	size_t pids_count;
	unsigned interval_s;
	const struct view_order *order;
	bool once, json;
};

extern const char options_help[];

/* Read it; what is wrong has been said. */
enum options_result options_parse(struct options *o, int argc, char **argv);

#endif
