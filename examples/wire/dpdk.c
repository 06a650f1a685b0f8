/* dpdk.c - wire: messages to a port of DPDK, and what it gives back. */
#include <ibuf/adapt/dpdk.h>
#include <ibuf/ibuf.h>
#include <stdio.h>

/* No card and no huge pages; the port gives back what is sent. */
static struct rte_mempool *
start_dpdk(char *program)
{
	char words[][20] = {"--no-huge",
			    "--no-pci",
			    "--no-shconf",
			    "-m64",
			    "-l0",
			    "--no-telemetry",
			    "--log-level=error",
			    "--vdev=net_ring0"};
	struct rte_eth_conf none = {0};
	struct rte_mempool *mbufs;
	char *argv[10] = {program};
	int i;

	for (i = 0; i < 8; i++)
		argv[i + 1] = words[i];
	if (rte_eal_init(9, argv) < 0)
		return NULL;
	mbufs = rte_pktmbuf_pool_create("mbufs", 255, 0, 0,
					RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	if (mbufs == NULL || rte_eth_dev_configure(0, 1, 1, &none) != 0 ||
	    rte_eth_rx_queue_setup(0, 0, 64, 0, NULL, mbufs) != 0 ||
	    rte_eth_tx_queue_setup(0, 0, 64, 0, NULL) != 0 ||
	    rte_eth_dev_start(0) != 0)
		return NULL;
	return mbufs;
}

int
main(int argc, char **argv)
{
	struct rte_mempool *mbufs = start_dpdk(argv[0]);
	struct ibuf_mbuf *out = ibuf_mbuf_from("a header, ", 10);
	struct ibuf_mbuf *body = ibuf_mbuf_from("and a body", 10), *in;
	struct rte_mbuf *got;

	(void)argc;
	if (mbufs == NULL)
		return 77; /* it does not start here */
	if (out == NULL || body == NULL || ibuf_mbuf_concat(out, body) != 0)
		return 1;
	/* What the port does not take is still ours. */
	if (ibuf_dpdk_tx_burst(0, 0, mbufs, &out, 1) != 1)
		return 1;

	if (rte_eth_rx_burst(0, 0, &got, 1) != 1)
		return 1;
	in = ibuf_dpdk_from(got);
	if (in == NULL)
		return 1;
	printf("%zu bytes in %zu segments\n", ibuf_mbuf_len(in),
	       ibuf_mbuf_segments(in));
	/* With it goes the rte_mbuf, and with that what was sent. */
	ibuf_mbuf_free(in);
	printf("%u mbufs in use\n", rte_mempool_in_use_count(mbufs));
	return 0;
}

/* Prints:
 * 20 bytes in 2 segments
 * 0 mbufs in use
 */
