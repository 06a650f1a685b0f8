/*
 * settings.h - the options that CONFIG SET changes while the relay runs.
 *
 * Any thread reads them and any may change one.  A change holds from then on;
 * who relies on the old value is told by a post, POST_SETTLE.
 */
#ifndef RELAY_SETTINGS_H
#define RELAY_SETTINGS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options;

/* What happens to a subscriber for whom too much waits. */
enum slow { SLOW_DISCONNECT, SLOW_DROP, SLOW_BLOCK };
enum { SLOWS = 3 };
extern const char *const slow_names[SLOWS];

/* Of waiting bytes; half of it is what there can be in memory. */
#define SETTINGS_NO_LIMIT (SIZE_MAX / 2)

struct settings {
	atomic_size_t output_limit; /* bytes */
	atomic_uint slow;
	atomic_bool has_password;
	pthread_mutex_t lock; /* of the password */
	char *password;       /* NULL: none */
	size_t password_len;
};

/* false: no memory. */
bool settings_init(struct settings *s, const struct options *o);

void settings_destroy(struct settings *s);

static inline size_t
settings_output_limit(const struct settings *s)
{
	return atomic_load_explicit(&s->output_limit, memory_order_relaxed);
}

void settings_set_output_limit(struct settings *s, size_t bytes);

static inline enum slow
settings_slow(const struct settings *s)
{
	return (enum slow)atomic_load_explicit(&s->slow, memory_order_relaxed);
}

static inline bool
settings_has_password(const struct settings *s)
{
	return atomic_load_explicit(&s->has_password, memory_order_relaxed);
}

/* Is it the password, or is there none? */
bool settings_is_password(struct settings *s, const char *said, size_t len);

/* Set one; len 0: none.  false: no memory, and nothing has changed. */
bool settings_set_password(struct settings *s, const char *password,
			   size_t len);

#endif
