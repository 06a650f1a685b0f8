/*
 * log.h - one line on standard error for each thing a person may want to know.
 *
 *	2026-01-31 12:00:00.123 ibuf-relay: listening on 127.0.0.1 port 6379
 *
 * From any thread; a line is written in one piece.  What is wrong before it
 * serves is for complain.h, without the time.
 */
#ifndef RELAY_LOG_H
#define RELAY_LOG_H

__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

#endif
