/*
 * veth.h - what the tests of interfaces share: two ends of a veth, v0 and v1,
 * in a network namespace of the test's own; and frames to send.
 *
 * Who may not make them exits 77, with one line.
 */
#ifndef VETH_H
#define VETH_H

#include "../../sanitizers.h"
#include "../../unit/test.h"

#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Local and experimental: nobody else sends it. */
#define OUR_TYPE 0x88b5

static inline bool
run(const char *command)
{
	return system(command) == 0;
}

__attribute__((constructor)) static void
make_the_veth(void)
{
	if (unshare(CLONE_NEWNET) != 0 ||
	    !run("{ echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6;"
		 "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; }"
		 " 2>/dev/null; ip link add v0 type veth peer name v1"
		 " && ip link set v0 up && ip link set v1 up")) {
		fputs("skipped: a veth takes root, and the program ip\n",
		      stderr);
		_exit(77);
	}
}

/* A socket that sends raw frames from v1. */
static inline int
open_sender(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex("v1"),
	};

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/*
 * Frame i of so many bytes, 60 or more: addresses, the type, i, and bytes that
 * follow from i.
 */
static inline void
make_frame(uint8_t *frame, size_t size, uint32_t i)
{
	static const uint8_t head[14] = {2, 0, 0, 0, 0, 1,    2,
					 0, 0, 0, 0, 2, 0x88, 0xb5};

	memcpy(frame, head, sizeof(head));
	memcpy(frame + 14, &i, sizeof(i));
	for (size_t at = 18; at < size; at++)
		frame[at] = (uint8_t)(i + at);
}

static inline void
send_frame(int fd, size_t size, uint32_t i)
{
	uint8_t frame[9000];

	make_frame(frame, size, i);
	assert_int_equal(send(fd, frame, size, 0), size);
}

static inline void
assert_frame(const struct ibuf_mbuf *m, size_t size, uint32_t i)
{
	uint8_t frame[9000];

	make_frame(frame, size, i);
	assert_message(m, frame, size);
}

/* A thread that frees what comes through a queue, until that is closed. */
static inline void *
free_all(void *arg)
{
	struct ibuf_queue *q = arg;
	struct ibuf_mbuf *m;

	while (ibuf_queue_pop_wait(q, &m, NULL) == 0)
		ibuf_mbuf_free(m);
	return NULL;
}

static inline bool
is_readable(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1;
}

#if WITH_ASAN
/* In a process of its own, does the address sanitizer end this? */
static inline bool
is_caught(void (*body)(void *arg), void *arg)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(0);
		body(arg);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status != 0;
}
#endif

#endif
