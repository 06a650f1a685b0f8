/* 01_adopt.cpp - strings, vectors and arrays become messages without a copy. */
#include <ibuf/ibuf.hpp>
#include <iostream>

int
main()
{
	std::string text(1000, 'x');
	std::vector<std::uint32_t> numbers = {1, 2, 3};
	auto array = std::make_unique<char[]>(16);
	const char *was = text.data();

	/* The message has the string now, which ends with the last message
	   that shows any of it. */
	ibuf::message m = ibuf::message::adopt(std::move(text));
	std::cout << "the bytes stayed: " << (m.view().data() == was) << '\n';
	ibuf::message part = m.slice(990, 10);
	m.reset();
	std::cout << "a slice keeps them: " << part.str() << '\n';

	/* What is appended by move is another segment. */
	part += ibuf::message::adopt(std::move(numbers));
	part += ibuf::message::adopt(std::move(array), 16);
	for (std::string_view bytes : part.segments())
		std::cout << bytes.size() << " bytes\n";
}

/* Prints:
 * the bytes stayed: 1
 * a slice keeps them: xxxxxxxxxx
 * 10 bytes
 * 12 bytes
 * 16 bytes
 */
