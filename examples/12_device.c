/* 12_device.c - a pool in memory that a device reads: a provider of one's own */
#include <ibuf/ibuf.h>
#include <stdio.h>

/*
 * With -DHAVE_CUDA and -lcudart a GPU reads and writes the messages in place.
 * Without it two stubs stand in, as here: this was never run on a card.
 */
#ifdef HAVE_CUDA
#include <cuda_runtime_api.h>
#else
#define cudaSuccess 0
#define cudaHostRegisterPortable 1u
static int
cudaHostRegister(void *base, size_t size, unsigned flags)
{
	(void)size;
	return base != NULL && flags == cudaHostRegisterPortable ? cudaSuccess
								 : 1;
}

static int
cudaHostUnregister(void *base)
{
	return base != NULL ? cudaSuccess : 1;
}
#endif

/* Pages, made known to the device; what it refuses is no memory. */
static void *
device_map(size_t size, size_t alignment, void *context)
{
	const struct ibuf_provider *pages = context;
	void *base = pages->map(size, alignment, pages->context);

	if (base == NULL ||
	    cudaHostRegister(base, size, cudaHostRegisterPortable) ==
		    cudaSuccess)
		return base;
	pages->unmap(base, size, pages->context);
	return NULL;
}

/* The pool calls it once for each slab, when nothing is in use there. */
static void
device_unmap(void *base, size_t size, void *context)
{
	const struct ibuf_provider *pages = context;

	(void)cudaHostUnregister(base);
	pages->unmap(base, size, pages->context);
}

int
main(void)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_provider locked, device;
	struct ibuf_pool *pool;
	struct ibuf_mbuf *m;

	/* Locked, and of node 0, where the card shall be; else plain pages. */
	if (ibuf_provider_make(&locked, IBUF_PROVIDER_F_LOCKED, 0) != 0)
		locked = *ibuf_provider_pages();
	device.map = device_map;
	device.unmap = device_unmap;
	device.context = &locked; /* outlives the last message */

	options.initial = 16;
	options.provider = &device;
	if (ibuf_pool_create(&pool, &options) != 0)
		return 1;
	m = ibuf_pool_alloc(pool);
	if (m == NULL || ibuf_mbuf_append(m, "for the card", 12) != 0)
		return 1;
	printf("the card reads \"%.*s\" in place\n", (int)ibuf_mbuf_len(m),
	       (const char *)ibuf_mbuf_data(m));
	ibuf_mbuf_free(m);
	return ibuf_pool_destroy(pool) == 0 ? 0 : 1;
}

/* Prints:
 * the card reads "for the card" in place
 */
