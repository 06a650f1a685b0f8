/*
 * table.c - buckets of lists, as many as there are structs, or twice that.
 */
#include "table.h"
#include <stdlib.h>
#include <string.h>

enum { BUCKETS_FIRST = 64 };

void *
table_find(const struct table *t, uint32_t hash, const void *key, size_t n)
{
	struct table_link *link = table_bucket(t, hash);

	for (; link != NULL; link = link->next) {
		if (link->hash == hash && memcmp(link + 1, key, n) == 0)
			return link;
	}
	return NULL;
}

static void
put(struct table *t, struct table_link *link)
{
	struct table_link **bucket = &t->buckets[link->hash & t->mask];

	link->next = *bucket;
	*bucket = link;
}

/* Twice the buckets, or the first ones. */
static bool
grow(struct table *t)
{
	size_t old = t->buckets == NULL ? 0 : t->mask + 1;
	size_t more = old == 0 ? BUCKETS_FIRST : 2 * old;
	struct table_link **buckets = calloc(more, sizeof *buckets);
	struct table_link **before = t->buckets;
	size_t i;

	if (buckets == NULL)
		return false;
	t->buckets = buckets;
	t->mask = more - 1;
	for (i = 0; i < old; i++) {
		struct table_link *link = before[i];

		while (link != NULL) {
			struct table_link *next = link->next;

			put(t, link);
			link = next;
		}
	}
	free(before);
	return true;
}

bool
table_add(struct table *t, uint32_t hash, void *thing)
{
	struct table_link *link = thing;

	/* Where there is no memory for more, the lists get longer. */
	if ((t->buckets == NULL || t->count > t->mask) && !grow(t) &&
	    t->buckets == NULL)
		return false;
	link->hash = hash;
	put(t, link);
	t->count++;
	return true;
}

void
table_remove(struct table *t, void *thing)
{
	struct table_link *link = thing;
	struct table_link **at = &t->buckets[link->hash & t->mask];

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	t->count--;
}

void
table_list(const struct table *t, void *out)
{
	struct table_link **to = out;
	struct table_link *link;
	size_t i;

	for (i = 0; t->count > 0 && i <= t->mask; i++) {
		for (link = t->buckets[i]; link != NULL; link = link->next)
			*to++ = link;
	}
}

void
table_clear(struct table *t, void (*end)(void *thing))
{
	struct table_link *link;
	size_t i;

	for (i = 0; t->buckets != NULL && i <= t->mask; i++) {
		while ((link = t->buckets[i]) != NULL) {
			t->buckets[i] = link->next;
			end(link);
		}
	}
	free(t->buckets);
	*t = (struct table){0};
}
