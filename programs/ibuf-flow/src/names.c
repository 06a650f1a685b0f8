/*
 * names.c - a uthash table of flows, each with a list for every kind.
 */

/* uthash shall report that it has no memory, not end the program. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(names) ((names)->hh.tbl = NULL)

#include "names.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a block of memory takes beside its bytes. */
enum { OVERHEAD = 32 };

char *
name_text(const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(4 * n + 1);
	char *exact;
	char *to = text;
	size_t i;

	if (text == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		if (bytes[i] >= ' ' && bytes[i] <= '~' && bytes[i] != '\\') {
			*to++ = (char)bytes[i];
			continue;
		}
		*to++ = '\\';
		if (bytes[i] == '\\') {
			*to++ = '\\';
			continue;
		}
		*to++ = 'x';
		*to++ = digits[bytes[i] >> 4];
		*to++ = digits[bytes[i] & 15];
	}
	*to = '\0';
	exact = realloc(text, (size_t)(to - text) + 1);
	return exact != NULL ? exact : text;
}

/* Whether n bytes more are within the limit. */
static bool
charge(struct name_store *store, size_t n)
{
	if (n > store->limit || store->bytes > store->limit - n)
		return false;
	store->bytes += n;
	return true;
}

static bool
charge_text(struct name_store *store, const char *text)
{
	return text != NULL && charge(store, strlen(text) + OVERHEAD);
}

static struct names *
find(const struct name_flow *flow)
{
	struct names *names;

	HASH_FIND_BYHASHVALUE(hh, flow->store->flows, flow->key,
			      sizeof *flow->key, flow->hash, names);
	return names;
}

static struct names *
find_or_add(const struct name_flow *flow)
{
	struct names *names = find(flow);

	if (names != NULL || !charge(flow->store, sizeof *names + OVERHEAD))
		return names;
	names = calloc(1, sizeof *names);
	if (names == NULL)
		return NULL;
	names->key = *flow->key;
	HASH_ADD_BYHASHVALUE(hh, flow->store->flows, key, sizeof names->key,
			     flow->hash, names);
	if (names->hh.tbl != NULL)
		return names;
	free(names);
	return NULL;
}

/* A new name at the end of a list, without texts. */
static struct name *
extend(struct name_store *store, struct name_list *list)
{
	struct name *larger;
	size_t room = list->room;

	if (list->count == room) {
		room = room == 0 ? 1 : room * 2;
		if (!charge(store, (room - list->room) * sizeof *larger))
			return NULL;
		larger = realloc(list->at, room * sizeof *larger);
		if (larger == NULL)
			return NULL;
		list->at = larger;
		list->room = room;
	}
	list->at[list->count] = (struct name){0};
	return &list->at[list->count++];
}

static struct name *
add(const struct name_flow *flow, enum name_kind kind)
{
	struct names *names = find_or_add(flow);

	return names == NULL ? NULL : extend(flow->store, &names->list[kind]);
}

/* FNV-1a: most names differ by it already. */
static uint32_t
hash_text(const char *text)
{
	uint32_t hash = 2166136261;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619;
	return hash;
}

static bool
has(const struct name_list *list, const char *text, uint32_t hash)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (list->at[i].hash == hash &&
		    strcmp(list->at[i].text[0], text) == 0)
			return true;
	}
	return false;
}

void
names_add(const struct name_flow *flow, enum name_kind kind, char *text)
{
	const struct names *names = find(flow);
	uint32_t hash = text != NULL ? hash_text(text) : 0;
	struct name *name = NULL;
	size_t count = names != NULL ? names->list[kind].count : 0;

	if (count > 0 && text != NULL && has(&names->list[kind], text, hash)) {
		free(text);
		return;
	}
	if (count < NAMES_PER_FLOW && charge_text(flow->store, text))
		name = add(flow, kind);
	if (name == NULL) {
		free(text);
		flow->store->dropped++;
		return;
	}
	name->text[0] = text;
	name->hash = hash;
}

size_t
names_add_request(const struct name_flow *flow, char *method, char *target)
{
	struct name *name = NULL;

	if (charge_text(flow->store, method) &&
	    charge_text(flow->store, target))
		name = add(flow, NAME_HTTP);
	if (name == NULL) {
		free(method);
		free(target);
		flow->store->dropped++;
		return SIZE_MAX;
	}
	name->text[HTTP_METHOD] = method;
	name->text[HTTP_TARGET] = target;
	return (size_t)(name - find(flow)->list[NAME_HTTP].at);
}

void
names_set_host(const struct name_flow *flow, size_t number, char *host)
{
	struct names *names = find(flow);
	struct name *name;

	if (names == NULL || number >= names->list[NAME_HTTP].count) {
		free(host);
		return;
	}
	name = &names->list[NAME_HTTP].at[number];
	/* The first one counts. */
	if (name->text[HTTP_HOST] != NULL) {
		free(host);
		return;
	}
	if (!charge_text(flow->store, host)) {
		free(host);
		flow->store->dropped++;
		return;
	}
	name->text[HTTP_HOST] = host;
}

const struct names *
names_find(const struct name_store *store, const struct flow_key *key)
{
	struct names *names;

	HASH_FIND_BYHASHVALUE(hh, store->flows, key, sizeof *key,
			      flow_key_hash(key), names);
	return names;
}

static void
clear_list(struct name_list *list)
{
	size_t i;
	unsigned text;

	for (i = 0; i < list->count; i++) {
		for (text = 0; text < NAME_TEXTS; text++)
			free(list->at[i].text[text]);
	}
	free(list->at);
}

void
names_clear(struct name_store *store)
{
	struct names *names = store->flows;
	struct names *next;
	unsigned kind;

	HASH_CLEAR(hh, store->flows);
	for (; names != NULL; names = next) {
		next = names->hh.next;
		for (kind = 0; kind < NAME_KINDS; kind++)
			clear_list(&names->list[kind]);
		free(names);
	}
}
