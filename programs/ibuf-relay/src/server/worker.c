/*
 * worker.c - a thread that serves clients.
 */
#include "worker.h"
#include "../../../common/complain.h"
#include "../base/clock.h"
#include "../base/room.h"
#include "congestion.h"
#include "hold.h"
#include "scarcity.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

_Static_assert((int)OPTIONS_THREADS_MAX <= (int)DIRECTORY_WORKERS_MAX,
	       "the directory has a bit for each worker");

/* Events of a turn. */
enum { EVENTS = 256 };

/*
 * While what was gathered is for many, a turn looks for more so often, until
 * it has read so much.
 */
enum { LOOKS_MAX = 64, LOOK_BYTES = PIPES_MOST_BYTES };

/* How long stopping may take, and how often it looks whether it is done. */
#define STOP_NS UINT64_C(5000000000)
enum { STOP_TURN_MS = 10 };

ssize_t
worker_read(struct worker *w, int fd, struct ibuf_mbuf **read)
{
	ssize_t n = room_read(w->relay->rooms, &w->room, fd, read);

	if (n == -ENOBUFS)
		scarcity_begin(w);
	if (n > 0)
		w->turn_bytes += (size_t)n;
	return n;
}

static void
add_client(struct worker *w, struct post *post)
{
	struct client *c;

	if (w->is_stopping)
		return;
	c = client_new(w, post->fd);
	post->fd = -1;
	if (c == NULL)
		return;
	count(&w->counters.connections, 1);
	c->next = w->clients;
	if (c->next != NULL)
		c->next->prev = c;
	w->clients = c;
}

static void
doom_killed(struct worker *w)
{
	for (struct client *c = w->clients; c != NULL; c = c->next)
		if (atomic_load(&c->card.is_killed))
			client_doom(c);
}

static void
stop(struct worker *w)
{
	if (w->is_stopping)
		return;
	w->is_stopping = true;
	w->stop_ns = w->now_ns + STOP_NS;
	for (struct client *c = w->clients; c != NULL; c = c->next) {
		c->unread |= UNREAD_STOPPING;
		client_watch(c);
	}
	/* Releases what this worker has posted; pairs with is_done(). */
	atomic_fetch_sub(&w->relay->reading, 1);
}

static void
take(struct worker *w, struct post *post)
{
	switch (post->what) {
	case POST_PUBLISH:
		fanout_deliver_body(&w->fanout, post->kind, post->body);
		congestion_taken(w, post);
		break;
	case POST_RELAY:
		fanout_relay(&w->fanout, post->kind, post->topic, post->body);
		break;
	case POST_ANSWER:
		hold_fill(post->hold, post->body);
		post->hold = NULL;
		post->body = NULL;
		break;
	case POST_CLIENT:
		add_client(w, post);
		break;
	case POST_KILL:
		doom_killed(w);
		break;
	case POST_FLUSH:
		ibuf_pool_flush(w->relay->rooms);
		break;
	case POST_SETTLE:
		for (struct client *c = w->clients; c != NULL; c = c->next)
			client_touch(c);
		break;
	case POST_STOP:
		stop(w);
		break;
	default: /* is for the upstream */
		break;
	}
	post_free(post);
}

void
worker_take_posts(struct worker *w)
{
	struct post *post = post_take_all(&w->queue), *next;

	for (; post != NULL; post = next) {
		next = post_next(post);
		take(w, post);
	}
}

bool
worker_tell(struct worker *w, enum post_what what)
{
	return post_tell(&w->queue, what);
}

void
worker_tell_all(struct relay *r, enum post_what what)
{
	for (unsigned i = 0; i < r->options.threads; i++)
		worker_tell(r->workers[i], what);
}

static void
handle(struct worker *w, const struct epoll_event *event)
{
	struct client *c = event->data.ptr;

	if (c == NULL) {
		post_queue_rearm(&w->queue);
		worker_take_posts(w);
		return;
	}
	if ((event->events & (EPOLLERR | EPOLLHUP)) &&
	    !(event->events & EPOLLIN))
		client_doom(c);
	if (event->events & EPOLLIN)
		client_readable(c);
	if ((event->events & EPOLLOUT) && !c->is_doomed)
		client_flush(c);
}

/*
 * The next of those that have something to send.  NULL: none has, and nothing
 * is gathered.
 */
static struct client *
take_dirty(struct worker *w)
{
	struct client *c;

	fanout_finish(&w->fanout);
	c = w->dirty;
	if (c != NULL) {
		w->dirty = c->next_dirty;
		c->is_dirty = false;
	}
	return c;
}

static void
flush(struct worker *w)
{
	struct client *c;

	/* What resumes may add to the list, and publish. */
	while ((c = take_dirty(w)) != NULL)
		if (!c->is_doomed)
			client_flush(c);
}

static void
reap(struct worker *w)
{
	while (w->doomed != NULL) {
		struct client *c = w->doomed;

		w->doomed = c->next_doomed;
		if (c->next != NULL)
			c->next->prev = c->prev;
		if (c->prev != NULL)
			c->prev->next = c->next;
		else
			w->clients = c->next;
		client_free(c);
	}
}

/* Nobody publishes any more, and all is sent or the time is over. */
static bool
is_done(struct worker *w)
{
	const struct client *c;

	if (!w->is_stopping)
		return false;
	if (w->now_ns >= w->stop_ns)
		return true;
	/* Acquires what the others had posted when they stopped. */
	if (atomic_load(&w->relay->reading) != 0)
		return false;
	worker_take_posts(w);
	flush(w);
	for (c = w->clients; c != NULL; c = c->next)
		if ((c->out != NULL || c->holds != NULL) && !c->is_doomed)
			return false;
	return true;
}

static int
turn_ms(const struct worker *w)
{
	if (w->is_stopping)
		return STOP_TURN_MS;
	return w->starved_since_ns != 0 ? SCARCITY_TURN_MS : -1;
}

/* More to send to the same subscribers may have come meanwhile. */
static bool
may_look_again(const struct worker *w)
{
	return fanout_may_gather(&w->fanout) && w->turn_bytes < LOOK_BYTES;
}

static void *
run(void *arg)
{
	struct worker *w = arg;
	struct epoll_event events[EVENTS];

	do {
		int n = epoll_wait(w->epoll, events, EVENTS, turn_ms(w));

		w->now_ns = clock_now_ns();
		w->turn_bytes = 0;
		for (int looks = 0; n > 0; looks++) {
			for (int i = 0; i < n; i++)
				handle(w, &events[i]);
			if (looks == LOOKS_MAX || !may_look_again(w))
				break;
			n = epoll_wait(w->epoll, events, EVENTS, 0);
		}
		if (w->starved_since_ns != 0)
			scarcity_turn(w);
		if (atomic_exchange(&w->must_resume, false) && !w->is_stopping)
			congestion_resume(w);
		flush(w);
		reap(w);
		if (w->fanout.topics.is_eased)
			congestion_ease(w->relay);
		w->fanout.topics.is_eased = false;
	} while (!is_done(w));
	reap(w);
	while (w->clients != NULL) {
		client_doom(w->clients);
		reap(w);
	}
	ibuf_mbuf_free(w->room);
	w->room = NULL;
	fanout_flush(&w->fanout);
	return NULL;
}

struct worker *
worker_start(struct relay *r, unsigned index)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	struct worker *w = calloc(1, sizeof(*w));

	if (w == NULL)
		goto no_worker;
	w->relay = r;
	w->index = index;
	w->fanout.settings = &r->settings;
	w->fanout.counters = &w->counters;
	w->fanout.push = client_push;
	w->fanout.topics.directory = r->directory;
	w->fanout.topics.worker = index;
	w->fanout.frames.rooms = r->rooms;
	w->fanout.frames.replies = r->replies;
	w->held_end = &w->held;
	if (post_queue_init(&w->queue) != 0)
		goto no_queue;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0)
		goto no_epoll;
	if (!fanout_init(&w->fanout) ||
	    epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->queue.fd, &event) != 0)
		goto no_thread;
	errno = pthread_create(&w->thread, NULL, run, w);
	if (errno != 0)
		goto no_thread;
	return w;
no_thread:
	fanout_destroy(&w->fanout);
	close(w->epoll);
no_epoll:
	post_queue_destroy(&w->queue);
no_queue:
	free(w);
no_worker:
	complain("cannot start a thread: %s", strerror(errno));
	return NULL;
}

void
worker_join(struct worker *w)
{
	pthread_join(w->thread, NULL);
}

void
worker_free(struct worker *w)
{
	fanout_destroy(&w->fanout);
	close(w->epoll);
	post_queue_destroy(&w->queue);
	free(w);
}
