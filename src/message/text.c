/* text.c - formatted text at the end of a message. */
#define _POSIX_C_SOURCE 200809L
#include "../library.h"

#include <ibuf/mbuf.h>

#include "chain.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

/*
 * vsnprintf(3), but -errno is the channel.  errno is as the caller of the
 * library left it, since %m prints it, and stays so.
 */
static IBUF_PRINTF(4, 0) int format_text(int saved, char *to, size_t size,
					 const char *format, va_list args)
{
	int error, n;

	errno = saved;
	n = vsnprintf(to, size, format, args);
	error = errno;
	errno = saved;
	if (n >= 0)
		return n;
	return error == EOVERFLOW || error == ENOMEM ? -error : -EINVAL;
}

/* Text on the side, since a message has no room for the zero. */
struct text {
	char *bytes;
	size_t size; /* with the zero */
};

/* It may be for a message that wipes, or quote one. */
static void
text_free(void *text)
{
	struct text *t = text;

	ibuf_platform_wipe_(t->bytes, t->size);
	free(t->bytes);
}

/* Append n bytes of the text, which goes in any case. */
static int
append_and_free(struct ibuf_mbuf *m, struct text *text, size_t n)
{
	int error;

	/* The callback of a room that is left may end the thread. */
	pthread_cleanup_push(text_free, text);
	error = ibuf_mbuf_append(m, text->bytes, n);
	pthread_cleanup_pop(1);
	return error;
}

/* Format n bytes that do not fit, once more. */
static IBUF_PRINTF(4, 0) int append_text(struct ibuf_mbuf *m, int saved,
					 size_t n, const char *format,
					 va_list args)
{
	struct text text = {malloc(n + 1), n + 1};
	int result;

	if (text.bytes == NULL)
		return -ENOMEM;
	result = format_text(saved, text.bytes, text.size, format, args);
	if (result < 0) {
		text_free(&text);
		return result;
	}
	/* Less came if a string got shorter meanwhile. */
	if ((size_t)result < n)
		n = (size_t)result;
	return append_and_free(m, &text, n);
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
	result = format_text(saved, room != 0 ? end : NULL, room, format, args);
	if (result > 0 && (size_t)result > MESSAGE_MAX - ibuf_mbuf_len(m))
		result = -EOVERFLOW;
	else if (result >= 0 && (size_t)result < room)
		result = ibuf_mbuf_commit(m, (size_t)result);
	else if (result > 0)
		result = append_text(m, saved, (size_t)result, format, again);
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
