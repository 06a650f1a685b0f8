/*
 * post.c - a stack without locks that is turned around where it is taken.
 *
 * Senders push onto a stack of Concurrency Kit; the receiver takes the whole
 * stack with one exchange and reverses it, which gives the order of the
 * pushes.  There is no pop of one element, so no ABA.
 *
 * is_woken keeps the system calls few: a sender pushes, then exchanges it for
 * 1; who finds 0 writes to the eventfd.  The receiver reads the eventfd, then
 * exchanges is_woken for 0, then takes the stack.  So a sender that found 1
 * pushed before an exchange that a take follows.
 */
#include "post.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*
 * Concurrency Kit orders memory in assembly, which ThreadSanitizer cannot
 * see; it is told that a push releases and a take acquires, and not to look
 * at the link that a push writes in between.
 */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WATCHED
#endif
#elif defined(__SANITIZE_THREAD__)
#define WATCHED
#endif

#ifdef WATCHED
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#else
#define __tsan_acquire(addr) ((void)(addr))
#define __tsan_release(addr) ((void)(addr))
#define AnnotateIgnoreWritesBegin(file, line) ((void)0)
#define AnnotateIgnoreWritesEnd(file, line) ((void)0)
#endif

static void
push(struct post_queue *q, struct post *post)
{
	__tsan_release(q);
	AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
	ck_stack_push_upmc(&q->stack, &post->entry);
	AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
}

int
post_queue_init(struct post_queue *q)
{
	ck_stack_init(&q->stack);
	atomic_init(&q->is_woken, 0);
	q->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return q->fd < 0 ? -errno : 0;
}

void
post_queue_destroy(struct post_queue *q)
{
	struct post *post = post_take_all(q);

	while (post != NULL) {
		struct post *next = post_next(post);

		post_free(post);
		post = next;
	}
	close(q->fd);
}

struct post *
post_new(enum post_what what)
{
	struct post *post = calloc(1, sizeof(*post));

	if (post != NULL) {
		post->what = what;
		post->fd = -1;
	}
	return post;
}

void
post_free(struct post *post)
{
	ibuf_mbuf_free(post->body);
	ibuf_mbuf_free(post->topic);
	free(post->hold);
	if (post->fd >= 0)
		close(post->fd);
	free(post);
}

void
post_queue_wake(struct post_queue *q)
{
	uint64_t one = 1;

	/* seq_cst: what was written before is not seen after the exchange. */
	if (atomic_exchange(&q->is_woken, 1) == 0 &&
	    write(q->fd, &one, sizeof(one)) < 0)
		abort(); /* the count of an eventfd does not overflow by ones */
}

void
post_send(struct post_queue *q, struct post *post)
{
	push(q, post);
	post_queue_wake(q);
}

bool
post_tell(struct post_queue *q, enum post_what what)
{
	struct post *post = post_new(what);

	if (post == NULL)
		return false;
	post_send(q, post);
	return true;
}

void
post_queue_rearm(struct post_queue *q)
{
	uint64_t count;

	/* This order: a write that this does not read is followed by 1. */
	if (read(q->fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		abort();
	atomic_exchange(&q->is_woken, 0);
}

struct post *
post_take_all(struct post_queue *q)
{
	ck_stack_entry_t *entry, *next, *first = NULL;

	entry = ck_stack_batch_pop_upmc(&q->stack);
	__tsan_acquire(q);
	for (; entry != NULL; entry = next) {
		next = entry->next;
		entry->next = first;
		first = entry;
	}
	return (struct post *)first;
}

struct post *
post_next(struct post *post)
{
	return (struct post *)post->entry.next;
}

void
post_list_add(struct post_list *list, struct post *post)
{
	post->entry.next = NULL;
	if (list->last != NULL)
		list->last->entry.next = &post->entry;
	else
		list->first = post;
	list->last = post;
}

struct post *
post_list_take(struct post_list *list)
{
	struct post *post = list->first;

	if (post == NULL)
		return NULL;
	list->first = post_next(post);
	if (list->first == NULL)
		list->last = NULL;
	return post;
}
