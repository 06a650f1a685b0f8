/* operations.h - the table of all operations. */
#ifndef OPERATIONS_H
#define OPERATIONS_H

#include "world.h"

/* Do what an operation says; on some message, when it needs one. */
void operation_run(struct world *w, const struct operation *op);

/* The message in a slot, or in the next one that has one; NULL: nobody. */
struct message *some_message(struct world *w, unsigned wish);

void free_message(struct world *w, struct message *message);

/* Put a new pool at a place; dice decide what it is like. */
void make_pool(struct world *w, unsigned place, unsigned dice);

#endif
