/*
 * table.h - uthash as it is used here: out of memory it tells us, and what it
 * hashes nobody can foresee.
 */
#ifndef RELAY_TABLE_H
#define RELAY_TABLE_H

#include "../../../common/hash.h"

/* Instead of ending the program. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->hh.tbl = NULL)

#define HASH_FUNCTION(bytes, n, hash) ((hash) = hash_bytes(bytes, n))

#include <uthash.h>

#endif
