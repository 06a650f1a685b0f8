/*
 * process.h - another process, read without its help.
 *
 * It goes on meanwhile, and may exit; what it has may be anything.  So nothing
 * that is read is believed: each read may fail, and there is a limit to them.
 */
#ifndef TOP_PROCESS_H
#define TOP_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROCESS_TABLES = 16 };

struct process {
	pid_t pid;
	char command[32]; /* printable */
	/* Reads that it may still cost: lists of damage do not end. */
	unsigned reads;
	bool other_machine; /* it is of 32 bits, or of another byte order */
	/* Where the library's tables lie, two for each copy of it. */
	uint64_t tables[PROCESS_TABLES];
	size_t tables_count;
};

/* The processes there are, in the order of their numbers, ended by 0; NULL:
   they cannot be listed. */
pid_t *process_list(void);

/*
 * Look at a process for copies of the library.  0; or an error: ESRCH, there
 * is no such process; EACCES, EPERM, it is not to be read.
 */
int process_open(struct process *p, pid_t pid);

/* Copy n bytes from it; false: they are not there. */
bool process_read(struct process *p, uint64_t from, void *to, size_t n);

/* Copy a string as far as it is there, printable; to is ended by a zero. */
void process_read_text(struct process *p, uint64_t from, char *to, size_t size);

#endif
