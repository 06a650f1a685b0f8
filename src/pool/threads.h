/*
 * threads.h - the threads of a process, each with its tcaches.
 *
 * A thread gets a block of tcaches when it first uses a pool, and gives back
 * what they hold when it exits.
 */
#ifndef IBUF_SRC_THREADS_H
#define IBUF_SRC_THREADS_H

#include "store.h"

/* Give a cache's owner a number, and list it.  0, -ENOMEM or -ENOBUFS. */
int ibuf_threads_register_(struct ibuf_cache *cache);

/*
 * The calling thread's tcaches for a cache, made when it has none; NULL: it
 * cannot have any, and objects must be taken from the stock and given to it.
 */
struct ibuf_tcaches_ *ibuf_threads_tcaches_(struct ibuf_cache *cache);

/*
 * The same for a thread that gives something back.  Giving back needs no
 * memory, so tcaches are made only for a thread that has done it often.
 */
struct ibuf_tcaches_ *ibuf_threads_tcaches_to_give_(struct ibuf_cache *cache);

#endif
