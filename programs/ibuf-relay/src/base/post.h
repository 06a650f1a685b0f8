/*
 * post.h - what threads send one another.
 *
 *	any thread --- posts ---> a queue of the library ---> its thread
 *	                          its descriptor wakes it
 *
 * A post is an mbuf of a pool, which it lies in the private area of; so the
 * queue is the library's, bounded, and sending a post needs no lock and a
 * system call only when the receiver may be asleep.  The posts of one sender
 * come in the order they were sent.
 *
 * What needs no more than a word is a bit that is set beside the queue, and
 * an eventfd: that cannot fail, and needs no memory.
 *
 * A queue is never full for those who look first whether it is, see
 * post_queue_is_full(); who cannot wait may fill the other half.
 */
#ifndef RELAY_POST_H
#define RELAY_POST_H

#include "kind.h"
#include <ibuf/ibuf.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum post_what {
	POST_PUBLISH, /* kind, body: messages to one channel; deliver them */
	POST_RELAY,   /* kind, topic, body: deliver it to that topic alone */
	POST_ANSWER,  /* hold, body or NULL: the upstream has answered */
	POST_CLIENT,  /* fd: serve it */
	/* To the upstream's thread. */
	POST_FORWARD, /* kind, body, hold: publish it */
	POST_CONFIRM, /* kind, body, hold: answer when that is subscribed to */
	POST_WANT,    /* kind, body: somebody has subscribed to that */
	POST_UNWANT   /* kind, body: nobody has any more */
};

/* Words: bits of a queue. */
enum {
	WORD_KILL = 1,    /* close the clients whose cards say so */
	WORD_FLUSH = 2,   /* give back the memory that the thread keeps */
	WORD_SETTLE = 4,  /* settings have changed */
	WORD_STOP = 8,    /* read no more */
	WORD_RESUME = 16, /* what was held may go on */
	WORD_RELAYS = 32  /* there is a client that is a relay */
};

struct hold;
struct worker;

struct post {
	struct ibuf_mbuf *carrier; /* the mbuf that this is beside */
	struct post *next;         /* of a list */
	/*
	 * What is published: the channel and the payload, each a bulk string.
	 * A topic: one, too.  What is wanted: the bytes of the name.
	 */
	struct ibuf_mbuf *body, *topic;
	size_t bytes;      /* that the queue counts */
	struct worker *to; /* of one that waits at its sender */
	struct hold *hold; /* see hold.h */
	enum post_what what;
	enum kind kind;
	unsigned hops; /* how often it was sent on */
	int fd;
};

struct post_queue {
	struct ibuf_queue *queue;
	atomic_size_t bytes; /* of what is inside */
	atomic_uint words;   /* WORD_*; pairs with itself */
	int fd;              /* readable when there are posts */
	int words_fd;        /* readable when there are words */
};

/* Where posts come from; before there are threads.  0, or -errno. */
int post_init(void);
void post_end(void);

/* As ibuf_pool_flush() and ibuf_pool_trim() of that pool. */
void post_flush(void);
void post_trim(void);

/* How many bytes, at most, may lie in a queue before it is full; 2 MiB and
   more are the same.  Who waits for room must be told to try again. */
void post_set_most(size_t bytes);

/* 0, or -errno. */
int post_queue_init(struct post_queue *q);

/* Whatever is in it is freed, and its descriptors are closed. */
void post_queue_destroy(struct post_queue *q);

/* A post of this kind, all else zero.  NULL: no memory. */
struct post *post_new(enum post_what what);

/* Frees the body and topic too, if they are still there. */
void post_free(struct post *post);

/* Is it time to send no more until it has drained? */
bool post_queue_is_full(const struct post_queue *q);

/* The post is the receiver's then.  false: the queue is full to the brim. */
bool post_send(struct post_queue *q, struct post *post);

/*
 * The same; wait while the queue is full to the brim.  Only for who sends to
 * a thread that waits for nobody.  false: it has not drained for long.
 */
bool post_send_wait(struct post_queue *q, struct post *post);

/* Set bits, and wake the receiver. */
void post_say(struct post_queue *q, unsigned words);

/* Take the bits that are set; words_fd is readable with the next. */
unsigned post_words(struct post_queue *q);

/*
 * Take many of those that there are, the earliest first, linked by next.
 * NULL: none, and the descriptor tells of the next one.
 */
struct post *post_take_all(struct post_queue *q);

/*
 * A post that was taken has been done; it had post->bytes.
 *
 * @return whether the queue has drained so far that senders may go on
 */
bool post_taken(struct post_queue *q, size_t bytes);

/* Posts in a row.  All zero: none. */
struct post_list {
	struct post *first, *last;
};

/* Put one behind the others. */
void post_list_add(struct post_list *list, struct post *post);

/* Take the first.  NULL: there is none. */
struct post *post_list_take(struct post_list *list);

#endif
