/* test_dump.c - what a person is shown of a message. */
#include "messages.h"
#include "states.h"

#include "lines.h"

/* What dump prints, each address as "@"; the caller frees it. */
static char *
dump_of(const struct ibuf_mbuf *m)
{
	char *text, *to;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	ibuf_mbuf_dump(m, file);
	assert_int_equal(ferror(file), 0);
	fclose(file);
	to = text;
	for (const char *from = text; *from != '\0';) {
		if (strncmp(from, "0x", 2) == 0) {
			from += 2 + strspn(from + 2, "0123456789abcdef");
			*to++ = '@';
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
	return text;
}

static void
assert_dump(const struct ibuf_mbuf *m, const char *expected)
{
	char *text = dump_of(m);

	assert_string_equal(text, expected);
	free(text);
}

TEST(dump_shows_room_count_rights_and_bytes)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new_headroom(16, 64), *clone;

	assert_int_equal(
		ibuf_mbuf_append(m, "GET / HTTP/1.1\r\n\0\x7f\xff", 19), 0);
	assert_dump(m, "mbuf @ of heap: 19 bytes in 1 segment\n"
		       "  segment 0: 19 bytes at @, headroom 16, tailroom 45, "
		       "rights: sole owner\n"
		       "    room: heap, 80 bytes at @, made with headroom 16, "
		       "segments: 1\n"
		       "    00000000  47 45 54 20 2f 20 48 54  "
		       "54 50 2f 31 2e 31 0d 0a  |GET / HTTP/1.1..|\n"
		       "    00000010  00 7f ff                 "
		       "                         |...|\n");
	clone = ibuf_mbuf_clone(m);
	assert_int_equal(ibuf_mbuf_trim_head(m, 17), 0);
	assert_dump(m, "mbuf @ of heap: 2 bytes in 1 segment\n"
		       "  segment 0: 2 bytes at @, headroom 0, tailroom 45, "
		       "rights: TAIL\n"
		       "    room: heap, 80 bytes at @, made with headroom 16, "
		       "segments: 2\n"
		       "    00000000  7f ff                    "
		       "                         |..|\n");
	ibuf_mbuf_clear(clone);
	assert_dump(clone, "mbuf @ of heap: 0 bytes in 1 segment\n"
			   "  segment 0: 0 bytes at @, headroom 0, tailroom 0, "
			   "rights: none\n"
			   "    room: heap, 80 bytes at @, made with headroom "
			   "16, segments: 2\n");
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
}

TEST(dump_shows_every_segment_and_where_in_the_message_it_is)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	char bytes[] = "wrapped";
	struct ibuf_pool *p;
	struct ibuf_mbuf *m;

	o.name = "frames";
	o.capacity = 64;
	o.headroom = 0;
	assert_int_equal(ibuf_pool_create(&p, &o), 0);
	m = ibuf_pool_alloc(p);
	assert_int_equal(ibuf_mbuf_append(m, "pooled", 6), 0);
	assert_int_equal(
		ibuf_mbuf_concat(m, ibuf_mbuf_wrap(bytes, 7, NULL, NULL)), 0);
	assert_int_equal(ibuf_mbuf_concat(m, ibuf_mbuf_wrap_const("constant", 8,
								  NULL, NULL)),
			 0);
	assert_dump(m, "mbuf @ of frames: 21 bytes in 3 segments\n"
		       "  segment 0: 6 bytes at @, headroom 0, tailroom 58, "
		       "rights: sole owner\n"
		       "    room: pool, 64 bytes at @, made with headroom 0, "
		       "segments: 1\n"
		       "    00000000  70 6f 6f 6c 65 64        "
		       "                         |pooled|\n"
		       "  segment 1: 7 bytes at @, headroom 0, tailroom 0, "
		       "rights: sole owner\n"
		       "    room: wrapped, 7 bytes at @, made with headroom 0, "
		       "segments: 1\n"
		       "    00000006  77 72 61 70 70 65 64     "
		       "                         |wrapped|\n"
		       "  segment 2: 8 bytes at @, headroom 0, tailroom 0, "
		       "rights: none\n"
		       "    room: wrapped const, 8 bytes at @, made with "
		       "headroom 0, segments: 1\n"
		       "    0000000d  63 6f 6e 73 74 61 6e 74  "
		       "                         |constant|\n");
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(dump_changes_nothing)
{
	struct ibuf_mbuf *m = message_cut((const uint8_t *)"abcdef", 6, 0xa);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	struct state was;

	state_take(&was, m);
	free(dump_of(m));
	free(dump_of(clone));
	assert_state(m, &was);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
}

TEST(the_stream_tells_of_write_errors)
{
	struct ibuf_mbuf *m = message_of("abc", 3);
	FILE *full = fopen("/dev/full", "w");

	assert_non_null(full);
	ibuf_mbuf_dump(m, full);
	fflush(full);
	assert_true(ferror(full) != 0);
	fclose(full);
	assert_message(m, "abc", 3);
	ibuf_mbuf_free(m);
}

/* The lines are those of sixteen bytes, and they come to an end. */
static void
assert_lines(size_t from, size_t len)
{
	struct line line = {from, 0};

	while (line_next(&line, len)) {
		assert_int_equal(line.at, from);
		assert_int_equal(line.n, len - from < 16 ? len - from : 16);
		from += line.n;
	}
	assert_int_equal(from, len);
	assert_false(line_next(&line, len));
}

TEST(the_lines_of_the_longest_segment_come_to_an_end)
{
	for (size_t len = 0; len <= 50; len++) {
		assert_lines(0, len);
		assert_lines(UINT32_MAX / 16 * 16 - 64, UINT32_MAX - len);
		assert_lines(SIZE_MAX / 16 * 16 - 64, SIZE_MAX - len);
	}
}

/* Each write is a line, and the third fails. */
static ssize_t
take_two(void *cookie, const char *text, size_t n)
{
	size_t *lines = cookie;

	(void)text;
	return ++*lines <= 2 ? (ssize_t)n : 0;
}

TEST(a_dump_ends_where_the_stream_takes_no_more)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(0);
	size_t lines = 0;
	FILE *to = fopencookie(&lines, "w",
			       (cookie_io_functions_t){.write = take_two});

	setvbuf(to, NULL, _IOLBF, 0);
	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 1 << 20), 0);
	ibuf_mbuf_dump(m, to);
	assert_in_range(lines, 3, 10);
	assert_true(ferror(to) != 0);
	fclose(to);
	ibuf_mbuf_free(m);
}
