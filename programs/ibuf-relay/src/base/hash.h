/*
 * hash.h - SipHash-1-3, with a key that is drawn when the relay starts.
 *
 * Names come from anybody.  Who knows how they are hashed can choose many
 * that lie in one bucket, and each look-up walks through all of them; without
 * the key nobody knows.  (Aumasson, Bernstein: SipHash, 2012.)
 */
#ifndef RELAY_HASH_H
#define RELAY_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Set the key; before the first hash, and before there are threads. */
void hash_init(const uint64_t drawn[2]);

/* Half of the 64 bits, by way of both. */
uint32_t hash_bytes(const void *bytes, size_t n);

#endif
