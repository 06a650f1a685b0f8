/* threads.c - the threads of a process, each with its thread caches. */
#define _POSIX_C_SOURCE 200809L
#include "../message/kept.h"
#include "state.h"

#include <errno.h>

/* What a thread sees that keeps nothing: empty, and full. */
static struct ibuf_thread_ nobodys;

__thread struct ibuf_thread_ *ibuf_pool_thread_ IBUF_TLS_ = &nobodys;
static __thread bool leaving IBUF_TLS_; /* the thread is past our destructor */

static bool prepared; /* under the threads lock; the two below are set then */
static pthread_key_t key;
static bool can_keep; /* a pool that has thread caches can be closed */

/* ---- threads that exit ------------------------------------------------- */

/* Give back what the first n of these thread caches of a block hold. */
static void
give_back_first(struct ibuf_block *block, struct ibuf_tcaches_ *tcaches,
		size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		ibuf_close_drop_tcaches_(block, &tcaches[i]);
}

/* Give back all that the thread caches of a block hold, and the block. */
static void
give_back(struct ibuf_block *block)
{
	struct ibuf_tcaches_ *part;
	size_t i;

	give_back_first(block, block->thread.tcaches_, block->used);
	for (i = 1; i < IBUF_TCACHES_PARTS_; i++) {
		part = block->thread.parts_[i];
		if (part != NULL)
			give_back_first(block, part, part_of(part)->used);
	}
	ibuf_kept_close_(&block->thread);
	pthread_mutex_lock(&ibuf_threads_lock_);
	ibuf_block_unlink_(block);
	pthread_mutex_unlock(&ibuf_threads_lock_);
	ibuf_block_free_(block);
}

/*
 * A thread exits.  Destructors of others may run after ours and free mbufs
 * still; they go past the thread caches.
 */
static void
thread_exits(void *block)
{
	leaving = true;
	ibuf_block_own_ = NULL;
	ibuf_pool_thread_ = &nobodys;
	give_back(block);
	ibuf_close_look_again_();
}

/* ---- threads and pools that begin -------------------------------------- */

__attribute__((cold)) int
ibuf_threads_prepare_(void)
{
	if (prepared)
		return 0;
	if (pthread_key_create(&key, thread_exits) != 0)
		return -ENOMEM;
	if (ibuf_fork_prepare_() != 0) {
		pthread_key_delete(key);
		return -ENOMEM;
	}
	can_keep = ibuf_platform_barrier_prepare_();
	if (can_keep)
		ibuf_close_have_tcaches_();
	ibuf_platform_probe_();
	prepared = true;
	return 0;
}

/* The calling thread's block, made when it has none; NULL: it cannot. */
static struct ibuf_block *
own_block(void)
{
	struct ibuf_block *block, *dead;

	if (ibuf_block_own_ != NULL || leaving)
		return ibuf_block_own_;
	block = ibuf_block_new_();
	if (block == NULL)
		return NULL;
	if (pthread_setspecific(key, block) != 0) {
		ibuf_block_free_(block);
		return NULL;
	}
	pthread_mutex_lock(&ibuf_threads_lock_);
	dead = ibuf_block_take_dead_();
	ibuf_block_link_(block);
	pthread_mutex_unlock(&ibuf_threads_lock_);
	ibuf_block_own_ = block;
	if (dead != NULL)
		give_back(dead);
	ibuf_close_look_again_();
	return block;
}

int
ibuf_threads_register_(struct ibuf_pool *p)
{
	int error;

	ibuf_close_look_again_();
	(void)owner_heap(); /* joins the other copies, under no lock of ours */
	pthread_mutex_lock(&ibuf_threads_lock_);
	error = ibuf_threads_prepare_();
	pthread_mutex_unlock(&ibuf_threads_lock_);
	if (error == 0)
		error = ibuf_owner_register_(&p->owner);
	if (error != 0)
		return error;
	p->holders = 1;
	pthread_mutex_lock(&ibuf_threads_lock_);
	ibuf_pool_list_(p);
	pthread_mutex_unlock(&ibuf_threads_lock_);
	return 0;
}

struct ibuf_tcaches_ *
ibuf_threads_tcaches_(struct ibuf_pool *p)
{
	uint32_t number = p->owner.index;
	struct ibuf_tcaches_ *tcaches;
	struct ibuf_block *block;

	/* The heap, number 0, is never closed. */
	if (!pool_has_tcaches(p) || (!can_keep && number != 0))
		return NULL;
	block = own_block();
	if (block == NULL)
		return NULL;
	/* The linker may have given several copies of the library one such
	   variable; then it shows the one whose pool was used last. */
	if (!ibuf_platform_watched_)
		ibuf_pool_thread_ = &block->thread;
	tcaches = thread_tcaches(&block->thread, number);
	if (tcaches == NULL)
		tcaches = ibuf_block_make_(block, number);
	if (tcaches == NULL)
		return NULL;
	thread_remember(&block->thread, tcaches, number);
	if (tcache_is_open(&tcaches->of_[IBUF_DIRECT_]))
		return tcaches;
	if (__atomic_load_n(&p->closed, __ATOMIC_ACQUIRE) ||
	    !ibuf_pool_add_tcaches_(p, tcaches))
		return NULL;
	ibuf_block_use_(block, number);
	if (number == 0)
		ibuf_kept_open_(&block->thread);
	return tcaches;
}

/* How often a thread goes past its thread caches before it is worth having
   them. */
#define GIVES_PAST 64

struct ibuf_tcaches_ *
ibuf_threads_tcaches_to_give_(struct ibuf_pool *p)
{
	static __thread unsigned past IBUF_TLS_;
	uint32_t number = p->owner.index;
	struct ibuf_tcaches_ *tcaches;

	if (ibuf_block_own_ != NULL) {
		tcaches = thread_tcaches(&ibuf_block_own_->thread, number);
		if (tcaches != NULL &&
		    tcache_is_open(&tcaches->of_[IBUF_DIRECT_])) {
			thread_remember(&ibuf_block_own_->thread, tcaches,
					number);
			return tcaches;
		}
	}
	return ++past % GIVES_PAST != 0 ? NULL : ibuf_threads_tcaches_(p);
}
