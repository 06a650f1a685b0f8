/*
 * input.h - what the parsers read from: windows onto rooms, linked as they
 * came.
 */
#ifndef RELAY_INPUT_H
#define RELAY_INPUT_H

#include <ibuf/ibuf.h>

/* Take n bytes off its front; it is NULL when none are left. */
static inline void
input_drop(struct ibuf_mbuf **in, size_t n)
{
	if (n == ibuf_mbuf_len(*in)) {
		ibuf_mbuf_free(*in);
		*in = NULL;
	} else {
		ibuf_mbuf_trim_head(*in, n);
	}
}

#endif
