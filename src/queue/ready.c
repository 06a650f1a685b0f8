/*
 * ready.c - the descriptor of a queue, which is readable when it should be.
 *
 *                 a pop finds none
 *     SET       --------------------->   ARMED
 *     readable  <---------------------   not readable
 *                 a push, or close
 *
 * It changes under the queue's lock, so that the signs say what it is.  Once
 * the queue is sealed it stays SET.
 */
#define _POSIX_C_SOURCE 200809L
#include "ready.h"

void
ibuf_ready_set_(struct ibuf_queue *q)
{
	if ((fetch_clear_seq_cst_u32(&q->ring.signs, ARMED) & ARMED) == 0)
		return;
	ibuf_event_set_(&q->event);
	fetch_or_seq_cst_u32(&q->ring.signs, SET);
}

/* It is not readable, and shall be by the next message, if none is here. */
static void
arm(struct ibuf_queue *q)
{
	fetch_clear_seq_cst_u32(&q->ring.signs, SET);
	ibuf_queue_sign_(q, ARMED);
	if (queue_may_pop(q))
		ibuf_ready_set_(q);
}

void
ibuf_ready_arm_(struct ibuf_queue *q)
{
	pthread_mutex_lock(&q->lock);
	if ((load_seq_cst_u32(&q->ring.signs) & SET) != 0 &&
	    !queue_may_pop(q)) {
		ibuf_event_clear_(&q->event);
		arm(q);
	}
	pthread_mutex_unlock(&q->lock);
}

int
ibuf_queue_fd(struct ibuf_queue *q)
{
	int fd = 0;

	pthread_mutex_lock(&q->lock);
	if (q->event.fd < 0) {
		fd = ibuf_event_open_(&q->event);
		if (fd == 0)
			arm(q);
	}
	if (fd == 0)
		fd = q->event.fd;
	pthread_mutex_unlock(&q->lock);
	return fd;
}

void
ibuf_ready_forked_(struct ibuf_queue *q)
{
	if (q->event.fd < 0)
		return;
	ibuf_event_renew_(&q->event);
	fetch_clear_seq_cst_u32(&q->ring.signs, ARMED | SET);
	if (q->event.fd >= 0)
		arm(q);
}
