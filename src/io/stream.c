/* io.c - messages and descriptors that carry streams of bytes. */
#define _POSIX_C_SOURCE 200809L
#include "../library.h"

#include <ibuf/io.h>

#include <errno.h>
#include <ibuf/mbuf.h>
#include <ibuf/segment.h>
#include <pthread.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../message/chain.h"
#include "../message/grow.h"
#include "../platform/io.h"

/* ---- read -------------------------------------------------------------- */

/*
 * One read(2) into one piece of memory: where a driver has no vectored read,
 * readv(2) reads each piece by itself, and then cuts records or waits for
 * bytes that need not come.
 */
static ssize_t
read_fd(int fd, void *to, size_t n)
{
	ssize_t got;

	do
		got = read(fd, to, n);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

/* What a call asks for where the capacity does not say less. */
#define READ_BYTES 4096
/* A capacity that says nothing: the message has just begun to grow. */
#define SMALL_CAPACITY 512

/* The bytes that a call asks for at least, as far as a room can hold them. */
static size_t
least_asked(const struct ibuf_mbuf *s, size_t max)
{
	size_t taken = (size_t)s->room_->headroom_ + s->len_;
	size_t most = taken < ROOM_MAX ? ROOM_MAX - taken : 0;
	size_t least = segment_capacity(s);

	if (least < SMALL_CAPACITY || least > READ_BYTES)
		least = READ_BYTES;
	if (least > max)
		least = max;
	return least < most ? least : most;
}

static ssize_t
read_in_place(int fd, struct ibuf_mbuf *m, size_t n)
{
	struct ibuf_mbuf *s = chain_last(m);
	ssize_t got;

	mark_bytes(s, s->off_ + s->len_, n);
	got = read_fd(fd, segment_end(s), n);
	if (got > 0)
		cannot_fail(ibuf_mbuf_commit(m, (size_t)got));
	return got;
}

static uint8_t *
segment_start(const struct ibuf_mbuf *s)
{
	return s->base_ + s->room_->headroom_;
}

/* A failed read may have written anywhere in what it was given. */
static void
slide_back(void *segment)
{
	struct ibuf_mbuf *s = segment;

	memcpy(segment_data(s), segment_start(s), s->len_);
}

/*
 * Read behind where the bytes of a sole owner slide to.  They are copied
 * there first, into dead headroom, which no segment shows; this one follows
 * only if bytes came.
 */
static ssize_t
read_and_slide(int fd, struct ibuf_mbuf *m, size_t n)
{
	struct ibuf_mbuf *s = chain_last(m);
	ssize_t got;

	mark_shown(s);
	mark_bytes(s, s->room_->headroom_, s->len_ + n);
	memcpy(segment_start(s), segment_data(s), s->len_);
	/* A thread that waits for bytes may be cancelled. */
	pthread_cleanup_push(slide_back, s);
	got = read_fd(fd, segment_start(s) + s->len_, n);
	pthread_cleanup_pop(got <= 0);
	if (got <= 0)
		return got;
	ibuf_segment_regain_(s);
	s->off_ = s->room_->headroom_;
	count_copied(s, s->len_);
	cannot_fail(ibuf_mbuf_commit(m, (size_t)got));
	return got;
}

static void
drop_place(void *place)
{
	ibuf_place_drop_(place);
}

/*
 * Read n bytes at off of a larger room.  The message moves there only if it
 * has no room for what came where it is.
 */
static ssize_t
read_and_grow(int fd, struct ibuf_mbuf *m, size_t n, size_t room,
	      struct ibuf_place *place, uint32_t off)
{
	struct ibuf_mbuf *s = chain_last(m);
	uint8_t *to = place->base + off + s->len_;
	struct ibuf_left left;
	bool moves;
	ssize_t got;

	if ((place->kind & IBUF_MBUF_MARKED_) != 0)
		ibuf_mark_(place->base, off, off + s->len_ + (uint32_t)n);
	pthread_cleanup_push(drop_place, place);
	got = read_fd(fd, to, n);
	moves = got > 0 && (size_t)got > room;
	/* What fits needs no memory. */
	if (got > 0 && !moves)
		cannot_fail(ibuf_mbuf_append(m, to, (size_t)got));
	pthread_cleanup_pop(!moves);
	if (moves) {
		ibuf_segment_move_(s, place, off, &left);
		cannot_fail(ibuf_mbuf_commit(m, (size_t)got));
		ibuf_left_drop_(&left);
	}
	return got;
}

ssize_t
ibuf_io_read(int fd, struct ibuf_mbuf *m, size_t max)
{
	struct ibuf_mbuf *s = chain_last(m);
	size_t left = MESSAGE_MAX - ibuf_mbuf_len(m);
	size_t room = ibuf_mbuf_tailroom(m), least;
	struct ibuf_place place;
	uint32_t off;
	bool slides;

	if (max == 0)
		return 0;
	if (left == 0)
		return -EOVERFLOW;
	if (max > left)
		max = left;
	slides = room < max && ibuf_grow_slides_(s, 1);
	if (slides)
		room = ibuf_room_size_(s) - s->room_->headroom_ - s->len_;
	least = least_asked(s, max);
	if (room < least) {
		int error = ibuf_grow_plan_(s, least, &place, &off);

		if (error == 0)
			return read_and_grow(fd, m, least, room, &place, off);
		if (room == 0)
			return error;
	}
	if (room == 0)
		return -EOVERFLOW;
	if (max > room)
		max = room;
	return slides ? read_and_slide(fd, m, max) : read_in_place(fd, m, max);
}

/* ---- write ------------------------------------------------------------- */

/*
 * The bytes of one call: no more than ssize_t can say anywhere, and than
 * Linux transfers at once, so that a call which does less says something.
 */
#define CALL_BYTES ((size_t)1 << 30)

/* Flags of the last byte: they go with the call that sends it. */
#define END_FLAGS (MSG_EOR | MSG_OOB)

/* One call with the first segments; bytes or -errno. */
static ssize_t
send_some(int fd, const struct iovec *iov, size_t n, bool is_socket, int flags)
{
	struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)iov,
				 .msg_iovlen = n};
	ssize_t sent;

	do
		sent = is_socket ? sendmsg(fd, &message, flags)
				 : writev(fd, iov, (int)n);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

/* Leave out what is beyond CALL_BYTES; how many pieces remain. */
static size_t
cap_iov(struct iovec *iov, size_t n, size_t *bytes)
{
	size_t i;

	*bytes = 0;
	for (i = 0; i < n && *bytes < CALL_BYTES; i++) {
		if (iov[i].iov_len > CALL_BYTES - *bytes)
			iov[i].iov_len = CALL_BYTES - *bytes;
		*bytes += iov[i].iov_len;
	}
	return i;
}

static ssize_t
write_all(int fd, struct ibuf_mbuf *m, bool is_socket, int flags)
{
	size_t pieces = ibuf_platform_pieces_();
	size_t total = 0, wanted, n;
	ssize_t sent;

	while (ibuf_mbuf_len(m) != 0) {
		struct iovec iov[PIECES_MOST];

		n = ibuf_mbuf_segments(m);
		if (n > pieces)
			n = pieces;
		ibuf_mbuf_iov(m, 0, iov, n);
		n = cap_iov(iov, n, &wanted);
		sent = send_some(fd, iov, n, is_socket,
				 wanted == ibuf_mbuf_len(m)
					 ? flags
					 : flags & ~END_FLAGS);
		if (sent < 0)
			return total != 0 ? (ssize_t)total : sent;
		(void)ibuf_mbuf_trim_head(m, (size_t)sent);
		total += (size_t)sent;
		/* A short write: the descriptor takes no more for now. */
		if ((size_t)sent < wanted)
			break;
	}
	return (ssize_t)total;
}

ssize_t
ibuf_io_write(int fd, struct ibuf_mbuf *m)
{
	return write_all(fd, m, false, 0);
}

ssize_t
ibuf_io_write_socket(int fd, struct ibuf_mbuf *m, int flags)
{
	if ((flags & REFUSED_FLAGS) != 0)
		return -EINVAL;
	return write_all(fd, m, true, flags | MSG_NOSIGNAL);
}
