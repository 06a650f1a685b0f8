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

/* ---- slabs and their provider ------------------------------------------ */

/* Rare, and in every program: small is better than fast. */
#define RARE __attribute__((cold))

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

const struct ibuf_slab_records *ibuf_slab_records_;

/* Pairs with the store of who made the first area: either before this pool, or
   it does not matter. */
static const struct ibuf_slab_records *
records(void)
{
	return __atomic_load_n(&ibuf_slab_records_, __ATOMIC_ACQUIRE);
}

static struct ibuf_slab *
record(const struct ibuf_provider *provider)
{
	const struct ibuf_slab_records *by = records();

	return by != NULL ? by->make(provider)
			  : calloc(1, sizeof(struct ibuf_slab));
}

RARE void
ibuf_slab_forget_(struct ibuf_slab *slab, const struct ibuf_provider *provider)
{
	const struct ibuf_slab_records *by = records();

	if (by != NULL)
		by->drop(slab, provider);
	else
		free(slab);
}

/* What is tried when n headers are refused. */
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

RARE int
ibuf_slab_map_(struct ibuf_slab **slab, const struct ibuf_slab_shape *shape,
	       size_t n, size_t needed, const struct ibuf_provider *provider)
{
	struct ibuf_slab *made = record(provider);

	if (made == NULL)
		return -ENOMEM;
	if (n > PTRDIFF_MAX / shape->stride)
		n = PTRDIFF_MAX / shape->stride;
	for (; n != 0; n = fewer(n, needed)) {
		made->size = n * shape->stride;
		made->base = call_map(provider, made->size, shape->alignment);
		if (made->base != NULL)
			break;
	}
	made->headers = n;
	if (n != 0 && is_usable(made, shape->alignment)) {
		*slab = made;
		return 0;
	}
	if (n != 0)
		call_unmap(provider, made->base, made->size);
	ibuf_slab_forget_(made, provider);
	return n == 0 ? -ENOMEM : -EINVAL;
}

RARE void
ibuf_slab_unmap_(struct ibuf_slab *slab, const struct ibuf_provider *provider)
{
	call_unmap(provider, slab->base, slab->size);
	ibuf_slab_forget_(slab, provider);
}

/* ---- the tree ---------------------------------------------------------- */

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

/* ---- a set of slabs ---------------------------------------------------- */

/* The slab an address lies in; NULL: none. */
static struct ibuf_slab *
slab_of(const struct ibuf_slabs *slabs, const void *address)
{
	struct ibuf_slab *slab =
		ibuf_slab_floor_(slabs->root, (uintptr_t)address);

	return slab != NULL && slab_covers(slab, (uintptr_t)address) ? slab
								     : NULL;
}

/* ---- open slabs: idle ones stand behind the others --------------------- */

static bool
is_idle(const struct ibuf_slab *slab)
{
	return slab->n_free == slab->carved;
}

static bool
is_open(const struct ibuf_slab *slab)
{
	return slab->n_free != 0 || slab->carved < slab->headers;
}

static void
open_slab(struct ibuf_slabs *slabs, struct ibuf_slab *slab)
{
	bool last = is_idle(slab);

	slab->previous = last ? slabs->last_open : NULL;
	slab->next = last ? NULL : slabs->first_open;
	*(slab->previous != NULL ? &slab->previous->next : &slabs->first_open) =
		slab;
	*(slab->next != NULL ? &slab->next->previous : &slabs->last_open) =
		slab;
}

static void
close_slab(struct ibuf_slabs *slabs, struct ibuf_slab *slab)
{
	*(slab->previous != NULL ? &slab->previous->next : &slabs->first_open) =
		slab->next;
	*(slab->next != NULL ? &slab->next->previous : &slabs->last_open) =
		slab->previous;
}

/* ---- slabs come and go ------------------------------------------------- */

bool
ibuf_slabs_overlaps_(const struct ibuf_slabs *slabs,
		     const struct ibuf_slab *slab)
{
	const struct ibuf_slab *other = ibuf_slab_floor_(
		slabs->root, slab_start(slab) + slab->size - 1);

	return other != NULL && (slab_start(other) >= slab_start(slab) ||
				 slab_covers(other, slab_start(slab)));
}

void
ibuf_slabs_add_(struct ibuf_slabs *slabs, struct ibuf_slab *slab)
{
	ibuf_slab_insert_(&slabs->root, slab);
	open_slab(slabs, slab);
	slabs->capacity += slab->headers;
	slabs->bytes += slab->size;
}

static void
take_out(struct ibuf_slabs *slabs, struct ibuf_slab *slab)
{
	if (is_open(slab))
		close_slab(slabs, slab);
	ibuf_slab_remove_(&slabs->root, slab);
	slabs->capacity -= slab->headers;
	slabs->bytes -= slab->size;
	slabs->carved -= slab->carved;
	slabs->n_sorted -= slab->n_free;
}

struct ibuf_slab *
ibuf_slabs_take_idle_(struct ibuf_slabs *slabs)
{
	struct ibuf_slab *slab = slabs->last_open;

	if (slab == NULL || !is_idle(slab))
		return NULL;
	take_out(slabs, slab);
	return slab;
}

struct ibuf_slab *
ibuf_slabs_take_any_(struct ibuf_slabs *slabs)
{
	struct ibuf_slab *slab = slabs->root;

	if (slab != NULL)
		take_out(slabs, slab);
	return slab;
}

/* ---- headers come and go ----------------------------------------------- */

struct ibuf_mbuf *
ibuf_slabs_unlist_(struct ibuf_slabs *slabs)
{
	struct ibuf_mbuf *m = slabs->listed;

	if (m == NULL)
		return NULL;
	slabs->listed = m->next_;
	slabs->n_listed--;
	return m;
}

static struct ibuf_mbuf *
carve(struct ibuf_slabs *slabs, struct ibuf_slab *slab)
{
	uint8_t *at = slab->base + slab->carved * slabs->shape.stride;

	slab->carved++;
	slabs->carved++;
	return (struct ibuf_mbuf *)(void *)at;
}

static struct ibuf_mbuf *
unsort(struct ibuf_slabs *slabs, struct ibuf_slab *slab)
{
	struct ibuf_mbuf *m = slab->free;

	slab->free = m->next_;
	slab->n_free--;
	slabs->n_sorted--;
	return m;
}

struct ibuf_mbuf *
ibuf_slabs_take_(struct ibuf_slabs *slabs, bool *fresh)
{
	struct ibuf_slab *slab = slabs->first_open;
	struct ibuf_mbuf *m = ibuf_slabs_unlist_(slabs);

	*fresh = false;
	if (m != NULL || slab == NULL)
		return m;
	*fresh = slab->n_free == 0;
	m = *fresh ? carve(slabs, slab) : unsort(slabs, slab);
	if (!is_open(slab))
		close_slab(slabs, slab);
	return m;
}

void
ibuf_slabs_give_(struct ibuf_slabs *slabs, struct ibuf_mbuf *m)
{
	m->next_ = slabs->listed;
	slabs->listed = m;
	slabs->n_listed++;
}

void
ibuf_slabs_sort_(struct ibuf_slabs *slabs, struct ibuf_mbuf *m,
		 struct ibuf_slab **recent)
{
	struct ibuf_slab *slab = *recent;
	bool was_open;

	if (slab == NULL || !slab_covers(slab, (uintptr_t)m))
		*recent = slab = slab_of(slabs, m);
	was_open = is_open(slab);
	m->next_ = slab->free;
	slab->free = m;
	slab->n_free++;
	slabs->n_sorted++;
	if (was_open && !is_idle(slab))
		return;
	if (was_open)
		close_slab(slabs, slab);
	open_slab(slabs, slab);
}

bool
ibuf_slabs_has_(const struct ibuf_slabs *slabs, const void *address,
		uintptr_t *from, uintptr_t *to)
{
	const struct ibuf_slab *slab = slab_of(slabs, address);
	size_t off;

	if (slab == NULL)
		return false;
	*from = slab_start(slab);
	*to = *from + slab->size;
	off = (uintptr_t)address - *from;
	return off % slabs->shape.stride == 0 &&
	       off / slabs->shape.stride < slab->carved;
}

/* As deep as the tree, which is O(log slabs). */
static void
visit_tree(const struct ibuf_slab *slab, size_t stride,
	   void (*visit)(struct ibuf_mbuf *m, void *arg), void *arg)
{
	size_t i;

	if (slab == NULL)
		return;
	visit_tree(slab->child[0], stride, visit, arg);
	for (i = 0; i < slab->carved; i++)
		visit((struct ibuf_mbuf *)(void *)(slab->base + i * stride),
		      arg);
	visit_tree(slab->child[1], stride, visit, arg);
}

void
ibuf_slabs_visit_(const struct ibuf_slabs *slabs,
		  void (*visit)(struct ibuf_mbuf *m, void *arg), void *arg)
{
	visit_tree(slabs->root, slabs->shape.stride, visit, arg);
}
