/*
 * complain.h - one line on standard error, with the program's name.
 *
 * A line is written in one piece, whoever else writes.
 */
#ifndef COMMON_COMPLAIN_H
#define COMMON_COMPLAIN_H

/* Each program says how it is called. */
extern const char complain_name[];

__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

#endif
