/*
 * registry.h - what a debugger or another process may read of the library:
 * where a list begins, and where the members of its structs lie.
 *
 *   note "ibuf" 2 ---> struct registry
 *                        head   ---> pointer ---> first pool ---> next ...
 *                        fields ---> "p.next" at 104, 8 bytes; ...
 *
 * A note of type 2 leads to each (modules.h), in a stripped program and in a
 * core file too.  Nothing of ours reads or writes it.  It is not constant all
 * the same: a page that constants begin is 4 KiB more in each program with the
 * archive, and data has no such steps.  gdb/ibuf.py and ibuf-top know members
 * by these names and by nothing else.
 */
#ifndef IBUF_SRC_PLATFORM_REGISTRY_H
#define IBUF_SRC_PLATFORM_REGISTRY_H

#include <ibuf/base.h>
#include <stddef.h>
#include <stdint.h>

#define REGISTRY_MAGIC "ibuf see"

/* Counted up when what a name means changes, or this struct.  Names that are
   added or gone are seen. */
#define REGISTRY_VERSION 1

/* A member; of size 0 a number, which is in offset. */
struct registry_field {
	char name[10]; /* ends with a zero */
	uint16_t offset;
	uint16_t size;
};

struct registry {
	char magic[8];
	uint32_t version;
	uint32_t library; /* as of ibuf_version_number() */
	char list[8];     /* of what: "pools" or "queues" */
	uint16_t pointer; /* size of one */
	uint16_t field;   /* size of a struct registry_field */
	uint32_t n_fields;
	const void *head; /* where the pointer to the first lies */
	const struct registry_field *fields;
};

#define REGISTRY(list_, head_, fields_)                                        \
	{                                                                      \
		REGISTRY_MAGIC, REGISTRY_VERSION, IBUF_VERSION, list_,         \
			sizeof(void *), sizeof *(fields_),                     \
			sizeof(fields_) / sizeof *(fields_), head_, fields_    \
	}

#define REGISTRY_MEMBER(name_, type_, member_)                                 \
	{                                                                      \
		name_, offsetof(type_, member_),                               \
			sizeof(((type_ *)NULL)->member_)                       \
	}

#define REGISTRY_NUMBER(name_, number_)                                        \
	{                                                                      \
		name_, number_, 0                                              \
	}

#endif
