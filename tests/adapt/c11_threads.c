/*
 * c11_threads.c - the threads of C11 by those of POSIX.
 *
 * ThreadSanitizer does not know the former, and a thread that it has not seen
 * begin crashes it.  In the C library a mtx_t and a cnd_t are a pthread_mutex_t
 * and a pthread_cond_t, so a program that is linked with this looks at the
 * threads of librdkafka too.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <threads.h>

/* What a test lets fail is not for the threads of others. */
void *__real_malloc(size_t size);
void __real_free(void *block);
int __real_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a);
int __real_pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *a);

#define MUTEX(m) ((pthread_mutex_t *)(void *)(m))
#define CONDITION(c) ((pthread_cond_t *)(void *)(c))

static int
result(int error)
{
	return error == 0 ? thrd_success : thrd_error;
}

struct start {
	thrd_start_t body;
	void *arg;
};

static void *
run(void *arg)
{
	struct start s = *(struct start *)arg;

	__real_free(arg);
	s.body(s.arg);
	return NULL;
}

int
thrd_create(thrd_t *thread, thrd_start_t body, void *arg)
{
	struct start *s = __real_malloc(sizeof(*s));

	if (s == NULL)
		return thrd_nomem;
	*s = (struct start){body, arg};
	return result(pthread_create(thread, NULL, run, s));
}

int
thrd_join(thrd_t thread, int *none)
{
	if (none != NULL)
		*none = 0;
	return result(pthread_join(thread, NULL));
}

int
thrd_detach(thrd_t thread)
{
	return result(pthread_detach(thread));
}

int
mtx_init(mtx_t *m, int kind)
{
	pthread_mutexattr_t a;
	int error;

	pthread_mutexattr_init(&a);
	if (kind & mtx_recursive)
		pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	error = __real_pthread_mutex_init(MUTEX(m), &a);
	pthread_mutexattr_destroy(&a);
	return result(error);
}

int
mtx_lock(mtx_t *m)
{
	return result(pthread_mutex_lock(MUTEX(m)));
}

int
mtx_trylock(mtx_t *m)
{
	return pthread_mutex_trylock(MUTEX(m)) == 0 ? thrd_success : thrd_busy;
}

int
mtx_unlock(mtx_t *m)
{
	return result(pthread_mutex_unlock(MUTEX(m)));
}

void
mtx_destroy(mtx_t *m)
{
	pthread_mutex_destroy(MUTEX(m));
}

int
cnd_init(cnd_t *c)
{
	return result(__real_pthread_cond_init(CONDITION(c), NULL));
}

int
cnd_signal(cnd_t *c)
{
	return result(pthread_cond_signal(CONDITION(c)));
}

int
cnd_broadcast(cnd_t *c)
{
	return result(pthread_cond_broadcast(CONDITION(c)));
}

int
cnd_wait(cnd_t *c, mtx_t *m)
{
	return result(pthread_cond_wait(CONDITION(c), MUTEX(m)));
}

int
cnd_timedwait(cnd_t *c, mtx_t *m, const struct timespec *until)
{
	int error = pthread_cond_timedwait(CONDITION(c), MUTEX(m), until);

	return error == ETIMEDOUT ? thrd_timedout : result(error);
}

void
cnd_destroy(cnd_t *c)
{
	pthread_cond_destroy(CONDITION(c));
}
