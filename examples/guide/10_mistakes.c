/* 10_mistakes.c - guide 10: four mistakes, and how each is found. */

/*
 * Without an argument it makes the mistakes that every build finds.  With "overrun"
 * or "after" it makes those that the address sanitizer or valgrind finds.
 */
#include <errno.h>
#include <ibuf/ibuf.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
show_live(const struct ibuf_mbuf *m, void *arg)
{
	(void)arg;
	printf("still live: \"%.*s\"\n", (int)ibuf_mbuf_len(m),
	       (const char *)ibuf_mbuf_data(m));
}

/* A leak: one of two messages is never freed. */
static void
leak(struct ibuf_pool *pool)
{
	struct ibuf_mbuf *one = ibuf_pool_alloc(pool);
	struct ibuf_mbuf *two = ibuf_pool_alloc(pool);

	if (one != NULL && two != NULL &&
	    ibuf_mbuf_append(one, "request 1", 9) == 0 &&
	    ibuf_mbuf_append(two, "request 2", 9) == 0)
		ibuf_mbuf_free(one);
	ibuf_pool_walk(pool, show_live, NULL);
}

/* A double free. */
static void
twice(struct ibuf_pool *pool)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(pool);

	ibuf_mbuf_free(m);
	ibuf_mbuf_free(m);
}

/* Write 16 bytes more than there is room for. */
static void
write_too_much(struct ibuf_mbuf *m)
{
	char *place = ibuf_mbuf_reserve(m, 64);

	if (place != NULL)
		memset(place, 'x', ibuf_mbuf_tailroom(m) + 16);
}

/* An overrun in a pool hits what is behind: here another message. */
static void
overrun(struct ibuf_pool *pool)
{
	struct ibuf_mbuf *ms[2];

	if (ibuf_pool_alloc_bulk(pool, ms, 2) != 0)
		return;
	printf("before the overrun: %d\n", ibuf_mbuf_validate(ms[1]));
	write_too_much(ms[0]);
	printf("after it: %s\n",
	       ibuf_mbuf_validate(ms[1]) == -EINVAL ? "-EINVAL" : "not seen");
	fflush(stdout);
}

/* The same on the heap is what every tool sees. */
static void
overrun_heap(void)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(64);

	if (m != NULL)
		write_too_much(m);
	ibuf_mbuf_free(m);
}

/* A use after free: the pointer outlives its message. */
static void
after(struct ibuf_pool *pool)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(pool);
	const uint8_t *bytes;

	if (m == NULL || ibuf_mbuf_append(m, "gone", 4) != 0)
		return;
	bytes = ibuf_mbuf_data(m);
	ibuf_mbuf_free(m);
	printf("the byte is %c\n", bytes[0]);
}

/* In a child, since it may not come back. */
static bool
survives(void (*mistake)(struct ibuf_pool *), struct ibuf_pool *pool)
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		mistake(pool);
		_exit(0);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int
main(int argc, char **argv)
{
	struct ibuf_pool *pool = ibuf_pool_new(0, 256);

	if (pool == NULL)
		return 1;
	if (argc > 1) {
		if (strcmp(argv[1], "overrun") == 0)
			overrun_heap();
		if (strcmp(argv[1], "after") == 0)
			after(pool);
		return ibuf_pool_destroy(pool) != 0;
	}

	if (!survives(twice, pool))
		printf("the second free ended the child\n");
	if (!survives(overrun, pool))
		printf("the overrun ended the child\n");
	leak(pool);
	printf("destroy says: %zu in use\n", ibuf_pool_destroy(pool));
	return 0;
}

/* Prints:
 * the second free ended the child
 * before the overrun: 0
 * after it: -EINVAL
 * still live: "request 2"
 * destroy says: 1 in use
 */
