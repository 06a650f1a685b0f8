/*
 * close.h - a cache is closed, and ends when nothing is out of it.
 *
 * From when it is closed on a cache keeps in out what is out, as far as it
 * knows, so that a free need not ask every thread:
 *
 *   out = sum of seen_ of the tcaches + taken - given of the depots
 *
 * seen_ is a tcache's taken_ - given_ when somebody looked.  Takes that nobody
 * has seen make the truth larger than out, gives make it smaller; but whoever
 * gives to a closed tcache comes to tell.  So in the end out is 0 or less, and
 * then all are asked again, which is exact.
 */
#ifndef IBUF_SRC_CLOSE_H
#define IBUF_SRC_CLOSE_H

#include "store.h"

/* An object of a closed cache comes back, perhaps the last. */
void ibuf_cache_give_late_(struct ibuf_depot *depot, struct ibuf_mbuf *m);

/* Say that this copy of the library has tcaches; once, having joined. */
void ibuf_close_have_tcaches_(void);

/* Take the tcaches with a number from a block, which has them or not. */
void ibuf_pool_drop_tcaches_(struct ibuf_block *block, uint32_t number);

/*
 * Put into the stocks what threads kept that are gone; the lock is held.
 * true: there was something.  Looks seldom where it is asked often in vain:
 * the cost is O(1) a call, O(threads that use it) the first time.
 */
bool ibuf_cache_reclaim_(struct ibuf_cache *cache);

/* Close: elements that are still out.  The cache may be gone afterwards. */
size_t ibuf_cache_close_(struct ibuf_cache *cache);

/*
 * Ask a closed cache again whose last free may have been missed: whoever
 * makes or ends a pool or a thread does.  No lock is held.
 */
void ibuf_cache_look_again_(void);

/* Count anew what is out, in the child of a fork; all locks are held. */
void ibuf_cache_forked_(struct ibuf_cache *cache);

#endif
