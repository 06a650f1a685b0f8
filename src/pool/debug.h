/*
 * debug.h - what the environment variable IBUF_DEBUG asks for.
 *
 * Nothing on any usual way asks whether it is set.  A pool that is watched has
 * functions of its own in its owner, which do what they did and a little more.
 * Its front leads the inline allocation to them, and a header that is of
 * interest has flags of which no short free knows the sum (DETOUR), so it comes
 * back through its owner too.
 *
 *   debug.c       the words, and pools with leaks alone
 *   strict.c      pools with quarantine or redzone: each header is recorded
 *   rooms.c       rooms of the heap, of all messages, with these words
 *   record.c      the book: what is out, who allocated it and who freed it
 *   quarantine.c  what is freed waits there
 *   zone.c        bytes around the rooms of pools
 *   report.c      what is told
 *
 * No static function there is called like one of another file: the archive is
 * linked into one object, which keeps or drops functions of one name together.
 */
#ifndef IBUF_SRC_POOL_DEBUG_H
#define IBUF_SRC_POOL_DEBUG_H

#include "record.h"

/* A pool that wipes and recalls has them all, but goes there anyway. */
#define DETOUR (IBUF_MBUF_CAREFUL_ | IBUF_MBUF_WIPES_ | IBUF_MBUF_BIASED_)

/* What is asked for; 0: nothing of that.  Read once. */
struct ibuf_debug_words {
	unsigned leaks;      /* each so many-th allocation is recorded */
	unsigned quarantine; /* so many freed headers of each pool wait */
	unsigned redzone;    /* bytes around rooms */
};
const struct ibuf_debug_words *ibuf_debug_words_(void);

/* Watch a pool that nobody uses yet, if that is asked for. */
void ibuf_debug_pool_(struct ibuf_pool *p);

/* The same of the heap; false: it is not asked for. */
typedef bool ibuf_debug_heap_fn(struct ibuf_pool *heap);
ibuf_debug_heap_fn ibuf_debug_heap_;

/* In heap.c, under ibuf_threads_lock_: that function, or NULL until a pool is
   watched. */
extern ibuf_debug_heap_fn *ibuf_debug_heap_hook_;

/* ---- strict.c, rooms.c --------------------------------------------------- */

/* The owner's functions for a pool, or for the heap. */
void ibuf_strict_pool_(struct ibuf_owner_ops *ops);
void ibuf_strict_heap_(struct ibuf_owner_ops *ops);

/* From now on new rooms of the heap are watched. */
void ibuf_debug_rooms_(void);

/* ---- quarantine.c -------------------------------------------------------- */

/*
 * A header, or a room of the heap (p NULL), is freed and has this record: it
 * waits, or goes back at once.  When it is in, it may be gone.
 */
void ibuf_quarantine_put_(struct ibuf_pool *p, struct ibuf_record *record);

/* Let the n that wait longest go back; false: none waits. */
bool ibuf_quarantine_yield_(struct ibuf_pool *p, size_t n);

/* From now on nothing waits, until it is left as often. */
void ibuf_quarantine_stop_(struct ibuf_pool *p);
void ibuf_quarantine_start_(struct ibuf_pool *p);

/* How many of a kind wait. */
size_t ibuf_quarantine_count_(struct ibuf_pool *p, unsigned kind);

/* Look at all that waits, at the end of the process. */
void ibuf_quarantine_check_all_(void);

/* ---- zone.c --------------------------------------------------------------- */

/* Fill the zones of a header that goes out, and look at them. */
void ibuf_zone_fill_(const struct ibuf_pool *p, struct ibuf_mbuf *m);
void ibuf_zone_check_(const struct ibuf_pool *p, struct ibuf_mbuf *m,
		      const struct ibuf_record *record);

/* Is each byte this one?  Else at is the first that is not. */
bool ibuf_zone_is_(const uint8_t *bytes, size_t n, uint8_t byte, size_t *at);

/* ---- report.c ------------------------------------------------------------- */

/* Tell of what lives of a pool, or of all, that was not told of. */
void ibuf_debug_report_leaks_(const struct ibuf_pool *p, unsigned each);

/* Tell of where something was. */
void ibuf_debug_say_site_(const char *what, const struct ibuf_site *site);

/* One line, which begins with what it is, and who allocated and who freed it;
   then behind, unless NULL, and the process aborts. */
_Noreturn void ibuf_debug_die_(const struct ibuf_record *record,
			       void (*behind)(const struct ibuf_record *record),
			       const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* It is freed twice; a record, or NULL. */
_Noreturn void ibuf_debug_die_twice_(const struct ibuf_record *record,
				     const char *owner, const void *of,
				     void *caller);

#endif
