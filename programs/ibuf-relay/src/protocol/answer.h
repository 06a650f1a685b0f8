/*
 * answer.h - cut the answers of a server out of what it sends, in RESP3.
 *
 *	>3\r\n  $7\r\nmessage\r\n  $4\r\nnews\r\n  $5\r\nhello\r\n
 *	item 0  item 1             item 2          item 3
 *
 * An answer is a list of items, each before those it consists of, whatever
 * the nesting.  Items are places in the input: nothing is copied, and what
 * was understood of an unfinished answer is not read again.
 */
#ifndef RELAY_ANSWER_H
#define RELAY_ANSWER_H

#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answer_item {
	char type;      /* its first byte; '_' for every kind of null */
	size_t bulk;    /* where that is */
	size_t at;      /* where its text is, without the line end */
	size_t len;     /* of the text */
	int64_t number; /* of ':'; of '*', '~', '>' and '%': items inside */
};

struct answer_parser {
	/* The answer, after ANSWER_WHOLE: input[start .. at). */
	struct answer_item *items;
	size_t count;
	size_t start;
	size_t at; /* what lies before is understood */

	/* What is wrong, after ANSWER_ERROR. */
	const char *error;

	/* Private. */
	size_t max_bulk;
	size_t seen;   /* no end of the line at `at` before this */
	uint64_t left; /* items to come */
	size_t room;   /* of items */
	bool is_whole;
};

enum answer_result {
	ANSWER_MORE,  /* the input holds no whole answer */
	ANSWER_WHOLE, /* items, count */
	ANSWER_ERROR  /* there is no way on */
};

void answer_init(struct answer_parser *p, size_t max_bulk);
void answer_destroy(struct answer_parser *p);

/*
 * Look for the next answer; the one before is done with.  The input may have
 * grown at its end since, and nothing else.
 */
enum answer_result answer_next(struct answer_parser *p,
			       const struct ibuf_mbuf *in);

/* Take the answers that are done with off the input; it is NULL when none
   of it is left. */
void answer_consume(struct answer_parser *p, struct ibuf_mbuf **in);

/* The index behind item i and all it consists of. */
size_t answer_skip(const struct answer_parser *p, size_t i);

/* Is the text of an item this word? */
bool answer_is(const struct answer_item *item, const struct ibuf_mbuf *in,
	       const char *word);

/* The text of an item, cut at size - 1, ended with a zero. */
void answer_text(const struct answer_item *item, const struct ibuf_mbuf *in,
		 char *to, size_t size);

#endif
