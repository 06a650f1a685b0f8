/*
 * log.h - one line on standard error for each thing a person may want to know.
 *
 *	2026-01-31 12:00:00.123 ibuf-relay: listening on 127.0.0.1:6379
 *
 * From any thread; a line is written in one piece.
 */
#ifndef RELAY_LOG_H
#define RELAY_LOG_H

__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

/* For what is wrong with the command line: no time in front. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

#endif
