/* cpp/queue.hpp - messages between threads; see ibuf.hpp. */
#ifndef IBUF_CPP_QUEUE_HPP
#define IBUF_CPP_QUEUE_HPP

#include <ibuf/cpp/message.hpp>
#include <ibuf/queue.h>

namespace ibuf
{

/** @addtogroup cpp
 * @{ */

/** @cond private */
namespace detail
{
struct queue_end {
	static void end(ibuf_queue *q) noexcept
	{
		ibuf_queue_destroy(q);
	}
};
} // namespace detail
/** @endcond */

/** A queue of messages between threads, which it ends. */
class queue : public handle<ibuf_queue, detail::queue_end>
{
      public:
	/** Flags of a queue. */
	enum flag : unsigned {
		single_producer = IBUF_QUEUE_F_SINGLE_PRODUCER,
		single_consumer = IBUF_QUEUE_F_SINGLE_CONSUMER,
	};

	queue() noexcept = default;
	explicit queue(std::size_t capacity, unsigned flags = 0)
	{
		detail::check(ibuf_queue_create(&held_, capacity, flags),
			      "ibuf_queue_create");
	}
	queue(std::size_t capacity, unsigned flags,
	      std::error_code &ec) noexcept
	{
		detail::check(ibuf_queue_create(&held_, capacity, flags), ec);
	}
	/** Put a message in; it is moved from only when the call succeeds. */
	void push(message &&m)
	{
		detail::check(ibuf_queue_push(held_, m.get()),
			      "ibuf_queue_push");
		m.release();
	}
	void push(message &&m, std::error_code &ec) noexcept
	{
		detail::check(ibuf_queue_push(held_, m.get()), ec);
		if (!ec)
			m.release();
	}
	/** The same, waiting until it fits, for ever or for a time. */
	void push_wait(message &&m)
	{
		detail::check(ibuf_queue_push_wait(held_, m.get(), nullptr),
			      "ibuf_queue_push_wait");
		m.release();
	}
	template <class Rep, class Period>
	void push_wait(message &&m, std::chrono::duration<Rep, Period> time)
	{
		const struct timespec t = detail::to_timespec(time);

		detail::check(ibuf_queue_push_wait(held_, m.get(), &t),
			      "ibuf_queue_push_wait");
		m.release();
	}
	template <class Rep, class Period>
	void push_wait(message &&m, std::chrono::duration<Rep, Period> time,
		       std::error_code &ec)
	{
		const struct timespec t = detail::to_timespec(time);

		detail::check(ibuf_queue_push_wait(held_, m.get(), &t), ec);
		if (!ec)
			m.release();
	}
	/** The oldest message; one that holds nothing: the queue is empty. */
	message pop() noexcept
	{
		return message(ibuf_queue_pop(held_));
	}
	/** The same, waiting for one; EPIPE: closed and empty. */
	message pop_wait()
	{
		ibuf_mbuf *m = nullptr;

		detail::check(ibuf_queue_pop_wait(held_, &m, nullptr),
			      "ibuf_queue_pop_wait");
		return message(m);
	}
	message pop_wait(std::error_code &ec)
	{
		ibuf_mbuf *m = nullptr;

		detail::check(ibuf_queue_pop_wait(held_, &m, nullptr), ec);
		return message(m);
	}
	template <class Rep, class Period>
	message pop_wait(std::chrono::duration<Rep, Period> time)
	{
		const struct timespec t = detail::to_timespec(time);
		ibuf_mbuf *m = nullptr;

		detail::check(ibuf_queue_pop_wait(held_, &m, &t),
			      "ibuf_queue_pop_wait");
		return message(m);
	}
	template <class Rep, class Period>
	message pop_wait(std::chrono::duration<Rep, Period> time,
			 std::error_code &ec)
	{
		const struct timespec t = detail::to_timespec(time);
		ibuf_mbuf *m = nullptr;

		detail::check(ibuf_queue_pop_wait(held_, &m, &t), ec);
		return message(m);
	}
	/** A descriptor to poll. */
	int fd()
	{
		int fd = ibuf_queue_fd(held_);

		if (fd < 0)
			detail::fail(fd, "ibuf_queue_fd");
		return fd;
	}
	int fd(std::error_code &ec) noexcept
	{
		int fd = ibuf_queue_fd(held_);

		ec = detail::code(fd < 0 ? fd : 0);
		return fd;
	}
	void close() noexcept
	{
		ibuf_queue_close(held_);
	}
	std::size_t size() const noexcept
	{
		return ibuf_queue_len(held_);
	}
};

/** @} */

} // namespace ibuf

#endif
