/*
 * names.h - what flows asked for: HTTP requests, TLS servers, DNS names.
 *
 * Names are text: printable ASCII, whatever else was in them is escaped.  All
 * of them together take no more than a limit; those beyond are dropped and
 * counted.  Only flows that have names are in here.
 */
#ifndef FLOW_NAMES_H
#define FLOW_NAMES_H

#include "flow.h"

/* A name has one text, an HTTP request three. */
enum { HTTP_METHOD, HTTP_TARGET, HTTP_HOST, NAME_TEXTS };

enum name_kind { NAME_HTTP, NAME_TLS, NAME_DNS, NAME_KINDS };

struct name {
	struct table_link link; /* by the flow, the kind and the text */
	const struct names *flow;
	enum name_kind kind;
	char *text[NAME_TEXTS]; /* NULL: it has none */
};

struct name_list {
	struct name **at;
	size_t count;
	size_t room;
};

/* So many TLS or DNS names a flow may have. */
enum { NAMES_PER_FLOW = 4096 };

/* The names of a flow, in the order they came; TLS and DNS names once each. */
struct names {
	struct table_link link;
	struct flow_key key;
	struct name_list list[NAME_KINDS];
};

struct name_store {
	struct table flows; /* of struct names */
	struct table texts; /* of struct name: TLS and DNS */
	size_t bytes;       /* all of them take */
	size_t limit;
	uint64_t dropped;
};

/* The flow that names are read from. */
struct name_flow {
	struct name_store *store;
	const struct flow_key *key;
	uint32_t hash;
};

/* n bytes as text, which the caller frees; NULL: no memory. */
char *name_text(const uint8_t *bytes, size_t n);

/*
 * Add a name of kind TLS or DNS, or a request, to those of a flow.  The texts
 * are the store's then, also when they are dropped; NULL, which name_text()
 * gives when there is no memory, is dropped.  A request that was added has a
 * number, one that was dropped has SIZE_MAX.
 */
void names_add(const struct name_flow *flow, enum name_kind kind, char *text);
size_t names_add_request(const struct name_flow *flow, char *method,
			 char *target);

/* Set the host of the request of that number. */
void names_set_host(const struct name_flow *flow, size_t number, char *host);

/* NULL: the flow has no names. */
const struct names *names_find(const struct name_store *store,
			       const struct flow *flow);

void names_clear(struct name_store *store);

#endif
