/*
 * copy.h - what each copy of the library can do, with its own code and its
 * own inline bodies.
 */
#ifndef COPY_H
#define COPY_H

#include <ibuf/ibuf.h>

struct copy {
	const char *name;
	int (*create)(struct ibuf_pool **pool,
		      const struct ibuf_pool_options *options);
	struct ibuf_mbuf *(*alloc)(struct ibuf_pool *p);
	struct ibuf_mbuf *(*alloc_wait)(struct ibuf_pool *p,
					const struct timespec *timeout);
	int (*alloc_bulk)(struct ibuf_pool *p, struct ibuf_mbuf **out,
			  size_t n);
	size_t (*alloc_upto)(struct ibuf_pool *p, struct ibuf_mbuf **out,
			     size_t n);
	void (*pool_free)(struct ibuf_pool *p, struct ibuf_mbuf *m);
	int (*reserve)(struct ibuf_pool *p, size_t n);
	size_t (*trim)(struct ibuf_pool *p);
	void (*flush)(struct ibuf_pool *p);
	int (*get_stats)(const struct ibuf_pool *p, struct ibuf_pool_stats *out,
			 size_t out_size);
	size_t (*allocated)(const struct ibuf_pool *p);
	size_t (*available)(const struct ibuf_pool *p);
	size_t (*destroy)(struct ibuf_pool *p);

	struct ibuf_mbuf *(*new_one)(size_t capacity);
	struct ibuf_mbuf *(*wrap)(void *bytes, size_t len,
				  ibuf_mbuf_release_fn *fn, void *arg);
	void (*free)(struct ibuf_mbuf *m);
	void (*free_bulk)(struct ibuf_mbuf **ms, size_t n);
	struct ibuf_mbuf *(*clone)(const struct ibuf_mbuf *m);
	struct ibuf_mbuf *(*slice)(const struct ibuf_mbuf *m, size_t off,
				   size_t len);
	struct ibuf_mbuf *(*duplicate)(const struct ibuf_mbuf *m, size_t off,
				       size_t len);
	int (*append)(struct ibuf_mbuf *m, const void *bytes, size_t n);
	int (*concat)(struct ibuf_mbuf *m, struct ibuf_mbuf *tail);
	int (*unshare)(struct ibuf_mbuf *m);
	int (*validate)(const struct ibuf_mbuf *m);
	struct ibuf_pool *(*pool)(const struct ibuf_mbuf *m);
};

/* The function that a plugin exports, which gives its struct copy. */
#define COPY_EXPORT "copy"

#endif
