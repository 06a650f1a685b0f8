/*
 * provider.h - where a pool's memory comes from.
 *
 * A pool takes memory in slabs, rarely, and gives a slab back when the pool is
 * trimmed or gone.  One of the three providers here suits nearly every
 * program; one that has memory of its own (a DMA region, a shared mapping, a
 * NUMA node) fills in the struct.
 */
#ifndef IBUF_PROVIDER_H
#define IBUF_PROVIDER_H

#include <ibuf/base.h>

IBUF_BEGIN_DECLS

/**
 * @defgroup provider Providers
 * Where a pool's memory comes from.
 *
 * @owner the providers here live for ever
 * @mt any
 * @cost O(1); map and unmap of pages are a system call or two each
 * @{
 */

/** Two functions that give and take back pieces of memory. */
struct ibuf_provider {
	/**
	 * Give size bytes, the first at a multiple of alignment (a power of
	 * two); NULL: cannot.  A pool that is refused a piece asks for smaller
	 * ones, down to one mbuf; it never asks for 0 bytes.  A piece that is
	 * not aligned is given back and counts as none; so does one that the
	 * pool has already, which is not given back.
	 *
	 * Both functions may be called from any thread, several at a time, and
	 * with no lock of the library held: others use the pool meanwhile.
	 * They must not use the pool that calls them, and are not cancelled.
	 */
	void *(*map)(size_t size, size_t alignment, void *context);
	/** Take back what map gave; size is the size it was asked for. */
	void (*unmap)(void *base, size_t size, void *context);
	/** Handed to both functions; must outlive the pool's last mbuf. */
	void *context;
};

/** Get the provider that takes slabs from malloc's heap. */
IBUF_API const struct ibuf_provider *ibuf_provider_heap(void);

/**
 * Get the provider that maps anonymous pages and advises the kernel to use
 * transparent huge pages for slabs that are large enough: the default.
 */
IBUF_API const struct ibuf_provider *ibuf_provider_pages(void);

/**
 * Get the provider that maps huge pages, and ordinary pages where the system
 * has no huge ones, or where more than a quarter of them would be left over.
 */
IBUF_API const struct ibuf_provider *ibuf_provider_huge(void);

/** @} */

IBUF_END_DECLS

#endif
