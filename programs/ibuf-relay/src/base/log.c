/*
 * log.c - lines for people.
 */
#include "log.h"
#include "../../../common/complain.h"
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

void
log_line(const char *format, ...)
{
	char date[32], line[1024];
	struct timespec now;
	struct tm tm;
	va_list args;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fprintf(stderr, "%s.%03ld %s: %s\n", date, now.tv_nsec / 1000000,
		complain_name, line);
}
