/* cpp/pool.hpp - a pool of messages, which it ends; see ibuf.hpp. */
#ifndef IBUF_CPP_POOL_HPP
#define IBUF_CPP_POOL_HPP

#include <ibuf/cpp/message.hpp>
#include <ibuf/pool.h>

namespace ibuf
{

/** How a pool is made; begins with the defaults. */
struct pool_options : ibuf_pool_options {
	pool_options() noexcept : ibuf_pool_options IBUF_POOL_OPTIONS_INIT
	{
	}
};

/** A pool, which it ends; its messages may outlive it. */
class pool
{
      public:
	pool() noexcept = default;
	explicit pool(ibuf_pool *p) noexcept : p_(p)
	{
	}
	explicit pool(const ibuf_pool_options &options)
	{
		detail::check(ibuf_pool_create(&p_, &options),
			      "ibuf_pool_create");
	}
	pool(const ibuf_pool_options &options, std::error_code &ec) noexcept
	{
		detail::check(ibuf_pool_create(&p_, &options), ec);
	}
	pool(pool &&other) noexcept : p_(other.release())
	{
	}
	pool &operator=(pool &&other) noexcept
	{
		ibuf_pool_destroy(std::exchange(p_, other.release()));
		return *this;
	}
	pool(const pool &) = delete;
	pool &operator=(const pool &) = delete;
	~pool()
	{
		ibuf_pool_destroy(p_);
	}

	ibuf_pool *get() const noexcept
	{
		return p_;
	}
	ibuf_pool *release() noexcept
	{
		return std::exchange(p_, nullptr);
	}
	explicit operator bool() const noexcept
	{
		return p_ != nullptr;
	}
	/** End the pool now: how many messages are still in use. */
	std::size_t destroy() noexcept
	{
		return ibuf_pool_destroy(release());
	}

	message alloc()
	{
		message m(ibuf_pool_alloc(p_));

		if (!m)
			detail::fail(-ENOBUFS, "ibuf_pool_alloc");
		return m;
	}
	/** ENOBUFS stands for no memory, too. */
	message alloc(std::error_code &ec) noexcept
	{
		message m(ibuf_pool_alloc(p_));

		ec = detail::code(m ? 0 : -ENOBUFS);
		return m;
	}
	/** Wait for ever, or for a time; ETIMEDOUT stands for what else
	    ibuf_pool_alloc_wait() calls NULL, too. */
	message alloc_wait()
	{
		message m(ibuf_pool_alloc_wait(p_, nullptr));

		if (!m)
			detail::fail(-ETIMEDOUT, "ibuf_pool_alloc_wait");
		return m;
	}
	template <class Rep, class Period>
	message alloc_wait(std::chrono::duration<Rep, Period> time)
	{
		const struct timespec t = detail::to_timespec(time);
		message m(ibuf_pool_alloc_wait(p_, &t));

		if (!m)
			detail::fail(-ETIMEDOUT, "ibuf_pool_alloc_wait");
		return m;
	}
	template <class Rep, class Period>
	message alloc_wait(std::chrono::duration<Rep, Period> time,
			   std::error_code &ec)
	{
		const struct timespec t = detail::to_timespec(time);
		message m(ibuf_pool_alloc_wait(p_, &t));

		ec = detail::code(m ? 0 : -ETIMEDOUT);
		return m;
	}
	void reserve(std::size_t n)
	{
		detail::check(ibuf_pool_reserve(p_, n), "ibuf_pool_reserve");
	}
	void reserve(std::size_t n, std::error_code &ec) noexcept
	{
		detail::check(ibuf_pool_reserve(p_, n), ec);
	}
	std::size_t trim() noexcept
	{
		return ibuf_pool_trim(p_);
	}
	void flush() noexcept
	{
		ibuf_pool_flush(p_);
	}
	const char *name() const noexcept
	{
		return ibuf_pool_name(p_);
	}
	ibuf_pool_stats stats() const noexcept
	{
		ibuf_pool_stats s = {};

		ibuf_pool_get_stats(p_, &s, sizeof s);
		return s;
	}
	std::size_t allocated() const noexcept
	{
		return ibuf_pool_allocated(p_);
	}
	std::size_t available() const noexcept
	{
		return ibuf_pool_available(p_);
	}

      private:
	ibuf_pool *p_ = nullptr;
};

} // namespace ibuf

#endif
