/*
 * test_readonly.c - memory that may not be written is not, whatever became
 * of the message that shows it.
 *
 * The memory is a page the system would kill us for writing.  Each way to
 * derive a message from it meets each way to write.
 */
#include "failures.h"
#include "messages.h"

#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, LEN = 10 };

static const uint8_t ten[] = "0123456789";

struct page {
	uint8_t *bytes;
	int released;
};

static void
release(void *bytes, size_t len, void *arg)
{
	struct page *page = arg;

	assert_ptr_equal(bytes, page->bytes);
	assert_int_equal(len, LEN);
	page->released++;
}

/* A message of a page that only can be read. */
static struct ibuf_mbuf *
page_message(struct page *page)
{
	struct ibuf_mbuf *m;

	page->released = 0;
	page->bytes = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(page->bytes, MAP_FAILED);
	memcpy(page->bytes, ten, LEN);
	assert_int_equal(mprotect(page->bytes, PAGE, PROT_READ), 0);
	m = ibuf_mbuf_wrap_const(page->bytes, LEN, release, page);
	assert_message(m, ten, LEN);
	assert_ptr_equal(ibuf_mbuf_data(m), page->bytes);
	return m;
}

static void
page_end(struct page *page)
{
	assert_int_equal(page->released, 1);
	assert_memory_equal(page->bytes, ten, LEN);
	assert_int_equal(munmap(page->bytes, PAGE), 0);
}

/* ---- ways to derive ------------------------------------------------ */

/* Each takes the message of the page and gives one that shows some of it. */

static struct ibuf_mbuf *
itself(struct ibuf_mbuf *m)
{
	return m;
}

static struct ibuf_mbuf *
only(struct ibuf_mbuf *derived, struct ibuf_mbuf *m)
{
	assert_non_null(derived);
	ibuf_mbuf_free(m);
	return derived;
}

static struct ibuf_mbuf *
cloned(struct ibuf_mbuf *m)
{
	return only(ibuf_mbuf_clone(m), m);
}

static struct ibuf_mbuf *
cloned_in_bulk(struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *clones[2];

	assert_int_equal(ibuf_mbuf_clone_bulk(m, clones, 2), 0);
	ibuf_mbuf_free(clones[1]);
	return only(clones[0], m);
}

static struct ibuf_mbuf *
sliced(struct ibuf_mbuf *m)
{
	return only(ibuf_mbuf_slice(m, 1, ibuf_mbuf_len(m) - 2), m);
}

static struct ibuf_mbuf *
sliced_twice(struct ibuf_mbuf *m)
{
	return sliced(cloned(sliced(m)));
}

static struct ibuf_mbuf *
taken(struct ibuf_mbuf *m)
{
	struct ibuf_cursor c;

	ibuf_cursor_init(&c, m);
	assert_true(ibuf_cursor_skip(&c, 3));
	return only(ibuf_cursor_take(&c, 4), m);
}

static struct ibuf_mbuf *
front_of_a_split(struct ibuf_mbuf *m)
{
	ibuf_mbuf_free(ibuf_mbuf_split(m, 4));
	return m;
}

static struct ibuf_mbuf *
rest_of_a_split(struct ibuf_mbuf *m)
{
	return only(ibuf_mbuf_split(m, 4), m);
}

static struct ibuf_mbuf *
empty_rest(struct ibuf_mbuf *m)
{
	return only(ibuf_mbuf_split(m, LEN), m);
}

static struct ibuf_mbuf *
rejoined(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_concat(m, ibuf_mbuf_split(m, 4)), 0);
	assert_int_equal(ibuf_mbuf_segments(m), 1);
	return m;
}

static struct ibuf_mbuf *
behind_another(struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *front = message_of("front", 5);

	assert_int_equal(ibuf_mbuf_concat(front, m), 0);
	return front;
}

static struct ibuf_mbuf *
before_another(struct ibuf_mbuf *m)
{
	add_segment(m, "back", 4);
	return m;
}

static struct ibuf_mbuf *
taken_over(struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *empty = ibuf_mbuf_new(16);

	assert_int_equal(ibuf_mbuf_concat(empty, m), 0);
	return empty;
}

static struct ibuf_mbuf *
become_first(struct ibuf_mbuf *m)
{
	m = behind_another(m);
	assert_int_equal(ibuf_mbuf_trim_head(m, 5), 0);
	return m;
}

static struct ibuf_mbuf *
left_by_pullup(struct ibuf_mbuf *m)
{
	m = behind_another(m);
	assert_non_null(ibuf_mbuf_pullup(m, 7));
	assert_int_equal(ibuf_mbuf_segments(m), 2);
	return m;
}

static struct ibuf_mbuf *
trimmed(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_trim_head(m, 2), 0);
	assert_int_equal(ibuf_mbuf_trim_tail(m, 2), 0);
	return m;
}

static struct ibuf_mbuf *
read_from(struct ibuf_mbuf *m)
{
	char dst[3];

	assert_int_equal(ibuf_mbuf_read(m, dst, 3), 3);
	return m;
}

static struct ibuf_mbuf *
cleared(struct ibuf_mbuf *m)
{
	ibuf_mbuf_clear(m);
	return m;
}

static struct ibuf_mbuf *
linearized(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_linearize(m), 0);
	return m;
}

static struct ibuf_mbuf *
shrunk(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_shrink(m), 0);
	return m;
}

typedef struct ibuf_mbuf *derive_fn(struct ibuf_mbuf *m);

static derive_fn *const derivations[] = {
	itself,       cloned,       cloned_in_bulk,   sliced,
	sliced_twice, taken,        front_of_a_split, rest_of_a_split,
	empty_rest,   rejoined,     behind_another,   before_another,
	taken_over,   become_first, left_by_pullup,   trimmed,
	read_from,    cleared,      linearized,       shrunk};

/* ---- ways to write ------------------------------------------------- */

/* Each does to the message what to_flat() does to flat bytes. */

enum write {
	APPEND,
	PREPEND,
	FILL,
	PRINT,
	TAIL,
	HEAD,
	RESERVE,
	AT,
	READ,
	DATA_MUT,
	AT_MUT,
	UNSHARE,
	WRITES
};

static void
write_to(struct ibuf_mbuf *m, enum write how)
{
	size_t len = ibuf_mbuf_len(m), run;
	int ends[2];
	uint8_t *at;

	switch (how) {
	case APPEND:
		assert_int_equal(ibuf_mbuf_append(m, "##", 2), 0);
		break;
	case PREPEND:
		assert_int_equal(ibuf_mbuf_prepend(m, "##", 2), 0);
		break;
	case FILL:
		assert_int_equal(ibuf_mbuf_append_fill(m, '#', 2), 0);
		break;
	case PRINT:
		assert_int_equal(ibuf_mbuf_printf(m, "%c%c", '#', '#'), 0);
		break;
	case TAIL:
		memset(ibuf_mbuf_extend_tail(m, 2), '#', 2);
		break;
	case HEAD:
		memset(ibuf_mbuf_extend_head(m, 2), '#', 2);
		break;
	case RESERVE:
		memset(ibuf_mbuf_reserve(m, 2), '#', 2);
		assert_int_equal(ibuf_mbuf_commit(m, 2), 0);
		break;
	case READ:
		assert_int_equal(pipe(ends), 0);
		assert_int_equal(write(ends[1], "##", 2), 2);
		assert_int_equal(ibuf_io_read(ends[0], m, 2), 2);
		close(ends[0]);
		close(ends[1]);
		break;
	case AT:
		assert_int_equal(ibuf_mbuf_append(m, "??", 2), 0);
		assert_int_equal(ibuf_mbuf_write_at(m, len, "##", 2), 0);
		for (size_t i = 0; i < len; i++)
			assert_int_equal(ibuf_mbuf_write_at(m, i, "!", 1), 0);
		break;
	case DATA_MUT:
		assert_int_equal(ibuf_mbuf_linearize(m), 0);
		memset(ibuf_mbuf_data_mut(m), '!', len);
		break;
	case AT_MUT:
		for (size_t i = 0; i < len; i += run) {
			at = ibuf_mbuf_at_mut(m, i, &run);
			memset(at, '!', run);
		}
		break;
	case UNSHARE:
	default:
		assert_int_equal(ibuf_mbuf_unshare(m), 0);
		assert_true(ibuf_mbuf_is_unique(m));
		for (size_t i = 0; i < len; i++)
			*ibuf_mbuf_at_mut(m, i, NULL) = '!';
	}
}

static size_t
to_flat(uint8_t *bytes, size_t len, enum write how)
{
	bool front = how == PREPEND || how == HEAD;

	if (how >= DATA_MUT || how == AT)
		memset(bytes, '!', len);
	if (how >= DATA_MUT)
		return len;
	if (front)
		memmove(bytes + 2, bytes, len);
	memset(front ? bytes : bytes + len, '#', 2);
	return len + 2;
}

/* ---- each meets each ----------------------------------------------- */

static void
derive_and_write(derive_fn *derive, enum write how, bool with_peer)
{
	struct page page;
	struct ibuf_mbuf *m = page_message(&page), *peer = NULL;
	uint8_t flat[LEN + 16];
	size_t len;

	if (with_peer)
		peer = ibuf_mbuf_clone(m);
	m = derive(m);
	len = ibuf_mbuf_len(m);
	assert_in_range(len, 0, sizeof(flat) - 2);
	assert_int_equal(ibuf_mbuf_copy_out(m, 0, flat, len), 0);
	assert_message(m, flat, len);
	write_to(m, how);
	len = to_flat(flat, len, how);
	assert_message(m, flat, len);
	if (with_peer) {
		assert_int_equal(page.released, 0);
		assert_message(peer, ten, LEN);
		assert_ptr_equal(ibuf_mbuf_data(peer), page.bytes);
	}
	ibuf_mbuf_free(peer);
	ibuf_mbuf_free(m);
	page_end(&page);
}

TEST(read_only_memory_is_never_written_whatever_became_of_the_message)
{
	size_t n = sizeof(derivations) / sizeof(*derivations);

	for (size_t i = 0; i < n; i++)
		for (int how = 0; how < WRITES; how++)
			derive_and_write(derivations[i], (enum write)how,
					 false);
}

TEST(nor_while_another_message_shows_it_too)
{
	size_t n = sizeof(derivations) / sizeof(*derivations);

	for (size_t i = 0; i < n; i++)
		for (int how = 0; how < WRITES; how++)
			derive_and_write(derivations[i], (enum write)how, true);
}

TEST(a_read_only_message_has_room_at_neither_end_and_is_not_unique)
{
	struct page page;
	struct ibuf_mbuf *m = page_message(&page);

	assert_sizes(m, 0, LEN, 0, LEN);
	assert_false(ibuf_mbuf_is_unique(m));
	m = trimmed(m);
	/* Bytes that were trimmed are no room to write in. */
	assert_int_equal(ibuf_mbuf_headroom(m), 0);
	assert_int_equal(ibuf_mbuf_tailroom(m), 0);
	assert_false(ibuf_mbuf_is_unique(m));
	assert_int_equal(ibuf_mbuf_commit(m, 1), -ERANGE);
	ibuf_mbuf_free(m);
	page_end(&page);
}

TEST(memory_is_given_back_when_the_message_has_moved_off_it)
{
	struct page page;
	struct ibuf_mbuf *m = page_message(&page);

	assert_int_equal(ibuf_mbuf_append(m, "", 0), 0);
	assert_int_equal(page.released, 0);
	assert_int_equal(ibuf_mbuf_append(m, "!", 1), 0);
	assert_int_equal(page.released, 1);
	assert_message(m, "0123456789!", 11);
	assert_true(ibuf_mbuf_is_unique(m));
	ibuf_mbuf_free(m);
	page_end(&page);
}

/* ---- failures ------------------------------------------------------ */

static void
make_wrapped(struct failure *w)
{
	w->m = ibuf_mbuf_wrap_const(ten, LEN, NULL, NULL);
	w->peer = ibuf_mbuf_clone(w->m);
	add_segment(w->m, "abc", 3);
}

static int
unshare_it(struct failure *w)
{
	return ibuf_mbuf_unshare(w->m);
}

static int
overwrite_it(struct failure *w)
{
	return ibuf_mbuf_write_at(w->m, 8, "89ab", 4);
}

TEST(a_write_that_finds_no_memory_to_move_to_changes_nothing)
{
	assert_survives(make_wrapped, unshare_it, "0123456789abc", 13);
	assert_survives(make_wrapped, overwrite_it, "0123456789abc", 13);
}
