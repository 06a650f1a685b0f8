/*
 * options.h - the command line.
 */
#ifndef RELAY_OPTIONS_H
#define RELAY_OPTIONS_H

#include "../../../common/option.h"
#include "../protocol/url.h"
#include "settings.h"
#include <stdbool.h>
#include <stddef.h>

/* Threads are bits of a word. */
enum { OPTIONS_THREADS_MAX = 64 };

struct options {
	const char *bind;          /* an address */
	const char *port;          /* "0": no TCP */
	const char *unix_path;     /* NULL: none */
	const char *password;      /* NULL: none */
	const char *password_file; /* NULL: none */
	const char *log_path;      /* NULL: standard error, or syslog */
	const char *metrics_port;  /* NULL: none */
	const char *top;           /* watch that server instead; NULL: none */
	unsigned threads;
	unsigned unix_mode;  /* of the Unix socket's file; 0: as umask has it */
	unsigned timeout_s;  /* of clients that say nothing; 0: none */
	size_t max_clients;  /* 0: as many as there are descriptors */
	bool is_unprotected; /* strangers of other machines may come in */
	bool to_syslog;
	size_t max_memory;          /* bytes; 0: no limit */
	size_t max_bulk;            /* bytes */
	size_t client_output_limit; /* bytes */
	enum slow slow;
	struct url upstream; /* no hosts: none */
};

enum options_result options_parse(struct options *o, int argc, char **argv);

/* For --help. */
extern const char options_help[];

#endif
