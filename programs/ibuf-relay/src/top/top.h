/*
 * top.h - a live view of a relay, or of a redis-server, in a terminal.
 *
 *	top.c: once a second		top_link: ask, be answered
 *	keys, signals, answers		top_sample: what was told
 *					top_view: a screen of two samples
 *					terminal: is drawn on, and put right
 */
#ifndef RELAY_TOP_H
#define RELAY_TOP_H

#include <stdbool.h>

struct options;

/* Until q, Ctrl-C or a signal.  false: it could not go on, and says why. */
bool top_run(const struct options *o);

#endif
