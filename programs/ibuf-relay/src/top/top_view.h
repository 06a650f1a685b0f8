/*
 * top_view.h - two samples as a screen.
 */
#ifndef RELAY_TOP_VIEW_H
#define RELAY_TOP_VIEW_H

#include "top_sample.h"
#include <ibuf/ibuf.h>

/*
 * Print what fits on a screen of that size; rates are between the samples,
 * of which the one before may not be there.  0, or -errno.
 */
int top_view_print(struct ibuf_mbuf *to, const char *where,
		   const struct top_sample *before,
		   const struct top_sample *now, unsigned width,
		   unsigned height);

#endif
