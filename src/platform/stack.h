/* stack.h - who called: the return addresses of the calling thread, and what
   they are called. */
#ifndef IBUF_SRC_STACK_H
#define IBUF_SRC_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STACK_DEPTH 20

struct ibuf_stack {
	unsigned n;
	void *callers[STACK_DEPTH]; /* the innermost first */
};

/*
 * Where in the thread's stack those addresses lay.  As long as they lie there
 * the same calls are under way, and the stack need not be walked.
 */
struct ibuf_stack_places {
	void *const *at[STACK_DEPTH];
};

/* The first call may allocate; who prepares makes it. */
void ibuf_stack_prepare_(void);

/* The calls from the one that returns to caller on; where the system does not
   tell, that one alone. */
void ibuf_stack_take_(struct ibuf_stack *stack, void *caller);

/* Find its places, at from or above; false: not on this machine, or not on
   the stack that the system gave the thread. */
bool ibuf_stack_find_(const struct ibuf_stack *stack, void *const *from,
		      struct ibuf_stack_places *places);

/* Does every address lie in its place?  from: as it was when they were found,
   in the calling thread's stack. */
bool ibuf_stack_is_(const struct ibuf_stack *stack, void *const *from,
		    const struct ibuf_stack_places *places);

/* Write "FUNCTION+0x1 (FILE+0x2)" of a caller: the call, not what comes
   behind it; what addr2line -e FILE takes is the last number. */
void ibuf_stack_name_(void *caller, char *line, size_t size);

#endif
