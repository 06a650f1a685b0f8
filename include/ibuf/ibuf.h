/*
 * ibuf.h - the whole library: message buffers and the pools they come from.
 *
 *   base.h      version; errors and thread classes
 *   provider.h  where a pool's memory comes from
 *   mbuf.h      the message: life, ends, bytes, stream
 *   segment.h   messages of several segments
 *   number.h    integers of either byte order
 *   cursor.h    a checked reader
 *   pool.h      the pool
 *   queue.h     messages between threads
 *   io.h        messages and file descriptors
 */
#ifndef IBUF_IBUF_H
#define IBUF_IBUF_H

#include <ibuf/base.h>
#include <ibuf/cursor.h>
#include <ibuf/io.h>
#include <ibuf/mbuf.h>
#include <ibuf/number.h>
#include <ibuf/pool.h>
#include <ibuf/provider.h>
#include <ibuf/queue.h>
#include <ibuf/segment.h>

#endif
