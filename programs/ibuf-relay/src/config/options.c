/*
 * options.c - parse the command line.
 */
#include "options.h"
#include "../../../common/complain.h"
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

const char options_help[] =
	"Usage: ibuf-relay [OPTION]...\n"
	"Relay messages between the clients of Redis publish and subscribe.\n"
	"\n"
	"  -b, --bind=ADDRESS   the address to listen on (default 127.0.0.1)\n"
	"  -p, --port=PORT      the TCP port to listen on (default 6379); 0: "
	"none\n"
	"  -u, --unix=PATH      also listen on this Unix socket\n"
	"  -t, --threads=N      serve with N threads, 1 to 64 (default: one "
	"for "
	"each\n"
	"                       processor, at most 4)\n"
	"  -a, --requirepass=PASSWORD\n"
	"                       the password that clients must give first\n"
	"      --password-file=PATH\n"
	"                       read it from the first line of a file; else "
	"from\n"
	"                       IBUF_RELAY_PASSWORD of the environment\n"
	"      --protected-mode=WORD\n"
	"                       yes (default): without a password, only "
	"clients of this\n"
	"                       machine are let in; no: all are\n"
	"      --unix-perm=MODE the permissions of the Unix socket, octal\n"
	"      --maxclients=N   most clients; 0, the default: as many as there "
	"are\n"
	"                       descriptors\n"
	"      --timeout=SECONDS\n"
	"                       close clients that say nothing for so long; 0, "
	"the\n"
	"                       default: never; not those that have "
	"subscribed\n"
	"      --log-file=PATH  log to this file; SIGHUP opens it again\n"
	"      --syslog         log to syslog\n"
	"      --max-memory=BYTES\n"
	"                       most memory for messages; 0, the default: no "
	"limit\n"
	"      --max-bulk=BYTES the longest payload (default 512M)\n"
	"      --client-output-limit=BYTES\n"
	"                       most pending output of a subscriber (default "
	"32M)\n"
	"      --slow=WHAT      at that limit: disconnect the subscriber "
	"(default),\n"
	"                       drop its messages, or block: make its "
	"publishers wait\n"
	"      --upstream=URL   stand in front of a Redis or a cluster, at\n"
	"                       "
	"redis://[:PASSWORD@]HOST[:PORT][,HOST[:PORT]...]"
	"\n"
	"      --metrics=PORT   serve statistics for Prometheus on this port\n"
	"      --top=HOST:PORT  show live what the relay there is doing; q "
	"quits\n"
	"  -h, --help           show this help and exit\n"
	"  -V, --version        show the version and exit\n"
	"\n"
	"BYTES may end with K, M or G.  SIGTERM and SIGINT end the relay once "
	"pending\n"
	"output is sent, or after five seconds.\n"
	"\n"
	"Exit status: 0 when it was told to end, 1 when it could not run, 2 "
	"when the\n"
	"command line is wrong.\n";

static const char letters[] = ":b:p:u:t:a:hV";

/* The longest password that is read. */
enum { PASSWORD_MAX_BYTES = 512 };

/* Two rooms for each thread, or it could not read at all. */
enum { LEAST_MEMORY_BYTES = 1 << 20 };

static unsigned
default_threads(void)
{
	enum { ENOUGH = 4 };
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (processors < 1)
		return 1;
	return processors > ENOUGH ? ENOUGH : (unsigned)processors;
}

static bool
parse_unix(struct options *o)
{
	const size_t most = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

	if (*optarg == '\0' || strlen(optarg) > most) {
		complain("--unix takes a path of 1 to %zu bytes, not '%s'",
			 most, optarg);
		return false;
	}
	o->unix_path = optarg;
	return true;
}

static bool
parse_mode(struct options *o)
{
	char *end;
	unsigned long mode = strtoul(optarg, &end, 8);

	if (mode == 0 || mode > 0777 || *end != '\0' || *optarg == '-') {
		complain("--unix-perm takes octal digits, 1 to 777, not '%s'",
			 optarg);
		return false;
	}
	o->unix_mode = (unsigned)mode;
	return true;
}

static bool
parse_protected(struct options *o)
{
	o->is_unprotected = strcmp(optarg, "no") == 0;
	if (o->is_unprotected || strcmp(optarg, "yes") == 0)
		return true;
	complain("--protected-mode takes yes or no, not '%s'", optarg);
	return false;
}

static bool
parse_slow(struct options *o)
{
	for (unsigned i = 0; i < SLOWS; i++) {
		if (strcmp(optarg, slow_names[i]) == 0) {
			o->slow = (enum slow)i;
			return true;
		}
	}
	complain("--slow takes disconnect, drop or block, not '%s'", optarg);
	return false;
}

/* What is wrong is said without the URL: it may hold a password. */
static bool
parse_upstream(struct options *o)
{
	const char *why;

	if (url_parse(&o->upstream, optarg, &why))
		return true;
	complain("--upstream takes redis://[:PASSWORD@]HOST[:PORT][,...]: %s",
		 why);
	return false;
}

enum shape {
	TEXT,
	PORT,       /* a text that is a number from `least` on */
	NUMBER,     /* an unsigned from `least` to `most` */
	COUNT,      /* the same in a size_t */
	BYTES,      /* `least` or more */
	BYTES_OR_0, /* the same, or 0 */
	FLAG,
	BY_CALL
};

struct row {
	const char *name;
	int letter; /* 0: none */
	enum shape shape;
	size_t at; /* in the options */
	uint64_t least, most;
	bool (*parse)(struct options *o);
};

#define AT(field_) offsetof(struct options, field_)

/* In the order of --help. */
static const struct row rows[] = {
	{"bind", 'b', TEXT, AT(bind), 0, 0, NULL},
	{"port", 'p', PORT, AT(port), 0, 65535, NULL},
	{"unix", 'u', BY_CALL, 0, 0, 0, parse_unix},
	{"threads", 't', NUMBER, AT(threads), 1, OPTIONS_THREADS_MAX, NULL},
	{"requirepass", 'a', TEXT, AT(password), 0, 0, NULL},
	{"password-file", 0, TEXT, AT(password_file), 0, 0, NULL},
	{"protected-mode", 0, BY_CALL, 0, 0, 0, parse_protected},
	{"unix-perm", 0, BY_CALL, 0, 0, 0, parse_mode},
	{"maxclients", 0, COUNT, AT(max_clients), 0, 1 << 24, NULL},
	{"timeout", 0, NUMBER, AT(timeout_s), 0, 1 << 30, NULL},
	{"log-file", 0, TEXT, AT(log_path), 0, 0, NULL},
	{"syslog", 0, FLAG, AT(to_syslog), 0, 0, NULL},
	{"max-memory", 0, BYTES_OR_0, AT(max_memory), LEAST_MEMORY_BYTES, 0,
	 NULL},
	{"max-bulk", 0, BYTES, AT(max_bulk), 1, 0, NULL},
	{"client-output-limit", 0, BYTES, AT(client_output_limit), 1, 0, NULL},
	{"slow", 0, BY_CALL, 0, 0, 0, parse_slow},
	{"upstream", 0, BY_CALL, 0, 0, 0, parse_upstream},
	{"metrics", 0, PORT, AT(metrics_port), 1, 65535, NULL},
	{"top", 0, TEXT, AT(top), 0, 0, NULL},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), FIRST_LONG = 256 };

static bool
parse_option(struct options *o, const struct row *row)
{
	void *to = (char *)o + row->at;
	uint64_t number = 0;
	bool is_good = true;

	if (row->shape == PORT || row->shape == NUMBER || row->shape == COUNT)
		is_good = option_number(row->name, optarg, row->least,
					row->most, &number);
	else if (row->shape == BYTES ||
		 (row->shape == BYTES_OR_0 && strcmp(optarg, "0") != 0))
		is_good = option_bytes(row->name, optarg, row->least, &number);
	if (!is_good)
		return false;
	switch (row->shape) {
	case TEXT:
	case PORT:
		*(const char **)to = optarg;
		break;
	case NUMBER:
		*(unsigned *)to = (unsigned)number;
		break;
	case COUNT:
	case BYTES:
	case BYTES_OR_0:
		*(size_t *)to = (size_t)number;
		break;
	case FLAG:
		*(bool *)to = true;
		break;
	case BY_CALL:
		return row->parse(o);
	}
	return true;
}

/* What getopt_long() returned; of those without a letter, their place. */
static const struct row *
find_row(int letter)
{
	const struct row *row = rows;

	if (letter >= FIRST_LONG)
		return &rows[letter - FIRST_LONG];
	while (row->letter != letter)
		row++;
	return row;
}

/* Of the file, or else of the environment. */
static bool
find_password(struct options *o)
{
	static char line[PASSWORD_MAX_BYTES + 2];
	FILE *file;

	if ((o->password == NULL || *o->password == '\0') &&
	    o->password_file == NULL)
		o->password = getenv("IBUF_RELAY_PASSWORD");
	if (o->password != NULL && *o->password == '\0')
		o->password = NULL;
	if (o->password_file == NULL)
		return true;
	file = fopen(o->password_file, "re");
	if (file == NULL) {
		complain("cannot read %s: %s", o->password_file,
			 strerror(errno));
		return false;
	}
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	fclose(file);
	line[strcspn(line, "\r\n")] = '\0';
	o->password = line;
	if (*line != '\0' && strlen(line) <= PASSWORD_MAX_BYTES)
		return true;
	complain("%s does not begin with a password of 1 to %d bytes",
		 o->password_file, PASSWORD_MAX_BYTES);
	return false;
}

static bool
check(const struct options *o, int argc, char **argv)
{
	if (optind < argc) {
		complain("takes options only, not '%s'; see --help",
			 argv[optind]);
		return false;
	}
	if (o->unix_path == NULL && strcmp(o->port, "0") == 0) {
		complain("--port=0 without --unix: nowhere to listen");
		return false;
	}
	if (o->slow == SLOW_BLOCK && o->upstream.count > 0) {
		complain("--slow=block cannot be combined with --upstream: "
			 "publishers there cannot be made to wait");
		return false;
	}
	if (o->max_memory != 0 &&
	    o->max_memory / LEAST_MEMORY_BYTES < (o->threads + 3) / 4) {
		complain("--max-memory is too small for %u threads; they need "
			 "%u M",
			 o->threads, (o->threads + 3) / 4);
		return false;
	}
	return true;
}

enum options_result
options_parse(struct options *o, int argc, char **argv)
{
	struct option longs[ROWS + 3] = {
		[ROWS] = {"help", no_argument, NULL, 'h'},
		[ROWS + 1] = {"version", no_argument, NULL, 'V'},
	};
	enum options_result result;
	int letter;

	*o = (struct options){
		.bind = "127.0.0.1",
		.port = "6379",
		.threads = default_threads(),
		.max_bulk = (size_t)512 << 20,
		.client_output_limit = (size_t)32 << 20,
	};
	for (int i = 0; i < ROWS; i++)
		longs[i] = (struct option){
			rows[i].name,
			rows[i].shape == FLAG ? no_argument : required_argument,
			NULL,
			rows[i].letter != 0 ? rows[i].letter : FIRST_LONG + i,
		};
	while ((letter = option_next(argc, argv, letters, longs, &result)) !=
	       -1)
		if (!parse_option(o, find_row(letter)))
			return OPTIONS_WRONG;
	if (result != OPTIONS_RUN)
		return result;
	return check(o, argc, argv) && find_password(o) ? OPTIONS_RUN
							: OPTIONS_WRONG;
}
