/*
 * screen.c - samples on a terminal, by ncurses.
 *
 * The first line tells of all, the last of the keys; between them goes what
 * view.h gives, from the line on to which somebody scrolled.
 */
#include "screen.h"
#include "../../common/complain.h"
#include <ncurses.h>
#include <stdlib.h>
#include <time.h>

struct screen {
	struct sample before, now;
	int top; /* lines that are scrolled away, behind the first heading */
	int row; /* of the next line, as if the screen had no end */
	int end; /* rows of the last time */
};

static void
draw_line(const char *text, enum view_style style, void *arg)
{
	static const attr_t attributes[] = {
		[VIEW_HEADING] = A_BOLD,
		[VIEW_ALARM] = A_BOLD,
	};
	struct screen *screen = arg;
	int row = screen->row++, at = row == 0 ? 1 : row + 1 - screen->top;

	if ((row != 0 && at < 2) || at >= LINES - 1)
		return;
	attrset((int)attributes[style]);
	if (style == VIEW_ALARM && has_colors())
		attron(COLOR_PAIR(1));
	mvaddnstr(at, 0, text, COLS);
	attrset(A_NORMAL);
}

static void
draw_title(const struct screen *screen, const struct options *o)
{
	const struct sample *s = &screen->now;
	size_t pools = 0, queues = 0, i;
	time_t now = time(NULL);
	char clock[16] = "", text[256];
	struct tm parts;

	for (i = 0; i < s->count; i++) {
		pools += s->programs[i].pools_count;
		queues += s->programs[i].queues_count;
	}
	if (localtime_r(&now, &parts) != NULL)
		(void)strftime(clock, sizeof clock, "%H:%M:%S", &parts);
	snprintf(text, sizeof text,
		 "ibuf-top %s  processes %zu  pools %zu  queues %zu  not "
		 "readable %u  by %s, every %u s",
		 clock, s->count, pools, queues, s->refused, o->order->name,
		 o->interval_s);
	attrset(A_REVERSE);
	mvhline(0, 0, ' ', COLS);
	mvaddnstr(0, 0, text, COLS);
	mvhline(LINES - 1, 0, ' ', COLS);
	mvaddnstr(LINES - 1, 0,
		  "q ends  arrows scroll  sort by: a allocated  r rate  c "
		  "copied  f failures  m mapped  n name  p pid",
		  COLS);
	attrset(A_NORMAL);
}

static void
draw(struct screen *screen, const struct options *o)
{
	int most = screen->end - (LINES - 2);

	if (screen->top > most)
		screen->top = most;
	if (screen->top < 0)
		screen->top = 0;
	erase();
	draw_title(screen, o);
	screen->row = 0;
	if (!view_lines(&screen->now, o->order, draw_line, screen))
		mvaddnstr(1, 0, "out of memory", COLS);
	screen->end = screen->row;
	refresh();
}

static void
press(struct screen *screen, struct options *o, int key)
{
	size_t i;

	for (i = 0; i < VIEW_ORDERS; i++)
		if (view_orders[i].key == key)
			o->order = &view_orders[i];
	if (key == KEY_DOWN)
		screen->top++;
	else if (key == KEY_UP)
		screen->top--;
	else if (key == KEY_NPAGE)
		screen->top += LINES - 3;
	else if (key == KEY_PPAGE)
		screen->top -= LINES - 3;
}

static int
milliseconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int)((now.tv_sec - start->tv_sec) * 1000 +
		     (now.tv_nsec - start->tv_nsec) / 1000000);
}

/* Show one sample and hear the keys until the next is due; false: q. */
static bool
hear(struct screen *screen, struct options *o)
{
	int whole = (int)o->interval_s * 1000, left, key;
	struct timespec start;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		draw(screen, o);
		left = whole - milliseconds_since(&start);
		if (left <= 0)
			return true;
		timeout(left);
		key = getch();
		if (key == 'q')
			return false;
		if (key != ERR)
			press(screen, o, key);
		else if (milliseconds_since(&start) < whole)
			return false; /* the terminal is gone */
	}
}

int
screen_run(struct options *o,
	   bool (*take)(struct sample *s, const struct options *o))
{
	struct screen screen = {0};
	bool more = take(&screen.now, o);
	int status = more ? 0 : 1;

	if (!more)
		return status;
	sample_compare(&screen.now, &screen.before);
	if (newterm(NULL, stdout, stdin) == NULL) {
		sample_free(&screen.now);
		complain("this terminal is not known: use --once");
		return 1;
	}
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(1, COLOR_RED, -1);
	}
	while (hear(&screen, o)) {
		sample_free(&screen.before);
		screen.before = screen.now;
		/* What it says comes behind the screen. */
		if (!take(&screen.now, o)) {
			status = 1;
			break;
		}
		sample_compare(&screen.now, &screen.before);
	}
	endwin();
	sample_free(&screen.before);
	sample_free(&screen.now);
	return status;
}
