/*
 * test_resp.c - the requests that ibuf-relay reads: each row of the tables as
 * it comes in one piece, byte by byte, and in two pieces cut everywhere.
 */
#include <unit/test.h>

#include "../../src/protocol/resp.h"
#include <stdio.h>

/* What a stream says: [word|word] for a request, !words for an error. */
struct row {
	const char *stream;
	const char *said;
	size_t len; /* of the stream; 0: up to its zero byte */
};

static const struct row arrays[] = {
	{"", "", 0},
	{"*1\r\n$4\r\nPING\r\n", "[PING]", 0},
	{"*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n", "[ECHO|hi]", 0},
	{"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", "[ECHO|]", 0},
	{"*1\r\n$2\r\n\r\n\r\n*1\r\n$1\r\nx\r\n", "[\r\n][x]", 0},
	{"*1\r\n$3\r\na\0b\r\n", "[a.b]", 13},
	{"*1\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n*1\r\n$1\r\nc", "[a][b]", 0},
	{"*0\r\n*-1\r\n*-9223372036854775808\r\n*1\r\n$1\r\na\r\n", "[a]", 0},
	{"*3\r\n$1\r\na\r\n", "", 0},
	{"*1\r\n$10\r\n0123456789\r\n", "[0123456789]", 0},
	/* Ends of lines of which only the first byte is right, or none. */
	{"*1\rX$1\rYaZZ*1\r\n$1\r\nb\r\n", "[a][b]", 0},
	{"*2\r\n$1\r\na\r\n$2\r\nbc!!", "[a|bc]", 0},
};

static const struct row lines[] = {
	{"PING\r\n", "[PING]", 0},
	{"PING\n", "[PING]", 0},
	{"PING", "", 0},
	{"\r\n \t\r\n\nPING a\r\n", "[PING|a]", 0},
	{"  a  b\tc  \r\n", "[a|b|c]", 0},
	{"a\r\n*1\r\n$1\r\nb\r\nc\r\n", "[a][b][c]", 0},
	{"\"a b\" 'c d'\r\n", "[a b|c d]", 0},
	{"\"\" ''\r\n", "[|]", 0},
	{"\"\\x41\\n\\\"\\q\"\r\n", "[A\n\"q]", 0},
	{"\"\\x4\\xg1\"\r\n", "[x4xg1]", 0},
	{"'\\n\\''\r\n", "[\\n']", 0},
	{"a\"b\"\r\n", "[ab]", 0},
	{"\"a\"b\r\nPING\r\n", "!unbalanced quotes in request", 0},
	{"\"a\r\n", "!unbalanced quotes in request", 0},
	{"'a\r\n", "!unbalanced quotes in request", 0},
	{"\"\\\r\n", "!unbalanced quotes in request", 0},
	{"a\0b c\r\n", "[a]", 8},
};

static const struct row errors[] = {
	{"*x\r\n", "!invalid multibulk length", 0},
	{"*\r\n", "!invalid multibulk length", 0},
	{"*01\r\n", "!invalid multibulk length", 0},
	{"*+1\r\n", "!invalid multibulk length", 0},
	{"*-\r\n", "!invalid multibulk length", 0},
	{"*1 \r\n", "!invalid multibulk length", 0},
	{"*2147483648\r\n", "!invalid multibulk length", 0},
	{"*9223372036854775808\r\n", "!invalid multibulk length", 0},
	{"*123456789012345678901234567890\r\n", "!invalid multibulk length", 0},
	{"*1\r\n$-1\r\n", "!invalid bulk length", 0},
	{"*1\r\n$x\r\n", "!invalid bulk length", 0},
	{"*1\r\n$\r\n", "!invalid bulk length", 0},
	{"*1\r\n$20001\r\n", "!invalid bulk length", 0},
	{"*1\r\n:1\r\n", "!expected '$', got ':'", 0},
	{"*1\r\nPING\r\n", "!expected '$', got 'P'", 0},
	{"*1\r\n$1\r\na\r\n*z\r\n", "[a]!invalid multibulk length", 0},
};

struct speech {
	struct resp_parser parser;
	struct ibuf_mbuf *in;
	char said[512];
	size_t len;
	enum resp_result last;
};

static void
begin(struct speech *s, bool is_trusted)
{
	memset(s, 0, sizeof(*s));
	resp_init(&s->parser, 20000, is_trusted);
	s->last = RESP_MORE;
}

static void
finish(struct speech *s)
{
	resp_destroy(&s->parser);
	ibuf_mbuf_free(s->in);
}

static void
say(struct speech *s, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n && s->len + 1 < sizeof(s->said); i++)
		s->said[s->len++] = bytes[i];
}

/* An argument, and that what is around it can be sent on. */
static void
say_arg(struct speech *s, struct resp_arg arg)
{
	static char bytes[30000];
	char before[32];
	size_t n =
		(size_t)snprintf(before, sizeof(before), "$%zu\r\n", arg.len);

	assert_int_equal(arg.at - arg.bulk, n);
	assert_int_equal(ibuf_mbuf_copy_out(s->parser.source, arg.bulk, bytes,
					    n + arg.len + 2),
			 0);
	assert_memory_equal(bytes, before, n);
	assert_memory_equal(bytes + n + arg.len, "\r\n", 2);
	for (size_t i = 0; i < arg.len; i++)
		if (bytes[n + i] == '\0')
			bytes[n + i] = '.';
	say(s, bytes + n, arg.len);
}

static void
hear(struct speech *s, const char *bytes, size_t n)
{
	struct ibuf_mbuf *m;

	if (n == 0 || s->last == RESP_ERROR)
		return;
	m = ibuf_mbuf_from(bytes, n);
	assert_non_null(m);
	if (s->in == NULL)
		s->in = m;
	else
		assert_int_equal(ibuf_mbuf_concat(s->in, m), 0);
	while ((s->last = resp_next(&s->parser, s->in)) == RESP_REQUEST) {
		for (size_t i = 0; i < s->parser.count; i++) {
			say(s, i == 0 ? "[" : "|", 1);
			say_arg(s, s->parser.args[i]);
		}
		say(s, "]", 1);
	}
	if (s->last == RESP_ERROR) {
		say(s, "!", 1);
		say(s, s->parser.error, strlen(s->parser.error));
	}
	resp_consume(&s->parser, &s->in);
	assert_true(s->in == NULL || ibuf_mbuf_validate(s->in) == 0);
}

static void
check_pieces(const struct row *row, size_t len, size_t cut, size_t piece)
{
	struct speech s;

	begin(&s, true);
	hear(&s, row->stream, cut);
	for (size_t at = cut; at < len; at += piece)
		hear(&s, row->stream + at, piece < len - at ? piece : len - at);
	assert_string_equal(s.said, row->said);
	finish(&s);
}

static void
check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len =
			rows[i].len != 0 ? rows[i].len : strlen(rows[i].stream);

		for (size_t cut = 0; cut <= len; cut++) {
			check_pieces(&rows[i], len, cut, len + 1);
			check_pieces(&rows[i], len, cut, 1);
			check_pieces(&rows[i], len, cut, 3);
		}
	}
}

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

TEST(arrays_of_bulk_strings_are_requests)
{
	check_rows(arrays, COUNT(arrays));
}

TEST(lines_of_words_are_requests)
{
	check_rows(lines, COUNT(lines));
}

TEST(what_is_neither_is_an_error_in_the_words_of_redis)
{
	check_rows(errors, COUNT(errors));
}

static void
check_long(const char *before, char byte, size_t n, bool is_trusted,
	   const char *said)
{
	char *bytes = malloc(strlen(before) + n);
	struct speech s;

	assert_non_null(bytes);
	memcpy(bytes, before, strlen(before));
	memset(bytes + strlen(before), byte, n);
	begin(&s, is_trusted);
	hear(&s, bytes, strlen(before) + n);
	assert_string_equal(s.said, said);
	finish(&s);
	free(bytes);
}

TEST(a_line_without_end_is_an_error_past_64_kib)
{
	check_long("", 'x', 65536, true, "");
	check_long("", 'x', 65537, true, "!too big inline request");
	check_long("*", '1', 65535, true, "");
	check_long("*", '1', 65536, true, "!too big mbulk count string");
	check_long("*1\r\n$", '1', 65535, true, "");
	check_long("*1\r\n$", '1', 65536, true, "!too big bulk count string");
}

TEST(a_stranger_may_ask_for_little)
{
	check_long("*10\r\n", '$', 0, false, "");
	check_long("*11\r\n", '$', 0, false,
		   "!unauthenticated multibulk length");
	check_long("*1\r\n$16384\r\n", 'x', 5, false, "");
	check_long("*1\r\n$16385\r\n", 'x', 5, false,
		   "!unauthenticated bulk length");
	check_long("*11\r\n$16385\r\n", 'x', 5, true, "");
}

TEST(a_large_argument_is_neither_copied_nor_looked_at_until_it_is_there)
{
	struct ibuf_pool_stats before, after;
	struct speech s;
	char piece[100];

	memset(piece, 'y', sizeof(piece));
	ibuf_pool_get_stats(NULL, &before, sizeof(before));
	begin(&s, true);
	hear(&s, "*1\r\n$20000\r\n", 12);
	for (size_t i = 0; i < 200; i++) {
		assert_int_equal(s.last, RESP_MORE);
		hear(&s, piece, sizeof(piece));
	}
	hear(&s, "\r", 1);
	assert_string_equal(s.said, "");
	hear(&s, "\n", 1);
	assert_int_equal(s.len, sizeof(s.said) - 1);
	assert_null(s.in);
	finish(&s);
	ibuf_pool_get_stats(NULL, &after, sizeof(after));
	assert_int_equal(after.copied_bytes, before.copied_bytes);
}
