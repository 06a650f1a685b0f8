/*
 * kinds.c - providers of pages that are huge, locked, guarded, or of a node.
 *
 * What a provider has to know fits into the pointer that is its context:
 *
 *   flags + (node + NODE_BIAS) * NODE_UNIT
 */
#define _POSIX_C_SOURCE 200809L
#include "../library.h"

#include <ibuf/provider.h>

#include "../platform/memory.h"
#include "../platform/platform.h"
#include <errno.h>

#define ALL_FLAGS                                                              \
	(IBUF_PROVIDER_F_HUGE | IBUF_PROVIDER_F_LOCKED |                       \
	 IBUF_PROVIDER_F_GUARDED)
#define NODE_BIAS 3 /* the lowest is NODE_ALL, -3 */
#define NODE_UNIT 8 /* above all flags */

#if IBUF_PROVIDER_NODE_ANY != NODE_ANY ||                                      \
	IBUF_PROVIDER_NODE_LOCAL != NODE_LOCAL ||                              \
	IBUF_PROVIDER_NODE_ALL != NODE_ALL
#error "the platform has other numbers"
#endif

static void *
context_of(unsigned flags, int node)
{
	return (void *)(uintptr_t)(flags +
				   (unsigned)(node + NODE_BIAS) * NODE_UNIT);
}

static struct memory_kind
kind_of(const void *context)
{
	unsigned word = (unsigned)(uintptr_t)context;
	struct memory_kind kind = {
		.locked = (word & IBUF_PROVIDER_F_LOCKED) != 0,
		.guarded = (word & IBUF_PROVIDER_F_GUARDED) != 0,
		.node = (int)(word / NODE_UNIT) - NODE_BIAS,
	};

	return kind;
}

static void *
kind_map(size_t size, size_t alignment, void *context)
{
	struct memory_kind kind = kind_of(context);

	return ibuf_memory_map_(size, alignment, &kind);
}

static void
kind_unmap(void *base, size_t size, void *context)
{
	struct memory_kind kind = kind_of(context);

	ibuf_memory_unmap_(base, size, &kind);
}

/* ---- huge -------------------------------------------------------------- */

/*
 * Huge pages, or ordinary ones where there are none.  Which of them a slab
 * has must be known when it is unmapped, since the two round its size up to
 * different units: a note in front of it says so.
 */
struct huge_note {
	bool huge;
	size_t front;
};

/* Is it for want of huge pages that there are none?  Say so, once. */
static void
say_that_none_are_huge(void)
{
	static uint32_t said;
	void *probe;

	if (load_relaxed_u32(&said) != 0)
		return;
	probe = ibuf_platform_map_(1 << 21, CACHE_LINE, true);
	if (probe != NULL)
		ibuf_platform_unmap_(probe, 1 << 21, true);
	else if (fetch_add_relaxed_u32(&said, 1) == 0)
		ibuf_memory_say_("ibuf: the system has no huge pages free "
				 "(vm.nr_hugepages): ordinary ones are used\n");
}

static uint8_t *
map_either(size_t size, size_t alignment, const struct memory_kind *kind,
	   bool *huge)
{
	uint8_t *base = ibuf_platform_map_(size, alignment, true);

	*huge = true;
	if (base != NULL && ibuf_memory_settle_(base, size, true, kind))
		return base;
	if (base != NULL)
		ibuf_platform_unmap_(base, size, true);
	*huge = false;
	base = ibuf_memory_map_(size, alignment, kind);
	if (base != NULL)
		say_that_none_are_huge();
	return base;
}

static void *
huge_map(size_t size, size_t alignment, void *context)
{
	struct memory_kind kind = kind_of(context);
	size_t front = alignment < sizeof(struct huge_note)
			       ? sizeof(struct huge_note)
			       : alignment;
	struct huge_note *note;
	uint8_t *base;
	bool huge;

	if (size > PTRDIFF_MAX - front)
		return NULL;
	base = map_either(size + front, alignment, &kind, &huge);
	if (base == NULL)
		return NULL;
	note = (struct huge_note *)(void *)(base + front) - 1;
	note->huge = huge;
	note->front = front;
	return base + front;
}

static void
huge_unmap(void *base, size_t size, void *context)
{
	const struct huge_note *note = (struct huge_note *)base - 1;
	size_t front = note->front;

	(void)context;
	ibuf_platform_unmap_((uint8_t *)base - front, size + front, note->huge);
}

/* ---- public ------------------------------------------------------------ */

const struct ibuf_provider *
ibuf_provider_huge(void)
{
	/* As ibuf_provider_make() makes it: IBUF_PROVIDER_NODE_ANY. */
	static const struct ibuf_provider huge = {
		huge_map, huge_unmap,
		(void *)(uintptr_t)(IBUF_PROVIDER_F_HUGE +
				    (unsigned)(NODE_ANY + NODE_BIAS) *
					    NODE_UNIT)};

	return &huge;
}

int
ibuf_provider_make(struct ibuf_provider *provider, unsigned flags, int node)
{
	bool huge = (flags & IBUF_PROVIDER_F_HUGE) != 0;
	struct memory_kind kind;
	int error;

	if ((flags & ~ALL_FLAGS) != 0 || node < NODE_ALL)
		return -EINVAL;
	if (huge && (flags & IBUF_PROVIDER_F_GUARDED) != 0)
		return -EINVAL;
	if (node > NODE_MOST)
		return -ENODEV;
	kind = kind_of(context_of(flags, node));
	error = ibuf_memory_check_(&kind);
	if (error != 0)
		return error;
	provider->map = huge ? huge_map : kind_map;
	provider->unmap = huge ? huge_unmap : kind_unmap;
	provider->context = context_of(flags, node);
	return 0;
}
