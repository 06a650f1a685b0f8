/*
 * metrics.h - the statistics for Prometheus, on a port of their own.
 *
 * One thread serves all scrapers, so none of them can hold up a client, and
 * each has SCRAPE_MAX_MS from beginning to end.  When more come than there
 * are places for, the one that is there longest is closed.
 */
#ifndef RELAY_METRICS_H
#define RELAY_METRICS_H

struct relay;

enum { SCRAPERS = 32, SCRAPE_MAX_MS = 5000 };

/* Serve --metrics; the workers run.  NULL: it could not, and says why. */
struct metrics *metrics_start(struct relay *r);

/* While the workers are still there.  NULL: nothing. */
void metrics_stop(struct metrics *m);

#endif
