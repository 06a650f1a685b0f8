/*
 * driver.cc - runs the workloads on the peer it is linked with.
 *
 *   bench-PEER --workloads           the list, for bench/run: one a line
 *   bench-PEER [Google Benchmark's]  run them; the names are those of the list
 *
 * What a workload needs is made once and kept until the next one, since Google
 * Benchmark calls a benchmark several times to find out how often to repeat.
 */
#include "bench.h"

#include <benchmark/benchmark.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <unistd.h>

namespace
{

struct Job {
	const bench_workload *workload;
	const bench_case *work;
	bench_setup setup;
};

const Job *open_job;

/* ---- what the machine has ------------------------------------------ */

size_t
resident_bytes()
{
	std::ifstream statm("/proc/self/statm");
	size_t all = 0, resident = 0;

	statm >> all >> resident;
	return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

size_t
available_bytes()
{
	std::ifstream meminfo("/proc/meminfo");
	std::string name, unit;
	size_t kibibytes;

	while (meminfo >> name >> kibibytes) {
		std::getline(meminfo, unit);
		if (name == "MemAvailable:")
			return kibibytes << 10;
	}
	return 0;
}

/* ---- one at a time ------------------------------------------------- */

void
close_job()
{
	if (open_job == nullptr)
		return;
	if (open_job->setup.threads > 0)
		bench_crew_stop();
	if (open_job->work->finish != nullptr)
		open_job->work->finish();
	bench_peer.close();
	open_job = nullptr;
}

/* Make what the job needs, and run it once so that all is warm. */
void
open(const Job *job)
{
	if (open_job == job)
		return;
	close_job();
	open_job = job;
	bench_peer.open(&job->setup);
	if (job->work->prepare != nullptr)
		job->work->prepare(&job->setup);
	if (job->setup.threads > 0) {
		bench_crew_start(job->setup.threads);
		bench_crew_run(job->work->run, job->workload->batch / 4);
	} else {
		job->work->run(job->workload->batch, 0);
	}
}

/* Measured in the thread's CPU time, which others on the machine change less. */
void
run_here(benchmark::State &state, const Job *job)
{
	open(job);
	while (state.KeepRunningBatch(job->workload->batch))
		job->work->run(job->workload->batch, 0);
}

/* The time is one thread's for one of its operations. */
void
run_crew(benchmark::State &state, const Job *job)
{
	unsigned n = job->workload->batch;

	open(job);
	while (state.KeepRunningBatch(n))
		state.SetIterationTime(bench_crew_run(job->work->run, n));
}

/* Resident bytes for each message; the table of pointers is not counted. */
void
run_resident(benchmark::State &state, const Job *job)
{
	size_t n = job->workload->batch, before, after;

	close_job();
	for (auto _ : state) {
		before = resident_bytes();
		bench_peer.open(&job->setup);
		job->work->prepare(&job->setup);
		job->work->run(n, 0);
		after = resident_bytes();
		state.counters["bytes"] = static_cast<double>(after - before) /
						  static_cast<double>(n) -
					  sizeof(void *);
		job->work->finish();
		bench_peer.close();
	}
}

/* ---- all of them --------------------------------------------------- */

const bench_case *
case_of(const char *id)
{
	const bench_case *c = bench_peer.cases;

	while (c->id != nullptr && strcmp(c->id, id) != 0)
		c++;
	return c->id == nullptr ? nullptr : c;
}

void
add(const bench_workload *w, size_t arg)
{
	const bench_case *work = case_of(w->id);
	std::string name = w->id, sweep = w->sweep ? w->sweep : "";
	bench_setup s = {w->capacity, w->headroom, w->live, 1, arg, w->threads};

	if (work == nullptr)
		return;
	if (sweep != "")
		name += "/" + std::to_string(arg);
	if (sweep == "threads")
		s.threads = static_cast<unsigned>(arg);
	if (sweep == "pools")
		s.pools = arg;
	if (sweep == "live messages")
		s.live = arg;
	if (sweep == "bytes")
		s.capacity = arg;
	if (s.threads > 2 * bench_cpus() && sweep == "threads")
		return;
	/* Threads that must wait for one that has no CPU: minutes, in rings. */
	if (s.threads > bench_cpus() && s.threads > 2 && sweep == "")
		return;
	if (sweep == "bytes" && arg > bench_peer.most)
		return;
	if (s.live * (s.capacity + 512) > available_bytes() / 2)
		return;

	Job *job = new Job{w, work, s};
	auto run = strcmp(w->unit, "bytes") == 0 ? run_resident
		   : s.threads > 0               ? run_crew
						 : run_here;
	auto *b = benchmark::RegisterBenchmark(
		name.c_str(),
		[=](benchmark::State &state) { run(state, job); });

	if (run == run_crew)
		b->UseManualTime();
	if (run == run_resident)
		b->Iterations(1);
}

void
list_workloads()
{
	for (auto w = bench_workloads; w->id != nullptr; w++)
		printf("%s\t%c\t%s\t%s\t%s\n", w->id, w->group, w->unit,
		       w->sweep ? w->sweep : "", w->what);
}

void
fill_sources()
{
	for (size_t i = 0; i < BENCH_SOURCE; i++)
		bench_source[i] = static_cast<uint8_t>(i * 31 + 7);
	for (size_t i = 0; i < BENCH_STREAM; i += 2 + BENCH_FRAME) {
		memset(bench_stream + i, 0xa5, 2 + BENCH_FRAME);
		bench_stream[i] = BENCH_FRAME >> 8;
		bench_stream[i + 1] = BENCH_FRAME & 0xff;
	}
}

} // namespace

void
bench_die(const char *what)
{
	fprintf(stderr, "bench-%s: %s\n", bench_peer.name, what);
	exit(1);
}

int
main(int argc, char **argv)
{
	unsigned last = bench_cpus() - 1;

	if (argc == 2 && strcmp(argv[1], "--workloads") == 0) {
		list_workloads();
		return 0;
	}
	/* The first CPU is where most interrupts are. */
	bench_pin(last);
	fill_sources();
	bench_peer.start(bench_cpu(last));
	for (auto w = bench_workloads; w->id != nullptr; w++) {
		if (w->sweep == nullptr)
			add(w, 0);
		for (auto size = w->sizes; size != nullptr && *size != 0;
		     size++)
			add(w, *size);
	}
	benchmark::AddCustomContext("peer", bench_peer.name);
	benchmark::AddCustomContext("version", bench_peer.version());
	benchmark::Initialize(&argc, argv);
	if (benchmark::ReportUnrecognizedArguments(argc, argv))
		return 1;
	benchmark::RunSpecifiedBenchmarks();
	close_job();
	return 0;
}
