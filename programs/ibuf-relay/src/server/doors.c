/*
 * doors.c - wrong passwords of each address.
 */
#include "doors.h"
#include "../../../common/hash.h"
#include <string.h>

enum { FREE = 10 };

#define PAUSE_NS UINT64_C(1000000000)
#define MOST_NS (10 * PAUSE_NS)
#define FORGET_NS (60 * PAUSE_NS)

void
doors_init(struct doors *d)
{
	memset(d->at, 0, sizeof(d->at));
	pthread_mutex_init(&d->lock, NULL);
}

/* The port is another each time. */
static uint32_t
hash_of(const char *addr)
{
	const char *colon = strrchr(addr, ':');

	return hash_bytes(addr, colon != NULL ? (size_t)(colon - addr)
					      : strlen(addr));
}

void
doors_wrong(struct doors *d, const char *addr, uint64_t now_ns)
{
	uint32_t hash = hash_of(addr);
	struct door *door = &d->at[hash % DOORS];

	pthread_mutex_lock(&d->lock);
	if (door->hash != hash || now_ns > door->until_ns + FORGET_NS)
		*door = (struct door){.hash = hash};
	if (door->until_ns < now_ns)
		door->until_ns = now_ns;
	if (door->wrong++ >= FREE)
		door->until_ns += PAUSE_NS;
	if (door->until_ns > now_ns + MOST_NS)
		door->until_ns = now_ns + MOST_NS;
	pthread_mutex_unlock(&d->lock);
}

uint64_t
doors_until(struct doors *d, const char *addr)
{
	uint32_t hash = hash_of(addr);
	const struct door *door = &d->at[hash % DOORS];
	uint64_t until_ns;

	pthread_mutex_lock(&d->lock);
	until_ns = door->hash == hash ? door->until_ns : 0;
	pthread_mutex_unlock(&d->lock);
	return until_ns;
}
