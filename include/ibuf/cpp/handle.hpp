/* cpp/handle.hpp - one object of the C library, and who ends it; see ibuf.hpp. */
#ifndef IBUF_CPP_HANDLE_HPP
#define IBUF_CPP_HANDLE_HPP

#include <utility>

namespace ibuf
{

/** @addtogroup cpp
 * @{ */

/** What message, pool and queue are: they hold a T, which End ends. */
template <class T, class End> class handle
{
      public:
	/** Hold nothing. */
	handle() noexcept = default;
	/** Take over an object of the C library; nullptr is fine. */
	explicit handle(T *held) noexcept : held_(held)
	{
	}
	/** Take over what another holds, which then holds nothing. */
	handle(handle &&other) noexcept : held_(other.release())
	{
	}
	/** The same; what this one held ends. */
	handle &operator=(handle &&other) noexcept
	{
		reset(other.release());
		return *this;
	}
	handle(const handle &) = delete;
	handle &operator=(const handle &) = delete;
	~handle()
	{
		End::end(held_);
	}

	/** The object of the C library, which stays this one's. */
	T *get() const noexcept
	{
		return held_;
	}
	/** The same, which is the caller's from now on. */
	T *release() noexcept
	{
		return std::exchange(held_, nullptr);
	}
	/** End it, and hold another. */
	void reset(T *held = nullptr) noexcept
	{
		End::end(std::exchange(held_, held));
	}
	/** Does it hold an object? */
	explicit operator bool() const noexcept
	{
		return held_ != nullptr;
	}

      protected:
	T *held_ = nullptr;
};

/** @} */

} // namespace ibuf

#endif
