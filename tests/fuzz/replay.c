/*
 * replay.c - stands in for libFuzzer: gives the target each file that is
 * named, and each file of a folder.
 */

/* With 32 bits, readdir() ends at a large inode number. */
#define _FILE_OFFSET_BITS 64
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t played;

static void
play_file(FILE *file)
{
	static uint8_t data[1 << 16];
	size_t size = fread(data, 1, sizeof(data), file);

	/* A block of its size, so that ASan sees what is read beyond it. */
	uint8_t *exact = malloc(size + (size == 0));

	if (exact == NULL)
		exit(1);
	for (size_t i = 0; i < size; i++)
		exact[i] = data[i];
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	played++;
}

static int
play(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	char inner[4096];
	FILE *file;

	if (folder == NULL) {
		file = fopen(path, "rb");
		if (file == NULL) {
			perror(path);
			return 1;
		}
		printf("%s\n", path);
		fflush(stdout); /* should it crash */
		play_file(file);
		fclose(file);
		return 0;
	}
	while ((entry = readdir(folder)) != NULL) {
		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.' && play(inner) != 0)
			return 1;
	}
	closedir(folder);
	return 0;
}

int
main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= play(argv[i]);
	if (played == 0)
		fputs("nothing was played\n", stderr);
	return failed != 0 || played == 0;
}
