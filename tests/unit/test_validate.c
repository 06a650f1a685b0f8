/*
 * test_validate.c - each invariant of a message is broken in turn, and
 * validate finds it.
 *
 * The fields are nobody's business but the library's and this file's.
 */
#include "messages.h"
#include "states.h"

struct victim {
	struct ibuf_mbuf *one;     /* a heap room of its own */
	struct ibuf_mbuf *three;   /* three segments */
	struct ibuf_mbuf *slice;   /* a segment without rights */
	struct ibuf_mbuf *rdonly;  /* a segment onto read-only memory */
	struct ibuf_mbuf *wrapped; /* of the caller's memory */
	struct ibuf_mbuf *direct;  /* in its own room, of a pool */
	struct ibuf_mbuf
		*grown; /* a direct header that has moved to the heap */
	struct ibuf_mbuf *indirect; /* a clone of an mbuf */
	struct ibuf_pool *pool;
};

static struct victim v;

static void
set_up(void)
{
	static char bytes[8];

	v.one = message_with(4, 6, 5);
	v.three = message_cut((const uint8_t *)"abcdef", 6, 0xa);
	v.slice = ibuf_mbuf_slice(v.one, 1, 3);
	v.rdonly = ibuf_mbuf_wrap_const("constant", 8, NULL, NULL);
	v.wrapped = ibuf_mbuf_wrap(bytes, 8, NULL, NULL);
	v.pool = ibuf_pool_new(4, 64);
	v.direct = ibuf_pool_alloc(v.pool);
	assert_int_equal(ibuf_mbuf_append(v.direct, "element", 7), 0);
	v.indirect = ibuf_mbuf_clone(v.direct);
	v.grown = ibuf_pool_alloc(v.pool);
	assert_int_equal(ibuf_mbuf_append_fill(v.grown, 'g', 1000), 0);
}

#define MESSAGES                                                               \
	{                                                                      \
		v.one, v.three, v.slice, v.rdonly, v.wrapped, v.direct,        \
			v.indirect, v.grown                                    \
	}

static void
assert_all_valid(void)
{
	struct ibuf_mbuf *ms[] = MESSAGES;

	for (size_t i = 0; i < sizeof(ms) / sizeof(*ms); i++)
		assert_int_equal(ibuf_mbuf_validate(ms[i]), 0);
}

static void
tear_down(void)
{
	struct ibuf_mbuf *ms[] = MESSAGES;

	assert_all_valid();
	ibuf_mbuf_free_bulk(ms, sizeof(ms) / sizeof(*ms));
	assert_int_equal(ibuf_pool_destroy(v.pool), 0);
}

/* m is valid but for the field, which holds a wrong value for a moment. */
#define assert_found(m, field, wrong)                                          \
	do {                                                                   \
		__typeof__(field) right_ = (field);                            \
		(field) = (__typeof__(field))(wrong);                          \
		int found_ = ibuf_mbuf_validate(m);                            \
		(field) = right_;                                              \
		assert_int_equal(found_, -EINVAL);                             \
		assert_int_equal(ibuf_mbuf_validate(m), 0);                    \
	} while (0)

TEST(a_segment_that_leaves_its_room_is_found)
{
	set_up();
	assert_found(v.one, v.one->len_, 6 + 5 + 1);
	assert_found(v.one, v.one->len_, UINT32_MAX);
	assert_found(v.one, v.one->off_, 4 + 5 + 1);
	/* Also where the sum wraps. */
	assert_found(v.one, v.one->off_, UINT32_MAX - 2);
	assert_found(v.slice, v.slice->len_, 100);
	assert_found(v.rdonly, v.rdonly->len_, 9);
	assert_found(v.rdonly, v.rdonly->off_, 1);
	assert_found(v.wrapped, v.wrapped->len_, 9);
	assert_found(v.direct, v.direct->len_, 65);
	assert_found(v.indirect, v.indirect->off_, 128 + 64);
	assert_found(v.grown, v.grown->len_, 1 << 20);
	tear_down();
}

TEST(a_room_that_is_not_where_it_was_is_found)
{
	set_up();
	assert_found(v.one, v.one->base_, NULL);
	assert_found(v.one, v.one->room_, NULL);
	assert_found(v.one, v.one->base_, right_ + 1);
	assert_found(v.slice, v.slice->base_, right_ - 1);
	assert_found(v.rdonly, v.rdonly->base_, right_ + 1);
	assert_found(v.wrapped, v.wrapped->base_, right_ - 1);
	assert_found(v.direct, v.direct->base_, right_ + 64);
	assert_found(v.indirect, v.indirect->base_, right_ + 64);
	assert_found(v.grown, v.grown->base_, right_ + 8);
	tear_down();
}

TEST(a_room_that_counts_no_segment_is_found)
{
	set_up();
	assert_found(v.one, v.one->room_->count_, 0);
	assert_found(v.rdonly, v.rdonly->room_->count_, 0);
	assert_found(v.indirect, v.indirect->room_->count_, 0);
	tear_down();
}

TEST(a_room_that_began_behind_its_end_is_found)
{
	set_up();
	assert_found(v.one, v.one->room_->headroom_, 4 + 6 + 5 + 1);
	assert_found(v.direct, v.direct->room_->headroom_, UINT32_MAX);
	tear_down();
}

TEST(a_right_that_cannot_be_is_found)
{
	set_up();
	assert_found(v.rdonly, v.rdonly->flags_, right_ | IBUF_MBUF_HEAD_);
	assert_found(v.rdonly, v.rdonly->flags_, right_ | IBUF_MBUF_TAIL_);
	/* Whoever has the tailroom knows where it ends. */
	assert_found(v.one, v.one->cap_, right_ + 1);
	assert_found(v.one, v.one->cap_, right_ - 1);
	assert_found(v.direct, v.direct->cap_, 0);
	assert_found(v.slice, v.slice->flags_, right_ | IBUF_MBUF_TAIL_);
	/* Whoever has not wants no more than there was. */
	assert_found(v.slice, v.slice->cap_, 4 + 6 + 5 + 1);
	tear_down();
}

TEST(a_kind_of_room_that_cannot_be_is_found)
{
	set_up();
	assert_found(v.one, v.one->flags_, right_ | IBUF_MBUF_WRAPPED_);
	/* Only the caller's memory is read-only. */
	assert_found(v.slice, v.slice->flags_, right_ | IBUF_MBUF_RDONLY_);
	assert_found(v.one, v.one->flags_,
		     (right_ & ~(unsigned)(IBUF_MBUF_HEAD_ | IBUF_MBUF_TAIL_)) |
			     IBUF_MBUF_RDONLY_);
	tear_down();
}

TEST(a_header_that_is_free_or_of_no_owner_is_found)
{
	set_up();
	assert_found(v.one, v.one->flags_, right_ & ~IBUF_MBUF_LIVE_);
	assert_found(v.direct, v.direct->flags_, right_ & ~IBUF_MBUF_LIVE_);
	assert_found(v.three, v.three->next_->flags_,
		     right_ & ~IBUF_MBUF_LIVE_);
	assert_found(v.one, v.one->pool_, 0xfffe);
	assert_found(v.indirect, v.indirect->pool_, 0xfffe);
	/* The heap has no mbufs. */
	assert_found(v.one, v.one->flags_, right_ | IBUF_MBUF_DIRECT_);
	assert_found(v.grown, v.grown->pool_, 0);
	tear_down();
}

TEST(an_mbuf_that_is_both_in_its_room_and_elsewhere_is_found)
{
	set_up();
	assert_found(v.direct, v.direct->own_.count_,
		     right_ | IBUF_ROOM_HEADER_);
	assert_found(v.grown, v.grown->own_.count_,
		     right_ & ~IBUF_ROOM_HEADER_);
	tear_down();
}

TEST(a_chain_whose_sums_are_wrong_is_found)
{
	set_up();
	assert_found(v.three, v.three->rest_, 3);
	assert_found(v.three, v.three->rest_, 5);
	assert_found(v.three, v.three->last_, v.three);
	assert_found(v.three, v.three->last_, v.three->next_);
	assert_found(v.three, v.three->last_->rest_, 2);
	assert_found(v.three, v.three->last_->rest_, 4);
	assert_found(v.three, v.three->next_->len_, 1);
	tear_down();
}

TEST(a_chain_that_is_torn_or_runs_in_a_circle_is_found)
{
	set_up();
	assert_found(v.three, v.three->next_->next_, NULL);
	assert_found(v.three, v.three->last_->next_, v.three);
	assert_found(v.three, v.three->last_->next_, v.three->last_);
	assert_found(v.three, v.three->next_, v.three->last_);
	tear_down();
}

TEST(an_empty_segment_in_a_longer_message_is_found)
{
	set_up();
	for (struct ibuf_mbuf *s = v.three; s != NULL; s = s->next_) {
		uint32_t len = s->len_;

		/* The sums are right, it is only empty. */
		if (s != v.three)
			v.three->rest_ -= len;
		s->len_ = 0;
		assert_int_equal(ibuf_mbuf_validate(v.three), -EINVAL);
		s->len_ = len;
		if (s != v.three)
			v.three->rest_ += len;
		assert_message(v.three, "abcdef", 6);
	}
	tear_down();
}

TEST(validate_changes_nothing_and_accepts_what_is_right)
{
	struct state was;
	struct ibuf_mbuf *ms[8];

	set_up();
	memcpy(ms, (struct ibuf_mbuf *[])MESSAGES, sizeof(ms));
	for (size_t i = 0; i < 8; i++) {
		state_take(&was, ms[i]);
		assert_int_equal(ibuf_mbuf_validate(ms[i]), 0);
		assert_state(ms[i], &was);
	}
	tear_down();
}
