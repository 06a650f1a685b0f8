/* librdkafka.c - messages through Kafka: whose they are, and when they end. The
   brokers are librdkafka's own, within the process. */
#include "adapt.h"

#include <ibuf/adapt/librdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>

/* librdkafka is not compiled with ThreadSanitizer, see zeromq.c; it calls
   c11_threads.c, and makes its locks known to other threads by atomics. */
const char *__tsan_default_suppressions(void);

const char *
__tsan_default_suppressions(void)
{
	return "called_from_lib:librdkafka.so\nrace:^mtx_\nrace:^cnd_\n";
}

/* A producer with a broker of its own. */
struct producer {
	rd_kafka_t *rk;
	rd_kafka_mock_cluster_t *cluster;
	rd_kafka_topic_t *topic;
	/* What the reports said. */
	int reports;
	rd_kafka_resp_err_t last;
	bool again; /* keep the message of a report that is an error */
	struct ibuf_mbuf *kept;
};

static void
on_report(rd_kafka_t *rk, const rd_kafka_message_t *report, void *opaque)
{
	struct producer *p = opaque;

	p->reports++;
	p->last = report->err;
	if (p->again && report->err != RD_KAFKA_RESP_ERR_NO_ERROR)
		p->kept = ibuf_librdkafka_delivered(report);
	else
		ibuf_librdkafka_report(rk, report, NULL);
}

static void
quiet(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	(void)rk;
	(void)level;
	(void)facility;
	(void)text;
}

static void
set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char words[200];

	if (rd_kafka_conf_set(conf, name, value, words, sizeof(words)) !=
	    RD_KAFKA_CONF_OK)
		fail_msg("%s", words);
}

/* With one more setting; NULL: none. */
static void
producer_open(struct producer *p, const char *name, const char *value)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char words[200];

	*p = (struct producer){0};
	set(conf, "test.mock.num.brokers", "1");
	set(conf, "linger.ms", "0");
	if (name != NULL)
		set(conf, name, value);
	rd_kafka_conf_set_log_cb(conf, quiet);
	rd_kafka_conf_set_dr_msg_cb(conf, on_report);
	rd_kafka_conf_set_opaque(conf, p);
	p->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, words, sizeof(words));
	if (p->rk == NULL)
		fail_msg("%s", words);
	p->cluster = rd_kafka_handle_mock_cluster(p->rk);
	assert_int_equal(rd_kafka_mock_topic_create(p->cluster, "t", 1, 1), 0);
	p->topic = rd_kafka_topic_new(p->rk, "t", NULL);
	assert_non_null(p->topic);
}

static int
producer_close(struct producer *p, int timeout)
{
	rd_kafka_topic_destroy(p->topic);
	return ibuf_librdkafka_destroy(p->rk, timeout);
}

static void
produce(struct producer *p, struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_librdkafka_produce(p->topic, 0, m, NULL, 0), 0);
}

static rd_kafka_t *
consumer_open(struct producer *p)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(1);
	char words[200];
	rd_kafka_t *rk;

	set(conf, "bootstrap.servers",
	    rd_kafka_mock_cluster_bootstraps(p->cluster));
	set(conf, "group.id", "g");
	set(conf, "enable.auto.commit", "false");
	rd_kafka_conf_set_log_cb(conf, quiet);
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, words, sizeof(words));
	if (rk == NULL)
		fail_msg("%s", words);
	rd_kafka_topic_partition_list_add(list, "t", 0)->offset =
		RD_KAFKA_OFFSET_BEGINNING;
	assert_int_equal(rd_kafka_assign(rk, list), 0);
	rd_kafka_topic_partition_list_destroy(list);
	return rk;
}

static struct ibuf_mbuf *
consume(rd_kafka_t *consumer)
{
	rd_kafka_message_t *c;
	struct ibuf_mbuf *m;

	for (int i = 0; i < 200; i++) {
		c = rd_kafka_consumer_poll(consumer, 100);
		if (c != NULL && c->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
			m = ibuf_librdkafka_take(c);
			assert_non_null(m);
			return m;
		}
		if (c != NULL)
			rd_kafka_message_destroy(c);
	}
	fail_msg("nothing came");
	return NULL;
}

TEST(messages_go_to_a_broker_and_back_and_end_after_their_report)
{
	struct producer p;
	struct wrapped w, three[3];
	struct ibuf_pool *pool = ibuf_pool_new(1, 50000);
	struct ibuf_mbuf *large = message_of_many(pool, 50000), *wanted,
			 *got[3];
	rd_kafka_t *consumer;
	uint64_t before;

	producer_open(&p, NULL, NULL);
	wanted = ibuf_mbuf_copy(large, 0, 50000);
	before = copied(pool);
	produce(&p, message_of(&w, "one"));
	produce(&p, large);
	assert_int_equal(copied(pool), before);
	/* A payload is one piece. */
	produce(&p, message_of_three(three));
	assert_released(three, 3, 1);
	assert_int_equal(copied(pool), before + 13);
	assert_int_equal(rd_kafka_flush(p.rk, 20000), 0);
	assert_int_equal(p.reports, 3);
	assert_int_equal(p.last, RD_KAFKA_RESP_ERR_NO_ERROR);
	assert_released(&w, 1, 1);
	assert_int_equal(ibuf_pool_allocated(pool), 1); /* wanted */

	consumer = consumer_open(&p);
	for (size_t i = 0; i < 3; i++)
		got[i] = consume(consumer);
	assert_message(got[0], "one", 3);
	assert_int_equal(ibuf_mbuf_compare(got[1], wanted), 0);
	assert_three(got[2]);
	assert_int_equal(copied(pool), before + 13);
	assert_int_equal(ibuf_mbuf_write_at(got[2], 0, "two", 3), 0);
	/* They end in any order and thread, before the consumer. */
	free_elsewhere(got[1]);
	ibuf_mbuf_free(got[0]);
	free_elsewhere(got[2]);
	rd_kafka_consumer_close(consumer);
	rd_kafka_destroy(consumer);
	assert_int_equal(producer_close(&p, 1000), 0);
	ibuf_mbuf_free(wanted);
	assert_int_equal(ibuf_pool_destroy(pool), 0);
}

TEST(an_empty_message_has_an_empty_payload)
{
	struct producer p;
	struct wrapped w;
	rd_kafka_t *consumer;
	struct ibuf_mbuf *m;

	producer_open(&p, NULL, NULL);
	produce(&p, message_of(&w, ""));
	assert_int_equal(rd_kafka_flush(p.rk, 20000), 0);
	assert_released(&w, 1, 1);
	consumer = consumer_open(&p);
	m = consume(consumer);
	assert_message(m, "", 0);
	ibuf_mbuf_free(m);
	rd_kafka_consumer_close(consumer);
	rd_kafka_destroy(consumer);
	assert_int_equal(producer_close(&p, 1000), 0);
}

/* Who frees on failure was once not the same for each: issues 298 and 1466. */
TEST(a_full_queue_refuses_and_the_message_is_as_it_was)
{
	struct producer p;
	struct wrapped w[2];
	struct ibuf_mbuf *m;

	producer_open(&p, "queue.buffering.max.messages", "1");
	rd_kafka_mock_broker_set_down(p.cluster, 1);
	produce(&p, message_of(&w[0], "one"));
	m = message_of(&w[1], "two");
	assert_int_equal(ibuf_librdkafka_produce(p.topic, 0, m, NULL, 0),
			 RD_KAFKA_RESP_ERR__QUEUE_FULL);
	assert_message(m, "two", 3);
	assert_released(w, 2, 0);
	rd_kafka_mock_broker_set_up(p.cluster, 1);
	assert_int_equal(rd_kafka_flush(p.rk, 20000), 0);
	assert_released(&w[0], 1, 1);
	produce(&p, m);
	assert_int_equal(producer_close(&p, 20000), 0);
	assert_int_equal(p.reports, 2);
	assert_released(w, 2, 1);
}

TEST(a_message_too_large_is_refused_and_as_it_was)
{
	struct producer p;
	struct ibuf_mbuf *m = ibuf_mbuf_new(0);

	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 2000), 0);
	producer_open(&p, "message.max.bytes", "1000");
	assert_int_equal(ibuf_librdkafka_produce(p.topic, 0, m, NULL, 0),
			 RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	assert_int_equal(producer_close(&p, 1000), 0);
	assert_int_equal(p.reports, 0);
	assert_int_equal(ibuf_mbuf_len(m), 2000);
	ibuf_mbuf_free(m);
}

TEST(what_a_broker_refuses_comes_back_and_can_be_produced_again)
{
	struct producer p;
	struct wrapped w;

	producer_open(&p, NULL, NULL);
	p.again = true;
	rd_kafka_mock_push_request_errors(p.cluster, 0 /* produce */, 1,
					  RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	produce(&p, message_of(&w, "one"));
	assert_int_equal(rd_kafka_flush(p.rk, 20000), 0);
	assert_int_equal(p.last, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	assert_message(p.kept, "one", 3);
	assert_released(&w, 1, 0);
	produce(&p, p.kept);
	assert_int_equal(producer_close(&p, 20000), 0);
	assert_int_equal(p.last, RD_KAFKA_RESP_ERR_NO_ERROR);
	assert_int_equal(p.reports, 2);
	assert_released(&w, 1, 1);
}

TEST(a_partition_that_is_unknown_is_reported_once)
{
	struct producer p;
	struct wrapped w;
	struct ibuf_mbuf *m = message_of(&w, "one");
	rd_kafka_resp_err_t error;

	producer_open(&p, NULL, NULL);
	error = ibuf_librdkafka_produce(p.topic, 99, m, NULL, 0);
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
		assert_released(&w, 1, 0);
		ibuf_mbuf_free(m);
	}
	assert_int_equal(producer_close(&p, 20000), 0);
	if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
		assert_int_equal(p.last, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION);
	assert_released(&w, 1, 1);
}

TEST(messages_that_wait_too_long_are_reported_once)
{
	struct producer p;
	struct wrapped w[10];

	producer_open(&p, "message.timeout.ms", "50");
	rd_kafka_mock_broker_set_down(p.cluster, 1);
	for (size_t i = 0; i < 10; i++)
		produce(&p, message_of(&w[i], "late"));
	assert_int_equal(rd_kafka_flush(p.rk, 20000), 0);
	assert_int_equal(p.reports, 10);
	assert_int_equal(p.last, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT);
	assert_released(w, 10, 1);
	assert_int_equal(producer_close(&p, 0), 0);
}

/* rd_kafka_destroy() alone would forget them. */
TEST(a_producer_that_ends_gives_up_what_waits)
{
	struct producer p;
	struct wrapped w[10];

	producer_open(&p, NULL, NULL);
	rd_kafka_mock_broker_set_down(p.cluster, 1);
	for (size_t i = 0; i < 10; i++)
		produce(&p, message_of(&w[i], "never sent"));
	assert_int_equal(producer_close(&p, 0), 10);
	assert_int_equal(p.reports, 10);
	assert_int_equal(p.last, RD_KAFKA_RESP_ERR__PURGE_QUEUE);
	assert_released(w, 10, 1);
}

TEST(a_producer_that_ends_gives_up_what_no_broker_has_answered)
{
	struct producer p;
	struct wrapped w[10];

	producer_open(&p, NULL, NULL);
	produce(&p, message_of(&w[0], "first"));
	assert_int_equal(rd_kafka_flush(p.rk, 20000), 0);
	rd_kafka_mock_broker_set_rtt(p.cluster, 1, 10000);
	for (size_t i = 1; i < 10; i++)
		produce(&p, message_of(&w[i], "sent, not answered"));
	rd_kafka_flush(p.rk, 200);
	assert_true(producer_close(&p, 0) > 0);
	assert_int_equal(p.reports, 10);
	assert_true(p.last == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT ||
		    p.last == RD_KAFKA_RESP_ERR__PURGE_QUEUE);
	assert_released(w, 10, 1);
}

TEST(without_memory_nothing_is_produced_and_nothing_is_taken)
{
	struct producer p;
	struct wrapped w[3];
	struct ibuf_mbuf *m = message_of_three(w);
	rd_kafka_message_t *c;
	rd_kafka_t *consumer;

	producer_open(&p, NULL, NULL);
	WHILE_WITHOUT_MEMORY(ibuf_librdkafka_produce(p.topic, 0, m, NULL, 0) ==
			     RD_KAFKA_RESP_ERR__FAIL)
	{
		assert_three(m);
		assert_int_equal(ibuf_mbuf_segments(m), 3);
	}
	assert_int_equal(rd_kafka_flush(p.rk, 20000), 0);
	assert_int_equal(p.reports, 1);
	assert_released(w, 3, 1);

	consumer = consumer_open(&p);
	do
		c = rd_kafka_consumer_poll(consumer, 100);
	while (c == NULL || c->err != RD_KAFKA_RESP_ERR_NO_ERROR);
	WHILE_WITHOUT_MEMORY((m = ibuf_librdkafka_take(c)) == NULL)
	assert_memory_equal(c->payload, "one two three", 13);
	assert_three(m);
	ibuf_mbuf_free(m);
	rd_kafka_consumer_close(consumer);
	rd_kafka_destroy(consumer);
	assert_int_equal(producer_close(&p, 1000), 0);
}
