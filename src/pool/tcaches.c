/* tcaches.c - the thread caches of one pool: linked, made, emptied. */
#define _POSIX_C_SOURCE 200809L
#include "state.h"

/* ---- the list of a pool: under its lock -------------------------------- */

/* On by the link of the indirect one, back by that of the direct one. */
static void
set_links(struct ibuf_tcaches_ *t, struct ibuf_tcaches_ *previous,
	  struct ibuf_tcaches_ *next)
{
	t->of_[IBUF_DIRECT_].link_ = previous;
	t->of_[IBUF_INDIRECT_].link_ = next;
}

static void
link_tcaches(struct ibuf_pool *p, struct ibuf_tcaches_ *tcaches)
{
	set_links(tcaches, NULL, p->tcaches);
	if (p->tcaches != NULL)
		p->tcaches->of_[IBUF_DIRECT_].link_ = tcaches;
	p->tcaches = tcaches;
}

void
ibuf_pool_unlink_(struct ibuf_pool *p, const struct ibuf_tcaches_ *tcaches)
{
	struct ibuf_tcaches_ *next = tcaches_next(tcaches);
	struct ibuf_tcaches_ *previous = tcaches->of_[IBUF_DIRECT_].link_;

	if (previous != NULL)
		previous->of_[IBUF_INDIRECT_].link_ = next;
	else
		p->tcaches = next;
	if (next != NULL)
		next->of_[IBUF_DIRECT_].link_ = previous;
}

void
ibuf_pool_link_only_(struct ibuf_pool *p, struct ibuf_tcaches_ *own)
{
	p->tcaches = own;
	if (own != NULL)
		set_links(own, NULL, NULL);
}

/* ---- pairs of thread caches come and go -------------------------------- */

static bool
set_up(struct ibuf_pool *p, struct ibuf_tcaches_ *tcaches)
{
	struct ibuf_tcache_ *direct = &tcaches->of_[IBUF_DIRECT_];

	if (!ibuf_tcache_set_up_(direct, &p->store[IBUF_DIRECT_]))
		return false;
	if (ibuf_tcache_set_up_(&tcaches->of_[IBUF_INDIRECT_],
				&p->store[IBUF_INDIRECT_]))
		return true;
	ibuf_tcache_retire_(direct);
	return false;
}

bool
ibuf_pool_add_tcaches_(struct ibuf_pool *p, struct ibuf_tcaches_ *tcaches)
{
	bool good;

	pthread_mutex_lock(&p->lock);
	/* It may have been closed since the caller looked. */
	good = !p->closed && !pool_recalls(p) && set_up(p, tcaches);
	if (good) {
		if (p->biased)
			bias_let(bias_of(tcaches, p->owner.index));
		link_tcaches(p, tcaches);
		ibuf_tcache_open_(&tcaches->of_[IBUF_DIRECT_]);
		ibuf_tcache_open_(&tcaches->of_[IBUF_INDIRECT_]);
	}
	pthread_mutex_unlock(&p->lock);
	return good;
}

/* Only to clear them is the guard needed. */
void
ibuf_pool_clear_(struct ibuf_pool *p, struct ibuf_tcaches_ *tcaches,
		 void (*clear)(struct ibuf_tcache_ *tcache))
{
	struct ibuf_block *block = block_of(tcaches, p->owner.index);

	pthread_mutex_lock(&block->guard);
	clear(&tcaches->of_[IBUF_DIRECT_]);
	clear(&tcaches->of_[IBUF_INDIRECT_]);
	pthread_mutex_unlock(&block->guard);
}

/* ---- emptied ----------------------------------------------------------- */

size_t
ibuf_pool_empty_(struct ibuf_tcaches_ *tcaches, size_t n)
{
	size_t emptied;

	if (tcaches == NULL)
		return 0;
	emptied = ibuf_tcache_empty_(&tcaches->of_[IBUF_DIRECT_], n);
	return emptied +
	       ibuf_tcache_empty_(&tcaches->of_[IBUF_INDIRECT_], n - emptied);
}

void
ibuf_pool_flush_(struct ibuf_pool *p)
{
	size_t emptied;

	do {
		pthread_mutex_lock(&p->lock);
		emptied = ibuf_pool_empty_(own_tcaches(p), STEP);
		pthread_mutex_unlock(&p->lock);
	} while (emptied == STEP);
}
