/*
 * points.h - the calls that the library makes to the system, each of which
 * can be made to fail; and what is not given back.
 *
 * The program is linked so that each of these calls, made by a test or by the
 * library, comes to points.c first.  While the points are armed it counts
 * them, and lets one fail, or that one and all that follow.
 */
#ifndef POINTS_H
#define POINTS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Count from now on, and let the n-th call fail, 1 being the next one; SIZE_MAX:
 * none.  A call has several ways to fail: which says in which one.  for_ever:
 * all calls behind it fail too, each in its first way.
 */
void points_arm(size_t n, unsigned which, bool for_ever);

/* Let none fail any more. */
void points_disarm(void);

/* How many calls there were while they were armed. */
size_t points_met(void);

/* Which point failed first; NULL: none did. */
const char *points_struck(void);

/* In how many ways that one can fail, and its number. */
unsigned points_ways(void);
unsigned points_number(void);

/* Did one of those that failed give this error? */
bool points_gave(int error);

/* How many points there are, and the name of one. */
unsigned points_count(void);
const char *points_name(unsigned number);

/* What lives: blocks of malloc's, and mapped bytes. */
size_t points_blocks(void);
size_t points_mapped(void);

#endif
