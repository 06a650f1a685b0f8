/*
 * calls.h - make a system call fail, or do less than it was asked for.
 *
 * The tests of descriptors are linked so that read, writev, sendmsg,
 * recvmsg, sendmmsg and recvmmsg, called by the library, come here first.
 * What is not told to fail goes to the system.
 */
#ifndef CALLS_H
#define CALLS_H

#include <stdbool.h>
#include <stddef.h>

/* Let the n-th call from now fail with an error, 1 being the next one. */
void calls_fail_at(size_t n, int error);

/* Let the next n calls fail with an error. */
void calls_fail(size_t n, int error);

/* Let each call transfer no more: bytes, or datagrams where it takes many. */
void calls_limit(size_t most);

/*
 * Let so many percent of the calls fail with EINTR or EAGAIN or do less than
 * they were asked for, at random but the same for each seed.
 */
void calls_trouble(unsigned percent, unsigned seed);

/* Let a read that fails overwrite what it was to fill, as a driver may. */
void calls_scribble(void);

/*
 * Let writev and sendmsg take as many bytes as Linux does in one call, and
 * do nothing with them.
 */
void calls_swallow(void);

/* All as usual again. */
void calls_reset(void);

/* How many calls there were since calls_reset(). */
size_t calls_made(void);

/* The most pieces of memory a call was given since calls_reset(). */
size_t calls_most_pieces(void);

/* The most bytes a read was asked for since calls_reset(). */
size_t calls_most_asked(void);

/* The flags of the n-th sendmsg since calls_reset(), 1 being the first. */
int calls_flags(size_t n);

#endif
