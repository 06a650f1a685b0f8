/*
 * event.h - a descriptor that is readable or not, as we say.
 *
 * An eventfd on Linux, else a pipe.  None of this is a cancellation point.
 * One thread at a time.
 */
#ifndef IBUF_SRC_EVENT_H
#define IBUF_SRC_EVENT_H

struct ibuf_event {
	int fd; /* what is polled; -1: none */
	int to; /* what is written to; the same, or the pipe's other end */
};

#define EVENT_NONE ((struct ibuf_event){-1, -1})

/* Make one that is not readable; 0, or -errno and there is none. */
int ibuf_event_open_(struct ibuf_event *event);

void ibuf_event_close_(struct ibuf_event *event);

/* Make it readable, when it is not. */
void ibuf_event_set_(const struct ibuf_event *event);

/* Make it not readable. */
void ibuf_event_clear_(const struct ibuf_event *event);

/*
 * In the child of a fork: let go of the parent's, and make one that is not
 * readable and has the same number.  When it cannot there is none.
 */
void ibuf_event_renew_(struct ibuf_event *event);

#endif
