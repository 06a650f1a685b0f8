/*
 * platform_copies.h - what else is loaded into this process.
 *
 * A copy of the library leaves a note in whatever it is linked into, which
 * leads to a variable of that copy.  All such variables can be visited,
 * without a name that is exported, and none is loaded or unloaded meanwhile.
 */
#ifndef IBUF_SRC_PLATFORM_COPIES_H
#define IBUF_SRC_PLATFORM_COPIES_H

#ifdef IBUF_PLATFORM_POSIX

#define LEAVE_NOTE(type, variable)                                             \
	_Static_assert(sizeof(variable) != 0, "nobody can visit it")

#else

/*
 * An ELF note of the name "ibuf": how far behind its last four bytes the
 * variable lies, which must be hidden.  Those of type 1 are visited, those of
 * type 2 lead to a registry (registry.h).
 */
#define LEAVE_NOTE(type, variable)                                             \
	__asm__("	.pushsection .note.ibuf,\"a\",%note\n"                       \
		"	.balign 4\n"                                                 \
		"	.long 5, 4, " #type "\n"                               \
		"	.asciz \"ibuf\"\n"                                           \
		"	.balign 4\n"                                                 \
		"	.long " #variable " - .\n"                             \
		"	.popsection\n")

#endif

/*
 * Visit the variables that notes of type 1 lead to, in the order in which their
 * modules were loaded, and then call decide; no other thread is in here.
 */
void ibuf_platform_visit_(void (*visit)(void *variable, void *arg),
			  void (*decide)(void *arg), void *arg);

/* From now on the module that this is linked into is not unloaded. */
void ibuf_platform_stay_(void);

#endif
