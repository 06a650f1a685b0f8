/*
 * complain.c - messages for people.
 */
#include "complain.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Bytes of a printable character of UTF-8; 0: it is none. */
static size_t
printable(const unsigned char *at)
{
	static const uint32_t least[] = {0, 0, 0xa0, 0x800, 0x10000};
	uint32_t c = at[0];
	size_t n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	size_t i;

	if (n == 1)
		return c >= ' ' && c <= '~';
	if (c > 0xf4)
		return 0;
	c &= 0x7fu >> n;
	for (i = 1; i < n; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (at[i] & 0x3fu);
	}
	/* U+2028 and U+2029 end lines, U+202A to U+202E turn them around. */
	return c < least[n] || c > 0x10ffff || c >> 11 == 0x1b ||
			       (c >= 0x2028 && c <= 0x202e)
		       ? 0
		       : n;
}

void
complain_escape(char *to, size_t room, const char *from)
{
	const unsigned char *at = (const unsigned char *)from;
	size_t n;

	for (; *at != '\0' && room > 4; at += n) {
		n = printable(at);
		if (n == 0) {
			n = 1;
			snprintf(to, room, "\\x%02x", *at);
			to += 4;
			room -= 4;
			continue;
		}
		memcpy(to, at, n);
		to += n;
		room -= n;
	}
	*to = '\0';
}

void
complain(const char *format, ...)
{
	char line[8192]; /* a path may be 4096 */
	char plain[2 * sizeof(line)];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	complain_escape(plain, sizeof(plain), line);
	fprintf(stderr, "%s: %s\n", complain_name, plain);
}
