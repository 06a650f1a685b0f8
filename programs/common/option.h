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

/*
 * Say what is wrong with the option at which getopt_long() has stopped.
 *
 * @param letter what it returned, ':' or '?'
 * @param letters what it was given; begins with ':'
 */
void option_complain(char **argv, int letter, const char *letters);

#endif
