/* xdp.c - frames of a veth, by <ibuf/adapt/xdp.h>, in copy mode. */
#include "../net/veth.h"

#include "../../unit/pools.h"

#include <bpf/libbpf.h>
#include <ibuf/adapt/xdp.h>
#include <pthread.h>
#include <xdp/libxdp.h>

/* libxdp and libbpf keep what they like; only what is ours is to be gone. */
#define RING_TEST(name)                                                        \
	static void name##_body(void);                                         \
	TEST(name)                                                             \
	{                                                                      \
		size_t blocks = fault_live_blocks();                           \
		size_t mapped = fault_live_bytes_mapped();                     \
		name##_body();                                                 \
		test_keeps(fault_live_blocks() - blocks,                       \
			   fault_live_bytes_mapped() - mapped);                \
	}                                                                      \
	static void name##_body(void)

/* libxdp loads a program for each first socket, and takes a moment to. */
static struct ibuf_xdp *
open_with(unsigned mbufs)
{
	struct ibuf_xdp_options o = {.interface = "v0", .mbufs = mbufs};
	struct ibuf_xdp *x = NULL;
	int error = 0;

	libbpf_set_print(NULL);
	libxdp_set_print(NULL);
	/* The kernel gives a queue free a moment after its close. */
	for (int i = 0; i < 100; i++) {
		error = ibuf_xdp_open(&x, &o);
		if (error != -EBUSY)
			break;
		usleep(20000);
	}
	assert_int_equal(error, 0);
	assert_non_null(x);
	return x;
}

static int
receive(struct ibuf_xdp *x, struct ibuf_mbuf **ms, int n)
{
	int got = 0, rc;

	while (got < n) {
		rc = ibuf_xdp_recv(x, ms + got, n - got);
		assert_true(rc >= 0);
		got += rc;
		if (rc == 0 && !is_readable(ibuf_xdp_fd(x), 500))
			break;
	}
	return got;
}

static struct ibuf_xdp_stats
stats(const struct ibuf_xdp *x)
{
	struct ibuf_xdp_stats s;

	assert_int_equal(ibuf_xdp_get_stats(x, &s), 0);
	return s;
}

/* What comes to v1, by a socket of its own. */
static int
open_receiver(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = __builtin_bswap16(OUR_TYPE),
		.sll_ifindex = (int)if_nametoindex("v1"),
	};

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void
assert_arrives(int fd, size_t size, uint32_t i)
{
	uint8_t got[2000], frame[2000];

	assert_true(is_readable(fd, 1000));
	assert_int_equal(recv(fd, got, sizeof(got), 0), size);
	make_frame(frame, size, i);
	assert_memory_equal(got, frame, size);
}

/* A message of the pool, to send. */
static struct ibuf_mbuf *
frame_of(struct ibuf_pool *p, size_t size, uint32_t i)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	uint8_t *at;

	assert_non_null(m);
	at = ibuf_mbuf_extend_tail(m, size);
	assert_non_null(at);
	make_frame(at, size, i);
	return m;
}

RING_TEST(bursts_arrive_whole_and_in_order_and_not_copied)
{
	enum { BURST = 150 };
	struct ibuf_xdp *x = open_with(1024);
	struct ibuf_mbuf *ms[BURST];
	int out = open_sender();

	assert_int_equal(ibuf_xdp_recv(x, ms, BURST), 0);
	for (uint32_t round = 0; round < 40; round++) {
		for (uint32_t i = 0; i < BURST; i++)
			send_frame(out, 60 + i * 9, i + round);
		assert_int_equal(receive(x, ms, BURST), BURST);
		for (uint32_t i = 0; i < BURST; i++) {
			assert_frame(ms[i], 60 + i * 9, i + round);
			assert_ptr_equal(ibuf_mbuf_pool(ms[i]),
					 ibuf_xdp_pool(x));
			assert_true(ibuf_mbuf_is_unique(ms[i]));
			ibuf_mbuf_free(ms[i]);
		}
	}
	assert_int_equal(stats_of(ibuf_xdp_pool(x)).copied_bytes, 0);
	assert_int_equal(stats(x).no_mbuf, 0);
	assert_int_equal(ibuf_xdp_recv(x, ms, 0), 0);
	close(out);
	ibuf_xdp_close(x);
	ibuf_xdp_close(NULL);
}

RING_TEST(messages_are_sent_each_once_and_freed_when_the_kernel_has_done_so)
{
	struct ibuf_xdp *x = open_with(512);
	struct ibuf_pool *p = ibuf_xdp_pool(x);
	int in = open_receiver();
	size_t held = ibuf_pool_allocated(p);
	struct ibuf_mbuf *ms[32], *clone;

	for (uint32_t round = 0; round < 40; round++) {
		for (uint32_t i = 0; i < 32; i++)
			ms[i] = frame_of(p, 60 + i * 40, i);
		for (int n = 0; n < 32;) {
			int rc = ibuf_xdp_send(x, ms + n, 32 - n);

			assert_true(rc > 0);
			n += rc;
		}
		for (uint32_t i = 0; i < 32; i++)
			assert_arrives(in, 60 + i * 40, i);
	}
	for (int i = 0; ibuf_xdp_pending(x) != 0 && i < 1000; i++)
		assert_int_equal(ibuf_xdp_send(x, NULL, 0), 0);
	assert_int_equal(ibuf_xdp_pending(x), 0);
	assert_int_equal(ibuf_pool_allocated(p), held);
	/* What was received goes on, and a clone of it stays. */
	send_frame(in, 200, 7);
	assert_int_equal(receive(x, ms, 1), 1);
	clone = ibuf_mbuf_clone(ms[0]);
	assert_int_equal(ibuf_xdp_send(x, ms, 1), 1);
	assert_arrives(in, 200, 7);
	assert_frame(clone, 200, 7);
	ibuf_mbuf_free(clone);
	assert_int_equal(stats(x).invalid, 0);
	close(in);
	ibuf_xdp_close(x);
}

RING_TEST(what_cannot_be_sent_stays_the_callers)
{
	struct ibuf_xdp *x = open_with(512);
	struct ibuf_pool *p = ibuf_xdp_pool(x);
	struct ibuf_mbuf *heap = ibuf_mbuf_from("not of the pool", 15);
	struct ibuf_mbuf *two = frame_of(p, 60, 1);
	struct ibuf_mbuf *empty = ibuf_pool_alloc(p);
	struct ibuf_mbuf *ms[3] = {frame_of(p, 60, 2), heap, NULL};

	assert_int_equal(ibuf_mbuf_concat(two, frame_of(p, 60, 3)), 0);
	assert_int_equal(ibuf_xdp_send(x, &heap, 1), -EINVAL);
	assert_int_equal(ibuf_xdp_send(x, &two, 1), -EINVAL);
	assert_int_equal(ibuf_xdp_send(x, &empty, 1), -EINVAL);
	assert_message(heap, "not of the pool", 15);
	assert_int_equal(ibuf_mbuf_len(two), 120);
	/* The first goes, the second does not. */
	assert_int_equal(ibuf_xdp_send(x, ms, 2), 1);
	ibuf_mbuf_free(heap);
	ibuf_mbuf_free(two);
	ibuf_mbuf_free(empty);
	ibuf_xdp_close(x);
}

RING_TEST(a_ring_without_mbufs_drops_and_counts_and_goes_on)
{
	enum { MANY = 400 };
	struct ibuf_xdp *x = open_with(256);
	struct ibuf_mbuf *ms[MANY];
	int out = open_sender(), held = 0;

	for (uint32_t i = 0; i < MANY; i++) {
		send_frame(out, 100, i);
		if (i % 50 == 49)
			held += receive(x, ms + held, MANY - held);
	}
	assert_int_equal(held, 256); /* all there are */
	assert_true(stats(x).no_mbuf > 0 || stats(x).dropped > 0);
	for (int i = 0; i < held; i++) {
		assert_frame(ms[i], 100, (uint32_t)i);
		ibuf_mbuf_free(ms[i]);
	}
	assert_int_equal(ibuf_xdp_recv(x, ms, 1), 0); /* gives mbufs */
	send_frame(out, 100, 1000);
	assert_int_equal(receive(x, ms, 1), 1);
	assert_frame(ms[0], 100, 1000);
	ibuf_mbuf_free(ms[0]);
	close(out);
	ibuf_xdp_close(x);
}

RING_TEST(a_frame_with_a_vlan_tag_keeps_it_and_one_too_long_is_dropped)
{
	struct ibuf_xdp *x;
	struct ibuf_mbuf *m;
	uint8_t frame[104];
	int out = open_sender();

	x = open_with(256);
	make_frame(frame, 100, 5);
	memmove(frame + 16, frame + 12, 88);
	memcpy(frame + 12, "\x81\0\x20\7", 4);
	assert_int_equal(send(out, frame, 104, 0), 104);
	assert_int_equal(receive(x, &m, 1), 1);
	assert_message(m, frame, 104);
	ibuf_mbuf_free(m);
	assert_true(run("ip link set v0 mtu 3000; ip link set v1 mtu 3000"));
	send_frame(out, 2500, 1);
	send_frame(out, 1792, 2);
	assert_int_equal(receive(x, &m, 1), 1);
	assert_frame(m, 1792, 2);
	assert_true(stats(x).dropped == 1);
	ibuf_mbuf_free(m);
	close(out);
	ibuf_xdp_close(x);
}

/* ---- threads, and the end ------------------------------------------ */

RING_TEST(messages_are_freed_on_another_thread_and_after_the_close)
{
	enum { BURST = 100 };
	struct ibuf_xdp *x = open_with(1024);
	struct ibuf_mbuf *ms[BURST];
	struct ibuf_queue *q;
	pthread_t thread;
	int out = open_sender();

	assert_int_equal(ibuf_queue_create(&q, 64, 0), 0);
	assert_int_equal(pthread_create(&thread, NULL, free_all, q), 0);
	for (uint32_t round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < BURST; i++)
			send_frame(out, 1000, i);
		assert_int_equal(receive(x, ms, BURST), BURST);
		for (int i = 0; i < BURST; i++)
			assert_int_equal(ibuf_queue_push_wait(q, ms[i], NULL),
					 0);
	}
	ibuf_xdp_close(x);
	ibuf_queue_close(q);
	pthread_join(thread, NULL);
	ibuf_queue_destroy(q);
	close(out);
}

TEST(messages_outlive_the_socket_and_the_last_one_ends_its_memory)
{
	size_t before = fault_live_bytes_mapped();
	struct ibuf_xdp *x = open_with(256);
	size_t mapped = fault_live_bytes_mapped();
	struct ibuf_mbuf *ms[2], *clone, *sent;
	int out = open_sender();

	send_frame(out, 300, 1);
	send_frame(out, 300, 2);
	assert_int_equal(receive(x, ms, 2), 2);
	clone = ibuf_mbuf_clone(ms[1]);
	sent = frame_of(ibuf_xdp_pool(x), 60, 1);
	assert_int_equal(ibuf_xdp_send(x, &sent, 1), 1);
	ibuf_xdp_close(x);
	assert_frame(ms[0], 300, 1);
	ibuf_mbuf_free(ms[0]);
	ibuf_mbuf_free(ms[1]);
	assert_frame(clone, 300, 2);
	ibuf_mbuf_free(clone);
	assert_true(fault_live_bytes_mapped() + 256 * 2048 <= mapped);
	test_keeps(0, fault_live_bytes_mapped() - before);
	close(out);
}

RING_TEST(an_interface_that_is_down_sends_nothing_and_comes_back)
{
	struct ibuf_xdp *x = open_with(256);
	struct ibuf_mbuf *m = frame_of(ibuf_xdp_pool(x), 60, 1);
	int in = open_receiver();

	assert_true(run("ip link set v0 down"));
	assert_int_equal(ibuf_xdp_send(x, &m, 1), 1);
	m = frame_of(ibuf_xdp_pool(x), 60, 2);
	assert_int_equal(ibuf_xdp_send(x, &m, 1), -ENETDOWN);
	assert_frame(m, 60, 2);
	assert_true(run("ip link set v0 up; sleep 0.1"));
	assert_int_equal(ibuf_xdp_send(x, &m, 1), 1);
	assert_arrives(in, 60, 1);
	assert_arrives(in, 60, 2);
	close(in);
	ibuf_xdp_close(x);
}

RING_TEST(what_cannot_be_opened_is_an_error)
{
	struct ibuf_xdp_options o = {.interface = "none"};
	struct ibuf_xdp *first = open_with(256), *x = first;

	assert_int_equal(ibuf_xdp_open(&x, &o), -ENODEV);
	o.interface = "v0";
	o.capacity = 1000;
	assert_int_equal(ibuf_xdp_open(&x, &o), -EINVAL);
	o.capacity = 3841;
	assert_int_equal(ibuf_xdp_open(&x, &o), -EINVAL);
	o.capacity = 0;
	assert_true(ibuf_xdp_open(&x, &o) < 0); /* somebody has it */
	assert_ptr_equal(x, first);
	ibuf_xdp_close(first);
}

#if WITH_ASAN
static void
read_after_free(void *arg)
{
	struct ibuf_mbuf *m = arg;
	volatile const uint8_t *bytes = ibuf_mbuf_data(m);

	ibuf_mbuf_free(m);
	(void)*bytes;
}

static void
free_what_was_sent(void *arg)
{
	struct ibuf_xdp *x = arg;
	struct ibuf_mbuf *m = frame_of(ibuf_xdp_pool(x), 60, 1);

	if (ibuf_xdp_send(x, &m, 1) != 1)
		_exit(0);
	while (ibuf_xdp_pending(x) != 0)
		if (ibuf_xdp_send(x, NULL, 0) != 0)
			_exit(0);
	ibuf_mbuf_free(m);
}

RING_TEST(messages_that_are_used_after_their_end_are_caught)
{
	struct ibuf_xdp *x = open_with(256);
	struct ibuf_mbuf *m = frame_of(ibuf_xdp_pool(x), 60, 1);

	assert_true(is_caught(read_after_free, m));
	ibuf_mbuf_free(m);
	assert_true(is_caught(free_what_was_sent, x));
	ibuf_xdp_close(x);
}
#endif
