/*
 * test_callbacks.c - a release callback finds the message whole, whatever call
 * dropped its room, and one that never returns keeps nothing from its release.
 */
#include "states.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

enum { ROOM = 10, MOST = 8 };

/* What is wrapped, and how often it was released. */
static struct {
	uint8_t *bytes;
	unsigned released;
} rooms[MOST];
static size_t n_rooms;
static struct ibuf_pool *pool; /* NULL: the headers are of the heap */

/* What a callback saw of the message that is edited. */
static struct {
	struct ibuf_mbuf *m; /* NULL: look at none */
	bool leaves;         /* the thread is cancelled in the callback */
	unsigned calls, invalid;
	size_t len;
	uint8_t bytes[STATE_MAX];
} seen;

static void
look(struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *clone;
	FILE *null;

	seen.calls++;
	if (ibuf_mbuf_validate(m) != 0) {
		seen.invalid++;
		return;
	}
	seen.len = ibuf_mbuf_len(m);
	ibuf_mbuf_copy_out(m, 0, seen.bytes, seen.len);
	clone = ibuf_mbuf_clone(m);
	seen.invalid += clone == NULL || ibuf_mbuf_compare(m, clone) != 0;
	ibuf_mbuf_free(clone);
	null = fopen("/dev/null", "w");
	ibuf_mbuf_dump(m, null);
	fclose(null);
}

static void
release(void *bytes, size_t len, void *arg)
{
	size_t i = (size_t)(uintptr_t)arg;

	(void)len;
	rooms[i].released++;
	if (bytes != rooms[i].bytes)
		seen.invalid++;
	memset(bytes, 0xee, ROOM);
	if (seen.m != NULL && !seen.leaves)
		look(seen.m);
	if (seen.leaves) {
		pthread_cancel(pthread_self());
		pthread_testcancel();
	}
}

/* ROOM bytes of one letter, which release() is called for. */
static struct ibuf_mbuf *
wrapped(bool read_only)
{
	size_t i = n_rooms++;

	assert_true(i < MOST);
	rooms[i].bytes = malloc(ROOM);
	rooms[i].released = 0;
	memset(rooms[i].bytes, 'a' + (int)i, ROOM);
	return read_only ? ibuf_mbuf_wrap_const(rooms[i].bytes, ROOM, release,
						(void *)(uintptr_t)i)
			 : ibuf_mbuf_wrap(rooms[i].bytes, ROOM, release,
					  (void *)(uintptr_t)i);
}

static struct ibuf_mbuf *
chain(bool read_only)
{
	struct ibuf_mbuf *m = wrapped(read_only);

	for (int i = 1; i < 4; i++)
		assert_int_equal(ibuf_mbuf_concat(m, wrapped(read_only)), 0);
	return m;
}

/* ---- every call that can drop a room --------------------------------- */

static struct ibuf_mbuf *
of_rooms(void)
{
	return chain(false);
}

static struct ibuf_mbuf *
of_read_only_rooms(void)
{
	return chain(true);
}

/* Windows that show a part of their room, which nobody else looks at. */
static struct ibuf_mbuf *
of_parts(void)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from("first", 5);

	for (int i = 0; i < 3; i++) {
		struct ibuf_mbuf *part = wrapped(false);

		assert_int_equal(ibuf_mbuf_trim_head(part, 3), 0);
		assert_int_equal(ibuf_mbuf_concat(m, part), 0);
	}
	return m;
}

/* Headers of a pool that look at rooms of the caller. */
static struct ibuf_mbuf *
of_pool_windows(void)
{
	struct ibuf_mbuf *m = NULL;

	pool = ibuf_pool_new(0, 64);
	assert_non_null(pool);
	for (int i = 0; i < 4; i++) {
		struct ibuf_mbuf *direct = ibuf_pool_alloc(pool), *clone;

		assert_int_equal(ibuf_mbuf_concat(direct, wrapped(false)), 0);
		clone = ibuf_mbuf_clone(direct);
		ibuf_mbuf_free(direct);
		if (m == NULL)
			m = clone;
		else
			assert_int_equal(ibuf_mbuf_concat(m, clone), 0);
	}
	return m;
}

/* No byte, but a room. */
static struct ibuf_mbuf *
of_an_empty_room(void)
{
	struct ibuf_mbuf *m = wrapped(false);

	ibuf_mbuf_clear(m);
	return m;
}

static void
does_trim_head(struct ibuf_mbuf *m)
{
	ibuf_mbuf_trim_head(m, 25);
}

static void
does_trim_all(struct ibuf_mbuf *m)
{
	ibuf_mbuf_trim_head(m, ibuf_mbuf_len(m));
}

static void
does_trim_tail(struct ibuf_mbuf *m)
{
	ibuf_mbuf_trim_tail(m, 25);
}

static void
does_clear(struct ibuf_mbuf *m)
{
	ibuf_mbuf_clear(m);
}

static void
does_read(struct ibuf_mbuf *m)
{
	uint8_t out[25];

	ibuf_mbuf_read(m, out, sizeof(out));
}

static void
does_linearize(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_linearize(m), 0);
}

static void
does_pullup(struct ibuf_mbuf *m)
{
	assert_non_null(ibuf_mbuf_pullup(m, 25));
}

static void
does_append(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_append(m, "tail", 4), 0);
}

static void
does_append_number(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_append_be32(m, 42), 0);
}

static void
does_append_fill(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_append_fill(m, 'z', 7), 0);
}

static void
does_print(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_printf(m, "%d and more", 42), 0);
}

static void
does_prepend(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_prepend(m, "head", 4), 0);
}

static void
does_prepend_number(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_prepend_le64(m, 42), 0);
}

static void
does_reserve(struct ibuf_mbuf *m)
{
	assert_non_null(ibuf_mbuf_reserve(m, 100));
}

static void
does_shrink(struct ibuf_mbuf *m)
{
	ibuf_mbuf_shrink(m);
}

static void
does_unshare(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_unshare(m), 0);
}

static void
does_at_mut(struct ibuf_mbuf *m)
{
	ibuf_mbuf_at_mut(m, 12, NULL);
}

static void
does_write_at(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_write_at(m, 5, "0123456789abcdefghij", 20),
			 0);
}

static void
does_join(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_concat(m, ibuf_mbuf_from("joined", 6)), 0);
}

static void
does_join_empty(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_concat(m, of_an_empty_room()), 0);
}

static void
close_fd(void *fd)
{
	close(*(int *)fd);
}

static void
does_io_write(struct ibuf_mbuf *m)
{
	int fd = open("/dev/null", O_WRONLY);

	pthread_cleanup_push(close_fd, &fd);
	ibuf_io_write(fd, m);
	pthread_cleanup_pop(1);
}

static void
does_io_read(struct ibuf_mbuf *m)
{
	int fd = open("/dev/zero", O_RDONLY);

	pthread_cleanup_push(close_fd, &fd);
	ibuf_io_read(fd, m, 100);
	pthread_cleanup_pop(1);
}

static const struct edit {
	const char *name;
	struct ibuf_mbuf *(*make)(void);
	void (*edit)(struct ibuf_mbuf *m);
} edits[] = {
	{"trim_head", of_rooms, does_trim_head},
	{"trim_head of all", of_rooms, does_trim_all},
	{"trim_tail", of_rooms, does_trim_tail},
	{"clear", of_rooms, does_clear},
	{"read", of_rooms, does_read},
	{"linearize", of_rooms, does_linearize},
	{"pullup", of_rooms, does_pullup},
	{"trim_head, of a pool", of_pool_windows, does_trim_head},
	{"trim_tail, of a pool", of_pool_windows, does_trim_tail},
	{"clear, of a pool", of_pool_windows, does_clear},
	{"read, of a pool", of_pool_windows, does_read},
	{"linearize, of a pool", of_pool_windows, does_linearize},
	{"pullup, of a pool", of_pool_windows, does_pullup},
	{"io_write, of a pool", of_pool_windows, does_io_write},
	{"append", of_rooms, does_append},
	{"append_be32", of_rooms, does_append_number},
	{"append_fill", of_rooms, does_append_fill},
	{"printf", of_rooms, does_print},
	{"prepend", of_rooms, does_prepend},
	{"prepend_le64", of_rooms, does_prepend_number},
	{"reserve", of_rooms, does_reserve},
	{"shrink", of_parts, does_shrink},
	{"unshare", of_read_only_rooms, does_unshare},
	{"at_mut", of_read_only_rooms, does_at_mut},
	{"write_at", of_read_only_rooms, does_write_at},
	{"concat to nothing", of_an_empty_room, does_join},
	{"concat of nothing", of_rooms, does_join_empty},
	{"io_write", of_rooms, does_io_write},
	{"io_read", of_rooms, does_io_read},
};

#define EACH_EDIT                                                              \
	(const struct edit *edit = edits;                                      \
	 edit < edits + sizeof(edits) / sizeof(*edits); edit++)

static struct ibuf_mbuf *
begin(const struct edit *edit, bool leaves)
{
	n_rooms = 0;
	seen.m = NULL;
	seen.leaves = false;
	seen.calls = seen.invalid = 0;
	seen.m = edit->make();
	assert_non_null(seen.m);
	seen.leaves = leaves;
	return seen.m;
}

static void
end(const struct edit *edit)
{
	if (seen.invalid != 0)
		fail_msg("%s: a callback found something wrong", edit->name);
	for (size_t i = 0; i < n_rooms; i++) {
		if (rooms[i].released != 1)
			fail_msg("%s: room %zu is released %u times",
				 edit->name, i, rooms[i].released);
		free(rooms[i].bytes);
	}
	assert_int_equal(ibuf_pool_destroy(pool), 0);
	pool = NULL;
}

TEST(a_callback_sees_the_message_as_it_is_when_the_call_returns)
{
	for
		EACH_EDIT
		{
			struct ibuf_mbuf *m = begin(edit, false);

			edit->edit(m);
			seen.m = NULL;
			if (seen.calls == 0)
				fail_msg("%s drops no room", edit->name);
			if (!has_bytes(m, seen.bytes, seen.len))
				fail_msg("%s: the callback saw other bytes",
					 edit->name);
			ibuf_mbuf_free(m);
			end(edit);
		}
}

static void
free_message(void *m)
{
	seen.leaves = false;
	seen.m = NULL;
	seen.invalid += ibuf_mbuf_validate(m) != 0;
	ibuf_mbuf_free(m);
}

static void *
edits_and_leaves(void *arg)
{
	const struct edit *edit = arg;

	pthread_cleanup_push(free_message, seen.m);
	edit->edit(seen.m);
	pthread_cleanup_pop(0);
	return NULL;
}

TEST(a_thread_may_be_cancelled_in_a_callback_of_any_call)
{
	for
		EACH_EDIT
		{
			size_t blocks = fault_live_blocks();
			pthread_t thread;
			void *result;

			begin(edit, true);
			assert_int_equal(
				pthread_create(&thread, NULL, edits_and_leaves,
					       (void *)(uintptr_t)edit),
				0);
			assert_int_equal(pthread_join(thread, &result), 0);
			if (result != PTHREAD_CANCELED)
				fail_msg("%s was not left", edit->name);
			end(edit);
			if (fault_live_blocks() > blocks)
				fail_msg("%s leaks when it is left",
					 edit->name);
		}
}

/* ---- clones that a callback makes -------------------------------------- */

static struct {
	struct ibuf_mbuf *m, *clone;
} shared;

static void
clone_once(void *bytes, size_t len, void *arg)
{
	(void)bytes;
	(void)len;
	(void)arg;
	shared.clone = ibuf_mbuf_clone(shared.m);
}

TEST(what_is_given_to_be_written_is_private_whatever_a_callback_cloned)
{
	for (int way = 0; way < 3; way++) {
		uint8_t *bytes;

		shared.m = ibuf_mbuf_wrap_const("aaaa", 4, clone_once, NULL);
		if (way == 0)
			bytes = ibuf_mbuf_data_mut(shared.m);
		else if (way == 1)
			bytes = ibuf_mbuf_at_mut(shared.m, 0, NULL);
		else
			bytes = ibuf_mbuf_unshare(shared.m) == 0
					? ibuf_mbuf_data_mut(shared.m)
					: NULL;
		assert_non_null(bytes);
		assert_true(ibuf_mbuf_is_unique(shared.m));
		bytes[0] = 'X';
		assert_message(shared.clone, "aaaa", 4);
		ibuf_mbuf_free(shared.clone);
		ibuf_mbuf_free(shared.m);
	}
}

/* ---- messages that are freed ------------------------------------------ */

static void *
frees_and_leaves(void *arg)
{
	struct ibuf_mbuf **ms = arg;

	ibuf_mbuf_free_bulk(ms, 3);
	return NULL;
}

TEST(free_and_free_bulk_release_all_where_the_first_callback_never_returns)
{
	static const struct edit by_name = {"free_bulk", NULL, NULL};

	for (int bulk = 0; bulk < 2; bulk++) {
		struct ibuf_mbuf *ms[3] = {NULL, NULL, NULL};
		pthread_t thread;

		n_rooms = 0;
		seen.m = NULL;
		seen.invalid = 0;
		ms[0] = wrapped(false);
		ms[2] = wrapped(false);
		assert_int_equal(ibuf_mbuf_concat(ms[0], wrapped(true)), 0);
		if (bulk == 0) {
			assert_int_equal(ibuf_mbuf_concat(ms[0], ms[2]), 0);
			ms[2] = NULL;
		}
		seen.leaves = true;
		assert_int_equal(
			pthread_create(&thread, NULL, frees_and_leaves, ms), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		seen.leaves = false;
		end(&by_name);
	}
}
