/*
 * option.h - what options are given, and what getopt_long() did not take.
 *
 * Who is refused is told why in one line on standard error.
 */
#ifndef COMMON_OPTION_H
#define COMMON_OPTION_H

#include <stdbool.h>
#include <stdint.h>

/* A decimal number from least to most, and nothing else. */
bool option_number(const char *name, const char *text, uint64_t least,
		   uint64_t most, uint64_t *number);

/*
 * A number of bytes, `least` or more; with K, M or G behind it, of 1024, its
 * square or its cube.  What it says fits into a size_t, and twice that too.
 */
bool option_bytes(const char *name, const char *text, uint64_t least,
		  uint64_t *bytes);

/* What the command line asks for. */
enum options_result {
	OPTIONS_RUN,
	OPTIONS_HELP,    /* --help */
	OPTIONS_VERSION, /* --version */
	OPTIONS_WRONG    /* one line on standard error says what is */
};

struct option;

/*
 * Take the next option, as getopt_long() does; 'h' and 'V' are --help and
 * --version.
 *
 * @param letters the short ones; begins with ':'
 * @param result OPTIONS_RUN, or why no more are taken
 * @return its letter; -1: there are no more, or result says why not
 */
int option_next(int argc, char **argv, const char *letters,
		const struct option *longs, enum options_result *result);

#endif
