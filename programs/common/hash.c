/*
 * hash.c - SipHash-1-3.
 *
 * Four words of state; each word of the input is mixed in by one round, and
 * the end by three.
 */
#include "hash.h"
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static uint64_t key[2];

void
hash_init(const uint64_t drawn[2])
{
	key[0] = drawn[0];
	key[1] = drawn[1];
}

void
hash_init_random(void)
{
	uint64_t drawn[2];

	if (getrandom(drawn, sizeof(drawn), GRND_NONBLOCK) != sizeof(drawn)) {
		/* The system has no entropy yet; this is not in a book. */
		drawn[0] = (uint64_t)time(NULL) << 32 | (uint64_t)clock();
		drawn[1] = (uint64_t)getpid() << 32 | (uintptr_t)drawn;
	}
	hash_init(drawn);
}

static inline uint64_t
rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void
mix(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static inline void
take(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	mix(v);
	v[0] ^= word;
}

/* The first n bytes, eight at most, the lowest first. */
static inline uint64_t
word_of(const unsigned char *bytes, size_t n)
{
	uint64_t word = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (n == 8) {
		memcpy(&word, bytes, 8);
		return word;
	}
#endif
	for (size_t i = 0; i < n; i++)
		word |= (uint64_t)bytes[i] << 8 * i;
	return word;
}

uint32_t
hash_bytes(const void *bytes, size_t n)
{
	uint64_t v[4] = {
		key[0] ^ UINT64_C(0x736f6d6570736575),
		key[1] ^ UINT64_C(0x646f72616e646f6d),
		key[0] ^ UINT64_C(0x6c7967656e657261),
		key[1] ^ UINT64_C(0x7465646279746573),
	};
	const unsigned char *at = bytes;
	const uint64_t len = n;
	uint64_t word;

	for (; n >= 8; n -= 8, at += 8)
		take(v, word_of(at, 8));
	take(v, len << 56 | word_of(at, n));
	v[2] ^= 0xff;
	for (unsigned i = 0; i < 3; i++)
		mix(v);
	word = v[0] ^ v[1] ^ v[2] ^ v[3];
	return (uint32_t)(word ^ word >> 32);
}
