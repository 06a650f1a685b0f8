/* header.c - headers come to rooms and leave them. */
#define _POSIX_C_SOURCE 200809L
#include "header.h"

#include <string.h>

/* ---- what a segment may do --------------------------------------------- */

uint32_t
ibuf_segment_capacity_bare_(const struct ibuf_mbuf *s)
{
	return segment_is_sole(s) ? ibuf_mbuf_room_capacity_(s) : s->cap_;
}

void
ibuf_segment_regain_(struct ibuf_mbuf *s)
{
	if ((s->flags_ & BOTH_RIGHTS) == BOTH_RIGHTS)
		return;
	s->flags_ |= BOTH_RIGHTS;
	s->cap_ = ibuf_room_size_(s);
}

void
ibuf_segment_give_up_tail_(struct ibuf_mbuf *s)
{
	if ((s->flags_ & IBUF_MBUF_TAIL_) == 0)
		return;
	s->cap_ -= s->room_->headroom_;
	s->flags_ &= (uint16_t)~IBUF_MBUF_TAIL_;
}

bool
ibuf_segment_wipes_(const struct ibuf_mbuf *s)
{
	return owner_of(s)->wipe || ibuf_room_wipes_(s);
}

void
ibuf_segment_born_(struct ibuf_mbuf *s)
{
	if ((s->flags_ & IBUF_MBUF_PRIVATE_) == 0)
		return;
	if (owner_of(s)->wipe)
		private_wipe(owner_of(s), s);
	s->flags_ &= (uint16_t)~IBUF_MBUF_PRIVATE_;
}

/* ---- to a room and away from it ---------------------------------------- */

/*
 * What a segment shows, and its rights.  It is written member by member: the
 * number of the owner stays as it is, since whoever shows the room of a direct
 * header reads it there; and own_ is others' too.
 */
struct view {
	uint32_t off, len, cap;
	unsigned flags; /* of VIEW_FLAGS */
	uint8_t *base;
	struct ibuf_room_ *room;
};

#define VIEW_FLAGS (ROOM_FLAGS | BOTH_RIGHTS)

static struct view
view_of(const struct ibuf_mbuf *s)
{
	return (struct view){s->off_,  s->len_, s->cap_, s->flags_ & VIEW_FLAGS,
			     s->base_, s->room_};
}

static void
set_view(struct ibuf_mbuf *s, struct view view)
{
	s->off_ = view.off;
	s->len_ = view.len;
	s->cap_ = view.cap;
	s->flags_ = (uint16_t)((s->flags_ & ~VIEW_FLAGS) | view.flags);
	s->base_ = view.base;
	s->room_ = view.room;
}

/* From now on a direct header is in use but has another room. */
static void
leave_own_room(struct ibuf_mbuf *m)
{
	m->flags_ |= IBUF_MBUF_AWAY_;
	fetch_add_acq_rel_u32(&m->own_.count_, IBUF_ROOM_HEADER_ - 1);
}

void
ibuf_segment_put_(struct ibuf_mbuf *s, const struct ibuf_place *place,
		  uint32_t off, uint32_t len)
{
	set_view(s,
		 (struct view){off, len, place->size, place->kind | BOTH_RIGHTS,
			       place->base, place->room});
	if (is_in_own_room(s)) {
		/* Back from another: it was idle, so nobody else is there. */
		s->flags_ &= (uint16_t)~IBUF_MBUF_AWAY_;
		store_relaxed_u32(&s->own_.count_, 1);
	}
}

void
ibuf_segment_leave_(struct ibuf_mbuf *s, struct ibuf_left *left)
{
	left->room = NULL;
	mark_shown(s);
	if (is_in_own_room(s)) {
		leave_own_room(s);
		return;
	}
	left->room = s->room_;
	left->kind = s->flags_ & ROOM_KIND;
}

/*
 * s shows another room now, and its header has to say where it is.  Its own
 * room is shown by a header before and after, so its count stays above 0.
 */
static void
view_changed(struct ibuf_mbuf *s, bool was_there)
{
	if (owner_of(s)->wipe && (s->flags_ & IBUF_MBUF_HEAP_) != 0)
		room_must_wipe(s); /* what is written there is s's from now */
	if (was_there == is_in_own_room(s))
		return;
	if (was_there) {
		s->flags_ |= IBUF_MBUF_AWAY_;
		fetch_add_acq_rel_u32(&s->own_.count_, IBUF_ROOM_HEADER_);
	} else {
		s->flags_ &= (uint16_t)~IBUF_MBUF_AWAY_;
		fetch_sub_acq_rel_u32(&s->own_.count_, IBUF_ROOM_HEADER_);
	}
}

void
ibuf_segment_take_over_(struct ibuf_mbuf *s, const struct ibuf_mbuf *from)
{
	set_view(s, view_of(from));
	view_changed(s, false); /* it had left its own room, if that was it */
}

void
ibuf_segment_taken_(struct ibuf_mbuf *from)
{
	if (is_in_own_room(from)) {
		/* Its room is still in use, and keeps the header out. */
		from->flags_ &= (uint16_t)~IBUF_MBUF_LIVE_;
	} else {
		ibuf_header_free_(from);
	}
}

void
ibuf_segment_exchange_(struct ibuf_mbuf *a, struct ibuf_mbuf *b)
{
	const bool a_was = is_in_own_room(a), b_was = is_in_own_room(b);
	const struct view of_a = view_of(a);

	set_view(a, view_of(b));
	set_view(b, of_a);
	view_changed(a, a_was);
	view_changed(b, b_was);
}

void
ibuf_segment_move_(struct ibuf_mbuf *s, const struct ibuf_place *place,
		   uint32_t off, struct ibuf_left *left)
{
	if (s->len_ != 0)
		memcpy(place->base + off, segment_data(s), s->len_);
	count_copied(s, s->len_);
	ibuf_segment_leave_(s, left);
	ibuf_segment_put_(s, place, off, s->len_);
}

/* The same, with a header that comes from the owner itself. */
static struct ibuf_mbuf *
segment_new_from_owner(const struct ibuf_mbuf *s, uint32_t off, uint32_t len,
		       uint32_t capacity)
{
	struct ibuf_mbuf *m = ibuf_owner_take_indirect_(owner_of(s));

	if (m == NULL)
		return NULL;
	if (!ibuf_room_add_(s->room_, 1)) {
		ibuf_header_free_(m);
		return NULL;
	}
	segment_refer(m, s, s->off_ + off, len, capacity);
	return m;
}

struct ibuf_mbuf *
ibuf_segment_new_(const struct ibuf_mbuf *s, uint32_t off, uint32_t len,
		  uint32_t capacity)
{
	uint32_t segments;
	struct ibuf_mbuf *m = ibuf_mbuf_indirect_(
		s, s->off_ + off, len, capacity, IBUF_MBUF_CAREFUL_, &segments);

	return m != NULL ? m : segment_new_from_owner(s, off, len, capacity);
}
