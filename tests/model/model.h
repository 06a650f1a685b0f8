/*
 * model.h - what messages are, said a second time and slowly.
 *
 * The model of a message is a flat array of its bytes, and the list of the
 * segments that the contract says it has: which room each shows, where, and
 * with which rights.  From these follows all that can be seen from outside:
 *
 *	content, length, segments      the flat bytes, the list
 *	where each byte is             address = base of the room + offset
 *	headroom, tailroom, capacity   rights, or a sole owner's
 *	is_unique, release callbacks   segments counted per room
 *	allocated, others             direct and headers counted per owner
 *	copied_bytes                   each move of the growth law
 *
 * The address of a room is learnt from the first segment that is seen on it;
 * whatever is seen later must agree.  So nothing is copied in secret, and a
 * write to shared bytes is seen in the messages that share them.
 *
 * Names of functions here: window_* for one segment, message_* for a whole
 * message; each changes the model alone.  They are called when the library
 * has said that it succeeded.
 */
#ifndef MODEL_H
#define MODEL_H

#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BYTES_MAX = 4096,  /* of a message */
	SEGMENTS_MAX = 48, /* of a message */
};

/* Where headers and direct come from: the heap, or a pool. */
struct owner {
	struct ibuf_pool *pool; /* NULL: the heap, or destroyed */
	bool is_pool;
	bool wipe; /* what it gives out must be overwritten when freed */
	size_t capacity, headroom, max, private_size;
	size_t direct;   /* out: the room or the header is in use */
	size_t others;   /* other headers out */
	uint64_t copied; /* bytes moved */
	struct owner *next;
};

extern struct owner heap;

/* Memory of the caller that was wrapped. */
struct wrapped {
	uint8_t *bytes;
	size_t len;
	bool read_only;
	unsigned released;
};

struct room {
	size_t h0, size;
	unsigned segments;
	bool wipe;   /* of the heap: overwritten when it goes */
	bool header; /* of a direct header: its header is in use */
	struct owner
		*owner; /* of a direct header; NULL: a heap or wrapped room */
	struct wrapped *wrap; /* NULL: not wrapped */
	const uint8_t *base;  /* NULL: not seen yet */
};

/* A header's private area: born zero; what we wrote; not ours to know. */
enum private_state { PRIVATE_ZERO, PRIVATE_STAMPED, PRIVATE_UNKNOWN };

struct segment {
	struct room *room;
	size_t off, len;
	size_t cap; /* C without the right to the tail, and shared */
	bool head, tail;
	struct owner *owner; /* of the header */
	struct room *own; /* the room of a direct header itself; NULL: none */
	enum private_state private_state;
	uint8_t stamp;
};

struct message {
	struct ibuf_mbuf *m; /* NULL: there is none */
	size_t len;
	size_t segments;
	struct segment at[SEGMENTS_MAX];
	uint8_t bytes[BYTES_MAX];
};

/* ---- one segment (segment.c) ----------------------------------------- */

bool segment_is_sole(const struct segment *w);
bool segment_owns(const struct segment *w); /* may be written in place */
size_t segment_capacity(const struct segment *w);
size_t segment_headroom(const struct segment *w);
size_t segment_tailroom(const struct segment *w);

/* A header of an owner that shows a room from h0 on, with both rights. */
void segment_put(struct segment *w, struct owner *header_owner,
		 struct room *room);

/* A header of w's owner that shows off, len of w without rights. */
void segment_share(struct segment *to, const struct segment *w, size_t off,
		   size_t len, size_t cap);

/* Let w, whose header stays, show what from shows, which is gone. */
void segment_take_over(struct segment *w, const struct segment *from);

/* The header and what it shows are gone. */
void segment_free(struct segment *w);

/* A sole owner has both rights again, at its next edit of either end. */
void segment_regain(struct segment *w);

void segment_trim_head(struct segment *w, size_t n);
void segment_trim_tail(struct segment *w, size_t n);
void segment_clear(struct segment *w);
void segment_split(struct segment *rest, struct segment *w, size_t at);
void segment_split_front(struct segment *front, struct segment *w, size_t at);

/* Each header shows what the other looked at. */
void segment_exchange(struct segment *a, struct segment *b);

/* Do b's bytes follow a's in one room?  Then a can show both. */
bool segment_is_adjacent(const struct segment *a, const struct segment *b);
void segment_join(struct segment *a, const struct segment *b);
void segment_rejoin(struct segment *a, struct segment *b); /* and b is gone */

struct room *room_on_heap(size_t h0, size_t capacity, bool wipe);
struct room *room_wrapped(struct wrapped *wrap);
struct room *room_of_direct(struct owner *owner); /* its header is out too */
bool owner_has_direct(const struct owner *owner);
/* One segment less; the room may be gone. */
void room_drop(struct room *room);

/* ---- the growth law (growth.c) ------------------------------------- */

void segment_grow_tail(struct segment *w, size_t n);
void segment_grow_head(struct segment *w, size_t n);

/* Does what w shows have to be overwritten, wherever it has been? */
bool segment_wipes(const struct segment *w);

/* As segment_grow_tail(), into a room that is overwritten when it goes. */
void segment_grow_tail_wiping(struct segment *w, size_t n);

/* Does w move when it is to be written in place, or shrunk; and where to? */
struct room *segment_plan_private(const struct segment *w);
struct room *segment_plan_smaller(const struct segment *w);
void segment_move(struct segment *w, struct room *room, size_t off);

/* ---- a whole message (message.c) ----------------------------------- */

/* An empty message with this header on a room. */
void message_open(struct message *to, struct ibuf_mbuf *m, struct owner *owner,
		  struct room *room);
/* A clone with another header, C as the contract says. */
void message_clone(struct message *to, struct ibuf_mbuf *m,
		   const struct message *from);
void message_slice(struct message *to, struct ibuf_mbuf *m,
		   const struct message *from, size_t off, size_t len);
void message_copy(struct message *to, struct ibuf_mbuf *m,
		  const struct message *from, size_t off, size_t len);
void message_free(struct message *message);

/* bytes NULL: room is made, and nothing added. */
void message_append(struct message *message, const uint8_t *bytes, size_t n);
void message_prepend(struct message *message, const uint8_t *bytes, size_t n);
void message_reserve(struct message *message, size_t n);
void message_trim_head(struct message *message, size_t n);
void message_trim_tail(struct message *message, size_t n);
void message_clear(struct message *message);
void message_gather(struct message *message, size_t n);
void message_concat(struct message *message, struct message *tail);
void message_concat_front(struct message *message, struct message *front);
void message_split(struct message *message, size_t at, struct ibuf_mbuf *m,
		   struct message *rest);
void message_split_front(struct message *message, size_t n, struct ibuf_mbuf *m,
			 struct message *front);

/* The segments from first to last move as a plan says, or all or none. */
void message_move(struct message *message, size_t first, size_t last,
		  struct room *(*plan)(const struct segment *w));

/* The segment that holds a byte, or the last; *off: the offset in it. */
size_t message_find(const struct message *message, size_t *off);

const struct segment *message_last(const struct message *message);
bool message_is_unique(const struct message *message);

/* ---- the library against the model (check.c) ----------------------- */

/* Whatever can be seen of a message is what the model says. */
void check_message(struct message *message);
void check_owner(const struct owner *owner);

/* Say what is wrong and end the process. */
_Noreturn void fail(const char *file, int line, const char *what);
_Noreturn void fail_unequal(const char *file, int line, const char *what,
			    uintmax_t is, uintmax_t expected);

#define CHECK(condition)                                                       \
	do {                                                                   \
		if (!(condition))                                              \
			fail(__FILE__, __LINE__, #condition);                  \
	} while (0)

#define CHECK_EQUAL(is, expected)                                              \
	do {                                                                   \
		uintmax_t is_ = (uintmax_t)(is), expected_ = (expected);       \
		if (is_ != expected_)                                          \
			fail_unequal(__FILE__, __LINE__, #is, is_, expected_); \
	} while (0)

#endif
