/*
 * dial.h - look up a host and connect to it, without waiting.
 *
 * A name is looked up by a thread of its own, since the system's resolver may
 * take as long as it likes; who does not want to wait for it any more forgets
 * it, and the thread ends by itself.
 */
#ifndef RELAY_DIAL_H
#define RELAY_DIAL_H

#include "../protocol/url.h"
#include <stdbool.h>
#include <stdint.h>

struct dial;

/* Begin to look up; at once where it is an address.  NULL: it cannot. */
struct dial *dial_begin(const struct url_host *host);

/* Has it been looked up? */
bool dial_is_done(const struct dial *d);

/*
 * Begin to connect, when it has been looked up.  A name may have several
 * addresses: `chance` says which is tried.
 *
 * @return a socket that does not block, or is about to be connected; -1: none,
 *         and *why are words that say what is wrong, until the next call
 */
int dial_connect(const struct dial *d, uint64_t chance, const char **why);

/* Forget it; NULL is fine. */
void dial_end(struct dial *d);

#endif
