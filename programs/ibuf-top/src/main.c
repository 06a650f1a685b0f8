/* main.c - ibuf-top: pools and queues of running programs, seen from outside. */
#include "../../common/complain.h"
#include "../../common/standard.h"
#include "options.h"
#include "screen.h"
#include <errno.h>
#include <fcntl.h>
#include <ibuf/ibuf.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_DONE, STATUS_FAILED, STATUS_USAGE };

const char complain_name[] = "ibuf-top";

/* Look at those that were asked for; false: one cannot be, and why is said. */
static bool
take_named(struct sample *s, const struct options *o)
{
	size_t i, before;
	long pid;
	int error;

	sample_begin(s);
	for (i = 0; i < o->pids_count; i++) {
		pid = (long)o->pids[i];
		before = s->count;
		error = sample_add(s, o->pids[i]);
		if (error == ESRCH)
			complain("there is no process %ld", pid);
		else if (error == EACCES || error == EPERM)
			complain("process %ld is not yours to read: that takes "
				 "its user, or root",
				 pid);
		else if (error != 0)
			complain("process %ld: %s", pid, strerror(error));
		else if (s->count == before)
			complain("process %ld does not use ibuf, or one that "
				 "was built for plain POSIX or for another "
				 "machine",
				 pid);
		if (s->count == before) {
			sample_free(s);
			return false;
		}
	}
	return true;
}

static bool
take(struct sample *s, const struct options *o)
{
	if (o->pids != NULL)
		return take_named(s, o);
	if (sample_take(s))
		return true;
	sample_free(s);
	complain("the processes cannot be listed, or there is no memory");
	return false;
}

static void
print_line(const char *text, enum view_style style, void *arg)
{
	(void)style;
	(void)arg;
	puts(text);
}

static bool
print(const struct sample *s, const struct options *o)
{
	if (o->json)
		return view_json(s, stdout);
	if (s->count == 0)
		complain("no process here uses ibuf");
	if (s->refused != 0)
		complain("not to be read: %u process%s of other users",
			 s->refused, s->refused == 1 ? "" : "es");
	return s->count == 0 || view_lines(s, o->order, print_line, NULL);
}

/* One sample, or one at each interval for whoever reads our output. */
static int
print_all(const struct options *o)
{
	struct sample before = {0}, now;
	bool done;

	for (;;) {
		if (!take(&now, o)) {
			sample_free(&before);
			return STATUS_FAILED;
		}
		sample_compare(&now, &before);
		done = standard_finish(print(&now, o));
		sample_free(&before);
		before = now;
		if (!done || o->once)
			break;
		sleep(o->interval_s);
	}
	sample_free(&before);
	return done ? STATUS_DONE : STATUS_FAILED;
}

static int
run(struct options *o)
{
	if (o->once || o->json)
		return print_all(o);
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return screen_run(o, take);
	complain("this is no terminal: use --once or --json");
	return STATUS_USAGE;
}

int
main(int argc, char **argv)
{
	struct options options;
	int status;

	standard_hold(O_RDONLY);
	signal(SIGPIPE, SIG_DFL);
	switch (options_parse(&options, argc, argv)) {
	case OPTIONS_RUN:
		status = run(&options);
		free(options.pids);
		return status;
	case OPTIONS_HELP:
		fputs(options_help, stdout);
		break;
	case OPTIONS_VERSION:
		printf("ibuf-top %s\n", ibuf_version_string());
		break;
	default:
		free(options.pids);
		return STATUS_USAGE;
	}
	return standard_finish(true) ? STATUS_DONE : STATUS_FAILED;
}
