/*
 * client.h - one connection: what it said, what it is to be told.
 *
 *	socket --> the worker's room --split--> in --> parser --> command
 *	socket <-- output <-- frames of messages, answers
 *
 * Nothing is copied for a single client: `in` is a message of headers onto
 * rooms that many clients share, and the output one of frames.  An idle
 * client has neither.
 *
 * All functions are for the client's worker.  A client that must go is
 * doomed; the worker frees it when no loop over clients is under way.
 */
#ifndef RELAY_CLIENT_H
#define RELAY_CLIENT_H

#include "../fanout/fanout.h"
#include "../protocol/resp.h"
#include "output.h"
#include "registry.h"
#include "worker.h"

/* Why a client is not read. */
enum {
	UNREAD_ENDING = 1,    /* it is closed when all is sent */
	UNREAD_PAUSED = 2,    /* it reads its replies too slowly to get more */
	UNREAD_STARVED = 4,   /* there was no room to read into */
	UNREAD_HELD = 8,      /* its request, in the parser, waits for others */
	UNREAD_STOPPING = 16, /* its worker ends */
	UNREAD_SLOWED = 32    /* it said a wrong password */
};

struct client {
	struct card card; /* first: the registry's lists are of these */
	struct subscriber sub;
	struct worker *worker;
	struct client *next, *prev;              /* of the worker; utlist */
	struct client *next_dirty, *next_doomed; /* of its lists */
	struct client *next_held, *next_slowed;
	uint64_t slowed_ns; /* until when it must wait */
	unsigned wrong_passwords;
	unsigned events; /* that epoll watches */

	struct resp_parser parser;
	struct ibuf_mbuf *in;
	struct output output;
	struct hold *holds;  /* places in the output that are empty */
	size_t asked_bytes;  /* bytes that wait for the upstream */
	unsigned unread;     /* UNREAD_*; 0: it is read */
	struct multi *multi; /* what is queued since MULTI; NULL: none */

	bool is_trusted; /* knows the password */
	bool is_dirty;   /* has something to send */
	bool is_doomed;
	bool is_full;   /* publishers wait for it; see congestion.h */
	bool is_silent; /* CLIENT REPLY OFF */
	unsigned skips; /* answers that CLIENT REPLY SKIP takes away */
};

/* Serve a connected socket.  NULL: it could not, and closed it. */
struct client *client_new(struct worker *w, int fd);

/* Leave all topics, free everything, close. */
void client_free(struct client *c);

/* It must go. */
static inline void
client_doom(struct client *c)
{
	if (c->is_doomed)
		return;
	c->is_doomed = true;
	c->next_doomed = c->worker->doomed;
	c->worker->doomed = c;
}

/* Flush it at the end of this turn. */
static inline void
client_touch(struct client *c)
{
	if (c->is_dirty)
		return;
	c->is_dirty = true;
	c->next_dirty = c->worker->dirty;
	c->worker->dirty = c;
}

/* One reason fewer not to read it. */
static inline void
client_clear(struct client *c, unsigned why)
{
	c->unread &= ~why;
}

/* Of all kinds. */
static inline size_t
client_subscriptions(const struct client *c)
{
	size_t n = 0;

	for (unsigned kind = 0; kind < KINDS; kind++)
		n += HASH_COUNT(c->sub.mine[kind]);
	return n;
}

/* What it sends has come. */
void client_take(struct client *c, struct ibuf_mbuf *read);

/* It said a wrong password: what it says next is not heard for a while, which
   doubles with each. */
void client_slow(struct client *c);

/* Execute what is in the input, as far as it may. */
void client_execute(struct client *c);

/* Send what it takes now, go on with what waited for that. */
void client_flush(struct client *c);

/*
 * Tell it messages: what fanout calls.  At its limit it is doomed, or the
 * frame is dropped, and either is counted; or it gets the frame, and
 * publishers wait.
 */
fanout_push_fn client_push;

/* Watch the socket for what the client's state wants. */
void client_watch(struct client *c);

/* Leave all topics of a kind without a word. */
void client_leave_all(struct client *c, enum kind kind);

#endif
