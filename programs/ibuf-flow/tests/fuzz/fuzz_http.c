/*
 * fuzz_http.c - the bytes are what one side of a TCP stream sends.
 *
 *	piece, stream
 *
 * Names are looked for in pieces of that length, with a gap behind each 16th.
 */
#include "../../src/scanner.h"
#include <stdlib.h>

#define CHECK(what) ((what) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct name_store store = {.limit = 1 << 20};
	struct flow_key key = {.family = 4};
	struct name_flow flow = {&store, &key, flow_key_hash(&key)};
	struct scanner s = {.is_dns = false};
	size_t piece, n, at;

	if (size < 2)
		return -1;
	piece = data[0] + 1u;
	for (at = 1; at < size; at += n) {
		struct ibuf_mbuf *m;

		n = piece < size - at ? piece : size - at;
		m = ibuf_mbuf_from(data + at, n);
		CHECK(m != NULL);
		scanner_feed(&s, m, 2 * n, &flow);
		CHECK(s.held == NULL || ibuf_mbuf_validate(s.held) == 0);
		CHECK(s.held == NULL || ibuf_mbuf_len(s.held) < 1 << 17);
		ibuf_mbuf_free(m);
		if (at / piece % 16 == 15)
			scanner_gap(&s, &flow);
	}
	scanner_stop(&s);
	CHECK(store.bytes <= store.limit);
	names_clear(&store);
	return 0;
}
