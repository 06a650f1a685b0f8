/*
 * log.c - lines for people.
 */
#include "log.h"
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

__attribute__((format(printf, 2, 0))) static void
print(const char *before, const char *format, va_list args)
{
	char line[1024];

	vsnprintf(line, sizeof(line), format, args);
	fprintf(stderr, "%sibuf-relay: %s\n", before, line);
}

void
log_line(const char *format, ...)
{
	char date[32], before[48];
	struct timespec now;
	struct tm tm;
	va_list args;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(before, sizeof(before), "%s.%03ld ", date,
		 now.tv_nsec / 1000000);
	va_start(args, format);
	print(before, format, args);
	va_end(args);
}

void
complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print("", format, args);
	va_end(args);
}
