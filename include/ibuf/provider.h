/*
 * provider.h - where a pool's memory comes from.
 *
 * A pool takes memory in slabs, rarely, and gives a slab back when the pool is
 * trimmed or gone.  ibuf_provider_pages(), the default, suits nearly every
 * program.  Others take memory of another kind:
 *
 *   of the system, a mapping for each slab     ibuf_provider_make()
 *   one area that others know too:
 *     the program's own memory                 ibuf_provider_arena()
 *     that another process can map             ibuf_provider_memfd()
 *
 * A program that gets memory in another way, of a device, fills in the struct.
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
 * That there are none is said in one line on standard error, once.
 */
IBUF_API const struct ibuf_provider *ibuf_provider_huge(void);

/* ---- memory of another kind, a mapping for each slab ------------------- */

/** Flag: huge pages as ibuf_provider_huge() has them. */
#define IBUF_PROVIDER_F_HUGE 0x1u
/**
 * Flag: memory that is never paged out.  What the system does not lock
 * (RLIMIT_MEMLOCK) is refused: the pool does not grow.
 */
#define IBUF_PROVIDER_F_LOCKED 0x2u
/**
 * Flag: for debugging, a page without access at both sides of each slab, so
 * that a write past it ends the program.  Between the mbufs of one slab there
 * is no page: a slab has one mbuf where an mbuf takes more than 1 MiB, or where
 * a provider around this one refuses to map more than that.  The end of the
 * slab lies at the page; in front of it there may be up to a page of memory.
 * Not together with #IBUF_PROVIDER_F_HUGE.
 */
#define IBUF_PROVIDER_F_GUARDED 0x4u

/** For node: wherever the system takes memory. */
#define IBUF_PROVIDER_NODE_ANY (-1)
/** For node: that of the thread which touches a page first. */
#define IBUF_PROVIDER_NODE_LOCAL (-2)
/** For node: page by page, all nodes by turns. */
#define IBUF_PROVIDER_NODE_ALL (-3)

/**
 * Make a provider of pages that are huge, locked, guarded, or of a NUMA node.
 *
 * A node is a preference, as that of libnuma: where it has no memory left, the
 * system takes another one.  A system without NUMA has node 0 alone.
 *
 * @param provider where it goes; it needs nothing else, so a copy is as good;
 *        untouched on failure
 * @param flags IBUF_PROVIDER_F_*, combined
 * @param node 0 or more, or one of IBUF_PROVIDER_NODE_*
 * @return 0; -EINVAL: an unknown flag or node, flags that exclude each other;
 *         -ENODEV: there is no such node; -ENOTSUP: the system does not know
 *         this kind (plain POSIX: any flag, and any node but ANY)
 * @owner nobody has to free it
 * @cost O(1), and two system calls for a node
 */
IBUF_API IBUF_MUST_USE int ibuf_provider_make(struct ibuf_provider *provider,
					      unsigned flags, int node)
	IBUF_NONNULL((1));

/* ---- one area ---------------------------------------------------------- */

/**
 * A provider all of whose slabs lie in one area of memory.  It is the caller's,
 * and stays where it is until the last mbuf is gone: then the slabs are back.
 * All members are for reading only.
 *
 * Several pools may use one area.  In front of each slab the area has 64 bytes
 * of its own.  After a fork, parent and child each have their own area, where
 * the memory itself is private; of shared memory one of them must not use
 * the pools any more, nor free what is theirs.
 */
struct ibuf_provider_area {
	/** For ibuf_pool_options.provider. */
	struct ibuf_provider provider;
	/** Where the area begins, at a multiple of 64. */
	uint8_t *base;
	/** Its bytes, a multiple of 64. */
	size_t size;
	/** What another process maps; -1: nothing. */
	int fd;
	/** @cond */
	uint32_t lock_;
	/** @endcond */
};

/**
 * Make a provider of memory that the caller has, which holds the provider too.
 *
 * A pool of it whose options.cache is 0 takes nothing else, from the moment that
 * ibuf_pool_create() returns: no malloc, no mmap, whatever is allocated, cloned,
 * cut, trimmed and freed, unless a message grows beyond its room.  With a cache,
 * each thread takes some memory when it first uses the pool, and magazines.
 *
 * @param base the memory, which the caller frees when the last mbuf is gone
 * @param size its bytes; 64 serve the provider, and up to 126 are not used where
 *        it is not aligned to 64
 * @return NULL: it is too small for the provider itself
 * @owner it is part of the memory; nobody has to end it
 * @mt setup
 */
IBUF_API IBUF_MUST_USE const struct ibuf_provider *
ibuf_provider_arena(void *base, size_t size) IBUF_NONNULL((1));

/**
 * The same with the provider elsewhere, for who needs to know the area.
 *
 * @param area where the provider goes
 * @param base the memory, as above
 * @param size its bytes; up to 126 are not used where it is not aligned to 64
 * @mt setup
 */
IBUF_API void ibuf_provider_area_make(struct ibuf_provider_area *area,
				      void *base, size_t size)
	IBUF_NONNULL((1, 2));

/**
 * Make a provider of a memory file, which another process can map.  It gets
 * area->fd (by a fork, or as SCM_RIGHTS) and maps all of it; a byte at p here is
 * at p - area->base there.  Who could write there can break this process, so
 * give a process that is not trusted /proc/self/fd/N, opened for reading only.
 * The size is sealed.  Memory that was never used takes no room, and that of a
 * slab which is given back goes to the system.
 *
 * @param area where it goes; untouched on failure
 * @param name for /proc/PID/maps
 * @param size its bytes, more than 0; rounded up to pages
 * @return 0; -errno: -EINVAL, -ENOMEM, -EMFILE ...; -ENOTSUP: plain POSIX
 * @owner the caller ends it by ibuf_provider_area_close()
 * @mt setup
 * @cost five system calls
 */
IBUF_API IBUF_MUST_USE int ibuf_provider_memfd(struct ibuf_provider_area *area,
					       const char *name, size_t size)
	IBUF_NONNULL((1, 2));

/**
 * End an area of ibuf_provider_memfd(): unmap it and close the descriptor.
 *
 * @return 0; -EBUSY: a pool still has a slab there, and nothing happens
 * @mt setup
 */
IBUF_API int ibuf_provider_area_close(struct ibuf_provider_area *area)
	IBUF_NONNULL((1));

/** @} */

IBUF_END_DECLS

#endif
