/*
 * listen.h - where clients come in: a TCP and a Unix socket.
 */
#ifndef RELAY_LISTEN_H
#define RELAY_LISTEN_H

#include "../config/options.h"
#include <stdbool.h>

struct relay;

struct listeners {
	int fds[2]; /* -1: not open */
	const char *unix_path;
};

/* A socket that listens there; -1: it could not, and says why. */
int listen_tcp(const char *address, const char *port);

/* false: it could not, and says why. */
bool listen_open(struct listeners *l, const struct options *o);

/*
 * Give clients to the workers in turn, until a signal says to end.  Out of
 * descriptors or memory it pauses; clients wait in the kernel's queue.
 *
 * @param signals a signalfd
 */
void listen_run(struct relay *r, struct listeners *l, int signals);

/* Close; the Unix socket's file goes. */
void listen_close(struct listeners *l);

#endif
