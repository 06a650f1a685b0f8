/*
 * table.h - a hash table of structs that begin with a link.
 *
 *	struct thing { struct table_link link; struct flow_key key; ... };
 *
 * A look-up takes O(1), whoever chose the keys: the hash has a key of its own
 * (common/hash.h).  A link takes 16 bytes, where uthash's takes 56: with a
 * million flows that is half of the memory.  All zero is an empty table.
 */
#ifndef FLOW_TABLE_H
#define FLOW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_link {
	struct table_link *next;
	uint32_t hash;
};

struct table {
	struct table_link **buckets;
	size_t mask; /* their number - 1 */
	size_t count;
};

/* The first of those that share a bucket with a hash; link->next leads on. */
static inline struct table_link *
table_bucket(const struct table *t, uint32_t hash)
{
	return t->count == 0 ? NULL : t->buckets[hash & t->mask];
}

/* The struct whose n bytes behind the link are these; NULL: there is none. */
void *table_find(const struct table *t, uint32_t hash, const void *key,
		 size_t n);

/* Add a struct by its hash.  false: no memory, and it is not added. */
bool table_add(struct table *t, uint32_t hash, void *thing);

/* Take a struct out that is in the table. */
void table_remove(struct table *t, void *thing);

/* Put every struct into out, which has room for count, in no order. */
void table_list(const struct table *t, void *out);

/* Give each struct to a function that may free it; the table is empty then. */
void table_clear(struct table *t, void (*end)(void *thing));

#endif
