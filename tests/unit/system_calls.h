/*
 * system_calls.h - what a test that is linked with --wrap=syscall says of the
 * system calls of the library: its own refusal_of() gives the error of a call,
 * or 0, with which the call goes to the system.
 */
#ifndef SYSTEM_CALLS_H
#define SYSTEM_CALLS_H

#include <errno.h>
#include <stdarg.h>
#include <sys/syscall.h>

static int refusal_of(long number);

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

long
__wrap_syscall(long number, ...)
{
	long a[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	errno = refusal_of(number);
	if (errno != 0)
		return -1;
	return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#endif
