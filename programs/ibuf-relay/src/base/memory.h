/*
 * memory.h - what the process has taken from the system for messages.
 *
 *	pools --provider--> rooms, headers, replies, posts
 *	malloc -----------> queues and clients, counted where they are made
 *
 * The sum is what --max-memory bounds and INFO's used_memory tells.  Nothing
 * is refused here: who reads, and who publishes, looks whether memory is
 * short first.  So what is under way is finished, and the sum can pass the
 * limit by what one turn of each thread takes.
 *
 * From any thread.
 */
#ifndef RELAY_MEMORY_H
#define RELAY_MEMORY_H

#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>

/* What it is taken for; a row of INFO each. */
enum memory_kind {
	MEMORY_ROOMS,   /* and the headers of their clones and slices */
	MEMORY_REPLIES, /* answers, and what goes before messages */
	MEMORY_POSTS,   /* what threads send one another */
	MEMORY_QUEUES,  /* of clients: frames and places that wait */
	MEMORY_CLIENTS
};

enum { MEMORY_KINDS = 5 };

/* Before there are threads; 0: no limit. */
void memory_init(size_t bytes);

/* Pages, counted for a kind. */
struct ibuf_provider memory_provider(enum memory_kind kind);

/* Count what malloc gave, or has back. */
void memory_count(enum memory_kind kind, ptrdiff_t bytes);

/* What a thread has counted but not told yet is told. */
void memory_settle(void);

/* What may be taken beyond the limit, by what is under way. */
enum { MEMORY_SLACK_BYTES = 8 << 20 };

/* Is more than the limit taken, and so many bytes beyond it? */
bool memory_is_short(size_t beyond);

size_t memory_taken(enum memory_kind kind);
size_t memory_taken_in_all(void);
size_t memory_most(void); /* of that, ever */

#endif
