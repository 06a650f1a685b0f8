/* glib.c - adapt: a message as GBytes, GBytes as a message, and streams. */
#include <ibuf/adapt/glib.h>
#include <ibuf/ibuf.h>

int
main(void)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from("the same bytes", 14), *again;
	GInputStream *stream;
	GBytes *bytes;

	if (m == NULL)
		return 1;
	bytes = ibuf_glib_bytes(m);
	if (bytes == NULL)
		return 1;
	again = ibuf_glib_message(bytes);
	if (again == NULL)
		return 1;
	g_print("the same place: %s\n",
		ibuf_mbuf_data(again) == g_bytes_get_data(bytes, NULL) ? "yes"
								       : "no");
	g_bytes_unref(bytes);

	stream = ibuf_glib_stream(again);
	m = ibuf_mbuf_new(64);
	if (stream == NULL || m == NULL ||
	    ibuf_glib_read(stream, m, 64, NULL, NULL) != 14)
		return 1;
	g_object_unref(stream);
	g_print("%.*s\n", (int)ibuf_mbuf_len(m),
		(const char *)ibuf_mbuf_data(m));
	ibuf_mbuf_free(m);
	return 0;
}

/* Prints:
 * the same place: yes
 * the same bytes
 */
