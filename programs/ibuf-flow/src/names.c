/*
 * names.c - a table of flows, each with a list for every kind; and a table of
 * all names, to find whether a flow has one.
 */
#include "names.h"
#include "../../common/hash.h"
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
	return table_find(&flow->store->flows, flow->hash, flow->key,
			  sizeof *flow->key);
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
	if (table_add(&flow->store->flows, flow->hash, names))
		return names;
	free(names);
	return NULL;
}

/* A new name at the end of a list, without texts. */
static struct name *
extend(struct name_store *store, struct names *names, enum name_kind kind)
{
	struct name_list *list = &names->list[kind];
	struct name **larger;
	struct name *name;
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
	if (!charge(store, sizeof *name + OVERHEAD))
		return NULL;
	name = calloc(1, sizeof *name);
	if (name == NULL)
		return NULL;
	name->flow = names;
	name->kind = kind;
	list->at[list->count++] = name;
	return name;
}

static struct name *
add(const struct name_flow *flow, enum name_kind kind)
{
	struct names *names = find_or_add(flow);

	return names == NULL ? NULL : extend(flow->store, names, kind);
}

static bool
has(const struct name_store *store, const struct names *names,
    enum name_kind kind, const char *text, uint32_t hash)
{
	const struct table_link *link = table_bucket(&store->texts, hash);

	for (; link != NULL; link = link->next) {
		const struct name *name = (const void *)link;

		if (link->hash == hash && name->flow == names &&
		    name->kind == kind && strcmp(name->text[0], text) == 0)
			return true;
	}
	return false;
}

void
names_add(const struct name_flow *flow, enum name_kind kind, char *text)
{
	const struct names *names = find(flow);
	struct name *name = NULL;
	size_t count = names != NULL ? names->list[kind].count : 0;
	uint32_t hash = 0;

	if (text != NULL)
		hash = hash_bytes(text, strlen(text)) + flow->hash + kind;
	if (count > 0 && text != NULL &&
	    has(flow->store, names, kind, text, hash)) {
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
	/* Without memory for the table, a name may be listed twice. */
	(void)table_add(&flow->store->texts, hash, name);
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
	return name->flow->list[NAME_HTTP].count - 1;
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
	name = names->list[NAME_HTTP].at[number];
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
names_find(const struct name_store *store, const struct flow *flow)
{
	return table_find(&store->flows, flow->link.hash, &flow->key,
			  sizeof flow->key);
}

static void
free_names(void *thing)
{
	struct names *names = thing;
	unsigned kind;
	unsigned text;
	size_t i;

	for (kind = 0; kind < NAME_KINDS; kind++) {
		for (i = 0; i < names->list[kind].count; i++) {
			for (text = 0; text < NAME_TEXTS; text++)
				free(names->list[kind].at[i]->text[text]);
			free(names->list[kind].at[i]);
		}
		free(names->list[kind].at);
	}
	free(names);
}

void
names_clear(struct name_store *store)
{
	free(store->texts.buckets);
	table_clear(&store->flows, free_names);
}
