/*
 * progress.h - how far a file is read, on standard error.
 *
 * Nothing is shown unless that is a terminal and the size is known.
 */
#ifndef FLOW_PROGRESS_H
#define FLOW_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* So much of a name is shown. */
enum { PROGRESS_NAME = 24 };

struct progress {
	char name[PROGRESS_NAME + 8]; /* escaped */
	uint64_t size;
	struct timespec due; /* when to draw next */
	bool is_shown;
	bool is_drawn;
};

/* size 0: not known. */
void progress_begin(struct progress *p, const char *name, uint64_t size);

/* Draws some times a second, however often it is called. */
void progress_update(struct progress *p, uint64_t position);

/* The line is empty again: for the end, and before a message. */
void progress_end(struct progress *p);

#endif
