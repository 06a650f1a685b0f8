/* provides.h - what every provider does, whatever memory it is of. */
#ifndef PROVIDES_H
#define PROVIDES_H

#include "pools.h"

/* Two pieces of many sizes and alignments at once, none above the largest. */
static inline void
assert_provides(const struct ibuf_provider *provider, size_t largest)
{
	static const size_t sizes[] = {1, 64, 4096, 4097, 100000, 3 << 20};

	for (size_t alignment = 1; alignment <= largest; alignment *= 4) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			size_t size = sizes[i];

			if (size > largest)
				continue;
			uint8_t *a = provider->map(size, alignment,
						   provider->context);
			uint8_t *b = provider->map(size, alignment,
						   provider->context);

			assert_non_null(a);
			assert_non_null(b);
			assert_int_equal((uintptr_t)a % alignment, 0);
			assert_int_equal((uintptr_t)b % alignment, 0);
			assert_true(a + size <= b || b + size <= a);
			a[0] = a[size - 1] = 1;
			b[0] = b[size - 1] = 2;
			assert_int_equal(a[0], 1);
			provider->unmap(a, size, provider->context);
			assert_int_equal(b[size - 1], 2);
			provider->unmap(b, size, provider->context);
		}
	}
}

static inline void
assert_refuses(const struct ibuf_provider *provider)
{
	static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 4096,
				       SIZE_MAX / 2 + 1, PTRDIFF_MAX,
				       PTRDIFF_MAX - 4096};
	/* A 32-bit process may well have half of what it can address. */
	size_t n = SIZE_MAX > UINT32_MAX ? 5 : 3;

	for (size_t i = 0; i < n; i++) {
		assert_null(provider->map(sizes[i], 64, provider->context));
		assert_null(provider->map(sizes[i], (size_t)2 << 20,
					  provider->context));
	}
}

/* A pool of it grows to n mbufs, is trimmed, and ends. */
static inline void
assert_serves_a_pool(const struct ibuf_provider *provider, int n)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	static struct ibuf_mbuf *ms[2000];

	o.provider = provider;
	o.initial = 3;

	struct ibuf_pool *p = pool_with(&o);

	for (int round = 0; round < 2; round++) {
		assert_int_equal(take_all(p, ms, (size_t)n), n);
		for (int i = 0; i < n; i++)
			assert_int_equal(ibuf_mbuf_append(ms[i], &i, sizeof(i)),
					 0);
		for (int i = 0; i < n; i++)
			assert_message(ms[i], &i, sizeof(i));
		ibuf_mbuf_free_bulk(ms, (size_t)n);
		ibuf_pool_flush(p);
		assert_true(ibuf_pool_trim(p) > 0);
		assert_int_equal(stats_of(p).mapped_bytes, 0);
	}
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

#endif
