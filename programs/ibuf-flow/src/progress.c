/*
 * progress.c - a bar that is drawn over itself.
 */
#include "progress.h"
#include "../../common/complain.h"
#include <stdio.h>
#include <unistd.h>

enum { BAR_WIDTH = 40, INTERVAL_NS = 100 * 1000 * 1000 };

static bool
is_due(struct progress *p)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec < p->due.tv_sec ||
	    (now.tv_sec == p->due.tv_sec && now.tv_nsec < p->due.tv_nsec))
		return false;
	p->due = now;
	p->due.tv_nsec += INTERVAL_NS;
	if (p->due.tv_nsec >= 1000000000) {
		p->due.tv_nsec -= 1000000000;
		p->due.tv_sec++;
	}
	return true;
}

void
progress_begin(struct progress *p, const char *name, uint64_t size)
{
	complain_escape(p->name, sizeof p->name, name);
	p->size = size;
	p->is_shown = size > 0 && isatty(STDERR_FILENO);
	p->is_drawn = false;
	/* What is read at once needs no bar. */
	p->due = (struct timespec){0, 0};
	is_due(p);
}

void
progress_update(struct progress *p, uint64_t position)
{
	static const char full[] = "########################################";
	int done;

	if (!p->is_shown || !is_due(p))
		return;
	if (position > p->size)
		position = p->size;
	done = (int)(position * BAR_WIDTH / p->size);
	fprintf(stderr, "\r%-*.*s [%-*.*s] %3d%%", PROGRESS_NAME, PROGRESS_NAME,
		p->name, BAR_WIDTH, done, full,
		(int)(position * 100 / p->size));
	p->is_drawn = true;
}

void
progress_end(struct progress *p)
{
	if (p->is_drawn)
		fputs("\r\033[K", stderr);
	p->is_drawn = false;
}
