/*
 * meter.c - the reader: captures to blocks to workers.
 */
#include "meter.h"
#include "../../common/complain.h"
#include "block.h"
#include "capture.h"
#include "fragment.h"
#include "parse.h"
#include "stop.h"
#include "worker.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One of the threads that count, or the reader where it does. */
struct counter {
	struct meter *meter;
	unsigned index;
	struct flow_table flows;
};

struct meter {
	unsigned threads;
	struct flow_timeouts timeouts;
	const char *filter; /* NULL: none */
	struct ibuf_pool *pool;
	struct ibuf_mbuf *block; /* that is being filled; NULL: none */
	struct worker *workers[METER_THREADS_MAX];
	unsigned worker_count;
	struct counter counters[METER_THREADS_MAX];
	unsigned counter_count;
	struct fragments fragments; /* of who counts all, or the reader */
	struct streams *streams;    /* NULL: none are put together */
	struct timespec started;
	struct meter_totals totals;
	const struct flow **flows;
	size_t flow_count;
};

/*
 * The pool's max is what the queues hold, and one block more for each thread,
 * and what the streams may keep.  So memory is bounded, and a reader that finds
 * no block waits for one that comes back.
 */
static struct ibuf_pool *
make_pool(const struct meter_options *o)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *pool = NULL;

	options.name = "blocks";
	options.capacity = BLOCK_ROOM;
	options.headroom = 0;
	options.initial = WORKER_QUEUE + o->threads + 1;
	options.max = options.initial +
		      (size_t)(o->streams.max_memory / BLOCK_COST) + 1;
	options.flags = IBUF_POOL_F_WAIT;
	/* A block is worth a lock, and too large to be kept back. */
	options.cache = 0;
	if (ibuf_pool_create(&pool, &options) != 0)
		return NULL;
	return pool;
}

/* Parse what nobody has parsed yet. */
static void
parse_block(struct ibuf_mbuf *block)
{
	struct packet *p = block_at_mut(block, 0);

	for (; p != NULL; p = block_at_mut(block, p->next)) {
		if (!p->is_parsed)
			parse_packet(block, p);
	}
}

/* All there is to do, in one thread. */
static void
do_all(void *arg, struct ibuf_mbuf *block)
{
	struct counter *c = arg;

	parse_block(block);
	fragments_take(&c->meter->fragments, block);
	flow_table_take(&c->flows, block, 0, 1);
	if (c->meter->streams != NULL)
		streams_take(c->meter->streams, block);
	ibuf_mbuf_free(block);
}

static void
count_block(void *arg, struct ibuf_mbuf *block)
{
	struct counter *c = arg;

	flow_table_take(&c->flows, block, c->index, c->meter->counter_count);
	ibuf_mbuf_free(block);
}

static void
assemble_block(void *arg, struct ibuf_mbuf *block)
{
	struct meter *m = arg;

	streams_take(m->streams, block);
	ibuf_mbuf_free(block);
}

static bool
start_worker(struct meter *m, worker_fn *take, void *arg)
{
	m->workers[m->worker_count] = worker_start(take, arg);
	if (m->workers[m->worker_count] == NULL)
		return false;
	m->worker_count++;
	return true;
}

/* End all threads that there are. */
static void
stop_workers(struct meter *m)
{
	while (m->worker_count > 0)
		worker_finish(m->workers[--m->worker_count]);
	if (m->streams != NULL)
		streams_finish(m->streams);
}

static bool
start_workers(struct meter *m, unsigned threads)
{
	unsigned i;

	for (i = 0; i < METER_THREADS_MAX; i++) {
		m->counters[i].meter = m;
		m->counters[i].index = i;
		m->counters[i].flows.timeouts = m->timeouts;
	}
	m->counter_count = 1;
	if (threads <= 2)
		return threads == 1 || start_worker(m, do_all, m->counters);
	m->counter_count = threads - 1 - (m->streams != NULL);
	for (i = 0; i < m->counter_count; i++) {
		if (!start_worker(m, count_block, &m->counters[i]))
			return false;
	}
	return m->streams == NULL || start_worker(m, assemble_block, m);
}

struct meter *
meter_start(const struct meter_options *options)
{
	struct meter *m = calloc(1, sizeof *m);

	if (m == NULL)
		return NULL;
	clock_gettime(CLOCK_MONOTONIC, &m->started);
	m->totals.complete = true;
	m->threads = options->threads;
	m->timeouts = options->timeouts;
	m->filter = options->filter;
	m->pool = make_pool(options);
	if (!options->no_streams)
		m->streams = streams_new(&options->streams);
	if (m->pool != NULL && (options->no_streams || m->streams != NULL) &&
	    start_workers(m, options->threads))
		return m;
	stop_workers(m);
	meter_free(m);
	return NULL;
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

/* Let the block that is filled, if there is one, go its way. */
static void
send_block(struct meter *m)
{
	struct ibuf_mbuf *block = m->block;
	unsigned i;

	m->block = NULL;
	if (block == NULL)
		return;
	if (m->worker_count == 0) {
		do_all(m->counters, block);
		return;
	}
	if (m->worker_count > 1 || worker_is_busy(m->workers[0]))
		parse_block(block);
	if (m->worker_count > 1)
		fragments_take(&m->fragments, block);
	/* They look at the same bytes, each by a clone. */
	for (i = 1; i < m->worker_count; i++) {
		struct ibuf_mbuf *clone = ibuf_mbuf_clone(block);

		if (clone != NULL)
			worker_give(m->workers[i], clone);
		else
			m->totals.lost_streams++;
	}
	worker_give(m->workers[0], block);
}

/* Put a frame into a block.  false: no memory. */
static bool
take_frame(struct meter *m, const struct capture_frame *frame)
{
	struct packet *p;

	if (m->block != NULL && !block_fits(m->block, frame->captured))
		send_block(m);
	if (m->block == NULL)
		m->block = ibuf_pool_alloc_wait(m->pool, NULL);
	if (m->block == NULL)
		return false;
	p = block_add(m->block, frame->bytes, frame->captured);
	if (p == NULL)
		return false;
	count_frame(&m->totals, frame);
	p->number = m->totals.packets;
	p->time_ns = frame->time_ns;
	p->wire_bytes = frame->wire;
	p->link = frame->link;
	return true;
}

/* Read the frames of one capture.  false, and the reason in error. */
static bool
read_frames(struct meter *m, struct capture *c, uint64_t *number,
	    char error[static CAPTURE_ERROR_MAX])
{
	struct capture_frame frame;
	int got = 0;

	while (!stop_is_asked() && (got = capture_next(c, &frame, error)) > 0) {
		if (!take_frame(m, &frame)) {
			snprintf(error, CAPTURE_ERROR_MAX, "out of memory");
			return false;
		}
		++*number;
	}
	return got == 0;
}

void
meter_read(struct meter *m, const char *path, bool is_live)
{
	const char *name =
		strcmp(path, "-") == 0 && !is_live ? "standard input" : path;
	char error[CAPTURE_ERROR_MAX];
	struct capture *c = is_live ? capture_open_live(path, m->filter, error)
				    : capture_open(path, m->filter, error);
	uint64_t number = 0;
	bool done;

	if (c == NULL) {
		if (!stop_is_asked())
			complain("%s: %s", name, error);
		m->totals.complete = false;
		return;
	}
	m->totals.files++;
	done = read_frames(m, c, &number, error);
	if (stop_is_asked()) {
		/* A live capture has no other end. */
		m->totals.complete = m->totals.complete && is_live;
	} else if (!done) {
		complain("%s: packet %llu: %s", name,
			 (unsigned long long)number + 1, error);
		m->totals.complete = false;
	}
	capture_close(c);
}

static void
add_totals(struct flow_table *sum, const struct flow_table *table)
{
	unsigned i;

	sum->payload_bytes += table->payload_bytes;
	sum->tunnel += table->tunnel;
	sum->lost += table->lost;
	for (i = 0; i < SKIP_REASONS; i++)
		sum->skipped[i] += table->skipped[i];
}

/* One list of the flows of all tables, and their sums. */
static bool
list_flows(struct meter *m)
{
	const struct flow **next;
	size_t i;

	for (i = 0; i < m->counter_count; i++) {
		m->flow_count += flow_table_count(&m->counters[i].flows);
		add_totals(&m->totals.flows, &m->counters[i].flows);
	}
	m->flows = malloc((m->flow_count + 1) * sizeof *m->flows);
	if (m->flows == NULL)
		return false;
	next = m->flows;
	for (i = 0; i < m->counter_count; i++) {
		flow_table_list(&m->counters[i].flows, next);
		next += flow_table_count(&m->counters[i].flows);
	}
	return true;
}

bool
meter_finish(struct meter *m)
{
	struct timespec now;

	send_block(m);
	stop_workers(m);
	m->totals.lost_streams += meter_streams(m)->lost;
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
meter_threads(const struct meter *m)
{
	return m->threads;
}

void
meter_pool_stats(const struct meter *m, struct ibuf_pool_stats *stats)
{
	ibuf_pool_get_stats(m->pool, stats, sizeof *stats);
}

const struct streams_totals *
meter_streams(const struct meter *m)
{
	static const struct streams_totals none;

	return m->streams != NULL ? streams_totals(m->streams) : &none;
}

const struct names *
meter_names(const struct meter *m, const struct flow *flow)
{
	return m->streams == NULL ? NULL
				  : names_find(streams_names(m->streams), flow);
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

	for (i = 0; i < m->counter_count; i++)
		flow_table_clear(&m->counters[i].flows);
	if (m->streams != NULL)
		streams_free(m->streams);
	fragments_clear(&m->fragments);
	free(m->flows);
	ibuf_pool_destroy(m->pool);
	free(m);
}
