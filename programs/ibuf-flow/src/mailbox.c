/*
 * mailbox.c - a ring of pointers with a receiver that may sleep.
 *
 * sem_post() releases and sem_wait() acquires, so whoever takes a pointer sees
 * what was written behind it; and as the semaphore never counts more than the
 * ring holds, a take after a wait finds a pointer.
 */
#include "mailbox.h"
#include <errno.h>
#include <stdlib.h>

void
mailbox_init(struct mailbox *box)
{
	ck_ring_init(&box->ring, MAILBOX_ROOM);
	sem_init(&box->count, 0, 0);
}

void
mailbox_destroy(struct mailbox *box)
{
	sem_destroy(&box->count);
}

void
mailbox_put(struct mailbox *box, void *what)
{
	/* A full ring is a bug of the caller, and losing packets worse. */
	if (!ck_ring_enqueue_spsc(&box->ring, box->slots, what))
		abort();
	sem_post(&box->count);
}

void *
mailbox_take(struct mailbox *box)
{
	void *what = NULL;

	while (sem_wait(&box->count) != 0 && errno == EINTR)
		continue;
	if (!ck_ring_dequeue_spsc(&box->ring, box->slots, &what))
		abort();
	return what;
}
