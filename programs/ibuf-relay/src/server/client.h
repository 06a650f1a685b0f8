/*
 * client.h - one connection: what it said, what it is to be told.
 *
 *	socket --> the worker's room --split--> in --> parser --> command
 *	socket <-- out <--concat-- reply           clones of messages
 *
 * Nothing is copied for a single client: `in` and `out` are messages of
 * windows onto rooms that many clients share.  An idle client has neither.
 *
 * All functions are for the client's worker.  A client that must go is
 * doomed; the worker frees it when no loop over clients is under way.
 */
#ifndef RELAY_CLIENT_H
#define RELAY_CLIENT_H

#include "../fanout/fanout.h"
#include "../protocol/resp.h"
#include "registry.h"

/* Why a client is not read. */
enum {
	UNREAD_ENDING = 1,   /* it is closed when all is sent */
	UNREAD_PAUSED = 2,   /* it reads its replies too slowly to get more */
	UNREAD_STARVED = 4,  /* there was no room to read into */
	UNREAD_HELD = 8,     /* its request, in the parser, waits for others */
	UNREAD_STOPPING = 16 /* its worker ends */
};

struct client {
	struct card card; /* first: the registry's lists are of these */
	struct subscriber sub;
	struct worker *worker;
	struct client *next, *prev;              /* of the worker */
	struct client *next_dirty, *next_doomed; /* of its lists */
	struct client *next_held;
	unsigned events; /* that epoll watches */

	struct resp_parser parser;
	struct ibuf_mbuf *in;
	struct ibuf_mbuf *out;
	struct ibuf_mbuf *reply; /* what goes behind that, still growing */
	struct hold *holds, *last_hold;           /* behind out: see hold.h */
	uint64_t sent;                            /* bytes, ever */
	struct stretch *stretches, *last_stretch; /* of out: see stretch.h */
	size_t behind_cost; /* the cost of what is behind them */
	size_t asked_bytes; /* bytes that wait for the upstream */
	unsigned unread;    /* UNREAD_*; 0: it is read */

	bool is_trusted; /* knows the password */
	bool is_dirty;   /* has something to send */
	bool is_doomed;
	bool is_full; /* publishers wait for it; see congestion.h */
	bool is_wide; /* its socket takes a whole load; see stretch.c */
};

/* Serve a connected socket.  NULL: it could not, and closed it. */
struct client *client_new(struct worker *w, int fd);

/* Leave all topics, free everything, close. */
void client_free(struct client *c);

void client_doom(struct client *c);

/* Its socket has bytes, or its end. */
void client_readable(struct client *c);

/* Execute what is in the input, as far as it may. */
void client_execute(struct client *c);

/* Send what it takes now, go on with what waited for that. */
void client_flush(struct client *c);

/*
 * Tell it so many messages: what fanout calls.  At its limit it is doomed, or
 * the frame is dropped, and either is counted; or it gets the frame, and
 * publishers wait.
 */
fanout_push_fn client_push;

/* Put a message behind its replies.  It is the client's then. */
void client_send(struct client *c, struct ibuf_mbuf *m);

/* Put bytes behind its replies. */
void client_send_bytes(struct client *c, const void *bytes, size_t n);

/* Bytes of memory that wait to be sent; rooms that are shared count too. */
size_t client_pending(const struct client *c);

/* The bytes of a message and what it takes to hold them; NULL costs none. */
size_t client_cost(const struct ibuf_mbuf *m);

/* Put m behind a chain of the client's; it is doomed if that cannot be. */
void client_link(struct client *c, struct ibuf_mbuf **chain,
		 struct ibuf_mbuf *m);

/* What comes next does not go into the piece that is growing. */
void client_end_reply(struct client *c);

/* Flush it at the end of this turn. */
void client_touch(struct client *c);

/* One reason fewer not to read it. */
static inline void
client_clear(struct client *c, unsigned why)
{
	c->unread &= ~why;
}

/* Watch the socket for what the client's state wants. */
void client_watch(struct client *c);

/* Of all kinds. */
size_t client_subscriptions(const struct client *c);

/* Leave all topics of a kind without a word. */
void client_leave_all(struct client *c, enum kind kind);

#endif
