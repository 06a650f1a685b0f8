/* wrapped.h - rooms of the caller's own memory. */
#ifndef IBUF_SRC_WRAPPED_H
#define IBUF_SRC_WRAPPED_H

#include <ibuf/mbuf.h>

struct wrapped_room {
	struct ibuf_room_ room; /* its headroom is 0 */
	uint32_t size;
	void *bytes; /* as the caller gave them; NULL when size is 0 */
	ibuf_mbuf_release_fn *release;
	void *arg;
};

/* Nobody looks at it any more: tell the caller. */
void ibuf_wrapped_gone_(struct wrapped_room *wrapped);

#endif
