/*
 * fuzz_message.c - the bytes are operations on a population of messages,
 * eight for each; tests/model says what must come of them.
 *
 * `model FILE` tells the operations of a file, and makes a failure shorter.
 */
#include <model/world.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct operation ops[500];
	size_t n = size / sizeof(ops[0]), at;

	if (n > sizeof(ops) / sizeof(ops[0]))
		return -1;
	memcpy(ops, data, n * sizeof(ops[0]));
	world_play(ops, n, NULL, &at);
	return 0;
}
