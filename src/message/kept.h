/*
 * kept.h - rooms of the heap: made, kept back by a thread, and freed.
 *
 * A room of few bytes that nothing shows any more stays with the thread that
 * freed it, for the next message of that size: malloc and free take longer
 * than all the rest of a message's life.
 *
 *   size i: rooms of (i - 1) * STEP + 1 to i * STEP bytes, each in a block
 *           for i * STEP
 *   (block_ + MALLOC_OWN) * (rooms kept + places_) <= KEPT_BYTES, of each size
 *
 * Only its thread comes to them, and whoever finds that thread gone: so there
 * is nothing atomic here.  A thread of zeros keeps none, and has none: that is
 * what a thread is before it has thread caches for the heap, after its exit,
 * and where somebody looks at what malloc is asked for (kept.c).
 */
#ifndef IBUF_SRC_KEPT_H
#define IBUF_SRC_KEPT_H

#include "../library.h"

#include "../platform/platform.h"
#include <ibuf/mbuf.h>

/* A block of the heap: this, and the bytes behind it. */
struct heap_room {
	union {
		struct ibuf_room_ room;
		struct heap_room *next; /* of those that a thread keeps */
	};
	uint32_t size;
	uint32_t fate; /* atomic: what becomes of it, see below */
};

#define KEPT_STEP 64u
#define KEPT_SIZE_MAX ((size_t)(IBUF_KEPT_SIZES_ - 1) * KEPT_STEP)
#define KEPT_BYTES 4096
#define MALLOC_OWN 16 /* what malloc has beside a block, about */

/* A room's fate is the size it is kept by, or one of these. */
#define FATE_FREED 0xc3a55a3cu /* no byte of it is likely by chance */
#define FATE_WIPED (IBUF_KEPT_SIZES_ + 1) /* overwritten, then freed */

/* ---- kept.c ------------------------------------------------------------ */

/* A block for a room of so many bytes, with its fate; NULL: no memory.  kept:
   where it will be kept, or NULL. */
struct heap_room *ibuf_kept_make_(size_t size, const struct ibuf_kept_ *kept,
				  bool wipe);

/* Who looks at each room that is made and freed, src/pool/rooms.c; atomic, and
   NULL in nearly all processes. */
struct ibuf_kept_watch {
	struct heap_room *(*make)(size_t size, bool wipe);
	bool (*free)(struct heap_room *heap); /* false: do it */
};
extern const struct ibuf_kept_watch *ibuf_kept_watch_;

static inline const struct ibuf_kept_watch *
kept_watch(void)
{
	return __atomic_load_n(&ibuf_kept_watch_, __ATOMIC_ACQUIRE);
}

/* Free a room that is not kept. */
void ibuf_kept_free_(struct heap_room *heap);

/* Let a thread keep rooms, and free what it kept. */
void ibuf_kept_open_(struct ibuf_thread_ *thread);
void ibuf_kept_close_(struct ibuf_thread_ *thread);

/* ---- rooms come and go ------------------------------------------------- */

/* Make a heap room for one segment; NULL: no memory.  The sum of its two parts
   is at most ROOM_MAX. */
static inline struct heap_room *
heap_room_new(size_t headroom, size_t capacity, bool wipe)
{
	size_t size = headroom + capacity;
	struct ibuf_kept_ *kept = NULL;
	struct heap_room *heap = NULL;

	if (IBUF_LIKELY(size <= KEPT_SIZE_MAX && !wipe)) {
		kept = &ibuf_pool_thread_
				->kept_[(size + KEPT_STEP - 1) / KEPT_STEP];
		heap = kept->first_;
	}
	if (IBUF_LIKELY(heap != NULL)) {
		kept->first_ = heap->next;
		kept->places_++;
		heap->size = (uint32_t)size;
	} else {
		heap = ibuf_kept_make_(size, kept, wipe);
		if (heap == NULL)
			return NULL;
	}
	ibuf_write_pair_(&heap->room, 1, (uint32_t)headroom);
	return heap;
}

/* Free a heap room that nothing shows any more. */
static inline void
heap_room_free(struct heap_room *heap)
{
	uint32_t fate = load_relaxed_u32(&heap->fate);
	struct ibuf_kept_ *kept = NULL;

	if (IBUF_LIKELY(fate < IBUF_KEPT_SIZES_))
		kept = &ibuf_pool_thread_->kept_[fate];
	if (!IBUF_LIKELY(kept != NULL && kept->places_ != 0)) {
		ibuf_kept_free_(heap);
		return;
	}
	kept->places_--;
	heap->next = kept->first_;
	kept->first_ = heap;
}

static inline uint8_t *
heap_room_base(struct heap_room *heap)
{
	return (uint8_t *)(heap + 1);
}

/* Let the heap room of s be overwritten when it goes, and not be kept. */
static inline void
room_must_wipe(const struct ibuf_mbuf *s)
{
	store_relaxed_u32(&((struct heap_room *)s->room_)->fate, FATE_WIPED);
}

#endif
