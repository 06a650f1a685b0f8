/* platform_copies.c - what else is loaded, on Linux; on POSIX, nothing. */
#if !defined(IBUF_PLATFORM_POSIX) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "modules.h"

#include "platform.h"

#ifdef IBUF_PLATFORM_POSIX

void
ibuf_platform_visit_(void (*visit)(void *variable, void *arg),
		     void (*decide)(void *arg), void *arg)
{
	(void)visit;
	decide(arg);
}

void
ibuf_platform_stay_(void)
{
}

#else

#include <dlfcn.h>
#include <link.h>
#include <string.h>

struct visit {
	void (*visit)(void *variable, void *arg);
	void (*decide)(void *arg);
	void *arg;
};

/* ---- notes ------------------------------------------------------------- */

static bool
is_loaded(const struct dl_phdr_info *module, const ElfW(Phdr) * part)
{
	const ElfW(Phdr) * load;
	size_t i;

	for (i = 0; i < module->dlpi_phnum; i++) {
		load = &module->dlpi_phdr[i];
		if (load->p_type == PT_LOAD && (load->p_flags & PF_R) != 0 &&
		    part->p_vaddr >= load->p_vaddr &&
		    part->p_memsz <= load->p_memsz &&
		    part->p_vaddr - load->p_vaddr <=
			    load->p_memsz - part->p_memsz)
			return true;
	}
	return false;
}

/* What a note of ours leads to; NULL: it is not of ours. */
static void *
variable_of(const ElfW(Nhdr) * note, const uint8_t *description)
{
	int32_t distance;

	if (note->n_namesz != sizeof "ibuf" || note->n_type != 1 ||
	    note->n_descsz != sizeof distance ||
	    memcmp(note + 1, "ibuf", sizeof "ibuf") != 0)
		return NULL;
	memcpy(&distance, description, sizeof distance);
	return (void *)((uintptr_t)description + (uintptr_t)(intptr_t)distance);
}

static size_t
round_up(size_t n, size_t unit)
{
	return (n + unit - 1) & ~(unit - 1);
}

/* Visit what the notes in a part of a module lead to. */
static void
read_notes(const uint8_t *at, size_t size, size_t unit, const struct visit *v)
{
	while (size >= sizeof(ElfW(Nhdr))) {
		ElfW(Nhdr) note;
		size_t description, next;
		void *variable;

		memcpy(&note, at, sizeof note);
		if (note.n_namesz > size || note.n_descsz > size)
			return;
		description = round_up(sizeof note + note.n_namesz, unit);
		next = round_up(description + note.n_descsz, unit);
		if (description + note.n_descsz > size)
			return;
		variable = variable_of((const ElfW(Nhdr) *)(const void *)at,
				       at + description);
		if (variable != NULL)
			v->visit(variable, v->arg);
		if (next > size)
			return;
		at += next;
		size -= next;
	}
}

__attribute__((cold)) static int
visit_module(struct dl_phdr_info *module, size_t size, void *visit)
{
	const ElfW(Phdr) * part;
	size_t i;

	(void)size;
	for (i = 0; i < module->dlpi_phnum; i++) {
		part = &module->dlpi_phdr[i];
		if (part->p_type == PT_NOTE && is_loaded(module, part))
			read_notes((const uint8_t *)module->dlpi_addr +
					   part->p_vaddr,
				   part->p_memsz, part->p_align == 8 ? 8 : 4,
				   visit);
	}
	return 0;
}

/* The loader has its lock while it calls this, and lets us in once more. */
static int
visit_all(struct dl_phdr_info *first, size_t size, void *visit)
{
	const struct visit *v = visit;

	(void)first;
	(void)size;
	dl_iterate_phdr(visit_module, visit);
	v->decide(v->arg);
	return 1;
}

void
ibuf_platform_visit_(void (*visit)(void *variable, void *arg),
		     void (*decide)(void *arg), void *arg)
{
	struct visit v = {visit, decide, arg};

	/* Nothing is loaded, not even we: then there is no loader to ask. */
	if (dl_iterate_phdr(visit_all, &v) == 0)
		decide(arg);
}

/* ---- staying ----------------------------------------------------------- */

/*
 * A static program has no loader, and older libcs have it in a library apart.
 * dlopen is looked up, since static linkers warn of whoever names it.
 */
#pragma weak dlsym

static const char here;

/* Is it the module that this is linked into? */
static int
find_name(struct dl_phdr_info *module, size_t size, void *name)
{
	const ElfW(Phdr) * load;
	size_t i;

	(void)size;
	for (i = 0; i < module->dlpi_phnum; i++) {
		load = &module->dlpi_phdr[i];
		if (load->p_type == PT_LOAD &&
		    (uintptr_t)&here - module->dlpi_addr - load->p_vaddr <
			    load->p_memsz) {
			*(const char **)name = module->dlpi_name;
			return 1;
		}
	}
	return 0;
}

/* Opened once more, and never closed.  A program has no name, and stays. */
void
ibuf_platform_stay_(void)
{
	void *(*open)(const char *file, int mode);
	const char *name = NULL;
	void *symbol;

	if (dlsym == NULL || dl_iterate_phdr(find_name, (void *)&name) == 0 ||
	    name == NULL || *name == '\0')
		return;
	symbol = dlsym(RTLD_DEFAULT, "dlopen");
	if (symbol == NULL)
		return;
	memcpy(&open, &symbol, sizeof open);
	(void)open(name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

#endif
