/*
 * host.c - a program that opens plugins, uses them and, where it has one, its
 * own copy of the library in turns, and closes them while its thread lives.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

enum { MOST = 8, ROUNDS = 5 };

typedef int run_fn(void);

static run_fn *runs[MOST];
static int n;
static pthread_barrier_t closing;

static int
run_all(void)
{
	int bad = 0, round, i;

	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < n; i++)
			bad += runs[i]() != 0;
	return bad;
}

static void *
thread(void *arg)
{
	*(int *)arg = run_all();
	pthread_barrier_wait(&closing);
	pthread_barrier_wait(&closing);
	return NULL;
}

#ifdef SIZE
int own_run(void);
#endif
#ifdef LINKED
int LINKED(void);
#endif

int
main(int argc, char **argv)
{
	void *handles[MOST];
	pthread_t id;
	char name[64];
	int i, bad = 0, bad_there = 0;

#ifdef SIZE
	runs[n++] = own_run;
#endif
#ifdef LINKED
	runs[n++] = LINKED;
#endif
	for (i = 1; i < argc && n < MOST; i++) {
		snprintf(name, sizeof name, "./lib%s.so", argv[i]);
		handles[i] = dlopen(name, RTLD_NOW | RTLD_GLOBAL);
		snprintf(name, sizeof name, "%s_run", argv[i]);
		if (handles[i] == NULL ||
		    (*(void **)&runs[n++] = dlsym(handles[i], name)) == NULL) {
			fprintf(stderr, "%s\n", dlerror());
			return 1;
		}
	}
	pthread_barrier_init(&closing, NULL, 2);
	if (pthread_create(&id, NULL, thread, &bad_there) != 0)
		return 1;
	pthread_barrier_wait(&closing);
	bad = run_all();
	for (i = 1; i < argc; i++)
		dlclose(handles[i]);
	pthread_barrier_wait(&closing);
	pthread_join(id, NULL);
	if (bad + bad_there != 0)
		fprintf(stderr, "%s: %d rounds went wrong\n", argv[0],
			bad + bad_there);
	return bad + bad_there != 0;
}
