/* options.c - what a pool shall be, as the program says it. */
#define _POSIX_C_SOURCE 200809L
#include "state.h"

#include <errno.h>

#define CACHE_MOST 124 /* what CACHE_AUTO gives where there is no max */
#define ALIGNMENT 64   /* what an alignment of 0 means */

/* Where the members are that a caller may or may not know. */
#define MEMBER(name)                                                           \
	{                                                                      \
		offsetof(struct ibuf_pool_options, name),                      \
			sizeof(((struct ibuf_pool_options *)NULL)->name)       \
	}

static const struct {
	size_t offset, size;
} members[] = {
	MEMBER(name),      MEMBER(capacity),     MEMBER(headroom),
	MEMBER(initial),   MEMBER(max),          MEMBER(cache),
	MEMBER(alignment), MEMBER(private_size), MEMBER(flags),
	MEMBER(provider),
};

/*
 * Take over the members that the caller's struct has in full; the rest are
 * the defaults.
 */
static int
take_over(struct ibuf_pool_options *to, const struct ibuf_pool_options *from)
{
	static const struct ibuf_pool_options defaults = IBUF_POOL_OPTIONS_INIT;
	size_t i;

	*to = defaults;
	if (from == NULL)
		return 0;
	if (from->size == 0 || from->size > sizeof *to)
		return -EINVAL;
	for (i = 0; i < sizeof members / sizeof *members; i++)
		if (members[i].offset + members[i].size <= from->size)
			memcpy((char *)to + members[i].offset,
			       (const char *)from + members[i].offset,
			       members[i].size);
	return 0;
}

/* Check and complete the options. */
static int
complete(struct ibuf_pool_options *o)
{
	if ((o->flags & ~(IBUF_POOL_F_WIPE | IBUF_POOL_F_WAIT)) != 0)
		return -EINVAL;
	if (o->alignment == 0)
		o->alignment = ALIGNMENT;
	if ((o->alignment & (o->alignment - 1)) != 0)
		return -EINVAL;
	if (o->max != 0 && o->initial > o->max)
		return -EINVAL;
	if (o->cache == IBUF_POOL_CACHE_AUTO) {
		o->cache = CACHE_MOST;
		if (o->max != 0 && o->max / 8 < o->cache)
			o->cache = o->max / 8;
	}
	if (o->max == 0)
		o->max = SIZE_MAX;
	if (o->cache > o->max)
		o->cache = o->max;
	if (o->name == NULL)
		o->name = "ibuf";
	if (o->provider == NULL)
		o->provider = ibuf_provider_pages();
	if (o->provider->map == NULL || o->provider->unmap == NULL)
		return -EINVAL;
	return 0;
}

int
ibuf_options_get_(const struct ibuf_pool *p, struct ibuf_pool_options *out,
		  size_t out_size)
{
	struct ibuf_pool_options options;

	pool_must_be_open(p);
	options = p->options;
	if (out_size < options.size)
		options.size = out_size;
	memcpy(out, &options, options.size);
	return 0;
}

int
ibuf_options_read_(struct ibuf_pool_options *to,
		   const struct ibuf_pool_options *from)
{
	int error = take_over(to, from);

	return error != 0 ? error : complete(to);
}
