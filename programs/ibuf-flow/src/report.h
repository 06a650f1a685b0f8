/*
 * report.h - what is printed: a table for people, or JSON.
 */
#ifndef FLOW_REPORT_H
#define FLOW_REPORT_H

#include "meter.h"
#include <stdio.h>

/*
 * Print the totals and the first `count` flows, in the order of their list.
 * false: something could not be made or written; true does not say that the
 * stream has no error, which ferror() and fflush() tell.
 */
bool report_table(FILE *out, struct meter *m, size_t count);
bool report_json(FILE *out, struct meter *m, size_t count);
bool report_csv(FILE *out, struct meter *m, size_t count);

/* TCP flags as letters: "SA", in the order of their bits. */
enum { REPORT_FLAGS_MAX = 9 };
void report_flags(unsigned flags, char text[static REPORT_FLAGS_MAX]);

/* The name of a reason: "not_ip". */
const char *report_skip_name(enum skip skip);

#endif
