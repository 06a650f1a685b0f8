/*
 * kind.h - the three things that can be subscribed to.
 */
#ifndef RELAY_KIND_H
#define RELAY_KIND_H

enum kind {
	KIND_CHANNEL, /* SUBSCRIBE */
	KIND_PATTERN, /* PSUBSCRIBE */
	KIND_SHARD    /* SSUBSCRIBE */
};

enum { KINDS = 3 };

#endif
