/*
 * standard.h - the standard streams, held open and written out.
 */
#ifndef COMMON_STANDARD_H
#define COMMON_STANDARD_H

#include <stdbool.h>

/*
 * A closed standard stream must not become the descriptor of something else.
 * Its place is taken by /dev/null, opened with these flags: by O_RDONLY output
 * to it fails and is noticed, by O_RDWR it is lost.
 */
void standard_hold(int flags);

/*
 * Write out what standard output has buffered; done: all was put there.
 * false: it did not go out, and why is said.
 */
bool standard_finish(bool done);

#endif
