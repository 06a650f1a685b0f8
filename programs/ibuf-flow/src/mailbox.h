/*
 * mailbox.h - pointers from one thread to one other, in order.
 *
 * A Concurrency Kit ring carries them, a semaphore counts them: a receiver
 * that finds none sleeps instead of spinning.  One thread puts, one takes.
 */
#ifndef FLOW_MAILBOX_H
#define FLOW_MAILBOX_H

#include <ck_ring.h>
#include <semaphore.h>

/* A power of two; the ring holds one less. */
enum { MAILBOX_ROOM = 32, MAILBOX_MAX = MAILBOX_ROOM - 1 };

struct mailbox {
	struct ck_ring ring;
	struct ck_ring_buffer slots[MAILBOX_ROOM];
	sem_t count;
};

void mailbox_init(struct mailbox *box);

void mailbox_destroy(struct mailbox *box);

/* There must never be more than MAILBOX_MAX pointers in it.  NULL may be. */
void mailbox_put(struct mailbox *box, void *what);

/* Sleeps while there is none. */
void *mailbox_take(struct mailbox *box);

#endif
