/*
 * garbage.c - a process that lies to ibuf-top: `garbage HOW` has tables as the
 * library has them, which lead to what it made up.
 *
 * Every member is a word of 8 bytes, in the order of the names below, and the
 * stores and thread caches of a pool lie where the pool does.
 */
#include "modules.h"
#include "registry.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
	"p.next",
	"p.name",
	"p.index",
	"p.closed",
	"p.fails",
	"p.waits",
	"p.copied",
	"p.caches",
	"s.pool",
	"s.depot",
	"s.max",
	"s.taken",
	"s.given",
	"s.lost",
	"s.peak",
	"s.grows",
	"s.made",
	"s.carved",
	"s.bytes",
	"c.link",
	"c.base",
	"c.top",
	"c.kept",
	"c.taken",
	"c.given",
	/* Parts, which begin where the whole does: */
	"p.direct",
	"p.others",
	"t.direct",
	"t.others",
};

enum { NAMES = sizeof names / sizeof *names, WORDS = 25, POOLS = 20000 };
enum { NEXT, NAME, CACHES = 7, POOL, LINK = 19 };

static struct registry_field fields[NAMES];
static uint64_t *first;

__attribute__((visibility("hidden"))) struct registry garbage_registry =
	REGISTRY("pools", &first, fields);
LEAVE_NOTE(2, garbage_registry);

static uint64_t (*pools)[WORDS];

/* A pool that looks like one, and where its list goes on. */
static void
make_pool(size_t i, uint64_t next)
{
	pools[i][NEXT] = next;
	pools[i][NAME] = (uintptr_t) "made up";
	pools[i][POOL] = (uintptr_t)pools[i];
}

static uint64_t
at(size_t i)
{
	return (uintptr_t)pools[i];
}

static int
lie(const char *how)
{
	size_t i;

	make_pool(0, 0);
	make_pool(1, at(0));
	if (strcmp(how, "circle") == 0) {
		make_pool(0, at(1));
	} else if (strcmp(how, "long") == 0) {
		for (i = 0; i + 1 < POOLS; i++)
			make_pool(i, at(i + 1));
	} else if (strcmp(how, "threads") == 0) {
		pools[0][CACHES] = at(2);
		pools[2][LINK] = at(3);
		pools[3][LINK] = at(2);
	} else if (strcmp(how, "many-threads") == 0) {
		pools[0][CACHES] = at(2);
		for (i = 2; i + 1 < POOLS; i++)
			pools[i][LINK] = at(i + 1);
	} else if (strcmp(how, "far") == 0) {
		make_pool(0, UINT64_C(0x123456789abc));
	} else if (strcmp(how, "name") == 0) {
		pools[0][NAME] = (uintptr_t) "\033[2J\377\n\"";
		pools[1][NAME] = 7;
	} else if (strcmp(how, "numbers") == 0) {
		memset(pools[0] + 9, 0xff, sizeof pools[0] - 9 * 8);
		pools[0][LINK] = 0;
	} else if (strcmp(how, "version") == 0) {
		garbage_registry.version = 99;
	} else if (strcmp(how, "offsets") == 0) {
		fields[3].offset = 65535;
	} else if (strcmp(how, "sizes") == 0) {
		fields[3].size = 7;
	} else if (strcmp(how, "fields") == 0) {
		garbage_registry.n_fields = UINT32_MAX;
	} else if (strcmp(how, "nowhere") == 0) {
		garbage_registry.fields = NULL;
	} else if (strcmp(how, "head") == 0) {
		garbage_registry.head = (void *)1;
	} else if (strcmp(how, "magic") == 0) {
		garbage_registry.magic[0] = 'x';
	} else {
		return 1;
	}
	return 0;
}

int
main(int n, char **arguments)
{
	size_t i;

	pools = calloc(POOLS, sizeof *pools);
	if (n < 2 || pools == NULL)
		return 1;
	for (i = 0; i < NAMES; i++) {
		strcpy(fields[i].name, names[i]);
		fields[i].offset = (uint16_t)(i < WORDS ? i * 8 : 0);
		fields[i].size = 8;
	}
	first = pools[1];
	if (lie(arguments[1]) != 0)
		return 1;
	if (strcmp(arguments[1], "long") == 0)
		first = pools[0];
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
