/* event.c - a descriptor that is readable or not, as we say. */
#ifdef IBUF_PLATFORM_POSIX
#define _POSIX_C_SOURCE 200809L
#elif !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "event.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

#ifdef IBUF_PLATFORM_POSIX

/* Neither end blocks or is inherited by another program. */
static int
prepare(int fd)
{
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		return -errno;
	return 0;
}

int
ibuf_event_open_(struct ibuf_event *event)
{
	int ends[2], error;

	if (pipe(ends) != 0)
		return -errno;
	event->fd = ends[0];
	event->to = ends[1];
	error = prepare(event->fd);
	if (error == 0)
		error = prepare(event->to);
	if (error != 0)
		ibuf_event_close_(event);
	return error;
}

static int
move(int from, int to)
{
	return dup2(from, to) < 0 || prepare(to) != 0 ? -1 : 0;
}

void
ibuf_event_renew_(struct ibuf_event *event)
{
	struct ibuf_event fresh = EVENT_NONE;

	if (ibuf_event_open_(&fresh) != 0) {
		ibuf_event_close_(event);
		return;
	}
	if (move(fresh.fd, event->fd) < 0 ||
	    (event->to != event->fd && move(fresh.to, event->to) < 0))
		ibuf_event_close_(event);
	ibuf_event_close_(&fresh);
}

#else

#include <sys/eventfd.h>

int
ibuf_event_open_(struct ibuf_event *event)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	event->fd = event->to = fd;
	return 0;
}

/* The old one goes first: there may be no more descriptors to be had. */
void
ibuf_event_renew_(struct ibuf_event *event)
{
	int number = event->fd, fresh;

	ibuf_event_close_(event);
	if (ibuf_event_open_(event) != 0 || event->fd == number)
		return;
	fresh = event->fd;
	event->fd = event->to = dup3(fresh, number, O_CLOEXEC);
	close(fresh);
}

#endif

void
ibuf_event_close_(struct ibuf_event *event)
{
	int state;

	if (event->fd < 0)
		return;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	if (event->to != event->fd)
		close(event->to);
	close(event->fd);
	pthread_setcancelstate(state, &state);
	*event = EVENT_NONE;
}

/* An eventfd takes and gives 8 bytes, a pipe any. */
void
ibuf_event_set_(const struct ibuf_event *event)
{
	uint64_t one = 1;
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	while (write(event->to, &one, sizeof one) < 0 && errno == EINTR)
		;
	pthread_setcancelstate(state, &state);
}

void
ibuf_event_clear_(const struct ibuf_event *event)
{
	uint64_t count;
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	while (read(event->fd, &count, sizeof count) < 0 && errno == EINTR)
		;
	pthread_setcancelstate(state, &state);
}
