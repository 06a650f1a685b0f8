/*
 * stop.c - the handlers.
 *
 * A signal may come just before a call that blocks.  So after the first one an
 * alarm comes each second, until the program has seen that it is asked.
 */
#include "stop.h"
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

void (*volatile stop_hook)(void);

static volatile sig_atomic_t asked;

static void
ask(int number)
{
	if (number != SIGALRM)
		asked = number;
	if (stop_hook != NULL)
		stop_hook();
	alarm(1);
}

void
stop_prepare(void)
{
	static const int numbers[] = {SIGINT, SIGTERM};
	struct sigaction action = {.sa_handler = ask};
	struct sigaction before;
	size_t i;

	sigaction(SIGALRM, &action, NULL);
	for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		sigaction(numbers[i], NULL, &before);
		if (before.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
}

bool
stop_is_asked(void)
{
	return asked != 0;
}

void
stop_no_more(void)
{
	alarm(0);
	signal(SIGALRM, SIG_IGN);
	if (signal(SIGINT, SIG_DFL) == SIG_IGN)
		signal(SIGINT, SIG_IGN);
	if (signal(SIGTERM, SIG_DFL) == SIG_IGN)
		signal(SIGTERM, SIG_IGN);
}

void
stop_now(void)
{
	raise(asked);
}
