/*
 * upstream_info.c - INFO: the upstream.
 */
#include "../metrics/stats.h"
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

/* What is no number; those are in stats.c. */
static int
print_texts(struct upstream *u, struct ibuf_mbuf *to)
{
	static const char *const states[] = {
		[LINK_IDLE] = "down",
		[LINK_PAUSING] = "down",
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

int
upstream_print(struct relay *r, struct ibuf_mbuf *to)
{
	int error = ibuf_mbuf_printf(to, "# Upstream\r\n");

	if (error == 0 && r->upstream != NULL)
		error = print_texts(r->upstream, to);
	if (error == 0 && r->upstream != NULL)
		error = stats_print_info(r, STATS_UPSTREAM, to);
	return error;
}
