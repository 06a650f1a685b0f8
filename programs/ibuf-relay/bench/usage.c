/*
 * usage.c - what a process has used.
 */
#include "usage.h"
#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* The first number of schedstat is nanoseconds; stat has hundredths only. */
static double
thread_seconds(pid_t pid, const char *thread)
{
	char path[64];
	unsigned long long ns = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/task/%.20s/schedstat",
		 (long)pid, thread);
	file = fopen(path, "r");
	if (file == NULL || fscanf(file, "%llu", &ns) != 1)
		err(1, "%s", path);
	fclose(file);
	return (double)ns / 1e9;
}

double
usage_cpu_seconds(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	double sum = 0;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	threads = opendir(path);
	if (threads == NULL)
		err(1, "%s", path);
	while ((entry = readdir(threads)) != NULL)
		if (entry->d_name[0] != '.')
			sum += thread_seconds(pid, entry->d_name);
	closedir(threads);
	return sum;
}

long
usage_peak_bytes(pid_t pid)
{
	char path[64], line[256];
	long kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	file = fopen(path, "r");
	if (file == NULL)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	fclose(file);
	return kib * 1024;
}

double
usage_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
