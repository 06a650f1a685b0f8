/*
 * fragment.c - a table of first fragments, in a ring.
 */
#include "fragment.h"
#include "block.h"
#include <stdlib.h>

/* What the fragments of one packet have in common. */
static struct flow_key
key_of(const struct packet *p)
{
	struct flow_end from = {{0}, 0};
	struct flow_end to = {{0}, 0};
	struct flow_key key;
	/* Of IPv6 only the first fragment knows it. */
	unsigned protocol = p->key.family == 4 ? p->key.protocol : 0;

	memcpy(from.address, p->key.address[p->from], sizeof from.address);
	memcpy(to.address, p->key.address[!p->from], sizeof to.address);
	/* Which end sends is a part of it. */
	protocol |= flow_key_set(&key, p->key.family, 0, &from, &to) << 15;
	key.protocol = (uint16_t)protocol;
	key.port[0] = (uint16_t)(p->fragment_id >> 16);
	key.port[1] = (uint16_t)p->fragment_id;
	return key;
}

static void
remember(struct fragments *f, const struct packet *p)
{
	struct flow_key key = key_of(p);
	uint32_t hash = flow_key_hash(&key);
	struct fragment *first;

	if (f->ring == NULL)
		f->ring = calloc(FRAGMENTS_MAX, sizeof *f->ring);
	if (f->ring == NULL)
		return;
	first = table_find(&f->table, hash, &key, sizeof key);
	if (first == NULL) {
		first = &f->ring[f->next];
		f->next = (f->next + 1) % FRAGMENTS_MAX;
		if (first->packet.family != 0)
			table_remove(&f->table, first);
		first->packet = key;
		if (!table_add(&f->table, hash, first)) {
			first->packet.family = 0;
			return;
		}
	}
	first->flow = p->key;
	first->from = p->from;
}

static void
find(const struct fragments *f, struct packet *p)
{
	struct flow_key key = key_of(p);
	const struct fragment *first =
		table_find(&f->table, flow_key_hash(&key), &key, sizeof key);

	if (first == NULL)
		return;
	p->key = first->flow;
	p->from = first->from;
	p->hash = flow_key_hash(&p->key);
	p->skip = SKIP_NOT;
}

void
fragments_take(struct fragments *f, struct ibuf_mbuf *block)
{
	struct packet *p = block_at_mut(block, 0);

	for (; p != NULL; p = block_at_mut(block, p->next)) {
		if (!p->is_fragment)
			continue;
		if (p->skip == SKIP_NOT)
			remember(f, p);
		else if (p->skip == SKIP_FRAGMENT)
			find(f, p);
	}
}

void
fragments_clear(struct fragments *f)
{
	free(f->table.buckets);
	free(f->ring);
	*f = (struct fragments){0};
}
