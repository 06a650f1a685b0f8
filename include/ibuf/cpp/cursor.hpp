/* cpp/cursor.hpp - a checked reader of a message; see ibuf.hpp. */
#ifndef IBUF_CPP_CURSOR_HPP
#define IBUF_CPP_CURSOR_HPP

#include <ibuf/cpp/message.hpp>
#include <ibuf/cursor.h>

#include <optional>

namespace ibuf
{

/** @addtogroup cpp
 * @{ */

/** A checked reader of a message, which must live and not be edited meanwhile;
    a copy is a second reader at the same place. */
class cursor
{
      public:
	explicit cursor(const message &m) noexcept
	{
		ibuf_cursor_init(&c_, m.get());
	}

	/** The cursor of the C library, which stays this one's. */
	ibuf_cursor *get() noexcept
	{
		return &c_;
	}
	std::size_t position() const noexcept
	{
		return ibuf_cursor_position(&c_);
	}
	std::size_t remaining() const noexcept
	{
		return ibuf_cursor_remaining(&c_);
	}
	void reset() noexcept
	{
		ibuf_cursor_reset(&c_);
	}
	[[nodiscard]] bool seek(std::size_t position) noexcept
	{
		return ibuf_cursor_seek(&c_, position);
	}
	[[nodiscard]] bool skip(std::size_t n) noexcept
	{
		return ibuf_cursor_skip(&c_, n);
	}
	[[nodiscard]] bool limit(std::size_t n) noexcept
	{
		return ibuf_cursor_limit(&c_, n);
	}
	[[nodiscard]] bool read(void *to, std::size_t n) noexcept
	{
		return ibuf_cursor_read(&c_, to, n);
	}
	std::size_t find(std::string_view needle) const noexcept
	{
		return ibuf_cursor_find(&c_, needle.data(), needle.size());
	}
	/** Read a big-endian integer of 1, 2, 4 or 8 bytes; false: they are not there, and
	    value is untouched. */
	template <class T> [[nodiscard]] bool get_be(T &value) noexcept
	{
		static_assert(std::is_unsigned_v<T> &&
			      !std::is_same_v<T, bool>);
		if constexpr (sizeof(T) == 1) {
			return get(value, ibuf_cursor_get_u8);
		} else if constexpr (sizeof(T) == 2) {
			return get(value, ibuf_cursor_get_be16);
		} else if constexpr (sizeof(T) == 4) {
			return get(value, ibuf_cursor_get_be32);
		} else {
			return get(value, ibuf_cursor_get_be64);
		}
	}
	/** The same, little-endian. */
	template <class T> [[nodiscard]] bool get_le(T &value) noexcept
	{
		static_assert(std::is_unsigned_v<T> &&
			      !std::is_same_v<T, bool>);
		if constexpr (sizeof(T) == 1) {
			return get(value, ibuf_cursor_get_u8);
		} else if constexpr (sizeof(T) == 2) {
			return get(value, ibuf_cursor_get_le16);
		} else if constexpr (sizeof(T) == 4) {
			return get(value, ibuf_cursor_get_le32);
		} else {
			return get(value, ibuf_cursor_get_le64);
		}
	}
	/** The same as a value, or nothing. */
	template <class T> std::optional<T> get_be() noexcept
	{
		T value;

		return get_be(value) ? std::optional<T>(value) : std::nullopt;
	}
	/** The same, little-endian. */
	template <class T> std::optional<T> get_le() noexcept
	{
		T value;

		return get_le(value) ? std::optional<T>(value) : std::nullopt;
	}
	/** n bytes in place; nothing: too few, or they straddle a segment. */
	std::optional<std::string_view> span(std::size_t n) noexcept
	{
		const std::uint8_t *bytes = ibuf_cursor_span(&c_, n);

		if (bytes == nullptr)
			return std::nullopt;
		return std::string_view(reinterpret_cast<const char *>(bytes),
					n);
	}
	/** A message of the next n bytes, which are shared. */
	message take(std::size_t n)
	{
		message m(ibuf_cursor_take(&c_, n));

		if (!m)
			detail::fail(error_of(n), "ibuf_cursor_take");
		return m;
	}
	message take(std::size_t n, std::error_code &ec) noexcept
	{
		message m(ibuf_cursor_take(&c_, n));

		ec = detail::code(m ? 0 : error_of(n));
		return m;
	}

      private:
	/* Types of one size may be several, such as long and long long. */
	template <class T, class Fixed>
	bool get(T &value, bool (*call)(ibuf_cursor *, Fixed *)) noexcept
	{
		if constexpr (std::is_same_v<T, Fixed>) {
			return call(&c_, &value);
		} else {
			Fixed fixed;
			bool good = call(&c_, &fixed);

			if (good)
				value = static_cast<T>(fixed);
			return good;
		}
	}
	int error_of(std::size_t n) const noexcept
	{
		return n > remaining() ? -ERANGE : -ENOMEM;
	}

	ibuf_cursor c_;
};

/** @} */

} // namespace ibuf

#endif
