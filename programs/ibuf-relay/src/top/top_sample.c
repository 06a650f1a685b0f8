/*
 * top_sample.c - what a server told of itself at one moment.
 *
 * Nothing that it says is trusted: it may be too long, and a byte that does
 * not print would do with a terminal as it likes.
 */
#include "top_sample.h"
#include <stdlib.h>
#include <string.h>

/* Part of a line: its bytes are not ended by a zero. */
struct span {
	const char *text;
	size_t len;
};

/* Take what stands before the next such byte off the front, and the byte. */
static struct span
take_until(struct span *from, char byte)
{
	const char *end =
		from->len > 0 ? memchr(from->text, byte, from->len) : NULL;
	struct span taken = *from;

	if (end == NULL) {
		*from = (struct span){from->text + from->len, 0};
		return taken;
	}
	taken.len = (size_t)(end - from->text);
	from->len -= taken.len + 1;
	from->text = end + 1;
	return taken;
}

/* The value of "name=value", among several with a byte between them. */
static struct span
find(struct span from, char between, const char *name, char equals)
{
	const size_t n = strlen(name);

	while (from.len > 0) {
		struct span item = take_until(&from, between);

		if (item.len <= n || item.text[n] != equals ||
		    memcmp(item.text, name, n) != 0)
			continue;
		item.text += n + 1;
		item.len -= n + 1;
		if (item.len > 0 && item.text[item.len - 1] == '\r')
			item.len--;
		return item;
	}
	return (struct span){"", 0};
}

static void
copy_printable(char *to, size_t size, struct span s)
{
	size_t i;

	for (i = 0; i < s.len && i + 1 < size; i++)
		to[i] = s.text[i] >= ' ' && s.text[i] <= '~' ? s.text[i] : '?';
	to[i] = '\0';
}

/* false, and 0: it is no number. */
static bool
read_number(struct span s, unsigned long long *number)
{
	char digits[24], *end;

	*number = 0;
	if (s.len == 0 || s.len >= sizeof(digits) || *s.text == '-')
		return false;
	memcpy(digits, s.text, s.len);
	digits[s.len] = '\0';
	*number = strtoull(digits, &end, 10);
	if (*end != '\0')
		*number = 0;
	return *end == '\0';
}

void
top_sample_clear(struct top_sample *s)
{
	free(s->info);
	*s = (struct top_sample){0};
}

bool
top_sample_info(struct top_sample *s, const char *text, size_t len)
{
	s->info = malloc(len + 1);
	if (s->info == NULL)
		return false;
	memcpy(s->info, text, len);
	s->info_len = len;
	return true;
}

static struct span
find_info(const struct top_sample *s, const char *name)
{
	return find((struct span){s->info, s->info_len}, '\n', name, ':');
}

bool
top_sample_number(const struct top_sample *s, const char *name,
		  unsigned long long *number)
{
	return read_number(find_info(s, name), number);
}

void
top_sample_text(const struct top_sample *s, const char *name, char *to,
		size_t size)
{
	copy_printable(to, size, find_info(s, name));
}

static unsigned long long
number_in(struct span line, const char *name)
{
	unsigned long long number;

	(void)read_number(find(line, ' ', name, '='), &number);
	return number;
}

static struct top_subscriber
read_subscriber(struct span line)
{
	struct top_subscriber s = {
		.id = number_in(line, "id"),
		.waits_bytes = number_in(line, "omem"),
		.lost = number_in(line, "dropped"),
		.idle_s = number_in(line, "idle"),
		.subscriptions = number_in(line, "sub") +
				 number_in(line, "psub") +
				 number_in(line, "ssub"),
	};

	copy_printable(s.addr, sizeof(s.addr), find(line, ' ', "addr", '='));
	copy_printable(s.name, sizeof(s.name), find(line, ' ', "name", '='));
	return s;
}

static bool
is_slower(const struct top_subscriber *a, const struct top_subscriber *b)
{
	if (a->waits_bytes != b->waits_bytes)
		return a->waits_bytes > b->waits_bytes;
	if (a->lost != b->lost)
		return a->lost > b->lost;
	return a->id < b->id;
}

/* Put it where it belongs among the slowest; the last may fall out. */
static void
insert(struct top_sample *s, const struct top_subscriber *new)
{
	size_t i = s->subscribers_count;

	if (i == TOP_SUBSCRIBERS && !is_slower(new, &s->subscribers[i - 1]))
		return;
	if (i < TOP_SUBSCRIBERS)
		s->subscribers_count++;
	else
		i--;
	for (; i > 0 && is_slower(new, &s->subscribers[i - 1]); i--)
		s->subscribers[i] = s->subscribers[i - 1];
	s->subscribers[i] = *new;
}

void
top_sample_clients(struct top_sample *s, const char *text, size_t len)
{
	struct span rest = {text, len};

	while (rest.len > 0) {
		struct top_subscriber new =
			read_subscriber(take_until(&rest, '\n'));

		if (new.id == 0)
			continue;
		s->subscribers_total++;
		insert(s, &new);
	}
}
