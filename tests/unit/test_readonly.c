/* test_readonly.c - wrapped memory that must never be written. */
#include "messages.h"
#include "states.h"

#include <sys/mman.h>

static void
count_release(void *bytes, size_t len, void *arg)
{
	(void)bytes;
	(void)len;
	++*(int *)arg;
}

/* A page that holds "abcdefgh" and cannot be written. */
static struct ibuf_mbuf *
read_only_page(char **page, int *times)
{
	*page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(*page, MAP_FAILED);
	memcpy(*page, "abcdefgh", 8);
	assert_int_equal(mprotect(*page, 4096, PROT_READ), 0);
	return ibuf_mbuf_wrap_const(*page, 8, count_release, times);
}

static void
edit_everything(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_printf(m, "%d", 1), 0);
	ibuf_mbuf_trim_head(m, 1);
	assert_int_equal(ibuf_mbuf_prepend(m, "x", 1), 0);
	ibuf_mbuf_trim_tail(m, 1);
	assert_int_equal(ibuf_mbuf_append_be16(m, 1), 0);
	memset(ibuf_mbuf_at_mut(m, 0, NULL), 'x', 1);
	ibuf_mbuf_clear(m);
	assert_int_equal(ibuf_mbuf_append(m, "x", 1), 0);
}

/* Make the first edit of a window onto read-only bytes; 0: no more. */
static bool
edit_first(struct ibuf_mbuf *m, int which)
{
	size_t len = ibuf_mbuf_len(m);
	char out;

	switch (which) {
	case 0:
		return ibuf_mbuf_append(m, "x", 1) == 0;
	case 1:
		return ibuf_mbuf_prepend(m, "x", 1) == 0;
	case 2:
		return ibuf_mbuf_append_fill(m, 'x', 1) == 0;
	case 3:
		memset(ibuf_mbuf_extend_tail(m, 1), 'x', 1);
		return true;
	case 4:
		memset(ibuf_mbuf_extend_head(m, 1), 'x', 1);
		return true;
	case 5:
		memset(ibuf_mbuf_reserve(m, 1), 'x', 1);
		return true;
	case 6:
		memset(ibuf_mbuf_at_mut(m, len / 2, NULL), 'x', 1);
		return true;
	case 7:
		return ibuf_mbuf_write_at(m, 0, "xx", 2) == 0;
	case 8:
		return ibuf_mbuf_unshare(m) == 0;
	case 9:
		return ibuf_mbuf_trim_head(m, 1) == 0;
	case 10:
		return ibuf_mbuf_trim_tail(m, 1) == 0;
	case 11:
		return ibuf_mbuf_read(m, &out, 1) == 1;
	case 12:
		ibuf_mbuf_clear(m);
		return true;
	case 13:
		return ibuf_mbuf_shrink(m) == 0;
	case 14:
		return ibuf_mbuf_linearize(m) == 0;
	case 15:
		return ibuf_mbuf_prepend_le64(m, 1) == 0;
	default:
		return false;
	}
}

/* A window onto the page by way of clone, slice and so on. */
static struct ibuf_mbuf *
by_way(struct ibuf_mbuf *m, int way)
{
	struct ibuf_mbuf *w = m, *other;

	switch (way) {
	case 0:
		return m;
	case 1:
		w = ibuf_mbuf_clone(m);
		break;
	case 2:
		w = ibuf_mbuf_slice(m, 1, 6);
		break;
	case 3: /* the rest */
		w = ibuf_mbuf_split(m, 4);
		break;
	case 4: /* the front */
		ibuf_mbuf_free(ibuf_mbuf_split(m, 4));
		return m;
	case 5: /* split and joined again */
		other = ibuf_mbuf_split(m, 4);
		assert_int_equal(ibuf_mbuf_concat(m, other), 0);
		assert_int_equal(ibuf_mbuf_segments(m), 1);
		return m;
	case 6: /* the head of a chain */
		add_segment(m, "tail", 4);
		return m;
	case 7: /* the tail of one */
		w = message_of("head", 4);
		assert_int_equal(ibuf_mbuf_concat(w, m), 0);
		return w;
	case 8: /* taken over by an empty message */
		w = ibuf_mbuf_new(100);
		assert_int_equal(ibuf_mbuf_concat(w, m), 0);
		return w;
	case 9: /* taken over when the first segment emptied */
		w = message_of("head", 4);
		assert_int_equal(ibuf_mbuf_concat(w, m), 0);
		assert_int_equal(ibuf_mbuf_trim_head(w, 4), 0);
		return w;
	default:
		return NULL;
	}
	ibuf_mbuf_free(m);
	return w;
}

TEST(a_read_only_page_is_never_written_whatever_way_it_is_reached)
{
	bool more = true;

	for (int way = 0; way < 10; way++) {
		for (int which = 0; which == 0 || more; which++) {
			int times = 0;
			char *page;
			struct ibuf_mbuf *m = read_only_page(&page, &times);

			m = by_way(m, way);
			assert_non_null(m);
			assert_int_equal(ibuf_mbuf_validate(m), 0);
			assert_false(ibuf_mbuf_is_unique(m));
			more = edit_first(m, which);
			assert_int_equal(ibuf_mbuf_validate(m), 0);
			edit_everything(m);
			assert_int_equal(ibuf_mbuf_validate(m), 0);
			assert_memory_equal(page, "abcdefgh", 8);
			ibuf_mbuf_free(m);
			assert_int_equal(times, 1);
			assert_int_equal(munmap(page, 4096), 0);
		}
	}
}

TEST(trimming_and_reading_read_only_bytes_copies_nothing)
{
	struct ibuf_mbuf *m = ibuf_mbuf_wrap_const("abcdefgh", 8, NULL, NULL);
	const uint8_t *data = ibuf_mbuf_data(m);
	size_t calls = fault_calls();
	char out[2];

	assert_sizes(m, 0, 8, 0, 8);
	assert_int_equal(ibuf_mbuf_trim_head(m, 1), 0);
	assert_int_equal(ibuf_mbuf_trim_tail(m, 1), 0);
	assert_int_equal(ibuf_mbuf_read(m, out, 2), 2);
	assert_memory_equal(out, "bc", 2);
	assert_ptr_equal(ibuf_mbuf_data(m), data + 3);
	assert_sizes(m, 0, 4, 0, 8);
	assert_int_equal(fault_calls(), calls);
	/* It grows as if it left a shared room: max(C, len + n). */
	assert_int_equal(ibuf_mbuf_append(m, "x", 1), 0);
	assert_sizes(m, 0, 5, 3, 8);
	assert_int_equal(ibuf_mbuf_append(m, "xxxx", 4), 0);
	assert_sizes(m, 0, 9, 3, 12);
	ibuf_mbuf_free(m);
}

TEST(a_read_only_message_grows_as_one_that_leaves_a_shared_room)
{
	for (size_t n = 0; n < 40; n += 13) {
		struct ibuf_mbuf *m =
			ibuf_mbuf_wrap_const("abcdefgh", 8, NULL, NULL);

		assert_non_null(ibuf_mbuf_extend_tail(m, n));
		assert_int_equal(ibuf_mbuf_capacity(m), 8 + n);
		assert_int_equal(ibuf_mbuf_is_unique(m), n != 0);
		ibuf_mbuf_free(m);
	}
}
