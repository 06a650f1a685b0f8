/*
 * relay-load - measure a server of Redis publish and subscribe from outside.
 *
 *	relay-load [-u PATH] [-p PORT] -P PID -n SUBSCRIBERS -s SIZE
 *	           -w WINDOW -t SECONDS
 *
 * With a window of many messages it shows what the server can do, with a
 * window of one how long a message takes.  It prints one line of JSON.
 */
#include "load.h"
#include "usage.h"
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* At one moment. */
struct reading {
	double at, server_cpu, load_cpu;
	uint64_t deliveries, published;
};

static struct reading
take_reading(const struct load *load)
{
	return (struct reading){
		.at = usage_now(),
		.server_cpu = usage_cpu_seconds((pid_t)load->options.server),
		.load_cpu = usage_cpu_seconds(getpid()),
		.deliveries = load->deliveries,
		.published = load->published,
	};
}

static size_t
size_of(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end != '\0' || n == 0)
		errx(2, "not a number above 0: %s", text);
	return n;
}

static struct load_options
parse(int argc, char **argv)
{
	struct load_options o = {.port = 6379, .window = 1, .seconds = 1};
	int letter;

	while ((letter = getopt(argc, argv, "u:p:P:n:s:w:t:")) != -1) {
		switch (letter) {
		case 'u':
			o.unix_path = optarg;
			break;
		case 'p':
			o.port = (int)size_of(optarg);
			break;
		case 'P':
			o.server = (long)size_of(optarg);
			break;
		case 'n':
			o.listeners = size_of(optarg);
			break;
		case 's':
			o.size = size_of(optarg);
			break;
		case 'w':
			o.window = size_of(optarg);
			break;
		case 't':
			o.seconds = strtod(optarg, NULL);
			break;
		default:
			exit(2);
		}
	}
	if (o.server == 0 || o.listeners == 0 || o.size < sizeof(struct stamp))
		errx(2, "it takes -P, -n, and -s of %zu or more",
		     sizeof(struct stamp));
	return o;
}

static void
raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Publish for some seconds, and some messages at least; all arrive. */
static void
run(struct load *load, double seconds, uint64_t least)
{
	double end = usage_now() + seconds;

	least += load->published;
	while (usage_now() < end || load->published < least) {
		load_publish(load);
		load_take(load);
	}
	while (load->done < load->published)
		load_take(load);
}

static int
compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void
print(const struct load *load, const struct reading *begin,
      const struct reading *end)
{
	size_t n = load->latency_count < LATENCIES ? load->latency_count
						   : LATENCIES;
	double seconds = end->at - begin->at;

	qsort(load->latencies, n, sizeof(float), compare);
	printf("{\"deliveries\": %llu, \"messages\": %llu, \"seconds\": %.6f, "
	       "\"server_cpu\": %.6f, \"load_cpu\": %.6f, "
	       "\"p50_us\": %.1f, \"p99_us\": %.1f, \"peak_bytes\": %ld}\n",
	       (unsigned long long)(end->deliveries - begin->deliveries),
	       (unsigned long long)(end->published - begin->published), seconds,
	       end->server_cpu - begin->server_cpu,
	       end->load_cpu - begin->load_cpu,
	       1e6 * (double)load->latencies[n / 2],
	       1e6 * (double)load->latencies[n - 1 - n / 100],
	       usage_peak_bytes((pid_t)load->options.server));
}

int
main(int argc, char **argv)
{
	struct load load = {.options = parse(argc, argv)};
	struct reading begin, end;

	raise_descriptors();
	load_connect(&load);
	/* Buffers grow, and caches fill, before it counts. */
	run(&load, load.options.seconds / 5, load.options.window);
	load.latency_count = 0;
	begin = take_reading(&load);
	run(&load, load.options.seconds, 2 * load.options.window);
	end = take_reading(&load);
	print(&load, &begin, &end);
	return 0;
}
