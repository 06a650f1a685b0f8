/*
 * source.c - read a file, and decompress it when its first bytes say so.
 */
#include "source.h"
#include "stop.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { BUFFER = 128 * 1024, MAGIC = 4 };

enum kind { PLAIN, GZIP, ZSTD };

struct source {
	int fd;
	enum kind kind;
	const char *error;
	bool is_inside; /* of compressed data that has not ended yet */
	size_t off, len;
	z_stream gzip;
	ZSTD_DStream *zstd;
	unsigned char buffer[BUFFER];
};

static ssize_t
read_file(struct source *s, void *to, size_t n)
{
	ssize_t got;

	do
		got = stop_is_asked() ? -1 : read(s->fd, to, n);
	while (got < 0 && errno == EINTR && !stop_is_asked());
	if (got < 0 && !stop_is_asked())
		s->error = strerror(errno);
	return got;
}

/* More in the buffer, behind what is there. */
static ssize_t
fill(struct source *s)
{
	ssize_t got;

	if (s->off == s->len)
		s->off = s->len = 0;
	got = read_file(s, s->buffer + s->len, BUFFER - s->len);
	if (got > 0)
		s->len += (size_t)got;
	return got;
}

/* The first bytes tell what it is. */
static bool
look(struct source *s)
{
	static const unsigned char gzip[] = {0x1f, 0x8b};
	static const unsigned char zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
	enum { GZIP_ONLY = 16 };

	while (s->len < MAGIC && fill(s) > 0)
		continue;
	if (s->len >= sizeof gzip && memcmp(s->buffer, gzip, sizeof gzip) == 0)
		s->kind = GZIP;
	if (s->len >= sizeof zstd && memcmp(s->buffer, zstd, sizeof zstd) == 0)
		s->kind = ZSTD;
	if (s->kind == GZIP)
		return inflateInit2(&s->gzip, MAX_WBITS + GZIP_ONLY) == Z_OK;
	if (s->kind == ZSTD)
		s->zstd = ZSTD_createDStream();
	return s->kind != ZSTD || s->zstd != NULL;
}

struct source *
source_open(const char *path)
{
	struct source *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->fd = strcmp(path, "-") == 0 ? STDIN_FILENO
				       : open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0) {
		free(s);
		return NULL;
	}
	if (look(s))
		return s;
	source_close(s);
	errno = ENOMEM;
	return NULL;
}

/* Members may follow each other. */
static bool
decompress_gzip(struct source *s, void *to, size_t n, size_t *made)
{
	int result;

	if (!s->is_inside && inflateReset(&s->gzip) != Z_OK)
		return false;
	s->gzip.next_in = s->buffer + s->off;
	s->gzip.avail_in = (uInt)(s->len - s->off);
	s->gzip.next_out = to;
	s->gzip.avail_out = (uInt)n;
	result = inflate(&s->gzip, Z_NO_FLUSH);
	s->is_inside = result != Z_STREAM_END;
	s->off = s->len - s->gzip.avail_in;
	*made = n - s->gzip.avail_out;
	return result == Z_OK || result == Z_STREAM_END ||
	       result == Z_BUF_ERROR;
}

static bool
decompress_zstd(struct source *s, void *to, size_t n, size_t *made)
{
	ZSTD_inBuffer in = {s->buffer, s->len, s->off};
	ZSTD_outBuffer out = {to, n, 0};
	size_t result = ZSTD_decompressStream(s->zstd, &out, &in);

	s->is_inside = result != 0;
	s->off = in.pos;
	*made = out.pos;
	return !ZSTD_isError(result);
}

static ssize_t
read_compressed(struct source *s, void *to, size_t n)
{
	size_t made = 0;
	ssize_t got = 1;
	bool done;

	while (made == 0) {
		if (s->off == s->len)
			got = fill(s);
		if (got < 0 || (got == 0 && !s->is_inside))
			return got;
		done = s->kind == GZIP ? decompress_gzip(s, to, n, &made)
				       : decompress_zstd(s, to, n, &made);
		if (!done)
			s->error = "compressed data is damaged";
		else if (made == 0 && got == 0)
			s->error = "compressed data is cut short";
		if (s->error != NULL)
			return -1;
	}
	return (ssize_t)made;
}

ssize_t
source_read(struct source *s, void *to, size_t n)
{
	/* Neither decoder counts further in one call. */
	if (n > BUFFER)
		n = BUFFER;
	if (n == 0)
		return 0;
	if (s->error != NULL)
		return -1;
	if (s->kind != PLAIN)
		return read_compressed(s, to, n);
	if (s->off == s->len)
		return read_file(s, to, n);
	if (n > s->len - s->off)
		n = s->len - s->off;
	memcpy(to, s->buffer + s->off, n);
	s->off += n;
	return (ssize_t)n;
}

const char *
source_error(const struct source *s)
{
	return s->error;
}

void
source_close(struct source *s)
{
	if (s->kind == GZIP)
		inflateEnd(&s->gzip);
	ZSTD_freeDStream(s->zstd);
	if (s->fd != STDIN_FILENO)
		close(s->fd);
	free(s);
}
