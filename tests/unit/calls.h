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

/* All as usual again. */
void calls_reset(void);

/* How many calls there were since calls_reset(). */
size_t calls_made(void);

/* The most pieces of memory a call was given since calls_reset(). */
size_t calls_most_pieces(void);

/* The most bytes a read was asked for since calls_reset(). */
size_t calls_most_asked(void);

#endif
