/*
 * glob.c - patterns with * ? [] and \.
 *
 * Only the last * seen is ever tried again, so the time is at most the
 * product of the two lengths, whatever the pattern.
 */
#include "glob.h"

/*
 * Is the byte in the set that begins behind p's '['?  *p is moved to the last
 * character of the set, which is its end where the ']' is missing.
 */
static bool
set_holds(const unsigned char **p, const unsigned char *end, unsigned char byte)
{
	const unsigned char *s = *p + 1;
	bool negated = s < end && *s == '^', found = false;

	s += negated;
	for (;; s++) {
		if (end - s >= 2 && *s == '\\') {
			s++;
			found |= *s == byte;
		} else if (s >= end) {
			s = end - 1;
			break;
		} else if (*s == ']') {
			break;
		} else if (end - s >= 3 && s[1] == '-') {
			unsigned char low = s[0], high = s[2];

			if (low > high) {
				low = s[2];
				high = s[0];
			}
			found |= low <= byte && byte <= high;
			s += 2;
		} else {
			found |= *s == byte;
		}
	}
	*p = s;
	return found != negated;
}

/* Does the element at *p match this byte?  *p is moved behind it if so. */
static bool
matches_one(const unsigned char **p, const unsigned char *end,
	    unsigned char byte)
{
	const unsigned char *s = *p;
	bool matches;

	if (s == end)
		return false;
	if (*s == '[') {
		matches = set_holds(&s, end, byte);
	} else {
		bool is_any = *s == '?';

		if (*s == '\\' && end - s >= 2)
			s++;
		matches = is_any || *s == byte;
	}
	if (matches)
		*p = s + 1;
	return matches;
}

bool
glob_matches(const char *pattern, size_t pattern_len, const char *text,
	     size_t len)
{
	const unsigned char *p = (const unsigned char *)pattern;
	const unsigned char *pattern_end = p + pattern_len;
	const unsigned char *t = (const unsigned char *)text, *end = t + len;
	const unsigned char *star = NULL, *retry = NULL;

	/* In Redis even * does not match a text of no bytes. */
	if (len == 0)
		return pattern_len == 0;
	while (t < end) {
		if (p < pattern_end && *p == '*') {
			star = ++p;
			retry = t;
		} else if (matches_one(&p, pattern_end, *t)) {
			t++;
		} else if (star != NULL) {
			p = star;
			t = ++retry;
		} else {
			return false;
		}
	}
	while (p < pattern_end && *p == '*')
		p++;
	return p == pattern_end;
}
