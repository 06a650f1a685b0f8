/* version.c - the version of the library that is linked. */
#include "library.h"

#include <ibuf/base.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

const char *
ibuf_version_string(void)
{
	return TEXT(IBUF_VERSION_MAJOR) "." TEXT(IBUF_VERSION_MINOR) "." TEXT(
		IBUF_VERSION_PATCH);
}

unsigned
ibuf_version_number(void)
{
	return IBUF_VERSION_MAJOR * 10000 + IBUF_VERSION_MINOR * 100 +
	       IBUF_VERSION_PATCH;
}
