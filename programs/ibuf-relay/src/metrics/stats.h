/*
 * stats.h - what the relay tells of itself: one table, printed in two ways.
 *
 *	table --+--> INFO	messages_published:12
 *		+--> metrics	ibuf_relay_messages_published_total 12
 *
 * From any thread, while the workers live.  The numbers are read one after
 * the other, so they may be of slightly different moments.
 */
#ifndef RELAY_STATS_H
#define RELAY_STATS_H

#include <ibuf/ibuf.h>

struct relay;

/* Of INFO. */
enum stats_section {
	STATS_NONE,
	STATS_CLIENTS,
	STATS_MEMORY,
	STATS_STATS,
	STATS_UPSTREAM
};

/* The lines of a section, without its title; of STATS_UPSTREAM where there is
   one.  0, or -errno. */
int stats_print_info(struct relay *r, enum stats_section section,
		     struct ibuf_mbuf *to);

/* Everything, in the text format 0.0.4 of Prometheus.  0, or -errno. */
int stats_print_metrics(struct relay *r, struct ibuf_mbuf *to);

#endif
