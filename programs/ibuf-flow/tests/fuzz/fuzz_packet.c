/*
 * fuzz_packet.c - the bytes are a frame of a capture.
 *
 *	link, more bytes on the wire, frame
 *
 * Whatever it says of its lengths, the payload lies within the frame.
 */
#include "../../src/block.h"
#include "../../src/parse.h"
#include <stdlib.h>

#define CHECK(what) ((what) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int links[] = {0, 1, 12, 101, 108, 113, 228, 229};
	struct ibuf_mbuf *block = ibuf_mbuf_new(BLOCK_ROOM);
	struct packet *p;

	if (size < 2 || block == NULL) {
		ibuf_mbuf_free(block);
		return -1;
	}
	p = block_add(block, data + 2, (uint32_t)size - 2);
	CHECK(p != NULL);
	p->link = data[0] % 9 == 8 ? 276 : links[data[0] % 9];
	p->wire_bytes = p->frame_bytes + data[1];
	parse_packet(block, p);
	CHECK(p->skip < SKIP_REASONS);
	if (p->skip == SKIP_NOT) {
		CHECK(p->captured <= p->frame_bytes);
		CHECK(p->segment.payload + p->segment.captured <= p->next);
		CHECK(p->hash == flow_key_hash(&p->key));
	}
	ibuf_mbuf_free(block);
	return 0;
}
