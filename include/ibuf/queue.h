/*
 * queue.h - messages from thread to thread: a bounded queue.
 *
 *   push ---> [ | | |m|m|m|m| | ] ---> pop        0 <= len <= capacity
 *
 * A queue holds pointers, in a ring of its own: a push hands a message over,
 * and a pop takes it over.  First in, first out: for each producer, and over
 * all producers in the order in which pushes that do not overlap end.  A
 * message in the queue is the queue's, and nobody else may use it.
 *
 * A thread that must wait sleeps.  A push or a pop makes a system call only
 * where a thread sleeps, or polls ibuf_queue_fd().  No function may be called
 * by a signal handler.
 *
 * After fork, parent and child each have a queue with what was in it, whatever
 * other threads were doing: a push or pop that was under way on another thread
 * has happened in the child, or it has not.  The messages of the two are the
 * same bytes in two processes.  Threads that waited wait in the parent only.
 *
 * Where a process has several copies of the library, a queue is for the copy
 * that made it, and those of the same release: copies share messages and
 * pools, but not the layout of a queue.
 */
#ifndef IBUF_QUEUE_H
#define IBUF_QUEUE_H

#include <ibuf/base.h>
#include <ibuf/mbuf.h>
#include <time.h>

IBUF_BEGIN_DECLS

struct ibuf_queue;

/**
 * @defgroup queue Queues
 * How messages go from thread to thread.
 *
 * Errors are -EAGAIN: the queue is full; -EPIPE: it is closed, full or not;
 * -ETIMEDOUT: the time is over.  A timeout is as for ibuf_pool_alloc_wait(); a
 * function that waits is a cancellation point where it does.
 * @owner the queue has a message after a push that succeeds; the caller has it
 *        after a push that fails, or is cancelled, and after a pop
 * @mt any; a promise (a flag) means one thread at a time on that side
 * @cost O(1) for each message, without a system call; a side without a promise
 *       takes a lock for a few instructions, by one atomic operation; what
 *       waits also sleeps and wakes by system calls
 * @{
 */

/** The caller promises that one thread at a time pushes. */
#define IBUF_QUEUE_F_SINGLE_PRODUCER 1u
/** The caller promises that one thread at a time pops. */
#define IBUF_QUEUE_F_SINGLE_CONSUMER 2u

/**
 * Make a queue.
 *
 * @param q where the queue goes; untouched on failure
 * @param capacity the most messages it holds: 1 to 2^24
 * @param flags the promises, or 0
 * @return 0; -EINVAL: another capacity, or an unknown flag; -ENOMEM
 * @owner the caller has the queue, and ends it with ibuf_queue_destroy()
 * @cost O(1); 8 to 16 bytes of memory for each message of the capacity
 */
IBUF_API IBUF_MUST_USE int ibuf_queue_create(struct ibuf_queue **q,
					     size_t capacity, unsigned flags)
	IBUF_NONNULL((1));

/** Put a message in: 0, -EPIPE or -EAGAIN. */
IBUF_API IBUF_MUST_USE int ibuf_queue_push(struct ibuf_queue *q,
					   struct ibuf_mbuf *m)
	IBUF_NONNULL((1));

/**
 * Put the first ones of n messages in, as many as fit.  No message of another
 * producer comes between them.
 *
 * @return how many went in; 0: none fits, or the queue is closed
 */
IBUF_API IBUF_MUST_USE size_t ibuf_queue_push_bulk(struct ibuf_queue *q,
						   struct ibuf_mbuf *const *ms,
						   size_t n) IBUF_NONNULL((1));

/** Put a message in, and wait until it fits: 0, -ETIMEDOUT or -EPIPE. */
IBUF_API IBUF_MUST_USE int ibuf_queue_push_wait(struct ibuf_queue *q,
						struct ibuf_mbuf *m,
						const struct timespec *timeout)
	IBUF_NONNULL((1));

/** Take the oldest message out; NULL: the queue is empty. */
IBUF_API IBUF_MAKES_MBUF struct ibuf_mbuf *ibuf_queue_pop(struct ibuf_queue *q)
	IBUF_NONNULL((1));

/**
 * Take at most max of the oldest messages out.
 *
 * @param ms where they go; what lies beyond those is untouched
 * @return how many
 */
IBUF_API size_t ibuf_queue_pop_bulk(struct ibuf_queue *q, struct ibuf_mbuf **ms,
				    size_t max) IBUF_NONNULL((1));

/**
 * Take the oldest message out, and wait until there is one.
 *
 * @param m where the message goes; untouched on failure
 * @return 0; -ETIMEDOUT; -EPIPE: the queue is closed and empty, and no message
 *         will come any more
 */
IBUF_API IBUF_MUST_USE int ibuf_queue_pop_wait(struct ibuf_queue *q,
					       struct ibuf_mbuf **m,
					       const struct timespec *timeout)
	IBUF_NONNULL((1));

/**
 * Give a descriptor for poll(), select() and epoll: readable once messages are
 * there, and for ever once the queue is closed.
 *
 * It stays readable until a pop, pop_bulk or pop_wait returns none, which arms
 * it again: so when it is readable, pop until there is none.  It may be
 * readable without a message.  Never read it or close it.  The child of a fork
 * has one of its own with the same number, which must be added again there to
 * an epoll instance.
 *
 * @return the descriptor, the same at each call, close-on-exec; or -errno of
 *         the system call that makes it: -EMFILE, -ENFILE, -ENOMEM
 * @owner the queue, whose end closes it
 * @cost a system call for the first call, for a push while it is armed, and
 *       for a pop that arms it; none while the consumer keeps up
 */
IBUF_API int ibuf_queue_fd(struct ibuf_queue *q) IBUF_NONNULL((1));

/**
 * Refuse all pushes from now on, and wake all threads that wait.  What is
 * inside can be popped.  Closing again does nothing.
 *
 * @mt any, also where the caller has made a promise
 * @cost O(threads that wait); it waits for pushes that are under way
 */
IBUF_API void ibuf_queue_close(struct ibuf_queue *q) IBUF_NONNULL((1));

/** Count the messages inside: 0 to the capacity, exact when no thread pushes
    or pops. */
IBUF_API size_t ibuf_queue_len(const struct ibuf_queue *q) IBUF_NONNULL((1));

/**
 * End a queue, and free the messages that are inside; NULL is fine.
 *
 * @mt setup
 * @cost O(messages inside)
 */
IBUF_API void ibuf_queue_destroy(struct ibuf_queue *q);

/** @} */

IBUF_END_DECLS

#endif
