/*
 * worker.h - a thread that serves clients, with one epoll loop.
 *
 * It owns its clients and topics; other threads reach it through its queue
 * only.  Each turn of the loop reads, executes, takes posts, then sends to
 * each client once what has come together for it, then frees the doomed.
 */
#ifndef RELAY_WORKER_H
#define RELAY_WORKER_H

#include "../base/counters.h"
#include "../base/post.h"
#include "../fanout/fanout.h"
#include "relay.h"
#include <pthread.h>

struct client;
struct command;

struct worker {
	struct relay *relay;
	unsigned index; /* relay->workers[index] is this */
	pthread_t thread;
	int epoll;
	struct post_queue queue;
	struct counters counters;

	/* The rest is the thread's own. */
	struct fanout fanout;
	struct client *clients;
	struct client *dirty, *doomed;
	struct client *held, **held_end; /* in the order they came */
	struct client *slowed;           /* after a wrong password */
	uint64_t idle_ns;           /* when quiet clients were last closed */
	struct ibuf_mbuf *room;     /* empty, with room to read into; NULL */
	struct scratch *scratch;    /* of the command under way */
	const struct command *last; /* that was asked for; NULL: none */
	uint64_t now_ns;            /* when this turn began */
	size_t turn_bytes;          /* what it has read */
	uint64_t starved_since_ns;  /* 0: it is not */
	uint64_t eased_ns;          /* when it last was */
	uint64_t patience_ns;       /* see scarcity.h */
	size_t evicts;              /* how many at the next time */
	uint64_t tidy_ns; /* when to look next what can be given back */
	uint64_t stop_ns; /* when stopping must be done */
	bool must_resume; /* somebody that is held may go on */
	bool is_stopping; /* reads no more */
};

/* Start a thread.  NULL: it could not, and says why. */
struct worker *worker_start(struct relay *r, unsigned index);

/* Wait for a thread that was sent WORD_STOP. */
void worker_join(struct worker *w);

/* When all have been joined: free it. */
void worker_free(struct worker *w);

#endif
