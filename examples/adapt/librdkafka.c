/* librdkafka.c - adapt: messages to a broker of Kafka and back. */
#include <ibuf/adapt/librdkafka.h>
#include <ibuf/ibuf.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>

/* With a broker within this program, as librdkafka has for tests. */
static rd_kafka_t *
make_producer(void)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", NULL, 0);
	rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
	rd_kafka_conf_set_dr_msg_cb(conf, ibuf_librdkafka_report);
	return rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
}

static rd_kafka_t *
make_consumer(const char *brokers)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_t *consumer;

	rd_kafka_conf_set(conf, "bootstrap.servers", brokers, NULL, 0);
	rd_kafka_conf_set(conf, "group.id", "example", NULL, 0);
	rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
	consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
	list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, "letters", 0)->offset =
		RD_KAFKA_OFFSET_BEGINNING;
	rd_kafka_assign(consumer, list);
	rd_kafka_topic_partition_list_destroy(list);
	return consumer;
}

int
main(void)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from("a letter", 8);
	rd_kafka_t *producer = make_producer(), *consumer;
	rd_kafka_message_t *got;
	rd_kafka_mock_cluster_t *cluster;
	rd_kafka_topic_t *topic;

	if (m == NULL || producer == NULL)
		return 1;
	cluster = rd_kafka_handle_mock_cluster(producer);
	rd_kafka_mock_topic_create(cluster, "letters", 1, 1);
	topic = rd_kafka_topic_new(producer, "letters", NULL);
	if (ibuf_librdkafka_produce(topic, 0, m, NULL, 0) !=
	    RD_KAFKA_RESP_ERR_NO_ERROR)
		return 1;
	rd_kafka_flush(producer, 20000);

	consumer = make_consumer(rd_kafka_mock_cluster_bootstraps(cluster));
	do
		got = rd_kafka_consumer_poll(consumer, 1000);
	while (got == NULL);
	if (got->err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return 1;
	m = ibuf_librdkafka_take(got);
	if (m == NULL)
		return 1;
	printf("%.*s\n", (int)ibuf_mbuf_len(m),
	       (const char *)ibuf_mbuf_data(m));
	ibuf_mbuf_free(m); /* before its consumer */
	rd_kafka_consumer_close(consumer);
	rd_kafka_destroy(consumer);
	rd_kafka_topic_destroy(topic);
	printf("not delivered: %d\n", ibuf_librdkafka_destroy(producer, 1000));
	return 0;
}

/* Prints:
 * a letter
 * not delivered: 0
 */
