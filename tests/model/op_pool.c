/* op_pool.c - pools of several kinds: used, cared for, ended. */
#include "operations.h"

#include <errno.h>
#include <stdlib.h>

/* ---- come and go --------------------------------------------------- */

static const size_t capacities[] = {64, 1, 200, 2048, 33, 16, 0, 128};
static const size_t headrooms[] = {16, 0, 40, 128, 3, 64, 8, 0};
static const size_t maxima[] = {0, 5, 0, 3};
static const size_t privates[] = {24, 0, 8, 64};

void
make_pool(struct world *w, unsigned place, unsigned dice)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;
	struct owner *owner = calloc(1, sizeof(*owner));

	CHECK(owner != NULL);
	options.name = "model";
	options.capacity = owner->capacity = capacities[dice % 8];
	options.headroom = owner->headroom = headrooms[dice / 2 % 8];
	options.max = owner->max = maxima[dice % 4];
	options.private_size = owner->private_size = privates[dice / 2 % 4];
	options.alignment = (size_t)1 << dice % 8;
	options.provider = dice & 1 ? ibuf_provider_heap() : NULL;
	options.flags = dice & 4 ? IBUF_POOL_F_WIPE : 0;
	owner->wipe = options.flags != 0;
	if (dice % 3 == 0)
		options.cache = 0;
	owner->is_pool = true;
	CHECK_EQUAL(-ibuf_pool_create(&owner->pool, &options), 0);
	w->pools[place] = owner;
}

void
op_pool_destroy(struct world *w, const struct operation *op, struct message *a)
{
	unsigned place = op->slots % POOLS;
	struct owner *owner = w->pools[place];

	(void)a;
	say(w, "destroy(pool %u), and another is made: %u", place, op->x % 256);
	CHECK_EQUAL(ibuf_pool_destroy(owner->pool), owner->direct);
	owner->pool = NULL;
	owner->next = w->closed;
	w->closed = owner;
	make_pool(w, place, op->x % 256);
}

/* ---- out and owner -------------------------------------------------- */

/* How many more direct can be had. */
static size_t
left(const struct owner *owner)
{
	return owner->max == 0 ? SIZE_MAX : owner->max - owner->direct;
}

static void
open_element(struct message *to, struct ibuf_mbuf *m, struct owner *owner)
{
	message_open(to, m, owner, room_of_direct(owner));
}

void
op_pool_alloc(struct world *w, const struct operation *op, struct message *a)
{
	struct message *to = free_slot(w, NULL, op->slots >> 3);
	struct owner *owner = w->pools[op->x % POOLS];
	struct ibuf_mbuf *m;

	(void)a;
	say(w, "m%u = alloc(pool %u)", slot_of(w, to), op->x % POOLS);
	arm(op);
	m = ibuf_pool_alloc(owner->pool);
	if (made(m, left(owner) != 0))
		open_element(to, m, owner);
}

void
op_pool_bulk(struct world *w, const struct operation *op, struct message *a)
{
	struct owner *owner = w->pools[op->x % POOLS];
	struct ibuf_mbuf *out[SLOTS] = {0};
	size_t n = 0, got = 0;
	struct message *to[SLOTS];
	bool all = op->how & 1;

	(void)a;
	for (unsigned i = 0; i < SLOTS && n < op->y % 4U; i++)
		if (w->slot[i].m == NULL)
			to[n++] = &w->slot[i];
	say(w, "alloc_%s(pool %u, %zu) into the first free slots",
	    all ? "bulk" : "upto", op->x % POOLS, n);
	arm(op);
	if (all) {
		int expected = n <= left(owner) ? 0 : -ENOBUFS;

		if (did(ibuf_pool_alloc_bulk(owner->pool, out, n), expected))
			got = n;
		CHECK(got == n || out[0] == NULL);
	} else {
		size_t most = n < left(owner) ? n : left(owner);

		got = ibuf_pool_alloc_upto(owner->pool, out, n);
		CHECK(got <= most);
		did(got < most ? -ENOMEM : 0, 0);
	}
	for (size_t i = 0; i < got; i++)
		open_element(to[i], out[i], owner);
}

void
op_pool_free(struct world *w, const struct operation *op, struct message *a)
{
	struct ibuf_pool *pool = a->at[0].owner->pool;

	(void)op;
	if (pool == NULL) {
		free_message(w, a);
		return;
	}
	say(w, "pool_free(m%u)", slot_of(w, a));
	ibuf_pool_free(pool, a->m);
	message_free(a);
}

void
op_pool_care(struct world *w, const struct operation *op, struct message *a)
{
	struct owner *owner = w->pools[op->x % POOLS];
	size_t n = op->y % 8, most = left(owner);

	(void)a;
	switch (op->how % 3) {
	case 0:
		say(w, "reserve(pool %u, %zu)", op->x % POOLS, n);
		arm(op);
		if (did(ibuf_pool_reserve(owner->pool, n),
			n <= most ? 0 : -ENOBUFS))
			CHECK(ibuf_pool_available(owner->pool) >= n);
		break;
	case 1:
		say(w, "trim(pool %u)", op->x % POOLS);
		ibuf_pool_trim(owner->pool);
		break;
	default:
		say(w, "flush(pool %u)", op->x % POOLS);
		ibuf_pool_flush(owner->pool);
	}
	CHECK_EQUAL(ibuf_pool_allocated(owner->pool), owner->direct);
}
