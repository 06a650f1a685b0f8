/*
 * cpp/number.hpp - integers at either end of a message and inside it; see
 * ibuf.hpp.  The type of the value says how many bytes it has: 1, 2, 4 or 8.
 */
#ifndef IBUF_CPP_NUMBER_HPP
#define IBUF_CPP_NUMBER_HPP

#include <ibuf/cpp/message.hpp>
#include <ibuf/number.h>

#include <optional>

namespace ibuf
{

/** @addtogroup cpp
 * @{ */

/** @cond private */
namespace detail
{

/* Types of one size may be several, such as long and long long. */
template <class T>
using fixed = std::conditional_t<
	sizeof(T) == 1, std::uint8_t,
	std::conditional_t<sizeof(T) == 2, std::uint16_t,
			   std::conditional_t<sizeof(T) == 4, std::uint32_t,
					      std::uint64_t>>>;

/* The function for the size of T. */
template <class T, class F8, class F16, class F32, class F64>
constexpr auto
sized(F8 f8, F16 f16, F32 f32, F64 f64) noexcept
{
	static_assert(std::is_unsigned_v<T> && !std::is_same_v<T, bool>);
	if constexpr (sizeof(T) == 1)
		return f8;
	else if constexpr (sizeof(T) == 2)
		return f16;
	else if constexpr (sizeof(T) == 4)
		return f32;
	else
		return f64;
}

template <class T, class Get>
bool
get(const message &m, std::size_t off, T &value, Get call) noexcept
{
	fixed<T> read;
	bool good = call(m.get(), off, &read);

	if (good)
		value = static_cast<T>(read);
	return good;
}

} // namespace detail
/** @endcond */

/** @name Integers at the end
 * @{ */
/** Append an unsigned integer, big-endian or little-endian, as
    ibuf_mbuf_append_be32() does; its type says how many bytes it has. */
template <class T>
void
append_be(message &m, T value)
{
	detail::check(detail::sized<T>(ibuf_mbuf_append_u8,
				       ibuf_mbuf_append_be16,
				       ibuf_mbuf_append_be32,
				       ibuf_mbuf_append_be64)(m.get(), value),
		      "ibuf_mbuf_append_be");
}

template <class T>
void
append_be(message &m, T value, std::error_code &ec) noexcept
{
	detail::check(detail::sized<T>(ibuf_mbuf_append_u8,
				       ibuf_mbuf_append_be16,
				       ibuf_mbuf_append_be32,
				       ibuf_mbuf_append_be64)(m.get(), value),
		      ec);
}

template <class T>
void
append_le(message &m, T value)
{
	detail::check(detail::sized<T>(ibuf_mbuf_append_u8,
				       ibuf_mbuf_append_le16,
				       ibuf_mbuf_append_le32,
				       ibuf_mbuf_append_le64)(m.get(), value),
		      "ibuf_mbuf_append_le");
}

template <class T>
void
append_le(message &m, T value, std::error_code &ec) noexcept
{
	detail::check(detail::sized<T>(ibuf_mbuf_append_u8,
				       ibuf_mbuf_append_le16,
				       ibuf_mbuf_append_le32,
				       ibuf_mbuf_append_le64)(m.get(), value),
		      ec);
}
/** @} */

/** @name Integers at the front
 * @{ */
/** Prepend an unsigned integer, as ibuf_mbuf_prepend_be32() does. */
template <class T>
void
prepend_be(message &m, T value)
{
	detail::check(detail::sized<T>(ibuf_mbuf_prepend_u8,
				       ibuf_mbuf_prepend_be16,
				       ibuf_mbuf_prepend_be32,
				       ibuf_mbuf_prepend_be64)(m.get(), value),
		      "ibuf_mbuf_prepend_be");
}

template <class T>
void
prepend_be(message &m, T value, std::error_code &ec) noexcept
{
	detail::check(detail::sized<T>(ibuf_mbuf_prepend_u8,
				       ibuf_mbuf_prepend_be16,
				       ibuf_mbuf_prepend_be32,
				       ibuf_mbuf_prepend_be64)(m.get(), value),
		      ec);
}

template <class T>
void
prepend_le(message &m, T value)
{
	detail::check(detail::sized<T>(ibuf_mbuf_prepend_u8,
				       ibuf_mbuf_prepend_le16,
				       ibuf_mbuf_prepend_le32,
				       ibuf_mbuf_prepend_le64)(m.get(), value),
		      "ibuf_mbuf_prepend_le");
}

template <class T>
void
prepend_le(message &m, T value, std::error_code &ec) noexcept
{
	detail::check(detail::sized<T>(ibuf_mbuf_prepend_u8,
				       ibuf_mbuf_prepend_le16,
				       ibuf_mbuf_prepend_le32,
				       ibuf_mbuf_prepend_le64)(m.get(), value),
		      ec);
}
/** @} */

/** @name Integers at an offset, written
 * @{ */
/** Overwrite the bytes at off with an unsigned integer, as ibuf_mbuf_put_be32()
    does. */
template <class T>
void
put_be(message &m, std::size_t off, T value)
{
	detail::check(detail::sized<T>(ibuf_mbuf_put_u8, ibuf_mbuf_put_be16,
				       ibuf_mbuf_put_be32,
				       ibuf_mbuf_put_be64)(m.get(), off, value),
		      "ibuf_mbuf_put_be");
}

template <class T>
void
put_be(message &m, std::size_t off, T value, std::error_code &ec) noexcept
{
	detail::check(detail::sized<T>(ibuf_mbuf_put_u8, ibuf_mbuf_put_be16,
				       ibuf_mbuf_put_be32,
				       ibuf_mbuf_put_be64)(m.get(), off, value),
		      ec);
}

template <class T>
void
put_le(message &m, std::size_t off, T value)
{
	detail::check(detail::sized<T>(ibuf_mbuf_put_u8, ibuf_mbuf_put_le16,
				       ibuf_mbuf_put_le32,
				       ibuf_mbuf_put_le64)(m.get(), off, value),
		      "ibuf_mbuf_put_le");
}

template <class T>
void
put_le(message &m, std::size_t off, T value, std::error_code &ec) noexcept
{
	detail::check(detail::sized<T>(ibuf_mbuf_put_u8, ibuf_mbuf_put_le16,
				       ibuf_mbuf_put_le32,
				       ibuf_mbuf_put_le64)(m.get(), off, value),
		      ec);
}
/** @} */

/** @name Integers at an offset, read
 * @{ */
/** Read an unsigned integer at off, also across segments, as
    ibuf_mbuf_get_be32() does; false, or nothing: its bytes are not all
    inside. */
template <class T>
[[nodiscard]] bool
get_be(const message &m, std::size_t off, T &value) noexcept
{
	return detail::get(
		m, off, value,
		detail::sized<T>(ibuf_mbuf_get_u8, ibuf_mbuf_get_be16,
				 ibuf_mbuf_get_be32, ibuf_mbuf_get_be64));
}

template <class T>
[[nodiscard]] bool
get_le(const message &m, std::size_t off, T &value) noexcept
{
	return detail::get(
		m, off, value,
		detail::sized<T>(ibuf_mbuf_get_u8, ibuf_mbuf_get_le16,
				 ibuf_mbuf_get_le32, ibuf_mbuf_get_le64));
}

template <class T>
std::optional<T>
get_be(const message &m, std::size_t off) noexcept
{
	T value;

	return get_be(m, off, value) ? std::optional<T>(value) : std::nullopt;
}

template <class T>
std::optional<T>
get_le(const message &m, std::size_t off) noexcept
{
	T value;

	return get_le(m, off, value) ? std::optional<T>(value) : std::nullopt;
}
/** @} */

/** @} */

} // namespace ibuf

#endif
