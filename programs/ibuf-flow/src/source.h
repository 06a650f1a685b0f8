/*
 * source.h - the bytes of a file, as they are, or out of gzip (zlib) or
 * Zstandard (libzstd).
 */
#ifndef FLOW_SOURCE_H
#define FLOW_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct source;

/* Open a file; "-" is standard input.  NULL, and errno: it cannot. */
struct source *source_open(const char *path);

/*
 * Read up to n bytes: as many as there are; 0: the end; -1: an error, or the
 * program was asked to stop.
 */
ssize_t source_read(struct source *s, void *to, size_t n);

/* What is wrong with the file; NULL: nothing. */
const char *source_error(const struct source *s);

void source_close(struct source *s);

#endif
