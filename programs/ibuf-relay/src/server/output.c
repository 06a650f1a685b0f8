/*
 * output.c - what a client is to be told.
 */
#include "output.h"
#include "../base/memory.h"
#include "../fanout/pipes.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Segments, and about as many bytes, of one system call. */
enum { IOVS = 64, CALL_BYTES = 1 << 20 };

/* Places of the ring at first; and the most that an idle one keeps. */
enum { LEAST_ROOM = 4, IDLE_ROOM = 64 };

static size_t
place_of(const struct output *o, size_t i)
{
	i += o->first;
	return i < o->room ? i : i - o->room;
}

static struct frame *
at(const struct output *o, size_t i)
{
	return o->ring[place_of(o, i)];
}

/* Another ring, which has a place for each. */
static bool
set_room(struct output *o, size_t room)
{
	struct frame **ring = malloc(room * sizeof(struct frame *));

	if (ring == NULL)
		return false;
	for (size_t i = 0; i < o->count; i++)
		ring[i] = at(o, i);
	free(o->ring);
	memory_count(MEMORY_QUEUES, ((ptrdiff_t)room - (ptrdiff_t)o->room) *
					    (ptrdiff_t)sizeof(struct frame *));
	o->ring = ring;
	o->room = room;
	o->first = 0;
	return true;
}

/* The reference is the output's. */
static bool
put(struct output *o, struct frame *frame)
{
	if (o->count == o->room &&
	    !set_room(o, o->room + o->room / 4 + LEAST_ROOM))
		return false;
	o->ring[place_of(o, o->count++)] = frame;
	o->bytes += frame->len;
	return true;
}

/*
 * A socket of the Unix domain holds 208 KiB unless it is told otherwise, and
 * each part that it takes costs a tee() of all.  What it holds more are pages
 * that it shares.  TCP sees to that itself, which setting it would end.
 */
static void
widen(struct output *o, int fd)
{
	int domain = AF_UNSPEC, bytes = PIPES_MOST_BYTES;
	socklen_t len = sizeof(domain);

	if (o->is_wide)
		return;
	o->is_wide = true;
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	/* The system may have a lower limit, which it takes then. */
	if (domain == AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

bool
output_add(struct output *o, struct frame *frame)
{
	if (!put(o, frame))
		return false;
	frame->refs++;
	return true;
}

bool
output_add_bytes(struct output *o, struct ibuf_pool *replies, const void *bytes,
		 size_t n)
{
	struct frame *last = o->count > 0 ? at(o, o->count - 1) : NULL;
	struct ibuf_mbuf *m;

	/* A piece that is full is followed by another, and never moved. */
	if (last != NULL && last->is_own && last->m != NULL &&
	    ibuf_mbuf_tailroom(last->m) >= n) {
		if (ibuf_mbuf_append(last->m, bytes, n) != 0)
			return false;
		last->len += n;
		o->bytes += n;
		return true;
	}
	m = ibuf_pool_alloc(replies);
	if (m == NULL || ibuf_mbuf_append(m, bytes, n) != 0) {
		ibuf_mbuf_free(m);
		return false;
	}
	if (!output_add_message(o, m))
		return false;
	at(o, o->count - 1)->is_own = true;
	return true;
}

bool
output_add_message(struct output *o, struct ibuf_mbuf *m)
{
	struct frame *frame = frame_new(m, 0);

	if (frame == NULL)
		return false;
	if (put(o, frame))
		return true;
	frame_put(frame);
	return false;
}

struct frame *
output_add_place(struct output *o)
{
	struct frame *frame = frame_new(NULL, 0);

	if (frame == NULL)
		return NULL;
	if (!put(o, frame)) {
		frame_put(frame);
		return NULL;
	}
	frame->refs++;
	return frame;
}

void
output_fill(struct output *o, struct frame *place, struct ibuf_mbuf *m)
{
	/* An empty message where there is nothing to say. */
	static const char nothing[1];

	place->m = m != NULL ? m : ibuf_mbuf_wrap_const(nothing, 0, NULL, NULL);
	place->len = m != NULL ? ibuf_mbuf_len(m) : 0;
	o->bytes += place->len;
	frame_put(place);
}

static void
drop_first(struct output *o)
{
	struct frame *frame = at(o, 0);

	o->bytes -= frame->len - o->sent;
	o->first = place_of(o, 1);
	o->count--;
	o->seg = NULL;
	o->seg_sent = 0;
	o->sent = 0;
	o->is_little = false;
	frame_put(frame);
}

/* So much went out: take it off the first frame.  What is left of it? */
static size_t
advance(struct output *o, size_t sent)
{
	const struct frame *frame = at(o, 0);
	size_t n = frame->len - o->sent;

	if (n <= sent) {
		drop_first(o);
		return sent - n;
	}
	n = sent;
	o->bytes -= n;
	o->sent += n;
	if (o->seg == NULL)
		o->seg = frame->m;
	for (n += o->seg_sent; n >= ibuf_mbuf_seg_len(o->seg);
	     o->seg = ibuf_mbuf_seg_next(o->seg))
		n -= ibuf_mbuf_seg_len(o->seg);
	o->seg_sent = n;
	return 0;
}

/* The segments of a frame, of the first one from where it was sent. */
static size_t
list(const struct output *o, size_t i, struct iovec *iov, size_t room,
     size_t *bytes)
{
	const struct ibuf_mbuf *seg =
		i == 0 && o->seg != NULL ? o->seg : at(o, i)->m;
	size_t skip = i == 0 ? o->seg_sent : 0, n = 0;

	for (; seg != NULL && n < room; seg = ibuf_mbuf_seg_next(seg)) {
		size_t len = ibuf_mbuf_seg_len(seg) - skip;

		if (len > 0)
			iov[n++] = (struct iovec){
				(char *)(uintptr_t)ibuf_mbuf_seg_data(seg) +
					skip,
				len};
		*bytes += len;
		skip = 0;
	}
	return n;
}

/* Send from the rooms what comes next; *all: how much that was. */
static ssize_t
write_rooms(struct output *o, int fd, size_t *all)
{
	struct iovec iov[IOVS];
	struct msghdr message = {.msg_iov = iov};
	size_t n = 0;
	ssize_t sent;

	*all = 0;
	for (size_t i = 0; i < o->count && n < IOVS && *all < CALL_BYTES; i++) {
		const struct frame *frame = at(o, i);

		/* What lies in a pipe goes from there. */
		if (frame->m == NULL || (frame->load != NULL && i > 0))
			break;
		n += list(o, i, iov + n, IOVS - n, all);
	}
	message.msg_iovlen = n;
	do
		sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

/* Send what comes next; *all: how much that was. */
static ssize_t
write_next(struct output *o, int fd, size_t *all)
{
	struct frame *frame = at(o, 0);
	size_t n;

	if (frame->load != NULL && o->sent < frame->load->bytes &&
	    !o->is_little) {
		widen(o, fd);
		*all = frame->load->bytes - o->sent;
		n = pipes_send(frame->load, o->sent, fd);
		/* Each piece costs a tee() of all: too much for little ones. */
		o->is_little = n < *all && n < PIPES_LEAST_BYTES;
		if (n > 0)
			return (ssize_t)n;
		/* Whatever hinders it, this is told of it. */
	}
	return write_rooms(o, fd, all);
}

ssize_t
output_write(struct output *o, int fd)
{
	ssize_t total = 0;

	while (output_has_work(o)) {
		size_t all, left;
		ssize_t n;

		if (at(o, 0)->len == 0) {
			drop_first(o);
			continue;
		}
		n = write_next(o, fd, &all);
		if (n < 0) {
			o->is_blocked = n == -EAGAIN;
			return total > 0 ? total : n;
		}
		total += n;
		for (left = (size_t)n; left > 0;)
			left = advance(o, left);
		if ((size_t)n < all) {
			o->is_blocked = true;
			return total;
		}
	}
	o->is_blocked = false;
	if (o->count == 0 && o->room > IDLE_ROOM)
		(void)set_room(o, LEAST_ROOM);
	return total;
}

void
output_destroy(struct output *o)
{
	while (o->count > 0)
		drop_first(o);
	memory_count(MEMORY_QUEUES,
		     -(ptrdiff_t)(o->room * sizeof(struct frame *)));
	free(o->ring);
	*o = (struct output){0};
}
