/* io.c - messages and file descriptors. */
#define _POSIX_C_SOURCE 200809L
#include "library.h"

#include <ibuf/io.h>

#include <errno.h>
#include <ibuf/mbuf.h>
#include <ibuf/pool.h>
#include <ibuf/segment.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "chain.h"
#include "grow.h"

/* Segments in one call: few enough for the stack, and for the kernel. */
#if defined(IOV_MAX) && IOV_MAX < 1024
#define IOV_MOST IOV_MAX
#else
#define IOV_MOST 1024
#endif

/* ---- read ---------------------------------------------------------- */

/* read(2), again when a signal came first; bytes or -errno. */
static ssize_t
read_fd(int fd, void *to, size_t n)
{
	ssize_t got;

	do
		got = read(fd, to, n);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

/* What a message without tailroom grows by, when more may be read. */
#define READ_MORE 4096

/*
 * The bytes will be slid over the dead headroom, but only if others come:
 * those are read aside.  Afterwards appending cannot fail.
 */
static ssize_t
read_and_slide(int fd, struct ibuf_mbuf *m, struct ibuf_mbuf *last, size_t max)
{
	uint8_t aside[READ_MORE];
	size_t room =
		ibuf_room_size_(last) - last->room_->headroom_ - last->len_;
	ssize_t got;

	if (max > room)
		max = room;
	if (max > sizeof aside)
		max = sizeof aside;
	got = read_fd(fd, aside, max);
	if (got > 0)
		(void)ibuf_mbuf_append(m, aside, (size_t)got);
	return got;
}

static void
drop_place(void *place)
{
	ibuf_place_drop_(place);
}

/* Read into a larger room, which is kept only if bytes came. */
static ssize_t
read_and_move(int fd, struct ibuf_mbuf *m, struct ibuf_mbuf *last, size_t max)
{
	struct ibuf_place place;
	uint32_t off;
	ssize_t got;
	size_t room;
	int error = ibuf_grow_plan_(last, max < READ_MORE ? max : READ_MORE,
				    &place, &off);

	if (error == -EOVERFLOW) /* the last bytes there can be */
		error = ibuf_grow_plan_(last, 1, &place, &off);
	if (error != 0)
		return error;
	room = place.size - off - last->len_;
	/* A thread that waits for bytes may be cancelled. */
	pthread_cleanup_push(drop_place, &place);
	got = read_fd(fd, place.base + off + last->len_,
		      max < room ? max : room);
	pthread_cleanup_pop(got <= 0);
	if (got <= 0)
		return got;
	ibuf_window_move_(last, &place, off);
	(void)ibuf_mbuf_commit(m, (size_t)got);
	return got;
}

ssize_t
ibuf_io_read(int fd, struct ibuf_mbuf *m, size_t max)
{
	struct ibuf_mbuf *last = chain_last(m);
	size_t room = ibuf_mbuf_tailroom(m);
	size_t left = MESSAGE_MAX - ibuf_mbuf_len(m);
	ssize_t got;

	if (max == 0)
		return 0;
	if (left == 0)
		return -EOVERFLOW;
	if (max > left)
		max = left;
	if (room == 0)
		return ibuf_grow_slides_(last, 1)
			       ? read_and_slide(fd, m, last, max)
			       : read_and_move(fd, m, last, max);
	got = read_fd(fd, window_end(last), max < room ? max : room);
	if (got > 0)
		(void)ibuf_mbuf_commit(m, (size_t)got);
	return got;
}

/* ---- write --------------------------------------------------------- */

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

/* A call takes no more than SSIZE_MAX bytes: leave out what is beyond. */
static size_t
cap_iov(struct iovec *iov, size_t n, size_t *bytes)
{
	size_t i;

	*bytes = 0;
	for (i = 0; i < n; i++) {
		if (iov[i].iov_len > SSIZE_MAX - *bytes) {
			iov[i].iov_len = SSIZE_MAX - *bytes;
			n = i + 1;
		}
		*bytes += iov[i].iov_len;
	}
	return n;
}

static ssize_t
write_all(int fd, struct ibuf_mbuf *m, bool is_socket, int flags)
{
	size_t total = 0, wanted, n;
	ssize_t sent;

	while (ibuf_mbuf_len(m) != 0) {
		struct iovec iov[IOV_MOST];

		n = ibuf_mbuf_segments(m);
		if (n > IOV_MOST)
			n = IOV_MOST;
		ibuf_mbuf_iov(m, 0, iov, n);
		n = cap_iov(iov, n, &wanted);
		if (wanted > SSIZE_MAX - total)
			break;
		sent = send_some(fd, iov, n, is_socket, flags);
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
	return write_all(fd, m, true, flags | MSG_NOSIGNAL);
}
