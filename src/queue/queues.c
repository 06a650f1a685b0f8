/*
 * queues.c - the list of all queues of this copy of the library, and how those
 * who look from outside read it (../platform/registry.h).
 */
#define _POSIX_C_SOURCE 200809L
#include "forked.h"

#include "../platform/modules.h"
#include "../platform/registry.h"

struct ibuf_queue *ibuf_queues_;

#define Q(name_, member_)                                                      \
	REGISTRY_MEMBER("q." name_, struct ibuf_queue, member_)
#define F(name_, sign_) REGISTRY_NUMBER("f." name_, sign_)

static struct registry_field fields[] = {
	Q("next", next),
	Q("link", link),
	Q("most", ring.capacity),
	Q("mask", ring.mask),
	Q("cells", ring.cells),
	Q("pushed", ring.putting.shown),
	Q("popped", ring.taking.shown),
	Q("signs", ring.signs),
	REGISTRY_NUMBER("n.before", RING_BEFORE),
	F("popper", WAIT_TO_POP),
	F("pusher", WAIT_TO_PUSH),
	F("closed", CLOSED),
};

struct registry ibuf_queues_registry_
	__attribute__((used, visibility("hidden"))) =
		REGISTRY("queues", &ibuf_queues_, fields);

LEAVE_NOTE(2, ibuf_queues_registry_);
