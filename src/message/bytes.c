/* bytes.c - the bytes of a whole message: out, compared, found, summed. */
#define _POSIX_C_SOURCE 200809L
#include "../library.h"

#include <ibuf/mbuf.h>
#include <ibuf/segment.h>

#include "chain.h"
#include <errno.h>
#include <string.h>

int
ibuf_mbuf_copy_out(const struct ibuf_mbuf *m, size_t off, void *dst, size_t n)
{
	uint8_t *to = dst;

	if (!chain_covers(m, off, n))
		return -ERANGE;
	m = chain_find(m, &off);
	while (n != 0) {
		size_t here = m->len_ - off < n ? m->len_ - off : n;

		memcpy(to, segment_data(m) + off, here);
		to += here;
		n -= here;
		off = 0;
		m = m->next_;
	}
	return 0;
}

int
ibuf_mbuf_compare(const struct ibuf_mbuf *a, const struct ibuf_mbuf *b)
{
	size_t left_a = ibuf_mbuf_len(a), left_b = ibuf_mbuf_len(b);
	size_t left = left_a < left_b ? left_a : left_b;
	size_t off_a = 0, off_b = 0;

	while (left != 0) {
		size_t here = left;
		int order;

		a = chain_go(a, &off_a);
		b = chain_go(b, &off_b);
		if (here > a->len_ - off_a)
			here = a->len_ - off_a;
		if (here > b->len_ - off_b)
			here = b->len_ - off_b;
		order = memcmp(segment_data(a) + off_a, segment_data(b) + off_b,
			       here);
		if (order != 0)
			return order;
		off_a += here;
		off_b += here;
		left -= here;
	}
	return (left_a > left_b) - (left_a < left_b);
}

/* Are the n bytes from off of s on, also across segments, the needle? */
static bool
are_at(const struct ibuf_mbuf *s, size_t off, const uint8_t *needle, size_t n)
{
	while (n != 0) {
		size_t here;

		s = chain_go(s, &off);
		here = s->len_ - off < n ? s->len_ - off : n;
		if (memcmp(segment_data(s) + off, needle, here) != 0)
			return false;
		needle += here;
		n -= here;
		off += here;
	}
	return true;
}

bool
ibuf_mbuf_matches(const struct ibuf_mbuf *m, size_t off, const void *bytes,
		  size_t n)
{
	if (!chain_covers(m, off, n))
		return false;
	m = chain_find(m, &off);
	return are_at(m, off, bytes, n);
}

size_t
ibuf_chain_search_(const struct ibuf_mbuf *s, size_t off, size_t len,
		   const void *needle, size_t n)
{
	const uint8_t *wanted = needle;
	size_t passed = 0, end; /* counted from off of s */

	if (n > len)
		return SIZE_MAX;
	if (n == 0)
		return 0;
	end = len - n + 1; /* where it can begin no more */
	while (passed < end) {
		size_t run;
		const uint8_t *from, *hit;

		s = chain_go(s, &off);
		run = s->len_ - off;
		if (run > end - passed)
			run = end - passed;
		from = segment_data(s) + off;
		hit = memchr(from, wanted[0], run);
		if (hit != NULL) {
			run = (size_t)(hit - from);
			if (are_at(s, off + run, wanted, n))
				return passed + run;
			run++;
		}
		passed += run;
		off += run;
	}
	return SIZE_MAX;
}

size_t
ibuf_mbuf_find(const struct ibuf_mbuf *m, size_t off, const void *needle,
	       size_t n)
{
	size_t start = off, left, found;

	if (!chain_covers(m, off, n))
		return SIZE_MAX;
	left = ibuf_mbuf_len(m) - off;
	m = chain_find(m, &off);
	found = ibuf_chain_search_(m, off, left, needle, n);
	return found == SIZE_MAX ? found : start + found;
}

size_t
ibuf_mbuf_iov(const struct ibuf_mbuf *m, size_t off, struct iovec *iov,
	      size_t max)
{
	size_t entries, index, i;

	if (off >= ibuf_mbuf_len(m))
		return 0;
	entries = ibuf_mbuf_segments(m);
	m = ibuf_chain_find_(m, &off, &index);
	entries -= index;
	for (i = 0; i < entries && i < max; i++) {
		iov[i].iov_base = segment_data(m) + off;
		iov[i].iov_len = m->len_ - off;
		off = 0;
		m = m->next_;
	}
	return entries;
}

/* Add n bytes as big-endian 16-bit words, the last one filled with zero. */
static uint64_t
sum_words(const uint8_t *bytes, size_t n)
{
	uint64_t sum = 0;
	size_t i;

	/* 2^48 words at the most, each below 2^16: no carry is lost. */
	for (i = 0; i + 1 < n; i += 2)
		sum += (uint64_t)bytes[i] << 8 | bytes[i + 1];
	if (i < n)
		sum += (uint64_t)bytes[i] << 8;
	return sum;
}

static uint64_t
fold(uint64_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

int
ibuf_mbuf_checksum(const struct ibuf_mbuf *m, size_t off, size_t n,
		   uint32_t start, uint16_t *out)
{
	uint64_t sum = start, part;
	bool odd = false;

	if (!chain_covers(m, off, n))
		return -ERANGE;
	m = chain_find(m, &off);
	while (n != 0) {
		size_t here = m->len_ - off < n ? m->len_ - off : n;

		part = fold(sum_words(segment_data(m) + off, here));
		/* Behind an odd byte all words are one byte out of step, and
		   RFC 1071 says that swapping the sum puts that right. */
		if (odd)
			part = (part & 0xff) << 8 | part >> 8;
		sum = fold(sum + part);
		odd ^= (here & 1) != 0;
		n -= here;
		off = 0;
		m = m->next_;
	}
	*out = (uint16_t)~fold(sum);
	return 0;
}
