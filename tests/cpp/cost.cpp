/*
 * cost.cpp - the same work through the C functions and through ibuf.hpp; check
 * compares how many instructions the compiler makes of c_NAME and cpp_NAME.
 */
#include <ibuf/ibuf.hpp>

extern "C" {

int
c_pair(ibuf_pool *const *p)
{
	ibuf_mbuf *m = ibuf_pool_alloc(*p);

	if (m == nullptr)
		return -1;
	ibuf_mbuf_free(m);
	return 0;
}

int
cpp_pair(const ibuf::pool &p)
{
	ibuf::message m(ibuf_pool_alloc(p.get()));

	return m ? 0 : -1;
}

int
c_clone(ibuf_mbuf *const *m)
{
	ibuf_mbuf *clone = ibuf_mbuf_clone(*m);

	if (clone == nullptr)
		return -1;
	ibuf_mbuf_free(clone);
	return 0;
}

int
cpp_clone(const ibuf::message &m)
{
	ibuf::message clone(ibuf_mbuf_clone(m.get()));

	return clone ? 0 : -1;
}

int
c_append(ibuf_mbuf *const *m, const char *bytes)
{
	if (ibuf_mbuf_append(*m, bytes, 38) != 0)
		abort();
	return 0;
}

int
cpp_append(ibuf::message &m, const char *bytes)
{
	m.append({bytes, 38});
	return 0;
}

int
c_length(ibuf_mbuf *const *m)
{
	if (ibuf_mbuf_prepend_be32(*m, (uint32_t)ibuf_mbuf_len(*m)) != 0)
		abort();
	return 0;
}

int
cpp_length(ibuf::message &m)
{
	ibuf::prepend_be(m, (uint32_t)m.size());
	return 0;
}

int
c_read(ibuf_mbuf *const *m, uint32_t *to)
{
	struct ibuf_cursor c;
	uint16_t a;
	uint32_t b;

	ibuf_cursor_init(&c, *m);
	if (!ibuf_cursor_get_be16(&c, &a) || !ibuf_cursor_get_be32(&c, &b))
		return -1;
	*to = a + b;
	return 0;
}

int
cpp_read(const ibuf::message &m, uint32_t *to)
{
	ibuf::cursor c(m);
	uint16_t a;
	uint32_t b;

	if (!c.get_be(a) || !c.get_be(b))
		return -1;
	*to = a + b;
	return 0;
}
}
