/*
 * registry.c - the clients of all workers.
 */
#include "registry.h"
#include "relay.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

void
registry_init(struct registry *r)
{
	*r = (struct registry){.last_id = 2};
	pthread_mutex_init(&r->lock, NULL);
}

void
registry_destroy(struct registry *r)
{
	pthread_mutex_destroy(&r->lock);
}

void
registry_add(struct registry *r, struct card *card)
{
	pthread_mutex_lock(&r->lock);
	card->id = ++r->last_id;
	DL_APPEND(r->first, card);
	r->count++;
	pthread_mutex_unlock(&r->lock);
}

void
registry_remove(struct registry *r, struct card *card)
{
	pthread_mutex_lock(&r->lock);
	DL_DELETE(r->first, card);
	r->count--;
	pthread_mutex_unlock(&r->lock);
	free(card->name);
	free(card->lib_name);
	free(card->lib_ver);
}

bool
registry_set(struct registry *r, char **text, const char *bytes, size_t n)
{
	char *copy = NULL, *old;

	if (n > 0) {
		copy = malloc(n + 1);
		if (copy == NULL)
			return false;
		memcpy(copy, bytes, n);
		copy[n] = '\0';
	}
	pthread_mutex_lock(&r->lock);
	old = *text;
	*text = copy;
	pthread_mutex_unlock(&r->lock);
	free(old);
	return true;
}

void
relay_path(struct relay *r, char *name, size_t size)
{
	const size_t begin = strlen(RELAY_NAME);
	struct registry *clients = &r->registry;
	int n = snprintf(name, size, RELAY_NAME "%s", r->id);

	pthread_mutex_lock(&clients->lock);
	for (struct card *card = clients->first; card != NULL;
	     card = card->next) {
		if (card->name == NULL ||
		    strncmp(card->name, RELAY_NAME, begin) != 0 ||
		    strlen(card->name) - begin + 2 > size - (size_t)n)
			continue;
		n += snprintf(name + n, size - (size_t)n, ",%s",
			      card->name + begin);
	}
	pthread_mutex_unlock(&clients->lock);
}

size_t
registry_count(struct registry *r)
{
	size_t count;

	pthread_mutex_lock(&r->lock);
	count = r->count;
	pthread_mutex_unlock(&r->lock);
	return count;
}
