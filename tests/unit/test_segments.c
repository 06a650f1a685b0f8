/* test_segments.c - several messages look at one room. */
#include "failures.h"
#include "messages.h"

#include <pthread.h>

#define WINDOWS_MAX (UINT32_C(1) << 28)

static const uint8_t ten[] = "0123456789";

/* "0123", "456", "789" */
static struct ibuf_mbuf *
three_segments(void)
{
	return message_cut(ten, 10, 1u << 3 | 1u << 6);
}

/* Each byte of the message lies where it lies in the other, from off on. */
static void
assert_shows(const struct ibuf_mbuf *m, const struct ibuf_mbuf *other,
	     size_t off)
{
	for (size_t i = 0; i < ibuf_mbuf_len(m); i++)
		assert_ptr_equal(ibuf_mbuf_at(m, i, NULL),
				 ibuf_mbuf_at(other, off + i, NULL));
}

/* ---- clone --------------------------------------------------------- */

TEST(a_clone_shows_the_same_bytes_and_counts_on_each_room)
{
	struct ibuf_mbuf *m = three_segments(), *clone;
	uint64_t copied = heap_copied_bytes();

	clone = ibuf_mbuf_clone(m);
	assert_message(clone, ten, 10);
	assert_shows(clone, m, 0);
	assert_int_equal(ibuf_mbuf_segments(clone), 3);
	assert_int_equal(heap_copied_bytes(), copied);
	for (const struct ibuf_mbuf *s = m; s != NULL;
	     s = ibuf_mbuf_seg_next(s))
		assert_int_equal(segments_at(s), 2);
	assert_false(ibuf_mbuf_is_unique(m));
	assert_false(ibuf_mbuf_is_unique(clone));
	ibuf_mbuf_free(m);
	assert_message(clone, ten, 10);
	assert_true(ibuf_mbuf_is_unique(clone));
	ibuf_mbuf_free(clone);
}

TEST(a_clone_has_no_right_and_leaves_those_of_its_source)
{
	struct ibuf_mbuf *m = message_with(16, 10, 6);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

	assert_sizes(m, 16, 10, 6, 16);
	assert_sizes(clone, 0, 10, 0, 16);
	ibuf_mbuf_free(m);
	assert_sizes(clone, 16, 10, 6, 16);
	ibuf_mbuf_free(clone);
}

TEST(clones_that_append_and_prepend_each_see_only_their_own_bytes)
{
	struct ibuf_mbuf *ms[3] = {message_with(4, 2, 4)};

	ms[1] = ibuf_mbuf_clone(ms[0]);
	ms[2] = ibuf_mbuf_clone(ms[1]);
	for (size_t i = 0; i < 3; i++) {
		char end = (char)('a' + i);

		assert_int_equal(ibuf_mbuf_append(ms[i], &end, 1), 0);
		assert_int_equal(ibuf_mbuf_prepend(ms[i], &end, 1), 0);
	}
	for (size_t i = 0; i < 3; i++) {
		char all[] = {(char)('a' + i), 0, 1, (char)('a' + i)};

		assert_message(ms[i], all, 4);
	}
	ibuf_mbuf_free_bulk(ms, 3);
}

TEST(a_write_in_place_is_seen_by_nobody_else)
{
	struct ibuf_mbuf *m = three_segments();
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 2, 4);
	size_t run;

	for (size_t off = 0; off < 10; off += run) {
		uint8_t *bytes = ibuf_mbuf_at_mut(clone, off, &run);

		assert_true(run != 0);
		for (size_t i = 0; i < run; i++)
			bytes[i] ^= 0x80;
		assert_int_equal(ibuf_mbuf_validate(clone), 0);
	}
	assert_message(m, ten, 10);
	assert_message(slice, ten + 2, 4);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(*ibuf_mbuf_at(clone, i, NULL), ten[i] ^ 0x80);
	/* What is private is written where it is. */
	assert_true(ibuf_mbuf_is_unique(clone));
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(slice);
}

/* ---- many clones --------------------------------------------------- */

TEST(clone_bulk_makes_all_clones_with_one_count_each)
{
	struct ibuf_mbuf *m = three_segments(), *clones[100];

	assert_int_equal(ibuf_mbuf_clone_bulk(m, clones, 100), 0);
	for (const struct ibuf_mbuf *s = m; s != NULL;
	     s = ibuf_mbuf_seg_next(s))
		assert_int_equal(segments_at(s), 101);
	for (size_t i = 0; i < 100; i++) {
		assert_message(clones[i], ten, 10);
		assert_shows(clones[i], m, 0);
		assert_int_equal(ibuf_mbuf_segments(clones[i]), 3);
	}
	ibuf_mbuf_free(m);
	ibuf_mbuf_free_bulk(clones + 1, 99);
	assert_message(clones[0], ten, 10);
	assert_true(ibuf_mbuf_is_unique(clones[0]));
	ibuf_mbuf_free(clones[0]);
}

TEST(clone_bulk_gives_what_clone_gives)
{
	struct ibuf_mbuf *m = message_with(16, 10, 6), *clones[2];

	assert_int_equal(ibuf_mbuf_clone_bulk(m, NULL, 0), 0);
	assert_true(ibuf_mbuf_is_unique(m));
	assert_int_equal(ibuf_mbuf_clone_bulk(m, clones, 2), 0);
	assert_sizes(m, 16, 10, 6, 16);
	assert_sizes(clones[0], 0, 10, 0, 16);
	assert_sizes(clones[1], 0, 10, 0, 16);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free_bulk(clones, 2);
}

TEST(clone_bulk_that_finds_no_memory_makes_none)
{
	struct ibuf_mbuf *m = three_segments();
	struct ibuf_mbuf *untouched = (struct ibuf_mbuf *)(void *)&untouched;
	struct ibuf_mbuf *out[4];
	struct pieces was;
	size_t n = 0;
	bool struck;

	pieces_take(&was, m);
	do {
		size_t blocks = fault_live_blocks();
		int error;

		for (size_t i = 0; i < 4; i++)
			out[i] = untouched;
		fault_at(++n);
		error = ibuf_mbuf_clone_bulk(m, out, 4);
		struck = fault_off();
		if (struck) {
			assert_int_equal(error, -ENOMEM);
			for (size_t i = 0; i < 4; i++)
				assert_ptr_equal(out[i], untouched);
			assert_int_equal(fault_live_blocks(), blocks);
			assert_message(m, ten, 10);
			assert_pieces(m, &was);
		}
	} while (struck);
	ibuf_mbuf_free_bulk(out, 4);
	ibuf_mbuf_free(m);
}

/* ---- too many segments ---------------------------------------------- */

/* Let so many more segments look at the room, or so they say. */
static void
pretend(struct ibuf_mbuf *s, uint32_t more)
{
	s->room_->count_ += more;
}

TEST(a_clone_past_the_most_segments_is_refused_and_counts_nothing)
{
	struct ibuf_mbuf *m = message_with(2, 3, 4), *last;

	pretend(m, WINDOWS_MAX - 2);
	last = ibuf_mbuf_clone(m);
	assert_non_null(last);
	assert_int_equal(segments_at(m), WINDOWS_MAX);
	assert_null(ibuf_mbuf_clone(m));
	assert_null(ibuf_mbuf_clone(last));
	assert_null(ibuf_mbuf_slice(m, 1, 1));
	assert_null(ibuf_mbuf_slice(m, 0, 0));
	assert_int_equal(segments_at(m), WINDOWS_MAX);
	assert_sizes(m, 2, 3, 4, 7);
	/* One goes, one may come. */
	ibuf_mbuf_free(last);
	last = ibuf_mbuf_clone(m);
	assert_non_null(last);
	ibuf_mbuf_free(last);
	pretend(m, -(WINDOWS_MAX - 2));
	assert_true(ibuf_mbuf_is_unique(m));
	ibuf_mbuf_free(m);
}

TEST(clone_bulk_past_the_most_segments_makes_none_on_any_room)
{
	struct ibuf_mbuf *untouched = (struct ibuf_mbuf *)(void *)&untouched;
	struct ibuf_mbuf *out[3] = {untouched, untouched, untouched};

	for (size_t full = 0; full < 3; full++) {
		struct ibuf_mbuf *m = three_segments(), *s = m;
		size_t blocks = fault_live_blocks();
		struct pieces was;

		for (size_t i = 0; i < full; i++)
			s = s->next_;
		pretend(s, WINDOWS_MAX - 3);
		pieces_take(&was, m);
		assert_int_equal(ibuf_mbuf_clone_bulk(m, out, 3), -EOVERFLOW);
		for (size_t i = 0; i < 3; i++)
			assert_ptr_equal(out[i], untouched);
		assert_pieces(m, &was);
		assert_int_equal(fault_live_blocks(), blocks);
		assert_int_equal(ibuf_mbuf_clone_bulk(m, out, 2), 0);
		ibuf_mbuf_free_bulk(out, 2);
		pretend(s, -(WINDOWS_MAX - 3));
		out[0] = out[1] = untouched;
		assert_true(ibuf_mbuf_is_unique(m));
		ibuf_mbuf_free(m);
	}
}

TEST(clone_bulk_of_more_than_there_can_be_is_refused_at_once)
{
	struct ibuf_mbuf *m = message_of("x", 1);
	size_t calls = fault_calls();

	assert_int_equal(ibuf_mbuf_clone_bulk(m, NULL, SIZE_MAX), -EOVERFLOW);
	assert_int_equal(ibuf_mbuf_clone_bulk(m, NULL, (size_t)WINDOWS_MAX + 1),
			 -EOVERFLOW);
	assert_int_equal(fault_calls(), calls);
	assert_true(ibuf_mbuf_is_unique(m));
	ibuf_mbuf_free(m);
}

TEST(a_slice_of_several_segments_that_meets_a_full_room_undoes_the_others)
{
	struct ibuf_mbuf *m = three_segments();
	struct pieces was;

	pretend(m->next_->next_, WINDOWS_MAX - 1);
	pieces_take(&was, m);
	assert_null(ibuf_mbuf_slice(m, 1, 8));
	assert_null(ibuf_mbuf_clone(m));
	assert_pieces(m, &was);
	pretend(m->next_->next_, -(WINDOWS_MAX - 1));
	assert_true(ibuf_mbuf_is_unique(m));
	ibuf_mbuf_free(m);
}

/* ---- slices -------------------------------------------------------- */

TEST(a_slice_shows_every_range_where_it_lies)
{
	struct ibuf_mbuf *m = three_segments();

	for (size_t off = 0; off <= 10; off++) {
		for (size_t n = 0; n <= 10 - off; n++) {
			struct ibuf_mbuf *s = ibuf_mbuf_slice(m, off, n);

			assert_message(s, ten + off, n);
			assert_shows(s, m, off);
			/* Also an empty one keeps the bytes shared. */
			assert_false(ibuf_mbuf_is_unique(m));
			assert_int_equal(ibuf_mbuf_headroom(s), 0);
			assert_int_equal(ibuf_mbuf_tailroom(s), 0);
			ibuf_mbuf_free(s);
			assert_true(ibuf_mbuf_is_unique(m));
		}
	}
	ibuf_mbuf_free(m);
}

TEST(a_slice_outside_is_refused_and_changes_nothing)
{
	static const size_t outside[][2] = {
		{11, 0},       {0, 11},
		{10, 1},       {5, 6},
		{1, SIZE_MAX}, {SIZE_MAX, 0},
		{SIZE_MAX, 1}, {SIZE_MAX, SIZE_MAX}};
	struct ibuf_mbuf *m = three_segments();
	struct pieces was;

	pieces_take(&was, m);
	for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++)
		assert_null(ibuf_mbuf_slice(m, outside[i][0], outside[i][1]));
	assert_pieces(m, &was);
	ibuf_mbuf_free(m);
}

static void
count_release(void *bytes, size_t len, void *arg)
{
	assert_non_null(bytes);
	assert_int_equal(len, 10);
	++*(int *)arg;
}

TEST(a_slice_of_a_slice_of_a_clone_is_flat_and_is_freed_in_any_order)
{
	static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					{1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	for (size_t i = 0; i < 6; i++) {
		char bytes[] = "0123456789";
		int released = 0;
		struct ibuf_mbuf *ms[3], *clone;

		ms[0] = ibuf_mbuf_wrap(bytes, 10, count_release, &released);
		clone = ibuf_mbuf_clone(ms[0]);
		ms[1] = ibuf_mbuf_slice(clone, 2, 7);
		ibuf_mbuf_free(clone);
		ms[2] = ibuf_mbuf_slice(ms[1], 1, 3);
		assert_ptr_equal(ibuf_mbuf_data(ms[2]), bytes + 3);
		assert_ptr_equal(ms[2]->room_, ms[0]->room_);
		assert_int_equal(segments_at(ms[0]), 3);
		for (int j = 0; j < 3; j++) {
			assert_int_equal(released, 0);
			for (int k = j; k < 3; k++) {
				static const size_t at[][2] = {
					{0, 10}, {2, 7}, {3, 3}};
				int which = orders[i][k];

				assert_message(ms[which], bytes + at[which][0],
					       at[which][1]);
			}
			ibuf_mbuf_free(ms[orders[i][j]]);
		}
		assert_int_equal(released, 1);
	}
}

TEST(what_follows_a_slice_survives_an_append_to_it)
{
	struct ibuf_mbuf *m = message_of("hello", 5);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 1, 2);

	assert_int_equal(ibuf_mbuf_append(slice, "XY", 2), 0);
	assert_message(slice, "elXY", 4);
	assert_message(m, "hello", 5);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(slice);
}

/* ---- failures ------------------------------------------------------ */

static void
make_three(struct failure *w)
{
	w->m = three_segments();
}

static void
make_pooled(struct failure *w)
{
	w->pool = ibuf_pool_new(3, 16);
	w->m = ibuf_pool_alloc(w->pool);
	assert_int_equal(ibuf_mbuf_append(w->m, ten, 10), 0);
}

static int
clone_it(struct failure *w)
{
	w->result = ibuf_mbuf_clone(w->m);
	return w->result == NULL ? -ENOMEM : 0;
}

static int
slice_it(struct failure *w)
{
	w->result = ibuf_mbuf_slice(w->m, 2, 7);
	return w->result == NULL ? -ENOMEM : 0;
}

TEST(a_clone_or_slice_that_finds_no_memory_changes_nothing)
{
	assert_survives(make_three, clone_it, ten, 10);
	assert_survives(make_three, slice_it, ten, 10);
	assert_survives(make_pooled, clone_it, ten, 10);
	assert_survives(make_pooled, slice_it, ten, 10);
}

/* A message alone on its room again, which nobody has edited since. */
static struct ibuf_mbuf *
alone_without_rights(void)
{
	struct ibuf_mbuf *m = message_with(4, 8, 0);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

	ibuf_mbuf_free(m);
	return clone;
}

TEST(an_edit_that_fails_gives_no_right_back)
{
	for (int edit = 0; edit < 4; edit++) {
		struct ibuf_mbuf *m = alone_without_rights(), *clone;
		int error = 0;

		fault_at(1);
		if (edit == 0)
			error = ibuf_mbuf_append(m, ten, 10);
		else if (edit == 1)
			error = ibuf_mbuf_prepend(m, ten, 10);
		else if (edit == 2)
			error = ibuf_mbuf_append_fill(m, 0, 10);
		else if (ibuf_mbuf_reserve(m, 10) == NULL)
			error = -ENOMEM;
		assert_true(fault_off());
		assert_int_equal(error, -ENOMEM);
		clone = ibuf_mbuf_clone(m);
		assert_int_equal(ibuf_mbuf_headroom(m), 0);
		ibuf_mbuf_free(clone);
		/* One that works does. */
		assert_int_equal(ibuf_mbuf_append(m, "x", 1), 0);
		clone = ibuf_mbuf_clone(m);
		assert_int_equal(ibuf_mbuf_headroom(m), 4);
		ibuf_mbuf_free(clone);
		ibuf_mbuf_free(m);
	}
}

/* ---- threads ------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 500 };

static void *
share_and_write(void *arg)
{
	const struct ibuf_mbuf *m = arg;
	size_t wrong = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
		struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 2, 7);

		wrong += ibuf_mbuf_write_at(clone, 3, "ab", 2) != 0;
		wrong += ibuf_mbuf_append(slice, "c", 1) != 0;
		wrong += *ibuf_mbuf_at(clone, 4, NULL) != 'b';
		wrong += *ibuf_mbuf_at(m, 4, NULL) != '4';
		ibuf_mbuf_free(clone);
		ibuf_mbuf_free(slice);
	}
	return (void *)(uintptr_t)wrong;
}

TEST(threads_may_clone_and_slice_one_message_at_once)
{
	struct ibuf_mbuf *m = three_segments();
	pthread_t threads[THREADS];
	void *wrong;

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, share_and_write, m),
			0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	assert_message(m, ten, 10);
	assert_true(ibuf_mbuf_is_unique(m));
	ibuf_mbuf_free(m);
}
