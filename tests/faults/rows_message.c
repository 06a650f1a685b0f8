/* rows_message.c - the functions of messages and cursors. */
#include "world.h"

#include <stdarg.h>

#define CALL(name) static int name(struct world *w)

static void
released(void *bytes, size_t len, void *arg)
{
	struct world *w = arg;

	(void)bytes;
	(void)len;
	w->released++;
}

/* ---- births -------------------------------------------------------- */

CALL(new)
{
	w->result = ibuf_mbuf_new(100);
	return error_of(w->result);
}

CALL(new_headroom)
{
	w->result = ibuf_mbuf_new_headroom(16, 100);
	return error_of(w->result);
}

CALL(from)
{
	w->result = ibuf_mbuf_from(TEXT, LEN);
	if (w->result != NULL)
		hold_message(w->result, TEXT, LEN);
	return error_of(w->result);
}

CALL(wrap)
{
	static char text[LEN];

	w->result = ibuf_mbuf_wrap(text, LEN, released, w);
	hold(w->released == 0);
	return error_of(w->result);
}

CALL(wrap_const)
{
	w->result = ibuf_mbuf_wrap_const(TEXT, LEN, released, w);
	hold(w->released == 0);
	return error_of(w->result);
}

CALL(clone)
{
	w->result = ibuf_mbuf_clone(w->m);
	if (w->result != NULL)
		hold_message(w->result, TEXT, LEN);
	return error_of(w->result);
}

CALL(clone_bulk)
{
	int error = ibuf_mbuf_clone_bulk(w->m, w->results, 4);

	for (int i = 0; error == 0 && i < 4; i++)
		hold_message(w->results[i], TEXT, LEN);
	return error;
}

CALL(slice)
{
	w->result = ibuf_mbuf_slice(w->m, 1, 8);
	if (w->result != NULL)
		hold_message(w->result, &TEXT[1], 8);
	return error_of(w->result);
}

CALL(copy)
{
	w->result = ibuf_mbuf_copy(w->m, 1, 8);
	if (w->result != NULL)
		hold_message(w->result, &TEXT[1], 8);
	return error_of(w->result);
}

CALL(mbuf_free)
{
	ibuf_mbuf_free(w->m);
	w->m = NULL;
	return 0;
}

CALL(free_bulk)
{
	struct ibuf_mbuf *ms[] = {w->m, NULL, w->kin};

	ibuf_mbuf_free_bulk(ms, COUNT(ms));
	w->m = w->kin = NULL;
	return 0;
}

/* ---- looking ------------------------------------------------------- */

CALL(len)
{
	hold(ibuf_mbuf_len(w->m) == LEN);
	return 0;
}

CALL(data)
{
	hold((ibuf_mbuf_data(w->m) != NULL) == (ibuf_mbuf_segments(w->m) == 1));
	return 0;
}

CALL(at)
{
	hold(*ibuf_mbuf_at(w->m, 4, NULL) == 'e');
	return 0;
}

CALL(headroom)
{
	hold(ibuf_mbuf_headroom(w->m) <= 64);
	return 0;
}

CALL(tailroom)
{
	hold(ibuf_mbuf_tailroom(w->m) <= 512);
	return 0;
}

CALL(capacity)
{
	hold(ibuf_mbuf_capacity(w->m) >= LEN);
	return 0;
}

CALL(matches)
{
	hold(ibuf_mbuf_matches(w->m, 2, "cdefg", 5));
	return 0;
}

CALL(is_unique)
{
	hold(!ibuf_mbuf_is_unique(w->m) || w->kin == NULL);
	return 0;
}

CALL(is_contiguous)
{
	hold(ibuf_mbuf_is_contiguous(w->m) == (ibuf_mbuf_segments(w->m) == 1));
	return 0;
}

CALL(segments)
{
	hold(ibuf_mbuf_segments(w->m) >= 1);
	return 0;
}

CALL(pool)
{
	hold(ibuf_mbuf_pool(w->m) == w->pool);
	return 0;
}

CALL(private)
{
	hold((ibuf_mbuf_private(w->m) != NULL) == (w->pool != NULL) ||
	     w->pool == NULL);
	return 0;
}

/* ---- the ends ------------------------------------------------------ */

CALL(append)
{
	return ibuf_mbuf_append(w->m, "XYZ", 3);
}

CALL(prepend)
{
	return ibuf_mbuf_prepend(w->m,
				 "0123456789012345678901234567890123456789"
				 "0123456789012345678901234567890123456789",
				 80);
}

CALL(append_range)
{
	return ibuf_mbuf_append_range(w->m, w->m, 2, 5);
}

CALL(append_fill)
{
	return ibuf_mbuf_append_fill(w->m, 'x', 4);
}

CALL(extend_tail)
{
	void *bytes = ibuf_mbuf_extend_tail(w->m, 3);

	if (bytes != NULL)
		memcpy(bytes, "XYZ", 3);
	return error_of(bytes);
}

CALL(extend_head)
{
	void *bytes = ibuf_mbuf_extend_head(w->m, 3);

	if (bytes != NULL)
		memcpy(bytes, "XYZ", 3);
	return error_of(bytes);
}

CALL(print)
{
	return ibuf_mbuf_printf(w->m, "%s", "XYZ");
}

static int print_list(struct ibuf_mbuf *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int
print_list(struct ibuf_mbuf *m, const char *format, ...)
{
	va_list args;
	int error;

	va_start(args, format);
	error = ibuf_mbuf_vprintf(m, format, args);
	va_end(args);
	return error;
}

CALL(vprint)
{
	return print_list(w->m, "%s", "XYZ");
}

CALL(reserve)
{
	return error_of(ibuf_mbuf_reserve(w->m, 300));
}

CALL(commit)
{
	hold(ibuf_mbuf_commit(w->m, 0) == 0);
	return 0;
}

CALL(trim_head)
{
	return ibuf_mbuf_trim_head(w->m, 4);
}

CALL(trim_tail)
{
	return ibuf_mbuf_trim_tail(w->m, 4);
}

CALL(clear)
{
	ibuf_mbuf_clear(w->m);
	return 0;
}

CALL(shrink)
{
	return ibuf_mbuf_shrink(w->m);
}

/* ---- in place, and as a stream ------------------------------------- */

CALL(data_mut)
{
	uint8_t *bytes;

	if (!ibuf_mbuf_is_contiguous(w->m)) {
		hold(ibuf_mbuf_data_mut(w->m) == NULL);
		return 0;
	}
	bytes = ibuf_mbuf_data_mut(w->m);
	if (bytes != NULL)
		*bytes = 'a';
	return error_of(bytes);
}

CALL(at_mut)
{
	size_t run = 42;
	uint8_t *bytes = ibuf_mbuf_at_mut(w->m, 4, &run);

	hold(bytes != NULL || run == 42);
	if (bytes != NULL)
		*bytes = 'E';
	return error_of(bytes);
}

CALL(unshare)
{
	return ibuf_mbuf_unshare(w->m);
}

CALL(write_at)
{
	return ibuf_mbuf_write_at(w->m, 2, "CDEFGH", 6);
}

CALL(mbuf_read)
{
	hold(ibuf_mbuf_read(w->m, w->bytes, 4) == 4);
	hold(memcmp(w->bytes, TEXT, 4) == 0);
	return 0;
}

CALL(mbuf_write)
{
	ssize_t n = ibuf_mbuf_write(w->m, "XYZ", 3);

	return n == 3 ? 0 : (int)n;
}

/* ---- segments ------------------------------------------------------ */

CALL(concat)
{
	struct ibuf_mbuf *tail;

	if (w->kin == NULL)
		return 0;
	tail = w->kin;
	w->kin = NULL;
	hold(ibuf_mbuf_concat(w->m, tail) == 0);
	return 0;
}

CALL(concat_front)
{
	struct ibuf_mbuf *front;

	if (w->kin == NULL)
		return 0;
	front = w->kin;
	w->kin = NULL;
	hold(ibuf_mbuf_concat_front(w->m, front) == 0);
	return 0;
}

CALL(split)
{
	w->result = ibuf_mbuf_split(w->m, 5);
	if (w->result != NULL)
		hold_message(w->result, &TEXT[5], 5);
	return error_of(w->result);
}

CALL(split_front)
{
	int error = ibuf_mbuf_split_front(w->m, 5, &w->result);

	if (error == 0)
		hold_message(w->result, TEXT, 5);
	return error;
}

CALL(linearize)
{
	return ibuf_mbuf_linearize(w->m);
}

CALL(pullup)
{
	return error_of(ibuf_mbuf_pullup(w->m, 8));
}

CALL(copy_out)
{
	hold(ibuf_mbuf_copy_out(w->m, 1, w->bytes, 8) == 0);
	hold(memcmp(w->bytes, &TEXT[1], 8) == 0);
	return 0;
}

CALL(compare)
{
	hold(ibuf_mbuf_compare(w->m, w->m) == 0);
	return 0;
}

CALL(find)
{
	hold(ibuf_mbuf_find(w->m, 0, "cdefg", 5) == 2);
	return 0;
}

CALL(iov)
{
	struct iovec iov[4];

	hold(ibuf_mbuf_iov(w->m, 0, iov, 4) == ibuf_mbuf_segments(w->m));
	return 0;
}

CALL(checksum)
{
	uint16_t sum;

	hold(ibuf_mbuf_checksum(w->m, 0, LEN, 0, &sum) == 0);
	hold(sum != 0);
	return 0;
}

CALL(seg_next)
{
	hold((ibuf_mbuf_seg_next(w->m) == NULL) ==
	     ibuf_mbuf_is_contiguous(w->m));
	return 0;
}

CALL(seg_data)
{
	hold(*ibuf_mbuf_seg_data(w->m) == 'a');
	return 0;
}

CALL(seg_len)
{
	hold(ibuf_mbuf_seg_len(w->m) >= 3);
	return 0;
}

CALL(validate)
{
	hold(ibuf_mbuf_validate(w->m) == 0);
	return 0;
}

CALL(dump)
{
	static FILE *nowhere;

	if (nowhere == NULL)
		nowhere = fopen("/dev/null", "w");
	hold(nowhere != NULL);
	ibuf_mbuf_dump(w->m, nowhere);
	return 0;
}

/* ---- cursors ------------------------------------------------------- */

CALL(cursor_init)
{
	ibuf_cursor_init(&w->cursor, w->m);
	return 0;
}

CALL(cursor_position)
{
	hold(ibuf_cursor_position(&w->cursor) == 0);
	return 0;
}

CALL(cursor_remaining)
{
	hold(ibuf_cursor_remaining(&w->cursor) == LEN);
	return 0;
}

CALL(cursor_reset)
{
	ibuf_cursor_reset(&w->cursor);
	return 0;
}

CALL(cursor_seek)
{
	hold(ibuf_cursor_seek(&w->cursor, 7));
	return 0;
}

CALL(cursor_skip)
{
	hold(ibuf_cursor_skip(&w->cursor, 7));
	return 0;
}

CALL(cursor_limit)
{
	hold(ibuf_cursor_limit(&w->cursor, 7));
	return 0;
}

CALL(cursor_read)
{
	hold(ibuf_cursor_read(&w->cursor, w->bytes, 7));
	hold(memcmp(w->bytes, TEXT, 7) == 0);
	return 0;
}

CALL(cursor_span)
{
	hold(ibuf_cursor_span(&w->cursor, 3) != NULL);
	return 0;
}

CALL(cursor_view)
{
	hold(memcmp(ibuf_cursor_view(&w->cursor, 7, w->bytes), TEXT, 7) == 0);
	return 0;
}

CALL(cursor_find)
{
	hold(ibuf_cursor_find(&w->cursor, "cdefg", 5) == 2);
	return 0;
}

CALL(cursor_take)
{
	w->result = ibuf_cursor_take(&w->cursor, 8);
	if (w->result != NULL)
		hold_message(w->result, TEXT, 8);
	return error_of(w->result);
}

#define FILL_80                                                                \
	"0123456789012345678901234567890123456789"                             \
	"0123456789012345678901234567890123456789"

const struct row rows_message[] = {
	{"ibuf_mbuf_new", NOTHING, new, NULL},
	{"ibuf_mbuf_new_headroom", NOTHING, new_headroom, NULL},
	{"ibuf_mbuf_from", NOTHING, from, NULL},
	{"ibuf_mbuf_wrap", NOTHING, wrap, NULL},
	{"ibuf_mbuf_wrap_const", NOTHING, wrap_const, NULL},
	{"ibuf_mbuf_clone", MESSAGE, clone, TEXT},
	{"ibuf_mbuf_clone_bulk", MESSAGE, clone_bulk, TEXT},
	{"ibuf_mbuf_slice", MESSAGE, slice, TEXT},
	{"ibuf_mbuf_copy", MESSAGE, copy, TEXT},
	{"ibuf_mbuf_free", MESSAGE, mbuf_free, NULL},
	{"ibuf_mbuf_free_bulk", MESSAGE, free_bulk, NULL},
	{"ibuf_mbuf_len", MESSAGE, len, TEXT},
	{"ibuf_mbuf_data", MESSAGE, data, TEXT},
	{"ibuf_mbuf_at", MESSAGE, at, TEXT},
	{"ibuf_mbuf_headroom", MESSAGE, headroom, TEXT},
	{"ibuf_mbuf_tailroom", MESSAGE, tailroom, TEXT},
	{"ibuf_mbuf_capacity", MESSAGE, capacity, TEXT},
	{"ibuf_mbuf_matches", MESSAGE, matches, TEXT},
	{"ibuf_mbuf_is_unique", MESSAGE, is_unique, TEXT},
	{"ibuf_mbuf_is_contiguous", MESSAGE, is_contiguous, TEXT},
	{"ibuf_mbuf_segments", MESSAGE, segments, TEXT},
	{"ibuf_mbuf_pool", MESSAGE, pool, TEXT},
	{"ibuf_mbuf_private", MESSAGE, private, TEXT},
	{"ibuf_mbuf_append", MESSAGE, append, TEXT "XYZ"},
	{"ibuf_mbuf_prepend", MESSAGE, prepend, FILL_80 TEXT},
	{"ibuf_mbuf_append_range", MESSAGE, append_range, TEXT "cdefg"},
	{"ibuf_mbuf_append_fill", MESSAGE, append_fill, TEXT "xxxx"},
	{"ibuf_mbuf_extend_tail", MESSAGE, extend_tail, TEXT "XYZ"},
	{"ibuf_mbuf_extend_head", MESSAGE, extend_head, "XYZ" TEXT},
	{"ibuf_mbuf_printf", MESSAGE, print, TEXT "XYZ"},
	{"ibuf_mbuf_vprintf", MESSAGE, vprint, TEXT "XYZ"},
	{"ibuf_mbuf_reserve", MESSAGE, reserve, TEXT},
	{"ibuf_mbuf_commit", MESSAGE, commit, TEXT},
	{"ibuf_mbuf_trim_head", MESSAGE, trim_head, "efghij"},
	{"ibuf_mbuf_trim_tail", MESSAGE, trim_tail, "abcdef"},
	{"ibuf_mbuf_clear", MESSAGE, clear, ""},
	{"ibuf_mbuf_shrink", MESSAGE, shrink, TEXT},
	{"ibuf_mbuf_data_mut", MESSAGE, data_mut, TEXT},
	{"ibuf_mbuf_at_mut", MESSAGE, at_mut, "abcdEfghij"},
	{"ibuf_mbuf_unshare", MESSAGE, unshare, TEXT},
	{"ibuf_mbuf_write_at", MESSAGE, write_at, "abCDEFGHij"},
	{"ibuf_mbuf_read", MESSAGE, mbuf_read, "efghij"},
	{"ibuf_mbuf_write", MESSAGE, mbuf_write, TEXT "XYZ"},
	{"ibuf_mbuf_concat", MESSAGE, concat, NULL},
	{"ibuf_mbuf_concat_front", MESSAGE, concat_front, NULL},
	{"ibuf_mbuf_split", MESSAGE, split, "abcde"},
	{"ibuf_mbuf_split_front", MESSAGE, split_front, "fghij"},
	{"ibuf_mbuf_linearize", MESSAGE, linearize, TEXT},
	{"ibuf_mbuf_pullup", MESSAGE, pullup, TEXT},
	{"ibuf_mbuf_copy_out", MESSAGE, copy_out, TEXT},
	{"ibuf_mbuf_compare", MESSAGE, compare, TEXT},
	{"ibuf_mbuf_find", MESSAGE, find, TEXT},
	{"ibuf_mbuf_iov", MESSAGE, iov, TEXT},
	{"ibuf_mbuf_checksum", MESSAGE, checksum, TEXT},
	{"ibuf_mbuf_seg_next", MESSAGE, seg_next, TEXT},
	{"ibuf_mbuf_seg_data", MESSAGE, seg_data, TEXT},
	{"ibuf_mbuf_seg_len", MESSAGE, seg_len, TEXT},
	{"ibuf_mbuf_validate", MESSAGE, validate, TEXT},
	{"ibuf_mbuf_dump", MESSAGE, dump, TEXT},
	{"ibuf_cursor_init", MESSAGE, cursor_init, TEXT},
	{"ibuf_cursor_position", MESSAGE, cursor_position, TEXT},
	{"ibuf_cursor_remaining", MESSAGE, cursor_remaining, TEXT},
	{"ibuf_cursor_reset", MESSAGE, cursor_reset, TEXT},
	{"ibuf_cursor_seek", MESSAGE, cursor_seek, TEXT},
	{"ibuf_cursor_skip", MESSAGE, cursor_skip, TEXT},
	{"ibuf_cursor_limit", MESSAGE, cursor_limit, TEXT},
	{"ibuf_cursor_read", MESSAGE, cursor_read, TEXT},
	{"ibuf_cursor_span", MESSAGE, cursor_span, TEXT},
	{"ibuf_cursor_view", MESSAGE, cursor_view, TEXT},
	{"ibuf_cursor_find", MESSAGE, cursor_find, TEXT},
	{"ibuf_cursor_take", MESSAGE, cursor_take, TEXT},

	{"ibuf_cursor_read_any_", INSIDE, NULL, "ibuf_cursor_read"},
	{"ibuf_cursor_skip_any_", INSIDE, NULL, "ibuf_cursor_skip"},
	{"ibuf_cursor_take_any_", INSIDE, NULL, "ibuf_cursor_take"},
	{"ibuf_mbuf_append_any_", INSIDE, NULL, "ibuf_mbuf_append"},
	{"ibuf_mbuf_at_any_", INSIDE, NULL, "ibuf_mbuf_at"},
	{"ibuf_mbuf_clear_any_", INSIDE, NULL, "ibuf_mbuf_clear"},
	{"ibuf_mbuf_clone_any_", INSIDE, NULL, "ibuf_mbuf_clone"},
	{"ibuf_mbuf_commit_any_", INSIDE, NULL, "ibuf_mbuf_commit"},
	{"ibuf_mbuf_extend_head_any_", INSIDE, NULL, "ibuf_mbuf_extend_head"},
	{"ibuf_mbuf_extend_tail_any_", INSIDE, NULL, "ibuf_mbuf_extend_tail"},
	{"ibuf_mbuf_free_any_", INSIDE, NULL, "ibuf_mbuf_free"},
	{"ibuf_mbuf_free_last_", INSIDE, NULL, "ibuf_mbuf_free"},
	{"ibuf_mbuf_prepend_any_", INSIDE, NULL, "ibuf_mbuf_prepend"},
	{"ibuf_mbuf_read_any_", INSIDE, NULL, "ibuf_mbuf_read"},
	{"ibuf_mbuf_reserve_any_", INSIDE, NULL, "ibuf_mbuf_reserve"},
	{"ibuf_mbuf_room_capacity_", INSIDE, NULL, "ibuf_mbuf_capacity"},
	{"ibuf_mbuf_slice_any_", INSIDE, NULL, "ibuf_mbuf_slice"},
	{"ibuf_mbuf_trim_head_any_", INSIDE, NULL, "ibuf_mbuf_trim_head"},
	{"ibuf_mbuf_trim_tail_any_", INSIDE, NULL, "ibuf_mbuf_trim_tail"},
	{NULL, NOTHING, NULL, NULL},
};
