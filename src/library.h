/*
 * library.h - first in every file that includes a public header: here the
 * short functions are always bodies, whatever CFLAGS say to programs.
 */
#undef IBUF_OUTLINE
#undef IBUF_EMIT_
