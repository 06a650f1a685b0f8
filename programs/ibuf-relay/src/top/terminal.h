/*
 * terminal.h - a screen of our own, and the terminal as it was when we go.
 */
#ifndef RELAY_TERMINAL_H
#define RELAY_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

struct terminal {
	struct termios before; /* of standard input, if that is a terminal */
	bool has_keys;
};

/*
 * Another screen without a cursor; keys come one by one and are not shown.
 * Standard output is a terminal.
 */
void terminal_enter(struct terminal *t);

/* As it was before. */
void terminal_leave(const struct terminal *t);

/* Columns and rows; at least 1 each. */
void terminal_size(unsigned *width, unsigned *height);

/* false: the terminal is gone. */
bool terminal_write(const void *bytes, size_t n);

#endif
