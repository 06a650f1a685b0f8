/*
 * test_area.c - providers whose slabs lie in one area: memory of the program,
 * or of a file that another process can map.
 */
#include "provides.h"
#include "system_calls.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define AREA ((size_t)16 << 20)

static _Alignas(64) uint8_t memory[AREA];

static bool
lies_in(const struct ibuf_provider_area *a, const void *at)
{
	return (uintptr_t)at - (uintptr_t)a->base < a->size;
}

/* All that is free is one piece again. */
static void
assert_is_whole(struct ibuf_provider_area *a)
{
	struct ibuf_provider *p = &a->provider;
	void *all = p->map(a->size - 64, 64, p->context);

	assert_ptr_equal(all, a->base + 64);
	assert_null(p->map(1, 1, p->context));
	p->unmap(all, a->size - 64, p->context);
}

/* ---- pieces -------------------------------------------------------- */

TEST(an_arena_gives_what_it_is_asked_for_and_gets_whole_again)
{
	struct ibuf_provider_area a;

	ibuf_provider_area_make(&a, memory, AREA);
	assert_ptr_equal(a.base, memory);
	assert_int_equal(a.size, AREA);
	assert_int_equal(a.fd, -1);
	assert_provides(&a.provider, (size_t)4 << 20);
	assert_refuses(&a.provider);
	assert_serves_a_pool(&a.provider, 2000);
	assert_is_whole(&a);
	assert_int_equal(ibuf_provider_area_close(&a), 0);
	assert_int_equal(ibuf_provider_area_close(&a), 0);
}

TEST(an_arena_uses_memory_that_is_not_aligned)
{
	for (size_t skip = 1; skip < 64; skip += 31) {
		struct ibuf_provider_area a;

		ibuf_provider_area_make(&a, memory + skip, 4096);
		assert_ptr_equal(a.base, memory + 64);
		assert_int_equal(a.size, 4096 - 64);
		assert_is_whole(&a);
	}
}

TEST(an_arena_holds_its_provider_too)
{
	for (size_t skip = 0; skip < 64; skip += 21) {
		const struct ibuf_provider *provider =
			ibuf_provider_arena(memory + skip, (size_t)1 << 20);

		assert_in_range((uintptr_t)provider, (uintptr_t)memory,
				(uintptr_t)memory + 64);
		assert_serves_a_pool(provider, 200);
		assert_refuses(provider);
	}
}

TEST(an_arena_that_cannot_hold_its_provider_is_none)
{
	memset(memory, 0x55, 256);
	for (size_t size = 0; size < 63 + sizeof(struct ibuf_provider_area);
	     size++)
		assert_null(ibuf_provider_arena(memory + 1, size));
	for (size_t i = 0; i < 256; i++)
		assert_int_equal(memory[i], 0x55);
	assert_non_null(ibuf_provider_arena(memory, 4096));
}

TEST(an_arena_may_be_too_small_for_anything)
{
	for (size_t size = 0; size < 192; size++) {
		struct ibuf_provider_area a;
		struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
		struct ibuf_pool *p;

		ibuf_provider_area_make(&a, memory + 1, size);
		o.provider = &a.provider;
		p = pool_with(&o);
		assert_null(ibuf_pool_alloc(p));
		assert_int_equal(ibuf_pool_destroy(p), 0);
		if (a.size > 64)
			assert_is_whole(&a);
		assert_int_equal(ibuf_provider_area_close(&a), 0);
	}
}

/* Pieces of random sizes and alignments come and go; none overlap. */
TEST(an_arena_survives_any_order_of_pieces)
{
	enum { N = 40 };
	struct ibuf_provider_area a;
	struct {
		uint8_t *base;
		size_t size;
	} pieces[N] = {{0}};
	uint32_t seed = 1;

	ibuf_provider_area_make(&a, memory, (size_t)1 << 20);
	for (int round = 0; round < 20000; round++) {
		seed = seed * 1664525 + 1013904223;

		size_t i = (seed >> 8) % N, size = (seed >> 4) % 60000 + 1;
		size_t alignment = (size_t)1 << (seed >> 28);
		uint8_t *base = pieces[i].base;

		if (base != NULL) {
			for (size_t k = 0; k < pieces[i].size; k += 64)
				assert_int_equal(base[k], i);
			a.provider.unmap(base, pieces[i].size, &a);
			pieces[i].base = NULL;
			continue;
		}
		base = a.provider.map(size, alignment, &a);
		if (base == NULL)
			continue;
		assert_true(lies_in(&a, base) && lies_in(&a, base + size - 1));
		assert_int_equal((uintptr_t)base % alignment, 0);
		memset(base, (int)i, size);
		pieces[i].base = base;
		pieces[i].size = size;
	}
	for (int i = 0; i < N; i++)
		if (pieces[i].base != NULL)
			a.provider.unmap(pieces[i].base, pieces[i].size, &a);
	assert_is_whole(&a);
}

/* ---- nothing else is taken ----------------------------------------- */

TEST(a_pool_in_an_arena_allocates_nothing_after_its_creation)
{
	static const unsigned flags[] = {0, IBUF_POOL_F_WIPE, IBUF_POOL_F_WAIT};

	for (int i = 0; i < 3; i++) {
		struct ibuf_provider_area a;
		struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
		static struct ibuf_mbuf *ms[20000];
		struct ibuf_mbuf *clone, *rest;
		struct timespec now = {0, 0};
		size_t calls, blocks, n;

		ibuf_provider_area_make(&a, memory, AREA);
		o.provider = &a.provider;
		o.cache = 0;
		o.flags = flags[i];

		struct ibuf_pool *p = pool_with(&o);

		calls = fault_calls();
		blocks = fault_live_blocks();
		for (int round = 0; round < 2; round++) {
			/* Until the arena is used up, but for some. */
			n = take_all(p, ms, 5000);
			assert_int_equal(n, 5000);
			assert_int_equal(ibuf_mbuf_append(ms[0], "abcd", 4), 0);
			clone = ibuf_mbuf_clone(ms[0]);
			assert_non_null(clone);
			rest = ibuf_mbuf_split(clone, 2);
			assert_non_null(rest);
			assert_int_equal(ibuf_mbuf_concat(ms[1], rest), 0);
			assert_int_equal(ibuf_mbuf_prepend(ms[2], "xy", 2), 0);
			for (n = 5000; n < 20000; n++) {
				ms[n] = ibuf_pool_alloc(p);
				if (ms[n] == NULL)
					break;
			}
			assert_true(n > 7000 && n < 20000);
			assert_null(ibuf_pool_alloc_wait(p, &now));
			assert_int_equal(ibuf_pool_reserve(p, 5000), -ENOMEM);
			for (size_t k = 0; k < n; k++)
				assert_true(lies_in(&a, ms[k]) &&
					    lies_in(&a, ibuf_mbuf_data(ms[k])));
			ibuf_mbuf_free_bulk(ms, n);
			ibuf_mbuf_free(clone);
			assert_true(ibuf_pool_trim(p) > 0);
			assert_int_equal(stats_of(p).mapped_bytes, 0);
			assert_is_whole(&a);
		}
		assert_int_equal(fault_calls(), calls);
		assert_int_equal(fault_live_blocks(), blocks);
		assert_int_equal(ibuf_pool_destroy(p), 0);
	}
}

TEST(two_pools_and_a_cache_share_an_arena)
{
	struct ibuf_provider_area a;
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_mbuf *m, *clone;

	ibuf_provider_area_make(&a, memory, AREA);
	o.provider = &a.provider;

	struct ibuf_pool *p = pool_with(&o), *q = pool_with(&o);

	m = ibuf_pool_alloc(p);
	clone = ibuf_mbuf_clone(m);
	ibuf_mbuf_free(ibuf_pool_alloc(q));
	assert_int_equal(ibuf_provider_area_close(&a), -EBUSY);
	/* Messages keep their memory when their pool ends. */
	assert_int_equal(ibuf_pool_destroy(q), 0);
	assert_int_equal(ibuf_pool_destroy(p), 1);
	assert_int_equal(ibuf_provider_area_close(&a), -EBUSY);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_provider_area_close(&a), -EBUSY);
	ibuf_mbuf_free(clone);
	assert_is_whole(&a);
	assert_int_equal(ibuf_provider_area_close(&a), 0);
}

/* ---- several threads, and processes -------------------------------- */

static void *
take_and_give(void *context)
{
	struct ibuf_provider_area *a = context;

	for (int i = 1; i < 20000; i++) {
		size_t size = (size_t)i * 64 % 100000 + 1;
		uint8_t *base = a->provider.map(size, 64, a);

		if (base == NULL)
			continue;
		base[0] = base[size - 1] = 1;
		a->provider.unmap(base, size, a);
	}
	return NULL;
}

TEST(threads_take_pieces_of_one_area_at_once)
{
	struct ibuf_provider_area a;
	pthread_t threads[3];

	ibuf_provider_area_make(&a, memory, AREA);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, take_and_give, &a),
			0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_is_whole(&a);
}

#ifndef __SANITIZE_THREAD__
/* Its threads do not outlive a fork. */
TEST(a_child_has_its_own_area_whatever_its_parents_threads_did)
{
	struct ibuf_provider_area a;
	pthread_t thread;

	ibuf_provider_area_make(&a, memory, AREA);
	assert_int_equal(pthread_create(&thread, NULL, take_and_give, &a), 0);
	for (int i = 0; i < 50; i++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0) {
			/* What the thread had stays used there. */
			alarm(20);
			for (int k = 0; k < 50; k++) {
				void *base = a.provider.map(100000, 64, &a);

				if (base == NULL)
					_exit(1);
				a.provider.unmap(base, 100000, &a);
			}
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
	pthread_join(thread, NULL);
	assert_is_whole(&a);
}
#endif

/* ---- shared -------------------------------------------------------- */

static struct {
	int memfd, ftruncate; /* errors; 0: as it is */
} the_system;

static int
refusal_of(long number)
{
#ifdef SYS_memfd_create
	if (number == SYS_memfd_create)
		return the_system.memfd;
#endif
	(void)number;
	return 0;
}

int __real_ftruncate(int fd, off_t size);
int __wrap_ftruncate(int fd, off_t size);
int
__wrap_ftruncate(int fd, off_t size)
{
	errno = the_system.ftruncate;
	return errno != 0 ? -1 : __real_ftruncate(fd, size);
}

/* On failure the area is untouched, and no descriptor stays open. */
static int
memfd_error(size_t size)
{
	struct ibuf_provider_area a = {.fd = 7}, before = a;
	int next = dup(0), error = ibuf_provider_memfd(&a, "test", size);

	assert_int_not_equal(error, 0);
	assert_memory_equal(&a, &before, sizeof(a));
	close(next);
	assert_int_equal(dup(0), next);
	close(next);
	return error;
}

#ifdef IBUF_PLATFORM_POSIX

TEST(plain_posix_has_no_memory_files)
{
	assert_int_equal(memfd_error(4096), -ENOTSUP);
}

#else

TEST(a_memory_file_that_cannot_be_made_is_an_error)
{
	assert_int_equal(memfd_error(0), -EINVAL);
	assert_int_equal(memfd_error(SIZE_MAX), -ENOMEM);
	assert_true(memfd_error(PTRDIFF_MAX) < 0);
	the_system.memfd = EMFILE;
	assert_int_equal(memfd_error(4096), -EMFILE);
	the_system.memfd = 0;
	the_system.ftruncate = EFBIG;
	assert_int_equal(memfd_error(4096), -EFBIG);
	the_system.ftruncate = 0;
	fault_from(1);
	assert_int_equal(memfd_error(4096), -ENOMEM);
	fault_off();
}

TEST(a_pool_of_a_memory_file_is_seen_by_who_maps_it)
{
	struct ibuf_provider_area a;
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	uint8_t *other;

	assert_int_equal(ibuf_provider_memfd(&a, "test", AREA - 1), 0);
	assert_int_equal(a.size, AREA);
	assert_true(fcntl(a.fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(ftruncate(a.fd, 0), -1); /* sealed */
	assert_provides(&a.provider, (size_t)4 << 20);
	assert_serves_a_pool(&a.provider, 2000);
	o.provider = &a.provider;

	struct ibuf_pool *p = pool_with(&o);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	assert_int_equal(ibuf_mbuf_append(m, "across", 6), 0);

	size_t off = (size_t)(ibuf_mbuf_data(m) - a.base);
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		other = mmap(NULL, a.size, PROT_READ | PROT_WRITE, MAP_SHARED,
			     a.fd, 0);
		if (other == MAP_FAILED ||
		    memcmp(other + off, "across", 6) != 0)
			_exit(1);
		other[off] = 'A';
		_exit(0);
	}

	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_message(m, "Across", 6);
	assert_int_equal(ibuf_provider_area_close(&a), -EBUSY);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(ibuf_provider_area_close(&a), 0);
	assert_int_equal(a.fd, -1);
	assert_int_equal(ibuf_provider_area_close(&a), 0);
}

TEST(a_slab_of_a_memory_file_goes_back_to_the_system)
{
	struct ibuf_provider_area a;
	struct {
		uint8_t *base;
		unsigned char in_core[16];
	} piece;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	assert_int_equal(ibuf_provider_memfd(&a, "test", 64 * page), 0);
	piece.base = a.provider.map(17 * page, page, &a);
	assert_non_null(piece.base);
	memset(piece.base, 1, 17 * page);
	a.provider.unmap(piece.base, 17 * page, &a);
	assert_int_equal(mincore(piece.base, 16 * page, piece.in_core), 0);
	for (int i = 0; i < 16; i++)
		assert_int_equal(piece.in_core[i] & 1, 0);
	assert_int_equal(ibuf_provider_area_close(&a), 0);
}

#endif
