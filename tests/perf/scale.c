/*
 * scale.c - what the memory of a pool costs when there is much of it, one
 * function each, for valgrind to count.
 *
 *   scale NAME N
 *
 * Only measured() is looked at, in which N objects are taken, freed or given
 * back; ./scales divides by N.
 */
#include <ibuf/ibuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ibuf_pool *pool;
static struct ibuf_mbuf **ms;

/* ---- providers -------------------------------------------------------- */

/* Pieces of one page, so that there are nearly as many slabs as mbufs. */
static void *
map_page(size_t size, size_t alignment, void *context)
{
	return size > 4096
		       ? NULL
		       : ibuf_provider_heap()->map(size, alignment, context);
}

static void
unmap_page(void *base, size_t size, void *context)
{
	ibuf_provider_heap()->unmap(base, size, context);
}

static const struct ibuf_provider page_by_page = {map_page, unmap_page, NULL};

static void
make_pool(const struct ibuf_provider *provider, size_t capacity, size_t cache)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;

	options.provider = provider;
	options.capacity = capacity;
	options.cache = cache;
	if (ibuf_pool_create(&pool, &options) != 0)
		abort();
}

/* ---- what is done ------------------------------------------------------ */

static void
take(size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		ms[i] = ibuf_pool_alloc(pool);
		if (ms[i] == NULL)
			abort();
	}
}

static void
shuffle(size_t n)
{
	uint32_t random = 2463534242u;
	size_t i;

	for (i = n; i > 1; i--) {
		struct ibuf_mbuf *other = ms[i - 1];
		size_t j;

		random ^= random << 13;
		random ^= random >> 17;
		random ^= random << 5;
		j = random % i;
		ms[i - 1] = ms[j];
		ms[j] = other;
	}
}

/* Clones of one message, all alive at once. */
static void
clones_begin(size_t n)
{
	(void)n;
	make_pool(NULL, 2048, IBUF_POOL_CACHE_AUTO);
}

static void
clones(size_t n)
{
	struct ibuf_mbuf *of = ibuf_pool_alloc(pool);
	size_t i;

	for (i = 0; i < n; i++) {
		ms[i] = ibuf_mbuf_clone(of);
		if (ms[i] == NULL)
			abort();
	}
	for (i = 0; i < n; i++)
		ibuf_mbuf_free(ms[i]);
	ibuf_mbuf_free(of);
}

/* The pool grows by small slabs. */
static void
slabs_begin(size_t n)
{
	(void)n;
	make_pool(&page_by_page, 2048, 0);
}

/* Checked frees, each of another slab than the one before. */
static void
checked_begin(size_t n)
{
	slabs_begin(n);
	take(n);
	shuffle(n);
}

static void
checked(size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		ibuf_pool_free(pool, ms[i]);
}

/* All that was freed in random order goes back, large slabs and small. */
static void
trim_begin(size_t n)
{
	make_pool(NULL, 64, IBUF_POOL_CACHE_AUTO);
	take(n);
	shuffle(n);
	ibuf_mbuf_free_bulk(ms, n);
}

static void
trim_small_begin(size_t n)
{
	checked_begin(n);
	ibuf_mbuf_free_bulk(ms, n);
}

static void
trim(size_t n)
{
	(void)n;
	if (ibuf_pool_trim(pool) == 0 || ibuf_pool_available(pool) != 0)
		abort();
}

static const struct scale {
	const char *name;
	void (*begin)(size_t n);
	void (*run)(size_t n);
} scales[] = {
	{"clones", clones_begin, clones},       {"slabs", slabs_begin, take},
	{"checked", checked_begin, checked},    {"trim", trim_begin, trim},
	{"trim_small", trim_small_begin, trim},
};

void measured(void (*run)(size_t n), size_t n);

__attribute__((noinline)) void
measured(void (*run)(size_t n), size_t n)
{
	run(n);
}

int
main(int argc, char **argv)
{
	size_t n = argc == 3 ? strtoul(argv[2], NULL, 10) : 0, i;

	for (i = 0; n > 0 && i < sizeof scales / sizeof *scales; i++) {
		if (strcmp(scales[i].name, argv[1]) != 0)
			continue;
		ms = calloc(n, sizeof *ms);
		if (ms == NULL)
			return 1;
		scales[i].begin(n);
		measured(scales[i].run, n);
		return 0;
	}
	fprintf(stderr, "usage: scale NAME N\n");
	return 2;
}
