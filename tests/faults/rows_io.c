/* rows_io.c - messages and descriptors. */
#include "world.h"

#define CALL(name) static int name(struct world *w)

/* More than the tailroom, so that it needs memory for what does not fit. */
CALL(io_read)
{
	ssize_t n = ibuf_io_read(w->from, w->m, 4096);

	if (n < 0)
		return (int)n;
	hold(n > 0);
	hold_message(w->m, TEXT "stream", LEN + (size_t)n);
	return 0;
}

static int
all_went(struct world *w, ssize_t n)
{
	if (n < 0)
		return (int)n;
	hold(n == LEN);
	hold(ibuf_mbuf_len(w->m) == 0);
	return 0;
}

CALL(io_write)
{
	return all_went(w, ibuf_io_write(w->to, w->m));
}

/* The message is as long as a datagram is. */
CALL(io_write_socket)
{
	ssize_t n;

	if (w->m == NULL) {
		w->m = w->datagrams[0].m;
		w->datagrams[0].m = NULL;
	}
	n = ibuf_io_write_socket(w->to, w->m, 0);
	if (n < 0) {
		hold_message(w->m, TEXT, LEN);
		w->datagrams[0].m = w->m;
		w->m = NULL;
		return (int)n;
	}
	return all_went(w, n);
}

static int
took(struct world *w, int n)
{
	if (n < 0)
		return n;
	hold(n >= 1 && n <= DATAGRAMS);
	for (int i = 0; i < n; i++)
		hold_message(w->datagrams[i].m, "came", 4);
	return 0;
}

/* Entries that are not received stay the caller's, so what is there is kept
   elsewhere first. */
static void
put_away(struct world *w)
{
	for (int i = 0; i < DATAGRAMS; i++) {
		ibuf_mbuf_free(w->datagrams[i].m);
		w->datagrams[i].m = NULL;
	}
}

CALL(io_recv)
{
	struct ibuf_io_datagram d[DATAGRAMS] = {0};
	int n = ibuf_io_recv(w->from, w->pool, d, DATAGRAMS, 0);

	if (n > 0) {
		put_away(w);
		memcpy(w->datagrams, d, sizeof(d));
	} else {
		for (int i = 0; i < DATAGRAMS; i++)
			hold(d[i].m == NULL);
	}
	return took(w, n);
}

CALL(io_recv_control)
{
	struct ibuf_io_datagram d[DATAGRAMS] = {0};
	struct ibuf_io_control c[DATAGRAMS] = {0};
	int n = ibuf_io_recv_control(w->from, w->pool, d, c, DATAGRAMS, 0);

	if (n > 0) {
		put_away(w);
		memcpy(w->datagrams, d, sizeof(d));
	} else {
		for (int i = 0; i < DATAGRAMS; i++)
			hold(d[i].m == NULL);
	}
	return took(w, n);
}

/* What was sent is gone, and the rest is as it was. */
static int
sent(struct world *w, int n)
{
	if (n < 0)
		return n;
	hold(n >= 1 && n <= DATAGRAMS);
	for (int i = 0; i < DATAGRAMS; i++)
		hold((w->datagrams[i].m == NULL) == (i < n));
	return 0;
}

CALL(io_send)
{
	return sent(w, ibuf_io_send(w->to, w->datagrams, DATAGRAMS, 0));
}

CALL(io_send_control)
{
#ifndef IBUF_PLATFORM_POSIX
	/* The first is a run, for which the system is asked. */
	w->controls[0].segment_size = 4;
#endif

	int n = ibuf_io_send_control(w->to, w->datagrams, w->controls,
				     DATAGRAMS, 0);

	w->controls[0].segment_size = LEN;
	return sent(w, n);
}

const struct row rows_io[] = {
	{"ibuf_io_read", STREAM, io_read, NULL},
	{"ibuf_io_write", STREAM, io_write, NULL},
	{"ibuf_io_write_socket", SOCKET, io_write_socket, NULL},
	{"ibuf_io_recv", SOCKET, io_recv, NULL},
	{"ibuf_io_recv_control", SOCKET, io_recv_control, NULL},
	{"ibuf_io_send", SOCKET, io_send, NULL},
	{"ibuf_io_send_control", SOCKET, io_send_control, NULL},
	{NULL, NOTHING, NULL, NULL},
};
