/* 04_echo.cpp - a server sends each frame back: its length, then its bytes. */
#include <ibuf/ibuf.hpp>
#include <iostream>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

constexpr std::uint32_t max_frame = 1 << 20;

/* The next frame, cut off the front of the stream; nothing: it is not
   complete.  Its bytes stay where they were read. */
static ibuf::message
next_frame(ibuf::message &stream)
{
	ibuf::cursor c(stream);
	const auto length = c.get_be<std::uint32_t>();

	if (!length)
		return {};
	if (*length > max_frame)
		throw std::system_error(
			std::make_error_code(std::errc::message_size));
	if (*length > c.remaining())
		return {};
	ibuf::message frame = c.take(*length);
	stream.trim_head(c.position());
	return frame;
}

/* The frame goes out behind its length, which is written before it in its
   headroom, or in a segment of its own. */
static void
send_frame(int fd, ibuf::message frame)
{
	ibuf::prepend_be(frame, static_cast<std::uint32_t>(frame.size()));
	/* A write may take only a part, and leaves the rest. */
	while (!frame.empty())
		ibuf::write_socket(fd, frame);
}

/* Until the other end closes, or breaks the rules. */
static void
serve(int fd)
try {
	ibuf::message stream = ibuf::message::with_capacity(4096);

	while (ibuf::read(fd, stream, SIZE_MAX) != 0)
		while (ibuf::message frame = next_frame(stream))
			send_frame(fd, std::move(frame));
	if (!stream.empty())
		std::cout << "closed in the middle of a frame\n";
	shutdown(fd, SHUT_RDWR);
} catch (const std::system_error &e) {
	std::cout << "connection closed: "
		  << (e.code() == std::errc::message_size) << '\n';
	shutdown(fd, SHUT_RDWR);
}

int
main()
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return 1;
	std::thread server(serve, ends[1]);

	for (std::string_view word : {"hello", "", "a longer frame"})
		send_frame(ends[0], ibuf::message::from(word));
	ibuf::message stream = ibuf::message::with_capacity(64);
	for (int came = 0; came < 3;) {
		ibuf::read(ends[0], stream, 5); // bytes come as they like
		for (; ibuf::message frame = next_frame(stream); came++)
			std::cout << '"' << frame.str() << "\"\n";
	}

	/* More than a frame may have. */
	ibuf::message wrong = ibuf::message::with_capacity(4);
	ibuf::append_be(wrong, std::uint32_t{0xffffffff});
	ibuf::write_socket(ends[0], wrong);
	server.join();
	close(ends[0]);
	close(ends[1]);
}

/* Prints:
 * "hello"
 * ""
 * "a longer frame"
 * connection closed: 1
 */
