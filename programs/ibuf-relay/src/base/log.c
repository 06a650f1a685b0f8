/*
 * log.c - lines for people.
 *
 * The lock is held to copy a line, never while one is written.
 */
#include "log.h"
#include "../../../common/complain.h"
#include "clock.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { LINES = 128, LINE_BYTES = 1024 };

/* Of one kind: so many at once, then one each so often. */
enum { BURST = 50, KINDS_MAX = 64 };
#define EACH_NS UINT64_C(200000000)

/* How long the end of the program waits for who does not read. */
enum { END_MS = 500 };

struct line {
	int priority;
	struct timespec when;
	char text[LINE_BYTES];
};

/* One place of the program that logs. */
struct kind {
	const char *format;
	uint64_t paid_ns; /* each line moves it on by EACH_NS */
	unsigned left_out;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t is_filled = PTHREAD_COND_INITIALIZER;
static pthread_cond_t is_empty = PTHREAD_COND_INITIALIZER;
static struct line lines[LINES];
static size_t first, count;
static struct kind kinds[KINDS_MAX];
static unsigned long long dropped;
static bool is_running, must_reopen, is_writing;

/* Of the log's thread. */
static const char *path;
static int fd = STDERR_FILENO;
static bool to_syslog, to_journal;

/* Standard error is a stream to the journal, which says so. */
static bool
is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char *colon = NULL;
	struct stat status;

	/* "device:inode" */
	return stream != NULL && fstat(STDERR_FILENO, &status) == 0 &&
	       status.st_dev == strtoull(stream, &colon, 10) && *colon == ':' &&
	       status.st_ino == strtoull(colon + 1, NULL, 10);
}

static void
write_line(const struct line *line)
{
	char text[LINE_BYTES + 128], date[32];
	struct tm tm;
	int n;

	if (to_syslog) {
		syslog(line->priority, "%s", line->text);
		return;
	}
	localtime_r(&line->when.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
	if (to_journal)
		n = snprintf(text, sizeof(text), "<%d>%s\n", line->priority,
			     line->text);
	else
		n = snprintf(text, sizeof(text), "%s.%03ld %s: %s\n", date,
			     line->when.tv_nsec / 1000000, complain_name,
			     line->text);
	/* One piece; who cannot be told cannot be told that either. */
	while (n > 0 && write(fd, text, (size_t)n) < 0 && errno == EINTR)
		continue;
}

static int
open_file(void)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

static void
reopen(void)
{
	int other = open_file();

	if (other < 0)
		return;
	close(fd);
	fd = other;
}

static void *
run(void *arg)
{
	struct line line;

	(void)arg;
	pthread_mutex_lock(&lock);
	for (;;) {
		bool is_due;

		while (count == 0 && !must_reopen) {
			is_writing = false;
			pthread_cond_signal(&is_empty);
			pthread_cond_wait(&is_filled, &lock);
		}
		is_due = must_reopen && path != NULL;
		must_reopen = false;
		is_writing = count > 0;
		if (is_writing) {
			line = lines[first];
			first = (first + 1) % LINES;
			count--;
		}
		pthread_mutex_unlock(&lock);
		if (is_due)
			reopen();
		if (is_writing)
			write_line(&line);
		pthread_mutex_lock(&lock);
	}
	return NULL;
}

bool
log_open(const char *file, bool is_syslog)
{
	pthread_t thread;

	path = file;
	to_syslog = is_syslog;
	to_journal = file == NULL && is_journal();
	if (path != NULL && (fd = open_file()) < 0) {
		complain("cannot open %s: %s", path, strerror(errno));
		return false;
	}
	if (to_syslog)
		openlog(complain_name, LOG_PID, LOG_DAEMON);
	errno = pthread_create(&thread, NULL, run, NULL);
	if (errno != 0) {
		complain("cannot start a thread: %s", strerror(errno));
		return false;
	}
	pthread_detach(thread);
	is_running = true;
	return true;
}

void
log_reopen(void)
{
	pthread_mutex_lock(&lock);
	must_reopen = true;
	pthread_cond_signal(&is_filled);
	pthread_mutex_unlock(&lock);
}

void
log_close(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += END_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&lock);
	while (is_running && (count > 0 || is_writing) &&
	       pthread_cond_timedwait(&is_empty, &lock, &until) == 0)
		continue;
	pthread_mutex_unlock(&lock);
}

/*
 * May a line of this kind come now?  How many of it were left out before.
 * There are fewer kinds than places for them.
 */
static bool
is_allowed(const char *format, unsigned *left_out)
{
	uint64_t now_ns = clock_now_ns();
	struct kind *kind = kinds;

	while (kind < kinds + KINDS_MAX - 1 && kind->format != NULL &&
	       kind->format != format)
		kind++;
	kind->format = format;
	if (kind->paid_ns + BURST * EACH_NS < now_ns)
		kind->paid_ns = now_ns - BURST * EACH_NS;
	if (kind->paid_ns + EACH_NS > now_ns) {
		kind->left_out++;
		return false;
	}
	kind->paid_ns += EACH_NS;
	*left_out = kind->left_out;
	kind->left_out = 0;
	return true;
}

__attribute__((format(printf, 2, 0))) static void
add(int priority, const char *format, va_list args)
{
	struct line line = {.priority = priority};
	unsigned left_out = 0;
	int n;

	n = vsnprintf(line.text, sizeof(line.text), format, args);
	clock_gettime(CLOCK_REALTIME, &line.when);
	if (!is_running) {
		write_line(&line);
		return;
	}
	pthread_mutex_lock(&lock);
	if (!is_allowed(format, &left_out) || count == LINES) {
		dropped++;
	} else {
		if (left_out > 0 && n > 0 && (size_t)n < sizeof(line.text))
			snprintf(line.text + n, sizeof(line.text) - (size_t)n,
				 " (and %u such lines before, left out)",
				 left_out);
		lines[(first + count++) % LINES] = line;
		pthread_cond_signal(&is_filled);
	}
	pthread_mutex_unlock(&lock);
}

void
log_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(LOG_INFO, format, args);
	va_end(args);
}

void
log_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(LOG_WARNING, format, args);
	va_end(args);
}

unsigned long long
log_dropped(void)
{
	unsigned long long n;

	pthread_mutex_lock(&lock);
	n = dropped;
	pthread_mutex_unlock(&lock);
	return n;
}
