/*
 * test.h - what a test file includes, and all it needs to know.
 *
 *	TEST(trim_head_past_the_end_is_refused_and_changes_nothing)
 *	{
 *		struct ibuf_mbuf *m = ibuf_mbuf_from("abc", 3);
 *
 *		assert_int_equal(ibuf_mbuf_trim_head(m, 4), -ERANGE);
 *		assert_message(m, "abc", 3);
 *		ibuf_mbuf_free(m);
 *	}
 *
 * The name is the sentence; there is no table to add it to.  A test builds
 * its own world and frees it: what it leaves allocated fails it.  Tests run
 * in the order of the file, or shuffled when TEST_SEED is set in the
 * environment; words on the command line choose the tests whose names hold
 * one of them.
 */
#ifndef TEST_H
#define TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ibuf/ibuf.h>

#include "fault.h"

struct test {
	const char *name;
	void (*body)(void);
	struct test *next;
};

void test_register(struct test *test);

/* Define a test. */
#define TEST(name_)                                                            \
	static void name_(void);                                               \
	__attribute__((constructor)) static void name_##_is_a_test(void)       \
	{                                                                      \
		static struct test test = {.name = #name_, .body = name_};     \
		test_register(&test);                                          \
	}                                                                      \
	static void name_(void)

/* The message is valid and its bytes, whatever the segments, are these. */
#define assert_message(m, bytes, len)                                          \
	test_assert_message(m, bytes, len, __FILE__, __LINE__)

void test_assert_message(const struct ibuf_mbuf *m, const void *bytes,
			 size_t len, const char *file, int line);

/*
 * In a process of its own, body(arg) aborts, having printed one line and
 * nothing else on stderr; each of the words, separated by spaces, is in it.
 */
#define assert_aborts(body, arg, words)                                        \
	test_assert_aborts(body, arg, words, __FILE__, __LINE__)

void test_assert_aborts(void (*body)(void *arg), void *arg, const char *words,
			const char *file, int line);

/*
 * How often a test repeats what goes wrong only at some moments: n times; an
 * eighth of that under a sanitizer, which costs ten times as much, unless
 * TEST_LONG is set in the environment, as by `./dev check --all`.
 */
unsigned test_rounds(unsigned n);

/*
 * Whether a test may ask for gigabytes: not where a sanitizer would write
 * down for each byte what it is, unless TEST_LONG is set.
 */
bool test_gigabytes(void);

/*
 * Call a function whose result must be used, where both success and failure
 * are fine: gcc takes no cast to void for a use.
 */
#define test_either(call) ((void)!(call))

/*
 * So much of what the test allocated stays as long as the process lives, by
 * design: it is no leak of this test.
 */
void test_keeps(size_t blocks, size_t mapped);

/*
 * The test has up to n messages of the heap at once: their headers, and what
 * they are kept in, stay.  Tests need not say so of 8000.
 */
void test_heap_holds(size_t n);

/* For dry.h: let the heap have no free header, and let it have them again. */
void test_heap_drain(void);
void test_heap_fill(void);

#endif
