/* block.c - all the thread caches of one thread: made, freed, and found
   ownerless. */
#define _POSIX_C_SOURCE 200809L
#include "block.h"

#include <errno.h>
#include <string.h>

pthread_mutex_t ibuf_threads_lock_ = PTHREAD_MUTEX_INITIALIZER;
struct ibuf_block *ibuf_blocks_;
__thread struct ibuf_block *ibuf_block_own_ IBUF_TLS_;

/* The next block to look at; NULL: the first.  Under the threads lock. */
static struct ibuf_block *hand;

/* ---- one block --------------------------------------------------------- */

/*
 * Where the system has no robust mutexes this is one like others, and a
 * thread that goes without a word looks alive for ever.
 */
static int
init_alive(pthread_mutex_t *alive)
{
	pthread_mutexattr_t robust;
	int error = pthread_mutexattr_init(&robust);

	if (error != 0)
		return error;
	(void)pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
	error = pthread_mutex_init(alive, &robust);
	pthread_mutexattr_destroy(&robust);
	return error == ENOTSUP ? pthread_mutex_init(alive, NULL) : error;
}

static bool
init_locks(struct ibuf_block *block)
{
	if (init_alive(&block->alive) != 0)
		return false;
	if (pthread_mutex_init(&block->guard, NULL) != 0) {
		pthread_mutex_destroy(&block->alive);
		return false;
	}
	pthread_mutex_lock(&block->alive);
	return true;
}

struct ibuf_block *
ibuf_block_new_(void)
{
	struct ibuf_block *block =
		ibuf_platform_map_(sizeof *block, CACHE_LINE, false);

	if (block == NULL)
		return NULL;
	if (!PAGES_ARE_ZEROED)
		memset(block, 0, sizeof *block);
	if (!init_locks(block)) {
		ibuf_platform_unmap_(block, sizeof *block, false);
		return NULL;
	}
	return block;
}

/* In the child of a fork, its thread may have linked a part a moment before. */
static void
free_parts(struct ibuf_block *block)
{
	struct ibuf_tcaches_ *first;
	size_t i;

	for (i = 1; i < IBUF_TCACHES_PARTS_; i++) {
		first = __atomic_load_n(&block->thread.parts_[i],
					__ATOMIC_RELAXED);
		if (first != NULL)
			ibuf_platform_unmap_(part_of(first),
					     sizeof(struct ibuf_part), false);
	}
}

void
ibuf_block_free_(struct ibuf_block *block)
{
	free_parts(block);
	pthread_mutex_unlock(&block->alive);
	pthread_mutex_destroy(&block->alive);
	pthread_mutex_destroy(&block->guard);
	ibuf_platform_unmap_(block, sizeof *block, false);
}

/* ---- its thread caches ------------------------------------------------- */

struct ibuf_tcaches_ *
ibuf_block_make_(struct ibuf_block *block, uint32_t number)
{
	struct ibuf_part *part =
		ibuf_platform_map_(sizeof *part, CACHE_LINE, false);

	if (part == NULL)
		return NULL;
	part->block = block;
	/* Relaxed: only in the child of a fork does another thread look. */
	__atomic_store_n(&block->thread.parts_[number / IBUF_TCACHES_MAX_],
			 part->tcaches, __ATOMIC_RELAXED);
	return thread_tcaches(&block->thread, number);
}

void
ibuf_block_use_(struct ibuf_block *block, uint32_t number)
{
	size_t *used = &block->used, i = number % IBUF_TCACHES_MAX_;

	if (number >= IBUF_TCACHES_MAX_)
		used = &part_of(thread_tcaches(&block->thread, number) - i)
				->used;
	if (*used <= i)
		*used = i + 1;
}

/* How far behind the start of an array of pairs; beyond it, more than that. */
static size_t
index_in(const struct ibuf_tcaches_ *first, const struct ibuf_tcache_ *tcache)
{
	return ((uintptr_t)tcache - (uintptr_t)first) / sizeof *first;
}

struct ibuf_tcaches_ *
ibuf_block_find_(struct ibuf_block *block, const struct ibuf_tcache_ *tcache)
{
	struct ibuf_tcaches_ *first = block->thread.tcaches_;
	size_t n = index_in(first, tcache), i;

	for (i = 1; n >= IBUF_TCACHES_MAX_ && i < IBUF_TCACHES_PARTS_; i++) {
		if (block->thread.parts_[i] == NULL)
			continue;
		first = block->thread.parts_[i];
		n = index_in(first, tcache);
	}
	return n < IBUF_TCACHES_MAX_ ? &first[n] : NULL;
}

/* ---- whose thread is gone ---------------------------------------------- */

bool
ibuf_block_take_(struct ibuf_block *block)
{
	int error = pthread_mutex_trylock(&block->alive);

	if (error == EOWNERDEAD)
		error = pthread_mutex_consistent(&block->alive);
	return error == 0;
}

void
ibuf_block_let_go_(struct ibuf_block *block)
{
	pthread_mutex_unlock(&block->alive);
}

/* ---- the list of blocks: under the threads lock ------------------------ */

void
ibuf_block_link_(struct ibuf_block *block)
{
	block->next = ibuf_blocks_;
	if (ibuf_blocks_ != NULL)
		ibuf_blocks_->previous = block;
	ibuf_blocks_ = block;
}

void
ibuf_block_unlink_(struct ibuf_block *block)
{
	if (hand == block)
		hand = block->next;
	if (block->previous != NULL)
		block->previous->next = block->next;
	else
		ibuf_blocks_ = block->next;
	if (block->next != NULL)
		block->next->previous = block->previous;
}

/* Each new block has others looked at, so there are never many more of the
   dead than of the living. */
struct ibuf_block *
ibuf_block_take_dead_(void)
{
	struct ibuf_block *block;
	int looks;

	for (looks = 0; looks < 4 && ibuf_blocks_ != NULL; looks++) {
		block = hand != NULL ? hand : ibuf_blocks_;
		hand = block->next;
		if (ibuf_block_take_(block))
			return block;
	}
	return NULL;
}

void
ibuf_block_forked_(void)
{
	struct ibuf_block *own = ibuf_block_own_, *block, *next;

	for (block = ibuf_blocks_; block != NULL; block = next) {
		next = block->next;
		/* Not ibuf_block_free_(): others have its mutexes. */
		if (block == own)
			continue;
		free_parts(block);
		ibuf_platform_unmap_(block, sizeof *block, false);
	}
	hand = NULL;
	ibuf_blocks_ = own;
	if (own != NULL) {
		own->next = NULL;
		own->previous = NULL;
	}
}
