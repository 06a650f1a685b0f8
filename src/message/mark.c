/* mark.c - what was written in a room is noted. */
#include "mark.h"

void
ibuf_mark_(const uint8_t *base, uint32_t from, uint32_t to)
{
	struct mark *mark = mark_of(base);
	uint32_t low = load_relaxed_u32(&mark->low);
	uint32_t high = load_relaxed_u32(&mark->high);

	/* Relaxed: who drops the room's count afterwards releases it. */
	while (from < low &&
	       !__atomic_compare_exchange_n(&mark->low, &low, from, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	while (to > high &&
	       !__atomic_compare_exchange_n(&mark->high, &high, to, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}
