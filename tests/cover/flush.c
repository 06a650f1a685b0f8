/*
 * flush.c - a process that ends without exit() still says what it has run.
 *
 * The profile of a coverage build is written by a function that runs at exit.
 * Children of tests end by _exit() or abort(), and are the only ones that run
 * what is for children, and what is said before the end.  The linker sends
 * their calls here.
 */
#include <stdlib.h>
#include <unistd.h>

int __llvm_profile_write_file(void);
void __llvm_profile_reset_counters(void);

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
_Noreturn void __real_abort(void);
_Noreturn void __wrap_abort(void);

/* What is written is added to what the file has: a second time it would be
   doubled. */
static void
flush(void)
{
	(void)__llvm_profile_write_file();
	__llvm_profile_reset_counters();
}

void
__wrap__exit(int status)
{
	flush();
	__real__exit(status);
}

void
__wrap_abort(void)
{
	flush();
	__real_abort();
}
