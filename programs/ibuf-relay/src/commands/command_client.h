/*
 * command_client.h - what the files of CLIENT share.
 */
#ifndef RELAY_COMMAND_CLIENT_H
#define RELAY_COMMAND_CLIENT_H

#include "../server/registry.h"
#include "command.h"

/*
 * A type of clients by name: "normal", "pubsub", or one that no client is of.
 * false: it has been told that there is no such type.
 */
bool client_parse_type(struct call *call, struct text t, const char **type);

bool client_is_type(struct card *card, const char *type);

command_fn client_kill; /* command_kill.c */

#endif
