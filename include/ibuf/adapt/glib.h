/*
 * adapt/glib.h - messages as GBytes and as a GInputStream, and back.
 *
 *   ibuf_glib_bytes()     message ---> GBytes         one piece
 *   ibuf_glib_message()   message <--- GBytes
 *   ibuf_glib_stream()    message ---> GInputStream   a piece a segment
 *   ibuf_glib_read()      message <--- GInputStream   into the tailroom
 *
 * For programs that link to GLib 2.34 and GIO; docs/adapters.md says who
 * copies.  GLib ends the program where it has no memory; NULL here is the
 * library's lack of it.
 *
 * Threads.  The last one to drop a GBytes or a stream ends what it shows, in
 * whatever thread.
 */
#ifndef IBUF_ADAPT_GLIB_H
#define IBUF_ADAPT_GLIB_H

#include <gio/gio.h>
#include <ibuf/mbuf.h>
#include <ibuf/segment.h>

IBUF_BEGIN_DECLS
IBUF_BEGIN_BODIES_

static inline void
ibuf_glib_free_(gpointer m)
{
	ibuf_mbuf_free((struct ibuf_mbuf *)m);
}

static inline void
ibuf_glib_release_(void *data, size_t len, void *bytes)
{
	(void)data;
	(void)len;
	g_bytes_unref((GBytes *)bytes);
}

/**
 * Make GBytes of a message.
 *
 * @return the bytes; NULL: no memory to make several segments one
 * @owner on success the GBytes have the message; on failure it is the caller's,
 *        as it was
 * @mt object
 * @cost O(1) for one segment; else its bytes are copied, see
 *       ibuf_mbuf_linearize()
 */
static inline IBUF_MUST_USE GBytes *
ibuf_glib_bytes(struct ibuf_mbuf *m)
{
	if (ibuf_mbuf_linearize(m) != 0)
		return NULL;
	return g_bytes_new_with_free_func(ibuf_mbuf_data(m), ibuf_mbuf_len(m),
					  ibuf_glib_free_, m);
}

/**
 * Make a message of GBytes.  An edit of the bytes goes to a private copy.
 *
 * @return the message; NULL: no memory, or more than 4 GiB - 1 bytes
 * @owner the message has a reference of its own; bytes stays the caller's
 * @mt any
 * @cost O(1)
 */
static inline IBUF_MUST_USE struct ibuf_mbuf *
ibuf_glib_message(GBytes *bytes)
{
	struct ibuf_mbuf *m;
	gsize len;
	const void *data = g_bytes_get_data(bytes, &len);

	g_bytes_ref(bytes);
	m = ibuf_mbuf_wrap_const(data, len, ibuf_glib_release_, bytes);
	if (m == NULL)
		g_bytes_unref(bytes);
	return m;
}

/**
 * Make a stream that reads a message, of the kind GMemoryInputStream, which can
 * be sought in too.
 *
 * @return the stream; NULL: no memory
 * @owner on success the stream has the message until it is finalized; on failure
 *        it is the caller's
 * @mt object
 * @cost a slice and a GBytes for each segment
 */
static inline IBUF_MUST_USE GInputStream *
ibuf_glib_stream(struct ibuf_mbuf *m)
{
	GInputStream *stream = g_memory_input_stream_new();
	GMemoryInputStream *memory = (GMemoryInputStream *)(void *)stream;
	const struct ibuf_mbuf *s;
	struct ibuf_mbuf *slice;
	GBytes *bytes;
	size_t off = 0;

	for (s = m; s != NULL; s = ibuf_mbuf_seg_next(s)) {
		slice = ibuf_mbuf_slice(m, off, ibuf_mbuf_seg_len(s));
		if (slice == NULL) {
			g_object_unref(stream);
			return NULL;
		}
		off += ibuf_mbuf_seg_len(s);
		bytes = ibuf_glib_bytes(slice);
		g_memory_input_stream_add_bytes(memory, bytes);
		g_bytes_unref(bytes);
	}
	ibuf_mbuf_free(m); /* its slices stay */
	return stream;
}

/**
 * Append what a stream has to read, as ibuf_io_read() does: straight into the
 * tailroom, which grows to n bytes where it is less.
 *
 * @param n bytes at most
 * @param error as of g_input_stream_read(); also G_IO_ERROR_FAILED: no memory
 * @return bytes; 0: the end, or n is 0; -1: error is set
 * @owner a call that fails leaves m as it was
 * @mt object
 */
static inline IBUF_MUST_USE gssize
ibuf_glib_read(GInputStream *stream, struct ibuf_mbuf *m, gsize n,
	       GCancellable *cancellable, GError **error)
{
	void *place = ibuf_mbuf_reserve(m, n);
	gssize got;

	if (place == NULL) {
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
				    "ibuf: no memory to read into");
		return -1;
	}
	got = g_input_stream_read(stream, place, n, cancellable, error);
	if (got > 0 && ibuf_mbuf_commit(m, (size_t)got) != 0)
		return -1; /* more than was asked for */
	return got;
}

IBUF_END_BODIES_
IBUF_END_DECLS

#endif
