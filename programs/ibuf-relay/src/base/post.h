/*
 * post.h - what worker threads send one another.
 *
 *	any thread --- posts ---> a queue without locks ---> its worker
 *	                          eventfd wakes it
 *
 * A queue takes posts from any number of threads and gives them to one, those
 * of one sender in the order they were sent.  The sender makes a system call
 * only when the receiver may be asleep.
 */
#ifndef RELAY_POST_H
#define RELAY_POST_H

#include "kind.h"
#include <ck_stack.h>
#include <ibuf/ibuf.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum post_what {
	POST_PUBLISH, /* kind, body: deliver it */
	POST_RELAY,   /* kind, topic, body: deliver it to that topic alone */
	POST_ANSWER,  /* hold, body or NULL: the upstream has answered */
	POST_CLIENT,  /* fd: serve it */
	POST_KILL,    /* close the clients whose cards say so */
	POST_FLUSH,   /* give back the memory that the thread keeps */
	POST_SETTLE,  /* settings have changed */
	POST_STOP,    /* read no more */
	/* To the upstream's thread. */
	POST_FORWARD, /* kind, body, hold: publish it */
	POST_CONFIRM, /* kind, body, hold: answer when that is subscribed to */
	POST_WANT,    /* kind, body: somebody has subscribed to that */
	POST_UNWANT   /* kind, body: nobody has any more */
};

struct hold;

struct post {
	ck_stack_entry_t entry;
	enum post_what what;
	enum kind kind;
	/*
	 * What is published: the channel and the payload, each a bulk string.
	 * A topic: one, too.  What is wanted: the bytes of the name.
	 */
	struct ibuf_mbuf *body, *topic;
	size_t bytes;      /* that congestion.h counts; 0: none */
	struct hold *hold; /* see hold.h */
	unsigned hops;     /* how often it was sent on */
	int fd;
};

struct post_queue {
	ck_stack_t stack;    /* the latest first */
	atomic_int is_woken; /* the receiver will look; pairs with itself */
	int fd;              /* readable when it should look */
};

/* 0, or -errno. */
int post_queue_init(struct post_queue *q);

/* Whatever is in it is freed, and its descriptors are closed. */
void post_queue_destroy(struct post_queue *q);

/* A post of this kind, all else zero.  NULL: no memory. */
struct post *post_new(enum post_what what);

/* Frees the body, topic and hold too, if they are still there. */
void post_free(struct post *post);

/* The post is the receiver's then. */
void post_send(struct post_queue *q, struct post *post);

/* Send a post that says no more than what it is.  false: no memory. */
bool post_tell(struct post_queue *q, enum post_what what);

/* Wake the receiver, with nothing but what it shares otherwise. */
void post_queue_wake(struct post_queue *q);

/*
 * When fd is readable: let the next post make it so again.  Then take what
 * there is, or it may lie there.
 */
void post_queue_rearm(struct post_queue *q);

/*
 * Take all there are, the earliest first, linked by post_next().  NULL: none.
 */
struct post *post_take_all(struct post_queue *q);

struct post *post_next(struct post *post);

/* Posts in a row; the same member links them.  All zero: none. */
struct post_list {
	struct post *first, *last;
};

/* Put one behind the others. */
void post_list_add(struct post_list *list, struct post *post);

/* Take the first.  NULL: there is none. */
struct post *post_list_take(struct post_list *list);

#endif
