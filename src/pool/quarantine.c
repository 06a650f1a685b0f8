/*
 * quarantine.c - what is freed waits before it is used again, filled with a
 * pattern: for IBUF_DEBUG=quarantine.
 *
 * What waits is out, for its owner.  Its record is in the book, and linked to
 * the next in the order of the frees.  Filling and looking are done by who has
 * the header alone: before it is in, or after it is out.
 */
#define _POSIX_C_SOURCE 200809L
#include "debug.h"

#include <stdlib.h>

#define PATTERN 0xdd

/* Rooms of the heap that wait, of whatever message. */
static struct ibuf_quarantine rooms;

#define ROOMS_BYTES ((size_t)64 << 20) /* most of them */

static struct ibuf_quarantine *
quarantine_of(struct ibuf_pool *p)
{
	return p == NULL ? &rooms : &p->quarantine;
}

/* ---- the bytes of one ----------------------------------------------------- */

struct bytes {
	uint8_t *at;
	size_t n;
};

static struct bytes
bytes_of_room(const struct ibuf_record *record)
{
	struct ibuf_pool *p = record->pool;

	if (record->kind == RECORD_ROOM)
		return (struct bytes){heap_room_base(record->of),
				      record->bytes};
	if (record->kind == IBUF_INDIRECT_)
		return (struct bytes){NULL, 0};
	return (struct bytes){(uint8_t *)record->of + p->owner.room_offset,
			      p->owner.room_size};
}

static struct bytes
private_of(const struct ibuf_record *record)
{
	struct ibuf_pool *p = record->pool;

	return p == NULL ? (struct bytes){NULL, 0}
			 : (struct bytes){private_area(record->of),
					  p->owner.private_size};
}

static void
fill_bytes(struct bytes bytes)
{
	if (bytes.n != 0)
		memset(bytes.at, PATTERN, bytes.n);
}

/* Fill what is freed; its header is read by others still, and stays. */
static void
fill_all(struct ibuf_record *record)
{
	struct bytes room = bytes_of_room(record);
	struct ibuf_mbuf *m = record->of;

	if (record->kind != RECORD_ROOM) {
		/* As when it goes back; what has to be wiped is. */
		ibuf_alloc_close_(&record->pool->owner, m, record->kind);
		m->flags_ = IBUF_MBUF_FREE_;
		unhide(room.at, room.n);
	}
	fill_bytes(room);
	fill_bytes(private_of(record));
	if (record->kind != RECORD_ROOM)
		hide(room.at, room.n);
	memcpy(&record->left, record->of, sizeof record->left);
}

static void
check_bytes(const struct ibuf_record *record, struct bytes bytes,
	    const char *what)
{
	size_t at;

	if (ibuf_zone_is_(bytes.at, bytes.n, PATTERN, &at))
		return;
	ibuf_debug_die_(record, NULL,
			"was written after it was freed: byte %zu of its %s",
			at, what);
}

/* Has nobody written there? */
static void
check_record(const struct ibuf_record *record)
{
	struct bytes room = bytes_of_room(record);

	if (record->kind == IBUF_DIRECT_)
		unhide(room.at, room.n);
	check_bytes(record, room, "room");
	check_bytes(record, private_of(record), "private area");
	if (record->kind == IBUF_DIRECT_)
		hide(room.at, room.n);
	if (memcmp(&record->left, record->of, sizeof record->left) != 0)
		ibuf_debug_die_(record, NULL, "was edited after it was freed");
}

/* ---- what waits: under the lock ------------------------------------------ */

static void
hold(struct ibuf_quarantine *q, struct ibuf_record *record)
{
	record->held = true;
	record->later = NULL;
	*(q->last != NULL ? &q->last->later : &q->first) = record;
	q->last = record;
	q->n++;
	q->direct += record->kind == IBUF_DIRECT_ ? 1 : 0;
	q->bytes += record->bytes;
}

/* Out of the quarantine and of the book. */
static struct ibuf_record *
unhold(struct ibuf_quarantine *q)
{
	struct ibuf_record *record = q->first;

	q->first = record->later;
	if (q->first == NULL)
		q->last = NULL;
	q->n--;
	q->direct -= record->kind == IBUF_DIRECT_ ? 1 : 0;
	q->bytes -= record->bytes;
	ibuf_record_unlist_(record);
	return record;
}

static bool
is_full(const struct ibuf_quarantine *q)
{
	return q->n > ibuf_debug_words_()->quarantine ||
	       (q == &rooms && q->bytes > ROOMS_BYTES && q->n != 0);
}

/* Those who stopped it in the process that forked are not there. */
static bool
is_stopped(const struct ibuf_quarantine *q)
{
	return q->stops != 0 && q->forks == ibuf_record_forks_();
}

/* ---- and goes back: not under the lock ------------------------------------ */

static void
go_back(struct ibuf_record *record)
{
	struct ibuf_pool *p = record->pool;
	struct bytes room = bytes_of_room(record);

	if (p == NULL) {
		free(record->of);
		return;
	}
	if (p->owner.wipe) {
		/* As a wipe leaves it. */
		unhide(room.at, room.n);
		ibuf_platform_wipe_(room.at, room.n);
		hide(room.at, room.n);
		ibuf_platform_wipe_(private_of(record).at,
				    private_of(record).n);
	}
	/* With the last the pool may go. */
	p->plain->give(&p->owner, record->of, record->kind);
}

/* Look at those of a list, which were popped, and give them back. */
static void
all_go_back(struct ibuf_record *first)
{
	struct ibuf_record *record, *next;

	for (record = first; record != NULL; record = record->later)
		check_record(record);
	for (record = first; record != NULL; record = record->later)
		go_back(record);
	if (first == NULL)
		return;
	ibuf_record_lock_();
	for (record = first; record != NULL; record = next) {
		next = record->later;
		ibuf_record_spare_(record);
	}
	ibuf_record_unlock_();
}

void
ibuf_quarantine_put_(struct ibuf_pool *p, struct ibuf_record *record)
{
	struct ibuf_quarantine *q = quarantine_of(p);
	struct ibuf_record *first = NULL, **last = &first;

	fill_all(record);
	ibuf_record_lock_();
	hold(q, record);
	while (q->first != NULL && (is_full(q) || is_stopped(q))) {
		*last = unhold(q);
		last = &(*last)->later;
	}
	*last = NULL;
	ibuf_record_unlock_();
	all_go_back(first);
}

bool
ibuf_quarantine_yield_(struct ibuf_pool *p, size_t n)
{
	struct ibuf_quarantine *q = quarantine_of(p);
	struct ibuf_record *first = NULL, **last = &first;

	ibuf_record_lock_();
	for (; n != 0 && q->first != NULL; n--) {
		*last = unhold(q);
		last = &(*last)->later;
	}
	*last = NULL;
	ibuf_record_unlock_();
	all_go_back(first);
	return first != NULL;
}

void
ibuf_quarantine_stop_(struct ibuf_pool *p)
{
	struct ibuf_quarantine *q = quarantine_of(p);

	ibuf_record_lock_();
	if (!is_stopped(q))
		q->stops = 0;
	q->stops++;
	q->forks = ibuf_record_forks_();
	ibuf_record_unlock_();
	(void)ibuf_quarantine_yield_(p, SIZE_MAX);
}

void
ibuf_quarantine_start_(struct ibuf_pool *p)
{
	ibuf_record_lock_();
	p->quarantine.stops--;
	ibuf_record_unlock_();
}

size_t
ibuf_quarantine_count_(struct ibuf_pool *p, unsigned kind)
{
	size_t n;

	ibuf_record_lock_();
	n = p->quarantine.direct;
	if (kind != IBUF_DIRECT_)
		n = p->quarantine.n - n;
	ibuf_record_unlock_();
	return n;
}

/* While the lock is held nothing goes back, to be used and written. */
void
ibuf_quarantine_check_all_(void)
{
	const struct ibuf_record *record = NULL;
	size_t list = 0;

	ibuf_record_lock_();
	while ((record = ibuf_record_next_(record, &list)) != NULL)
		if (record->held)
			check_record(record);
	ibuf_record_unlock_();
}
