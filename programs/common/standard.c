/*
 * standard.c - the standard streams.
 */
#include "standard.h"
#include "complain.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
standard_hold(int flags)
{
	int fd;

	do
		fd = open("/dev/null", flags);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

bool
standard_finish(bool done)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout) && done)
		return true;
	/* Why, is said to who tries again. */
	if (errno == 0 && fputc('\n', stdout) != EOF)
		(void)fflush(stdout);
	complain("cannot write the output: %s",
		 errno != 0 ? strerror(errno) : "write error");
	return false;
}
