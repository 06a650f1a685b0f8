/*
 * words.c - the words of a line.
 *
 * A word is never longer than what it is written as, so it is built where it
 * stands.
 */
#include "words.h"
#include <ctype.h>
#include <string.h>

static bool
is_blank(char c)
{
	return isspace((unsigned char)c) != 0;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char
escape(char c)
{
	static const char from[] = "nrtba", to[] = "\n\r\t\b\a";
	const char *at = c != '\0' ? strchr(from, c) : NULL;

	return at != NULL ? to[at - from] : c;
}

/* One quoted character at *at; the word grows at *to. */
static void
take_quoted(char **at, char **to, char quote)
{
	char *s = *at;

	if (quote == '"' && s[0] == '\\' && s[1] == 'x' &&
	    hex_value(s[2]) >= 0 && hex_value(s[3]) >= 0) {
		*(*to)++ = (char)(hex_value(s[2]) * 16 + hex_value(s[3]));
		*at += 4;
	} else if (quote == '"' && s[0] == '\\' && s[1] != '\0') {
		*(*to)++ = escape(s[1]);
		*at += 2;
	} else if (quote == '\'' && s[0] == '\\' && s[1] == '\'') {
		*(*to)++ = '\'';
		*at += 2;
	} else {
		*(*to)++ = *s;
		*at += 1;
	}
}

enum words_result
words_split(char *line, size_t n, words_fn *each, void *arg)
{
	char *at = line, *end = line + n;

	for (;;) {
		char *word, *to, quote = '\0';

		while (at < end && is_blank(*at))
			at++;
		if (at == end)
			return WORDS_DONE;
		word = to = at;
		while (at < end && (quote != '\0' || !is_blank(*at))) {
			if (quote == '\0' && (*at == '"' || *at == '\'')) {
				quote = *at++;
			} else if (quote == '\0') {
				*to++ = *at++;
			} else if (*at != quote) {
				take_quoted(&at, &to, quote);
			} else {
				at++;
				if (at < end && !is_blank(*at))
					return WORDS_UNBALANCED;
				break;
			}
			if (at == end && quote != '\0')
				return WORDS_UNBALANCED;
		}
		if (!each(word, (size_t)(to - word), arg))
			return WORDS_NOMEM;
	}
}
