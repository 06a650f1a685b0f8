/* lines.h - many bytes in lines of sixteen, as a dump shows them. */
#ifndef IBUF_SRC_LINES_H
#define IBUF_SRC_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define BYTES_A_LINE 16

/* A line shows n bytes from at on; {0, 0}: the first is to come. */
struct line {
	size_t at, n;
};

/*
 * Go to the next line of what has len bytes; false: there is none.
 *
 *   at + n <= len, so no sum wraps, whatever len is
 */
static inline bool
line_next(struct line *line, size_t len)
{
	line->at += line->n;
	line->n = len - line->at;
	if (line->n > BYTES_A_LINE)
		line->n = BYTES_A_LINE;
	return line->n != 0;
}

#endif
