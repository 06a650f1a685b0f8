/* cpp/error.hpp - errors in their two forms, and times as the C functions want them; see ibuf.hpp. */
#ifndef IBUF_CPP_ERROR_HPP
#define IBUF_CPP_ERROR_HPP

#include <ibuf/base.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <system_error>

namespace ibuf
{

/** @cond private */
namespace detail
{

inline std::error_code
code(int error) noexcept
{
	return {error < 0 ? -error : error, std::generic_category()};
}

/* Out of line, so that the ways that succeed stay short. */
[[noreturn, gnu::cold, gnu::noinline]] inline void
fail(int error, const char *what)
{
#if defined(__cpp_exceptions)
	throw std::system_error(code(error), what);
#else
	(void)error;
	(void)what;
	std::abort();
#endif
}

/* The two ends of a call that gives 0 or an error. */
inline void
check(int error, const char *what)
{
	if (error != 0)
		fail(error, what);
}

inline void
check(int error, std::error_code &ec) noexcept
{
	ec = code(error);
}

template <class T>
inline constexpr bool is_plain = std::is_trivially_copyable_v<T>;

/* Of n bytes at off of len: 0, or the error that a NULL means. */
inline int
range_error(std::size_t off, std::size_t n, std::size_t len) noexcept
{
	return off > len || n > len - off ? -ERANGE : -ENOMEM;
}

inline int
size_error(std::size_t n) noexcept
{
	return n > UINT32_MAX ? -EOVERFLOW : -ENOMEM;
}

/* How long, as the C functions want it; more than 10^9 s is for ever. */
template <class Rep, class Period>
struct timespec
to_timespec(std::chrono::duration<Rep, Period> time)
{
	using namespace std::chrono;
	constexpr auto most = duration<double>(2e9);
	struct timespec t = {};

	if (duration<double>(time) > most) {
		t.tv_sec = 2000000000;
	} else if (time > time.zero()) {
		auto whole = duration_cast<seconds>(time);

		t.tv_sec = static_cast<std::time_t>(whole.count());
		t.tv_nsec = static_cast<long>(
			duration_cast<nanoseconds>(time - whole).count());
	} else {
		t.tv_sec = time < time.zero() ? -1 : 0;
	}
	return t;
}

} // namespace detail
/** @endcond */

} // namespace ibuf

#endif
