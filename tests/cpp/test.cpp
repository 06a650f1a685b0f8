/* test.cpp - ibuf.hpp: each class at work, and what is left when a call fails. */
#include <ibuf/ibuf.hpp>

#include <cstdio>
#include <cstring>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace std::literals;

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what)) {                                                 \
			std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,  \
				     __LINE__, #what);                         \
			std::abort();                                          \
		}                                                              \
	} while (0)

#if defined(__cpp_exceptions)
/* The call throws this error, and nothing else. */
#define CHECK_THROWS(call, error)                                              \
	do {                                                                   \
		bool thrown = false;                                           \
		try {                                                          \
			call;                                                  \
		} catch (const std::system_error &e) {                         \
			thrown = e.code() == std::errc::error;                 \
		}                                                              \
		CHECK(thrown);                                                 \
	} while (0)
#else
#define CHECK_THROWS(call, error) static_cast<void>(0)
#endif

static_assert(!std::is_copy_constructible_v<ibuf::message>);
static_assert(std::is_nothrow_move_constructible_v<ibuf::message>);
static_assert(std::is_nothrow_move_assignable_v<ibuf::message>);
static_assert(sizeof(ibuf::message) == sizeof(void *));
static_assert(!std::is_copy_constructible_v<ibuf::pool>);
static_assert(!std::is_copy_constructible_v<ibuf::queue>);
static_assert(std::is_copy_constructible_v<ibuf::cursor>);

/* ---- messages ------------------------------------------------------- */

static void
a_message_grows_at_both_ends_and_moves()
{
	ibuf::message m = ibuf::message::with_headroom(8, 4), other;
	std::error_code ec;

	CHECK(m && !other && m.empty());
	m.append("world"sv);
	m.prepend("hello, "sv);
	m += "!"sv;
	CHECK(m == "hello, world!"sv && m.view() == "hello, world!"sv);
	other = std::move(m);
	CHECK(!m && other.size() == 13);
	swap(m, other);
	CHECK(m.find("wor"sv) == 7 && m.find("x"sv) == ibuf::message::npos);
	m.append(m);
	CHECK(m == "hello, world!hello, world!"sv);
	m.trim_tail(13);
	m.trim_head(7, ec);
	CHECK(!ec && m.str() == "world!");
	m.trim_head(7, ec);
	CHECK(ec == std::errc::result_out_of_range && m == "world!"sv);
	CHECK_THROWS(m.trim_tail(7), result_out_of_range);
	std::memcpy(m.reserve(3), "abc", 3);
	m.commit(3);
	m.write_at(0, "W"sv);
	CHECK(m == "World!abc"sv);
	char two[2];
	CHECK(m.read(two, 2) == 2 && two[1] == 'o' && m == "rld!abc"sv);
#if defined(__cpp_lib_span)
	const int numbers[] = {1, 2};
	m.clear();
	m.append(std::span(numbers));
	CHECK(m.size() == sizeof numbers);
#endif
}

static void
sizes_that_cannot_be_are_errors_in_both_forms()
{
	std::error_code ec;
	ibuf::message m = ibuf::message::with_capacity(SIZE_MAX, ec);

	CHECK(!m && ec == std::errc::value_too_large);
	CHECK_THROWS(ibuf::message::with_capacity(SIZE_MAX), value_too_large);
	m = ibuf::message::from("0123456789"sv, ec);
	CHECK(m && !ec);
	CHECK(!m.slice(5, 6, ec) && ec == std::errc::result_out_of_range);
	CHECK_THROWS((void)m.split(11), result_out_of_range);
	CHECK(m == "0123456789"sv);
}

static void
clones_slices_and_splits_share_and_writes_do_not()
{
	ibuf::message m = ibuf::message::from("0123456789"sv);
	ibuf::message clone = m.clone(), slice = m.slice(2, 3),
		      rest = m.split(6);
	ibuf::message front = m.split_front(2);

	CHECK(clone == "0123456789"sv && slice == "234"sv);
	CHECK(front == "01"sv && m == "2345"sv && rest == "6789"sv);
	CHECK(!clone.is_unique());
	clone.write_at(2, "xx"sv);
	CHECK(slice == "234"sv && m == "2345"sv);
	m += std::move(rest);
	CHECK(!rest && m == "23456789"sv);
	m.concat_front(ibuf::message::from("ab"sv));
	CHECK(m == "ab23456789"sv && m != clone && clone.compare(m) < 0);
}

static void
segments_are_a_range()
{
	ibuf::message m = ibuf::message::from("one"sv);
	std::string all;
	std::error_code ec;
	int n = 0;

	m += ibuf::message::from("two"sv);
	m += ibuf::message::from("three"sv);
	for (std::string_view bytes : m.segments()) {
		all += bytes;
		n++;
	}
	CHECK(n == 3 && all == "onetwothree" && m.str() == all);
	CHECK(m.view(ec).data() == nullptr &&
	      ec == std::errc::invalid_argument);
	CHECK_THROWS((void)m.view(), invalid_argument);
	m.linearize();
	CHECK(m.view() == "onetwothree"sv);
}

static void
containers_are_adopted_without_a_copy()
{
	std::string text(1000, 'x'), small = "small";
	std::vector<std::uint32_t> numbers(100, 7);
	auto array = std::make_unique<char[]>(50);
	const char *text_at = text.data();
	const void *numbers_at = numbers.data(), *array_at = array.get();
	ibuf::message t = ibuf::message::adopt(std::move(text));
	ibuf::message s = ibuf::message::adopt(std::move(small));
	ibuf::message v = ibuf::message::adopt(std::move(numbers));
	ibuf::message a = ibuf::message::adopt(std::move(array), 50);
	std::error_code ec;

	CHECK(t.view().data() == text_at && t.size() == 1000);
	CHECK(s == "small"sv && v.size() == 400 && a.size() == 50 && !array);
	CHECK(v.view().data() == numbers_at && a.view().data() == array_at);
	ibuf::message kept = t.slice(10, 20);
	t.reset();
	CHECK(kept.size() == 20 && kept.view()[19] == 'x');

	/* Too large for a room: the array is still the caller's. */
	auto large = std::make_unique<char[]>(1);
	ibuf::message m = ibuf::message::adopt(std::move(large),
					       std::size_t(UINT32_MAX) + 1, ec);
	CHECK(!m && ec == std::errc::value_too_large && large);
}

/* ---- pools ---------------------------------------------------------- */

static void
a_pool_ends_after_or_before_its_messages()
{
	ibuf::pool_options o;
	std::error_code ec;
	ibuf::message outlives;

	o.name = "cpp";
	o.max = 2;
	o.flags = IBUF_POOL_F_WAIT;
	{
		ibuf::pool p(o);
		ibuf::message a = p.alloc(), b = p.alloc(ec);

		CHECK(!ec && a && b && p.allocated() == 2);
		CHECK(!p.alloc(ec) && ec == std::errc::no_buffer_space);
		CHECK_THROWS((void)p.alloc(), no_buffer_space);
		CHECK(!p.alloc_wait(1ms, ec) && ec == std::errc::timed_out);
		b.reset();
		b = p.alloc_wait(1h);
		CHECK(b && p.stats().allocated == 2);
		CHECK(p.name() == "cpp"sv &&
		      ibuf_mbuf_pool(a.get()) == p.get());
		outlives = std::move(a);
	}
	outlives.append("still here"sv);
	CHECK(outlives == "still here"sv);
	o.alignment = 3;
	CHECK(!ibuf::pool(o, ec) && ec == std::errc::invalid_argument);
	CHECK_THROWS(ibuf::pool{o}, invalid_argument);
}

/* ---- cursors -------------------------------------------------------- */

static void
a_cursor_reads_and_a_copy_of_it_peeks()
{
	ibuf::message m = ibuf::message::from("\x01\x02\x03\x04tail"sv);
	ibuf::cursor c(m), peek = c;
	std::error_code ec;

	CHECK(peek.get_be<std::uint32_t>() == 0x01020304u);
	CHECK(c.get_le<std::uint16_t>() == 0x0201);
	CHECK(c.get_be<std::uint8_t>() == 3 && c.position() == 3);
	CHECK(!c.get_be<std::uint64_t>() && c.position() == 3);
	CHECK(c.skip(1) && c.find("il"sv) == 2);
	CHECK(c.span(2) == "ta"sv && c.remaining() == 2);
	ibuf::message taken = c.take(2);
	CHECK(taken == "il"sv && !c.take(1, ec));
	CHECK(ec == std::errc::result_out_of_range);
}

/* ---- integers ------------------------------------------------------- */

static void
integers_have_the_size_of_their_type_and_either_byte_order()
{
	ibuf::message m = ibuf::message::with_headroom(8, 16);
	std::error_code ec;
	std::uint16_t two = 0;
	unsigned long long eight = 7;

	ibuf::append_be(m, std::uint16_t{0x0102});
	ibuf::append_le(m, std::uint32_t{0x06050403}, ec);
	CHECK(!ec);
	ibuf::prepend_be(m, std::uint8_t{0});
	ibuf::prepend_le(m, std::uint16_t{0xfeff}, ec);
	CHECK(!ec && m == "\xff\xfe\0\x01\x02\x03\x04\x05\x06"sv);
	CHECK(ibuf::get_be(m, 3, two) && two == 0x0102);
	CHECK(ibuf::get_le<std::uint32_t>(m, 5) == 0x06050403u);
	CHECK(ibuf::get_be<std::uint64_t>(m, 1) == 0xfe00010203040506u);
	CHECK(!ibuf::get_be(m, 2, eight) && eight == 7);
	CHECK(!ibuf::get_le<std::uint8_t>(m, 9));

	/* Across segments, and into bytes that are shared. */
	m += ibuf::message::from("tail"sv);
	ibuf::message clone = m.clone();
	ibuf::put_be(m, 7, std::uint32_t{0x61626364});
	ibuf::put_le(m, 11, std::uint16_t{0x6665}, ec);
	CHECK(!ec && m.str().substr(7) == "abcdef");
	CHECK(clone.str().substr(9) == "tail");
	ibuf::put_le(m, 10, std::uint32_t{1}, ec);
	CHECK(ec == std::errc::result_out_of_range);
	CHECK_THROWS(ibuf::put_be(m, 10, std::uint32_t{1}),
		     result_out_of_range);
	CHECK(m.str().substr(7) == "abcdef");
}

/* ---- queues --------------------------------------------------------- */

static void
a_queue_has_a_message_only_when_the_push_succeeds()
{
	ibuf::queue q(2, ibuf::queue::single_producer);
	std::error_code ec;
	ibuf::message m = ibuf::message::from("first"sv);

	q.push(std::move(m));
	CHECK(!m);
	q.push(ibuf::message::from("second"sv));
	m = ibuf::message::from("third"sv);
	q.push(std::move(m), ec);
	CHECK(ec == std::errc::resource_unavailable_try_again && m);
	q.push_wait(std::move(m), 1ms, ec);
	CHECK(ec == std::errc::timed_out && m == "third"sv);
	CHECK_THROWS(q.push(std::move(m)), resource_unavailable_try_again);
	CHECK(m && q.size() == 2 && q.pop() == "first"sv);

	std::thread consumer([&] {
		std::error_code none;

		CHECK(q.pop_wait() == "second"sv);
		CHECK(q.pop_wait(1h) == "third"sv);
		CHECK(!q.pop_wait(none) && none == std::errc::broken_pipe);
	});
	q.push_wait(std::move(m));
	q.close();
	consumer.join();
	m = ibuf::message::from("late"sv);
	q.push(std::move(m), ec);
	CHECK(ec == std::errc::broken_pipe && m && q.fd() >= 0);
	CHECK_THROWS(ibuf::queue(0), invalid_argument);
}

/* ---- descriptors ---------------------------------------------------- */

static void
a_message_goes_through_a_pipe()
{
	int ends[2];
	std::error_code ec;
	ibuf::message m = ibuf::message::from("through"sv), in;

	CHECK(pipe(ends) == 0);
	CHECK(ibuf::write(ends[1], m) == 7 && m.empty());
	in = ibuf::message::with_capacity(10);
	CHECK(ibuf::read(ends[0], in, 100) == 7 && in == "through"sv);
	close(ends[0]);
	close(ends[1]);
	CHECK(ibuf::read(ends[0], in, 1, ec) == 0);
	CHECK(ec == std::errc::bad_file_descriptor);
	CHECK_THROWS(ibuf::read(ends[0], in, 1), bad_file_descriptor);
}

static void
a_closed_socket_is_an_error_and_no_signal()
{
	int ends[2];
	std::error_code ec;
	ibuf::message m = ibuf::message::from("through"sv), in;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	CHECK(ibuf::write_socket(ends[1], m) == 7 && m.empty());
	in = ibuf::message::with_capacity(10);
	CHECK(ibuf::read(ends[0], in, 100) == 7 && in == "through"sv);
	close(ends[1]);
	CHECK(ibuf::write_socket(ends[0], in, 0, ec) == 0);
	CHECK(ec == std::errc::broken_pipe && in == "through"sv);
	CHECK_THROWS(ibuf::write_socket(ends[0], in), broken_pipe);
	close(ends[0]);
}

int
main()
{
	a_message_grows_at_both_ends_and_moves();
	sizes_that_cannot_be_are_errors_in_both_forms();
	clones_slices_and_splits_share_and_writes_do_not();
	segments_are_a_range();
	containers_are_adopted_without_a_copy();
	a_pool_ends_after_or_before_its_messages();
	a_cursor_reads_and_a_copy_of_it_peeks();
	integers_have_the_size_of_their_type_and_either_byte_order();
	a_queue_has_a_message_only_when_the_push_succeeds();
	a_message_goes_through_a_pipe();
	a_closed_socket_is_an_error_and_no_signal();
	return 0;
}
