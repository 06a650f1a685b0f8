/* parent.c - a library between a program and ibuf. */
#include <ibuf/ibuf.h>

unsigned parent_version(void);

unsigned
parent_version(void)
{
	return ibuf_version_number();
}
