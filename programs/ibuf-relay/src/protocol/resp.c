/*
 * resp.c - the requests of RESP2 and RESP3.
 */
#include "resp.h"
#include "input.h"
#include "words.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As Redis: of a line, and for who has not said the password. */
enum { LINE_MAX_BYTES = 64 * 1024, STRANGER_ARGS = 10, STRANGER_BULK = 16384 };

/* Digits of the largest number and a sign. */
enum { NUMBER_MAX_BYTES = 20 };

static void
begin(struct resp_parser *p)
{
	p->start = p->at;
	p->seen = p->at;
	p->left = -1;
	p->bulk_len = -1;
	p->is_exact = true;
	p->count = 0;
	p->source = NULL;
	ibuf_mbuf_free(p->anew);
	p->anew = NULL;
}

void
resp_init(struct resp_parser *p, size_t max_bulk, bool is_trusted)
{
	*p = (struct resp_parser){
		.max_bulk = max_bulk,
		.is_trusted = is_trusted,
	};
	begin(p);
}

void
resp_destroy(struct resp_parser *p)
{
	ibuf_mbuf_free(p->anew);
	free(p->args);
}

static enum resp_result
fail(struct resp_parser *p, const char *words)
{
	snprintf(p->error, sizeof(p->error), "%s", words);
	return RESP_ERROR;
}

/* A number as Redis takes it: no blanks, no plus, no zero in front. */
static bool
parse_number(const uint8_t *text, size_t n, int64_t *number)
{
	bool negative = n > 0 && text[0] == '-';
	uint64_t most = (uint64_t)INT64_MAX + negative, value = 0;
	size_t i = negative;

	if (n == i || n > NUMBER_MAX_BYTES)
		return false;
	if (text[i] == '0' && n > 1)
		return false;
	for (; i < n; i++) {
		unsigned digit = (unsigned)text[i] - '0';

		if (digit > 9 || value > (most - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	/* The least number has no positive one beside it. */
	*number = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

/*
 * Find the end of the line at p->at.  false: it is not there yet, and the
 * next look begins where this one ended.
 */
static bool
find_end(struct resp_parser *p, const struct ibuf_mbuf *in, uint8_t end,
	 size_t *len)
{
	struct ibuf_cursor c;
	uint8_t byte;

	ibuf_cursor_init(&c, in);
	if (!ibuf_cursor_seek(&c, p->seen))
		return false;
	while (ibuf_cursor_get_u8(&c, &byte)) {
		if (byte == end) {
			*len = ibuf_cursor_position(&c) - 1 - p->at;
			return true;
		}
	}
	p->seen = ibuf_cursor_position(&c);
	return false;
}

/*
 * The same as read_count() of a line that lies in one piece and is exact, as
 * nearly all are.  false: it is none, and nothing has changed.
 */
static bool
read_count_quickly(struct resp_parser *p, const struct ibuf_mbuf *in,
		   uint8_t letter, int64_t *number)
{
	enum { DIGITS = 9 };
	size_t run, i;
	const uint8_t *line = ibuf_mbuf_at(in, p->at, &run);
	uint32_t value = 0;

	if (run < DIGITS + 3 || line[0] != letter)
		return false;
	for (i = 1; i <= DIGITS && (unsigned)line[i] - '0' <= 9; i++)
		value = value * 10 + line[i] - '0';
	if (line[i] != '\r' || line[i + 1] != '\n' || i == 1 ||
	    (line[1] == '0' && i > 2))
		return false;
	p->seen = p->at + i;
	*number = value;
	return true;
}

/*
 * Read the line at p->at: one letter, a number, an end of two bytes of which
 * the second is not looked at.  `what` is its name in an error.
 */
static enum resp_result
read_count(struct resp_parser *p, const struct ibuf_mbuf *in, const char *what,
	   uint8_t *letter, int64_t *number, bool *is_number)
{
	uint8_t line[1 + NUMBER_MAX_BYTES + 2];
	size_t len, have = ibuf_mbuf_len(in) - p->at;
	bool is_whole = find_end(p, in, '\r', &len);

	if ((is_whole ? len : have) > LINE_MAX_BYTES) {
		snprintf(p->error, sizeof(p->error), "too big %s count string",
			 what);
		return RESP_ERROR;
	}
	if (!is_whole)
		return RESP_MORE;
	p->seen = p->at + len;
	if (have - len < 2)
		return RESP_MORE;
	*is_number = len >= 1 && len - 1 <= NUMBER_MAX_BYTES;
	if (*is_number) {
		ibuf_mbuf_copy_out(in, p->at, line, len + 2);
		*letter = line[0];
		*is_number = parse_number(line + 1, len - 1, number);
		p->is_exact &= line[len + 1] == '\n';
	} else {
		ibuf_mbuf_copy_out(in, p->at, letter, 1);
	}
	return RESP_REQUEST;
}

/* After read_count(): on to what follows the line, whose end was seen. */
static void
pass_line(struct resp_parser *p)
{
	p->at = p->seen + 2;
	p->seen = p->at;
}

static enum resp_result
read_array(struct resp_parser *p, const struct ibuf_mbuf *in)
{
	enum resp_result r = RESP_REQUEST;
	uint8_t letter;
	int64_t n;
	bool is_number = read_count_quickly(p, in, '*', &n);

	if (!is_number)
		r = read_count(p, in, "mbulk", &letter, &n, &is_number);
	if (r != RESP_REQUEST)
		return r;
	if (!is_number || n > INT_MAX)
		return fail(p, "invalid multibulk length");
	if (n > STRANGER_ARGS && !p->is_trusted)
		return fail(p, "unauthenticated multibulk length");
	pass_line(p);
	p->left = n > 0 ? n : 0;
	return RESP_REQUEST;
}

static enum resp_result
read_bulk(struct resp_parser *p, const struct ibuf_mbuf *in)
{
	enum resp_result r = RESP_REQUEST;
	uint8_t letter = '$';
	int64_t n;
	bool is_number = read_count_quickly(p, in, letter, &n);

	if (!is_number)
		r = read_count(p, in, "bulk", &letter, &n, &is_number);
	if (r != RESP_REQUEST)
		return r;
	if (letter != '$') {
		snprintf(p->error, sizeof(p->error), "expected '$', got '%c'",
			 letter);
		return RESP_ERROR;
	}
	if (!is_number || n < 0 || (uint64_t)n > p->max_bulk)
		return fail(p, "invalid bulk length");
	if (n > STRANGER_BULK && !p->is_trusted)
		return fail(p, "unauthenticated bulk length");
	p->bulk = p->at;
	pass_line(p);
	p->bulk_len = n;
	return RESP_REQUEST;
}

static bool
add_arg(struct resp_parser *p, size_t bulk, size_t at, size_t len)
{
	if (p->count == p->room) {
		size_t room = p->room == 0 ? 4 : 2 * p->room;
		struct resp_arg *args = realloc(p->args, room * sizeof(*args));

		if (args == NULL)
			return false;
		p->args = args;
		p->room = room;
	}
	p->args[p->count++] = (struct resp_arg){bulk, at, len};
	return true;
}

static enum resp_result
read_arg(struct resp_parser *p, const struct ibuf_mbuf *in)
{
	size_t len, run, have = ibuf_mbuf_len(in);
	const uint8_t *end;
	uint8_t copy[2];

	if (p->bulk_len < 0) {
		enum resp_result r = read_bulk(p, in);

		if (r != RESP_REQUEST)
			return r;
	}
	len = (size_t)p->bulk_len;
	if (have < p->at || have - p->at < len + 2)
		return RESP_MORE;
	end = ibuf_mbuf_at(in, p->at + len, &run);
	if (run < 2) {
		ibuf_mbuf_copy_out(in, p->at + len, copy, 2);
		end = copy;
	}
	p->is_exact &= end[0] == '\r' && end[1] == '\n';
	if (!add_arg(p, p->bulk, p->at, len))
		return RESP_NOMEM;
	p->at += len + 2;
	p->seen = p->at;
	p->bulk_len = -1;
	p->left--;
	return RESP_REQUEST;
}

/* Put n bytes as a bulk string behind p->anew; the caller fills them in. */
static uint8_t *
add_bulk(struct resp_parser *p, size_t n)
{
	size_t bulk = ibuf_mbuf_len(p->anew);
	uint8_t *to;

	if (ibuf_mbuf_printf(p->anew, "$%zu\r\n", n) != 0 ||
	    !add_arg(p, bulk, ibuf_mbuf_len(p->anew), n))
		return NULL;
	to = ibuf_mbuf_extend_tail(p->anew, n + 2);
	if (to == NULL)
		return NULL;
	to[n] = '\r';
	to[n + 1] = '\n';
	return to;
}

/* Write an array anew whose line ends were not what is sent on. */
static enum resp_result
make_exact(struct resp_parser *p, const struct ibuf_mbuf *in)
{
	size_t count = p->count, bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += p->args[i].len + NUMBER_MAX_BYTES + 5;
	p->anew = ibuf_mbuf_new(bytes);
	if (p->anew == NULL)
		return RESP_NOMEM;
	p->count = 0;
	for (size_t i = 0; i < count; i++) {
		struct resp_arg old = p->args[i];
		uint8_t *to = add_bulk(p, old.len);

		if (to == NULL)
			return RESP_NOMEM;
		ibuf_mbuf_copy_out(in, old.at, to, old.len);
	}
	p->source = p->anew;
	return RESP_REQUEST;
}

static bool
take_word(const char *word, size_t n, void *arg)
{
	struct resp_parser *p = arg;
	uint8_t *to = add_bulk(p, n);

	if (to == NULL)
		return false;
	memcpy(to, word, n);
	return true;
}

/* A line of words, as a person types it.  An empty one is passed over. */
static enum resp_result
read_line(struct resp_parser *p, const struct ibuf_mbuf *in)
{
	enum words_result words;
	size_t len;
	char *line;

	if (!find_end(p, in, '\n', &len)) {
		if (ibuf_mbuf_len(in) - p->at <= LINE_MAX_BYTES)
			return RESP_MORE;
		return fail(p, "too big inline request");
	}
	if (len > LINE_MAX_BYTES)
		return fail(p, "too big inline request");
	line = malloc(len + 1);
	/* At most every second byte is a word, with "$1\r\n" and "\r\n". */
	p->anew = ibuf_mbuf_new(5 * len + 64);
	if (line == NULL || p->anew == NULL) {
		free(line);
		return RESP_NOMEM;
	}
	ibuf_mbuf_copy_out(in, p->at, line, len);
	p->at += len + 1;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	/* It is text: what follows a zero byte is not looked at. */
	line[len] = '\0';
	words = words_split(line, strlen(line), take_word, p);
	free(line);
	if (words == WORDS_NOMEM)
		return RESP_NOMEM;
	if (words == WORDS_UNBALANCED)
		return fail(p, "unbalanced quotes in request");
	p->source = p->anew;
	return RESP_REQUEST;
}

/* What is at p->at, on from where the last call stopped. */
static enum resp_result
read_request(struct resp_parser *p, const struct ibuf_mbuf *in)
{
	enum resp_result r = RESP_REQUEST;
	const uint8_t *first;
	size_t run;

	if (p->left < 0) {
		first = ibuf_mbuf_at(in, p->at, &run);
		if (run == 0)
			return RESP_MORE;
		if (*first != '*')
			return read_line(p, in);
		r = read_array(p, in);
	}
	while (r == RESP_REQUEST && p->left > 0)
		r = read_arg(p, in);
	if (r != RESP_REQUEST)
		return r;
	p->source = in;
	return p->is_exact ? r : make_exact(p, in);
}

enum resp_result
resp_next(struct resp_parser *p, const struct ibuf_mbuf *in)
{
	enum resp_result r;

	if (p->source != NULL)
		begin(p);
	/* Arrays of nothing and empty lines ask for nothing. */
	while ((r = read_request(p, in)) == RESP_REQUEST && p->count == 0)
		begin(p);
	return r;
}

void
resp_consume(struct resp_parser *p, struct ibuf_mbuf **in)
{
	size_t gone;

	if (*in == NULL)
		return;
	if (p->source != NULL)
		begin(p);
	gone = p->start;
	input_drop(in, gone);
	p->start -= gone;
	p->at -= gone;
	p->seen -= gone;
	p->bulk -= p->bulk_len >= 0 ? gone : 0;
	for (size_t i = 0; i < p->count; i++) {
		p->args[i].bulk -= gone;
		p->args[i].at -= gone;
	}
}
