/*
 * dpdk.c - messages as rte_mbufs and back, by <ibuf/adapt/dpdk.h>, without a
 * card: a port that gives back what is sent, one that frees it.
 */
#include "../../sanitizers.h"
#include "../../unit/dry.h"
#include "../../unit/pools.h"

#include <ibuf/adapt/dpdk.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MBUFS = 1023, RING_PORT = 0, NULL_PORT = 1 };

static struct rte_mempool *mempool; /* with data rooms */
static struct rte_mempool *bare;    /* without */

static bool
start_port(uint16_t port)
{
	struct rte_eth_conf none = {0};

	return rte_eth_dev_configure(port, 1, 1, &none) == 0 &&
	       rte_eth_rx_queue_setup(port, 0, 256, 0, NULL, mempool) == 0 &&
	       rte_eth_tx_queue_setup(port, 0, 256, 0, NULL) == 0 &&
	       rte_eth_dev_start(port) == 0;
}

__attribute__((constructor)) static void
start(void)
{
	static char words[][20] = {"test",
				   "--no-huge",
				   "--no-pci",
				   "--no-shconf",
				   "-m",
				   "64",
				   "-l",
				   "0",
				   "--no-telemetry",
				   "--log-level",
				   "error",
				   "--vdev=net_ring0",
				   "--vdev=net_null0"};
	enum { N = sizeof(words) / sizeof(words[0]) };
	char *argv[N + 1] = {NULL};

	for (int i = 0; i < N; i++)
		argv[i] = words[i];
	if (rte_eal_init(N, argv) < 0) {
		fputs("skipped: DPDK does not start here\n", stderr);
		_exit(77);
	}
	mempool = rte_pktmbuf_pool_create("rooms", MBUFS, 0, 0,
					  RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	bare = rte_pktmbuf_pool_create("bare", MBUFS, 0, 0, 0, 0);
	if (mempool == NULL || bare == NULL || !start_port(RING_PORT) ||
	    !start_port(NULL_PORT)) {
		fputs("skipped: DPDK has no ports here\n", stderr);
		_exit(77);
	}
}

/* All rte_mbufs are where they came from. */
static void
assert_all_back(void)
{
	assert_int_equal(rte_mempool_avail_count(mempool), MBUFS);
	assert_int_equal(rte_mempool_avail_count(bare), MBUFS);
}

/* An rte_mbuf of n segments of 100 bytes, each of which has its number. */
static struct rte_mbuf *
chain_of(int n)
{
	struct rte_mbuf *head = NULL;

	for (int i = 0; i < n; i++) {
		struct rte_mbuf *s = rte_pktmbuf_alloc(mempool);

		assert_non_null(s);
		memset(rte_pktmbuf_append(s, 100), i, 100);
		if (head == NULL)
			head = s;
		else
			assert_int_equal(rte_pktmbuf_chain(head, s), 0);
	}
	return head;
}

static void
assert_chain(const struct ibuf_mbuf *m, int n)
{
	uint8_t bytes[1000];

	for (int i = 0; i < n; i++)
		memset(bytes + (size_t)i * 100, i, 100);
	assert_message(m, bytes, (size_t)n * 100);
}

/* ---- from ---------------------------------------------------------- */

TEST(a_message_of_an_rte_mbuf_shows_its_bytes_and_frees_it_once)
{
	for (int n = 1; n <= 5; n++) {
		struct rte_mbuf *mbuf = chain_of(n);
		void *bytes = rte_pktmbuf_mtod(mbuf, void *);
		struct ibuf_mbuf *m = ibuf_dpdk_from(mbuf), *clone;

		assert_chain(m, n);
		assert_ptr_equal(ibuf_mbuf_seg_data(m), bytes);
		assert_int_equal(ibuf_mbuf_segments(m), n);
		clone = ibuf_mbuf_slice(m, 50, (size_t)n * 100 - 50);
		ibuf_mbuf_free(m);
		/* Each segment stays while something shows it. */
		assert_int_equal(rte_mempool_avail_count(mempool), MBUFS - n);
		assert_int_equal(
			ibuf_mbuf_trim_tail(clone, (size_t)(n - 1) * 100), 0);
		assert_int_equal(rte_mempool_avail_count(mempool), MBUFS - 1);
		ibuf_mbuf_free(clone);
		assert_all_back();
	}
}

TEST(segments_without_bytes_go_at_once)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(mempool);
	struct ibuf_mbuf *m;

	assert_int_equal(rte_pktmbuf_chain(mbuf, rte_pktmbuf_alloc(mempool)),
			 0);
	m = ibuf_dpdk_from(mbuf);
	assert_message(m, "", 0);
	ibuf_mbuf_free(m);
	assert_all_back();
}

TEST(bytes_that_other_rte_mbufs_show_are_not_written)
{
	struct rte_mbuf *mbuf = chain_of(1);
	struct rte_mbuf *other = rte_pktmbuf_clone(mbuf, mempool);
	struct ibuf_mbuf *m = ibuf_dpdk_from(mbuf);

	assert_int_equal(ibuf_mbuf_write_at(m, 0, "x", 1), 0);
	assert_int_equal(*rte_pktmbuf_mtod(other, uint8_t *), 0);
	ibuf_mbuf_free(m);
	rte_pktmbuf_free(other);
	assert_all_back();
	/* Of its own it writes in place. */
	mbuf = chain_of(1);
	m = ibuf_dpdk_from(mbuf);
	assert_int_equal(ibuf_mbuf_write_at(m, 0, "x", 1), 0);
	assert_int_equal(*rte_pktmbuf_mtod(mbuf, uint8_t *), 'x');
	ibuf_mbuf_free(m);
	assert_all_back();
}

TEST(an_rte_mbuf_stays_the_callers_where_there_is_no_memory)
{
	bool struck = true;

	heap_dry();
	for (size_t n = 1; struck; n++) {
		struct rte_mbuf *mbuf = chain_of(3);
		struct ibuf_mbuf *m;

		fault_at(n);
		m = ibuf_dpdk_from(mbuf);
		struck = fault_off();
		if (m == NULL) {
			assert_int_equal(mbuf->nb_segs, 3);
			assert_int_equal(mbuf->pkt_len, 300);
			assert_int_equal(rte_mbuf_refcnt_read(mbuf->next), 1);
			rte_pktmbuf_free(mbuf);
		} else {
			assert_chain(m, 3);
			ibuf_mbuf_free(m);
		}
		assert_all_back();
	}
	heap_wet();
}

/* ---- to ------------------------------------------------------------ */

TEST(an_rte_mbuf_of_a_message_shows_its_segments_and_frees_it_once)
{
	struct ibuf_pool *p = ibuf_pool_new(4, 2048);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p), *tail = ibuf_pool_alloc(p);
	const void *bytes = ibuf_mbuf_data(m);
	struct rte_mbuf *mbuf = NULL, *other;
	char out[20];

	assert_int_equal(ibuf_mbuf_append(m, "head", 4), 0);
	assert_int_equal(ibuf_mbuf_append(tail, "and tail", 8), 0);
	assert_int_equal(ibuf_mbuf_concat(m, tail), 0);
	assert_int_equal(ibuf_dpdk_to(bare, m, &mbuf), 0);
	assert_ptr_equal(rte_pktmbuf_mtod(mbuf, void *), bytes);
	assert_int_equal(mbuf->nb_segs, 2);
	assert_int_equal(mbuf->pkt_len, 12);
	rte_mbuf_sanity_check(mbuf, 1);
	assert_memory_equal(rte_pktmbuf_read(mbuf, 0, 12, out), "headand tail",
			    12);
	other = rte_pktmbuf_clone(mbuf, bare);
	assert_non_null(other);
	rte_pktmbuf_free(mbuf);
	assert_int_equal(ibuf_pool_allocated(p), 2);
	rte_pktmbuf_free(other);
	assert_int_equal(ibuf_pool_allocated(p), 0);
	assert_int_equal(stats_of(p).copied_bytes, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_all_back();
}

TEST(a_segment_of_64_kib_is_refused_and_one_byte_less_is_not)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(1 << 16), *small;
	struct rte_mbuf *mbuf = NULL;

	assert_non_null(ibuf_mbuf_extend_tail(m, 65536));
	assert_int_equal(ibuf_dpdk_to(bare, m, &mbuf), -EOVERFLOW);
	assert_null(mbuf);
	/* Also where it is not the first. */
	small = ibuf_mbuf_from("x", 1);
	assert_int_equal(ibuf_mbuf_concat(small, m), 0);
	assert_int_equal(ibuf_dpdk_to(bare, small, &mbuf), -EOVERFLOW);
	assert_int_equal(ibuf_mbuf_trim_tail(small, 1), 0);
	assert_int_equal(ibuf_dpdk_to(bare, small, &mbuf), 0);
	assert_int_equal(mbuf->pkt_len, 65536);
	assert_int_equal(mbuf->next->data_len, 65535);
	rte_pktmbuf_free(mbuf);
	assert_all_back();
}

TEST(a_message_stays_the_callers_on_failure)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from("one", 3);
	struct rte_mbuf *all[MBUFS], *mbuf = NULL;

	assert_int_equal(ibuf_mbuf_concat(m, ibuf_mbuf_from("two", 3)), 0);
	assert_int_equal(rte_pktmbuf_alloc_bulk(bare, all, MBUFS - 1), 0);
	assert_int_equal(ibuf_dpdk_to(bare, m, &mbuf), -ENOBUFS);
	assert_int_equal(rte_mempool_avail_count(bare), 1);
	rte_pktmbuf_free_bulk(all, MBUFS - 1);
	fault_from(1);
	assert_int_equal(ibuf_dpdk_to(bare, m, &mbuf), -ENOMEM);
	fault_off();
	assert_null(mbuf);
	assert_message(m, "onetwo", 6);
	ibuf_mbuf_free(m);
	assert_all_back();
}

/* ---- ports --------------------------------------------------------- */

TEST(bursts_go_through_a_port_and_come_back_as_they_were)
{
	struct ibuf_pool *p = ibuf_pool_new(64, 2048);
	struct ibuf_mbuf *ms[64];
	struct rte_mbuf *got[64];

	for (uint32_t round = 0; round < 200; round++) {
		uint16_t n = (uint16_t)(round % 64 + 1), sent = 0, came = 0;

		for (uint32_t i = 0; i < n; i++) {
			ms[i] = ibuf_pool_alloc(p);
			assert_int_equal(ibuf_mbuf_append(ms[i], &i, 4), 0);
		}
		while (sent < n)
			sent = (uint16_t)(sent + ibuf_dpdk_tx_burst(
							 RING_PORT, 0, bare,
							 ms + sent,
							 (uint16_t)(n - sent)));
		while (came < n)
			came = (uint16_t)(came + rte_eth_rx_burst(RING_PORT, 0,
								  got + came,
								  64));
		for (uint32_t i = 0; i < n; i++) {
			struct ibuf_mbuf *m = ibuf_dpdk_from(got[i]);

			assert_message(m, &i, 4);
			ibuf_mbuf_free(m);
		}
		assert_int_equal(ibuf_pool_allocated(p), 0);
	}
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_all_back();
}

TEST(what_a_port_does_not_take_stays_the_callers)
{
	enum { MANY = 64 };
	struct ibuf_mbuf *ms[MANY], *large = ibuf_mbuf_new(1 << 16);
	struct rte_mbuf *got[MANY];
	int sent = 0, came = 0, n;

	assert_non_null(ibuf_mbuf_extend_tail(large, 65536));
	/* The ring of the port gets full. */
	do {
		for (int i = 0; i < MANY; i++)
			ms[i] = ibuf_mbuf_from("frame", 5);
		n = ibuf_dpdk_tx_burst(RING_PORT, 0, bare, ms, MANY);
		sent += n;
		for (int i = n; i < MANY; i++) {
			assert_message(ms[i], "frame", 5);
			ibuf_mbuf_free(ms[i]);
		}
	} while (n == MANY && sent < MBUFS - MANY);
	while ((n = rte_eth_rx_burst(RING_PORT, 0, got, MANY)) > 0) {
		rte_pktmbuf_free_bulk(got, (unsigned)n);
		came += n;
	}
	assert_int_equal(came, sent);
	/* The first goes, the second does not. */
	ms[0] = ibuf_mbuf_from("frame", 5);
	ms[1] = large;
	assert_int_equal(ibuf_dpdk_tx_burst(NULL_PORT, 0, bare, ms, 2), 1);
	assert_int_equal(ibuf_mbuf_len(large), 65536);
	ibuf_mbuf_free(large);
	assert_all_back();
}

TEST(what_a_port_receives_becomes_messages)
{
	struct rte_mbuf *got[32];
	int n = rte_eth_rx_burst(NULL_PORT, 0, got, 32);

	assert_int_equal(n, 32);
	for (int i = 0; i < n; i++) {
		struct ibuf_mbuf *m = ibuf_dpdk_from(got[i]);

		assert_int_equal(ibuf_mbuf_len(m), 64);
		ibuf_mbuf_free(m);
	}
	assert_all_back();
}

/* ---- threads ------------------------------------------------------- */

static void *
free_both(void *arg)
{
	void **both = arg;

	ibuf_mbuf_free(both[0]);
	rte_pktmbuf_free(both[1]);
	return NULL;
}

TEST(both_are_freed_in_a_thread_that_dpdk_does_not_know)
{
	struct ibuf_pool *p = ibuf_pool_new(1, 64);
	struct rte_mbuf *mbuf;
	void *both[2];
	pthread_t thread;

	assert_int_equal(ibuf_dpdk_to(bare, ibuf_pool_alloc(p), &mbuf), 0);
	both[0] = ibuf_dpdk_from(chain_of(3));
	both[1] = mbuf;
	assert_int_equal(pthread_create(&thread, NULL, free_both, both), 0);
	pthread_join(thread, NULL);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_all_back();
}

#if WITH_ASAN
TEST(a_message_that_is_used_after_it_was_sent_is_caught)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		struct ibuf_mbuf *m = ibuf_mbuf_from("frame", 5);

		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(0);
		if (ibuf_dpdk_tx_burst(NULL_PORT, 0, bare, &m, 1) == 1)
			ibuf_mbuf_free(m);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_not_equal(status, 0);
}
#endif
