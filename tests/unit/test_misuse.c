/*
 * test_misuse.c - what a caller must not do ends the program, with one line
 * that names the pool and the address.
 */
#include "moments.h"
#include "pools.h"

#include <stdio.h>

/* The pool that is named, another one, and messages to misuse. */
struct misuse {
	struct ibuf_pool *p, *other;
	struct ibuf_mbuf *a, *b;
	void *address; /* of the culprit */
};

static void
world_open(struct misuse *w)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.capacity = 64;
	o.name = "culprits";
	w->p = pool_with(&o);
	o.name = "innocents";
	w->other = pool_with(&o);
	w->a = ibuf_pool_alloc(w->p);
	w->b = ibuf_pool_alloc(w->p);
	assert_int_equal(ibuf_mbuf_append(w->a, "aaaa", 4), 0);
	assert_int_equal(ibuf_mbuf_append(w->b, "bbbb", 4), 0);
	w->address = w->a;
}

static void
world_close(struct misuse *w)
{
	ibuf_mbuf_free(w->a);
	ibuf_mbuf_free(w->b);
	assert_books(w->p, 0);
	assert_books(w->other, 0);
	assert_int_equal(ibuf_pool_destroy(w->p), 0);
	assert_int_equal(ibuf_pool_destroy(w->other), 0);
}

/* The body aborts, and names the pool "culprits" and w->address. */
#define assert_caught(body, w)                                                 \
	do {                                                                   \
		char words[64];                                                \
                                                                               \
		snprintf(words, sizeof(words), "culprits %p", (w)->address);   \
		assert_aborts(body, w, words);                                 \
	} while (0)

/* Define a test whose misuse is the block that follows. */
#define MISUSE(name)                                                           \
	static void name##_(struct misuse *w);                                 \
	static void name##_body(void *w)                                       \
	{                                                                      \
		name##_(w);                                                    \
	}                                                                      \
	TEST(name)                                                             \
	{                                                                      \
		struct misuse w;                                               \
                                                                               \
		world_open(&w);                                                \
		assert_caught(name##_body, &w);                                \
		world_close(&w);                                               \
	}                                                                      \
	static void name##_(struct misuse *w)

/* ---- twice --------------------------------------------------------- */

MISUSE(an_mbuf_freed_twice_in_a_row_is_caught)
{
	ibuf_mbuf_free(w->a);
	ibuf_mbuf_free(w->a);
}

MISUSE(an_mbuf_freed_twice_with_another_between_is_caught)
{
	ibuf_mbuf_free(w->a);
	ibuf_mbuf_free(w->b);
	ibuf_mbuf_free(w->a);
}

MISUSE(an_mbuf_freed_twice_after_a_clone_of_another_is_caught)
{
	ibuf_mbuf_free(w->a);
	ibuf_mbuf_free(ibuf_mbuf_clone(w->b));
	ibuf_mbuf_free(w->a);
}

MISUSE(an_mbuf_freed_twice_while_a_clone_lives_is_caught)
{
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(w->a);

	ibuf_mbuf_free(w->a);
	ibuf_mbuf_free(w->a);
	ibuf_mbuf_free(clone);
}

MISUSE(an_mbuf_that_grew_and_is_freed_twice_is_caught)
{
	assert_int_equal(ibuf_mbuf_append_fill(w->a, 'x', 5000), 0);
	ibuf_mbuf_free(w->a);
	ibuf_mbuf_free(w->a);
}

MISUSE(an_mbuf_freed_twice_in_one_bulk_is_caught)
{
	struct ibuf_mbuf *ms[] = {w->a, NULL, w->b, w->a};

	ibuf_mbuf_free_bulk(ms, 4);
}

MISUSE(an_mbuf_freed_twice_by_the_checked_free_is_caught)
{
	ibuf_pool_free(w->p, w->a);
	ibuf_pool_free(w->p, w->a);
}

MISUSE(an_mbuf_freed_by_one_free_and_then_the_other_is_caught)
{
	ibuf_mbuf_free(w->a);
	ibuf_pool_free(w->p, w->a);
}

MISUSE(an_mbuf_freed_twice_after_its_pool_was_closed_is_caught)
{
	ibuf_pool_destroy(w->p);
	ibuf_mbuf_free(w->a);
	ibuf_mbuf_free(w->a);
}

MISUSE(an_mbuf_whose_handle_went_with_concat_is_caught)
{
	/* An empty head takes over the segment of a, which is gone. */
	struct ibuf_mbuf *empty = ibuf_pool_alloc(w->p);

	assert_int_equal(ibuf_mbuf_concat(empty, w->a), 0);
	ibuf_mbuf_free(w->a);
}

MISUSE(a_segment_freed_behind_the_back_of_its_message_is_caught)
{
	/* At the latest when the message is freed. */
	assert_int_equal(ibuf_mbuf_concat(w->b, w->a), 0);
	ibuf_mbuf_free(w->a);
	ibuf_mbuf_free(w->b);
}

/* ---- twice, at once ---------------------------------------------------- */

static struct ibuf_mbuf *overlapped, before_frees;

/* Another free, of a thread that had read the header before this one wrote
   there, and that gets the lock first. */
static void
free_meanwhile(void)
{
	memcpy(overlapped, &before_frees, sizeof(before_frees));
	ibuf_mbuf_free(overlapped);
}

static void
free_twice_at_once(void *world)
{
	struct misuse *w = world;

	overlapped = w->address;
	memcpy(&before_frees, overlapped, sizeof(before_frees));
	before_lock = free_meanwhile;
	ibuf_mbuf_free(overlapped);
}

TEST(two_frees_at_once_that_go_past_the_thread_caches_are_caught)
{
	for (int way = 0; way < 4; way++) {
		struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
		struct misuse w = {.b = NULL};

		o.capacity = 64;
		o.name = "culprits";
		o.cache = 0;
		o.max = 4;
		o.flags = way / 2 != 0 ? IBUF_POOL_F_WAIT : 0;
		w.p = pool_with(&o);
		w.a = ibuf_pool_alloc(w.p);
		w.b = ibuf_mbuf_clone(w.a);
		w.address = w.b;
		if (way % 2 != 0) {
			ibuf_mbuf_free(w.b);
			w.address = w.a;
			w.b = NULL;
		}
		assert_caught(free_twice_at_once, &w);
		ibuf_mbuf_free(w.b);
		ibuf_mbuf_free(w.a);
		assert_int_equal(ibuf_pool_destroy(w.p), 0);
	}
}

static void
free_clone_twice(void *world)
{
	struct misuse *w = world;

	ibuf_mbuf_free(w->address);
	ibuf_mbuf_free(w->address);
}

static void
free_clone_after_another(void *world)
{
	struct misuse *w = world;
	struct ibuf_mbuf *between = ibuf_mbuf_clone(w->a);

	ibuf_mbuf_free(w->address);
	ibuf_mbuf_free(between);
	ibuf_mbuf_free(w->b);
	ibuf_mbuf_free(w->address);
}

TEST(a_clone_freed_twice_is_caught)
{
	struct misuse w;
	struct ibuf_mbuf *clone;

	world_open(&w);
	clone = ibuf_mbuf_clone(w.a);
	w.address = clone;
	assert_caught(free_clone_twice, &w);
	assert_caught(free_clone_after_another, &w);
	ibuf_mbuf_free(clone);
	world_close(&w);
}

/* ---- twice, of the heap ---------------------------------------------- */

enum birth { NEW, FROM, WRAPPED, CLONED, COPIED };

static struct ibuf_mbuf *
born(enum birth birth)
{
	static char text[] = "text";
	struct ibuf_mbuf *m, *clone;

	switch (birth) {
	case NEW:
		return ibuf_mbuf_new(512);
	case FROM:
		return ibuf_mbuf_from("text", 4);
	case WRAPPED:
		return ibuf_mbuf_wrap(text, 4, NULL, NULL);
	default:
		m = ibuf_mbuf_from("text", 4);
		clone = birth == CLONED ? ibuf_mbuf_clone(m)
					: ibuf_mbuf_copy(m, 0, 4);
		ibuf_mbuf_free(m);
		return clone;
	}
}

static void
free_a_a(void *world)
{
	struct misuse *w = world;

	ibuf_mbuf_free(w->a);
	ibuf_mbuf_free(w->a);
}

static void
free_a_b_a(void *world)
{
	struct misuse *w = world;

	ibuf_mbuf_free(w->a);
	ibuf_mbuf_free(w->b);
	ibuf_mbuf_free(w->a);
}

static void *
free_b(void *world)
{
	ibuf_mbuf_free(((struct misuse *)world)->b);
	return NULL;
}

/* The thread that frees it again has used neither the heap nor a pool. */
static void *
free_a(void *world)
{
	ibuf_mbuf_free(((struct misuse *)world)->a);
	return NULL;
}

static void
free_a_and_a_elsewhere(void *world)
{
	pthread_t thread;

	free_a(world);
	if (pthread_create(&thread, NULL, free_a, world) == 0)
		pthread_join(thread, NULL);
}

static void
free_a_and_b_elsewhere_and_a(void *world)
{
	pthread_t thread;

	free_a(world);
	if (pthread_create(&thread, NULL, free_b, world) == 0)
		pthread_join(thread, NULL);
	free_a(world);
}

static void
free_a_and_a_in_bulk(void *world)
{
	struct misuse *w = world;
	struct ibuf_mbuf *ms[] = {w->a, w->b, w->a};

	ibuf_mbuf_free_bulk(ms, 3);
}

TEST(a_message_of_the_heap_freed_twice_is_caught)
{
	static void (*const bodies[])(void *) = {
		free_a_a, free_a_b_a, free_a_and_a_elsewhere,
		free_a_and_b_elsewhere_and_a, free_a_and_a_in_bulk};

	for (enum birth birth = NEW; birth <= COPIED; birth++)
		for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
			struct misuse w = {.a = born(birth), .b = born(birth)};
			char words[64];

			snprintf(words, sizeof(words), "\"heap\" %p twice",
				 (void *)w.a);
			assert_aborts(bodies[i], &w, words);
			ibuf_mbuf_free(w.a);
			ibuf_mbuf_free(w.b);
		}
}

/* ---- foreign ------------------------------------------------------- */

static void
free_to_the_pool(void *world)
{
	struct misuse *w = world;

	ibuf_pool_free(w->p, w->address);
}

/* What the checked free must not be given. */
static void
assert_foreign(struct misuse *w, void *address)
{
	w->address = address;
	assert_caught(free_to_the_pool, w);
}

TEST(a_message_of_another_pool_or_of_the_heap_is_foreign)
{
	struct misuse w;
	struct ibuf_mbuf *theirs, *clone, *heap;

	world_open(&w);
	theirs = ibuf_pool_alloc(w.other);
	clone = ibuf_mbuf_clone(theirs);
	heap = ibuf_mbuf_from("heap", 4);
	assert_foreign(&w, theirs);
	assert_foreign(&w, clone);
	assert_foreign(&w, heap);
	ibuf_mbuf_free(theirs);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(heap);
	world_close(&w);
}

TEST(a_pointer_into_an_mbuf_or_behind_all_of_them_is_foreign)
{
	struct misuse w;
	uint8_t *a, *b, *clone;
	ptrdiff_t stride;

	world_open(&w);
	a = (uint8_t *)w.a;
	b = (uint8_t *)w.b;
	stride = b > a ? b - a : a - b;
	assert_foreign(&w, a + 1);
	assert_foreign(&w, a + 8);
	assert_foreign(&w, a + 64);
	assert_foreign(&w, a + stride - 64);
	assert_foreign(&w, (void *)(uintptr_t)ibuf_mbuf_data(w.a));
	/* The one that is next to be handed out, and is not yet. */
	assert_foreign(&w, (b > a ? b : a) + stride);
	clone = (uint8_t *)ibuf_mbuf_clone(w.a);
	assert_foreign(&w, clone + 8);
	ibuf_mbuf_free((struct ibuf_mbuf *)(void *)clone);
	world_close(&w);
}

TEST(a_pointer_to_the_stack_or_to_nothing_at_all_is_foreign)
{
	struct misuse w;
	uint64_t stack[64] = {0};
	static uint64_t fixed[64];

	world_open(&w);
	assert_foreign(&w, stack);
	assert_foreign(&w, fixed);
	assert_foreign(&w, w.p);
	assert_foreign(&w, (void *)(uintptr_t)64);
	assert_foreign(&w, (void *)(UINTPTR_MAX - 63));
	world_close(&w);
}

TEST(a_copy_of_an_mbuf_s_header_is_foreign_wherever_it_lies)
{
	union {
		struct ibuf_mbuf header;
		uint8_t bytes[64];
	} copy;
	struct misuse w;
	struct ibuf_mbuf *clone;

	world_open(&w);
	clone = ibuf_mbuf_clone(w.b);
	memcpy(&copy.header, w.a, sizeof(copy.header));
	assert_foreign(&w, &copy);
	memcpy(&copy.header, clone, sizeof(copy.header));
	assert_foreign(&w, &copy);
	/* In the bytes of another one, as somebody who guesses would do. */
	memcpy(&copy.header, w.a, sizeof(copy.header));
	ibuf_mbuf_clear(w.a);
	assert_int_equal(ibuf_mbuf_append(w.a, &copy, sizeof(copy)), 0);
	assert_foreign(&w, ibuf_mbuf_data_mut(w.a));
	ibuf_mbuf_free(clone);
	world_close(&w);
}

/* ---- the line ------------------------------------------------------ */

TEST(a_name_that_is_too_long_for_a_line_still_gives_one_line)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct misuse w;
	char name[2000], words[64];

	world_open(&w);
	ibuf_pool_destroy(w.other);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	o.name = name;
	w.other = pool_with(&o);
	w.address = ibuf_pool_alloc(w.other);
	snprintf(words, sizeof(words), "nnnnnnnn %p", w.address);
	assert_aborts(free_clone_twice, &w, words);
	ibuf_mbuf_free(w.address);
	world_close(&w);
}

TEST(freeing_nothing_is_fine)
{
	struct ibuf_pool *p = pool_of(0, 0);

	ibuf_mbuf_free(NULL);
	ibuf_pool_free(p, NULL);
	ibuf_mbuf_free_bulk(NULL, 0);
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}
