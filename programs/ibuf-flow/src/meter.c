/*
 * meter.c - the reader: captures to mbufs to workers.
 */
#include "meter.h"
#include "../../common/complain.h"
#include "capture.h"
#include "counter.h"
#include "parse.h"
#include "progress.h"
#include "worker.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Free mbufs a thread may keep back. */
enum { POOL_CACHE = 64 };

/* How often the progress is looked at. */
enum { PROGRESS_PACKETS = 1024 };

struct meter {
	struct ibuf_pool *pool;
	struct worker *workers[METER_WORKERS_MAX];
	struct counter counters[METER_WORKERS_MAX]; /* the workers' */
	unsigned worker_count;
	struct worker *assembler;
	struct streams *streams; /* the assembler's */
	struct timespec started;
	struct meter_totals totals;
	const struct flow **flows;
	size_t flow_count;
};

/*
 * The pool's max is what the workers can hold, and what they and the reader
 * keep back of the mbufs that came home, and what the streams may keep, and the
 * one in the reader's hand: the reader waits for batches, never for the pool,
 * and memory stays bounded.
 */
static struct ibuf_pool *
make_pool(unsigned workers, uint64_t kept_bytes)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *pool = NULL;

	options.name = "packets";
	options.capacity = PACKET_ROOM;
	options.headroom = 0;
	options.cache = POOL_CACHE;
	options.max = WORKER_PACKETS_MAX(workers + 1) + 1 +
		      ((size_t)workers + 2) * POOL_CACHE +
		      (size_t)(kept_bytes / PACKET_COST) + 1;
	options.private_size = sizeof(struct packet);
	if (ibuf_pool_create(&pool, &options) != 0)
		return NULL;
	return pool;
}

static void
count_packets(void *arg, struct ibuf_mbuf **packets, size_t count)
{
	counter_take(arg, packets, count);
}

static void
assemble_packets(void *arg, struct ibuf_mbuf **packets, size_t count)
{
	streams_take(arg, packets, count);
}

/* End all threads that there are. */
static void
stop_workers(struct meter *m)
{
	unsigned i;

	for (i = 0; i < m->worker_count; i++)
		worker_finish(m->workers[i]);
	if (m->assembler != NULL)
		worker_finish(m->assembler);
	if (m->streams != NULL)
		streams_finish(m->streams);
}

struct meter *
meter_start(unsigned workers, const struct streams_options *options)
{
	struct meter *m = calloc(1, sizeof *m);

	if (m == NULL)
		return NULL;
	clock_gettime(CLOCK_MONOTONIC, &m->started);
	m->totals.complete = true;
	m->pool = make_pool(workers, options->max_memory);
	m->streams = streams_new(options);
	if (m->pool == NULL || m->streams == NULL)
		goto fail;
	m->assembler = worker_start(assemble_packets, m->streams);
	if (m->assembler == NULL)
		goto fail;
	for (; m->worker_count < workers; m->worker_count++) {
		m->workers[m->worker_count] = worker_start(
			count_packets, &m->counters[m->worker_count]);
		if (m->workers[m->worker_count] == NULL)
			goto fail;
	}
	return m;
fail:
	stop_workers(m);
	meter_free(m);
	return NULL;
}

/* The high bits choose the worker; a worker's table uses the low ones. */
static struct worker *
worker_of(const struct meter *m, uint32_t hash)
{
	return m->workers[(uint64_t)hash * m->worker_count >> 32];
}

static void
count_frame(struct meter_totals *totals, const struct capture_frame *frame)
{
	if (totals->packets == 0) {
		totals->first_ns = frame->time_ns;
		totals->last_ns = frame->time_ns;
	}
	totals->packets++;
	totals->wire_bytes += frame->wire;
	if (frame->time_ns < totals->first_ns)
		totals->first_ns = frame->time_ns;
	if (frame->time_ns > totals->last_ns)
		totals->last_ns = frame->time_ns;
}

/* Wait until an mbuf comes home.  NULL: there is none to wait for. */
static struct ibuf_mbuf *
wait_mbuf(struct meter *m)
{
	enum { WAITS_MAX = 20 * 1000 }; /* 2 seconds and more */
	const struct timespec pause = {.tv_nsec = 100 * 1000L};
	struct ibuf_mbuf *mbuf;
	bool some_are_away;
	unsigned i;

	for (i = 0; i < m->worker_count; i++)
		worker_flush(m->workers[i]);
	worker_flush(m->assembler);
	/* Those that the streams keep do not come. */
	for (i = 0; i < WAITS_MAX; i++) {
		some_are_away = ibuf_pool_allocated(m->pool) > 0;
		mbuf = ibuf_pool_alloc(m->pool);
		if (mbuf != NULL || !some_are_away)
			return mbuf;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/*
 * Let the streams have a packet too: they look at the same bytes.  false: no
 * memory.
 */
static bool
give_to_streams(struct meter *m, const struct ibuf_mbuf *mbuf,
		const struct packet *p)
{
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(mbuf);
	struct packet *description;

	if (clone == NULL)
		return false;
	description = ibuf_mbuf_private(clone);
	*description = *p;
	worker_give(m->assembler, clone);
	return true;
}

/* Put a frame into an mbuf and send it on its way.  false: no memory. */
static bool
take_frame(struct meter *m, const struct capture_frame *frame)
{
	struct ibuf_mbuf *mbuf = ibuf_pool_alloc(m->pool);
	struct packet *p;
	enum skip skip;

	/* The system has no memory for another one. */
	if (mbuf == NULL)
		mbuf = wait_mbuf(m);
	if (mbuf == NULL)
		return false;
	if (ibuf_mbuf_append(mbuf, frame->bytes, frame->captured) != 0) {
		ibuf_mbuf_free(mbuf);
		return false;
	}
	count_frame(&m->totals, frame);
	p = ibuf_mbuf_private(mbuf);
	p->number = m->totals.packets;
	p->time_ns = frame->time_ns;
	p->wire_bytes = frame->wire;
	skip = parse_frame(mbuf, frame->link, p);
	m->totals.skipped[skip]++;
	if (skip != SKIP_NOT) {
		ibuf_mbuf_free(mbuf);
		return true;
	}
	m->totals.tunnel += p->is_tunnel;
	if (streams_want(p) && !give_to_streams(m, mbuf, p))
		m->totals.lost_streams++;
	worker_give(worker_of(m, p->hash), mbuf);
	return true;
}

/* Read the frames of one capture.  false, and the reason in error. */
static bool
read_frames(struct meter *m, struct capture *c, struct progress *progress,
	    uint64_t *number, char error[static CAPTURE_ERROR_MAX])
{
	struct capture_frame frame;
	int got;

	while ((got = capture_next(c, &frame, error)) > 0) {
		if (!take_frame(m, &frame)) {
			snprintf(error, CAPTURE_ERROR_MAX, "out of memory");
			return false;
		}
		if (++*number % PROGRESS_PACKETS == 0)
			progress_update(progress, capture_position(c));
	}
	return got == 0;
}

void
meter_read(struct meter *m, const char *path)
{
	const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
	char error[CAPTURE_ERROR_MAX];
	struct capture *c = capture_open(path, error);
	struct progress progress;
	uint64_t number = 0;
	bool done;

	if (c == NULL) {
		complain("%s: %s", name, error);
		m->totals.complete = false;
		return;
	}
	m->totals.files++;
	progress_begin(&progress, name, capture_size(c));
	done = read_frames(m, c, &progress, &number, error);
	progress_end(&progress);
	if (!done) {
		complain("%s: packet %llu: %s", name,
			 (unsigned long long)number + 1, error);
		m->totals.complete = false;
	}
	capture_close(c);
}

/* One list of all workers' flows. */
static bool
list_flows(struct meter *m)
{
	const struct flow **next;
	size_t i;

	for (i = 0; i < m->worker_count; i++)
		m->flow_count += flow_table_size(&m->counters[i].flows);
	m->flows = malloc((m->flow_count + 1) * sizeof *m->flows);
	if (m->flows == NULL)
		return false;
	next = m->flows;
	for (i = 0; i < m->worker_count; i++) {
		flow_table_list(&m->counters[i].flows, next);
		next += flow_table_size(&m->counters[i].flows);
	}
	for (i = 0; i < m->flow_count; i++)
		m->totals.payload_bytes += m->flows[i]->payload_bytes;
	return true;
}

bool
meter_finish(struct meter *m)
{
	struct timespec now;
	unsigned i;

	stop_workers(m);
	for (i = 0; i < m->worker_count; i++)
		m->totals.lost += m->counters[i].lost;
	m->totals.lost_streams += streams_totals(m->streams)->lost;
	clock_gettime(CLOCK_MONOTONIC, &now);
	m->totals.seconds = (double)(now.tv_sec - m->started.tv_sec) +
			    (double)(now.tv_nsec - m->started.tv_nsec) / 1e9;
	return list_flows(m);
}

const struct meter_totals *
meter_totals(const struct meter *m)
{
	return &m->totals;
}

unsigned
meter_workers(const struct meter *m)
{
	return m->worker_count;
}

void
meter_pool_stats(const struct meter *m, struct ibuf_pool_stats *stats)
{
	ibuf_pool_get_stats(m->pool, stats, sizeof *stats);
}

const struct streams_totals *
meter_streams(const struct meter *m)
{
	return streams_totals(m->streams);
}

const struct names *
meter_names(const struct meter *m, const struct flow *flow)
{
	return names_find(streams_names(m->streams), &flow->key);
}

const struct flow **
meter_flows(struct meter *m)
{
	return m->flows;
}

size_t
meter_flow_count(const struct meter *m)
{
	return m->flow_count;
}

void
meter_free(struct meter *m)
{
	unsigned i;

	for (i = 0; i < m->worker_count; i++) {
		worker_free(m->workers[i]);
		flow_table_clear(&m->counters[i].flows);
	}
	if (m->assembler != NULL)
		worker_free(m->assembler);
	streams_free(m->streams);
	free(m->flows);
	ibuf_pool_destroy(m->pool);
	free(m);
}
