/* test_version.c - the version, in its three forms. */
#include "test.h"

TEST(the_string_says_what_the_header_says)
{
	char expected[32];

	snprintf(expected, sizeof(expected), "%d.%d.%d", IBUF_VERSION_MAJOR,
		 IBUF_VERSION_MINOR, IBUF_VERSION_PATCH);
	assert_string_equal(ibuf_version_string(), expected);
}

TEST(the_number_puts_two_digits_to_each_part)
{
	assert_int_equal(ibuf_version_number(),
			 IBUF_VERSION_MAJOR * 10000 + IBUF_VERSION_MINOR * 100 +
				 IBUF_VERSION_PATCH);
}

#if IBUF_VERSION < 100
#error "the version of the headers cannot be compared by #if"
#endif

TEST(headers_and_library_are_of_one_version)
{
	assert_int_equal(IBUF_VERSION, ibuf_version_number());
}
