/*
 * adapt/librdkafka.h - messages as Kafka's payloads, not copied, and back.
 *
 *   ibuf_librdkafka_produce()     message ---> topic, held until its report
 *   ibuf_librdkafka_delivered()   message <--- delivery report
 *   ibuf_librdkafka_take()        message <--- rd_kafka_message_t
 *
 * For programs that link to librdkafka 1.0; docs/adapters.md says who copies.
 *
 * A message that was produced is held by its delivery report, and by nothing
 * else: librdkafka has no function of ours that it would call for what it
 * drops.  So each report must be served, by ibuf_librdkafka_report() as the
 * callback (rd_kafka_conf_set_dr_msg_cb) or a function that calls
 * ibuf_librdkafka_delivered(); delivery.report.only.error must be false; and a
 * producer ends by ibuf_librdkafka_destroy(), since rd_kafka_destroy() drops
 * what waits without a report.
 *
 * Threads.  Any thread produces and polls; reports come in the thread that
 * polls.  A message that was taken ends in any.
 */
#ifndef IBUF_ADAPT_LIBRDKAFKA_H
#define IBUF_ADAPT_LIBRDKAFKA_H

#include <ibuf/mbuf.h>
#include <ibuf/segment.h>
#include <librdkafka/rdkafka.h>

IBUF_BEGIN_DECLS
IBUF_BEGIN_BODIES_

/**
 * Produce a message.
 *
 * @param partition or RD_KAFKA_PARTITION_UA
 * @param key copied by librdkafka; may be NULL
 * @return RD_KAFKA_RESP_ERR_NO_ERROR; RD_KAFKA_RESP_ERR__QUEUE_FULL, poll and
 *         try again; another error; RD_KAFKA_RESP_ERR__FAIL: no memory to make
 *         several segments one
 * @owner on success librdkafka has the message until its report; on failure it is
 *        the caller's, perhaps of one segment now
 * @mt object
 * @cost O(1) for one segment; else its bytes are copied, see
 *       ibuf_mbuf_linearize(), since a payload is one piece
 */
static inline IBUF_MUST_USE rd_kafka_resp_err_t
ibuf_librdkafka_produce(rd_kafka_topic_t *topic, int32_t partition,
			struct ibuf_mbuf *m, const void *key, size_t key_len)
{
	const uint8_t *bytes;
	size_t len;

	if (ibuf_mbuf_linearize(m) != 0)
		return RD_KAFKA_RESP_ERR__FAIL;
	bytes = ibuf_mbuf_data(m);
	len = ibuf_mbuf_len(m);
	/* No flag: librdkafka neither copies nor frees, and only reads there. */
	if (rd_kafka_produce(topic, partition, 0, (void *)(uintptr_t)bytes, len,
			     key, key_len, m) != 0)
		return rd_kafka_last_error();
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/**
 * Get the message of a delivery report back, also where its err says that it
 * was not delivered: to free it, or to produce it again.
 *
 * @param report of a message that ibuf_librdkafka_produce() produced, once
 * @owner the caller has the message
 */
static inline IBUF_MUST_USE struct ibuf_mbuf *
ibuf_librdkafka_delivered(const rd_kafka_message_t *report)
{
	return (struct ibuf_mbuf *)report->_private;
}

/** Free the message of a delivery report: for rd_kafka_conf_set_dr_msg_cb(). */
static inline void
ibuf_librdkafka_report(rd_kafka_t *producer, const rd_kafka_message_t *report,
		       void *opaque)
{
	(void)producer;
	(void)opaque;
	ibuf_mbuf_free(ibuf_librdkafka_delivered(report));
}

/**
 * End a producer.  What is not delivered in time is purged, and reported so;
 * the reports are served by the callback here.
 *
 * @param timeout milliseconds at most for what waits to be delivered
 * @return how many messages were purged
 * @mt setup
 */
static inline int
ibuf_librdkafka_destroy(rd_kafka_t *producer, int timeout)
{
	int purged = 0;

	if (rd_kafka_flush(producer, timeout) != RD_KAFKA_RESP_ERR_NO_ERROR) {
		purged = rd_kafka_outq_len(producer);
		rd_kafka_purge(producer, RD_KAFKA_PURGE_F_QUEUE |
						 RD_KAFKA_PURGE_F_INFLIGHT);
	}
	/* The broker threads give up what they have, and all is reported. */
	while (rd_kafka_outq_len(producer) > 0)
		rd_kafka_poll(producer, 10);
	rd_kafka_destroy(producer);
	return purged;
}

static inline void
ibuf_librdkafka_release_(void *bytes, size_t len, void *consumed)
{
	(void)bytes;
	(void)len;
	rd_kafka_message_destroy((rd_kafka_message_t *)consumed);
}

/**
 * Take the payload of a message that was consumed.  An edit of the bytes goes
 * to a private copy: they lie in what the broker sent, with others.
 *
 * @param consumed without an error; its key and the rest can be looked at for as
 *        long as the message lives
 * @return the message, which is empty where there is no payload; NULL: no
 *         memory, and consumed is still the caller's
 * @owner the caller has the message, and its end destroys consumed: it must end
 *        before the consumer does, as librdkafka says of what was consumed.
 *        ibuf_mbuf_copy() is for what must live longer.
 * @cost a message of the heap.  All that the broker sent in one answer stays
 *       until the last message of it ends.
 */
static inline IBUF_MUST_USE struct ibuf_mbuf *
ibuf_librdkafka_take(rd_kafka_message_t *consumed)
{
	return ibuf_mbuf_wrap_const(consumed->payload, consumed->len,
				    ibuf_librdkafka_release_, consumed);
}

IBUF_END_BODIES_
IBUF_END_DECLS

#endif
