/*
 * memory.h - pages of another kind: locked, guarded, of a NUMA node, shared.
 */
#ifndef IBUF_SRC_MEMORY_H
#define IBUF_SRC_MEMORY_H

#include "platform.h"

#define NODE_ANY (-1)
#define NODE_LOCAL (-2)
#define NODE_ALL (-3)
#define NODE_MOST 1023

struct memory_kind {
	bool locked;
	bool guarded;
	int node; /* 0 to NODE_MOST, or as above */
};

/*
 * Can the system give memory of a kind?  0; -ENODEV: it has no such node;
 * -ENOTSUP.
 */
int ibuf_memory_check_(const struct memory_kind *kind);

/* As ibuf_platform_map_(); never huge. */
void *ibuf_memory_map_(size_t size, size_t alignment,
		       const struct memory_kind *kind);
void ibuf_memory_unmap_(void *base, size_t size,
			const struct memory_kind *kind);

/*
 * Let mapped pages that nobody has touched yet be of a kind, but for guards;
 * false: they cannot.  The range is made of whole pages of its kind of page.
 */
bool ibuf_memory_settle_(void *base, size_t size, bool huge,
			 const struct memory_kind *kind);

/* Make a memory file of *size bytes, which is rounded up, and map it.  Gives
   its descriptor, or -errno. */
int ibuf_memory_share_(const char *name, size_t *size, uint8_t **base);
void ibuf_memory_unshare_(uint8_t *base, size_t size, int fd);

/* What was in these bytes of it is not needed: whole pages go back. */
void ibuf_memory_discard_(uint8_t *bytes, size_t n);

/* One line on standard error. */
void ibuf_memory_say_(const char *line);

/* A number that no other process has that may see our memory: after a fork,
   parent and child have different ones. */
uint32_t ibuf_memory_process_(void);

#endif
