/*
 * platform_control.h - control messages, as cmsg(3) has them: what comes
 * beside a datagram is sorted, and what goes beside it is added to.
 */
#ifndef IBUF_SRC_PLATFORM_CONTROL_H
#define IBUF_SRC_PLATFORM_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * Room for control messages.  What Linux gives for one UDP datagram ahead of
 * the segment size of a run (timestamps, mark, priority, drops) takes 200
 * bytes and the segment size 24, so it is among the first 256.
 */
struct ibuf_control_room_ {
	_Alignas(struct cmsghdr) uint8_t bytes[256];
};

/*
 * Copy to `to` what a datagram brought, as much as fits in size bytes, whole
 * messages only; `to` may be where it is.  The segment size of a run is taken
 * out, 0: it is none.  Descriptors that are not copied are closed, and the
 * others are close-on-exec.  MSG_CTRUNC in the header: some was left out.
 * Gives the bytes at `to`.  No cancellation point.
 */
size_t ibuf_platform_control_sort_(struct msghdr *from, uint8_t *to,
				   size_t size, bool descriptors,
				   uint16_t *segment_size);

/*
 * Add a segment size to the used bytes of control messages in a room of size
 * bytes.  Gives the bytes that are used then; 0: the room is too small.
 */
size_t ibuf_platform_control_segment_(uint8_t *room, size_t size, size_t used,
				      uint16_t segment_size);

/* 0: the socket cuts what it sends into segments; -ENOTSUP or -errno. */
int ibuf_platform_segments_(int fd);

#endif
