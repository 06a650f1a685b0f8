/*
 * ibuf.hpp - messages, pools, cursors and queues for C++17 and later.
 *
 *   ibuf::message m = ibuf::message::with_capacity(100);
 *   m.append("hello");
 *   ibuf::message shared = m.clone();
 *
 * Each class holds one object of the C library and frees it; it can be moved,
 * not copied.  What a call means, which thread may make it and what it costs
 * stands at the C function of that name; a member does no more than call it.
 *
 * Each call that can fail has two forms.  One throws std::system_error, whose
 * code() is in std::generic_category().  The other takes a std::error_code &
 * as its last argument, sets it, and throws nothing.  Without exceptions the
 * first form ends the program.  A failed call changes nothing: also what was
 * to be moved into it is still the caller's.
 *
 * A message that holds nothing, one made by default or moved from, is false;
 * only assigning, testing and destroying it make sense.
 */
#ifndef IBUF_IBUF_HPP
#define IBUF_IBUF_HPP

#if __cplusplus < 201703L
#error "ibuf.hpp needs C++17"
#endif

#include <ibuf/cpp/cursor.hpp>
#include <ibuf/cpp/io.hpp>
#include <ibuf/cpp/message.hpp>
#include <ibuf/cpp/number.hpp>
#include <ibuf/cpp/pool.hpp>
#include <ibuf/cpp/queue.hpp>
#include <ibuf/ibuf.h>

/**
 * @defgroup cpp C++
 * Classes for C++17 and later, `<ibuf/ibuf.hpp>`.
 *
 * Each holds one object of the C library and frees it; it can be moved, not
 * copied.  What a call means, which thread may make it and what it costs
 * stands at the C function that it names; a member does no more than call it.
 *
 * Each call that can fail has two forms.  One throws std::system_error, whose
 * code() is in std::generic_category().  The other takes a std::error_code &
 * as its last argument, sets it, and throws nothing.  Without exceptions the
 * first form ends the program.  A failed call changes nothing: also what was
 * to be moved into it is still the caller's.
 *
 * A message that holds nothing, one made by default or moved from, is false;
 * only assigning, testing and destroying it make sense.
 */

/** All that `<ibuf/ibuf.hpp>` has, see @ref cpp. */
namespace ibuf
{
}

#endif
