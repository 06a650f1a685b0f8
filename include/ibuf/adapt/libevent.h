/*
 * adapt/libevent.h - messages into an evbuffer and out of one, not copied.
 *
 *   ibuf_libevent_add()    message ---> evbuffer   a reference a segment
 *   ibuf_libevent_take()   message <--- evbuffer   a segment a chain
 *
 * For programs that link to libevent 2.1; docs/adapters.md says who copies.
 *
 * Threads.  An evbuffer ends the references that it holds in the thread that
 * drains or frees it, with its lock held if it has one.  A message that was
 * taken out of one needs no lock of libevent's: each of its segments has an
 * evbuffer of its own, so any thread may free any of them.  Only what other
 * evbuffers share (evbuffer_add_buffer_reference, evbuffer_add_file) needs
 * those to have locks, see evbuffer_enable_locking(), as it does among
 * evbuffers.
 */
#ifndef IBUF_ADAPT_LIBEVENT_H
#define IBUF_ADAPT_LIBEVENT_H

#include <errno.h>
#include <event2/buffer.h>
#include <ibuf/mbuf.h>
#include <ibuf/segment.h>
#include <stdlib.h>

IBUF_BEGIN_DECLS
IBUF_BEGIN_BODIES_

static inline void
ibuf_libevent_sent_(const void *bytes, size_t len, void *m)
{
	(void)bytes;
	(void)len;
	ibuf_mbuf_free((struct ibuf_mbuf *)m);
}

static inline void
ibuf_libevent_release_(void *bytes, size_t len, void *chain)
{
	(void)bytes;
	(void)len;
	evbuffer_free((struct evbuffer *)chain);
}

/*
 * A reference to a slice for each segment, all aside first, since what is in
 * out cannot be taken back.
 */
static inline int
ibuf_libevent_add_segments_(struct evbuffer *out, const struct ibuf_mbuf *m)
{
	struct evbuffer *all = evbuffer_new();
	const struct ibuf_mbuf *s;
	size_t off = 0;
	int rc = all == NULL ? -1 : 0;

	for (s = m; rc == 0 && s != NULL; s = ibuf_mbuf_seg_next(s)) {
		size_t n = ibuf_mbuf_seg_len(s);
		struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, off, n);

		if (slice == NULL ||
		    evbuffer_add_reference(all, ibuf_mbuf_data(slice), n,
					   ibuf_libevent_sent_, slice) != 0) {
			ibuf_mbuf_free(slice);
			rc = -1;
		}
		off += n;
	}
	if (rc == 0)
		rc = evbuffer_add_buffer(out, all);
	if (all != NULL)
		evbuffer_free(all);
	return rc == 0 ? 0 : -ENOMEM;
}

/**
 * Put a message behind what an evbuffer has.
 *
 * @param out any evbuffer, such as the output of a bufferevent
 * @return 0; -ENOMEM: no memory, or out is frozen at its end
 * @owner on success out has the message, and frees each part once it is sent
 *        or dropped; on failure m is the caller's, and out is as it was
 * @mt object for m, and as libevent says for out
 * @cost one reference for a single segment; else also an evbuffer, and a slice
 *       and a reference for each segment
 */
static inline IBUF_MUST_USE int
ibuf_libevent_add(struct evbuffer *out, struct ibuf_mbuf *m)
{
	int rc;

	if (ibuf_mbuf_len(m) == 0) {
		ibuf_mbuf_free(m);
		return 0;
	}
	/* Another thread may have sent and freed it before this returns. */
	if (ibuf_mbuf_is_contiguous(m))
		return evbuffer_add_reference(out, ibuf_mbuf_data(m),
					      ibuf_mbuf_len(m),
					      ibuf_libevent_sent_, m) == 0
			       ? 0
			       : -ENOMEM;
	rc = ibuf_libevent_add_segments_(out, m);
	if (rc == 0)
		ibuf_mbuf_free(m); /* its slices stay */
	return rc;
}

/* A chain of the evbuffer, and the evbuffer of its own that it moves to. */
struct ibuf_libevent_chain_ {
	size_t len;
	struct evbuffer *to;
};

/* A message that shows the n chains which are still in in; NULL: no memory. */
static inline struct ibuf_mbuf *
ibuf_libevent_show_(struct evbuffer *in, struct ibuf_libevent_chain_ *chains,
		    size_t n)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(0), *segment;
	struct evbuffer_ptr at;
	struct evbuffer_iovec v;
	size_t i;

	if (m == NULL || evbuffer_ptr_set(in, &at, 0, EVBUFFER_PTR_SET) != 0)
		goto failed;
	for (i = 0; i < n; i++) {
		if (evbuffer_peek(in, -1, &at, &v, 1) < 1)
			goto failed;
		chains[i].to = evbuffer_new();
		if (chains[i].to == NULL)
			goto failed;
		/* Libevent may show the same bytes elsewhere. */
		segment = ibuf_mbuf_wrap_const(v.iov_base, v.iov_len,
					       ibuf_libevent_release_,
					       chains[i].to);
		if (segment == NULL) {
			evbuffer_free(chains[i].to);
			goto failed;
		}
		if (ibuf_mbuf_concat(m, segment) != 0) {
			ibuf_mbuf_free(segment);
			goto failed;
		}
		chains[i].len = v.iov_len;
		if (i + 1 < n &&
		    evbuffer_ptr_set(in, &at, v.iov_len, EVBUFFER_PTR_ADD) != 0)
			goto failed;
	}
	return m;
failed:
	ibuf_mbuf_free(m);
	return NULL;
}

/**
 * Take all that an evbuffer has, as a message of the same memory.  An edit of
 * its bytes goes to a private copy.
 *
 * @param in such as the input of a bufferevent; one that has files only if
 *        they were added with EVBUF_FS_DISABLE_SENDFILE
 * @return the message, which is empty if in is; NULL: no memory, or in is
 *         frozen at its front; in is as it was
 * @owner the caller has the message, and frees it in any thread
 * @mt as libevent says for in, whose lock is held if it has one
 * @cost an evbuffer and two headers for each chain of in
 */
static inline IBUF_MUST_USE struct ibuf_mbuf *
ibuf_libevent_take(struct evbuffer *in)
{
	struct ibuf_libevent_chain_ *chains = NULL;
	struct ibuf_mbuf *m = NULL;
	size_t i, n;

	evbuffer_lock(in);
	n = evbuffer_get_length(in);
	if (n != 0) {
		n = (size_t)evbuffer_peek(in, (ev_ssize_t)n, NULL, NULL, 0);
		chains = (struct ibuf_libevent_chain_ *)malloc(n *
							       sizeof(*chains));
	}
	if (n == 0 || chains != NULL)
		m = ibuf_libevent_show_(in, chains, n);
	/* Whole chains move; where one may, all may. */
	for (i = 0; m != NULL && i < n; i++) {
		if (evbuffer_remove_buffer(in, chains[i].to, chains[i].len) <
		    0) {
			ibuf_mbuf_free(m);
			m = NULL;
		}
	}
	free(chains);
	evbuffer_unlock(in);
	return m;
}

IBUF_END_BODIES_
IBUF_END_DECLS

#endif
