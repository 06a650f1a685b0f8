/*
 * glob.h - the patterns of PSUBSCRIBE, as Redis matches them.
 *
 *	?	any byte		[abc] [^abc] [a-z]	one of a set
 *	*	any bytes, or none	\x			x itself
 */
#ifndef RELAY_GLOB_H
#define RELAY_GLOB_H

#include <stdbool.h>
#include <stddef.h>

bool glob_matches(const char *pattern, size_t pattern_len, const char *text,
		  size_t len);

#endif
