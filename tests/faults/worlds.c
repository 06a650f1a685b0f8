/* worlds.c - what the functions are tried on. */
#include "world.h"

#include "points.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Headers that are taken, so that the next clone needs memory. */
enum { TAKEN = 1 << 15 };
static struct ibuf_mbuf *taken[TAKEN];
static size_t n_taken;

/* Let the owner of m, of which this is a clone, have no free header. */
static void
drain(const struct ibuf_mbuf *m)
{
	points_arm(1, 0, true);
	while (n_taken < TAKEN && (taken[n_taken] = ibuf_mbuf_clone(m)) != NULL)
		n_taken++;
	points_disarm();
	hold(n_taken < TAKEN);
}

/* The same of messages that the world has not. */
static void
drain_owner(struct ibuf_pool *p)
{
	struct ibuf_mbuf *m = p != NULL ? ibuf_pool_alloc(p) : ibuf_mbuf_new(0);

	if (m == NULL)
		return;
	hold(n_taken < TAKEN);
	taken[n_taken++] = m;
	drain(m);
}

static void
add(struct ibuf_mbuf *m, const char *text, size_t n)
{
	hold(ibuf_mbuf_append(m, text, n) == 0);
}

/* A message of the heap whose room is full. */
static struct ibuf_mbuf *
message(const char *text, size_t n)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new_headroom(0, n);

	hold(m != NULL);
	add(m, text, n);
	return m;
}

static struct ibuf_pool *
pool(size_t max, unsigned flags, const struct ibuf_provider *provider)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *p;

	options.capacity = 64;
	options.headroom = 0;
	options.max = max;
	options.initial = max;
	options.flags = flags;
	options.private_size = 16;
	options.provider = provider;
	hold(ibuf_pool_create(&p, &options) == 0);
	return p;
}

/* ---- messages ------------------------------------------------------ */

static void
full(struct world *w)
{
	w->m = message(TEXT, LEN);
}

static void
shared(struct world *w)
{
	w->m = message(TEXT, LEN);
	w->kin = ibuf_mbuf_clone(w->m);
}

static void
sliced(struct world *w)
{
	w->kin = message("<" TEXT ">", LEN + 2);
	w->m = ibuf_mbuf_slice(w->kin, 1, LEN);
}

static void
read_only(struct world *w)
{
	w->m = ibuf_mbuf_wrap_const(TEXT, LEN, NULL, NULL);
}

static void
chained(struct world *w)
{
	w->m = message("abc", 3);
	hold(ibuf_mbuf_concat(w->m, message("def", 3)) == 0);
	hold(ibuf_mbuf_concat(w->m, message("ghij", 4)) == 0);
}

static void
chained_and_shared(struct world *w)
{
	chained(w);
	w->kin = ibuf_mbuf_clone(w->m);
}

static void
fill(struct world *w, struct ibuf_pool *p)
{
	w->pool = p;
	w->m = ibuf_pool_alloc(p);
	hold(w->m != NULL);
	hold(ibuf_mbuf_extend_tail(w->m, 54) != NULL);
	add(w->m, TEXT, LEN);
	hold(ibuf_mbuf_trim_head(w->m, 54) == 0);
}

static void
of_a_pool(struct world *w)
{
	fill(w, pool(0, 0, NULL));
}

static void
of_an_empty_pool_and_shared(struct world *w)
{
	fill(w, pool(1, 0, NULL));
	w->kin = ibuf_mbuf_clone(w->m);
}

static void
of_a_waiting_pool(struct world *w)
{
	fill(w, pool(2, IBUF_POOL_F_WAIT, NULL));
	w->kin = ibuf_mbuf_clone(w->m);
}

static void
of_a_pool_that_wipes_and_grown(struct world *w)
{
	fill(w, pool(0, IBUF_POOL_F_WIPE, NULL));
	hold(ibuf_mbuf_append_fill(w->m, 'x', 200) == 0);
	hold(ibuf_mbuf_trim_tail(w->m, 200) == 0);
	w->kin = ibuf_mbuf_clone(w->m);
}

static void
of_a_destroyed_pool(struct world *w)
{
	fill(w, pool(2, 0, NULL));
	hold(ibuf_pool_destroy(w->pool) == 1);
	w->pool = NULL;
}

/* ---- pools --------------------------------------------------------- */

static void
empty(struct world *w)
{
	w->pool = pool(0, 0, NULL);
}

static void
of_the_heap(struct world *w)
{
	w->pool = pool(0, 0, ibuf_provider_heap());
}

static void
of_huge_pages(struct world *w)
{
	w->pool = pool(0, 0, ibuf_provider_huge());
}

static void
that_waits(struct world *w)
{
	w->pool = pool(4, IBUF_POOL_F_WAIT, NULL);
}

static void
that_wipes(struct world *w)
{
	w->pool = pool(0, IBUF_POOL_F_WIPE, NULL);
}

static void
in_use(struct world *w)
{
	of_a_pool(w);
	w->kin = ibuf_mbuf_clone(w->m);
}

/* ---- queues -------------------------------------------------------- */

static void
queue(struct world *w, unsigned flags)
{
	struct ibuf_mbuf *inside = message("inside", 6);

	hold(ibuf_queue_create(&w->queue, 4, flags) == 0);
	hold(ibuf_queue_push(w->queue, inside) == 0);
	w->m = message(TEXT, LEN);
}

static void
without_promise(struct world *w)
{
	queue(w, 0);
}

static void
single(struct world *w)
{
	queue(w, IBUF_QUEUE_F_SINGLE_PRODUCER | IBUF_QUEUE_F_SINGLE_CONSUMER);
}

static void
polled(struct world *w)
{
	queue(w, 0);
	hold(ibuf_queue_fd(w->queue) >= 0);
	hold(ibuf_queue_len(w->queue) == 1);
	w->other = ibuf_queue_pop(w->queue);
	hold(ibuf_queue_pop(w->queue) == NULL); /* armed */
	hold(ibuf_queue_push(w->queue, w->other) == 0);
	w->other = NULL;
}

/* ---- descriptors --------------------------------------------------- */

static void
stream(struct world *w)
{
	int ends[2];

	hold(pipe(ends) == 0);
	w->from = ends[0];
	w->to = ends[1];
	hold(write(w->to, "stream", 6) == 6);
}

static void
full_stream(struct world *w)
{
	full(w);
	stream(w);
}

static void
chained_stream(struct world *w)
{
	chained_and_shared(w);
	stream(w);
}

static void
pool_stream(struct world *w)
{
	of_a_pool(w);
	stream(w);
}

static void
sockets(struct world *w)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t size = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	w->from = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	w->to = socket(AF_INET, SOCK_DGRAM, 0);
	hold(w->from >= 0 && w->to >= 0);
	hold(bind(w->from, (struct sockaddr *)&at, sizeof(at)) == 0);
	hold(getsockname(w->from, (struct sockaddr *)&at, &size) == 0);
	hold(connect(w->to, (struct sockaddr *)&at, sizeof(at)) == 0);
	for (int i = 0; i < DATAGRAMS; i++)
		hold(send(w->to, "came", 4, 0) == 4);
	w->pool = pool(0, 0, NULL);
	for (int i = 0; i < DATAGRAMS; i++) {
		w->datagrams[i].m = message(TEXT, LEN);
		w->controls[i].segment_size = LEN;
	}
}

static const struct {
	const char *name;
	enum kind kind;
	void (*make)(struct world *w);
} worlds[] = {
#define WORLD(kind, name)                                                      \
	{                                                                      \
#name, kind, name                                              \
	}
	WORLD(MESSAGE, full),
	WORLD(MESSAGE, shared),
	WORLD(MESSAGE, sliced),
	WORLD(MESSAGE, read_only),
	WORLD(MESSAGE, chained),
	WORLD(MESSAGE, chained_and_shared),
	WORLD(MESSAGE, of_a_pool),
	WORLD(MESSAGE, of_an_empty_pool_and_shared),
	WORLD(MESSAGE, of_a_waiting_pool),
	WORLD(MESSAGE, of_a_pool_that_wipes_and_grown),
	WORLD(MESSAGE, of_a_destroyed_pool),
	WORLD(SOME, full),
	WORLD(SOME, chained_and_shared),
	WORLD(SOME, of_an_empty_pool_and_shared),
	WORLD(SOME, of_a_waiting_pool),
	WORLD(POOL, empty),
	WORLD(POOL, of_the_heap),
	WORLD(POOL, of_huge_pages),
	WORLD(POOL, that_waits),
	WORLD(POOL, that_wipes),
	WORLD(POOL, in_use),
	WORLD(QUEUE, without_promise),
	WORLD(QUEUE, single),
	WORLD(QUEUE, polled),
	WORLD(STREAM, full_stream),
	WORLD(STREAM, chained_stream),
	WORLD(STREAM, pool_stream),
	WORLD(SOCKET, sockets),
#undef WORLD
};

const char *
world_make(struct world *w, enum kind kind, unsigned i, bool quick)
{
	w->to = w->from = -1;
	if (kind == NOTHING)
		return i == 0 ? "nothing" : NULL;
	if (kind == MESSAGE && quick)
		kind = SOME;
	for (size_t at = 0; at < COUNT(worlds); at++) {
		if (worlds[at].kind != kind || i-- != 0)
			continue;
		worlds[at].make(w);
		/* What comes now needs memory. */
		drain_owner(NULL);
		if (w->pool != NULL && w->m != NULL)
			drain(w->m);
		if (w->m != NULL)
			ibuf_cursor_init(&w->cursor, w->m);
		return worlds[at].name;
	}
	return NULL;
}

void
world_end(struct world *w)
{
	ibuf_mbuf_free_bulk(taken, n_taken);
	ibuf_queue_destroy(w->queue);
	ibuf_mbuf_free(w->m);
	ibuf_mbuf_free(w->kin);
	ibuf_mbuf_free(w->other);
	ibuf_mbuf_free(w->result);
	ibuf_mbuf_free_bulk(w->results, COUNT(w->results));
	for (int i = 0; i < DATAGRAMS; i++)
		ibuf_mbuf_free(w->datagrams[i].m);
	hold(ibuf_pool_destroy(w->made) == 0);
	hold(ibuf_pool_destroy(w->pool) == 0);
	if (w->to >= 0)
		close(w->to);
	if (w->from >= 0)
		close(w->from);
}
