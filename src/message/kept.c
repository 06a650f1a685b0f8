/* kept.c - rooms of the heap that no thread keeps, and threads that begin and
   end to keep some. */
#include "kept.h"

#include <stdlib.h>

const struct ibuf_kept_watch *ibuf_kept_watch_;

struct heap_room *
ibuf_kept_make_(size_t size, const struct ibuf_kept_ *kept, bool wipe)
{
	uint32_t fate = wipe ? FATE_WIPED : FATE_FREED;
	size_t block = sizeof(struct heap_room) + size;
	const struct ibuf_kept_watch *watch = kept_watch();
	struct heap_room *heap;

	if (!IBUF_LIKELY(watch == NULL))
		return watch->make(size, wipe);
	if (kept != NULL && kept->block_ != 0) {
		block = kept->block_;
		fate = (uint32_t)(kept - ibuf_pool_thread_->kept_);
	}
	heap = malloc(block);
	/* As one: free() of the GNU libc looks at all eight bytes. */
	if (heap != NULL)
		ibuf_write_pair_(&heap->size, (uint32_t)size, fate);
	return heap;
}

void
ibuf_kept_free_(struct heap_room *heap)
{
	const struct ibuf_kept_watch *watch = kept_watch();

	if (!IBUF_LIKELY(watch == NULL) && watch->free(heap))
		return;
	if (load_relaxed_u32(&heap->fate) == FATE_WIPED)
		ibuf_platform_wipe_(heap_room_base(heap), heap->size);
	free(heap);
}

/*
 * Whoever looks at what malloc is asked for is to see each room: its end, its
 * free, and that nobody uses it then.
 */
__attribute__((cold)) void
ibuf_kept_open_(struct ibuf_thread_ *thread)
{
	struct ibuf_kept_ *kept;
	uint32_t i;

	if (thread->kept_[0].block_ != 0 || ibuf_platform_malloc_watched_())
		return;
	for (i = 0; i < IBUF_KEPT_SIZES_; i++) {
		kept = &thread->kept_[i];
		kept->block_ =
			(uint32_t)sizeof(struct heap_room) + i * KEPT_STEP;
		kept->places_ = KEPT_BYTES / (kept->block_ + MALLOC_OWN);
	}
}

__attribute__((cold)) void
ibuf_kept_close_(struct ibuf_thread_ *thread)
{
	struct heap_room *heap;
	size_t i;

	for (i = 0; i < IBUF_KEPT_SIZES_; i++) {
		struct ibuf_kept_ *kept = &thread->kept_[i];

		while ((heap = kept->first_) != NULL) {
			kept->first_ = heap->next;
			free(heap);
		}
		kept->places_ = 0;
		kept->block_ = 0;
	}
}
