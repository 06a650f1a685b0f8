/*
 * fanout.c - one message to all its subscribers.
 */
#include "fanout.h"
#include "../base/counters.h"
#include "../config/settings.h"
#include <stdlib.h>

/* Larger ones are shared until they are sent: a header costs less. */
enum { GATHER_COPY_BYTES = 512 };

/* Larger ones are not copied, and it pays to gather them for some only. */
enum { SMALL_BYTES = 4096 };

/* The bodies that are gathered with these heads before each, as a frame. */
static struct frame *
make_frame(struct fanout *f, const struct ibuf_mbuf *const *heads, size_t n)
{
	const struct gathered *g = &f->gathered;
	struct ibuf_mbuf *m =
		frames_join(&f->frames, heads, n, g->bodies, g->count);

	return m != NULL ? frame_new(m, (unsigned)(g->count * n)) : NULL;
}

/* What a class is sent.  NULL: no memory. */
static struct frame *
make_for(struct fanout *f, const struct route *route, const struct class *class)
{
	const struct ibuf_mbuf *heads[ROUTE_TOPICS];
	struct frame *frame;
	size_t n = 0;

	for (size_t i = 0; i < route->count; i++) {
		if ((class->topics >> i & 1) == 0)
			continue;
		heads[n] =
			frames_head(&f->frames, route->topics[i], class->resp);
		if (heads[n++] == NULL)
			return NULL;
	}
	frame = make_frame(f, heads, n);
	if (frame != NULL)
		pipes_load(&f->pipes, frame, class->members);
	return frame;
}

/* Which class a member is of. */
static size_t
class_of(const struct route *route, uint64_t topics, unsigned resp)
{
	size_t i = 0;

	while (route->classes[i].topics != topics ||
	       route->classes[i].resp != resp)
		i++;
	return i;
}

static void
give_topic(struct fanout *f, const struct route *route, size_t at,
	   struct frame *const *frames)
{
	const struct topic *topic = route->topics[at];
	const uint64_t own = UINT64_C(1) << at;
	uint64_t topics = 0;
	unsigned resp = 0;
	size_t class = 0;

	for (size_t i = 0; i < topic->count; i++) {
		struct subscriber *s = topic->members[i]->subscriber;
		uint64_t its = route->is_mixed ? s->topics : own;

		/* Who has several is given all at the first. */
		if ((its & (own - 1)) != 0)
			continue;
		if (its != topics || s->resp != resp)
			class = class_of(route, its, s->resp);
		topics = its;
		resp = s->resp;
		if (frames[class] != NULL)
			f->push(s, frames[class]);
	}
}

static void
give(struct fanout *f, struct route *route)
{
	struct frame *frames[ROUTE_CLASSES];

	if (route->is_mixed && f->routes.stamp != route->stamp)
		route_stamp(&f->routes, route);
	for (size_t i = 0; i < route->classes_count; i++) {
		frames[i] = make_for(f, route, &route->classes[i]);
		if (frames[i] == NULL)
			count(&f->counters->dropped,
			      route->classes[i].members * f->gathered.count);
	}
	for (size_t i = 0; i < route->count; i++)
		give_topic(f, route, i, frames);
	for (size_t i = 0; i < route->classes_count; i++)
		if (frames[i] != NULL)
			frame_put(frames[i]);
}

/* To each topic by itself: what was gathered is one message. */
static void
give_wide(struct fanout *f, struct route *route)
{
	for (size_t i = 0; i < route->count; i++) {
		struct topic *topic = route->topics[i];
		struct frame *frames[2] = {NULL, NULL};

		for (size_t j = 0; j < topic->count; j++) {
			struct subscriber *s = topic->members[j]->subscriber;
			struct frame **frame = &frames[s->resp - 2];
			const struct ibuf_mbuf *head =
				frames_head(&f->frames, topic, s->resp);

			if (*frame == NULL && head != NULL)
				*frame = make_frame(f, &head, 1);
			if (*frame != NULL)
				f->push(s, *frame);
			else
				count(&f->counters->dropped, 1);
		}
		for (size_t j = 0; j < 2; j++)
			if (frames[j] != NULL)
				frame_put(frames[j]);
	}
}

/* The other workers that have subscribers. */
static uint64_t
goes_further(const struct fanout *f, const struct route *route)
{
	return route->workers & ~(UINT64_C(1) << f->topics.worker);
}

static void
post(struct fanout *f, const struct route *route)
{
	uint64_t workers = goes_further(f, route);
	const struct gathered *g = &f->gathered;
	struct ibuf_mbuf *all;

	all = frames_join(&f->frames, NULL, 0, g->bodies, g->count);
	for (unsigned i = 0; workers != 0; i++, workers >>= 1) {
		struct ibuf_mbuf *m;

		if ((workers & 1) == 0)
			continue;
		m = all != NULL ? ibuf_mbuf_clone(all) : NULL;
		if (m == NULL || !f->post(f, i, route->kind, m))
			count(&f->counters->dropped, g->count);
	}
	ibuf_mbuf_free(all);
}

void
fanout_finish(struct fanout *f)
{
	struct gathered *g = &f->gathered;
	struct route *route = g->route;

	if (g->count == 0)
		return;
	if (!g->is_local && goes_further(f, route))
		post(f, route);
	if (route->is_wide)
		give_wide(f, route);
	else
		give(f, route);
	for (size_t i = 0; i < g->count; i++)
		ibuf_mbuf_free(g->bodies[i].m);
	g->route = NULL;
	g->count = 0;
	g->bytes = 0;
	g->used = 0;
}

/* As much as a pipe takes, and a quarter of what a subscriber may hold. */
static size_t
gathered_most(const struct fanout *f)
{
	size_t limit = settings_output_limit(f->settings) / 4;

	return limit < PIPES_MOST_BYTES ? limit : PIPES_MOST_BYTES;
}

bool
fanout_may_gather(const struct fanout *f)
{
	const struct gathered *g = &f->gathered;

	return g->count > 0 && g->route->members >= PIPES_LEAST_SUBSCRIBERS &&
	       g->bytes + g->bytes / g->count <= gathered_most(f);
}

/* What a message takes with the longest head of a channel before it. */
static size_t
room_of(size_t n)
{
	enum { HEAD_BYTES = 32 };

	return n + HEAD_BYTES;
}

/* Put it with what is gathered.  false: no memory. */
static bool
gather(struct gathered *g, const struct ibuf_mbuf *source, size_t off, size_t n)
{
	struct body *body = &g->bodies[g->count];

	*body = (struct body){.len = n};
	if (n <= GATHER_COPY_BYTES) {
		body->bytes = g->small + g->used;
		ibuf_mbuf_copy_out(source, off, g->small + g->used, n);
		g->used += n;
	} else {
		body->m = ibuf_mbuf_slice(source, off, n);
		if (body->m == NULL)
			return false;
	}
	g->count++;
	g->bytes += room_of(n);
	return true;
}

/* Add to what is gathered: for all workers, or for this one only. */
static void
add(struct fanout *f, struct route *route, const struct ibuf_mbuf *source,
    size_t off, size_t n, bool is_local)
{
	struct gathered *g = &f->gathered;
	size_t most = gathered_most(f);
	bool is_due =
		route->is_wide || room_of(n) > most ||
		(n > SMALL_BYTES && route->members < PIPES_LEAST_SUBSCRIBERS);

	if (route->members == 0 && (is_local || !goes_further(f, route)))
		return;
	if (is_due || g->is_local != is_local || g->count == GATHERED_MAX ||
	    g->bytes + room_of(n) > most ||
	    g->used + GATHER_COPY_BYTES > GATHERED_BYTES)
		fanout_finish(f);
	g->route = route;
	g->is_local = is_local;
	if (!gather(g, source, off, n))
		count(&f->counters->dropped, route->members);
	if (is_due)
		fanout_finish(f);
}

void
fanout_publish(struct fanout *f, struct route *route,
	       const struct ibuf_mbuf *source, size_t off, size_t n)
{
	add(f, route, source, off, n, false);
}

/* What was gathered for another route is given first. */
static struct route *
find_route(struct fanout *f, enum kind kind, const char *name, size_t len,
	   bool is_only)
{
	const struct gathered *g = &f->gathered;

	if (g->count > 0 &&
	    route_holds(&f->routes, g->route, kind, name, len, is_only))
		return g->route;
	fanout_finish(f);
	return route_find(&f->routes, kind, name, len, is_only);
}

struct route *
fanout_route(struct fanout *f, enum kind kind, const char *name, size_t len)
{
	return find_route(f, kind, name, len, false);
}

/*
 * Read "$4\r\n" at an offset, whose form was looked at before: how long the
 * bulk string is that it begins, and where its bytes are.
 */
static size_t
read_bulk(const struct ibuf_mbuf *m, size_t off, size_t *at)
{
	enum { LONGEST = 24 };
	uint8_t copy[LONGEST];
	size_t run, len = 0, i;
	const uint8_t *text = ibuf_mbuf_at(m, off, &run);

	if (run < LONGEST) {
		size_t n = ibuf_mbuf_len(m) - off;

		ibuf_mbuf_copy_out(m, off, copy, n < LONGEST ? n : LONGEST);
		text = copy;
	}
	for (i = 1; text[i] != '\r'; i++)
		len = len * 10 + (size_t)(text[i] - '0');
	*at = off + i + 2;
	return len;
}

/* The bytes of a bulk string in one piece. */
static bool
name_at(const struct ibuf_mbuf *m, size_t off, struct fanout_name *name)
{
	size_t at, run;

	name->len = read_bulk(m, off, &at);
	name->copy = NULL;
	name->bytes = (const char *)ibuf_mbuf_at(m, at, &run);
	if (run >= name->len)
		return true;
	name->copy = malloc(name->len);
	if (name->copy == NULL)
		return false;
	ibuf_mbuf_copy_out(m, at, name->copy, name->len);
	name->bytes = name->copy;
	return true;
}

bool
fanout_name(const struct ibuf_mbuf *body, struct fanout_name *name)
{
	return name_at(body, 0, name);
}

void
fanout_name_free(struct fanout_name *name)
{
	free(name->copy);
}

/* Messages that go to this worker's subscribers only. */
static void
deliver(struct fanout *f, enum kind kind, const struct fanout_name *name,
	bool is_only, const struct ibuf_mbuf *bodies)
{
	size_t all = ibuf_mbuf_len(bodies);

	for (size_t off = 0, end; off < all; off = end) {
		struct route *route;
		size_t at, len;

		len = read_bulk(bodies, off, &at);
		len = read_bulk(bodies, at + len + 2, &at);
		end = at + len + 2;
		route = find_route(f, kind, name->bytes, name->len, is_only);
		if (route == NULL) {
			count(&f->counters->dropped, 1);
			continue;
		}
		add(f, route, bodies, off, end - off, true);
	}
}

void
fanout_deliver(struct fanout *f, enum kind kind, const struct ibuf_mbuf *bodies)
{
	struct fanout_name name;

	if (fanout_name(bodies, &name))
		deliver(f, kind, &name, false, bodies);
	else
		count(&f->counters->dropped, 1);
	fanout_name_free(&name);
}

void
fanout_relay(struct fanout *f, enum kind kind,
	     const struct ibuf_mbuf *topic_name, const struct ibuf_mbuf *body)
{
	struct fanout_name name;

	if (fanout_name(topic_name, &name))
		deliver(f, kind, &name, true, body);
	else
		count(&f->counters->dropped, 1);
	fanout_name_free(&name);
}

enum topic_result
fanout_join(struct fanout *f, enum kind kind, const char *name, size_t len,
	    struct subscriber *s)
{
	fanout_finish(f);
	return topic_join(&f->topics, kind, name, len, s);
}

struct membership *
fanout_membership(struct fanout *f, enum kind kind, const char *name,
		  size_t len, const struct subscriber *s)
{
	return topic_membership(&f->topics, kind, name, len, s);
}

void
fanout_leave(struct fanout *f, struct membership *m)
{
	fanout_finish(f);
	topic_leave(&f->topics, m);
}

void
fanout_leave_all(struct fanout *f, enum kind kind, struct subscriber *s)
{
	while (s->mine[kind] != NULL)
		fanout_leave(f, s->mine[kind]);
}

void
fanout_speak(struct fanout *f, struct subscriber *s, unsigned resp)
{
	fanout_finish(f);
	s->resp = resp;
	directory_change(f->topics.directory);
}

bool
fanout_init(struct fanout *f)
{
	f->routes.topics = &f->topics;
	f->gathered.small = malloc(GATHERED_BYTES);
	return f->gathered.small != NULL && frames_init(&f->frames);
}

void
fanout_flush(struct fanout *f)
{
	fanout_finish(f);
	frames_flush(&f->frames);
	routes_flush(&f->routes);
	pipes_close(&f->pipes);
}

void
fanout_destroy(struct fanout *f)
{
	fanout_flush(f);
	frames_destroy(&f->frames);
	free(f->gathered.small);
	f->gathered.small = NULL;
}
