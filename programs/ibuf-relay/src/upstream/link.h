/*
 * link.h - a connection to a server upstream: it comes up, greets, stays
 * alive, breaks and comes up again.
 *
 *	IDLE --wanted--> PAUSING --> LOOKING --> CONNECTING --> GREETING --> READY
 *	                    ^           |            |             |          |
 *	                    +-----------+------------+-------------+----------+
 *	                                                                  lost
 *
 * What is said is numbered by its place in the stream, and for each command
 * stands a `due` until its answer is there:
 *
 *	said:  | answered | sent to the socket | out, not sent yet |
 *	dues:             | first ...                         last |
 *
 * So when a link is lost, a due that ends in what was not sent is one that
 * the server has never executed.
 *
 * All functions are for the upstream's thread.  What a link hears goes to
 * upstream_heard(), and that it was lost to upstream_lost().
 */
#ifndef RELAY_LINK_H
#define RELAY_LINK_H

#include "../base/post.h"
#include "../protocol/answer.h"
#include "../protocol/url.h"
#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct upstream;
struct want;

enum due_what {
	DUE_HELLO,  /* the first; then again and again, as a sign of life */
	DUE_SLOTS,  /* CLUSTER SLOTS */
	DUE_JOIN,   /* want: SUBSCRIBE or one like it */
	DUE_LEAVE,  /* want: UNSUBSCRIBE or one like it */
	DUE_PUBLISH /* post */
};

struct due {
	struct due *next, *prev; /* of the link; utlist */
	enum due_what what;
	uint64_t end; /* of its command, in the stream */
	struct want *want;
	struct post *post;
};

enum link_state {
	LINK_IDLE,       /* nobody wants it */
	LINK_PAUSING,    /* until try_ns */
	LINK_LOOKING,    /* for its host; until late_ns */
	LINK_CONNECTING, /* the same */
	LINK_GREETING,   /* HELLO was said; until late_ns */
	LINK_READY
};

struct link {
	struct link *next; /* of the upstream */
	struct upstream *upstream;
	struct url_host host;
	bool is_main;  /* may go to any host of the URL */
	bool is_owner; /* of slots; see slots.h */
	size_t turn;   /* which host: of the URL, then of those learnt */

	enum link_state state;
	struct dial *dial; /* what it looks for; NULL: nothing */
	bool is_looped;    /* it led back to us, when it was last up */
	int fd;            /* -1 */
	unsigned events;
	struct answer_parser parser;
	struct ibuf_mbuf *in, *out;
	bool is_starved; /* there was no room to read into */
	bool is_lost;    /* to be buried at the end of the turn */
	char why[256];   /* it is */

	uint64_t said, sent;      /* bytes, since it connected */
	struct due *dues;         /* answers to come, in order */
	struct post_list waiting; /* to be published when it is up */

	uint64_t down_ns;  /* when it was last up, or first wanted */
	uint64_t try_ns;   /* when to connect again */
	uint64_t late_ns;  /* when connecting or greeting has failed */
	uint64_t ready_ns; /* when it came up */
	uint64_t heard_ns; /* the last byte that came */
	uint64_t hello_ns; /* the last HELLO that was said */
	uint64_t backoff_ns;
};

/* NULL: no memory.  It is idle. */
struct link *link_new(struct upstream *u, const struct url_host *host);

/* What is due or waits must have been taken from it. */
void link_free(struct link *l);

/* It is needed: connect, if it does not already. */
void link_want(struct link *l);

/* Say something to which an answer is due.  false: there is no memory, the
   link is lost and m is freed; what is in the due is the caller's. */
bool link_say(struct link *l, struct ibuf_mbuf *m, struct due due);

/* Take the first that is due.  false: none is. */
bool link_take_due(struct link *l, struct due *due);

/* It cannot go on.  It is buried later, when no loop is under way. */
__attribute__((format(printf, 2, 3))) void link_lose(struct link *l,
						     const char *why, ...);

/* Close it, say why, and come up again after a pause. */
void link_bury(struct link *l);

/* Say HELLO now, if it is up: its name there has changed. */
void link_greet_again(struct link *l);

/* Its HELLO was answered well: it is up. */
void link_greeted(struct link *l);

/* Its socket has events of epoll. */
void link_handle(struct link *l, unsigned events);

/* Read what there is. */
void link_read(struct link *l);

/* Send what there is. */
void link_flush(struct link *l);

/* Do what the clock says, and tell when to look again. */
uint64_t link_tick(struct link *l);

/* Bytes of an answer that is not whole yet. */
size_t link_input(const struct link *l);

/* It has been down for longer than anybody should wait for it. */
bool link_is_hopeless(const struct link *l);

#endif
