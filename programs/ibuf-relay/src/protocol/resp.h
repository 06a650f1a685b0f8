/*
 * resp.h - the requests of RESP2 and RESP3, cut out of a stream of bytes.
 *
 *	in:   ... done ... | *2\r\n $4\r\nECHO\r\n $5\r\nhel |
 *	                   ^ start              at ^         ^ len
 *
 * A request is an array of bulk strings, or a line of words.  Its arguments
 * are places in the input: nothing is copied, and what was understood of an
 * unfinished request is not read again.  A line of words, and an array whose
 * line ends are sloppy, is written anew as an array that is exact; so every
 * argument of every request has its bytes as a bulk string around it,
 *
 *	source[bulk .. at + len + 2) = "$len\r\n" bytes "\r\n"
 *
 * and can be sent on as it stands.  Limits and words of errors are those of
 * Redis 7.
 */
#ifndef RELAY_RESP_H
#define RELAY_RESP_H

#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct resp_arg {
	size_t bulk; /* where its "$" is */
	size_t at;   /* where its bytes are */
	size_t len;
};

struct resp_parser {
	/* The request, after RESP_REQUEST. */
	const struct ibuf_mbuf *source;
	struct resp_arg *args;
	size_t count; /* at least 1 then */

	/* The words after "-ERR Protocol error: ", after RESP_ERROR. */
	char error[64];

	/* Whoever knows the password may send more; the owner sets these. */
	size_t max_bulk;
	bool is_trusted;

	/* Private. */
	size_t start;           /* of the request */
	size_t at;              /* what lies before is understood */
	size_t seen;            /* no end of the line at `at` before this */
	int64_t left;           /* arguments to come; -1: not known yet */
	int64_t bulk_len;       /* of the one that comes; -1: not known yet */
	size_t bulk;            /* where its "$" is */
	bool is_exact;          /* each end of a line was "\r\n" */
	size_t room;            /* of args */
	struct ibuf_mbuf *anew; /* source, when that is not the input */
};

enum resp_result {
	RESP_MORE,    /* the input holds no whole request */
	RESP_REQUEST, /* source, args and count */
	RESP_ERROR,   /* error; there is no way on */
	RESP_NOMEM    /* nor here */
};

void resp_init(struct resp_parser *p, size_t max_bulk, bool is_trusted);

void resp_destroy(struct resp_parser *p);

/*
 * Look for the next request of the input.  The bytes of the one before, and
 * its arguments, are done with.  The input may have grown at its end since,
 * and nothing else.
 */
enum resp_result resp_next(struct resp_parser *p, const struct ibuf_mbuf *in);

/* Take the requests that are done with off the input; at least one byte of
   it stays or the input is NULL then. */
void resp_consume(struct resp_parser *p, struct ibuf_mbuf **in);

#endif
