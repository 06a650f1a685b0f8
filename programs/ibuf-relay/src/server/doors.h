/*
 * doors.h - wrong passwords of each address.
 *
 * Who guesses on one connection is slowed there, see client_slow(); who opens
 * another for each guess is slowed here.  A few wrong ones are free, as of a
 * program that was told an old one.  After that each adds a pause, one behind
 * the other, in which nobody new of that address is heard: those who are in
 * already do not notice.
 *
 * From any thread.
 */
#ifndef RELAY_DOORS_H
#define RELAY_DOORS_H

#include <pthread.h>
#include <stdint.h>

/* Addresses that are known at a time; a later one takes an earlier's place. */
enum { DOORS = 1024 };

struct door {
	uint32_t hash; /* of the address */
	unsigned wrong;
	uint64_t until_ns; /* nobody new is heard */
};

struct doors {
	pthread_mutex_t lock;
	struct door at[DOORS];
};

void doors_init(struct doors *d);

/* A wrong password came from HOST:PORT. */
void doors_wrong(struct doors *d, const char *addr, uint64_t now_ns);

/* Until when a client of HOST:PORT must wait; it may have passed. */
uint64_t doors_until(struct doors *d, const char *addr);

#endif
