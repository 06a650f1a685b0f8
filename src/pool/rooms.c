/*
 * rooms.c - rooms of the heap: for IBUF_DEBUG=quarantine and redzone.
 *
 * A room has more bytes behind it than it says.  In front of it lies what it
 * says of itself, of which the last bytes, its fate, are seldom written: that
 * is its zone in front.  Where a tool looks at what malloc gives, it sees more
 * than we do, and these rooms are left to it.
 */
#define _POSIX_C_SOURCE 200809L
#include "debug.h"

#include <stdlib.h>

#define ZONE_BYTE 0xfa

static struct heap_room *
room_make(size_t size, bool wipe)
{
	size_t zone = ibuf_debug_words_()->redzone;
	struct heap_room *heap = malloc(sizeof *heap + size + zone);

	if (heap == NULL)
		return NULL;
	ibuf_write_pair_(&heap->size, (uint32_t)size,
			 wipe ? FATE_WIPED : FATE_FREED);
	memset(heap_room_base(heap) + size, ZONE_BYTE, zone);
	if (!ibuf_record_put_(heap, NULL, RECORD_ROOM, size,
			      __builtin_return_address(0)))
		return heap; /* it comes back like one of others */
	return heap;
}

static void
check_room(struct heap_room *heap, const struct ibuf_record *record)
{
	size_t zone = ibuf_debug_words_()->redzone, at;
	uint32_t fate = load_relaxed_u32(&heap->fate);

	if (zone == 0)
		return;
	if (heap->size != record->bytes ||
	    (fate != FATE_FREED && fate != FATE_WIPED))
		ibuf_debug_die_(record, NULL,
				": bytes in front of it were written");
	if (!ibuf_zone_is_(heap_room_base(heap) + record->bytes, zone,
			   ZONE_BYTE, &at))
		ibuf_debug_die_(record, NULL,
				": byte %zu behind its %zu was written", at + 1,
				record->bytes);
}

/* false: it is not one of these. */
static bool
room_free(struct heap_room *heap)
{
	void *caller = __builtin_return_address(0);
	struct ibuf_record *record = ibuf_record_freed_(heap, caller);

	if (record == NULL)
		return false;
	if (record->held)
		ibuf_debug_die_twice_(record, "heap", heap, caller);
	check_room(heap, record);
	if (load_relaxed_u32(&heap->fate) == FATE_WIPED)
		ibuf_platform_wipe_(heap_room_base(heap), heap->size);
	if (ibuf_debug_words_()->quarantine != 0) {
		ibuf_quarantine_put_(NULL, record);
		return true;
	}
	ibuf_record_remove_(heap);
	free(heap);
	return true;
}

void
ibuf_debug_rooms_(void)
{
	static const struct ibuf_kept_watch watch = {room_make, room_free};

	/* Pairs with the acquire of who finds it. */
	if (!ibuf_platform_malloc_watched_())
		__atomic_store_n(&ibuf_kept_watch_, &watch, __ATOMIC_RELEASE);
}
