/*
 * option.c - what options are given, and what getopt_long() did not take.
 */
#include "option.h"
#include "complain.h"
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The digits at the front.  false: there are none, or too many. */
static bool
read_digits(const char *text, uint64_t *number, const char **end)
{
	char *behind;

	/* strtoull() would take a sign and blanks. */
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &behind, 10);
	*end = behind;
	return errno == 0;
}

bool
option_number(const char *name, const char *text, uint64_t least, uint64_t most,
	      uint64_t *number)
{
	const char *end;

	if (read_digits(text, number, &end) && *end == '\0' &&
	    *number >= least && *number <= most)
		return true;
	complain("--%s takes a number from %" PRIu64 " to %" PRIu64
		 ", not '%s'",
		 name, least, most, text);
	return false;
}

static bool
read_bytes(const char *text, uint64_t *bytes)
{
	static const char units[] = "KkMmGg";
	const char *end, *unit;
	unsigned shift = 0;

	if (!read_digits(text, bytes, &end))
		return false;
	if (*end != '\0') {
		unit = strchr(units, *end);
		if (unit == NULL || end[1] != '\0')
			return false;
		shift = 10 + 10 * ((unsigned)(unit - units) / 2);
	}
	if (*bytes > (SIZE_MAX >> 1) >> shift)
		return false;
	*bytes <<= shift;
	return true;
}

bool
option_bytes(const char *name, const char *text, uint64_t least,
	     uint64_t *bytes)
{
	if (read_bytes(text, bytes) && *bytes >= least)
		return true;
	complain("--%s takes a number of bytes, %" PRIu64 " or more, as 64M, "
		 "not '%s'",
		 name, least, text);
	return false;
}

/*
 * A letter of ours that was not taken was a long option with a value that
 * this option does not have; a number beyond letters is a long option too.
 */
static void
complain_of(char **argv, int letter, const char *letters)
{
	if (letter == ':')
		complain("option '%s' needs an argument; see --help",
			 argv[optind - 1]);
	else if (optopt > 0 && optopt <= UCHAR_MAX &&
		 strchr(letters, optopt) == NULL)
		complain("unknown option '-%c'; see --help", optopt);
	else
		complain("unknown option '%s'; see --help", argv[optind - 1]);
}

int
option_next(int argc, char **argv, const char *letters,
	    const struct option *longs, enum options_result *result)
{
	int letter;

	opterr = 0;
	*result = OPTIONS_RUN;
	letter = getopt_long(argc, argv, letters, longs, NULL);
	switch (letter) {
	case 'h':
		*result = OPTIONS_HELP;
		return -1;
	case 'V':
		*result = OPTIONS_VERSION;
		return -1;
	case '?':
	case ':':
		complain_of(argv, letter, letters);
		*result = OPTIONS_WRONG;
		return -1;
	default:
		return letter;
	}
}
