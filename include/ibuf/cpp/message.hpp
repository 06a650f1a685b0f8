/* cpp/message.hpp - a message, which it frees; see ibuf.hpp. */
#ifndef IBUF_CPP_MESSAGE_HPP
#define IBUF_CPP_MESSAGE_HPP

#include <ibuf/cpp/error.hpp>
#include <ibuf/cpp/handle.hpp>
#include <ibuf/mbuf.h>
#include <ibuf/segment.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>
#if __has_include(<span>) && __cplusplus >= 202002L
#include <span>
#endif

namespace ibuf
{

/** @addtogroup cpp
 * @{ */

/** The bytes of each segment of a message, in their order. */
class segment_range
{
      public:
	/** A place in it, a forward iterator of std::string_view. */
	class iterator
	{
	      public:
		/** @cond private */
		using iterator_category = std::forward_iterator_tag;
		using value_type = std::string_view;
		using difference_type = std::ptrdiff_t;
		using pointer = const std::string_view *;
		using reference = std::string_view;

		iterator() = default;
		explicit iterator(const ibuf_mbuf *s) noexcept : s_(s)
		{
		}
		reference operator*() const noexcept
		{
			return {reinterpret_cast<const char *>(
					ibuf_mbuf_seg_data(s_)),
				ibuf_mbuf_seg_len(s_)};
		}
		iterator &operator++() noexcept
		{
			s_ = ibuf_mbuf_seg_next(s_);
			return *this;
		}
		iterator operator++(int) noexcept
		{
			iterator was = *this;

			++*this;
			return was;
		}
		friend bool operator==(iterator a, iterator b) noexcept
		{
			return a.s_ == b.s_;
		}
		friend bool operator!=(iterator a, iterator b) noexcept
		{
			return a.s_ != b.s_;
		}
		/** @endcond */

	      private:
		const ibuf_mbuf *s_ = nullptr;
	};

	/** From this segment to the last. */
	explicit segment_range(const ibuf_mbuf *first) noexcept : first_(first)
	{
	}
	/** The first segment. */
	iterator begin() const noexcept
	{
		return iterator(first_);
	}
	/** Behind the last segment. */
	iterator end() const noexcept
	{
		return iterator();
	}

      private:
	const ibuf_mbuf *first_;
};

/** @cond private */
namespace detail
{
struct mbuf_end {
	static void end(ibuf_mbuf *m) noexcept
	{
		ibuf_mbuf_free(m);
	}
};
} // namespace detail
/** @endcond */

/** A message, which it frees. */
class message : public handle<ibuf_mbuf, detail::mbuf_end>
{
      public:
	/** What find() gives when there is nothing. */
	static constexpr std::size_t npos = SIZE_MAX;

	using handle::handle;
	/** What each held the other holds. */
	friend void swap(message &a, message &b) noexcept
	{
		std::swap(a.held_, b.held_);
	}

	/** @name Made
	 * @{ */
	static message with_capacity(std::size_t capacity)
	{
		return made(ibuf_mbuf_new(capacity),
			    detail::size_error(capacity), "ibuf_mbuf_new");
	}
	static message with_capacity(std::size_t capacity,
				     std::error_code &ec) noexcept
	{
		return made(ibuf_mbuf_new(capacity),
			    detail::size_error(capacity), ec);
	}
	static message with_headroom(std::size_t headroom, std::size_t capacity)
	{
		return made(ibuf_mbuf_new_headroom(headroom, capacity),
			    both(headroom, capacity), "ibuf_mbuf_new_headroom");
	}
	static message with_headroom(std::size_t headroom, std::size_t capacity,
				     std::error_code &ec) noexcept
	{
		return made(ibuf_mbuf_new_headroom(headroom, capacity),
			    both(headroom, capacity), ec);
	}
	/** A private copy of bytes. */
	static message from(std::string_view bytes)
	{
		return made(ibuf_mbuf_from(bytes.data(), bytes.size()),
			    detail::size_error(bytes.size()), "ibuf_mbuf_from");
	}
	static message from(std::string_view bytes,
			    std::error_code &ec) noexcept
	{
		return made(ibuf_mbuf_from(bytes.data(), bytes.size()),
			    detail::size_error(bytes.size()), ec);
	}
	/** The caller's memory; release is called once when nothing shows it
	    any more, unless the call fails. */
	static message wrap(void *bytes, std::size_t n,
			    ibuf_mbuf_release_fn *release, void *arg)
	{
		return made(ibuf_mbuf_wrap(bytes, n, release, arg),
			    detail::size_error(n), "ibuf_mbuf_wrap");
	}
	static message wrap(void *bytes, std::size_t n,
			    ibuf_mbuf_release_fn *release, void *arg,
			    std::error_code &ec) noexcept
	{
		return made(ibuf_mbuf_wrap(bytes, n, release, arg),
			    detail::size_error(n), ec);
	}
	/**
	 * The bytes of a string, a vector or an array, without a copy: it is
	 * moved, and ends when no message shows it any more.  On failure it is
	 * still the caller's.
	 */
	static message adopt(std::string &&bytes)
	{
		return kept(std::move(bytes), "ibuf_mbuf_wrap");
	}
	static message adopt(std::string &&bytes, std::error_code &ec) noexcept
	{
		return kept(std::move(bytes), ec);
	}
	template <class T, class Allocator>
	static message adopt(std::vector<T, Allocator> &&bytes)
	{
		return kept(std::move(bytes), "ibuf_mbuf_wrap");
	}
	template <class T, class Allocator>
	static message adopt(std::vector<T, Allocator> &&bytes,
			     std::error_code &ec) noexcept
	{
		return kept(std::move(bytes), ec);
	}
	template <class T, class Deleter>
	static message adopt(std::unique_ptr<T[], Deleter> &&bytes,
			     std::size_t n)
	{
		return kept(array<T, Deleter>{bytes, n}, "ibuf_mbuf_wrap");
	}
	template <class T, class Deleter>
	static message adopt(std::unique_ptr<T[], Deleter> &&bytes,
			     std::size_t n, std::error_code &ec) noexcept
	{
		return kept(array<T, Deleter>{bytes, n}, ec);
	}
	/** @} */

	/** @name Shared and cut
	 * @{ */
	message clone() const
	{
		return made(ibuf_mbuf_clone(held_), -ENOMEM, "ibuf_mbuf_clone");
	}
	message clone(std::error_code &ec) const noexcept
	{
		return made(ibuf_mbuf_clone(held_), -ENOMEM, ec);
	}
	message slice(std::size_t off, std::size_t n) const
	{
		return made(ibuf_mbuf_slice(held_, off, n),
			    detail::range_error(off, n, size()),
			    "ibuf_mbuf_slice");
	}
	message slice(std::size_t off, std::size_t n,
		      std::error_code &ec) const noexcept
	{
		return made(ibuf_mbuf_slice(held_, off, n),
			    detail::range_error(off, n, size()), ec);
	}
	message copy(std::size_t off, std::size_t n) const
	{
		return made(ibuf_mbuf_copy(held_, off, n),
			    detail::range_error(off, n, size()),
			    "ibuf_mbuf_copy");
	}
	message copy(std::size_t off, std::size_t n,
		     std::error_code &ec) const noexcept
	{
		return made(ibuf_mbuf_copy(held_, off, n),
			    detail::range_error(off, n, size()), ec);
	}
	/** Keep the first bytes; the rest comes back. */
	message split(std::size_t at)
	{
		return made(ibuf_mbuf_split(held_, at),
			    detail::range_error(at, 0, size()),
			    "ibuf_mbuf_split");
	}
	message split(std::size_t at, std::error_code &ec) noexcept
	{
		return made(ibuf_mbuf_split(held_, at),
			    detail::range_error(at, 0, size()), ec);
	}
	/** Keep the rest; the first n bytes come back. */
	message split_front(std::size_t n)
	{
		message front;

		detail::check(ibuf_mbuf_split_front(held_, n, &front.held_),
			      "ibuf_mbuf_split_front");
		return front;
	}
	message split_front(std::size_t n, std::error_code &ec) noexcept
	{
		message front;

		detail::check(ibuf_mbuf_split_front(held_, n, &front.held_),
			      ec);
		return front;
	}
	/** @} */

	/** @name Looked at
	 * @{ */
	std::size_t size() const noexcept
	{
		return ibuf_mbuf_len(held_);
	}
	[[nodiscard]] bool empty() const noexcept
	{
		return size() == 0;
	}
	std::size_t headroom() const noexcept
	{
		return ibuf_mbuf_headroom(held_);
	}
	std::size_t tailroom() const noexcept
	{
		return ibuf_mbuf_tailroom(held_);
	}
	std::size_t capacity() const noexcept
	{
		return ibuf_mbuf_capacity(held_);
	}
	bool is_unique() const noexcept
	{
		return ibuf_mbuf_is_unique(held_);
	}
	bool is_contiguous() const noexcept
	{
		return ibuf_mbuf_is_contiguous(held_);
	}
	/** All bytes in place; EINVAL: they are in several segments, which
	    segments() gives and linearize() joins. */
	std::string_view view() const
	{
		const std::uint8_t *bytes = ibuf_mbuf_data(held_);

		if (bytes == nullptr)
			detail::fail(-EINVAL, "ibuf_mbuf_data");
		return {reinterpret_cast<const char *>(bytes), size()};
	}
	std::string_view view(std::error_code &ec) const noexcept
	{
		const std::uint8_t *bytes = ibuf_mbuf_data(held_);

		ec = detail::code(bytes == nullptr ? -EINVAL : 0);
		return {reinterpret_cast<const char *>(bytes),
			bytes == nullptr ? 0 : size()};
	}
	segment_range segments() const noexcept
	{
		return segment_range(held_);
	}
	/** A copy of all bytes. */
	std::string str() const
	{
		std::string all;

		all.reserve(size());
		for (std::string_view bytes : segments())
			all.append(bytes);
		return all;
	}
	std::size_t find(std::string_view needle,
			 std::size_t off = 0) const noexcept
	{
		return ibuf_mbuf_find(held_, off, needle.data(), needle.size());
	}
	bool matches(std::size_t off, std::string_view bytes) const noexcept
	{
		return ibuf_mbuf_matches(held_, off, bytes.data(),
					 bytes.size());
	}
	int compare(const message &other) const noexcept
	{
		return ibuf_mbuf_compare(held_, other.held_);
	}
	friend bool operator==(const message &a, const message &b) noexcept
	{
		return a.size() == b.size() && a.compare(b) == 0;
	}
	friend bool operator!=(const message &a, const message &b) noexcept
	{
		return !(a == b);
	}
	friend bool operator==(const message &a, std::string_view b) noexcept
	{
		return a.size() == b.size() && a.matches(0, b);
	}
	friend bool operator!=(const message &a, std::string_view b) noexcept
	{
		return !(a == b);
	}
	/** Copy n bytes at off out. */
	void copy_out(std::size_t off, void *to, std::size_t n) const
	{
		detail::check(ibuf_mbuf_copy_out(held_, off, to, n),
			      "ibuf_mbuf_copy_out");
	}
	void copy_out(std::size_t off, void *to, std::size_t n,
		      std::error_code &ec) const noexcept
	{
		detail::check(ibuf_mbuf_copy_out(held_, off, to, n), ec);
	}
	std::size_t iov(std::size_t off, struct iovec *iov,
			std::size_t max) const noexcept
	{
		return ibuf_mbuf_iov(held_, off, iov, max);
	}
	/** @} */

	/** @name Edited
	 * @{ */
	void append(std::string_view bytes)
	{
		detail::check(
			ibuf_mbuf_append(held_, bytes.data(), bytes.size()),
			"ibuf_mbuf_append");
	}
	void append(std::string_view bytes, std::error_code &ec) noexcept
	{
		detail::check(
			ibuf_mbuf_append(held_, bytes.data(), bytes.size()),
			ec);
	}
	void append(const void *bytes, std::size_t n)
	{
		detail::check(ibuf_mbuf_append(held_, bytes, n),
			      "ibuf_mbuf_append");
	}
	void append(const void *bytes, std::size_t n,
		    std::error_code &ec) noexcept
	{
		detail::check(ibuf_mbuf_append(held_, bytes, n), ec);
	}
	/** Append a copy of another message's bytes, or its own. */
	void append(const message &from)
	{
		detail::check(ibuf_mbuf_append_range(held_, from.held_, 0,
						     from.size()),
			      "ibuf_mbuf_append_range");
	}
	void append(const message &from, std::error_code &ec) noexcept
	{
		detail::check(ibuf_mbuf_append_range(held_, from.held_, 0,
						     from.size()),
			      ec);
	}
	void append_fill(unsigned char byte, std::size_t n)
	{
		detail::check(ibuf_mbuf_append_fill(held_, byte, n),
			      "ibuf_mbuf_append_fill");
	}
	void append_fill(unsigned char byte, std::size_t n,
			 std::error_code &ec) noexcept
	{
		detail::check(ibuf_mbuf_append_fill(held_, byte, n), ec);
	}
	void prepend(std::string_view bytes)
	{
		detail::check(
			ibuf_mbuf_prepend(held_, bytes.data(), bytes.size()),
			"ibuf_mbuf_prepend");
	}
	void prepend(std::string_view bytes, std::error_code &ec) noexcept
	{
		detail::check(
			ibuf_mbuf_prepend(held_, bytes.data(), bytes.size()),
			ec);
	}
	void prepend(const void *bytes, std::size_t n)
	{
		detail::check(ibuf_mbuf_prepend(held_, bytes, n),
			      "ibuf_mbuf_prepend");
	}
	void prepend(const void *bytes, std::size_t n,
		     std::error_code &ec) noexcept
	{
		detail::check(ibuf_mbuf_prepend(held_, bytes, n), ec);
	}
#if defined(__cpp_lib_span)
	template <class T, std::size_t N> void append(std::span<T, N> items)
	{
		append(std::as_bytes(items).data(), items.size_bytes());
	}
	template <class T, std::size_t N>
	void append(std::span<T, N> items, std::error_code &ec) noexcept
	{
		append(std::as_bytes(items).data(), items.size_bytes(), ec);
	}
	template <class T, std::size_t N> void prepend(std::span<T, N> items)
	{
		prepend(std::as_bytes(items).data(), items.size_bytes());
	}
	template <class T, std::size_t N>
	void prepend(std::span<T, N> items, std::error_code &ec) noexcept
	{
		prepend(std::as_bytes(items).data(), items.size_bytes(), ec);
	}
#endif
	/** Join another message to the end, or the front, without a copy. */
	void concat(message &&tail)
	{
		detail::check(ibuf_mbuf_concat(held_, tail.held_),
			      "ibuf_mbuf_concat");
		tail.release();
	}
	void concat(message &&tail, std::error_code &ec) noexcept
	{
		detail::check(ibuf_mbuf_concat(held_, tail.held_), ec);
		if (!ec)
			tail.release();
	}
	void concat_front(message &&front)
	{
		detail::check(ibuf_mbuf_concat_front(held_, front.held_),
			      "ibuf_mbuf_concat_front");
		front.release();
	}
	void concat_front(message &&front, std::error_code &ec) noexcept
	{
		detail::check(ibuf_mbuf_concat_front(held_, front.held_), ec);
		if (!ec)
			front.release();
	}
	message &operator+=(message &&tail)
	{
		concat(std::move(tail));
		return *this;
	}
	message &operator+=(std::string_view bytes)
	{
		append(bytes);
		return *this;
	}
	/** n bytes of the tailroom, to be written and then committed. */
	char *reserve(std::size_t n)
	{
		return given(ibuf_mbuf_reserve(held_, n), "ibuf_mbuf_reserve");
	}
	char *reserve(std::size_t n, std::error_code &ec) noexcept
	{
		return given(ibuf_mbuf_reserve(held_, n), ec);
	}
	void commit(std::size_t n)
	{
		detail::check(ibuf_mbuf_commit(held_, n), "ibuf_mbuf_commit");
	}
	void commit(std::size_t n, std::error_code &ec) noexcept
	{
		detail::check(ibuf_mbuf_commit(held_, n), ec);
	}
	void trim_head(std::size_t n)
	{
		detail::check(ibuf_mbuf_trim_head(held_, n),
			      "ibuf_mbuf_trim_head");
	}
	void trim_head(std::size_t n, std::error_code &ec) noexcept
	{
		detail::check(ibuf_mbuf_trim_head(held_, n), ec);
	}
	void trim_tail(std::size_t n)
	{
		detail::check(ibuf_mbuf_trim_tail(held_, n),
			      "ibuf_mbuf_trim_tail");
	}
	void trim_tail(std::size_t n, std::error_code &ec) noexcept
	{
		detail::check(ibuf_mbuf_trim_tail(held_, n), ec);
	}
	void clear() noexcept
	{
		ibuf_mbuf_clear(held_);
	}
	void shrink()
	{
		detail::check(ibuf_mbuf_shrink(held_), "ibuf_mbuf_shrink");
	}
	void shrink(std::error_code &ec) noexcept
	{
		detail::check(ibuf_mbuf_shrink(held_), ec);
	}
	void linearize()
	{
		detail::check(ibuf_mbuf_linearize(held_),
			      "ibuf_mbuf_linearize");
	}
	void linearize(std::error_code &ec) noexcept
	{
		detail::check(ibuf_mbuf_linearize(held_), ec);
	}
	void unshare()
	{
		detail::check(ibuf_mbuf_unshare(held_), "ibuf_mbuf_unshare");
	}
	void unshare(std::error_code &ec) noexcept
	{
		detail::check(ibuf_mbuf_unshare(held_), ec);
	}
	void write_at(std::size_t off, std::string_view bytes)
	{
		detail::check(ibuf_mbuf_write_at(held_, off, bytes.data(),
						 bytes.size()),
			      "ibuf_mbuf_write_at");
	}
	void write_at(std::size_t off, std::string_view bytes,
		      std::error_code &ec) noexcept
	{
		detail::check(ibuf_mbuf_write_at(held_, off, bytes.data(),
						 bytes.size()),
			      ec);
	}
	/** Take up to n bytes off the front. */
	std::size_t read(void *to, std::size_t n) noexcept
	{
		return ibuf_mbuf_read(held_, to, n);
	}
	/** @} */

      private:
	/** @cond private */
	template <class T, class Deleter> struct array {
		std::unique_ptr<T[], Deleter> &items;
		std::size_t n;
	};

	/* What a message keeps alive, and where its bytes are. */
	template <class Container> struct holder {
		Container items;

		explicit holder(Container &&from) : items(std::move(from))
		{
		}
		void *data() noexcept
		{
			return items.data();
		}
		void give_back(Container &&to)
		{
			to = std::move(items);
		}
		static std::size_t bytes(const Container &of) noexcept
		{
			static_assert(detail::is_plain<
				      typename Container::value_type>);
			return of.size() *
			       sizeof(typename Container::value_type);
		}
	};
	template <class T, class Deleter> struct holder<array<T, Deleter>> {
		std::unique_ptr<T[], Deleter> items;

		explicit holder(array<T, Deleter> &&from)
		    : items(std::move(from.items))
		{
		}
		void *data() noexcept
		{
			return items.get();
		}
		void give_back(array<T, Deleter> &&to)
		{
			to.items = std::move(items);
		}
		static std::size_t bytes(const array<T, Deleter> &of) noexcept
		{
			static_assert(detail::is_plain<T>);
			return of.n * sizeof(T);
		}
	};

	/** @endcond */
	static int both(std::size_t headroom, std::size_t capacity) noexcept
	{
		return headroom > UINT32_MAX
			       ? -EOVERFLOW
			       : detail::size_error(capacity + headroom);
	}
	static message made(ibuf_mbuf *m, int error, const char *what)
	{
		if (m == nullptr)
			detail::fail(error, what);
		return message(m);
	}
	static message made(ibuf_mbuf *m, int error,
			    std::error_code &ec) noexcept
	{
		ec = detail::code(m == nullptr ? error : 0);
		return message(m);
	}
	static char *given(void *bytes, const char *what)
	{
		if (bytes == nullptr)
			detail::fail(-ENOMEM, what);
		return static_cast<char *>(bytes);
	}
	static char *given(void *bytes, std::error_code &ec) noexcept
	{
		ec = detail::code(bytes == nullptr ? -ENOMEM : 0);
		return static_cast<char *>(bytes);
	}
	template <class Container, class End>
	static message kept(Container &&from, End &&end)
	{
		using Holder = holder<std::decay_t<Container>>;
		const std::size_t n = Holder::bytes(from);
		Holder *held = new (std::nothrow) Holder(std::move(from));
		ibuf_mbuf *m = nullptr;

		if (held != nullptr) {
			m = ibuf_mbuf_wrap(
				held->data(), n,
				[](void *, std::size_t, void *arg) {
					delete static_cast<Holder *>(arg);
				},
				held);
			if (m == nullptr) {
				held->give_back(std::move(from));
				delete held;
			}
		}
		return made(m, detail::size_error(n), std::forward<End>(end));
	}
};

/** @} */

} // namespace ibuf

#endif
