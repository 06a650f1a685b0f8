/* zeromq.c - adapt: a message of two segments through sockets of ZeroMQ. */
#include <ibuf/adapt/zeromq.h>
#include <ibuf/ibuf.h>
#include <stdio.h>

/* All parts of a message, joined; NULL: no memory, or no message. */
static struct ibuf_mbuf *
receive(void *socket)
{
	struct ibuf_mbuf *all = ibuf_mbuf_new(0), *part;
	zmq_msg_t z;
	int more = 1;

	zmq_msg_init(&z);
	while (all != NULL && more) {
		part = NULL;
		if (zmq_msg_recv(&z, socket, 0) >= 0) {
			more = zmq_msg_more(&z);
			part = ibuf_zeromq_take(&z);
		}
		if (part == NULL || ibuf_mbuf_concat(all, part) != 0) {
			ibuf_mbuf_free(part);
			ibuf_mbuf_free(all);
			all = NULL;
		}
	}
	zmq_msg_close(&z);
	return all;
}

int
main(void)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from("a head ", 7), *got;
	struct ibuf_mbuf *tail = ibuf_mbuf_from("and a body", 10);
	void *context = zmq_ctx_new();
	void *from = zmq_socket(context, ZMQ_PUSH);
	void *to = zmq_socket(context, ZMQ_PULL);
	const uint8_t *body;

	if (m == NULL || tail == NULL || from == NULL || to == NULL ||
	    zmq_bind(to, "inproc://here") != 0 ||
	    zmq_connect(from, "inproc://here") != 0)
		return 1;
	body = ibuf_mbuf_data(tail);
	if (ibuf_mbuf_concat(m, tail) != 0 || ibuf_zeromq_send(from, m, 0) != 0)
		return 1;
	got = receive(to);
	if (got == NULL)
		return 1;
	printf("%zu parts, %zu bytes, the same memory: %s\n",
	       ibuf_mbuf_segments(got), ibuf_mbuf_len(got),
	       ibuf_mbuf_at(got, 7, NULL) == body ? "yes" : "no");
	ibuf_mbuf_free(got);
	zmq_close(from);
	zmq_close(to);
	zmq_ctx_term(context);
	return 0;
}

/* Prints:
 * 2 parts, 17 bytes, the same memory: yes
 */
