/*
 * directory.h - which worker has subscribers of what: the one table that all
 * workers share.
 *
 *	(kind, name) -> subscribers of worker 0, of worker 1, ...
 *
 * A subscription is written here by the worker that has the client, before
 * the client is told; a publisher reads here whom to post to, and how many
 * will get it.  Readers run together; writers run alone.
 */
#ifndef RELAY_DIRECTORY_H
#define RELAY_DIRECTORY_H

#include "../base/kind.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct directory;

/* Workers are bits of a word. */
enum { DIRECTORY_WORKERS_MAX = 64 };

/* NULL: no memory. */
struct directory *directory_new(unsigned workers);

void directory_free(struct directory *d);

/* One more subscriber.  false: no memory, and nothing has changed. */
bool directory_add(struct directory *d, enum kind kind, const char *name,
		   size_t len, unsigned worker);

/* One fewer; there is one. */
void directory_remove(struct directory *d, enum kind kind, const char *name,
		      size_t len, unsigned worker);

/*
 * Who gets what is published to a channel of kind KIND_CHANNEL or KIND_SHARD:
 * how many subscriptions, those of patterns included, and on which workers.
 */
size_t directory_receivers(struct directory *d, enum kind kind,
			   const char *name, size_t len, uint64_t *workers);

/*
 * Another number after each change of who has subscribed to what: what was
 * read after it was the same is still true.
 */
uint64_t directory_version(const struct directory *d);

/* Something that readers keep has changed: see above. */
void directory_change(struct directory *d);

/* Which workers have subscribers of this very name. */
uint64_t directory_workers(struct directory *d, enum kind kind,
			   const char *name, size_t len);

/* How many have subscribed to this very name. */
size_t directory_count(struct directory *d, enum kind kind, const char *name,
		       size_t len);

/* How many names of a kind there are. */
size_t directory_names(struct directory *d, enum kind kind);

/* One more subscriber of this name is full, or one fewer; see congestion.h.
   true: none is any more. */
bool directory_mark(struct directory *d, enum kind kind, const char *name,
		    size_t len, bool is_full);

/* Is a subscriber full who would get what is published to this channel? */
bool directory_is_full(struct directory *d, enum kind kind, const char *name,
		       size_t len);

/*
 * Call `each` for the names of a kind that match a pattern, or for all when
 * that is NULL; no other function of the directory may be called from it.
 */
typedef void directory_fn(const char *name, size_t len, void *arg);
void directory_each(struct directory *d, enum kind kind, const char *pattern,
		    size_t pattern_len, directory_fn *each, void *arg);

/*
 * Call `changed` when a name appears or goes: under the lock, so in the order
 * of the changes.  When it says that there is no memory, a name that would
 * appear does not.  Set before the first change.
 */
typedef bool directory_changed_fn(void *arg, enum kind kind, const char *name,
				  size_t len, bool is_there);
void directory_watch(struct directory *d, directory_changed_fn *changed,
		     void *arg);

#endif
