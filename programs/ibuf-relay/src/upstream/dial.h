/*
 * dial.h - connect to a host and a port, without waiting until it is done.
 */
#ifndef RELAY_DIAL_H
#define RELAY_DIAL_H

#include "../protocol/url.h"
#include <stdint.h>

/*
 * Begin to connect.  A name may have several addresses: `chance` says which
 * is tried.  Looking it up may block.
 *
 * @return a socket that does not block, or is about to be connected; -1: none,
 *         and *why are words that say what is wrong, until the next call
 */
int dial(const struct url_host *host, uint64_t chance, const char **why);

#endif
