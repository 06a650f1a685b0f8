/* rows_pool.c - the functions of pools, queues, providers and the version. */
#include "world.h"

#include <poll.h>

#define CALL(name) static int name(struct world *w)

/* ---- the version, and providers ------------------------------------- */

CALL(version_number)
{
	(void)w;
	hold(ibuf_version_number() == IBUF_VERSION);
	return 0;
}

CALL(version_string)
{
	(void)w;
	hold(*ibuf_version_string() != '\0');
	return 0;
}

static int
provide(const struct ibuf_provider *provider)
{
	void *piece = provider->map(100000, 64, provider->context);

	if (piece == NULL)
		return -ENOMEM;
	hold((uintptr_t)piece % 64 == 0);
	memset(piece, 1, 100000);
	provider->unmap(piece, 100000, provider->context);
	return 0;
}

CALL(heap)
{
	(void)w;
	return provide(ibuf_provider_heap());
}

CALL(pages)
{
	(void)w;
	return provide(ibuf_provider_pages());
}

CALL(huge)
{
	(void)w;
	return provide(ibuf_provider_huge());
}

CALL(made_provider)
{
	struct ibuf_provider provider;
	int error = ibuf_provider_make(
		&provider, IBUF_PROVIDER_F_LOCKED | IBUF_PROVIDER_F_GUARDED,
		IBUF_PROVIDER_NODE_LOCAL);

	(void)w;
	if (error != 0)
		return error == -ENOTSUP ? 0 : error; /* plain POSIX */
	return provide(&provider);
}

static _Alignas(64) unsigned char memory[200000];

CALL(arena)
{
	(void)w;
	return provide(ibuf_provider_arena(memory, sizeof(memory)));
}

CALL(area_make)
{
	struct ibuf_provider_area area;

	(void)w;
	ibuf_provider_area_make(&area, memory, sizeof(memory));
	return provide(&area.provider);
}

CALL(memfd)
{
	struct ibuf_provider_area area;
	int error = ibuf_provider_memfd(&area, "faults", 200000);

	(void)w;
	if (error != 0)
		return error == -ENOTSUP ? 0 : error;
	error = provide(&area.provider);
	hold(ibuf_provider_area_close(&area) == 0);
	return error;
}

/* ---- the life of a pool --------------------------------------------- */

CALL(pool_new)
{
	w->made = ibuf_pool_new(4, 3000);
	return error_of(w->made);
}

/* A pool of each kind, of which the last is kept. */
CALL(pool_create)
{
	static const unsigned kinds[] = {0, IBUF_POOL_F_WIPE, IBUF_POOL_F_WAIT};
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *made = NULL;
	int error = 0;

	options.initial = 2000; /* more than a small slab holds */
	options.private_size = 8;
	for (size_t i = 0; i < COUNT(kinds) && error == 0; i++) {
		hold(ibuf_pool_destroy(made) == 0);
		made = NULL;
		options.flags = kinds[i];
		error = ibuf_pool_create(&made, &options);
		hold(error == 0 || made == NULL);
	}
	w->made = made;
	return error;
}

CALL(pool_destroy)
{
	hold(ibuf_pool_destroy(w->pool) == (w->m != NULL));
	w->pool = NULL;
	return 0;
}

/* ---- allocating ------------------------------------------------------ */

CALL(pool_alloc)
{
	w->result = ibuf_pool_alloc(w->pool);
	if (w->result != NULL)
		hold(ibuf_mbuf_validate(w->result) == 0);
	return error_of(w->result);
}

CALL(pool_alloc_wait)
{
	const struct timespec now = {0, 0};
	struct ibuf_pool_options options;

	hold(ibuf_pool_get_options(w->pool, &options, sizeof(options)) == 0);
	w->result = ibuf_pool_alloc_wait(w->pool, &now);
	if ((options.flags & IBUF_POOL_F_WAIT) == 0) {
		hold(w->result == NULL);
		return 0;
	}
	return error_of(w->result);
}

CALL(pool_alloc_bulk)
{
	return ibuf_pool_alloc_bulk(w->pool, w->results, 4);
}

CALL(pool_alloc_upto)
{
	size_t n = ibuf_pool_alloc_upto(w->pool, w->results, 4);

	for (size_t i = n; i < 4; i++)
		hold(w->results[i] == NULL);
	if (n == 4)
		return 0;
	ibuf_mbuf_free_bulk(w->results, n); /* fewer is no failure */
	memset(w->results, 0, sizeof(w->results));
	return -ENOMEM;
}

CALL(pool_free)
{
	ibuf_pool_free(w->pool, w->m);
	w->m = NULL;
	return 0;
}

CALL(pool_reserve)
{
	struct ibuf_pool_stats before, after;
	int error;

	ibuf_pool_get_stats(w->pool, &before, sizeof(before));
	error = ibuf_pool_reserve(
		w->pool, before.available == 0 ? 5000 : before.available);
	ibuf_pool_get_stats(w->pool, &after, sizeof(after));
	hold(error == 0 || after.mapped_bytes == before.mapped_bytes);
	return error;
}

CALL(pool_trim)
{
	(void)ibuf_pool_trim(w->pool);
	return 0;
}

CALL(pool_flush)
{
	ibuf_pool_flush(w->pool);
	return 0;
}

/* ---- looking ---------------------------------------------------------- */

CALL(pool_get_stats)
{
	struct ibuf_pool_stats stats;

	hold(ibuf_pool_get_stats(w->pool, &stats, sizeof(stats)) == 0);
	hold(ibuf_pool_get_stats(NULL, &stats, sizeof(stats)) == 0);
	return 0;
}

CALL(pool_get_options)
{
	struct ibuf_pool_options options;

	hold(ibuf_pool_get_options(w->pool, &options, sizeof(options)) == 0);
	hold(options.capacity == 64);
	return 0;
}

CALL(pool_name)
{
	hold(strcmp(ibuf_pool_name(w->pool), "ibuf") == 0);
	return 0;
}

CALL(pool_allocated)
{
	hold(ibuf_pool_allocated(w->pool) == (w->m != NULL));
	return 0;
}

CALL(pool_available)
{
	(void)ibuf_pool_available(w->pool);
	return 0;
}

static void
count(const struct ibuf_mbuf *m, void *arg)
{
	(void)m;
	++*(size_t *)arg;
}

CALL(pool_walk)
{
	size_t n = 0;

	hold(ibuf_pool_walk(w->pool, count, &n) == n);
	hold(n >= (size_t)(w->m != NULL));
	return 0;
}

/* ---- queues ------------------------------------------------------------ */

CALL(queue_create)
{
	int error = ibuf_queue_create(&w->queue, 8, 0);

	hold(error == 0 || w->queue == NULL);
	return error;
}

/* As often as there are worlds without room for it: 3 more fit. */
CALL(queue_push)
{
	hold(ibuf_queue_push(w->queue, w->m) == 0);
	w->m = NULL;
	return 0;
}

CALL(queue_push_bulk)
{
	hold(ibuf_queue_push_bulk(w->queue, &w->m, 1) == 1);
	w->m = NULL;
	return 0;
}

CALL(queue_push_wait)
{
	hold(ibuf_queue_push_wait(w->queue, w->m, NULL) == 0);
	w->m = NULL;
	return 0;
}

CALL(queue_pop)
{
	w->result = ibuf_queue_pop(w->queue);
	hold(w->result != NULL);
	hold(ibuf_queue_pop(w->queue) == NULL); /* which arms a descriptor */
	return 0;
}

CALL(queue_pop_bulk)
{
	hold(ibuf_queue_pop_bulk(w->queue, w->results, 4) == 1);
	return 0;
}

CALL(queue_pop_wait)
{
	const struct timespec now = {0, 0};
	struct ibuf_mbuf *none = NULL;

	hold(ibuf_queue_pop_wait(w->queue, &w->result, NULL) == 0);
	hold(ibuf_queue_pop_wait(w->queue, &none, &now) == -ETIMEDOUT);
	return 0;
}

CALL(queue_fd)
{
	int fd = ibuf_queue_fd(w->queue);
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	if (fd < 0)
		return fd;
	hold(ibuf_queue_fd(w->queue) == fd);
	/* What is inside is told of, whatever failed. */
	hold(poll(&poll_fd, 1, 0) == 1);
	return 0;
}

CALL(queue_close)
{
	ibuf_queue_close(w->queue);
	hold(ibuf_queue_push(w->queue, w->m) == -EPIPE);
	return 0;
}

CALL(queue_len)
{
	hold(ibuf_queue_len(w->queue) == 1);
	return 0;
}

CALL(queue_destroy)
{
	ibuf_queue_destroy(w->queue);
	w->queue = NULL;
	return 0;
}

const struct row rows_pool[] = {
	{"ibuf_version_number", NOTHING, version_number, NULL},
	{"ibuf_version_string", NOTHING, version_string, NULL},
	{"ibuf_provider_heap", NOTHING, heap, NULL},
	{"ibuf_provider_pages", NOTHING, pages, NULL},
	{"ibuf_provider_huge", NOTHING, huge, NULL},
	{"ibuf_provider_make", NOTHING, made_provider, NULL},
	{"ibuf_provider_arena", NOTHING, arena, NULL},
	{"ibuf_provider_area_make", NOTHING, area_make, NULL},
	{"ibuf_provider_memfd", NOTHING, memfd, NULL},
	{"ibuf_provider_area_close", NOTHING, memfd, NULL},
	{"ibuf_pool_new", NOTHING, pool_new, NULL},
	{"ibuf_pool_create", NOTHING, pool_create, NULL},
	{"ibuf_pool_destroy", POOL, pool_destroy, NULL},
	{"ibuf_pool_alloc", POOL, pool_alloc, NULL},
	{"ibuf_pool_alloc_wait", POOL, pool_alloc_wait, NULL},
	{"ibuf_pool_alloc_bulk", POOL, pool_alloc_bulk, NULL},
	{"ibuf_pool_alloc_upto", POOL, pool_alloc_upto, NULL},
	{"ibuf_pool_free", POOL, pool_free, NULL},
	{"ibuf_pool_reserve", POOL, pool_reserve, NULL},
	{"ibuf_pool_trim", POOL, pool_trim, NULL},
	{"ibuf_pool_flush", POOL, pool_flush, NULL},
	{"ibuf_pool_get_stats", POOL, pool_get_stats, NULL},
	{"ibuf_pool_get_options", POOL, pool_get_options, NULL},
	{"ibuf_pool_name", POOL, pool_name, NULL},
	{"ibuf_pool_allocated", POOL, pool_allocated, NULL},
	{"ibuf_pool_available", POOL, pool_available, NULL},
	{"ibuf_pool_walk", POOL, pool_walk, NULL},
	{"ibuf_queue_create", NOTHING, queue_create, NULL},
	{"ibuf_queue_push", QUEUE, queue_push, NULL},
	{"ibuf_queue_push_bulk", QUEUE, queue_push_bulk, NULL},
	{"ibuf_queue_push_wait", QUEUE, queue_push_wait, NULL},
	{"ibuf_queue_pop", QUEUE, queue_pop, TEXT},
	{"ibuf_queue_pop_bulk", QUEUE, queue_pop_bulk, TEXT},
	{"ibuf_queue_pop_wait", QUEUE, queue_pop_wait, TEXT},
	{"ibuf_queue_fd", QUEUE, queue_fd, TEXT},
	{"ibuf_queue_close", QUEUE, queue_close, TEXT},
	{"ibuf_queue_len", QUEUE, queue_len, TEXT},
	{"ibuf_queue_destroy", QUEUE, queue_destroy, TEXT},
	{"ibuf_pool_alloc_any_", INSIDE, NULL, "ibuf_pool_alloc"},
	{"ibuf_pool_late_", INSIDE, NULL, "ibuf_pool_alloc"},
	{"ibuf_pool_thread_", INSIDE, NULL, "ibuf_pool_alloc"},
	{NULL, NOTHING, NULL, NULL},
};
