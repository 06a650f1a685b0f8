/*
 * fork.h - a child that checks a pool, and tells by its exit status the
 * number of the first thing that was wrong: it may not jump out of its
 * assertions.
 */
#ifndef FORK_H
#define FORK_H

#include "threads.h"

#include <sys/wait.h>
#include <unistd.h>

enum { MAX = 40, CACHE = 8 };

struct family {
	struct ibuf_pool *p;
	struct ibuf_mbuf *m;
	struct gate start;
	atomic_bool over;
};

/* The books, as a child can check them. */
static inline bool
books_are_right(const struct ibuf_pool *p)
{
	struct ibuf_pool_stats s;

	return ibuf_pool_get_stats(p, &s, sizeof(s)) == 0 &&
	       s.capacity == s.allocated + s.available && s.capacity <= MAX &&
	       s.cached <= s.available && s.allocated <= s.capacity;
}

/* Run body in a child that has ten seconds; 0: all was right there. */
static inline int
in_child(int (*body)(struct family *w), struct family *w)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		alarm(10);
		_exit(body(w));
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		fail_msg("the child died of signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

#endif
