/*
 * view.h - a sample as lines of text.
 */
#ifndef TOP_VIEW_H
#define TOP_VIEW_H

#include "sample.h"
#include <stdio.h>

/* What pools are sorted by, the most first; names and numbers of processes,
   the least. */
struct view_order {
	const char *name;
	char key; /* of the keyboard */
	enum number number;
};

enum { VIEW_ORDERS = 7 };
extern const struct view_order view_orders[VIEW_ORDERS];

/* By its name; NULL: there is none. */
const struct view_order *view_order_named(const char *name);

enum view_style { VIEW_PLAIN, VIEW_HEADING, VIEW_ALARM };

/* Call line for each line, which has no newline; NULL from no memory: false. */
bool view_lines(const struct sample *s, const struct view_order *order,
		void (*line)(const char *text, enum view_style style,
			     void *arg),
		void *arg);

/* Print it as one line of JSON; false: no memory. */
bool view_json(const struct sample *s, FILE *to);

#endif
