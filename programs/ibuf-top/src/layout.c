/* layout.c - a library's table is read, and checked. */
#include "layout.h"
#include "registry.h"
#include <stdio.h>
#include <string.h>

enum { TABLE_MOST = 512 };

static const char *const names[FIELDS] = {
	[P_NEXT] = "p.next",      [P_NAME] = "p.name",
	[P_INDEX] = "p.index",    [P_CLOSED] = "p.closed",
	[P_FAILURES] = "p.fails", [P_WAITS] = "p.waits",
	[P_COPIED] = "p.copied",  [P_CACHES] = "p.caches",
	[P_DIRECT] = "p.direct",  [P_OTHERS] = "p.others",
	[S_POOL] = "s.pool",      [S_DEPOT] = "s.depot",
	[S_MAX] = "s.max",        [S_TAKEN] = "s.taken",
	[S_GIVEN] = "s.given",    [S_LOST] = "s.lost",
	[S_PEAK] = "s.peak",      [S_GROWS] = "s.grows",
	[S_MADE] = "s.made",      [S_CARVED] = "s.carved",
	[S_BYTES] = "s.bytes",    [C_LINK] = "c.link",
	[C_BASE] = "c.base",      [C_TOP] = "c.top",
	[C_KEPT] = "c.kept",      [C_TAKEN] = "c.taken",
	[C_GIVEN] = "c.given",    [T_DIRECT] = "t.direct",
	[T_OTHERS] = "t.others",  [Q_NEXT] = "q.next",
	[Q_LINK] = "q.link",      [Q_MOST] = "q.most",
	[Q_PUSHED] = "q.pushed",  [Q_POPPED] = "q.popped",
	[Q_SIGNS] = "q.signs",    [N_BEFORE] = "n.before",
	[F_POPPER] = "f.popper",  [F_PUSHER] = "f.pusher",
	[F_CLOSED] = "f.closed",
};

/* Is it a struct inside of another? */
static bool
is_part(enum field field)
{
	return field == P_DIRECT || field == P_OTHERS || field == T_DIRECT ||
	       field == T_OTHERS;
}

/* Can it be read as what it is to be?  A part has place for its members
   behind it, none of which is far. */
static bool
is_good(const struct layout *l, enum field field)
{
	uint16_t size = l->size[field];

	if (field >= N_BEFORE)
		return size == 0;
	if (is_part(field))
		return l->offset[field] <= LAYOUT_PIECE / 2;
	return (size == 1 || size == 2 || size == 4 || size == 8) &&
	       l->offset[field] <= LAYOUT_PIECE / 2 - size;
}

static bool
take_fields(struct layout *l, const struct registry_field *fields, size_t n,
	    char why[96])
{
	enum field f = l->is_queues ? Q_NEXT : P_NEXT;
	enum field end = l->is_queues ? FIELDS : Q_NEXT;
	size_t i;

	for (; f < end; f++) {
		for (i = 0; i < n; i++)
			if (strncmp(fields[i].name, names[f],
				    sizeof fields[i].name) == 0)
				break;
		if (i < n) {
			l->offset[f] = fields[i].offset;
			l->size[f] = fields[i].size;
		}
		if (i < n && is_good(l, f))
			continue;
		snprintf(why, 96, "its library does not tell of %s", names[f]);
		return false;
	}
	return true;
}

bool
layout_read(struct layout *l, struct process *p, uint64_t table, char why[96])
{
	struct registry_field fields[TABLE_MOST];
	struct registry r;

	snprintf(why, 96, "its tables are damaged");
	if (!process_read(p, table, &r, sizeof r) ||
	    memcmp(r.magic, REGISTRY_MAGIC, sizeof r.magic) != 0)
		return false;
	if (r.version != REGISTRY_VERSION) {
		snprintf(why, 96,
			 "its ibuf %u.%u.%u has tables of version %u, and this "
			 "ibuf-top reads %u",
			 r.library / 10000, r.library / 100 % 100,
			 r.library % 100, r.version, REGISTRY_VERSION);
		return false;
	}
	if (r.pointer != sizeof(void *) || r.field != sizeof *fields ||
	    r.n_fields > TABLE_MOST ||
	    !process_read(p, (uintptr_t)r.fields, fields,
			  r.n_fields * sizeof *fields))
		return false;
	*l = (struct layout){
		.is_queues = memcmp(r.list, "queues", 7) == 0,
		.library = r.library,
		.head = (uintptr_t)r.head,
	};
	return take_fields(l, fields, r.n_fields, why);
}

size_t
layout_span(const struct layout *l, enum field first, enum field last)
{
	size_t span = 0;

	for (enum field f = first; f <= last; f++)
		if (!is_part(f) && (size_t)l->offset[f] + l->size[f] > span)
			span = (size_t)l->offset[f] + l->size[f];
	return span;
}

uint64_t
layout_get(const struct layout *l, const uint8_t *piece, size_t at,
	   enum field field)
{
	const uint8_t *from = piece + at + l->offset[field];
	uint16_t narrow;
	uint32_t word;
	uint64_t wide;

	switch (l->size[field]) {
	case 1:
		return *from;
	case 2:
		memcpy(&narrow, from, sizeof narrow);
		return narrow;
	case 4:
		memcpy(&word, from, sizeof word);
		return word;
	default:
		memcpy(&wide, from, sizeof wide);
		return wide;
	}
}
