/* screen.h - samples on a terminal, until somebody presses q. */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include "options.h"

/* The status to exit with. */
int screen_run(struct options *o,
	       bool (*take)(struct sample *s, const struct options *o));

#endif
