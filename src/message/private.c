/* moves.c - several windows move to rooms of their own, or none does. */
#include "private.h"

#include <errno.h>
#include <stdlib.h>

static void
free_block(struct ibuf_relocations *moves)
{
	if (moves->moves != moves->few)
		free(moves->moves);
}

int
ibuf_relocate_begin_(struct ibuf_relocations *moves, struct ibuf_mbuf *s,
		     size_t n, ibuf_relocate_plan_fn *plan)
{
	int result = 0;
	size_t i;

	moves->n = 0;
	moves->moves = moves->few;
	if (n > RELOCATIONS_FEW)
		moves->moves = calloc(n, sizeof *moves->moves);
	if (moves->moves == NULL)
		return -ENOMEM;
	for (; n != 0 && result >= 0; n--) {
		struct ibuf_relocation *move = &moves->moves[moves->n];

		result = plan(s, &move->place, &move->off);
		if (result > 0) {
			move->w = s;
			moves->n++;
		}
		s = s->next_;
	}
	for (i = 0; i < moves->n; i++) {
		struct ibuf_relocation *move = &moves->moves[i];

		if (result < 0)
			ibuf_place_drop_(&move->place);
		else
			ibuf_segment_move_(move->w, &move->place, move->off,
					   &move->left);
	}
	if (result < 0)
		free_block(moves);
	return result < 0 ? result : 0;
}

bool
ibuf_relocate_end_(struct ibuf_relocations *moves)
{
	struct ibuf_releases releases = {NULL, NULL};
	bool calls;
	size_t i;

	for (i = 0; i < moves->n; i++)
		ibuf_left_gather_(&moves->moves[i].left, &releases);
	free_block(moves);
	calls = releases.first != NULL;
	releases_run(&releases);
	return calls;
}

int
ibuf_relocate_(struct ibuf_mbuf *s, size_t n, ibuf_relocate_plan_fn *plan)
{
	struct ibuf_relocations moves;
	bool again;
	int error;

	/* A callback may have cloned what had just become private. */
	do {
		error = ibuf_relocate_begin_(&moves, s, n, plan);
		again = error == 0 && ibuf_relocate_end_(&moves);
	} while (again);
	return error;
}
