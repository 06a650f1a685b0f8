/*
 * top.c - a live view: ask, show, wait, until told to end.
 */
#include "top.h"
#include "../../../common/complain.h"
#include "../base/clock.h"
#include "../config/options.h"
#include "terminal.h"
#include "top_link.h"
#include "top_sample.h"
#include "top_view.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
enum { ANSWER_MAX_S = 5 };

/* Answers to come, in this order. */
enum awaited { NOTHING, LOGIN, INFO, CLIENTS };

struct top {
	const struct options *options;
	struct top_link link;
	struct terminal terminal;
	int signals;
	enum awaited awaited;
	uint64_t asked_ns;
	struct top_sample before, now, next; /* `next` is being filled */
	bool is_over;
	char trouble[256]; /* why it is over; "": it was told to end */
};

/* It is over, and this is said when the terminal is as it was. */
__attribute__((format(printf, 2, 3))) static void
give_up(struct top *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(t->trouble, sizeof(t->trouble), format, args);
	va_end(args);
	/* Words of a server must not command the terminal. */
	for (char *c = t->trouble; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	t->is_over = true;
}

static void
ask(struct top *t)
{
	static const char *const info[] = {"INFO"};
	static const char *const clients[] = {"CLIENT", "LIST", "TYPE",
					      "pubsub"};
	const char *const login[] = {"AUTH", t->options->password};
	bool is_first = t->asked_ns == 0 && t->options->password != NULL;

	top_sample_clear(&t->next);
	t->asked_ns = clock_now_ns();
	t->awaited = is_first ? LOGIN : INFO;
	if ((is_first && !top_link_ask(&t->link, login, 2)) ||
	    !top_link_ask(&t->link, info, 1) ||
	    !top_link_ask(&t->link, clients, 4))
		give_up(t, "the server at %s is gone", t->options->top);
}

static void
draw(struct top *t)
{
	struct ibuf_mbuf *screen = ibuf_mbuf_new(8192);
	unsigned width, height;

	terminal_size(&width, &height);
	if (screen == NULL ||
	    top_view_print(screen, t->options->top, &t->before, &t->now, width,
			   height) != 0)
		give_up(t, "out of memory");
	else if (!terminal_write(ibuf_mbuf_data(screen), ibuf_mbuf_len(screen)))
		give_up(t, "the terminal is gone");
	ibuf_mbuf_free(screen);
}

static void
take_text(struct top *t, const char *text, size_t len)
{
	switch (t->awaited) {
	case LOGIN:
		t->awaited = INFO;
		break;
	case INFO:
		t->next.at_ns = clock_now_ns();
		if (!top_sample_info(&t->next, text, len))
			give_up(t, "out of memory");
		t->awaited = CLIENTS;
		break;
	case CLIENTS:
		top_sample_clients(&t->next, text, len);
		t->awaited = NOTHING;
		top_sample_clear(&t->before);
		t->before = t->now;
		t->now = t->next;
		t->next = (struct top_sample){0};
		draw(t);
		break;
	case NOTHING:
		give_up(t, "the server at %s says what nobody asked for",
			t->options->top);
		break;
	}
}

static void
take_answers(struct top *t)
{
	enum top_answer answer;
	const char *text;
	size_t len;

	if (!top_link_read(&t->link)) {
		give_up(t, "the server at %s is gone", t->options->top);
		return;
	}
	while (!t->is_over &&
	       (answer = top_link_take(&t->link, &text, &len)) != TOP_MORE) {
		if (answer == TOP_TEXT)
			take_text(t, text, len);
		else if (answer == TOP_ERROR)
			give_up(t, "%s says: %.*s", t->options->top,
				len < 128 ? (int)len : 128, text);
		else
			give_up(t, "%s does not answer as Redis does",
				t->options->top);
	}
}

static void
take_keys(struct top *t)
{
	char keys[64];
	ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

	if (n <= 0)
		t->terminal.has_keys = false; /* nobody is there to press one */
	for (ssize_t i = 0; i < n; i++)
		t->is_over |= keys[i] == 'q' || keys[i] == 'Q';
}

/* Ctrl-Z: the shell gets the terminal as it was, and we get it back. */
static void
sleep_a_while(struct top *t)
{
	terminal_leave(&t->terminal);
	raise(SIGSTOP);
	terminal_enter(&t->terminal);
	/* While we slept the server was not asked; that is not its fault. */
	t->asked_ns = clock_now_ns();
}

static void
take_signals(struct top *t)
{
	struct signalfd_siginfo info;

	while (read(t->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTSTP)
			sleep_a_while(t);
		else if (info.ssi_signo != SIGWINCH)
			t->is_over = true;
	}
	if (!t->is_over && t->now.at_ns != 0)
		draw(t);
}

/* How long until the next question, or until an answer is overdue. */
static int
wait_ms(const struct top *t)
{
	uint64_t seconds = t->awaited == NOTHING ? 1 : ANSWER_MAX_S;
	uint64_t due_ns = t->asked_ns + seconds * SECOND_NS;
	uint64_t now_ns = clock_now_ns();

	return due_ns > now_ns ? (int)((due_ns - now_ns) / 1000000) + 1 : 0;
}

static void
turn(struct top *t)
{
	struct pollfd polled[] = {
		{.fd = t->signals, .events = POLLIN},
		{.fd = t->link.fd, .events = POLLIN},
		{.fd = t->terminal.has_keys ? STDIN_FILENO : -1,
		 .events = POLLIN},
	};

	if (poll(polled, 3, wait_ms(t)) < 0)
		return;
	if (polled[0].revents != 0)
		take_signals(t);
	if (polled[2].revents != 0)
		take_keys(t);
	if (polled[1].revents != 0 && !t->is_over)
		take_answers(t);
	if (t->is_over || wait_ms(t) > 0)
		return;
	if (t->awaited == NOTHING)
		ask(t);
	else
		give_up(t, "the server at %s does not answer", t->options->top);
}

/* Signals come through a descriptor, so that none ends us with the terminal
   as we made it. */
static int
open_signals(void)
{
	static const int ours[] = {SIGINT,  SIGTERM,  SIGHUP,
				   SIGQUIT, SIGWINCH, SIGTSTP};
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigaddset(&set, ours[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool
top_run(const struct options *o)
{
	static struct top top; /* too large for a stack */
	struct top *t = &top;

	t->options = o;
	if (!isatty(STDOUT_FILENO)) {
		complain("--top draws on a terminal, and standard output is "
			 "none; INFO and --metrics have the numbers");
		return false;
	}
	if (!top_link_open(&t->link, o->top))
		return false;
	t->signals = open_signals();
	if (t->signals < 0) {
		complain("cannot take signals: %s", strerror(errno));
		return false;
	}
	terminal_enter(&t->terminal);
	ask(t);
	while (!t->is_over)
		turn(t);
	terminal_leave(&t->terminal);
	close(t->signals);
	top_link_close(&t->link);
	top_sample_clear(&t->before);
	top_sample_clear(&t->now);
	top_sample_clear(&t->next);
	if (t->trouble[0] != '\0')
		complain("%s", t->trouble);
	return t->trouble[0] == '\0';
}
