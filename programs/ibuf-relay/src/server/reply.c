/*
 * reply.c - answers.
 */
#include "reply.h"
#include "../base/log.h"
#include "client.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* CLIENT REPLY took it away. */
static bool
is_silent(const struct client *c)
{
	return c->is_silent || c->skips > 0;
}

/* Half an answer would be taken for another one. */
static void
fail(struct client *c)
{
	log_warning("out of memory: client %llu is closed",
		    (unsigned long long)c->card.id);
	client_doom(c);
}

void
reply_bytes(struct client *c, const void *bytes, size_t n)
{
	if (is_silent(c))
		return;
	if (output_add_bytes(&c->output, c->worker->relay->replies, bytes, n))
		client_touch(c);
	else
		fail(c);
}

void
reply_message(struct client *c, struct ibuf_mbuf *m)
{
	if (is_silent(c))
		ibuf_mbuf_free(m);
	else if (output_add_message(&c->output, m))
		client_touch(c);
	else
		fail(c);
}

/* A letter, a number, an end of a line: there are many, so not by printf(). */
static void
send_line(struct client *c, char type, long long number)
{
	char line[32], *at = line + sizeof(line);
	unsigned long long rest = number < 0 ? 0 - (unsigned long long)number
					     : (unsigned long long)number;

	*--at = '\n';
	*--at = '\r';
	do
		*--at = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (number < 0)
		*--at = '-';
	*--at = type;
	reply_bytes(c, at, (size_t)(line + sizeof(line) - at));
}

void
reply_status(struct client *c, const char *text)
{
	reply_bytes(c, "+", 1);
	reply_bytes(c, text, strlen(text));
	reply_bytes(c, "\r\n", 2);
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
	reply_bytes(c, "-", 1);
	reply_bytes(c, line, (size_t)n);
	reply_bytes(c, "\r\n", 2);
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
	reply_bytes(c, bytes, n);
	reply_bytes(c, "\r\n", 2);
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
		reply_bytes(c, "txt:", 4);
		reply_bytes(c, ibuf_mbuf_data(text), n);
		reply_bytes(c, "\r\n", 2);
	}
	ibuf_mbuf_free(text);
}

void
reply_null(struct client *c)
{
	if (c->sub.resp == 2)
		reply_bytes(c, "$-1\r\n", 5);
	else
		reply_bytes(c, "_\r\n", 3);
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
