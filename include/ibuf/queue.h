/*
 * queue.h - messages from thread to thread: a bounded queue.
 *
 *   push ---> [ | | |m|m|m|m| | ] ---> pop        0 <= len <= capacity
 *
 * A queue holds pointers, in a ring of its own: a push hands a message over,
 * and a pop takes it over.  First in, first out: for each producer, and over
 * all producers in the order in which pushes that do not overlap end.
 *
 * Who waits sleeps, and who pushes or pops makes a system call only where
 * somebody sleeps, or polls ibuf_queue_fd().
 *
 * Thread class, unless said otherwise: any.  A promise, one of the flags of
 * ibuf_queue_create(), means one thread at a time on that side.  A message in
 * the queue is the queue's: nobody else may use it.  None of the functions may
 * be called by a signal handler.
 *
 * Cost, unless said otherwise: a push or a pop is O(1) for each message,
 * without a system call.  A side without a promise takes a lock for the few
 * instructions, by one atomic operation; a side with one has none.
 *
 * After fork, parent and child each have a queue with what was in it, whatever
 * other threads were doing: a push or pop that was under way on another thread
 * has happened in the child, or it has not.  The messages of the two are the
 * same bytes in two processes; those who waited wait in the parent only.
 *
 * Where a process has several copies of the library, a queue is for that copy
 * which made it, or one of the same release: copies share messages and pools,
 * but not the layout of a queue.
 */
#ifndef IBUF_QUEUE_H
#define IBUF_QUEUE_H

#include <ibuf/base.h>
#include <ibuf/mbuf.h>
#include <time.h>

IBUF_BEGIN_DECLS

struct ibuf_queue;

/** The caller promises that one thread at a time pushes. */
#define IBUF_QUEUE_F_SINGLE_PRODUCER 1u
/** The caller promises that one thread at a time pops. */
#define IBUF_QUEUE_F_SINGLE_CONSUMER 2u

/**
 * Make a queue.
 *
 * @param q where the queue goes; untouched on failure
 * @param capacity the most messages it holds: 1 to 2^24
 * @param flags IBUF_QUEUE_F_SINGLE_PRODUCER, IBUF_QUEUE_F_SINGLE_CONSUMER, or 0
 * @return 0; -EINVAL: such a capacity cannot be, or an unknown flag; -ENOMEM
 * @owner the caller; ends with ibuf_queue_destroy()
 * @cost O(1); 8 to 16 bytes of memory for each message of the capacity
 */
IBUF_API IBUF_MUST_USE int ibuf_queue_create(struct ibuf_queue **q,
					     size_t capacity, unsigned flags);

/**
 * Put a message in.
 *
 * @return 0; -EPIPE: the queue is closed, full or not; -EAGAIN: it is full
 * @owner the queue has m after 0, the caller after a failure
 */
IBUF_API IBUF_MUST_USE int ibuf_queue_push(struct ibuf_queue *q,
					   struct ibuf_mbuf *m);

/**
 * Put messages in, as many as fit, the first ones.
 *
 * No message of another producer comes between them.
 *
 * @param n how many; 0 is fine
 * @return how many went in; 0: none fits, or the queue is closed
 * @owner the queue has the first so many, the caller the others
 */
IBUF_API IBUF_MUST_USE size_t ibuf_queue_push_bulk(struct ibuf_queue *q,
						   struct ibuf_mbuf *const *ms,
						   size_t n);

/**
 * Put a message in; wait for room when the queue is full.
 *
 * A cancellation point where it waits; then m is still the caller's.
 *
 * @param timeout how long at most, as for ibuf_pool_alloc_wait()
 * @return 0; -ETIMEDOUT: the time is over; -EPIPE: the queue is closed
 * @owner the queue has m after 0, the caller after a failure
 * @cost O(1) and the wait, with system calls
 */
IBUF_API IBUF_MUST_USE int ibuf_queue_push_wait(struct ibuf_queue *q,
						struct ibuf_mbuf *m,
						const struct timespec *timeout);

/**
 * Take the oldest message out.
 *
 * @return the message; NULL: the queue is empty
 * @owner the caller
 */
IBUF_API IBUF_MUST_USE struct ibuf_mbuf *ibuf_queue_pop(struct ibuf_queue *q);

/**
 * Take the oldest messages out, as many as there are.
 *
 * @param ms where they go; what lies beyond those is untouched
 * @param max how many at most; 0 is fine
 * @return how many
 * @owner the caller has each
 */
IBUF_API size_t ibuf_queue_pop_bulk(struct ibuf_queue *q, struct ibuf_mbuf **ms,
				    size_t max);

/**
 * Take the oldest message out; wait for one when the queue is empty.
 *
 * A cancellation point where it waits; then it has taken no message.
 *
 * @param m where the message goes; untouched on failure
 * @param timeout how long at most, as for ibuf_pool_alloc_wait()
 * @return 0; -ETIMEDOUT: the time is over; -EPIPE: the queue is closed and
 *         empty, and no message will come any more
 * @owner the caller
 * @cost O(1) and the wait, with system calls
 */
IBUF_API IBUF_MUST_USE int ibuf_queue_pop_wait(struct ibuf_queue *q,
					       struct ibuf_mbuf **m,
					       const struct timespec *timeout);

/**
 * Give a descriptor that poll(), select() and epoll tell to be readable once
 * messages are there, and for ever once the queue is closed.
 *
 * It stays readable until a pop, pop_bulk or pop_wait returns none, which arms
 * it again; so after it was told to be readable, pop until there is none.  It
 * may be readable without a message.  Never read it or close it.  The child of
 * a fork has one of its own with the same number: it must be added there again
 * to an epoll instance.
 *
 * @return the descriptor, the same at each call, close-on-exec; or -errno of
 *         the system call that makes it: -EMFILE, -ENFILE, -ENOMEM
 * @owner the queue; ibuf_queue_destroy() closes it
 * @cost a system call for the first call, for a push while it is armed, and
 *       for a pop that arms it; none while the consumer keeps up
 */
IBUF_API int ibuf_queue_fd(struct ibuf_queue *q);

/**
 * Refuse all pushes from now on, and wake all who wait.
 *
 * What is inside can be popped.  Closing again does nothing.
 *
 * @cost O(threads that wait); it waits for pushes that are under way
 */
IBUF_API void ibuf_queue_close(struct ibuf_queue *q);

/**
 * Count the messages inside.
 *
 * @return between 0 and the capacity; exact while nobody pushes or pops
 */
IBUF_API size_t ibuf_queue_len(const struct ibuf_queue *q);

/**
 * End a queue, and free the messages that are inside.
 *
 * @param q the queue; NULL is fine
 * @owner the queue and all it holds are gone
 * @mt setup
 * @cost O(messages inside)
 */
IBUF_API void ibuf_queue_destroy(struct ibuf_queue *q);

IBUF_END_DECLS

#endif
