/* debug.c - IBUF_DEBUG is read, and pools are watched. */
#define _POSIX_C_SOURCE 200809L
#include "debug.h"

#include "state.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the words ---------------------------------------------------------- */

/* Each so many-th allocation is recorded; 0: none is. */
static unsigned leaks;

/* By a pointer, or every program with the archive had all of it. */
static void (*at_end)(const struct ibuf_pool *p, unsigned each);

static void
warn(const char *word, size_t n)
{
	(void)dprintf(STDERR_FILENO,
		      "ibuf: IBUF_DEBUG has an unknown word: %.*s\n",
		      (int)(n < 64 ? n : 64), word);
}

/* Is it this word, perhaps with a number behind it?  That is 1 or more. */
static bool
is_word(const char *at, size_t n, const char *word, unsigned *number)
{
	size_t length = strlen(word);
	char digits[12], *end;
	unsigned long value;

	if (n < length || memcmp(at, word, length) != 0)
		return false;
	if (n == length) {
		*number = 1;
		return true;
	}
	n -= length + 1;
	if (at[length] != '=' || n == 0 || n >= sizeof digits ||
	    at[length + 1] < '0' || at[length + 1] > '9')
		return false;
	memcpy(digits, at + length + 1, n);
	digits[n] = '\0';
	value = strtoul(digits, &end, 10);
	if (*end != '\0' || value == 0 || value > UINT32_MAX)
		return false;
	*number = (unsigned)value;
	return true;
}

static void
read_words(const char *at)
{
	size_t n;

	for (;;) {
		n = strcspn(at, ",");
		if (n != 0 && !is_word(at, n, "leaks", &leaks))
			warn(at, n);
		if (at[n] == '\0')
			return;
		at += n + 1;
	}
}

static void
prepare(void)
{
	/* NOLINTNEXTLINE: who sets it meanwhile has it read or not */
	const char *words = getenv("IBUF_DEBUG");

	if (words == NULL)
		return;
	read_words(words);
	if (leaks == 0)
		return;
	if (ibuf_record_prepare_())
		at_end = ibuf_record_report_;
	else
		leaks = 0;
}

/* After all that the program registered to be called at its end. */
__attribute__((destructor)) static void
process_ends(void)
{
	if (at_end != NULL)
		at_end(NULL, leaks);
}

/* ---- what goes out ------------------------------------------------------ */

/* Headers that the calling thread lets pass until the next is recorded. */
static __thread unsigned pass IBUF_TLS_;

/* Record one that goes out, if it is its turn; it says if it is. */
static inline bool
goes_out(struct ibuf_pool *p, struct ibuf_mbuf *m, void *caller)
{
	if (IBUF_LIKELY(pass > 1)) {
		pass--;
		return false;
	}
	pass = leaks;
	ibuf_record_put_(m, p, p->owner.room_size, caller);
	return true;
}

/* The same of a pool's, which comes back to its owner then. */
static inline void
message_goes_out(struct ibuf_pool *p, struct ibuf_mbuf *m, void *caller)
{
	if (goes_out(p, m, caller))
		m->flags_ |= DETOUR;
}

static struct ibuf_mbuf *
debug_alloc(struct ibuf_pool *p)
{
	struct ibuf_mbuf *m = ibuf_pool_take_kept_(&p->front, p->kept_at);

	if (!IBUF_LIKELY(m != NULL))
		m = p->plain->alloc(p);
	if (IBUF_LIKELY(m != NULL))
		message_goes_out(p, m, __builtin_return_address(0));
	return m;
}

static struct ibuf_mbuf *
debug_alloc_wait(struct ibuf_pool *p, const struct timespec *timeout)
{
	struct ibuf_mbuf *m = p->plain->alloc_wait(p, timeout);

	if (m != NULL)
		message_goes_out(p, m, __builtin_return_address(0));
	return m;
}

static int
debug_alloc_bulk(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n)
{
	int error = p->plain->alloc_bulk(p, out, n);
	size_t i;

	for (i = 0; error == 0 && i < n; i++)
		message_goes_out(p, out[i], __builtin_return_address(0));
	return error;
}

static size_t
debug_alloc_upto(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n)
{
	size_t got = p->plain->alloc_upto(p, out, n), i;

	for (i = 0; i < got; i++)
		message_goes_out(p, out[i], __builtin_return_address(0));
	return got;
}

static struct ibuf_mbuf *
debug_take(struct ibuf_owner *owner, unsigned kind)
{
	struct ibuf_pool *p = pool_of(owner);
	struct ibuf_mbuf *m = p->plain->take(owner, kind);

	if (m != NULL && kind == IBUF_DIRECT_)
		message_goes_out(p, m, __builtin_return_address(0));
	return m;
}

/* A header of the heap has no room of its own, whose place says if it is
   recorded: its flags are written anew. */
static struct ibuf_mbuf *
debug_take_heap(struct ibuf_owner *owner, unsigned kind)
{
	struct ibuf_pool *p = pool_of(owner);
	struct ibuf_mbuf *m = p->plain->take(owner, kind);

	if (m != NULL)
		m->own_.headroom_ =
			goes_out(p, m, __builtin_return_address(0)) ? 1 : 0;
	return m;
}

/* ---- and comes back ----------------------------------------------------- */

static void
debug_give(struct ibuf_owner *owner, struct ibuf_mbuf *m, unsigned kind)
{
	if (kind == IBUF_DIRECT_)
		ibuf_record_remove_(m);
	pool_of(owner)->plain->give(owner, m, kind);
}

static void
debug_give_heap(struct ibuf_owner *owner, struct ibuf_mbuf *m, unsigned kind)
{
	if (m->own_.headroom_ != 0)
		ibuf_record_remove_(m);
	pool_of(owner)->plain->give(owner, m, kind);
}

static size_t
debug_destroy(struct ibuf_pool *p)
{
	pool_must_be_open(p);
	ibuf_record_report_(p, leaks);
	return p->plain->destroy(p);
}

/* ---- watched ------------------------------------------------------------ */

/* Let what a pool does be changed; false: it is not to be watched. */
static bool
watch(struct ibuf_pool *p)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, prepare);
	if (leaks == 0)
		return false;
	p->plain = p->owner.ops;
	p->watched = *p->owner.ops;
	p->owner.ops = &p->watched;
	return true;
}

bool
ibuf_debug_heap_(struct ibuf_pool *heap)
{
	if (!watch(heap))
		return false;
	heap->watched.take = debug_take_heap;
	heap->watched.give = debug_give_heap;
	return true;
}

void
ibuf_debug_pool_(struct ibuf_pool *p)
{
	struct ibuf_owner_ops *ops = &p->watched;

	if (!watch(p))
		return;
	pthread_mutex_lock(&ibuf_threads_lock_);
	ibuf_debug_heap_hook_ = ibuf_debug_heap_;
	pthread_mutex_unlock(&ibuf_threads_lock_);
	ops->take = debug_take;
	ops->give = debug_give;
	ops->alloc = debug_alloc;
	ops->alloc_wait = debug_alloc_wait;
	ops->alloc_bulk = debug_alloc_bulk;
	ops->alloc_upto = debug_alloc_upto;
	ops->destroy = debug_destroy;
	/* The inline allocation finds nothing kept back; we do. */
	p->kept_at = p->front.tcache_;
	p->front.tcache_ = tcache_offset(0);
}
