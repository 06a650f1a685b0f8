/*
 * reader.h - a cursor does what some bytes say, and a flat reader with it.
 *
 * The flat reader knows the bytes, a position and a limit.  After each step
 * both must be at the same place, having read the same.
 */
#ifndef READER_H
#define READER_H

#include <ibuf/ibuf.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Read m, whose bytes are these, as the script says: three bytes a step.
 * Tells how many bytes were copied in a view of more than one segment.
 */
uint64_t read_message(const struct ibuf_mbuf *m, const uint8_t *bytes,
		      size_t len, const uint8_t *script, size_t n);

#endif
