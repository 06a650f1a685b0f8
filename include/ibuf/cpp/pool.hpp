/* cpp/pool.hpp - a pool of messages, which it ends; see ibuf.hpp. */
#ifndef IBUF_CPP_POOL_HPP
#define IBUF_CPP_POOL_HPP

#include <ibuf/cpp/message.hpp>
#include <ibuf/pool.h>

namespace ibuf
{

/** @addtogroup cpp
 * @{ */

/** How a pool is made; begins with the defaults. */
struct pool_options : ibuf_pool_options {
	pool_options() noexcept : ibuf_pool_options IBUF_POOL_OPTIONS_INIT
	{
	}
};

/** @cond private */
namespace detail
{
struct pool_end {
	static void end(ibuf_pool *p) noexcept
	{
		ibuf_pool_destroy(p);
	}
};
} // namespace detail
/** @endcond */

/** A pool, which it ends; its messages may outlive it. */
class pool : public handle<ibuf_pool, detail::pool_end>
{
      public:
	using handle::handle;
	explicit pool(const ibuf_pool_options &options)
	{
		detail::check(ibuf_pool_create(&held_, &options),
			      "ibuf_pool_create");
	}
	pool(const ibuf_pool_options &options, std::error_code &ec) noexcept
	{
		detail::check(ibuf_pool_create(&held_, &options), ec);
	}
	/** End the pool now: how many messages are still in use. */
	std::size_t destroy() noexcept
	{
		return ibuf_pool_destroy(release());
	}

	message alloc()
	{
		message m(ibuf_pool_alloc(held_));

		if (!m)
			detail::fail(-ENOBUFS, "ibuf_pool_alloc");
		return m;
	}
	/** ENOBUFS stands for no memory, too. */
	message alloc(std::error_code &ec) noexcept
	{
		message m(ibuf_pool_alloc(held_));

		ec = detail::code(m ? 0 : -ENOBUFS);
		return m;
	}
	/** Wait for ever, or for a time; ETIMEDOUT stands for what else
	    ibuf_pool_alloc_wait() calls NULL, too. */
	message alloc_wait()
	{
		message m(ibuf_pool_alloc_wait(held_, nullptr));

		if (!m)
			detail::fail(-ETIMEDOUT, "ibuf_pool_alloc_wait");
		return m;
	}
	template <class Rep, class Period>
	message alloc_wait(std::chrono::duration<Rep, Period> time)
	{
		const struct timespec t = detail::to_timespec(time);
		message m(ibuf_pool_alloc_wait(held_, &t));

		if (!m)
			detail::fail(-ETIMEDOUT, "ibuf_pool_alloc_wait");
		return m;
	}
	template <class Rep, class Period>
	message alloc_wait(std::chrono::duration<Rep, Period> time,
			   std::error_code &ec)
	{
		const struct timespec t = detail::to_timespec(time);
		message m(ibuf_pool_alloc_wait(held_, &t));

		ec = detail::code(m ? 0 : -ETIMEDOUT);
		return m;
	}
	void reserve(std::size_t n)
	{
		detail::check(ibuf_pool_reserve(held_, n), "ibuf_pool_reserve");
	}
	void reserve(std::size_t n, std::error_code &ec) noexcept
	{
		detail::check(ibuf_pool_reserve(held_, n), ec);
	}
	std::size_t trim() noexcept
	{
		return ibuf_pool_trim(held_);
	}
	void flush() noexcept
	{
		ibuf_pool_flush(held_);
	}
	const char *name() const noexcept
	{
		return ibuf_pool_name(held_);
	}
	/** The statistics, see ibuf_pool_get_stats(). */
	ibuf_pool_stats stats() const noexcept
	{
		ibuf_pool_stats s = {};

		ibuf_pool_get_stats(held_, &s, sizeof s);
		return s;
	}
	std::size_t allocated() const noexcept
	{
		return ibuf_pool_allocated(held_);
	}
	std::size_t available() const noexcept
	{
		return ibuf_pool_available(held_);
	}
};

/** @} */

} // namespace ibuf

#endif
