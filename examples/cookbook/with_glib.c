/* with_glib.c - cookbook: a message as GBytes, and GBytes as a message. */
#include <glib.h>
#include <ibuf/ibuf.h>

static void
free_message(void *m)
{
	ibuf_mbuf_free(m);
}

static void
release_bytes(void *data, size_t len, void *bytes)
{
	(void)data;
	(void)len;
	g_bytes_unref(bytes);
}

/* Take a message over; NULL: no memory, and m is still the caller's. */
static GBytes *
bytes_of_message(struct ibuf_mbuf *m)
{
	if (ibuf_mbuf_linearize(m) != 0)
		return NULL;
	return g_bytes_new_with_free_func(ibuf_mbuf_data(m), ibuf_mbuf_len(m),
					  free_message, m);
}

/* The message has a reference of its own; it never writes these bytes. */
static struct ibuf_mbuf *
message_of_bytes(GBytes *bytes)
{
	struct ibuf_mbuf *m;
	size_t len;
	const void *data = g_bytes_get_data(bytes, &len);

	m = ibuf_mbuf_wrap_const(data, len, release_bytes, bytes);
	if (m != NULL)
		g_bytes_ref(bytes);
	return m;
}

int
main(void)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from("the same bytes", 14), *again;
	GBytes *bytes;

	if (m == NULL)
		return 1;
	bytes = bytes_of_message(m);
	if (bytes == NULL)
		return 1;
	again = message_of_bytes(bytes);
	if (again == NULL)
		return 1;
	g_print("the same place: %s\n",
		ibuf_mbuf_data(again) == g_bytes_get_data(bytes, NULL) ? "yes"
								       : "no");
	g_bytes_unref(bytes);
	g_print("%.*s\n", (int)ibuf_mbuf_len(again),
		(const char *)ibuf_mbuf_data(again));
	ibuf_mbuf_free(again);
	return 0;
}

/* Prints:
 * the same place: yes
 * the same bytes
 */
