/* bufferevent.c - the echo of W18 by libevent; what came is moved, not copied. */
#include "listen.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

static void
came(struct bufferevent *b, void *arg)
{
	(void)arg;
	evbuffer_add_buffer(bufferevent_get_output(b),
			    bufferevent_get_input(b));
}

static void
ended(struct bufferevent *b, short what, void *arg)
{
	(void)what;
	(void)arg;
	bufferevent_free(b);
}

static void
accepted(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *peer,
	 int len, void *base)
{
	struct bufferevent *b =
		bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	(void)l;
	(void)peer;
	(void)len;
	/* As much a call as the others read. */
	bufferevent_set_max_single_read(b, 65536);
	bufferevent_set_max_single_write(b, 65536);
	bufferevent_setcb(b, came, NULL, ended, NULL);
	bufferevent_enable(b, EV_READ | EV_WRITE);
}

int
main(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;
	int fd = listen_and_say();

	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	base = event_base_new_with_config(config);
	evutil_make_socket_nonblocking(fd);
	evconnlistener_new(base, accepted, base, 0, 0, fd);
	return event_base_dispatch(base);
}
