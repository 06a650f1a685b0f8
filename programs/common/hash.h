/*
 * hash.h - SipHash-1-3, with a key that is drawn when the program starts.
 *
 * What is looked up comes from anybody.  Who knows how it is hashed can choose
 * much that lies in one bucket, and each look-up walks through all of it;
 * without the key nobody knows.  (Aumasson, Bernstein: SipHash, 2012.)
 */
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Set the key; before the first hash, and before there are threads. */
void hash_init(const uint64_t drawn[2]);

/* Set a key that nobody can foresee. */
void hash_init_random(void);

/* Half of the 64 bits, by way of both. */
uint32_t hash_bytes(const void *bytes, size_t n);

#endif
