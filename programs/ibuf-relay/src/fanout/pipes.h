/*
 * pipes.h - send one frame to many sockets without a copy for each.
 *
 *	frame ----write--> pipe of a load --tee--> copy --splice--> socket
 *	          once                     for each subscriber
 *
 * What is written into a pipe lies in pages of the kernel, which nobody
 * changes any more; tee() and splice() pass on references to them.  So the
 * bytes are copied into the pipe once, and out of each socket by its reader.
 * Our own rooms could not be passed on like that: they would have to stay as
 * they are until the last reader has read, and nobody tells when that is.
 *
 * A load is there for those who could not take all of it at once as well.  It
 * only ever saves work: the frame has its rooms all the same, and is sent from
 * there when there is no pipe, or its load had to make way.
 */
#ifndef RELAY_PIPES_H
#define RELAY_PIPES_H

#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What pays: so many bytes to so many subscribers.  With less, tee() and
 * splice() cost more than send() does; doc/performance.md.
 */
enum { PIPES_LEAST_BYTES = 32768, PIPES_LEAST_SUBSCRIBERS = 8 };

/* No pipe is larger: it is what the system allows everybody. */
enum { PIPES_MOST_BYTES = 1 << 20 };

/* Frames that are loaded at a time: what is in flight to those who read. */
enum { PIPES_LOADS = 16 };

struct frame;
struct pipes;

/* A frame, one message or several, in a pipe. */
struct load {
	struct pipes *pipes;
	struct frame *frame; /* that is loaded; NULL: none is */
	int pipe[2];
	size_t room;  /* of the pipe; 0: it is not open */
	size_t bytes; /* the front of the frame; 0: nothing is loaded */
};

/* Of one worker; all zero: nothing is open. */
struct pipes {
	struct load loads[PIPES_LOADS];
	struct load copy; /* empty between two calls */
	int nowhere;      /* /dev/null; 0: not open */
	bool are_refused; /* the system does not let us splice() */
};

void pipes_close(struct pipes *p);

/*
 * Load a frame, or what goes in of its front, for so many subscribers: when
 * that pays, and can be.
 */
void pipes_load(struct pipes *p, struct frame *frame, size_t subscribers);

/* Nobody is sent it any more from here. */
void pipes_unload(struct load *load);

/*
 * Send a socket what is loaded, without the bytes before `from`; it does not
 * wait.
 *
 * @return how many bytes went; 0 for any failure: who then sends them in the
 *         ordinary way is told why
 */
size_t pipes_send(const struct load *load, size_t from, int fd);

#endif
