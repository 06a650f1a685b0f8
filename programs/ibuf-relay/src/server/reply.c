/*
 * reply.c - answers.
 */
#include "reply.h"
#include "client.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
send_line(struct client *c, char type, long long number)
{
	char line[32];
	int n = snprintf(line, sizeof(line), "%c%lld\r\n", type, number);

	client_send_bytes(c, line, (size_t)n);
}

void
reply_status(struct client *c, const char *text)
{
	client_send_bytes(c, "+", 1);
	client_send_bytes(c, text, strlen(text));
	client_send_bytes(c, "\r\n", 2);
}

void
reply_error(struct client *c, const char *format, ...)
{
	char line[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(line))
		n = sizeof(line) - 1;
	for (int i = 0; i < n; i++)
		if (line[i] == '\r' || line[i] == '\n')
			line[i] = ' ';
	client_send_bytes(c, "-", 1);
	client_send_bytes(c, line, (size_t)n);
	client_send_bytes(c, "\r\n", 2);
}

void
reply_integer(struct client *c, long long number)
{
	send_line(c, ':', number);
}

void
reply_bulk(struct client *c, const void *bytes, size_t n)
{
	send_line(c, '$', (long long)n);
	client_send_bytes(c, bytes, n);
	client_send_bytes(c, "\r\n", 2);
}

void
reply_text(struct client *c, const char *text)
{
	reply_bulk(c, text, strlen(text));
}

void
reply_verbatim(struct client *c, struct ibuf_mbuf *text, bool is_whole)
{
	size_t n = is_whole ? ibuf_mbuf_len(text) : 0;

	if (!is_whole) {
		reply_error(c, "ERR out of memory");
	} else if (c->sub.resp == 2) {
		reply_bulk(c, ibuf_mbuf_data(text), n);
	} else {
		send_line(c, '=', (long long)n + 4);
		client_send_bytes(c, "txt:", 4);
		client_send_bytes(c, ibuf_mbuf_data(text), n);
		client_send_bytes(c, "\r\n", 2);
	}
	ibuf_mbuf_free(text);
}

void
reply_null(struct client *c)
{
	if (c->sub.resp == 2)
		client_send_bytes(c, "$-1\r\n", 5);
	else
		client_send_bytes(c, "_\r\n", 3);
}

void
reply_array(struct client *c, size_t n)
{
	send_line(c, '*', (long long)n);
}

void
reply_map(struct client *c, size_t n)
{
	if (c->sub.resp == 2)
		send_line(c, '*', 2 * (long long)n);
	else
		send_line(c, '%', (long long)n);
}

void
reply_set(struct client *c, size_t n)
{
	send_line(c, c->sub.resp == 2 ? '*' : '~', (long long)n);
}

void
reply_push(struct client *c, size_t n)
{
	send_line(c, c->sub.resp == 2 ? '*' : '>', (long long)n);
}
