/*
 * library.h - first in every file that includes a public header: here the
 * short functions are always bodies, whatever CFLAGS say to programs, and no
 * check for NULL is left out.
 */
#ifndef IBUF_SRC_LIBRARY_H
#define IBUF_SRC_LIBRARY_H

#undef IBUF_OUTLINE
#undef IBUF_EMIT_
#undef IBUF_NONNULL
#define IBUF_NONNULL(which)

/* Use the result of a call that the caller has made sure of. */
static inline void
cannot_fail(int error)
{
	(void)error;
}

#endif
