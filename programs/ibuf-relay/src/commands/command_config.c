/*
 * command_config.c - CONFIG: our options, and what clients ask a Redis for.
 *
 * CONFIG SET changes all that it was given, or nothing: each value is read
 * into a `struct change` first.
 */
#include "../protocol/glob.h"
#include "../server/congestion.h"
#include "../server/reply.h"
#include "../server/worker.h"
#include "command.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What CONFIG SET is to change. */
struct change {
	bool has_limit, has_slow, has_password;
	size_t limit;
	enum slow slow;
	struct text password;
};

/* What CONFIG GET prints. */
enum shape {
	CONSTANT, /* is the text */
	TEXT,     /* of the options, as are the following */
	SIZE,
	UNSIGNED,
	LIMITS, /* of the settings, as are the following */
	PASSWORD,
	SLOW
};

struct setting {
	const char *name;
	enum shape shape;
	const char *text; /* of a constant */
	size_t at;        /* in the options */
	/* NULL: well; else what is wrong.  No function: cannot be changed. */
	const char *(*read)(struct text value, struct change *change);
};

static int
print_password(struct settings *s, struct ibuf_mbuf *to)
{
	int error;

	pthread_mutex_lock(&s->lock);
	error = ibuf_mbuf_append(to, s->password, s->password_len);
	pthread_mutex_unlock(&s->lock);
	return error;
}

static int
print_limits(struct settings *s, struct ibuf_mbuf *to)
{
	size_t limit = settings_output_limit(s);

	return ibuf_mbuf_printf(to, "normal 0 0 0 slave 0 0 0 pubsub %zu 0 0",
				limit == SETTINGS_NO_LIMIT ? 0 : limit);
}

static int
print(struct relay *r, const struct setting *setting, struct ibuf_mbuf *to)
{
	const void *option = (const char *)&r->options + setting->at;
	const char *text = setting->text;

	switch (setting->shape) {
	case SIZE:
		return ibuf_mbuf_printf(to, "%zu", *(const size_t *)option);
	case UNSIGNED:
		return ibuf_mbuf_printf(to, "%u", *(const unsigned *)option);
	case LIMITS:
		return print_limits(&r->settings, to);
	case PASSWORD:
		return print_password(&r->settings, to);
	case SLOW:
		text = slow_names[settings_slow(&r->settings)];
		break;
	case TEXT:
		text = *(const char *const *)option;
		break;
	case CONSTANT:
		break;
	}
	return ibuf_mbuf_printf(to, "%s", text != NULL ? text : "");
}

/* A number of bytes as Redis writes it: k is 1000, kb is 1024. */
static bool
read_memory(const char *word, size_t *bytes)
{
	static const struct {
		const char *name;
		size_t bytes;
	} units[] = {
		{"", 1},           {"b", 1},        {"k", 1000},
		{"kb", 1 << 10},   {"m", 1000000},  {"mb", 1 << 20},
		{"g", 1000000000}, {"gb", 1 << 30},
	};
	unsigned long long number;
	char *end;

	if (!isdigit((unsigned char)*word) || strlen(word) > 18)
		return false;
	number = strtoull(word, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct text unit = {end, strlen(end)};

		if (!text_is(unit, units[i].name))
			continue;
		*bytes = (size_t)number * units[i].bytes;
		return number < SETTINGS_NO_LIMIT / units[i].bytes;
	}
	return false;
}

/* The four words of a class.  What it limits with us is pubsub. */
static const char *
read_class(char *const words[4], struct change *change)
{
	static const char *const others[] = {"normal", "slave", "replica"};
	struct text class = {words[0], strlen(words[0])};
	bool is_other = false, is_ours = text_is(class, "pubsub");
	size_t hard, soft, seconds;

	for (size_t i = 0; i < 3; i++)
		is_other |= text_is(class, others[i]);
	if (!is_ours && !is_other)
		return "Invalid client class specified in buffer limit "
		       "configuration.";
	if (!read_memory(words[1], &hard) || !read_memory(words[2], &soft) ||
	    !read_memory(words[3], &seconds))
		return "Error in hard, soft or soft_seconds setting in buffer "
		       "limit configuration.";
	if (soft != 0 || seconds != 0 || (is_other && hard != 0))
		return "there is a hard limit for pubsub here and no other";
	if (is_ours) {
		change->has_limit = true;
		change->limit = hard != 0 ? hard : SETTINGS_NO_LIMIT;
	}
	return NULL;
}

static const char *
read_limits(struct text value, struct change *change)
{
	enum { WORDS = 16 };
	static const char wrong[] =
		"Wrong number of arguments in buffer limit configuration.";
	char copy[256], *words[WORDS], *rest = NULL, *word;
	const char *trouble = NULL;
	size_t n = 0;

	if (value.len >= sizeof(copy))
		return wrong;
	memcpy(copy, value.bytes, value.len);
	copy[value.len] = '\0';
	for (word = strtok_r(copy, " ", &rest); word != NULL && n < WORDS;
	     word = strtok_r(NULL, " ", &rest))
		words[n++] = word;
	if (word != NULL || n % 4 != 0)
		return wrong;
	for (size_t i = 0; i < n && trouble == NULL; i += 4)
		trouble = read_class(words + i, change);
	return trouble;
}

static const char *
read_password(struct text value, struct change *change)
{
	change->has_password = true;
	change->password = value;
	return NULL;
}

static const char *
read_slow(struct text value, struct change *change)
{
	for (unsigned i = 0; i < SLOWS; i++) {
		if (!text_is(value, slow_names[i]))
			continue;
		change->has_slow = true;
		change->slow = (enum slow)i;
		return NULL;
	}
	return "argument must be one of the following: disconnect, drop, block";
}

#define OPTION(field_) NULL, offsetof(struct options, field_), NULL

static const struct setting settings[] = {
	{"appendonly", CONSTANT, "no", 0, NULL},
	{"bind", TEXT, OPTION(bind)},
	{"client-output-buffer-limit", LIMITS, NULL, 0, read_limits},
	{"databases", CONSTANT, "16", 0, NULL},
	{"io-threads", UNSIGNED, OPTION(threads)},
	{"maxmemory", SIZE, OPTION(max_memory)},
	{"port", TEXT, OPTION(port)},
	{"proto-max-bulk-len", SIZE, OPTION(max_bulk)},
	{"requirepass", PASSWORD, NULL, 0, read_password},
	{"save", CONSTANT, "", 0, NULL},
	{"slow", SLOW, NULL, 0, read_slow},
	{"tcp-keepalive", CONSTANT, "300", 0, NULL},
	{"timeout", UNSIGNED, OPTION(timeout_s)},
	{"unixsocket", TEXT, OPTION(unix_path)},
};

enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

static bool
is_wanted(struct text pattern, const char *name)
{
	char small[64];

	if (pattern.len > sizeof(small))
		return false;
	for (size_t i = 0; i < pattern.len; i++)
		small[i] = (char)tolower((unsigned char)pattern.bytes[i]);
	return glob_matches(small, pattern.len, name, strlen(name));
}

/*
 * The first word that wants a setting; NULL: none does.  As in Redis, a word
 * that is no pattern is answered as it was written.
 */
static const struct text *
who_wants(struct call *call, const char *name, struct text *word)
{
	for (size_t i = 2; i < call->argc; i++) {
		*word = call_text(call, i);
		if (is_wanted(*word, name)) {
			if (memchr(word->bytes, '*', word->len) != NULL ||
			    memchr(word->bytes, '?', word->len) != NULL ||
			    memchr(word->bytes, '[', word->len) != NULL)
				*word = (struct text){name, strlen(name)};
			return word;
		}
	}
	return NULL;
}

static void
config_get(struct call *call)
{
	struct ibuf_mbuf *value;
	struct text word;
	size_t n = 0;

	for (size_t i = 0; i < SETTINGS; i++)
		n += who_wants(call, settings[i].name, &word) != NULL;
	reply_map(call->c, n);
	for (size_t i = 0; i < SETTINGS; i++) {
		if (who_wants(call, settings[i].name, &word) == NULL)
			continue;
		value = ibuf_mbuf_new(64);
		if (value == NULL ||
		    print(call->c->worker->relay, &settings[i], value) != 0) {
			ibuf_mbuf_free(value);
			client_doom(call->c);
			return;
		}
		reply_bulk(call->c, word.bytes, word.len);
		reply_bulk(call->c, ibuf_mbuf_data(value),
			   ibuf_mbuf_len(value));
		ibuf_mbuf_free(value);
	}
}

static void
refuse(struct call *call, struct text name, const char *why)
{
	reply_error(call->c,
		    "ERR CONFIG SET failed (possibly related to argument "
		    "'%.*s') - %s",
		    (int)name.len, name.bytes, why);
}

static const struct setting *
find(struct text name)
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (text_is(name, settings[i].name))
			return &settings[i];
	return NULL;
}

/* Are all of them known, changeable, and named once?  As Redis, before any
   value is looked at. */
static bool
are_settable(struct call *call)
{
	unsigned seen = 0; /* a bit for each setting */

	for (size_t i = 2; i < call->argc; i += 2) {
		struct text name = call_text(call, i);
		const struct setting *s = find(name);
		unsigned bit;

		if (s == NULL) {
			reply_error(call->c,
				    "ERR Unknown option or number of arguments "
				    "for CONFIG SET - '%.*s'",
				    name.len < 128 ? (int)name.len : 128,
				    name.bytes);
			return false;
		}
		bit = 1U << (s - settings);
		if (s->read == NULL || (seen & bit) != 0) {
			refuse(call, name,
			       s->read == NULL ? "can't set immutable config"
					       : "duplicate parameter");
			return false;
		}
		seen |= bit;
	}
	return true;
}

static void
apply(struct relay *r, const struct change *change)
{
	struct settings *s = &r->settings;

	if (change->has_limit)
		settings_set_output_limit(s, change->limit);
	if (change->has_slow)
		atomic_store(&s->slow, change->slow);
	if (!change->has_limit && !change->has_slow)
		return;
	/* Who waits for the old limit looks at the new one. */
	relay_say_all(r, WORD_SETTLE);
	relay_say_all(r, WORD_RESUME);
}

static void
config_set(struct call *call)
{
	struct relay *r = call->c->worker->relay;
	struct change change = {0};

	if (call->argc % 2 != 0) {
		reply_error(call->c, "ERR syntax error");
		return;
	}
	if (!are_settable(call))
		return;
	for (size_t i = 2; i < call->argc; i += 2) {
		const struct setting *s = find(call_text(call, i));
		const char *trouble = s->read(call_text(call, i + 1), &change);

		if (trouble == NULL)
			continue;
		refuse(call, (struct text){s->name, strlen(s->name)}, trouble);
		return;
	}
	if (change.has_slow && change.slow == SLOW_BLOCK &&
	    r->upstream != NULL) {
		refuse(call, (struct text){"slow", 4},
		       "who publishes upstream cannot be made to wait");
		return;
	}
	/* The only one that can fail goes first. */
	if (change.has_password &&
	    !settings_set_password(&r->settings, change.password.bytes,
				   change.password.len)) {
		reply_error(call->c, "ERR out of memory");
		return;
	}
	apply(r, &change);
	reply_status(call->c, "OK");
}

const struct command command_config[] = {
	{"config|get", -3, 0, config_get, NULL, "Show the options that match",
	 "<pattern> [<pattern> ...]"},
	{"config|help", 2, 0, command_help, NULL, "Show this", ""},
	{"config|set", -4, 0, config_set, NULL,
	 "Change options; all of them, or none where one is wrong",
	 "<option> <value> [<option> <value> ...]"},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};
