/*
 * without.c - run a program on a kernel that lacks something, or in a sandbox
 * that refuses it.
 *
 *	without WHAT[=ERROR][,WHAT[=ERROR]...] PROGRAM [WORD...]
 *
 * WHAT is membarrier, eventfd, madvise (no transparent huge pages), recvmmsg,
 * sendmmsg or hugetlb; ERROR is ENOSYS, EPERM, EINVAL or ENOMEM, and ENOSYS
 * where it is not said.  A filter of seccomp(2) answers these calls, in the
 * program and all its children.  Exits with 77 where there is no seccomp.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SKIPPED = 77, LINES = 64 };

#define AT(member) ((uint32_t)offsetof(struct seccomp_data, member))

static const struct {
	const char *name;
	long number;
	unsigned argument; /* that must have these bits; 0 bits: any */
	uint32_t bits;
} calls[] = {
	{"membarrier", SYS_membarrier, 0, 0},
	{"eventfd", SYS_eventfd2, 0, 0},
	{"madvise", SYS_madvise, 0, 0},
	{"recvmmsg", SYS_recvmmsg, 0, 0},
	{"sendmmsg", SYS_sendmmsg, 0, 0},
	{"hugetlb", SYS_mmap, 3, MAP_HUGETLB},
};

static const struct {
	const char *name;
	uint32_t number;
} errors[] = {
	{"ENOSYS", ENOSYS},
	{"EPERM", EPERM},
	{"EINVAL", EINVAL},
	{"ENOMEM", ENOMEM},
};

static struct sock_filter lines[LINES];
static unsigned short n;

static void
add(struct sock_filter line)
{
	if (n == LINES) {
		fputs("without: too much at once\n", stderr);
		exit(2);
	}
	lines[n++] = line;
}

static uint32_t
error_named(const char *name)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (strcmp(errors[i].name, name) == 0)
			return errors[i].number;
	fprintf(stderr, "without: what is %s?\n", name);
	exit(2);
}

/* The number of the call is looked at anew for each. */
static void
refuse(const char *name, uint32_t error)
{
	size_t i = 0;

	while (i < sizeof(calls) / sizeof(*calls) &&
	       strcmp(calls[i].name, name) != 0)
		i++;
	if (i == sizeof(calls) / sizeof(*calls)) {
		fprintf(stderr, "without: what is %s?\n", name);
		exit(2);
	}
	add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT(nr)));
	if (calls[i].bits == 0) {
		add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						 (uint32_t)calls[i].number, 0,
						 1));
	} else {
		/* The low half of the argument, which is first on x86. */
		add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						 (uint32_t)calls[i].number, 0,
						 3));
		add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 AT(args[calls[i].argument])));
		add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,
						 calls[i].bits, 0, 1));
	}
	add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
					 SECCOMP_RET_ERRNO |
						 (error & SECCOMP_RET_DATA)));
}

int
main(int argc, char **argv)
{
	struct sock_fprog program = {.filter = lines};
	char *what, *error;

	if (argc < 3) {
		fputs("usage: without WHAT[=ERROR],... PROGRAM [WORD...]\n",
		      stderr);
		return 2;
	}
	for (what = strtok(argv[1], ","); what != NULL;
	     what = strtok(NULL, ",")) {
		error = strchr(what, '=');
		if (error != NULL)
			*error++ = '\0';
		refuse(what, error != NULL ? error_named(error) : ENOSYS);
	}
	add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	program.len = n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
		perror("without: seccomp");
		return SKIPPED;
	}
	execv(argv[2], &argv[2]);
	perror(argv[2]);
	return 2;
}
