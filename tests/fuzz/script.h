/*
 * script.h - the bytes of an input as a script: which operation, with what.
 * At its end all is 0.
 */
#ifndef FUZZ_SCRIPT_H
#define FUZZ_SCRIPT_H

#include <model/model.h>

struct script {
	const uint8_t *at, *end;
};

static inline uint8_t
script_byte(struct script *s)
{
	return s->at < s->end ? *s->at++ : 0;
}

/* 0 to most. */
static inline size_t
script_number(struct script *s, size_t most)
{
	size_t n = script_byte(s);

	n = n << 8 | script_byte(s);
	return n % (most + 1);
}

/* Up to n bytes of the script itself; how many are there? */
static inline size_t
script_bytes(struct script *s, const uint8_t **bytes, size_t n)
{
	size_t here = (size_t)(s->end - s->at);

	if (n > here)
		n = here;
	*bytes = s->at;
	s->at += n;
	return n;
}

#endif
