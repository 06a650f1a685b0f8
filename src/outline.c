/*
 * outline.c - a copy of every inline body, for programs that are compiled
 * with IBUF_OUTLINE and for languages that cannot read C headers.
 */
#include "library.h"

#define IBUF_EMIT_
#include <ibuf/ibuf.h>
