/*
 * test.c - the main() of every test program: collects the tests, runs those
 * that were asked for, and fails those that leave something allocated.
 */
#include "test.h"
#include "../sanitizers.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct test *first, **last = &first;
static size_t registered;

void
test_register(struct test *test)
{
	*last = test;
	last = &test->next;
	registered++;
}

/* ---- one test ------------------------------------------------------ */

static size_t kept_blocks, kept_mapped;

void
test_keeps(size_t blocks, size_t mapped)
{
	kept_blocks += blocks;
	kept_mapped += mapped;
}

static void
run(void **state)
{
	const struct test *test = *state;
	size_t calls = fault_calls();
	size_t blocks = fault_live_blocks() - kept_blocks;
	size_t mapped = fault_live_bytes_mapped() - kept_mapped;

	test->body();
	/* It keeps records, and memory that is freed. */
	if (getenv("IBUF_DEBUG") != NULL)
		return;
	blocks += kept_blocks;
	mapped += kept_mapped;
	if (fault_live_blocks() == blocks &&
	    fault_live_bytes_mapped() == mapped)
		return;
	/* Threads that meet in the heap may make it a magazine more; the
	   depots of pools are no static memory. */
	test_keeps(fault_live_of_static(calls), 0);
	blocks += fault_live_of_static(calls);
	if (fault_live_blocks() == blocks &&
	    fault_live_bytes_mapped() == mapped)
		return;
	fault_list(stderr, calls);
	fail_msg("leaves %zd blocks allocated and %zd bytes mapped",
		 (ssize_t)(fault_live_blocks() - blocks),
		 (ssize_t)(fault_live_bytes_mapped() - mapped));
}

/* A failed assertion jumps out of the body with the fault still armed. */
static int
disarm(void **state)
{
	(void)state;
	fault_off();
	return 0;
}

/* ---- what the heap keeps ------------------------------------------- */

enum { SEVERAL = 8000, MOST = 1 << 20, THREADS = 16, OF_EACH = 124 };

/* All free headers of the heap, as clones. */
static struct {
	struct ibuf_mbuf *of, *clones[MOST];
	size_t n;
	pthread_barrier_t met;
} heap;

static void
take_clones(size_t n)
{
	struct ibuf_mbuf *clone;

	while (heap.n < n && (clone = ibuf_mbuf_clone(heap.of)) != NULL)
		heap.clones[heap.n++] = clone;
}

static void
give_clones(void)
{
	ibuf_mbuf_free_bulk(heap.clones, heap.n);
	heap.n = 0;
}

void
test_heap_drain(void)
{
	heap.of = ibuf_mbuf_new(0);
	fault_from(1);
	take_clones(MOST);
	fault_off();
}

/* All threads have what they keep back at once. */
static void *
use_heap_and_exit(void *arg)
{
	struct ibuf_mbuf *ms[OF_EACH];

	for (size_t i = 0; i < OF_EACH; i++)
		ms[i] = ibuf_mbuf_new(0);
	ibuf_mbuf_free_bulk(ms, OF_EACH);
	pthread_barrier_wait(&heap.met);
	return arg;
}

static void
use_heap_in_threads(void)
{
	pthread_t threads[THREADS];
	size_t n = 0;

	pthread_barrier_init(&heap.met, NULL, THREADS);
	while (n < THREADS)
		if (pthread_create(&threads[n++], NULL, use_heap_and_exit,
				   NULL) != 0)
			abort();
	while (n > 0)
		pthread_join(threads[--n], NULL);
	pthread_barrier_destroy(&heap.met);
}

/* Until there are all the magazines that there will ever be. */
void
test_heap_fill(void)
{
	size_t before, n;

	give_clones();
	ibuf_mbuf_free(heap.of);
	test_heap_drain();
	n = heap.n;
	do {
		before = fault_live_blocks();
		give_clones();
		use_heap_in_threads();
		take_clones(n);
	} while (fault_live_blocks() != before);
	give_clones();
	ibuf_mbuf_free(heap.of);
}

void
test_heap_holds(size_t n)
{
	size_t blocks = fault_live_blocks();
	size_t mapped = fault_live_bytes_mapped();

	heap.of = ibuf_mbuf_new(0);
	take_clones(n);
	test_heap_fill();
	test_keeps(fault_live_blocks() - blocks,
		   fault_live_bytes_mapped() - mapped);
}

/*
 * What a thread keeps until it exits, whatever pools come and go, is no
 * leak of the first test that uses one; nor is what the heap keeps.
 */
static void
settle_in(void)
{
	struct ibuf_pool *p = ibuf_pool_new(1, 1);

	if (p != NULL)
		ibuf_mbuf_free(ibuf_pool_alloc(p));
	ibuf_pool_destroy(p);
	test_heap_holds(SEVERAL);
}

/* ---- all tests ----------------------------------------------------- */

static bool
is_wanted(const char *name, char **words)
{
	if (*words == NULL)
		return true;
	for (; *words != NULL; words++)
		if (strstr(name, *words) != NULL)
			return true;
	return false;
}

static void
shuffle(struct CMUnitTest *tests, size_t n)
{
	const char *seed = getenv("TEST_SEED");

	if (seed == NULL)
		return;
	printf("TEST_SEED=%s\n", seed);
	srand((unsigned)strtoul(seed, NULL, 10));
	for (size_t i = n; i > 1; i--) {
		size_t j = (size_t)rand() % i;
		struct CMUnitTest other = tests[j];

		tests[j] = tests[i - 1];
		tests[i - 1] = other;
	}
}

int
main(int argc, char **argv)
{
	struct CMUnitTest *tests = calloc(registered, sizeof(*tests));
	size_t n = 0;
	int failed;

	(void)argc;
	settle_in();

	for (struct test *test = first; test != NULL; test = test->next)
		if (is_wanted(test->name, argv + 1))
			tests[n++] = (struct CMUnitTest){
				.name = test->name,
				.test_func = run,
				.teardown_func = disarm,
				.initial_state = test,
			};
	if (n == 0) {
		fputs("no test has such a name\n", stderr);
		return 1;
	}
	shuffle(tests, n);
	failed = _cmocka_run_group_tests(argv[0], tests, n, NULL, NULL);
	free(tests);
	return failed != 0;
}

/* ---- how much ------------------------------------------------------ */

static bool
is_short(void)
{
	return (WITH_ASAN || WITH_TSAN) && getenv("TEST_LONG") == NULL;
}

unsigned
test_rounds(unsigned n)
{
	return is_short() ? (n + 7) / 8 : n;
}

bool
test_gigabytes(void)
{
	return !is_short();
}

/* ---- assertions ---------------------------------------------------- */

void
test_assert_message(const struct ibuf_mbuf *m, const void *bytes, size_t len,
		    const char *file, int line)
{
	const uint8_t *expected = bytes;

	_assert_int_equal((LargestIntegralType)ibuf_mbuf_validate(m), 0, file,
			  line);
	_assert_int_equal(ibuf_mbuf_len(m), len, file, line);
	for (const struct ibuf_mbuf *s = m; s != NULL;
	     s = ibuf_mbuf_seg_next(s)) {
		_assert_memory_equal(ibuf_mbuf_seg_data(s), expected,
				     ibuf_mbuf_seg_len(s), file, line);
		expected += ibuf_mbuf_seg_len(s);
	}
}

enum { ABORTED = 134 };

/* Ends it quietly: an emulator or a debugger would have a word to say. */
static void
end_aborted(int signal)
{
	(void)signal;
	_exit(ABORTED);
}

/* Run body in a child; what it says on stderr goes into text. */
static int
status_of_child(void (*body)(void *arg), void *arg, char *text, size_t size)
{
	int ends[2];
	size_t len = 0;
	ssize_t n;
	int status;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);

	pid_t child = fork();

	if (child == 0) {
		signal(SIGABRT, end_aborted);
		dup2(ends[1], STDERR_FILENO);
		body(arg);
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

void
test_assert_aborts(void (*body)(void *arg), void *arg, const char *words,
		   const char *file, int line)
{
	char text[1024];
	int status = status_of_child(body, arg, text, sizeof(text));
	char *end = strchr(text, '\n');

	if (!WIFEXITED(status) || WEXITSTATUS(status) != ABORTED) {
		print_error("it did not abort; it said: %s\n", text);
		_fail(file, line);
	}
	if (end == NULL || end[1] != '\0') {
		print_error("not one line: %s\n", text);
		_fail(file, line);
	}
	while (*words != '\0') {
		size_t len = strcspn(words, " ");

		if (memmem(text, strlen(text), words, len) == NULL) {
			print_error("no \"%.*s\" in: %s\n", (int)len, words,
				    text);
			_fail(file, line);
		}
		words += len;
		words += strspn(words, " ");
	}
}
