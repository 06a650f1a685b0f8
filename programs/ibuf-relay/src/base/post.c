/*
 * post.c - what threads send one another.
 *
 * No wake-up is lost.  Who sets a word where none was set writes to the
 * eventfd; the receiver reads it before it takes the words.  Who found the
 * queue full is told when the bytes inside fall below half of that, which
 * they must pass on their way down.
 */
#include "post.h"
#include "memory.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* A small message takes more than its bytes: a post, headers. */
enum { COST_BYTES = 256 };

/*
 * For who looks first there are so many bytes, which are at most half of the
 * posts that there are places for.
 */
enum { BYTES_MAX = 2 << 20, POSTS_MAX = 2 * BYTES_MAX / COST_BYTES };

/* How long a queue may stay full. */
enum { PATIENCE_S = 5 };

/* Posts taken at a time. */
enum { BULK = 256 };

/* Of those bytes, what the settings leave; orders nothing. */
static atomic_size_t bytes_most = BYTES_MAX;

static struct ibuf_pool *posts;

void
post_set_most(size_t bytes)
{
	atomic_store_explicit(&bytes_most,
			      bytes < BYTES_MAX ? bytes : BYTES_MAX,
			      memory_order_relaxed);
}

static size_t
get_most(void)
{
	return atomic_load_explicit(&bytes_most, memory_order_relaxed);
}

int
post_init(void)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_provider provider = memory_provider(MEMORY_POSTS);

	options.name = "posts";
	options.capacity = 16;
	options.headroom = 0;
	options.private_size = sizeof(struct post);
	options.provider = &provider;
	return ibuf_pool_create(&posts, &options);
}

void
post_end(void)
{
	ibuf_pool_destroy(posts);
	posts = NULL;
}

void
post_flush(void)
{
	ibuf_pool_flush(posts);
}

void
post_trim(void)
{
	ibuf_pool_trim(posts);
}

int
post_queue_init(struct post_queue *q)
{
	int error = ibuf_queue_create(&q->queue, POSTS_MAX,
				      IBUF_QUEUE_F_SINGLE_CONSUMER);

	atomic_init(&q->words, 0);
	atomic_init(&q->bytes, 0);
	if (error != 0)
		return error;
	q->fd = ibuf_queue_fd(q->queue);
	q->words_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (q->fd >= 0 && q->words_fd >= 0)
		return 0;
	error = q->fd < 0 ? q->fd : -errno;
	if (q->words_fd >= 0)
		close(q->words_fd);
	ibuf_queue_destroy(q->queue);
	return error;
}

void
post_queue_destroy(struct post_queue *q)
{
	struct post *post, *next;

	while ((post = post_take_all(q)) != NULL) {
		for (; post != NULL; post = next) {
			next = post->next;
			post_free(post);
		}
	}
	ibuf_queue_destroy(q->queue);
	close(q->words_fd);
}

struct post *
post_new(enum post_what what)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(posts);
	struct post *post;

	if (m == NULL)
		return NULL;
	post = ibuf_mbuf_private(m);
	memset(post, 0, sizeof(*post));
	post->carrier = m;
	post->what = what;
	post->fd = -1;
	return post;
}

void
post_free(struct post *post)
{
	ibuf_mbuf_free(post->body);
	ibuf_mbuf_free(post->topic);
	if (post->fd >= 0)
		close(post->fd);
	ibuf_mbuf_free(post->carrier);
}

bool
post_queue_is_full(const struct post_queue *q)
{
	return atomic_load_explicit(&q->bytes, memory_order_relaxed) >
	       get_most();
}

static void
add_bytes(struct post_queue *q, struct post *post)
{
	post->bytes = COST_BYTES;
	if (post->body != NULL)
		post->bytes += ibuf_mbuf_len(post->body);
	atomic_fetch_add_explicit(&q->bytes, post->bytes, memory_order_relaxed);
}

bool
post_send(struct post_queue *q, struct post *post)
{
	add_bytes(q, post);
	if (ibuf_queue_push(q->queue, post->carrier) == 0)
		return true;
	atomic_fetch_sub_explicit(&q->bytes, post->bytes, memory_order_relaxed);
	return false;
}

bool
post_send_wait(struct post_queue *q, struct post *post)
{
	const struct timespec patience = {.tv_sec = PATIENCE_S};

	add_bytes(q, post);
	if (ibuf_queue_push_wait(q->queue, post->carrier, &patience) == 0)
		return true;
	atomic_fetch_sub_explicit(&q->bytes, post->bytes, memory_order_relaxed);
	return false;
}

void
post_say(struct post_queue *q, unsigned words)
{
	uint64_t one = 1;

	/* seq_cst: what was written before is seen by who takes the word. */
	if (atomic_fetch_or(&q->words, words) == 0 &&
	    write(q->words_fd, &one, sizeof(one)) < 0)
		abort(); /* the count of an eventfd does not overflow by ones */
}

unsigned
post_words(struct post_queue *q)
{
	uint64_t count;

	/* This order: a write that this does not read is followed by a word. */
	if (read(q->words_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		abort();
	return atomic_exchange(&q->words, 0);
}

struct post *
post_take_all(struct post_queue *q)
{
	struct ibuf_mbuf *taken[BULK];
	struct post_list list = {NULL, NULL};
	size_t n = ibuf_queue_pop_bulk(q->queue, taken, BULK);

	for (size_t i = 0; i < n; i++)
		post_list_add(&list, ibuf_mbuf_private(taken[i]));
	return list.first;
}

bool
post_taken(struct post_queue *q, size_t bytes)
{
	size_t half = get_most() / 2;
	size_t before = atomic_fetch_sub_explicit(&q->bytes, bytes,
						  memory_order_relaxed);

	return before > half && before - bytes <= half;
}

void
post_list_add(struct post_list *list, struct post *post)
{
	post->next = NULL;
	if (list->last != NULL)
		list->last->next = post;
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
	list->first = post->next;
	if (list->first == NULL)
		list->last = NULL;
	return post;
}
