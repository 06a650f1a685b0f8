/* 02_errors.cpp - a call that fails throws, or sets an error code. */
#include <ibuf/ibuf.hpp>
#include <iostream>

int
main()
{
	ibuf::message m = ibuf::message::from("0123456789");
	std::error_code ec;

	m.trim_head(4, ec);
	std::cout << "trimmed: " << m.str() << '\n';
	m.trim_head(7, ec);
	if (ec == std::errc::result_out_of_range)
		std::cout << "not trimmed: " << m.str() << '\n';

	/* The same call without the code. */
	try {
		m.trim_head(7);
	} catch (const std::system_error &e) {
		std::cout << "thrown: " << (e.code() == ec) << '\n';
	}

	/* What was to be moved into a call that failed is still the caller's. */
	ibuf::queue q(1);
	ibuf::message second = ibuf::message::from("second");
	q.push(std::move(m));
	q.push(std::move(second), ec);
	if (ec == std::errc::resource_unavailable_try_again)
		std::cout << "full, and still here: " << second.str() << '\n';
}

/* Prints:
 * trimmed: 456789
 * not trimmed: 456789
 * thrown: 1
 * full, and still here: second
 */
