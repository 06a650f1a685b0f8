/*
 * complain.c - messages for people.
 */
#include "complain.h"
#include <stdarg.h>
#include <stdio.h>

void
complain(const char *format, ...)
{
	char line[8192]; /* a path may be 4096 */
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fprintf(stderr, "%s: %s\n", complain_name, line);
}
