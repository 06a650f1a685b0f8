/*
 * upstream_info.c - INFO: the upstream.
 */
#include "upstream.h"

bool
upstream_is_up(struct upstream *u)
{
	bool is_up;

	pthread_mutex_lock(&u->lock);
	is_up = u->state == LINK_READY;
	pthread_mutex_unlock(&u->lock);
	return is_up;
}

int
upstream_print(struct upstream *u, struct ibuf_mbuf *to)
{
	static const char *const states[] = {
		[LINK_IDLE] = "down",
		[LINK_PAUSING] = "down",
		[LINK_LOOKING] = "connecting",
		[LINK_CONNECTING] = "connecting",
		[LINK_GREETING] = "connecting",
		[LINK_READY] = "connected",
	};
	int error;

	pthread_mutex_lock(&u->lock);
	error = ibuf_mbuf_printf(to,
				 "upstream_state:%s\r\nupstream_host:%s\r\n"
				 "upstream_port:%s\r\n"
				 "upstream_last_error:%s\r\n",
				 states[u->state], u->host.host, u->host.port,
				 u->error);
	pthread_mutex_unlock(&u->lock);
	return error;
}
