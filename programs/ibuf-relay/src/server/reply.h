/*
 * reply.h - answers, in the version of the protocol that the client speaks.
 *
 * What RESP2 has no type for is told as Redis does: a map, a set and a push
 * as an array, a verbatim string as a bulk string.  Each is put behind what
 * waits for the client already.
 */
#ifndef RELAY_REPLY_H
#define RELAY_REPLY_H

#include <stdbool.h>
#include <stddef.h>

struct client;
struct ibuf_mbuf;

/* Bytes of an answer, which are copied; or a message, which is gone then.
   Without memory the client is doomed. */
void reply_bytes(struct client *c, const void *bytes, size_t n);
void reply_message(struct client *c, struct ibuf_mbuf *m);

/* "+OK" */
void reply_status(struct client *c, const char *text);

/* "-ERR no such thing": the first word is the code.  Line ends become
   blanks. */
__attribute__((format(printf, 2, 3))) void reply_error(struct client *c,
						       const char *format, ...);

void reply_integer(struct client *c, long long number);
void reply_bulk(struct client *c, const void *bytes, size_t n);
void reply_text(struct client *c, const char *text);
void reply_null(struct client *c);

/*
 * Text for people to read, of one segment; it is freed.  When it is not whole
 * the answer is that there was no memory for it; it may be NULL then.
 */
void reply_verbatim(struct client *c, struct ibuf_mbuf *text, bool is_whole);

/* So many elements follow; for a map, pairs. */
void reply_array(struct client *c, size_t n);
void reply_map(struct client *c, size_t n);
void reply_set(struct client *c, size_t n);
void reply_push(struct client *c, size_t n);

#endif
