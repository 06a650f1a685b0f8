/* packet.c - frames of a veth, by <ibuf/adapt/packet.h>. */
#include "../net/veth.h"

#include "../../unit/dry.h"

#include <ibuf/adapt/packet.h>
#include <pthread.h>

/* Only our frames, whole or cut. */
static struct sock_fprog
ours(uint32_t bytes)
{
	static struct sock_filter code[4];
	struct sock_fprog program = {4, code};
	struct sock_filter made[4] = {
		{BPF_LD | BPF_H | BPF_ABS, 0, 0, 12},
		{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, OUR_TYPE},
		{BPF_RET | BPF_K, 0, 0, bytes},
		{BPF_RET | BPF_K, 0, 0, 0},
	};

	memcpy(code, made, sizeof(made));
	return program;
}

static struct ibuf_packet *
ring_of(unsigned block_size, unsigned blocks)
{
	struct sock_fprog filter = ours(UINT32_MAX);
	struct ibuf_packet_options o = {
		.interface = if_nametoindex("v0"),
		.block_size = block_size,
		.blocks = blocks,
		.timeout_ms = 2,
		.promiscuous = true,
		.filter = &filter,
	};
	struct ibuf_packet *k = NULL;

	assert_int_equal(ibuf_packet_open(&k, &o), 0);
	assert_non_null(k);
	return k;
}

/* So many frames, however long it takes; fewer when none come for a second. */
static int
receive(struct ibuf_packet *k, struct ibuf_packet_frame *frames, int n)
{
	int got = 0, rc;

	while (got < n) {
		rc = ibuf_packet_recv(k, frames + got, n - got);
		assert_true(rc >= 0);
		got += rc;
		if (rc == 0 && !is_readable(ibuf_packet_fd(k), 1000))
			break;
	}
	return got;
}

static struct ibuf_packet_stats
stats(struct ibuf_packet *k)
{
	struct ibuf_packet_stats s;

	assert_int_equal(ibuf_packet_get_stats(k, &s), 0);
	return s;
}

TEST(bursts_arrive_whole_and_in_order_and_blocks_go_back)
{
	enum { BURST = 150 };
	struct ibuf_packet *k = ring_of(1 << 16, 8);
	struct ibuf_packet_frame frames[BURST];
	int out = open_sender();

	assert_int_equal(ibuf_packet_recv(k, frames, BURST), 0);
	/* The ring goes round many times. */
	for (uint32_t round = 0; round < 60; round++) {
		for (uint32_t i = 0; i < BURST; i++)
			send_frame(out, 60 + i * 9, i + round);
		assert_int_equal(receive(k, frames, BURST), BURST);
		for (uint32_t i = 0; i < BURST; i++) {
			struct ibuf_packet_frame *f = &frames[i];

			assert_frame(f->m, 60 + i * 9, i + round);
			assert_int_equal(f->wire, 60 + i * 9);
			assert_int_equal(f->interface, if_nametoindex("v0"));
			assert_int_equal(f->link, 1 /* ARPHRD_ETHER */);
			assert_int_equal(f->type, PACKET_OTHERHOST);
			assert_true(f->time_ns > INT64_C(1000000000) << 30);
			ibuf_mbuf_free(f->m);
		}
	}
	assert_int_equal(stats(k).frames, 60 * BURST);
	assert_int_equal(stats(k).dropped, 0);
	assert_int_equal(ibuf_packet_recv(k, frames, 0), 0);
	close(out);
	ibuf_packet_close(k);
	ibuf_packet_close(NULL);
}

TEST(nothing_is_copied)
{
	struct ibuf_packet *k = ring_of(1 << 16, 4);
	struct ibuf_packet_frame f[2];
	struct ibuf_pool_stats before, after;
	int out = open_sender();

	ibuf_pool_get_stats(NULL, &before, sizeof(before));
	send_frame(out, 1000, 1);
	send_frame(out, 1000, 2);
	assert_int_equal(receive(k, f, 2), 2);
	assert_true(ibuf_mbuf_data(f[0].m) >= k->ring &&
		    ibuf_mbuf_data(f[0].m) < k->ring + (4 << 16));
	/* Two messages of one block: a write goes to a private copy. */
	assert_int_equal(ibuf_mbuf_trim_head(f[0].m, 14), 0);
	ibuf_pool_get_stats(NULL, &after, sizeof(after));
	assert_int_equal(after.copied_bytes, before.copied_bytes);
	ibuf_mbuf_free(f[0].m);
	assert_frame(f[1].m, 1000, 2);
	ibuf_mbuf_free(f[1].m);
	close(out);
	ibuf_packet_close(k);
}

TEST(a_ring_that_is_full_of_held_messages_drops_and_counts_and_goes_on)
{
	enum { MANY = 2000 };
	struct ibuf_packet *k = ring_of(1 << 16, 4);
	static struct ibuf_packet_frame frames[MANY];
	int out = open_sender(), held, n;
	struct ibuf_mbuf *copy;

	for (uint32_t i = 0; i < MANY; i++)
		send_frame(out, 1000, i);
	held = receive(k, frames, MANY);
	assert_true(held > 100 && held < MANY);
	assert_int_equal(stats(k).frames, MANY);
	assert_int_equal(stats(k).dropped, MANY - held);
	assert_true(stats(k).frozen > 0);
	for (int i = 0; i < held; i++)
		assert_frame(frames[i].m, 1000, (uint32_t)i);
	/* Who waits is not kept awake by what is held. */
	assert_int_equal(ibuf_packet_recv(k, frames + held, 1), 0);
	assert_false(is_readable(ibuf_packet_fd(k), 20));
	/* One message holds one block: three take what comes. */
	copy = ibuf_mbuf_copy(frames[0].m, 0, 1000);
	for (int i = 0; i < held - 1; i++)
		ibuf_mbuf_free(frames[i].m);
	send_frame(out, 1000, 7);
	n = receive(k, frames, 1);
	assert_int_equal(n, 1);
	assert_frame(frames[0].m, 1000, 7);
	assert_frame(copy, 1000, 0);
	assert_frame(frames[held - 1].m, 1000, (uint32_t)held - 1);
	ibuf_mbuf_free(frames[held - 1].m);
	ibuf_mbuf_free(frames[0].m);
	ibuf_mbuf_free(copy);
	close(out);
	ibuf_packet_close(k);
}

/* ---- threads ------------------------------------------------------- */

TEST(frames_are_freed_on_other_threads_while_the_ring_is_read_and_closed)
{
	enum { BURST = 100 };
	struct ibuf_packet *k = ring_of(1 << 16, 8);
	struct ibuf_packet_frame frames[BURST];
	struct ibuf_queue *q;
	pthread_t threads[2];
	int out = open_sender();

	assert_int_equal(ibuf_queue_create(&q, 64, 0), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, free_all, q),
				 0);
	for (uint32_t round = 0; round < 40; round++) {
		for (uint32_t i = 0; i < BURST; i++)
			send_frame(out, 1000, i);
		assert_int_equal(receive(k, frames, BURST), BURST);
		for (int i = 0; i < BURST; i++)
			assert_int_equal(
				ibuf_queue_push_wait(q, frames[i].m, NULL), 0);
	}
	ibuf_packet_close(k);
	ibuf_queue_close(q);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ibuf_queue_destroy(q);
	close(out);
}

/* ---- the end ------------------------------------------------------- */

TEST(messages_outlive_the_ring_and_the_last_one_ends_it)
{
	size_t mapped = fault_live_bytes_mapped();
	struct ibuf_packet *k = ring_of(1 << 16, 4);
	struct ibuf_packet_frame f[3];
	int out = open_sender(), fd = ibuf_packet_fd(k), again;

	for (uint32_t i = 0; i < 3; i++)
		send_frame(out, 500, i);
	assert_int_equal(receive(k, f, 2), 2); /* one is left inside */
	ibuf_packet_close(k);
	again = dup(0);
	assert_true(again < fd); /* closed */
	close(again);
	send_frame(out, 500, 9); /* nobody takes it */
	assert_frame(f[1].m, 500, 1);
	ibuf_mbuf_free(f[1].m);
	assert_frame(f[0].m, 500, 0);
	assert_true(fault_live_bytes_mapped() >= mapped + (4 << 16));
	ibuf_mbuf_free(f[0].m);
	assert_true(fault_live_bytes_mapped() < mapped + (4 << 16));
	close(out);
}

TEST(an_interface_that_goes_down_is_said_once_and_comes_back)
{
	struct ibuf_packet *k = ring_of(1 << 16, 4);
	struct ibuf_packet_frame f;
	int out = open_sender();

	assert_true(run("ip link set v0 down"));
	assert_true(is_readable(ibuf_packet_fd(k), 1000));
	assert_int_equal(ibuf_packet_recv(k, &f, 1), -ENETDOWN);
	assert_int_equal(ibuf_packet_recv(k, &f, 1), 0);
	assert_true(run("ip link set v0 up"));
	send_frame(out, 500, 3);
	assert_int_equal(receive(k, &f, 1), 1);
	assert_frame(f.m, 500, 3);
	ibuf_mbuf_free(f.m);
	close(out);
	ibuf_packet_close(k);
}

/* ---- bytes --------------------------------------------------------- */

TEST(the_tag_of_a_vlan_is_where_it_was)
{
	static const uint8_t tags[2][4] = {{0x81, 0x00, 0x20, 0x07},
					   {0x88, 0xa8, 0x0f, 0xff}};
	struct ibuf_packet_options o = {.interface = if_nametoindex("v0"),
					.timeout_ms = 2};
	struct ibuf_packet *k;
	struct ibuf_packet_frame f;
	int out = open_sender();

	assert_int_equal(ibuf_packet_open(&k, &o), 0);
	for (int i = 0; i < 2; i++) {
		uint8_t frame[104];

		make_frame(frame, 100, 5);
		memmove(frame + 16, frame + 12, 88);
		memcpy(frame + 12, tags[i], 4);
		assert_int_equal(send(out, frame, 104, 0), 104);
		assert_int_equal(receive(k, &f, 1), 1);
		assert_message(f.m, frame, 104);
		assert_int_equal(f.wire, 104);
		ibuf_mbuf_free(f.m);
	}
	close(out);
	ibuf_packet_close(k);
}

TEST(a_filter_cuts_frames_and_their_length_is_known)
{
	struct sock_fprog filter = ours(60);
	struct ibuf_packet_options o = {.interface = if_nametoindex("v0"),
					.filter = &filter};
	struct ibuf_packet *k;
	struct ibuf_packet_frame f[2];
	uint8_t whole[1000], other[100] = {[12] = 0x88, [13] = 0xb6};
	int out = open_sender();

	assert_int_equal(ibuf_packet_open(&k, &o), 0);
	assert_int_equal(send(out, other, sizeof(other), 0), sizeof(other));
	send_frame(out, 1000, 1);
	send_frame(out, 60, 2);
	assert_int_equal(receive(k, f, 2), 2);
	make_frame(whole, 1000, 1);
	assert_message(f[0].m, whole, 60);
	assert_int_equal(f[0].wire, 1000);
	assert_frame(f[1].m, 60, 2);
	assert_int_equal(f[1].wire, 60);
	ibuf_mbuf_free(f[0].m);
	ibuf_mbuf_free(f[1].m);
	close(out);
	ibuf_packet_close(k);
}

/* ---- failures ------------------------------------------------------ */

static int
error_of(const struct ibuf_packet_options *o)
{
	struct ibuf_packet *untouched = (struct ibuf_packet *)(void *)&o;
	struct ibuf_packet *k = untouched;
	int next = dup(0), error = ibuf_packet_open(&k, o);

	assert_ptr_equal(k, untouched);
	close(next);
	assert_int_equal(dup(0), next); /* no descriptor is left */
	close(next);
	return error;
}

TEST(what_cannot_be_opened_is_an_error_and_leaves_nothing)
{
	struct ibuf_packet_options o = {.interface = 12345};
	struct sock_filter bad[1] = {{0xffff, 0, 0, 0}};
	struct sock_fprog filter = {1, bad};

	assert_int_equal(error_of(&o), -ENODEV);
	o.interface = if_nametoindex("v0");
	o.block_size = 1000;
	assert_int_equal(error_of(&o), -EINVAL);
	o.block_size = 0;
	o.filter = &filter;
	assert_int_equal(error_of(&o), -EINVAL);
	o.filter = NULL;
	for (size_t n = 1;; n++) {
		struct ibuf_packet *k = NULL;
		int error;

		fault_at(n);
		error = ibuf_packet_open(&k, &o);
		if (!fault_off()) {
			assert_int_equal(error, 0);
			ibuf_packet_close(k);
			assert_int_equal(n, 3); /* malloc, mmap */
			break;
		}
		assert_int_equal(error, -ENOMEM);
		assert_null(k);
	}
}

TEST(who_has_no_right_is_told)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		struct ibuf_packet *k;

		_exit(setuid(65534) == 0 && ibuf_packet_open(&k, NULL) == -EPERM
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

TEST(no_frame_is_lost_where_there_is_no_memory_for_headers)
{
	struct ibuf_packet *k = ring_of(1 << 16, 4);
	struct ibuf_packet_frame f[3];
	int out = open_sender(), n = 0;

	for (uint32_t i = 0; i < 3; i++)
		send_frame(out, 500, i);
	assert_true(is_readable(ibuf_packet_fd(k), 1000));
	heap_dry();
	for (size_t nth = 1; n < 3; nth++) {
		int rc;

		fault_at(nth);
		rc = ibuf_packet_recv(k, f + n, 3 - n);
		fault_off();
		assert_true(rc > 0 || rc == -ENOMEM);
		n += rc > 0 ? rc : 0;
	}
	for (uint32_t i = 0; i < 3; i++) {
		assert_frame(f[i].m, 500, i);
		ibuf_mbuf_free(f[i].m);
	}
	heap_wet();
	close(out);
	ibuf_packet_close(k);
}

#if WITH_ASAN
static void
read_after_free(void *arg)
{
	struct ibuf_packet_frame *f = arg;
	volatile const uint8_t *bytes = ibuf_mbuf_data(f->m);

	ibuf_mbuf_free(f->m);
	(void)*bytes;
}

static void
free_twice(void *arg)
{
	struct ibuf_packet_frame *f = arg;

	ibuf_mbuf_free(f->m);
	ibuf_mbuf_free(f->m);
}

TEST(a_frame_that_is_used_after_its_free_is_caught)
{
	struct ibuf_packet *k = ring_of(1 << 16, 4);
	struct ibuf_packet_frame f;
	int out = open_sender();

	send_frame(out, 500, 1);
	assert_int_equal(receive(k, &f, 1), 1);
	assert_true(is_caught(read_after_free, &f));
	assert_true(is_caught(free_twice, &f));
	ibuf_mbuf_free(f.m);
	close(out);
	ibuf_packet_close(k);
}
#endif
