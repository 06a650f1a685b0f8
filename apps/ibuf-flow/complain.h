/*
 * complain.h - one line on standard error, with the program's name.
 */
#ifndef FLOW_COMPLAIN_H
#define FLOW_COMPLAIN_H

__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

#endif
