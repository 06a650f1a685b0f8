/* text.c - formatted text at the end of a message. */
#define _POSIX_C_SOURCE 200809L
#include "library.h"

#include <ibuf/mbuf.h>

#include <errno.h>
#include <stdlib.h>

/* Format n bytes on the side, since a message has no room for the zero. */
static IBUF_PRINTF(3, 0) int append_text(struct ibuf_mbuf *m, size_t n,
					 const char *format, va_list args)
{
	char *text = malloc(n + 1);
	int error = -ENOMEM;

	if (text == NULL)
		return error;
	vsnprintf(text, n + 1, format, args);
	error = ibuf_mbuf_append(m, text, n);
	free(text);
	return error;
}

int
ibuf_mbuf_vprintf(struct ibuf_mbuf *m, const char *format, va_list args)
{
	size_t room = ibuf_mbuf_tailroom(m);
	char *end = ibuf_mbuf_reserve(m, 0);
	int saved = errno, error = 0, n;
	va_list again;

	va_copy(again, args);
	errno = 0;
	n = vsnprintf(room != 0 ? end : NULL, room, format, args);
	if (n < 0)
		error = errno == EOVERFLOW ? -EOVERFLOW : -EINVAL;
	else if ((size_t)n < room)
		error = ibuf_mbuf_commit(m, (size_t)n);
	else if (n != 0)
		error = append_text(m, (size_t)n, format, again);
	va_end(again);
	errno = saved;
	return error;
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
