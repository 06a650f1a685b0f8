/*
 * worker.c - a thread that serves clients.
 */
#include "worker.h"
#include "../../../common/complain.h"
#include "../base/clock.h"
#include "../base/memory.h"
#include "../base/room.h"
#include "client.h"
#include "congestion.h"
#include "hold.h"
#include "scarcity.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <utlist.h>

_Static_assert((int)OPTIONS_THREADS_MAX <= (int)DIRECTORY_WORKERS_MAX,
	       "the directory has a bit for each worker");

/* Events of a turn. */
enum { EVENTS = 256 };

/*
 * While what was gathered is for many, a turn looks for more so often, until
 * it has read so much.
 */
enum { LOOKS_MAX = 64, LOOK_BYTES = PIPES_MOST_BYTES };

/* Posts are taken in so many bulks at a time. */
enum { BULKS_MAX = 64 };

/* How often it looks after who must wait, and who has been quiet for long. */
enum { SLOWED_TURN_MS = 20, IDLE_TURN_MS = 1000 };

/* How long stopping may take, and how often it looks whether it is done. */
#define STOP_NS UINT64_C(5000000000)
enum { STOP_TURN_MS = 10 };

/*
 * While memory is used up: little requests are read all the same, to where
 * they keep no room.
 */
static ssize_t
read_little(struct client *c, struct ibuf_mbuf **read)
{
	size_t have = c->in != NULL ? ibuf_mbuf_len(c->in) : 0;
	struct ibuf_mbuf *m;
	ssize_t n;

	if (have >= SCARCITY_LITTLE_BYTES)
		return -ENOBUFS;
	m = ibuf_mbuf_new(SCARCITY_LITTLE_BYTES - have);
	if (m == NULL)
		return -ENOBUFS;
	n = ibuf_io_read(c->card.fd, m, ibuf_mbuf_tailroom(m));
	if (n > 0)
		*read = m;
	else
		ibuf_mbuf_free(m);
	return n;
}

static ssize_t
read_some(struct worker *w, struct client *c, struct ibuf_mbuf **read)
{
	ssize_t n = -ENOBUFS;

	if (w->starved_since_ns == 0) {
		if (memory_is_short(MEMORY_SLACK_BYTES))
			scarcity_begin(w);
		else
			n = room_read(w->relay->rooms, &w->room, c->card.fd,
				      read);
	}
	if (n != -ENOBUFS)
		return n;
	scarcity_begin(w);
	return read_little(c, read);
}

static void take_posts(struct worker *w);

/* Its socket has bytes, or its end. */
static void
read_client(struct worker *w, struct client *c)
{
	struct ibuf_mbuf *read;
	ssize_t n;

	if (c->is_doomed || !(c->events & EPOLLIN))
		return;
	n = read_some(w, c, &read);
	if (n == -EAGAIN)
		return;
	if (n == -ENOBUFS) {
		c->unread |= UNREAD_STARVED;
		client_watch(c);
		return;
	}
	if (n == 0 && c->holds != NULL) {
		c->unread |= UNREAD_ENDING;
		client_watch(c);
		return;
	}
	if (n <= 0) {
		/* Who says no more may still listen to the answers. */
		client_flush(c);
		client_doom(c);
		return;
	}
	count(&w->counters.bytes_in, (uint64_t)n);
	w->turn_bytes += (size_t)n;
	/* What others published before this came goes out before it. */
	if (ibuf_queue_len(w->queue.queue) > 0)
		take_posts(w);
	client_take(c, read);
}

static void
add_client(struct worker *w, struct post *post)
{
	struct client *c;

	c = w->is_stopping ? NULL : client_new(w, post->fd);
	if (c == NULL) {
		atomic_fetch_sub(&w->relay->accepted, 1);
		return;
	}
	post->fd = -1;
	count(&w->counters.connections, 1);
	DL_PREPEND(w->clients, c);
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
	fanout_finish(&w->fanout);
	/* Releases what this worker has posted; pairs with is_done(). */
	atomic_fetch_sub(&w->relay->reading, 1);
}

static void
take(struct worker *w, struct post *post)
{
	switch (post->what) {
	case POST_PUBLISH:
		fanout_deliver(&w->fanout, post->kind, post->body);
		break;
	case POST_RELAY:
		fanout_relay(&w->fanout, post->kind, post->topic, post->body);
		break;
	case POST_ANSWER:
		hold_fill(post->hold, post->body);
		post->body = NULL;
		break;
	case POST_CLIENT:
		add_client(w, post);
		break;
	default: /* is for the upstream */
		break;
	}
	post_free(post);
}

/* Do what others have posted; they may go on to post when that is less. */
static void
take_posts(struct worker *w)
{
	struct post *post, *next;

	for (unsigned i = 0; i < BULKS_MAX; i++) {
		post = post_take_all(&w->queue);
		if (post == NULL)
			break;
		for (; post != NULL; post = next) {
			size_t bytes = post->bytes;

			next = post->next;
			take(w, post);
			if (post_taken(&w->queue, bytes))
				relay_say_all(w->relay, WORD_RESUME);
		}
	}
}

static void
take_words(struct worker *w)
{
	unsigned words = post_words(&w->queue);

	if (words & WORD_KILL)
		doom_killed(w);
	if (words & WORD_FLUSH)
		scarcity_flush(w);
	if (words & WORD_SETTLE)
		for (struct client *c = w->clients; c != NULL; c = c->next)
			client_touch(c);
	if (words & WORD_RESUME)
		w->must_resume = true;
	if (words & WORD_STOP)
		stop(w);
}

void
relay_say_all(struct relay *r, unsigned words)
{
	for (unsigned i = 0; i < r->options.threads; i++)
		post_say(&r->workers[i]->queue, words);
	if (r->upstream_queue != NULL)
		post_say(r->upstream_queue, words);
}

/* Try again all that is held here, those first that wait longest. */
static void
resume(struct worker *w)
{
	struct client *list = w->held, *c;

	w->must_resume = false;
	w->held = NULL;
	w->held_end = &w->held;
	while ((c = congestion_next(&list)) != NULL) {
		if (!c->is_doomed)
			w->relay->execute(c);
		if (c->unread & UNREAD_HELD)
			continue;
		congestion_release(c);
		client_execute(c);
	}
}

static void
handle(struct worker *w, const struct epoll_event *event)
{
	struct client *c = event->data.ptr;

	if (event->data.ptr == &w->queue) {
		take_posts(w);
		return;
	}
	if (event->data.ptr == &w->queue.words) {
		take_words(w);
		return;
	}
	if ((event->events & (EPOLLERR | EPOLLHUP)) &&
	    !(event->events & EPOLLIN))
		client_doom(c);
	if (event->events & EPOLLIN)
		read_client(w, c);
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
		DL_DELETE(w->clients, c);
		client_free(c);
		atomic_fetch_sub(&w->relay->accepted, 1);
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
	take_posts(w);
	flush(w);
	for (c = w->clients; c != NULL; c = c->next)
		if (c->output.count > 0 && !c->is_doomed)
			return false;
	return true;
}

static int
turn_ms(struct worker *w)
{
	int ms;

	if (w->is_stopping)
		return STOP_TURN_MS;
	if (w->starved_since_ns != 0)
		return SCARCITY_TURN_MS;
	if (w->must_resume)
		return 0;
	ms = scarcity_tidy(w);
	if (w->slowed != NULL)
		return SLOWED_TURN_MS;
	if (w->relay->options.timeout_s != 0 && w->clients != NULL && ms < 0)
		return IDLE_TURN_MS;
	return ms;
}

/* Who was made to wait after a wrong password goes on. */
static void
hurry(struct worker *w)
{
	struct client *list = w->slowed, *c;

	w->slowed = NULL;
	for (; (c = list) != NULL;) {
		list = c->next_slowed;
		if (c->slowed_ns > w->now_ns) {
			c->next_slowed = w->slowed;
			w->slowed = c;
			continue;
		}
		client_clear(c, UNREAD_SLOWED);
		client_execute(c);
	}
}

/* Who has said nothing for long, and hears nothing, goes: once a second. */
static void
close_idle(struct worker *w)
{
	const uint64_t second = 1000000000;
	uint64_t most_ns = w->relay->options.timeout_s * second;

	if (most_ns == 0 || w->now_ns - w->idle_ns < second)
		return;
	w->idle_ns = w->now_ns;
	for (struct client *c = w->clients; c != NULL; c = c->next) {
		uint64_t active_ns = atomic_load_explicit(&c->card.active_ns,
							  memory_order_relaxed);

		if (w->now_ns > active_ns + most_ns && c->unread == 0 &&
		    c->output.count == 0 && client_subscriptions(c) == 0)
			client_doom(c);
	}
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
		if (w->must_resume && !w->is_stopping)
			resume(w);
		if (w->slowed != NULL)
			hurry(w);
		close_idle(w);
		flush(w);
		reap(w);
		if (w->fanout.topics.is_eased)
			relay_say_all(w->relay, WORD_RESUME);
		w->fanout.topics.is_eased = false;
		memory_settle();
	} while (!is_done(w));
	reap(w);
	while (w->clients != NULL) {
		client_doom(w->clients);
		reap(w);
	}
	ibuf_mbuf_free(w->room);
	w->room = NULL;
	fanout_flush(&w->fanout);
	memory_settle();
	return NULL;
}

/* What a client of ours has published goes to another worker. */
static bool
post_bodies(struct fanout *f, unsigned worker, enum kind kind,
	    struct ibuf_mbuf *bodies)
{
	struct worker *w =
		(void *)((char *)f - offsetof(struct worker, fanout));
	struct post *post = post_new(POST_PUBLISH);

	if (post == NULL) {
		ibuf_mbuf_free(bodies);
		return false;
	}
	post->kind = kind;
	post->body = bodies;
	if (post_send(&w->relay->workers[worker]->queue, post))
		return true;
	post_free(post);
	return false;
}

struct worker *
worker_start(struct relay *r, unsigned index)
{
	struct epoll_event posts = {.events = EPOLLIN}, words = posts;
	struct worker *w = calloc(1, sizeof(*w));

	if (w == NULL)
		goto no_worker;
	w->relay = r;
	w->index = index;
	w->fanout.settings = &r->settings;
	w->fanout.counters = &w->counters;
	w->fanout.push = client_push;
	w->fanout.post = post_bodies;
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
	posts.data.ptr = &w->queue;
	words.data.ptr = &w->queue.words;
	if (!fanout_init(&w->fanout) ||
	    epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->queue.fd, &posts) != 0 ||
	    epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->queue.words_fd, &words) != 0)
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
