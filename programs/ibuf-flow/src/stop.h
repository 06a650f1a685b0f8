/*
 * stop.h - a signal that asks the program to end, with what it has.
 */
#ifndef FLOW_STOP_H
#define FLOW_STOP_H

#include <stdbool.h>

/* From now on SIGINT and SIGTERM ask; those that were ignored stay ignored. */
void stop_prepare(void);

/* What the handlers also call, when it is not NULL: for calls that go on. */
extern void (*volatile stop_hook)(void);

/* Whether one has asked; calls that block then fail with EINTR. */
bool stop_is_asked(void);

/* From now on they end the program at once: what is left is to write. */
void stop_no_more(void);

/* End as if by the signal that has asked. */
void stop_now(void);

#endif
