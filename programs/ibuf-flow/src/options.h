/*
 * options.h - the command line.
 */
#ifndef FLOW_OPTIONS_H
#define FLOW_OPTIONS_H

#include "../../common/option.h"
#include "order.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options {
	enum order order;
	size_t top; /* list so many flows; 0: all */
	unsigned threads;
	bool no_streams;
	bool is_json;
	bool is_csv;
	struct flow_timeouts timeouts;
	const char *extract;   /* a folder; NULL: no */
	uint64_t max_gap;      /* bytes */
	uint64_t max_memory;   /* bytes */
	const char *interface; /* to capture from; NULL: none */
	char **files; /* ends with NULL; at least one if there is no interface */
	char *filter; /* of pcap-filter(7), to be freed; NULL: none */
};

enum options_result options_parse(struct options *o, int argc, char **argv);

/* For --help. */
extern const char options_help[];

#endif
