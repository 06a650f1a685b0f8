/* 00_first.cpp - a message is written to at both ends, and frees itself. */
#include <ibuf/ibuf.hpp>
#include <unistd.h>

int
main()
{
	ibuf::message m = ibuf::message::with_capacity(64);

	m.append("world\n");
	m.prepend("hello, ");
	ibuf::write(STDOUT_FILENO, m);
}

/* Prints:
 * hello, world
 */
