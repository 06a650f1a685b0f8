/*
 * complain.h - one line on standard error, with the program's name.
 *
 * A line is written in one piece, whoever else writes, and it is one line: what
 * is not printable is escaped, wherever names come from.
 */
#ifndef COMMON_COMPLAIN_H
#define COMMON_COMPLAIN_H

#include <stddef.h>

/* Each program says how it is called. */
extern const char complain_name[];

/* Copy text, with \xNN for each byte that is not printable UTF-8. */
void complain_escape(char *to, size_t room, const char *from);

__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

#endif
