/*
 * pipes.c - send one frame to many sockets without a copy for each.
 */
#include "pipes.h"
#include "frame.h"
#include <fcntl.h>
#include <unistd.h>

/* Give a pipe room for so many bytes, or for less if the system is short. */
static bool
make_room(struct load *load, size_t bytes)
{
	int room;

	if (load->room >= bytes)
		return true;
	if (load->room == 0 && pipe2(load->pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	room = fcntl(load->pipe[1], F_SETPIPE_SZ, (int)bytes);
	if (room < 0)
		room = fcntl(load->pipe[1], F_GETPIPE_SZ);
	load->room = (size_t)room;
	return load->room >= PIPES_LEAST_BYTES;
}

static void
close_load(struct load *load)
{
	if (load->room > 0) {
		close(load->pipe[0]);
		close(load->pipe[1]);
	}
	load->room = 0;
}

/*
 * Take so many bytes out of a pipe.  false: that cannot be, and nobody knows
 * what it holds.
 */
static bool
drain(struct pipes *p, const struct load *load, size_t n)
{
	while (n > 0) {
		ssize_t gone = splice(load->pipe[0], NULL, p->nowhere, NULL, n,
				      SPLICE_F_NONBLOCK);

		if (gone <= 0) {
			p->are_refused = true;
			return false;
		}
		n -= (size_t)gone;
	}
	return true;
}

void
pipes_unload(struct load *load)
{
	if (!drain(load->pipes, load, load->bytes))
		close_load(load);
	load->bytes = 0;
	load->frame->load = NULL;
	load->frame = NULL;
}

void
pipes_close(struct pipes *p)
{
	for (unsigned i = 0; i < PIPES_LOADS; i++) {
		if (p->loads[i].frame != NULL)
			pipes_unload(&p->loads[i]);
		close_load(&p->loads[i]);
	}
	close_load(&p->copy);
	if (p->nowhere > 0)
		close(p->nowhere);
	p->nowhere = 0;
}

/* One that is free, or for which fewer than half as many wait. */
static struct load *
choose(struct pipes *p, size_t subscribers)
{
	struct load *best = &p->loads[0];

	for (unsigned i = 1; i < PIPES_LOADS && best->frame != NULL; i++)
		if (p->loads[i].frame == NULL ||
		    p->loads[i].frame->refs < best->frame->refs)
			best = &p->loads[i];
	if (best->frame == NULL)
		return best;
	if (best->frame->refs > subscribers / 2)
		return NULL;
	pipes_unload(best);
	return best;
}

void
pipes_load(struct pipes *p, struct frame *frame, size_t subscribers)
{
	size_t len = frame->len;
	struct ibuf_mbuf *rest;
	struct load *load;
	ssize_t n;

	if (len < PIPES_LEAST_BYTES || subscribers < PIPES_LEAST_SUBSCRIBERS ||
	    p->are_refused)
		return;
	if (len > PIPES_MOST_BYTES)
		len = PIPES_MOST_BYTES;
	if (p->nowhere <= 0)
		p->nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	load = choose(p, subscribers);
	if (p->nowhere <= 0 || load == NULL || !make_room(&p->copy, len) ||
	    !make_room(load, len))
		return;
	rest = ibuf_mbuf_clone(frame->m);
	if (rest == NULL)
		return;
	n = ibuf_io_write(load->pipe[1], rest);
	ibuf_mbuf_free(rest);
	if (n <= 0)
		return;
	load->pipes = p;
	load->bytes = (size_t)n;
	load->frame = frame;
	frame->load = load;
}

size_t
pipes_send(const struct load *load, size_t from, int fd)
{
	struct pipes *p = load->pipes;
	size_t sent = 0, held;
	ssize_t n;

	if (p->copy.room == 0)
		return 0;
	n = tee(load->pipe[0], p->copy.pipe[1], load->bytes, SPLICE_F_NONBLOCK);
	if (n <= 0)
		return 0;
	held = (size_t)n;
	if (from < held && drain(p, &p->copy, from)) {
		/* It may raise SIGPIPE, which main.c ignores. */
		n = splice(p->copy.pipe[0], NULL, fd, NULL, held - from,
			   SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
		sent = n > 0 ? (size_t)n : 0;
		held -= from;
	}
	if (!drain(p, &p->copy, held - sent))
		close_load(&p->copy);
	return sent;
}
