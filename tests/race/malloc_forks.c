/*
 * malloc_forks.c - fork, and malloc of the address sanitizer.
 *
 * The GNU and musl libcs let no thread be inside malloc while the process
 * forks.  The address sanitizers of gcc 12 and clang 14 to 16 do: a child that
 * was forked while another thread was inside waits forever in its first malloc.
 * So where the address sanitizer is, the calls of malloc come by here (--wrap of
 * the linker), and a fork waits until all are out.  It waits for threads that
 * begin and end, too: the sanitizer calls malloc for them, and takes back what
 * it holds for them.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The linker gives these names. NOLINTBEGIN(*-reserved-identifier) */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
int __real_posix_memalign(void **p, size_t alignment, size_t size);
void __real_free(void *p);
pid_t __real_fork(void);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*body)(void *), void *arg);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
int __wrap_posix_memalign(void **p, size_t alignment, size_t size);
void __wrap_free(void *p);
pid_t __wrap_fork(void);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*body)(void *), void *arg);

/* ---- calls of malloc -------------------------------------------------- */

#define LOCK_INIT PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP

static pthread_rwlock_t inside = LOCK_INIT;

static void
wait_until_all_are_out(void)
{
	pthread_rwlock_wrlock(&inside);
}

static void
in_parent(void)
{
	pthread_rwlock_unlock(&inside);
}

/* Who waited at the lock is not in the child. */
static void
in_child(void)
{
	inside = (pthread_rwlock_t)LOCK_INIT;
}

/*
 * Before the library's, so that in fork it comes behind them: they wait for
 * threads that hold the library's locks, and may be on their way to malloc.
 */
__attribute__((constructor(101))) static void
prepare(void)
{
	if (pthread_atfork(wait_until_all_are_out, in_parent, in_child) != 0)
		abort();
}

void *
__wrap_malloc(size_t size)
{
	void *p;

	pthread_rwlock_rdlock(&inside);
	p = __real_malloc(size);
	pthread_rwlock_unlock(&inside);
	return p;
}

void *
__wrap_calloc(size_t n, size_t size)
{
	void *p;

	pthread_rwlock_rdlock(&inside);
	p = __real_calloc(n, size);
	pthread_rwlock_unlock(&inside);
	return p;
}

void *
__wrap_realloc(void *p, size_t size)
{
	pthread_rwlock_rdlock(&inside);
	p = __real_realloc(p, size);
	pthread_rwlock_unlock(&inside);
	return p;
}

int
__wrap_posix_memalign(void **p, size_t alignment, size_t size)
{
	int e;

	pthread_rwlock_rdlock(&inside);
	e = __real_posix_memalign(p, alignment, size);
	pthread_rwlock_unlock(&inside);
	return e;
}

void
__wrap_free(void *p)
{
	pthread_rwlock_rdlock(&inside);
	__real_free(p);
	pthread_rwlock_unlock(&inside);
}

/* ---- threads that begin, and end -------------------------------------- */

enum { MANY = 64 };

static pthread_mutex_t ends = PTHREAD_MUTEX_INITIALIZER;
static pid_t ending[MANY]; /* 0: none; some may be gone */

static bool
is_gone(pid_t thread)
{
	return syscall(SYS_tgkill, getpid(), thread, 0) != 0 && errno == ESRCH;
}

struct start {
	void *(*body)(void *);
	void *arg;
	sem_t begun;
};

static void *
run_and_tell(void *arg)
{
	struct start *start = arg;
	void *(*body)(void *) = start->body, *result;
	unsigned i;

	arg = start->arg;
	sem_post(&start->begun);
	result = body(arg);
	pthread_mutex_lock(&ends);
	for (i = 0; i < MANY && ending[i] != 0 && !is_gone(ending[i]); i++)
		;
	if (i == MANY)
		abort();
	ending[i] = gettid();
	pthread_mutex_unlock(&ends);
	return result;
}

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
		      void *(*body)(void *), void *arg)
{
	struct start start = {.body = body, .arg = arg};
	int e;

	sem_init(&start.begun, 0, 0);
	pthread_rwlock_rdlock(&inside);
	e = __real_pthread_create(thread, attributes, run_and_tell, &start);
	while (e == 0 && sem_wait(&start.begun) != 0)
		; /* a signal */
	pthread_rwlock_unlock(&inside);
	sem_destroy(&start.begun);
	return e;
}

pid_t
__wrap_fork(void)
{
	pid_t child;

	pthread_mutex_lock(&ends);
	for (unsigned i = 0; i < MANY; i++) {
		while (ending[i] != 0 && !is_gone(ending[i]))
			sched_yield();
		ending[i] = 0;
	}
	child = __real_fork();
	pthread_mutex_unlock(&ends);
	return child;
}

/* NOLINTEND(*-reserved-identifier) */
