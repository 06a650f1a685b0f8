/* debug.c - IBUF_DEBUG is read, and pools are watched. */
#define _POSIX_C_SOURCE 200809L
#include "debug.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the words ---------------------------------------------------------- */

#define QUARANTINE 1024 /* where no number is said */
#define REDZONE 64

static struct ibuf_debug_words asked;

/* By a pointer, or every program with the archive had all of it. */
static void (*at_end)(void);

static void
warn(const char *word, size_t n)
{
	(void)dprintf(STDERR_FILENO,
		      "ibuf: IBUF_DEBUG has an unknown word: %.*s\n",
		      (int)(n < 64 ? n : 64), word);
}

/* Is it this word, perhaps with a number behind it?  That is 1 or more; where
   it is left out it is usual. */
static bool
is_word(const char *at, size_t n, const char *word, unsigned usual,
	unsigned *number)
{
	size_t length = strlen(word);
	char digits[12], *end;
	unsigned long value;

	if (n < length || memcmp(at, word, length) != 0)
		return false;
	if (n == length) {
		*number = usual;
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

/* One word, of n bytes. */
static void
read_word(const char *at, size_t n)
{
	static const char redzone[] = "redzone";

	if (n == sizeof redzone - 1 && memcmp(at, redzone, n) == 0)
		asked.redzone = REDZONE;
	else if (!is_word(at, n, "leaks", 1, &asked.leaks) &&
		 !is_word(at, n, "quarantine", QUARANTINE, &asked.quarantine))
		warn(at, n);
}

static void
read_words(const char *at)
{
	size_t n;

	for (;;) {
		n = strcspn(at, ",");
		if (n != 0)
			read_word(at, n);
		if (at[n] == '\0')
			return;
		at += n + 1;
	}
}

static bool
is_strict(void)
{
	return asked.quarantine != 0 || asked.redzone != 0;
}

static void
report_at_end(void)
{
	if (asked.leaks != 0)
		ibuf_debug_report_leaks_(NULL, is_strict() ? 1 : asked.leaks);
	if (asked.quarantine != 0)
		ibuf_quarantine_check_all_();
}

static void
read_variable(void)
{
	/* NOLINTNEXTLINE: who sets it meanwhile has it read or not */
	const char *words = getenv("IBUF_DEBUG");

	if (words == NULL)
		return;
	read_words(words);
	if (asked.leaks == 0 && !is_strict())
		return;
	if (!ibuf_record_prepare_()) {
		memset(&asked, 0, sizeof asked);
		return;
	}
	at_end = report_at_end;
	if (is_strict())
		ibuf_debug_rooms_();
}

const struct ibuf_debug_words *
ibuf_debug_words_(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, read_variable);
	return &asked;
}

/* After all that the program registered to be called at its end. */
__attribute__((destructor)) static void
process_ends(void)
{
	if (at_end != NULL)
		at_end();
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
	pass = asked.leaks;
	return ibuf_record_put_(
		m, p, p->owner.index == 0 ? IBUF_INDIRECT_ : IBUF_DIRECT_,
		p->owner.room_size, caller);
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
	ibuf_debug_report_leaks_(p, asked.leaks);
	return p->plain->destroy(p);
}

/* ---- watched ------------------------------------------------------------ */

/* Let what a pool does be changed; false: it is not to be watched. */
static bool
watch(struct ibuf_pool *p)
{
	const struct ibuf_debug_words *words = ibuf_debug_words_();

	if (words->leaks == 0 && !is_strict())
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
	if (is_strict()) {
		ibuf_strict_heap_(&heap->watched);
		return true;
	}
	heap->watched.take = debug_take_heap;
	heap->watched.give = debug_give_heap;
	return true;
}

static void
watch_leaks(struct ibuf_owner_ops *ops)
{
	ops->take = debug_take;
	ops->give = debug_give;
	ops->alloc = debug_alloc;
	ops->alloc_wait = debug_alloc_wait;
	ops->alloc_bulk = debug_alloc_bulk;
	ops->alloc_upto = debug_alloc_upto;
	ops->destroy = debug_destroy;
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
	if (is_strict())
		ibuf_strict_pool_(ops);
	else
		watch_leaks(ops);
	/* The inline allocation finds nothing kept back; we do. */
	p->kept_at = p->front.tcache_;
	p->front.tcache_ = tcache_offset(0);
}
