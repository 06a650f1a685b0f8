/*
 * listen.c - where clients come in.
 */
#include "listen.h"
#include "../../../common/complain.h"
#include "../base/log.h"
#include "relay.h"
#include "worker.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* How long accepting pauses, and how many clients may wait meanwhile. */
enum { PAUSE_MS = 100, BACKLOG = 511 };

/* A peer that is gone without a word is noticed after ten minutes. */
enum { ALIVE_IDLE_S = 300, ALIVE_INTERVAL_S = 100, ALIVE_COUNT = 3 };

int
listen_tcp(const char *address, const char *port)
{
	struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found;
	int one = 1, fd, error;

	error = getaddrinfo(address, port, &hints, &found);
	if (error != 0) {
		complain("cannot listen on %s port %s: %s", address, port,
			 gai_strerror(error));
		return -1;
	}
	fd = socket(found->ai_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    bind(fd, found->ai_addr, found->ai_addrlen) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		complain("cannot listen on %s port %s: %s", address, port,
			 strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	} else {
		log_line("listening on %s port %s", address, port);
	}
	freeaddrinfo(found);
	return fd;
}

static int
open_unix(const char *path, unsigned mode)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat status;
	mode_t mask;
	int fd;

	memcpy(address.sun_path, path, strlen(path));
	/* A socket that a former run left; nothing else is removed. */
	if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode)) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, (void *)&address, sizeof(address)) != 0 &&
		    errno == ECONNREFUSED)
			unlink(path);
		close(fd);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* Not for a moment may more than that be allowed. */
	mask = umask(0);
	umask(mode != 0 ? ~mode & 0777 : mask);
	if (fd >= 0 && bind(fd, (void *)&address, sizeof(address)) != 0) {
		complain("cannot listen on %s: %s", path, strerror(errno));
		close(fd);
		umask(mask);
		return -1;
	}
	umask(mask);
	if (fd < 0 || listen(fd, BACKLOG) != 0) {
		complain("cannot listen on %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	log_line("listening on %s", path);
	return fd;
}

bool
listen_open(struct listeners *l, const struct options *o)
{
	*l = (struct listeners){.fds = {-1, -1}};
	if (strcmp(o->port, "0") != 0) {
		l->fds[0] = listen_tcp(o->bind, o->port);
		if (l->fds[0] < 0)
			return false;
	}
	if (o->unix_path != NULL) {
		l->fds[1] = open_unix(o->unix_path, o->unix_mode);
		if (l->fds[1] < 0) {
			listen_close(l);
			return false;
		}
		l->unix_path = o->unix_path;
	}
	return true;
}

void
listen_close(struct listeners *l)
{
	for (unsigned i = 0; i < 2; i++) {
		if (l->fds[i] >= 0)
			close(l->fds[i]);
		l->fds[i] = -1;
	}
	if (l->unix_path != NULL)
		unlink(l->unix_path);
	l->unix_path = NULL;
}

/* What a socket of TCP does not know fails for one of the Unix domain. */
static void
set_options(int fd)
{
	int one = 1, idle = ALIVE_IDLE_S, interval = ALIVE_INTERVAL_S;
	int alive_count = ALIVE_COUNT;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &alive_count,
		   sizeof(alive_count));
}

static bool
is_of_this_machine(const struct sockaddr_storage *peer)
{
	static const struct in6_addr mapped = {
		{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127}}};
	const struct sockaddr_in *in = (const void *)peer;
	const struct sockaddr_in6 *in6 = (const void *)peer;

	if (peer->ss_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	if (peer->ss_family != AF_INET6)
		return true;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) ||
	       memcmp(&in6->sin6_addr, &mapped, 13) == 0;
}

/* Why it is not let in; NULL: it is. */
static const char *
refusal(struct relay *r, const struct sockaddr_storage *peer)
{
	if (r->options.max_clients != 0 &&
	    atomic_load(&r->accepted) >= r->options.max_clients)
		return "-ERR max number of clients reached\r\n";
	if (!r->options.is_unprotected &&
	    !settings_has_password(&r->settings) && !is_of_this_machine(peer))
		return "-DENIED ibuf-relay runs in protected mode, and has no "
		       "password: it serves clients of its own machine only. "
		       "Give it one with --requirepass or --password-file, or "
		       "start it with --protected-mode=no\r\n";
	return NULL;
}

/* false: it must pause. */
static bool
accept_one(struct relay *r, int listener, unsigned *turn)
{
	struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(peer);
	const char *why;
	struct post *post;
	int fd = accept4(listener, (void *)&peer, &len,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0 && (why = refusal(r, &peer)) != NULL) {
		(void)send(fd, why, strlen(why), MSG_NOSIGNAL);
		close(fd);
		atomic_fetch_add(&r->rejected, 1);
		return true;
	}
	if (fd < 0)
		return errno != EMFILE && errno != ENFILE && errno != ENOMEM &&
		       errno != ENOBUFS;
	set_options(fd);
	post = post_new(POST_CLIENT);
	if (post == NULL) {
		close(fd);
		return false;
	}
	post->fd = fd;
	atomic_fetch_add(&r->accepted, 1);
	/* A worker waits for nobody, so this does not wait for long. */
	if (!post_send_wait(&r->workers[*turn]->queue, post))
		post_free(post);
	*turn = (*turn + 1) % r->options.threads;
	return true;
}

void
listen_run(struct relay *r, struct listeners *l, int signals)
{
	struct pollfd polled[] = {
		{.fd = signals, .events = POLLIN},
		{.fd = l->fds[0], .events = POLLIN},
		{.fd = l->fds[1], .events = POLLIN},
	};
	struct signalfd_siginfo info;
	unsigned turn = 0;
	bool is_paused = false;

	for (;;) {
		bool good = true;

		if (poll(polled, is_paused ? 1 : 3, is_paused ? PAUSE_MS : -1) <
		    0)
			continue;
		if (polled[0].revents != 0 &&
		    read(signals, &info, sizeof(info)) > 0) {
			if (info.ssi_signo != SIGHUP) {
				log_line("signal %u: ending", info.ssi_signo);
				return;
			}
			log_reopen();
		}
		for (unsigned i = 1; i < 3 && good; i++)
			if (is_paused || polled[i].revents != 0)
				good = polled[i].fd < 0 ||
				       accept_one(r, polled[i].fd, &turn);
		if (!good && !is_paused) {
			log_warning("no client can be accepted for now: %s",
				    strerror(errno));
			atomic_fetch_add(&r->accept_pauses, 1);
		}
		is_paused = !good;
	}
}
