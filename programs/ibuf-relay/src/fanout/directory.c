/*
 * directory.c - which worker has subscribers of what.
 *
 * One lock for readers and writers guards everything: publishing reads, and
 * subscribing, which writes, is rare beside it.
 */
#include "directory.h"
#include "../base/table.h"
#include "../protocol/glob.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct place {
	UT_hash_handle hh;
	char *name;
	size_t len;
	size_t total;      /* sum of counts */
	size_t full;       /* of them: too much waits for these */
	uint32_t counts[]; /* of each worker */
};

struct directory {
	pthread_rwlock_t lock;
	unsigned workers;
	atomic_size_t full;            /* sum of those of all places */
	atomic_ullong version;         /* pairs with itself */
	directory_changed_fn *changed; /* NULL: nobody watches */
	void *arg;
	struct place *places[KINDS];
};

struct directory *
directory_new(unsigned workers)
{
	struct directory *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->workers = workers;
	atomic_init(&d->version, 1);
	pthread_rwlock_init(&d->lock, NULL);
	return d;
}

void
directory_watch(struct directory *d, directory_changed_fn *changed, void *arg)
{
	d->changed = changed;
	d->arg = arg;
}

void
directory_free(struct directory *d)
{
	struct place *place, *next;

	if (d == NULL)
		return;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		HASH_ITER (hh, d->places[kind], place, next) {
			HASH_DEL(d->places[kind], place);
			free(place->name);
			free(place);
		}
	}
	pthread_rwlock_destroy(&d->lock);
	free(d);
}

static struct place *
find(struct directory *d, enum kind kind, const char *name, size_t len)
{
	struct place *place;

	HASH_FIND(hh, d->places[kind], name, len, place);
	return place;
}

static struct place *
make(struct directory *d, enum kind kind, const char *name, size_t len)
{
	struct place *place =
		calloc(1, sizeof(*place) + d->workers * sizeof(uint32_t));
	char *copy = malloc(len + 1);

	if (place == NULL || copy == NULL)
		goto fail;
	memcpy(copy, name, len);
	place->name = copy;
	place->len = len;
	HASH_ADD_KEYPTR(hh, d->places[kind], copy, len, place);
	if (place->hh.tbl == NULL)
		goto fail;
	if (d->changed != NULL && !d->changed(d->arg, kind, name, len, true)) {
		HASH_DEL(d->places[kind], place);
		goto fail;
	}
	return place;
fail:
	free(copy);
	free(place);
	return NULL;
}

uint64_t
directory_version(const struct directory *d)
{
	/* seq_cst: who has been told of a subscription is after it. */
	return atomic_load(&d->version);
}

void
directory_change(struct directory *d)
{
	atomic_fetch_add(&d->version, 1);
}

bool
directory_add(struct directory *d, enum kind kind, const char *name, size_t len,
	      unsigned worker)
{
	struct place *place;

	pthread_rwlock_wrlock(&d->lock);
	place = find(d, kind, name, len);
	if (place == NULL)
		place = make(d, kind, name, len);
	if (place != NULL) {
		place->counts[worker]++;
		place->total++;
		directory_change(d);
	}
	pthread_rwlock_unlock(&d->lock);
	return place != NULL;
}

void
directory_remove(struct directory *d, enum kind kind, const char *name,
		 size_t len, unsigned worker)
{
	struct place *place;

	pthread_rwlock_wrlock(&d->lock);
	place = find(d, kind, name, len);
	place->counts[worker]--;
	directory_change(d);
	if (--place->total == 0) {
		/* Unheard, it is subscribed to for nobody, and no worse. */
		if (d->changed != NULL)
			d->changed(d->arg, kind, name, len, false);
		HASH_DEL(d->places[kind], place);
		free(place->name);
		free(place);
	}
	pthread_rwlock_unlock(&d->lock);
}

static size_t
add_up(const struct directory *d, const struct place *place, uint64_t *workers)
{
	for (unsigned i = 0; i < d->workers; i++)
		*workers |= (uint64_t)(place->counts[i] != 0) << i;
	return place->total;
}

size_t
directory_receivers(struct directory *d, enum kind kind, const char *name,
		    size_t len, uint64_t *workers)
{
	struct place *place;
	size_t total = 0;

	*workers = 0;
	pthread_rwlock_rdlock(&d->lock);
	place = find(d, kind, name, len);
	if (place != NULL)
		total += add_up(d, place, workers);
	place = kind == KIND_CHANNEL ? d->places[KIND_PATTERN] : NULL;
	for (; place != NULL; place = place->hh.next)
		if (glob_matches(place->name, place->len, name, len))
			total += add_up(d, place, workers);
	pthread_rwlock_unlock(&d->lock);
	return total;
}

bool
directory_mark(struct directory *d, enum kind kind, const char *name,
	       size_t len, bool is_full)
{
	struct place *place;
	bool is_last;

	pthread_rwlock_wrlock(&d->lock);
	place = find(d, kind, name, len);
	place->full += is_full ? 1 : (size_t)-1;
	is_last = place->full == 0;
	atomic_fetch_add(&d->full, is_full ? 1 : (size_t)-1);
	pthread_rwlock_unlock(&d->lock);
	return is_last;
}

bool
directory_is_full(struct directory *d, enum kind kind, const char *name,
		  size_t len)
{
	struct place *place;
	bool is_full;

	/* Who reads 0 publishes as if that had been before the mark. */
	if (atomic_load(&d->full) == 0)
		return false;
	pthread_rwlock_rdlock(&d->lock);
	place = find(d, kind, name, len);
	is_full = place != NULL && place->full > 0;
	place = kind == KIND_CHANNEL ? d->places[KIND_PATTERN] : NULL;
	for (; place != NULL && !is_full; place = place->hh.next)
		is_full = place->full > 0 &&
			  glob_matches(place->name, place->len, name, len);
	pthread_rwlock_unlock(&d->lock);
	return is_full;
}

uint64_t
directory_workers(struct directory *d, enum kind kind, const char *name,
		  size_t len)
{
	struct place *place;
	uint64_t workers = 0;

	pthread_rwlock_rdlock(&d->lock);
	place = find(d, kind, name, len);
	if (place != NULL)
		add_up(d, place, &workers);
	pthread_rwlock_unlock(&d->lock);
	return workers;
}

size_t
directory_count(struct directory *d, enum kind kind, const char *name,
		size_t len)
{
	struct place *place;
	size_t total;

	pthread_rwlock_rdlock(&d->lock);
	place = find(d, kind, name, len);
	total = place != NULL ? place->total : 0;
	pthread_rwlock_unlock(&d->lock);
	return total;
}

size_t
directory_names(struct directory *d, enum kind kind)
{
	size_t count;

	pthread_rwlock_rdlock(&d->lock);
	count = HASH_COUNT(d->places[kind]);
	pthread_rwlock_unlock(&d->lock);
	return count;
}

void
directory_each(struct directory *d, enum kind kind, const char *pattern,
	       size_t pattern_len, directory_fn *each, void *arg)
{
	struct place *place;

	pthread_rwlock_rdlock(&d->lock);
	place = d->places[kind];
	for (; place != NULL; place = place->hh.next)
		if (pattern == NULL ||
		    glob_matches(pattern, pattern_len, place->name, place->len))
			each(place->name, place->len, arg);
	pthread_rwlock_unlock(&d->lock);
}
