/* text.c - formatted text at the end of a message. */
#define _POSIX_C_SOURCE 200809L
#include <ibuf/mbuf.h>

#include "chain.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

/* vsnprintf(3), but -errno is the channel; keeps errno. */
static IBUF_PRINTF(3, 0) int format_text(char *to, size_t size,
					 const char *format, va_list args)
{
	int saved = errno, error, n;

	errno = 0;
	n = vsnprintf(to, size, format, args);
	error = errno;
	errno = saved;
	if (n >= 0)
		return n;
	return error == EOVERFLOW || error == ENOMEM ? -error : -EINVAL;
}

struct aside {
	char *text;
	size_t size;
};

/* What was there may be of a pool that wipes, or quote what is of one. */
static void
free_aside(void *arg)
{
	const struct aside *aside = arg;

	ibuf_platform_wipe_(aside->text, aside->size);
	free(aside->text);
}

/* Format n bytes on the side, since a message has no room for the zero. */
static IBUF_PRINTF(3, 0) int append_text(struct ibuf_mbuf *m, size_t n,
					 const char *format, va_list args)
{
	struct aside aside = {malloc(n + 1), n + 1};
	int result;

	if (aside.text == NULL)
		return -ENOMEM;
	/* A release callback of the room that is left may never return. */
	pthread_cleanup_push(free_aside, &aside);
	result = format_text(aside.text, n + 1, format, args);
	/* Less came if a string got shorter meanwhile. */
	if (result >= 0)
		result = ibuf_mbuf_append(
			m, aside.text, (size_t)result < n ? (size_t)result : n);
	pthread_cleanup_pop(1);
	return result;
}

int
ibuf_mbuf_vprintf(struct ibuf_mbuf *m, const char *format, va_list args)
{
	size_t room = ibuf_mbuf_tailroom(m);
	char *end = ibuf_mbuf_reserve(m, 0);
	int saved = errno, result;
	va_list again;

	/* POSIX lets vsnprintf refuse sizes that an int cannot say. */
	if (room > INT_MAX)
		room = INT_MAX;
	va_copy(again, args);
	result = format_text(room != 0 ? end : NULL, room, format, args);
	if (result > 0 && (size_t)result > MESSAGE_MAX - ibuf_mbuf_len(m))
		result = -EOVERFLOW;
	else if (result >= 0 && (size_t)result < room)
		result = ibuf_mbuf_commit(m, (size_t)result);
	else if (result > 0)
		result = append_text(m, (size_t)result, format, again);
	va_end(again);
	errno = saved; /* malloc's too */
	return result;
}

int
ibuf_mbuf_printf(struct ibuf_mbuf *m, const char *format, ...)
{
	va_list args;
	int error;

	va_start(args, format);
	error = ibuf_mbuf_vprintf(m, format, args);
	va_end(args);
	return error;
}
