/*
 * words.h - the words of a line, with quotes, as Redis reads them.
 *
 * A word in "double quotes" knows \n \r \t \b \a \xHH and \ before any other
 * character; one in 'single quotes' knows \' only.  A quote may begin inside
 * a word; a blank or the end must follow where it closes.
 */
#ifndef RELAY_WORDS_H
#define RELAY_WORDS_H

#include <stdbool.h>
#include <stddef.h>

enum words_result { WORDS_DONE, WORDS_UNBALANCED, WORDS_NOMEM };

/* Is given each word; false ends it with WORDS_NOMEM. */
typedef bool words_fn(const char *word, size_t n, void *arg);

/* Overwrites the line, which ends with a zero byte at line[n]. */
enum words_result words_split(char *line, size_t n, words_fn *each, void *arg);

#endif
