/*
 * extract.c - a list of open files, the one used last at its end.
 */
#include "extract.h"
#include "../../common/complain.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utlist.h>

/* Far below what a process may have. */
enum { OPEN_MAX_FILES = 128 };

/* Two addresses, two ports, the number, and what is between them. */
enum { FILE_NAME_MAX = 2 * INET6_ADDRSTRLEN + 64 };

struct extract {
	const char *folder;
	int fd;
	struct extract_file *open; /* utlist */
	unsigned open_count;
	bool failed;
};

struct extract *
extract_open(const char *folder)
{
	struct extract *e = calloc(1, sizeof *e);

	if (e == NULL) {
		complain("out of memory");
		return NULL;
	}
	e->folder = folder;
	if (mkdir(folder, 0777) != 0 && errno != EEXIST)
		goto fail;
	e->fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->fd < 0)
		goto fail;
	return e;
fail:
	complain("%s: %s", folder, strerror(errno));
	free(e);
	return NULL;
}

/* Only the first failure is said: the others have the same reason. */
static void
fail(struct extract *e, const char *name, int error)
{
	if (!e->failed)
		complain("%s/%s: %s", e->folder, name, strerror(error));
	e->failed = true;
}

static void
make_name(char text[static FILE_NAME_MAX], const struct extract_name *name)
{
	const struct flow_key *key = name->key;
	char from[INET6_ADDRSTRLEN];
	char to[INET6_ADDRSTRLEN];

	flow_key_address(key, name->from, from);
	flow_key_address(key, !name->from, to);
	snprintf(text, FILE_NAME_MAX, "stream-%06" PRIu64 "-%s_%u-to-%s_%u.raw",
		 name->stream, from, key->port[name->from], to,
		 key->port[!name->from]);
}

static void
close_file(struct extract *e, struct extract_file *file,
	   const struct extract_name *name)
{
	char text[FILE_NAME_MAX] = "";

	if (!file->is_open)
		return;
	DL_DELETE(e->open, file);
	e->open_count--;
	file->is_open = false;
	if (close(file->fd) == 0)
		return;
	if (name != NULL)
		make_name(text, name);
	fail(e, text, errno);
}

/* Let it be open, and the last in the list. */
static bool
open_file(struct extract *e, struct extract_file *file,
	  const struct extract_name *name)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	char text[FILE_NAME_MAX];

	if (file->is_open) {
		DL_DELETE(e->open, file);
		DL_APPEND(e->open, file);
		return true;
	}
	if (e->open_count == OPEN_MAX_FILES)
		close_file(e, e->open, NULL);
	make_name(text, name);
	flags |= file->is_made ? O_APPEND : O_TRUNC;
	do {
		file->fd = openat(e->fd, text, flags, 0666);
		if (file->fd >= 0 || errno != EMFILE || e->open == NULL)
			break;
		close_file(e, e->open, NULL);
	} while (true);
	if (file->fd < 0) {
		fail(e, text, errno);
		return false;
	}
	file->is_open = true;
	file->is_made = true;
	DL_APPEND(e->open, file);
	e->open_count++;
	return true;
}

void
extract_write(struct extract *e, struct extract_file *file,
	      const struct extract_name *name, struct ibuf_mbuf *m)
{
	char text[FILE_NAME_MAX];
	ssize_t n = 1;

	if (e->failed || !open_file(e, file, name))
		return;
	while (ibuf_mbuf_len(m) > 0 && n > 0)
		n = ibuf_io_write(file->fd, m);
	if (n > 0)
		return;
	make_name(text, name);
	fail(e, text, n < 0 ? (int)-n : EIO);
}

void
extract_finish(struct extract *e, struct extract_file *file,
	       const struct extract_name *name)
{
	if (!file->is_made && !e->failed)
		(void)open_file(e, file, name);
	close_file(e, file, name);
}

bool
extract_close(struct extract *e)
{
	bool done = !e->failed;

	while (e->open != NULL)
		close_file(e, e->open, NULL);
	done = done && !e->failed;
	close(e->fd);
	free(e);
	return done;
}
