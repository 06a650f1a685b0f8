/*
 * upstream.h - the relay in front of a real Redis, or of a cluster.
 *
 *	directory --POST_WANT, POST_UNWANT--> want.c ---> link ---> the server
 *	worker ---POST_FORWARD, POST_CONFIRM--> forward.c ^ |
 *	workers <--POST_RELAY, POST_ANSWER-- upstream_heard.c
 *
 * One thread with one epoll loop has all connections upstream: the main link
 * and, in a cluster, one to each node whose shard channels are used.  All
 * speak RESP3, so what is subscribed to and what is published share a
 * connection, and a server hears them in the order in which clients said
 * them.
 */
#ifndef RELAY_UPSTREAM_H
#define RELAY_UPSTREAM_H

#include "../base/counters.h"
#include "../base/post.h"
#include "../server/relay.h"
#include "link.h"
#include "slots.h"
#include "want.h"
#include <pthread.h>

/* How long clients wait for an upstream that is down. */
#define UPSTREAM_PATIENCE_NS UINT64_C(5000000000)

struct client;
struct worker;

/* Written by the upstream's thread; others read. */
struct upstream_counts {
	atomic_ullong connects, losses, messages, published, in_flight, waiting,
		waiting_bytes, errors, evicted, bytes_in, bytes_out;
	atomic_ullong held[KINDS];
};

static inline void
uncount(atomic_ullong *counter, unsigned long long n)
{
	atomic_store_explicit(
		counter,
		atomic_load_explicit(counter, memory_order_relaxed) - n,
		memory_order_relaxed);
}

struct upstream {
	struct relay *relay;
	pthread_t thread;
	int epoll;
	struct post_queue queue;
	struct upstream_counts counts;

	pthread_mutex_t lock;  /* of what INFO reads, down to `error` */
	enum link_state state; /* of the main link */
	struct url_host host;  /* and where it goes */
	char error[256];       /* the last one; "": none yet */

	/* The rest is the thread's own. */
	struct link *links, *main;
	struct slots slots;
	struct want *wants[KINDS];
	size_t confirms;             /* posts that wait at wants */
	struct post_list lost;       /* to be published; whose link is gone */
	struct post_list unsent;     /* to workers whose queues are full */
	struct ibuf_mbuf *before[2]; /* of what is published */
	struct ibuf_mbuf *room;      /* empty, with room to read into; NULL */
	char *scratch;               /* a name that straddled */
	size_t scratch_size;
	uint64_t now_ns;           /* when this turn began */
	uint64_t starved_since_ns; /* 0: it is not */
	uint64_t chance;
	uint64_t stop_ns; /* when stopping must be done */
	bool is_held;     /* links are not read, since workers are behind */
	bool is_stopping;
};

/* Make it, from the options.  NULL: it could not, and says why. */
struct upstream *upstream_new(struct relay *r);

/* Start its thread, when workers and directory are there. */
bool upstream_start(struct upstream *u);

/* Wait for the thread, which was told WORD_STOP. */
void upstream_join(struct upstream *u);
void upstream_free(struct upstream *u);

/* For INFO: what is no number; those are in stats.c.  0, or -errno. */
int upstream_print(struct upstream *u, struct ibuf_mbuf *to);

/* Whether the main link is up. */
bool upstream_is_up(struct upstream *u);

/*
 * For the workers, in upstream_ask.c: wait until more can be asked.  It waits
 * for nobody, so this is short.
 */
void upstream_await(struct upstream *u);

/*
 * And what a client publishes, and a name it
 * has subscribed to.  The client is told the answer later, at this place.
 * false: no memory; the body is the caller's still.
 */
bool upstream_publish(struct client *c, enum kind kind, struct ibuf_mbuf *body);
bool upstream_confirm(struct client *c, enum kind kind, const char *name,
		      size_t len);

/* The rest is between the files of the upstream's thread. */

/* A number that nobody can foresee. */
uint64_t upstream_chance(struct upstream *u);

/* Read into the room there is; as room_read(). */
ssize_t upstream_read(struct upstream *u, int fd, struct ibuf_mbuf **read);

/* Give the post back to its worker, with an answer or NULL. */
void upstream_answer(struct upstream *u, struct post *post,
		     struct ibuf_mbuf *answer);

/* Send a worker a post, now or when its queue has room. */
void upstream_send(struct upstream *u, struct worker *to, struct post *post);

/* Is there a worker that has too much to do to hear more? */
bool upstream_is_held(struct upstream *u);

/* INFO shows it as the last error.  false: it did so already. */
bool upstream_note(struct upstream *u, const char *words);

/* Something failed: it is told to people once. */
void upstream_failed(struct upstream *u, const char *words);

/* A link is lost: so is what was due there. */
void upstream_lost(struct upstream *u, struct link *l);

/* Slots have other owners. */
void upstream_moved(struct upstream *u);

/* An answer is in the link's parser; in upstream_heard.c. */
void upstream_heard(struct upstream *u, struct link *l);

#endif
