/*
 * main.c - each call that the library makes to the system fails in turn, under
 * each public function.
 *
 *	faults [--quick] MAP [WORD...]
 *		the functions that ibuf.map lists, or those whose names hold one
 *		of the words; quick: on fewer kinds of messages
 *
 * First the call runs without a fault.  Then the n-th point fails, once and for
 * ever after, once in each of its ways, until there is no n-th point.  A call
 * that fails
 *
 *	gives the error of a point that failed, or -ENOMEM,
 *	leaves the world as it was, byte by byte,
 *	works when it is tried again, and
 *	leaves no more behind, in the end, than one that did not fail.
 *
 * Each call has a process of its own, whose library is fresh: so what is prepared
 * only once fails too, and a crash or a call that never returns is red as any
 * other.
 */
#include "world.h"

#include "points.h"
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* One call of a row, and which point fails. */
struct attempt {
	const struct row *row;
	unsigned world;
	size_t n; /* the point that fails, SIZE_MAX: none */
	unsigned way;
	bool for_ever;
	unsigned times; /* that the call fails, if it does */
};

/* What lives that did not before. */
struct left {
	ssize_t blocks, mapped, descriptors;
};

/* What a child tells. */
struct told {
	struct attempt at;
	char world[64];
	bool exists; /* that world */
	bool struck; /* a point has failed: */
	unsigned point, ways;
	char point_name[32];
	size_t points; /* met */
	struct left left;
	size_t tries, failures;
	bool met[64]; /* by point */
};

static struct told *told;
static bool quick;

/* What was met so far. */
static void
tell(void)
{
	points_disarm();
	told->points = points_met();
	told->struck = points_struck() != NULL;
	if (!told->struck)
		return;
	told->ways = points_ways();
	told->point = points_number();
	told->met[told->point] = true;
	snprintf(told->point_name, sizeof(told->point_name), "%s",
		 points_struck());
}

_Noreturn void
fail(const char *format, ...)
{
	va_list args;

	tell();
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(1);
}

/* ---- a world, remembered --------------------------------------------- */

enum { PIECES = 16, MESSAGES = 10 };

struct picture {
	struct world world;
	struct {
		size_t n, headroom, tailroom, capacity;
		struct ibuf_mbuf pieces[PIECES];
		uint8_t bytes[512];
		size_t len;
		bool unique;
	} of[MESSAGES];
	struct ibuf_pool_stats stats;
	size_t queue_len;
};

static size_t
messages_of(const struct world *w, const struct ibuf_mbuf **ms)
{
	size_t n = 0;

	ms[n++] = w->m;
	ms[n++] = w->kin;
	ms[n++] = w->other;
	for (int i = 0; i < DATAGRAMS; i++)
		ms[n++] = w->datagrams[i].m;
	return n;
}

static void
take(struct picture *p, const struct world *w)
{
	const struct ibuf_mbuf *ms[MESSAGES], *s;
	size_t n = messages_of(w, ms);

	memset(p, 0, sizeof(*p));
	memcpy(&p->world, w, sizeof(*w));
	for (size_t i = 0; i < n; i++) {
		if (ms[i] == NULL)
			continue;
		hold(ibuf_mbuf_validate(ms[i]) == 0);
		for (s = ms[i]; s != NULL; s = ibuf_mbuf_seg_next(s)) {
			hold(p->of[i].n < PIECES);
			memcpy(&p->of[i].pieces[p->of[i].n++], s, sizeof(*s));
		}
		p->of[i].headroom = ibuf_mbuf_headroom(ms[i]);
		p->of[i].tailroom = ibuf_mbuf_tailroom(ms[i]);
		p->of[i].capacity = ibuf_mbuf_capacity(ms[i]);
		p->of[i].unique = ibuf_mbuf_is_unique(ms[i]);
		p->of[i].len = ibuf_mbuf_len(ms[i]);
		hold(p->of[i].len <= sizeof(p->of[i].bytes));
		hold(ibuf_mbuf_copy_out(ms[i], 0, p->of[i].bytes,
					p->of[i].len) == 0);
	}
	if (w->queue != NULL)
		p->queue_len = ibuf_queue_len(w->queue);
	hold(ibuf_pool_get_stats(w->pool, &p->stats, sizeof(p->stats)) == 0);
	/* What a pool may have got for the next call, and counts. */
	p->stats.capacity = p->stats.available = p->stats.cached = 0;
	p->stats.peak = p->stats.grows = p->stats.failures = 0;
	p->stats.allocs = p->stats.frees = p->stats.waits = 0;
	p->stats.mapped_bytes = 0;
}

static void
hold_same(const struct picture *was, const struct picture *is)
{
	hold(memcmp(&was->world, &is->world, sizeof(was->world)) == 0);
	for (size_t i = 0; i < MESSAGES; i++) {
		hold(was->of[i].len == is->of[i].len);
		hold(memcmp(was->of[i].bytes, is->of[i].bytes,
			    was->of[i].len) == 0);
		hold(was->of[i].n == is->of[i].n);
		hold(was->of[i].headroom == is->of[i].headroom);
		hold(was->of[i].tailroom == is->of[i].tailroom);
		hold(was->of[i].capacity == is->of[i].capacity);
		hold(was->of[i].unique == is->of[i].unique);
		hold(memcmp(was->of[i].pieces, is->of[i].pieces,
			    was->of[i].n * sizeof(*was->of[i].pieces)) == 0);
	}
	hold(was->queue_len == is->queue_len);
	hold(memcmp(&was->stats, &is->stats, sizeof(was->stats)) == 0);
}

static size_t
descriptors(void)
{
	size_t n = 0;

	for (int fd = 3; fd < 64; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* ---- one call -------------------------------------------------------- */

static void
see_after(const struct row *row, const struct world *w)
{
	if (row->after != NULL && w->m != NULL)
		hold_message(w->m, row->after, strlen(row->after));
	else if (w->m != NULL)
		hold(ibuf_mbuf_validate(w->m) == 0);
	if (w->kin != NULL)
		hold(ibuf_mbuf_validate(w->kin) == 0 &&
		     ibuf_mbuf_find(w->kin, 0, TEXT, LEN) != SIZE_MAX);
	if (w->result != NULL)
		hold(ibuf_mbuf_validate(w->result) == 0);
}

/* Build the world, call, and see. */
static void
run(const struct attempt *a)
{
	static struct picture was, is;
	struct world w, as_made;
	size_t blocks = points_blocks(), mapped = points_mapped();
	size_t open = descriptors();
	const char *name;
	int error;

	told->at = *a;
	told->struck = false;
	memset(&w, 0, sizeof(w)); /* its padding too */
	name = world_make(&w, a->row->kind, a->world, quick);
	told->exists = name != NULL;
	if (name == NULL)
		return;
	told->tries++;
	snprintf(told->world, sizeof(told->world), "%s", name);
	if (a->row->kind != NOTHING)
		take(&was, &w);
	memcpy(&as_made, &w, sizeof(w));

	points_arm(a->n, a->way, a->for_ever);
	error = a->row->call(&w);
	tell();
	if (error != 0) {
		told->failures++;
		if (!told->struck)
			fail("it gives %d without a fault", error);
		if (error != -ENOMEM && !points_gave(-error) &&
		    !(error == -EINVAL && points_gave(EILSEQ)) &&
		    !(error == -ENOTSUP && points_gave(ENOPROTOOPT)))
			fail("it gives %d", error);
		hold(memcmp(&as_made, &w, sizeof(w)) == 0);
		if (a->row->kind != NOTHING) {
			take(&is, &w);
			hold_same(&was, &is);
		}
		for (unsigned i = 1; i < a->times && error != 0; i++) {
			points_arm(a->n, a->way, a->for_ever);
			error = a->row->call(&w);
			points_disarm();
		}
		if (error != 0)
			error = a->row->call(&w);
		if (error != 0)
			fail("tried again it gives %d", error);
	}
	see_after(a->row, &w);
	world_end(&w);
	told->left.blocks = (ssize_t)(points_blocks() - blocks);
	told->left.mapped = (ssize_t)(points_mapped() - mapped);
	told->left.descriptors = (ssize_t)(descriptors() - open);
}

/* ---- one call, one process ------------------------------------------- */

enum { SECONDS = 60, TIMES = 6 };

static size_t red;

/* Run body in a process of its own; does it succeed? */
static bool
in_child(void (*body)(const struct attempt *a), const struct attempt *a)
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		alarm(SECONDS);
		body(a);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		abort();
	if (status == 0)
		return true;
	red++;
	fprintf(stderr, "RED %s on %s: point %zd, %s, way %u, %s%s\n",
		a->row->name, told->world, (ssize_t)told->at.n,
		told->struck ? told->point_name : "none", told->at.way,
		told->at.for_ever ? "for ever" : "once",
		WIFSIGNALED(status) ? ", killed by a signal" : "");
	return false;
}

static bool
is_more(const struct left *a, const struct left *b)
{
	return a->blocks > b->blocks || a->mapped > b->mapped ||
	       a->descriptors > b->descriptors;
}

static void
hold_no_more(const struct left *is, const struct left *was)
{
	if (is_more(is, was))
		fail("it leaves %zd blocks, %zd mapped bytes, %zd descriptors; "
		     "%zd, %zd, %zd were to be",
		     is->blocks, is->mapped, is->descriptors, was->blocks,
		     was->mapped, was->descriptors);
}

/* The n-th point and so on, by body, until there is no such point. */
static void
for_each_point(const struct attempt *from,
	       void (*body)(const struct attempt *a))
{
	struct attempt now = *from;

	for (int for_ever = 0; for_ever <= 1; for_ever++, now.n = 1) {
		now.for_ever = for_ever != 0;
		told->struck = true;
		for (; told->struck; now.n++) {
			unsigned ways = 1;

			for (now.way = 0; now.way < ways; now.way++) {
				body(&now);
				if (!told->struck)
					break;
				ways = for_ever ? 1 : told->ways;
			}
		}
	}
}

static struct left left_plain, left_once;

static void
run_first(const struct attempt *a)
{
	run(a);
}

/*
 * The library may keep what it got for the next call, once: but the more often
 * a call fails, the more is left of a leak.
 */
static void
run_often(const struct attempt *a)
{
	run(a);
	hold_no_more(&told->left, &left_once);
}

static void
try_first(const struct attempt *a)
{
	struct attempt often = *a;
	bool struck;

	if (!in_child(run_first, a))
		return;
	struck = told->struck;
	left_once = told->left;
	often.times = TIMES;
	if (is_more(&left_once, &left_plain))
		in_child(run_often, &often);
	told->struck = struck;
}

static void
try_row(const struct row *row)
{
	struct attempt a = {.row = row, .times = 1};

	told->exists = true;
	for (a.world = 0;; a.world++) {
		a.n = SIZE_MAX;
		a.for_ever = false;
		if (!in_child(run_first, &a) || !told->exists)
			return;
		left_plain = told->left;
		a.n = 1;
		if (told->points != 0)
			for_each_point(&a, try_first);
	}
}

/* ---- all of them -------------------------------------------------------- */

static const struct row *const tables[] = {rows_message, rows_number, rows_pool,
					   rows_io};

static const struct row *
find_row(const char *name)
{
	for (size_t i = 0; i < COUNT(tables); i++)
		for (const struct row *r = tables[i]; r->name != NULL; r++)
			if (strcmp(r->name, name) == 0)
				return r;
	return NULL;
}

static bool
is_wanted(const char *name, char **words)
{
	if (*words == NULL)
		return true;
	for (; *words != NULL; words++)
		if (strstr(name, *words) != NULL)
			return true;
	return false;
}

/* Points that no call of one thread meets, each with its reason. */
static const struct {
	const char *name, *why;
} not_met[] = {
#ifndef IBUF_PLATFORM_POSIX
	{"pipe", "POSIX alone"},
	{"fcntl", "POSIX alone"},
	{"dup2", "POSIX alone"},
	{"recvmsg", "POSIX alone"},
#else
	{"mmap", "Linux"},
	{"munmap", "Linux"},
	{"madvise", "Linux"},
	{"mprotect", "Linux"},
	{"mlock", "Linux"},
	{"ftruncate", "Linux"},
	{"syscall", "Linux"},
	{"eventfd", "Linux"},
	{"dup3", "Linux"},
	{"getsockopt", "Linux"},
	{"sendmmsg", "Linux"},
	{"recvmmsg", "Linux"},
	{"dup2", "in the child of a fork, unit.queue_fork"},
#endif
	{"dlsym", "in a shared library, unit.copies"},
	{"dup3", "in the child of a fork, unit.queue_fork"},
	{"dladdr", "for IBUF_DEBUG, tests/debug"},
	{"readlink", "for IBUF_DEBUG, tests/debug"},
};

static bool
may_be_missed(const char *name)
{
	for (size_t i = 0; i < COUNT(not_met); i++)
		if (strcmp(name, not_met[i].name) == 0)
			return true;
	return false;
}

int
main(int argc, char **argv)
{
	char line[256], name[128], rest;
	size_t functions = 0;
	unsigned points = 0;
	FILE *map;

	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (argc > 1 && strcmp(argv[1], "--quick") == 0) {
		quick = true;
		argc--;
		argv++;
	}
	map = argc > 1 ? fopen(argv[1], "r") : NULL;
	if (told == MAP_FAILED || map == NULL) {
		fputs("usage: faults [--quick] MAP [WORD...]\n", stderr);
		return 2;
	}
	while (fgets(line, sizeof(line), map) != NULL) {
		const struct row *row;

		if (sscanf(line, " %127[a-z0-9_]%c", name, &rest) != 2 ||
		    rest != ';' || !is_wanted(name, argv + 2))
			continue;
		functions++;
		row = find_row(name);
		if (row == NULL ||
		    (row->kind == INSIDE && find_row(row->after) == NULL)) {
			fprintf(stderr, "RED %s has no row\n", name);
			red++;
		} else if (row->kind != INSIDE) {
			try_row(row);
		}
	}
	fclose(map);
	if (functions == 0) {
		fputs("no function has such a name\n", stderr);
		return 2;
	}
	for (unsigned i = 0; i < points_count(); i++) {
		points += told->met[i];
		if (argc > 2 || told->met[i] || may_be_missed(points_name(i)))
			continue;
		fprintf(stderr, "RED nothing ever met %s\n", points_name(i));
		red++;
	}
	printf("%zu functions, %u kinds of points, %zu calls with a fault or "
	       "without, %zu of them failed and were tried again: %zu red\n",
	       functions, points, told->tries, told->failures, red);
	return red != 0;
}
