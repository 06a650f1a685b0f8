/*
 * scarcity.c - what a worker does when the pool is at its max.
 */
#include "scarcity.h"
#include "../base/log.h"
#include "worker.h"

/* At first; and when it may be that the last one is not gone yet. */
#define PATIENCE_NS UINT64_C(1000000000)
#define LEAST_PATIENCE_NS (2 * SCARCITY_TURN_MS * UINT64_C(1000000))

void
scarcity_ask(struct relay *r)
{
	worker_tell_all(r, POST_FLUSH);
	if (r->upstream_queue != NULL)
		post_tell(r->upstream_queue, POST_FLUSH);
}

void
scarcity_begin(struct worker *w)
{
	if (w->starved_since_ns != 0)
		return;
	w->starved_since_ns = w->now_ns;
	w->has_evicted = false;
	if (w->now_ns - w->eased_ns > PATIENCE_NS)
		w->patience_ns = PATIENCE_NS;
	scarcity_ask(w->relay);
}

bool
scarcity_evict(struct relay *relay, size_t bytes)
{
	struct registry *r = &relay->registry;
	struct card *card, *most = NULL;
	size_t held, most_held = bytes;

	pthread_mutex_lock(&r->lock);
	for (card = r->first; card != NULL; card = card->next) {
		held = atomic_load_explicit(&card->input,
					    memory_order_relaxed) +
		       atomic_load_explicit(&card->output,
					    memory_order_relaxed);
		if (held > most_held && !atomic_load(&card->is_killed)) {
			most = card;
			most_held = held;
		}
	}
	if (most != NULL) {
		atomic_store(&most->is_killed, true);
		log_line("out of memory: client %llu at %s is closed, it "
			 "holds %zu bytes",
			 (unsigned long long)most->id, most->addr, most_held);
		worker_tell(most->worker, POST_KILL);
	}
	pthread_mutex_unlock(&r->lock);
	return most != NULL;
}

void
scarcity_turn(struct worker *w)
{
	w->room = w->room != NULL ? w->room : ibuf_pool_alloc(w->relay->rooms);
	if (w->room == NULL) {
		if (w->now_ns - w->starved_since_ns < w->patience_ns)
			return;
		if (scarcity_evict(w->relay, 0)) {
			count(&w->counters.evicted, 1);
			w->has_evicted = true;
			if (w->patience_ns > LEAST_PATIENCE_NS)
				w->patience_ns /= 2;
		}
		w->starved_since_ns = w->now_ns;
		scarcity_ask(w->relay);
		return;
	}
	if (!w->has_evicted)
		w->patience_ns = PATIENCE_NS;
	w->starved_since_ns = 0;
	w->eased_ns = w->now_ns;
	for (struct client *c = w->clients; c != NULL; c = c->next) {
		if (c->unread & UNREAD_STARVED) {
			client_clear(c, UNREAD_STARVED);
			client_watch(c);
		}
	}
}
