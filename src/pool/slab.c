/*
 * slab.c - slabs come from a provider, and are found by address.
 *
 * The tree is a treap: a search tree by address in which each node has a
 * higher rank than those below it.  The rank is a hash of the address, so the
 * tree has the shape of one that was built in random order, whatever the
 * order was: its depth is O(log slabs), and so is the cost of a search, an
 * insertion and a removal.
 */
#define _POSIX_C_SOURCE 200809L
#include "slab.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* ---- slabs and their provider ---------------------------------------- */

/*
 * A thread that is cancelled while a provider works would leave without the
 * slab, and those who wait for it would wait for ever.
 */
static void *
call_map(const struct ibuf_provider *provider, size_t size, size_t alignment)
{
	void *base;
	int cancel;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	base = provider->map(size, alignment, provider->context);
	pthread_setcancelstate(cancel, &cancel);
	return base;
}

static void
call_unmap(const struct ibuf_provider *provider, void *base, size_t size)
{
	int cancel;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	provider->unmap(base, size, provider->context);
	pthread_setcancelstate(cancel, &cancel);
}

/* What is tried when n objects are refused. */
static size_t
fewer(size_t n, size_t needed)
{
	return n > needed && n / 2 < needed ? needed : n / 2;
}

static bool
is_usable(const struct ibuf_slab *slab, size_t alignment)
{
	return slab_start(slab) % alignment == 0 &&
	       slab_start(slab) <= UINTPTR_MAX - slab->size;
}

int
ibuf_slab_map_(struct ibuf_slab **slab, const struct ibuf_slab_kind *kind,
	       size_t n, size_t needed, const struct ibuf_provider *provider)
{
	struct ibuf_slab *made = calloc(1, sizeof *made);

	if (made == NULL)
		return -ENOMEM;
	if (n > PTRDIFF_MAX / kind->stride)
		n = PTRDIFF_MAX / kind->stride;
	for (; n != 0; n = fewer(n, needed)) {
		made->size = n * kind->stride;
		made->base = call_map(provider, made->size, kind->alignment);
		if (made->base != NULL)
			break;
	}
	made->objects = n;
	if (n != 0 && is_usable(made, kind->alignment)) {
		*slab = made;
		return 0;
	}
	if (n != 0)
		call_unmap(provider, made->base, made->size);
	free(made);
	return n == 0 ? -ENOMEM : -EINVAL;
}

void
ibuf_slab_forget_(struct ibuf_slab *slab)
{
	free(slab);
}

void
ibuf_slab_unmap_(struct ibuf_slab *slab, const struct ibuf_provider *provider)
{
	call_unmap(provider, slab->base, slab->size);
	free(slab);
}

/* ---- the tree ------------------------------------------------------- */

/* The finalizer of MurmurHash3: every bit of the address counts. */
static uint64_t
rank(const struct ibuf_slab *slab)
{
	uint64_t x = slab_start(slab);

	x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
	x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

/* The child of a node on the side of another one's address. */
static struct ibuf_slab **
towards(struct ibuf_slab *node, const struct ibuf_slab *other)
{
	return &node->child[slab_start(other) > slab_start(node)];
}

void
ibuf_slab_insert_(struct ibuf_slab **link, struct ibuf_slab *slab)
{
	struct ibuf_slab **lower = &slab->child[0], **higher = &slab->child[1];
	struct ibuf_slab *rest;

	while (*link != NULL && rank(*link) > rank(slab))
		link = towards(*link, slab);
	/* What stands here is parted by the address of the slab. */
	rest = *link;
	*link = slab;
	while (rest != NULL) {
		if (slab_start(rest) < slab_start(slab)) {
			*lower = rest;
			lower = &rest->child[1];
			rest = *lower;
		} else {
			*higher = rest;
			higher = &rest->child[0];
			rest = *higher;
		}
	}
	*lower = NULL;
	*higher = NULL;
}

void
ibuf_slab_remove_(struct ibuf_slab **link, const struct ibuf_slab *slab)
{
	struct ibuf_slab *lower = slab->child[0], *higher = slab->child[1];

	while (*link != slab)
		link = towards(*link, slab);
	while (lower != NULL && higher != NULL) {
		if (rank(lower) > rank(higher)) {
			*link = lower;
			link = &lower->child[1];
			lower = *link;
		} else {
			*link = higher;
			link = &higher->child[0];
			higher = *link;
		}
	}
	*link = lower != NULL ? lower : higher;
}

struct ibuf_slab *
ibuf_slab_floor_(struct ibuf_slab *root, uintptr_t address)
{
	struct ibuf_slab *best = NULL;

	while (root != NULL) {
		if (slab_start(root) <= address) {
			best = root;
			root = root->child[1];
		} else {
			root = root->child[0];
		}
	}
	return best;
}
