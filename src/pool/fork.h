/*
 * fork.h - a fork leaves a process with one thread.
 *
 * The tcaches of the others are written off there: what they held may have
 * been half moved.
 */
#ifndef IBUF_SRC_FORK_H
#define IBUF_SRC_FORK_H

/* Take part in each fork from now on.  0, or an error of errno.h. */
int ibuf_fork_prepare_(void);

#endif
