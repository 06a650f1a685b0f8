/*
 * log.h - one line for each thing a person may want to know.
 *
 *	2026-01-31 12:00:00.123 ibuf-relay: listening on 127.0.0.1 port 6379
 *
 *	any thread --> a ring of lines --> the log's thread --> where they go
 *
 * On standard error, in a file, or to syslog; where standard error is the
 * journal of systemd, a line begins with its priority instead of the time.
 *
 * Who logs never waits for where lines go: when that takes none, the ring
 * fills, and lines are lost and counted.  Of one kind of line, which is one
 * place of the program, some come at once and then a few in a second; how
 * many were left out is in the next.  What is wrong before it serves is for
 * complain.h, without the time.
 */
#ifndef RELAY_LOG_H
#define RELAY_LOG_H

#include <stdbool.h>

/* Where lines go; NULL and false: standard error.  false: it says why. */
bool log_open(const char *path, bool to_syslog);

/* Open the file again, which may have been renamed. */
void log_reopen(void);

/* Write what is there, for a moment at most; then lines are written at once. */
void log_close(void);

__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

/* The same, for what somebody should look into. */
__attribute__((format(printf, 1, 2))) void log_warning(const char *format, ...);

/* How many lines were lost, or left out. */
unsigned long long log_dropped(void);

#endif
