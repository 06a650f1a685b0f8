/*
 * upstream.c - the thread that has the connections upstream.
 */
#include "upstream.h"
#include "../../../common/complain.h"
#include "../base/clock.h"
#include "../base/log.h"
#include "../base/memory.h"
#include "../base/room.h"
#include "../server/hold.h"
#include "../server/scarcity.h"
#include "../server/worker.h"
#include "forward.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 64 };

#define MS UINT64_C(1000000)

/* Less than a worker has, which waits for us. */
#define STOP_NS (4000 * MS)

/* How long no room to read into is suffered. */
#define STARVED_NS (1000 * MS)

/* How often something is looked for that nobody tells. */
#define LOOK_NS (100 * MS)
#define LOOK_OFTEN_NS (10 * MS)

/* Marsaglia's xorshift. */
uint64_t
upstream_chance(struct upstream *u)
{
	u->chance ^= u->chance << 13;
	u->chance ^= u->chance >> 7;
	u->chance ^= u->chance << 17;
	return u->chance >> 11;
}

ssize_t
upstream_read(struct upstream *u, int fd, struct ibuf_mbuf **read)
{
	ssize_t n = room_read(u->relay->rooms, &u->room, fd, read);

	if (n > 0)
		count(&u->counts.bytes_in, (uint64_t)n);
	if (n == -ENOBUFS && u->starved_since_ns == 0) {
		u->starved_since_ns = u->now_ns;
		relay_say_all(u->relay, WORD_FLUSH);
	}
	return n;
}

/* Posts of one worker keep their order. */
void
upstream_send(struct upstream *u, struct worker *to, struct post *post)
{
	post->to = to;
	if (u->unsent.first != NULL || !post_send(&to->queue, post))
		post_list_add(&u->unsent, post);
}

static void
send_unsent(struct upstream *u)
{
	while (u->unsent.first != NULL &&
	       post_send(&u->unsent.first->to->queue, u->unsent.first))
		(void)post_list_take(&u->unsent);
}

void
upstream_answer(struct upstream *u, struct post *post, struct ibuf_mbuf *answer)
{
	ibuf_mbuf_free(post->body);
	post->body = answer;
	post->what = POST_ANSWER;
	upstream_send(u, post->hold->worker, post);
}

bool
upstream_is_held(struct upstream *u)
{
	bool is_held = u->unsent.first != NULL;

	for (unsigned i = 0; i < u->relay->options.threads && !is_held; i++)
		is_held = post_queue_is_full(&u->relay->workers[i]->queue);
	return is_held;
}

bool
upstream_note(struct upstream *u, const char *words)
{
	bool is_new;

	pthread_mutex_lock(&u->lock);
	is_new = strcmp(u->error, words) != 0;
	snprintf(u->error, sizeof(u->error), "%s", words);
	pthread_mutex_unlock(&u->lock);
	return is_new;
}

void
upstream_failed(struct upstream *u, const char *words)
{
	if (upstream_note(u, words))
		log_warning("upstream: %s", words);
}

void
upstream_lost(struct upstream *u, struct link *l)
{
	struct due due;

	count(&u->counts.losses, 1);
	while (link_take_due(l, &due)) {
		if (due.what == DUE_PUBLISH)
			forward_lost(u, l, &due);
		else if (due.what == DUE_JOIN || due.what == DUE_LEAVE)
			want_lost(u, &due);
	}
	want_link_lost(u, l);
	if (l == u->main) {
		u->slots.is_due = false;
		u->slots.is_known = false;
	} else {
		slots_doubt(u);
	}
}

void
upstream_moved(struct upstream *u)
{
	want_ask_all(u);
	forward_resume(u);
}

static void
take(struct upstream *u, struct post *post)
{
	switch (post->what) {
	case POST_FORWARD:
		forward_take(u, post);
		return;
	case POST_CONFIRM:
		want_confirm(u, post);
		return;
	case POST_WANT:
	case POST_UNWANT:
		want_set(u, post, post->what == POST_WANT);
		break;
	default:
		break;
	}
	post_free(post);
}

static void
take_posts(struct upstream *u)
{
	struct post *post, *next;

	while ((post = post_take_all(&u->queue)) != NULL) {
		for (; post != NULL; post = next) {
			size_t bytes = post->bytes;

			next = post->next;
			take(u, post);
			if (post_taken(&u->queue, bytes))
				relay_say_all(u->relay, WORD_RESUME);
		}
	}
}

static void
flush(struct upstream *u)
{
	if (u->starved_since_ns == 0) {
		ibuf_mbuf_free(u->room);
		u->room = NULL;
	}
	ibuf_pool_flush(u->relay->rooms);
	ibuf_pool_flush(u->relay->replies);
	post_flush();
	memory_settle();
}

static void
take_words(struct upstream *u)
{
	unsigned words = post_words(&u->queue);

	if (words & WORD_FLUSH)
		flush(u);
	if (words & WORD_RELAYS)
		link_greet_again(u->main);
	if ((words & WORD_STOP) && !u->is_stopping) {
		u->is_stopping = true;
		u->stop_ns = u->now_ns + STOP_NS;
		want_give_up(u, true);
		forward_give_up(u, true);
	}
}

/*
 * There was no room to read into.  Who holds most goes: a client, or the link
 * that a message comes through which is too large for --max-memory.
 */
static void
suffer(struct upstream *u)
{
	struct link *l, *most = u->main;

	u->room = u->room != NULL ? u->room : room_new(u->relay->rooms);
	if (u->room != NULL) {
		u->starved_since_ns = 0;
		for (l = u->links; l != NULL; l = l->next)
			l->is_starved = false;
		return;
	}
	if (u->now_ns - u->starved_since_ns < STARVED_NS)
		return;
	u->starved_since_ns = u->now_ns;
	for (l = u->links; l != NULL; l = l->next)
		if (link_input(l) > link_input(most))
			most = l;
	if (scarcity_evict(u->relay, link_input(most)) > 0)
		count(&u->counts.evicted, 1);
	else
		link_lose(most,
			  "there is no memory for a message of more than "
			  "%zu bytes",
			  link_input(most));
	relay_say_all(u->relay, WORD_FLUSH);
}

/* Of no use any more: no slots, and nothing under way. */
static bool
is_over(const struct upstream *u, const struct link *l)
{
	return l != u->main && !l->is_owner && l->dues == NULL &&
	       l->waiting.first == NULL;
}

static void
turn_links(struct upstream *u, uint64_t *look_ns)
{
	struct link **at = &u->links, *l;

	while ((l = *at) != NULL) {
		uint64_t ns;

		link_flush(l);
		if (l->is_lost)
			link_bury(l);
		if (is_over(u, l)) {
			want_link_lost(u, l);
			*at = l->next;
			link_free(l);
			continue;
		}
		ns = link_tick(l);
		link_flush(l);
		*look_ns = ns < *look_ns ? ns : *look_ns;
		at = &l->next;
	}
}

static void
tell_state(struct upstream *u)
{
	pthread_mutex_lock(&u->lock);
	u->state = u->main->state;
	u->host = u->main->host;
	pthread_mutex_unlock(&u->lock);
}

/* All there is to do without an event; when to look again. */
static uint64_t
turn(struct upstream *u)
{
	uint64_t look_ns = u->now_ns + 1000 * LOOK_NS, ns;

	send_unsent(u);
	if (u->starved_since_ns != 0)
		suffer(u);
	if (u->is_held && !upstream_is_held(u)) {
		u->is_held = false;
		if (u->starved_since_ns == 0)
			for (struct link *l = u->links; l != NULL; l = l->next)
				l->is_starved = false;
	}
	if (u->confirms > 0)
		want_give_up(u, u->is_stopping);
	forward_give_up(u, u->is_stopping);
	ns = slots_tick(u);
	look_ns = ns < look_ns ? ns : look_ns;
	turn_links(u, &look_ns);
	tell_state(u);
	ns = UINT64_MAX;
	if (u->confirms > 0 || atomic_load(&u->counts.waiting) > 0)
		ns = u->now_ns + LOOK_NS;
	if (u->is_stopping || u->starved_since_ns != 0 || u->is_held ||
	    u->unsent.first != NULL)
		ns = u->now_ns + LOOK_OFTEN_NS;
	return ns < look_ns ? ns : look_ns;
}

/* Nobody publishes any more, and all is answered or the time is over. */
static bool
is_done(struct upstream *u)
{
	if (!u->is_stopping)
		return false;
	if (u->now_ns >= u->stop_ns)
		return true;
	/* Acquires what the workers had posted when they stopped. */
	if (atomic_load(&u->relay->reading) != 1)
		return false;
	take_posts(u);
	send_unsent(u);
	return u->unsent.first == NULL &&
	       atomic_load(&u->counts.in_flight) == 0 &&
	       atomic_load(&u->counts.waiting) == 0;
}

/* What is still under way is answered with an error. */
static void
end(struct upstream *u)
{
	for (struct link *l = u->links; l != NULL; l = l->next) {
		if (l->fd < 0)
			continue;
		link_lose(l, "ending");
		link_bury(l);
	}
	forward_give_up(u, true);
	want_free_all(u);
	send_unsent(u);
	/* Releases what was posted; pairs with is_done() of the workers. */
	atomic_fetch_sub(&u->relay->reading, 1);
}

static int
wait_ms(uint64_t look_ns)
{
	uint64_t now_ns = clock_now_ns();

	if (look_ns <= now_ns)
		return 0;
	return (int)((look_ns - now_ns + MS - 1) / MS);
}

static void *
run(void *arg)
{
	struct upstream *u = arg;
	struct epoll_event events[EVENTS];
	uint64_t look_ns;

	u->now_ns = clock_now_ns();
	link_want(u->main);
	do {
		int n;

		look_ns = turn(u);
		n = epoll_wait(u->epoll, events, EVENTS, wait_ms(look_ns));
		u->now_ns = clock_now_ns();
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &u->queue)
				take_posts(u);
			else if (events[i].data.ptr == &u->queue.words)
				take_words(u);
			else
				link_handle(events[i].data.ptr,
					    events[i].events);
		}
	} while (!is_done(u));
	end(u);
	return NULL;
}

/* The directory's lock is held: the order of the posts is that of changes. */
static bool
changed(void *arg, enum kind kind, const char *name, size_t len, bool is_there)
{
	struct upstream *u = arg;
	struct post *post = post_new(is_there ? POST_WANT : POST_UNWANT);

	if (post == NULL)
		return false;
	post->kind = kind;
	post->body = ibuf_mbuf_from(name, len);
	if (post->body == NULL) {
		post_free(post);
		return false;
	}
	if (post_send(&u->queue, post))
		return true;
	post_free(post);
	return false;
}

struct upstream *
upstream_new(struct relay *r)
{
	struct epoll_event posts = {.events = EPOLLIN}, words = posts;
	struct upstream *u = calloc(1, sizeof(*u));

	if (u == NULL)
		goto no_upstream;
	u->relay = r;
	u->host = r->options.upstream.hosts[0];
	/* Never 0, or it would stay so. */
	u->chance = (clock_now_ns() ^ (uint64_t)getpid() << 32) | 1;
	slots_init(&u->slots);
	pthread_mutex_init(&u->lock, NULL);
	if (post_queue_init(&u->queue) != 0)
		goto no_queue;
	u->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (u->epoll < 0)
		goto no_epoll;
	u->main = link_new(u, &u->host);
	u->links = u->main;
	posts.data.ptr = &u->queue;
	words.data.ptr = &u->queue.words;
	if (u->main == NULL || !forward_init(u) ||
	    epoll_ctl(u->epoll, EPOLL_CTL_ADD, u->queue.fd, &posts) != 0 ||
	    epoll_ctl(u->epoll, EPOLL_CTL_ADD, u->queue.words_fd, &words) != 0)
		goto no_link;
	u->main->is_main = true;
	r->upstream_queue = &u->queue;
	return u;
no_link:
	forward_destroy(u);
	free(u->main);
	close(u->epoll);
no_epoll:
	post_queue_destroy(&u->queue);
no_queue:
	pthread_mutex_destroy(&u->lock);
	free(u);
no_upstream:
	complain("cannot prepare for the upstream: %s", strerror(errno));
	return NULL;
}

bool
upstream_start(struct upstream *u)
{
	directory_watch(u->relay->directory, changed, u);
	errno = pthread_create(&u->thread, NULL, run, u);
	if (errno == 0)
		return true;
	complain("cannot start a thread: %s", strerror(errno));
	return false;
}

void
upstream_join(struct upstream *u)
{
	pthread_join(u->thread, NULL);
}

void
upstream_free(struct upstream *u)
{
	while (u->links != NULL) {
		struct link *l = u->links;

		u->links = l->next;
		link_free(l);
	}
	while (u->unsent.first != NULL)
		post_free(post_list_take(&u->unsent));
	forward_destroy(u);
	ibuf_mbuf_free(u->room);
	free(u->scratch);
	close(u->epoll);
	post_queue_destroy(&u->queue);
	pthread_mutex_destroy(&u->lock);
	free(u);
}
