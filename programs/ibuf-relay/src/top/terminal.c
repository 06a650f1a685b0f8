/*
 * terminal.c - a screen of our own, in the escape sequences of ECMA-48.
 */
#include "terminal.h"
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool
terminal_write(const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n > 0) {
		ssize_t written = write(STDOUT_FILENO, at, n);

		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			at += written;
			n -= (size_t)written;
		}
	}
	return true;
}

void
terminal_enter(struct terminal *t)
{
	static const char screen[] = "\033[?1049h\033[?25l";
	struct termios raw;

	t->has_keys = tcgetattr(STDIN_FILENO, &t->before) == 0;
	if (t->has_keys) {
		raw = t->before;
		/* Ctrl-C still is a signal; Ctrl-S must not stop us. */
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		raw.c_iflag &= ~(tcflag_t)(IXON);
		raw.c_cc[VMIN] = 1;
		raw.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	terminal_write(screen, strlen(screen));
}

void
terminal_leave(const struct terminal *t)
{
	static const char screen[] = "\033[m\033[?25h\033[?1049l";

	terminal_write(screen, strlen(screen));
	/* Keys that were meant for us are not for the shell. */
	if (t->has_keys)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &t->before);
}

void
terminal_size(unsigned *width, unsigned *height)
{
	struct winsize size;

	*width = 80;
	*height = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return;
	/* 0: nobody has said. */
	if (size.ws_col > 0)
		*width = size.ws_col;
	if (size.ws_row > 0)
		*height = size.ws_row;
}
