/*
 * process.c - processes by /proc, their memory by process_vm_readv(2).
 *
 * The library leaves ELF notes that lead to its tables.  A module's first
 * page says where its notes are, in memory as in its file, so neither symbols
 * nor the file itself are needed.
 */
#include "process.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

enum {
	READS_MOST = 1 << 18,
	PARTS_MOST = 64,
	NOTES_BYTES = 4096, /* of notes, in one part of a module */
	NOTE_TYPE = 2,
	PAGE = 4096
};

static int
by_number(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

pid_t *
process_list(void)
{
	DIR *dir = opendir("/proc");
	size_t n = 0, room = 256;
	pid_t *list = malloc(room * sizeof *list), *more;
	const struct dirent *entry;

	while (dir != NULL && list != NULL && (entry = readdir(dir)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		list[n++] = (pid_t)strtol(entry->d_name, NULL, 10);
		if (n < room)
			continue;
		room *= 2;
		more = realloc(list, room * sizeof *list);
		if (more == NULL)
			free(list);
		list = more;
	}
	if (dir != NULL)
		closedir(dir);
	if (dir == NULL || list == NULL) {
		free(list);
		return NULL;
	}
	qsort(list, n, sizeof *list, by_number);
	list[n] = 0;
	return list;
}

bool
process_read(struct process *p, uint64_t from, void *to, size_t n)
{
	struct iovec here = {to, n};
	struct iovec there = {(void *)(uintptr_t)from, n};

	if (p->reads == 0)
		return false;
	p->reads--;
	return process_vm_readv(p->pid, &here, 1, &there, 1, 0) == (ssize_t)n;
}

static void
make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

void
process_read_text(struct process *p, uint64_t from, char *to, size_t size)
{
	size_t n = 0, step;

	/* Not past the end of a page at once: the next may not be there. */
	while (n < size - 1) {
		step = PAGE - (from + n) % PAGE;
		if (step > size - 1 - n)
			step = size - 1 - n;
		if (!process_read(p, from + n, to + n, step))
			break;
		n += step;
		if (memchr(to + n - step, '\0', step) != NULL)
			break;
	}
	to[n] = '\0';
	make_printable(to);
}

/* ---- notes --------------------------------------------------------------- */

/* Take what the notes lead to that lie at an address. */
static void
read_notes(struct process *p, uint64_t at, size_t size)
{
	uint8_t bytes[NOTES_BYTES];
	size_t i = 0, description, next;
	ElfW(Nhdr) note;
	int32_t distance;

	if (size > sizeof bytes || !process_read(p, at, bytes, size))
		return;
	while (size - i >= sizeof note) {
		memcpy(&note, bytes + i, sizeof note);
		if (note.n_namesz > size || note.n_descsz > size)
			return;
		description = i + sizeof note + ((note.n_namesz + 3u) & ~3u);
		next = description + ((note.n_descsz + 3u) & ~3u);
		if (next > size)
			return;
		if (note.n_type == NOTE_TYPE && note.n_namesz == 5 &&
		    note.n_descsz == sizeof distance &&
		    memcmp(bytes + i + sizeof note, "ibuf", 5) == 0 &&
		    p->tables_count < PROCESS_TABLES) {
			memcpy(&distance, bytes + description, sizeof distance);
			p->tables[p->tables_count++] =
				at + description + (uint64_t)(int64_t)distance;
		}
		i = next;
	}
}

/* Look for notes in a module whose file begins at start. */
static void
read_module(struct process *p, uint64_t start)
{
	ElfW(Ehdr) head;
	ElfW(Phdr) parts[PARTS_MOST];
	uint64_t bias = 0;
	bool placed = false;
	size_t i;

	if (!process_read(p, start, &head, sizeof head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
		return;
	if (head.e_ident[EI_CLASS] !=
		    (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
	    head.e_phentsize != sizeof *parts) {
		p->other_machine = true;
		return;
	}
	if (head.e_phnum > PARTS_MOST ||
	    !process_read(p, start + head.e_phoff, parts,
			  head.e_phnum * sizeof *parts))
		return;
	for (i = 0; i < head.e_phnum && !placed; i++) {
		placed = parts[i].p_type == PT_LOAD && parts[i].p_offset == 0;
		if (placed)
			bias = start - parts[i].p_vaddr / PAGE * PAGE;
	}
	for (i = 0; placed && i < head.e_phnum; i++)
		if (parts[i].p_type == PT_NOTE)
			read_notes(p, bias + parts[i].p_vaddr,
				   parts[i].p_memsz);
}

/* ---- a process ----------------------------------------------------------- */

static FILE *
open_file(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
	return fopen(path, "re");
}

static void
read_command(struct process *p)
{
	FILE *file = open_file(p->pid, "comm");

	strcpy(p->command, "?");
	if (file == NULL)
		return;
	if (fgets(p->command, sizeof p->command, file) != NULL)
		p->command[strcspn(p->command, "\n")] = '\0';
	fclose(file);
	make_printable(p->command);
}

int
process_open(struct process *p, pid_t pid)
{
	FILE *maps = open_file(pid, "maps");
	unsigned long long start, offset;
	char *line = NULL, mode[5];
	size_t size = 0;

	*p = (struct process){.pid = pid, .reads = READS_MOST};
	if (maps == NULL)
		return errno == ENOENT ? ESRCH : errno;
	/* "START-END r-xp OFFSET ..."; where a file is mapped from its
	   beginning, a module may begin. */
	while (getline(&line, &size, maps) > 0)
		if (sscanf(line, "%llx-%*x %4s %llx", &start, mode, &offset) ==
			    3 &&
		    offset == 0 && mode[0] == 'r' && strchr(line, '/') != NULL)
			read_module(p, start);
	free(line);
	if (ferror(maps)) {
		fclose(maps);
		return ESRCH;
	}
	fclose(maps);
	if (p->tables_count != 0)
		read_command(p);
	return 0;
}
