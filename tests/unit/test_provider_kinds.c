/*
 * test_provider_kinds.c - providers of pages that are huge, locked, guarded,
 * or of a NUMA node.
 */
#include "provides.h"
#include "system_calls.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the system says no -------------------------------------------- */

static struct {
	int mlock, policy, mbind, mprotect; /* errors; 0: as it is */
	size_t locked;                      /* bytes, by mlock */
} the_system;

int __real_mlock(const void *at, size_t n);
int __wrap_mlock(const void *at, size_t n);
int
__wrap_mlock(const void *at, size_t n)
{
	errno = the_system.mlock;
	if (errno != 0)
		return -1;
	the_system.locked += n;
	return __real_mlock(at, n);
}

int __real_mprotect(void *at, size_t n, int protection);
int __wrap_mprotect(void *at, size_t n, int protection);
int
__wrap_mprotect(void *at, size_t n, int protection)
{
	errno = the_system.mprotect;
	return errno != 0 ? -1 : __real_mprotect(at, n, protection);
}

static int
refusal_of(long number)
{
	return number == SYS_get_mempolicy ? the_system.policy
	       : number == SYS_mbind       ? the_system.mbind
					   : 0;
}

static struct ibuf_provider
made(unsigned flags, int node)
{
	struct ibuf_provider provider;

	memset(&the_system, 0, sizeof(the_system));
	assert_int_equal(ibuf_provider_make(&provider, flags, node), 0);
	return provider;
}

/* On failure it is untouched. */
static int
refusal(unsigned flags, int node)
{
	struct ibuf_provider provider = {0}, before = provider;
	int error = ibuf_provider_make(&provider, flags, node);

	assert_int_not_equal(error, 0);
	assert_memory_equal(&provider, &before, sizeof(before));
	return error;
}

TEST(what_makes_no_sense_is_refused)
{
	memset(&the_system, 0, sizeof(the_system));
	assert_int_equal(refusal(8, IBUF_PROVIDER_NODE_ANY), -EINVAL);
	assert_int_equal(refusal(~0u, IBUF_PROVIDER_NODE_ANY), -EINVAL);
	assert_int_equal(refusal(0, -4), -EINVAL);
	assert_int_equal(refusal(0, INT32_MIN), -EINVAL);
	assert_int_equal(refusal(0, INT32_MAX), -ENODEV);
	assert_int_equal(refusal(0, 1024), -ENODEV);
	assert_int_equal(refusal(IBUF_PROVIDER_F_HUGE | IBUF_PROVIDER_F_GUARDED,
				 IBUF_PROVIDER_NODE_ANY),
			 -EINVAL);
}

TEST(without_flags_it_is_a_provider_of_pages)
{
	struct ibuf_provider provider = made(0, IBUF_PROVIDER_NODE_ANY);

	assert_provides(&provider, (size_t)4 << 20);
	assert_refuses(&provider);
	assert_serves_a_pool(&provider, 2000);
}

#ifdef IBUF_PLATFORM_POSIX

TEST(plain_posix_has_no_other_kind)
{
	assert_int_equal(
		refusal(IBUF_PROVIDER_F_LOCKED, IBUF_PROVIDER_NODE_ANY),
		-ENOTSUP);
	assert_int_equal(
		refusal(IBUF_PROVIDER_F_GUARDED, IBUF_PROVIDER_NODE_ANY),
		-ENOTSUP);
	assert_int_equal(refusal(0, 0), -ENOTSUP);
	assert_int_equal(refusal(0, IBUF_PROVIDER_NODE_LOCAL), -ENOTSUP);
}

#else

/* ---- huge ---------------------------------------------------------- */

/* What the body writes to standard error, in a process of its own. */
static size_t
said_by(void (*body)(void), char *words, size_t size)
{
	int ends[2];
	size_t n = 0;
	ssize_t got;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		body();
		_exit(0);
	}
	close(ends[1]);
	while ((got = read(ends[0], words + n, size - 1 - n)) > 0)
		n += (size_t)got;
	words[n] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return n;
}

static void
ask_for_huge_pages_often(void)
{
	struct ibuf_provider other;

	if (ibuf_provider_make(&other, IBUF_PROVIDER_F_HUGE, -1) != 0)
		_exit(1);
	for (int i = 0; i < 3; i++) {
		const struct ibuf_provider *huge =
			i == 1 ? &other : ibuf_provider_huge();
		void *base = huge->map((size_t)64 << 20, 64, huge->context);

		if (base != NULL)
			huge->unmap(base, (size_t)64 << 20, huge->context);
	}
}

TEST(that_no_huge_pages_are_there_is_said_once)
{
	char words[1000];
	void *none = mmap(NULL, (size_t)64 << 20, PROT_READ,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (none != MAP_FAILED) {
		munmap(none, (size_t)64 << 20);
		skip(); /* here are some */
	}
	said_by(ask_for_huge_pages_often, words, sizeof(words));
	assert_non_null(strstr(words, "huge pages"));
	assert_ptr_equal(strchr(words, '\n') + 1, words + strlen(words));
}

TEST(huge_pages_can_be_locked_and_of_a_node)
{
	struct ibuf_provider provider =
		made(IBUF_PROVIDER_F_HUGE | IBUF_PROVIDER_F_LOCKED, 0);

	assert_provides(&provider, (size_t)4 << 20);
	assert_refuses(&provider);
	assert_serves_a_pool(&provider, 2000);
}

/* ---- locked -------------------------------------------------------- */

TEST(locked_memory_is_locked_or_refused)
{
	struct ibuf_provider provider =
		made(IBUF_PROVIDER_F_LOCKED, IBUF_PROVIDER_NODE_ANY);
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	size_t mapped = fault_live_bytes_mapped();

	assert_provides(&provider, (size_t)4 << 20);
	assert_serves_a_pool(&provider, 2000);
	assert_true(the_system.locked >= 2000 * 2048);
	the_system.mlock = ENOMEM;
	assert_null(provider.map(4096, 64, provider.context));
	assert_int_equal(fault_live_bytes_mapped(), mapped);
	o.provider = &provider;
	o.initial = 1;
	assert_int_equal(error_of(&o), -ENOMEM);
}

/* ---- guarded ------------------------------------------------------- */

/* Does a process that touches a byte die of it? */
static bool
is_fatal(const volatile uint8_t *byte)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		_exit(*byte == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

TEST(a_guarded_piece_has_a_page_without_access_at_both_sides)
{
	struct ibuf_provider provider =
		made(IBUF_PROVIDER_F_GUARDED, IBUF_PROVIDER_NODE_ANY);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	static const size_t sizes[] = {64, 4096, 4160, 65536 + 64};
	static const size_t alignments[] = {64, 4096, 65536};

	for (int i = 0; i < 12; i++) {
		size_t size = sizes[i % 4], alignment = alignments[i / 4];
		uint8_t *base = provider.map(size, alignment, provider.context);
		size_t end = (size + page - 1) / page * page;

		assert_non_null(base);
		memset(base, 1, size);
		/* What fills no alignment lies behind it. */
		if (size % alignment == 0)
			end = size;
		assert_true(is_fatal(base + end));
		assert_true(is_fatal(base - page));
		assert_false(is_fatal(base + size - 1));
		assert_false(is_fatal(base));
		provider.unmap(base, size, provider.context);
	}
}

TEST(a_guarded_provider_does_all_that_others_do)
{
	struct ibuf_provider provider =
		made(IBUF_PROVIDER_F_GUARDED | IBUF_PROVIDER_F_LOCKED, 0);
	size_t mapped = fault_live_bytes_mapped();

	assert_provides(&provider, (size_t)4 << 20);
	assert_refuses(&provider);
	assert_serves_a_pool(&provider, 2000);
	assert_null(provider.map(0, 64, provider.context));
	the_system.mprotect = ENOMEM;
	assert_null(provider.map(4096, 64, provider.context));
	the_system.mprotect = 0;
	the_system.mlock = ENOMEM;
	assert_null(provider.map(4096, 64, provider.context));
	fault_from(1);
	assert_null(provider.map(4096, 64, provider.context));
	fault_off();
	assert_int_equal(fault_live_bytes_mapped(), mapped);
}

/* ---- nodes --------------------------------------------------------- */

/* The policy of the page at an address: mode and the nodes below 64. */
static bool
policy_of(const void *at, int *mode, unsigned long *nodes)
{
	unsigned long mask[16] = {0};

	if (__real_syscall(SYS_get_mempolicy, mode, mask, 1024ul, at, 2ul) != 0)
		return false;
	*nodes = mask[0];
	return true;
}

TEST(memory_of_a_node_has_its_policy)
{
	static const struct {
		int node, mode;
		unsigned long nodes;
	} cases[] = {{0, 1, 1},
		     {IBUF_PROVIDER_NODE_LOCAL, 4, 0},
		     {IBUF_PROVIDER_NODE_ALL, 3, 1}};

	for (int i = 0; i < 3; i++) {
		struct ibuf_provider provider = made(0, cases[i].node);
		unsigned long nodes = 0;
		int mode = -1;

		assert_provides(&provider, (size_t)4 << 20);
		assert_serves_a_pool(&provider, 2000);

		uint8_t *base = provider.map(100000, 64, provider.context);

		assert_non_null(base);
		base[0] = 1;
		if (policy_of(base, &mode, &nodes)) {
			assert_int_equal(mode, cases[i].mode);
			assert_int_equal(nodes & 1, cases[i].nodes);
		}
		provider.unmap(base, 100000, provider.context);
	}
}

TEST(a_node_that_is_not_there_is_refused)
{
	memset(&the_system, 0, sizeof(the_system));
	assert_int_equal(refusal(0, 1023), -ENODEV);
}

TEST(a_system_without_nodes_has_node_0)
{
	memset(&the_system, 0, sizeof(the_system));
	the_system.policy = the_system.mbind = ENOSYS;
	assert_int_equal(refusal(0, 1), -ENODEV);
	for (int node = IBUF_PROVIDER_NODE_ALL; node <= 0; node++) {
		struct ibuf_provider provider;

		assert_int_equal(ibuf_provider_make(&provider, 0, node), 0);
		assert_serves_a_pool(&provider, 100);
	}
}

TEST(a_system_that_forbids_to_ask_for_nodes_is_told_apart)
{
	memset(&the_system, 0, sizeof(the_system));
	the_system.policy = EPERM;
	assert_int_equal(refusal(0, 0), -ENOTSUP);
	assert_int_equal(refusal(0, IBUF_PROVIDER_NODE_LOCAL), -ENOTSUP);
	assert_int_equal(refusal(0, IBUF_PROVIDER_NODE_ALL), -ENOTSUP);
}

TEST(memory_that_the_system_does_not_bind_is_given_back)
{
	struct ibuf_provider provider = made(0, 0);
	size_t mapped = fault_live_bytes_mapped();

	the_system.mbind = EPERM;
	assert_null(provider.map(4096, 64, provider.context));
	assert_int_equal(fault_live_bytes_mapped(), mapped);
}

#endif
