/*
 * settings.c - the options that CONFIG SET changes while the relay runs.
 */
#include "settings.h"
#include "../base/post.h"
#include "options.h"
#include <stdlib.h>
#include <string.h>

const char *const slow_names[SLOWS] = {"disconnect", "drop", "block"};

bool
settings_init(struct settings *s, const struct options *o)
{
	const char *password = o->password != NULL ? o->password : "";

	*s = (struct settings){0};
	settings_set_output_limit(s, o->client_output_limit);
	atomic_init(&s->slow, o->slow);
	pthread_mutex_init(&s->lock, NULL);
	return settings_set_password(s, password, strlen(password));
}

void
settings_set_output_limit(struct settings *s, size_t bytes)
{
	atomic_store(&s->output_limit, bytes);
	/* What is under way to a subscriber is as bounded as what waits. */
	post_set_most(bytes);
}

void
settings_destroy(struct settings *s)
{
	free(s->password);
	pthread_mutex_destroy(&s->lock);
}

bool
settings_set_password(struct settings *s, const char *password, size_t len)
{
	char *copy = NULL, *old;

	if (len > 0) {
		copy = malloc(len);
		if (copy == NULL)
			return false;
		memcpy(copy, password, len);
	}
	pthread_mutex_lock(&s->lock);
	old = s->password;
	s->password = copy;
	s->password_len = len;
	atomic_store(&s->has_password, len > 0);
	pthread_mutex_unlock(&s->lock);
	free(old);
	return true;
}

bool
settings_is_password(struct settings *s, const char *said, size_t len)
{
	unsigned different;

	pthread_mutex_lock(&s->lock);
	/* Takes as long whatever the first difference is. */
	different = len != s->password_len;
	for (size_t i = 0; i < len && s->password_len > 0; i++)
		different |= (unsigned char)s->password[i % s->password_len] ^
			     (unsigned char)said[i];
	different = s->password_len > 0 ? different : 0;
	pthread_mutex_unlock(&s->lock);
	return different == 0;
}
