/*
 * top_link.c - a connection to a server that is asked things.
 */
#include "top_link.h"
#include "../../../common/complain.h"
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Of ten thousand clients a list has four million bytes. */
enum { CONNECT_MAX_S = 5, ANSWER_MAX_BYTES = 256 << 20 };

/* Part HOST:PORT.  An address in brackets has colons of its own. */
static bool
part(const char *where, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(where, ':'), *end = colon;

	if (colon == NULL || colon == where || colon[1] == '\0')
		return false;
	*port = colon + 1;
	if (*where == '[' && colon[-1] == ']') {
		where++;
		end--;
	}
	if ((size_t)(end - where) >= size)
		return false;
	memcpy(host, where, (size_t)(end - where));
	host[end - where] = '\0';
	return true;
}

static int
connect_to(const struct addrinfo *a)
{
	const struct timeval patience = {.tv_sec = CONNECT_MAX_S};
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	/* On Linux this bounds connect() too. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
		return fd;
	if (errno == EINPROGRESS)
		errno = ETIMEDOUT;
	close(fd);
	return -1;
}

bool
top_link_open(struct top_link *l, const char *where)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found, *a;
	const char *port;
	char host[256];
	int error;

	*l = (struct top_link){.fd = -1};
	if (!part(where, host, sizeof(host), &port)) {
		complain("--top takes HOST:PORT, not '%s'", where);
		return false;
	}
	error = getaddrinfo(host, port, &hints, &found);
	if (error != 0) {
		complain("cannot find %s: %s", where, gai_strerror(error));
		return false;
	}
	for (a = found; a != NULL && l->fd < 0; a = a->ai_next)
		l->fd = connect_to(a);
	freeaddrinfo(found);
	answer_init(&l->parser, ANSWER_MAX_BYTES);
	if (l->fd >= 0)
		return true;
	complain("cannot connect to %s: %s", where, strerror(errno));
	top_link_close(l);
	return false;
}

void
top_link_close(struct top_link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	answer_destroy(&l->parser);
	ibuf_mbuf_free(l->in);
	l->in = NULL;
}

bool
top_link_ask(struct top_link *l, const char *const *words, size_t count)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(128);
	int error =
		m == NULL ? -ENOMEM : ibuf_mbuf_printf(m, "*%zu\r\n", count);

	for (size_t i = 0; i < count && error == 0; i++)
		error = ibuf_mbuf_printf(m, "$%zu\r\n%s\r\n", strlen(words[i]),
					 words[i]);
	while (error == 0 && ibuf_mbuf_len(m) > 0)
		if (ibuf_io_write_socket(l->fd, m, 0) < 0)
			error = -EPIPE;
	ibuf_mbuf_free(m);
	return error == 0;
}

bool
top_link_read(struct top_link *l)
{
	uint8_t bytes[64 * 1024];
	ssize_t n = recv(l->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (l->in == NULL)
		l->in = ibuf_mbuf_new(sizeof(bytes));
	return n > 0 && l->in != NULL &&
	       ibuf_mbuf_len(l->in) < ANSWER_MAX_BYTES &&
	       ibuf_mbuf_append(l->in, bytes, (size_t)n) == 0;
}

enum top_answer
top_link_take(struct top_link *l, const char **text, size_t *len)
{
	const struct answer_item *item;

	answer_consume(&l->parser, &l->in);
	if (l->in == NULL)
		return TOP_MORE;
	switch (answer_next(&l->parser, l->in)) {
	case ANSWER_MORE:
		return TOP_MORE;
	case ANSWER_ERROR:
		return TOP_WRONG;
	case ANSWER_WHOLE:
		break;
	}
	item = &l->parser.items[0];
	/* One room, which grows, so all of it lies in one piece. */
	*text = (const char *)ibuf_mbuf_data(l->in) + item->at;
	*len = item->len;
	if (item->type == '$' || item->type == '+')
		return TOP_TEXT;
	return item->type == '-' ? TOP_ERROR : TOP_WRONG;
}
