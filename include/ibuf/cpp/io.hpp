/* cpp/io.hpp - messages and descriptors; see ibuf.hpp. */
#ifndef IBUF_CPP_IO_HPP
#define IBUF_CPP_IO_HPP

#include <ibuf/cpp/message.hpp>
#include <ibuf/io.h>

namespace ibuf
{

/** @addtogroup cpp
 * @{ */

/** @name Descriptors
 * @{ */
/** Append what a descriptor has, at most max bytes, as ibuf_io_read() does: how
    many came, 0 at the end. */
inline std::size_t
read(int fd, message &m, std::size_t max)
{
	ssize_t n = ibuf_io_read(fd, m.get(), max);

	if (n < 0)
		detail::fail(static_cast<int>(n), "ibuf_io_read");
	return static_cast<std::size_t>(n);
}

inline std::size_t
read(int fd, message &m, std::size_t max, std::error_code &ec)
{
	ssize_t n = ibuf_io_read(fd, m.get(), max);

	ec = detail::code(n < 0 ? static_cast<int>(n) : 0);
	return n < 0 ? 0 : static_cast<std::size_t>(n);
}

/** Write the message, as ibuf_io_write() does: how many bytes went, which are
    gone from its front. */
inline std::size_t
write(int fd, message &m)
{
	ssize_t n = ibuf_io_write(fd, m.get());

	if (n < 0)
		detail::fail(static_cast<int>(n), "ibuf_io_write");
	return static_cast<std::size_t>(n);
}

inline std::size_t
write(int fd, message &m, std::error_code &ec)
{
	ssize_t n = ibuf_io_write(fd, m.get());

	ec = detail::code(n < 0 ? static_cast<int>(n) : 0);
	return n < 0 ? 0 : static_cast<std::size_t>(n);
}

/** The same to a socket, as ibuf_io_write_socket() does: without SIGPIPE, and
    with flags of sendmsg(2). */
inline std::size_t
write_socket(int fd, message &m, int flags = 0)
{
	ssize_t n = ibuf_io_write_socket(fd, m.get(), flags);

	if (n < 0)
		detail::fail(static_cast<int>(n), "ibuf_io_write_socket");
	return static_cast<std::size_t>(n);
}

inline std::size_t
write_socket(int fd, message &m, int flags, std::error_code &ec)
{
	ssize_t n = ibuf_io_write_socket(fd, m.get(), flags);

	ec = detail::code(n < 0 ? static_cast<int>(n) : 0);
	return n < 0 ? 0 : static_cast<std::size_t>(n);
}
/** @} */

/** @} */

} // namespace ibuf

#endif
