/*
 * ibuf-relay - messages for the clients of Redis publish and subscribe.
 *
 *	listen --> worker: client --> resp --> command --> fanout --> client
 *	listen.c   worker.c client.c  resp.c   command*.c  fanout.c
 */
#include "../../common/complain.h"
#include "../../common/hash.h"
#include "../../common/standard.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/room.h"
#include "commands/command.h"
#include "config/options.h"
#include "metrics/metrics.h"
#include "server/listen.h"
#include "server/relay.h"
#include "server/worker.h"
#include "top/top.h"
#include "upstream/upstream.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

const char complain_name[] = "ibuf-relay";

enum { STATUS_DONE = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

/*
 * Rooms that each thread keeps back when they are free.  Messages are often
 * freed by another thread than the one that reads, and what that keeps the
 * reader must make anew; so few, since one is large.
 */
enum { ROOMS_KEPT = 8 };

/* As many clients as the system lets us have. */
static void
raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_warning("cannot raise the limit of descriptors: %s",
			    strerror(errno));
}

/* Signals come through a descriptor; threads started later inherit that. */
static int
open_signals(const struct options *o)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (o->log_path != NULL)
		sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* As long as those of Redis. */
static void
draw_id(struct relay *r)
{
	unsigned char bytes[20];

	for (size_t i = 0; i < sizeof(bytes); i += 4) {
		uint32_t word = hash_bytes(&(uint64_t){clock_now_ns() + i}, 8);

		memcpy(bytes + i, &word, 4);
	}
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(r->id + 2 * i, 3, "%02x", bytes[i]);
}

static bool
make_pools(struct relay *r)
{
	struct ibuf_pool_options rooms = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool_options replies = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_provider of_rooms = memory_provider(MEMORY_ROOMS);
	struct ibuf_provider of_replies = memory_provider(MEMORY_REPLIES);
	int error;

	memory_init(r->options.max_memory);
	rooms.name = "rooms";
	rooms.capacity = ROOM_BYTES;
	rooms.headroom = 0;
	rooms.provider = &of_rooms;
	rooms.cache = ROOMS_KEPT;
	replies.name = "replies";
	replies.capacity = RELAY_REPLY_BYTES;
	replies.headroom = 0;
	replies.provider = &of_replies;
	error = ibuf_pool_create(&r->rooms, &rooms);
	if (error == 0)
		error = ibuf_pool_create(&r->replies, &replies);
	if (error == 0)
		error = post_init();
	if (error == 0)
		return true;
	errno = -error;
	complain("cannot make a pool: %s", strerror(errno));
	return false;
}

static bool
start_workers(struct relay *r)
{
	unsigned n = r->options.threads;

	r->workers = calloc(n, sizeof(struct worker *));
	r->directory = directory_new(n);
	if (r->workers == NULL || r->directory == NULL) {
		complain("out of memory");
		return false;
	}
	if (r->options.upstream.count > 0) {
		r->upstream = upstream_new(r);
		if (r->upstream == NULL)
			return false;
	}
	atomic_init(&r->reading, n + (r->upstream != NULL));
	for (unsigned i = 0; i < n; i++) {
		r->workers[i] = worker_start(r, i);
		if (r->workers[i] == NULL)
			return false;
	}
	return r->upstream == NULL || upstream_start(r->upstream);
}

static void
stop_workers(struct relay *r)
{
	relay_say_all(r, WORD_STOP);
	for (unsigned i = 0; i < r->options.threads; i++)
		worker_join(r->workers[i]);
	if (r->upstream != NULL)
		upstream_join(r->upstream);
	for (unsigned i = 0; i < r->options.threads; i++)
		worker_free(r->workers[i]);
	if (r->upstream != NULL)
		upstream_free(r->upstream);
}

static int
run(const struct options *o)
{
	struct relay r = {
		.options = *o,
		.execute = command_execute,
		.started_ns = clock_now_ns(),
	};
	struct listeners listeners;
	struct metrics *metrics = NULL;
	int signals = open_signals(o);
	size_t left;

	if (!log_open(o->log_path, o->to_syslog))
		return STATUS_FAILED;
	hash_init_random();
	draw_id(&r);
	registry_init(&r.registry);
	doors_init(&r.doors);
	if (!settings_init(&r.settings, o)) {
		complain("out of memory");
		return STATUS_FAILED;
	}
	raise_descriptors();
	if (signals < 0 || !make_pools(&r) || !listen_open(&listeners, o) ||
	    !start_workers(&r))
		return STATUS_FAILED; /* threads that started end with us */
	if (o->metrics_port != NULL && (metrics = metrics_start(&r)) == NULL)
		return STATUS_FAILED;
	log_line("ready, %u threads, process %ld", o->threads, (long)getpid());
	listen_run(&r, &listeners, signals);
	listen_close(&listeners);
	metrics_stop(metrics);
	stop_workers(&r);
	close(signals);
	directory_free(r.directory);
	registry_destroy(&r.registry);
	settings_destroy(&r.settings);
	free(r.workers);
	post_end();
	left = ibuf_pool_destroy(r.replies) + ibuf_pool_destroy(r.rooms);
	if (left > 0)
		log_warning("%zu buffers were not freed", left);
	log_line("ended");
	return left == 0 ? STATUS_DONE : STATUS_FAILED;
}

int
main(int argc, char **argv)
{
	struct options options;
	int status;

	standard_hold(O_RDWR); /* a log that nobody wants may go nowhere */
	switch (options_parse(&options, argc, argv)) {
	case OPTIONS_RUN:
		if (options.top != NULL)
			return top_run(&options) ? STATUS_DONE : STATUS_FAILED;
		status = run(&options);
		log_close();
		return status;
	case OPTIONS_HELP:
		fputs(options_help, stdout);
		return standard_finish(true) ? STATUS_DONE : STATUS_FAILED;
	case OPTIONS_VERSION:
		printf("ibuf-relay %s\n", ibuf_version_string());
		return standard_finish(true) ? STATUS_DONE : STATUS_FAILED;
	default:
		return STATUS_USAGE;
	}
}
