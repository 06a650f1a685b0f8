/* moves.c - several windows move to rooms of their own, or none does. */
#include "moves.h"

#include <errno.h>
#include <stdlib.h>

struct move {
	struct ibuf_mbuf *w;
	struct ibuf_place place;
	uint32_t off;
};

/* The usual message needs no memory to plan in. */
#define FEW 4

int
ibuf_moves_(struct ibuf_mbuf *s, size_t n, ibuf_moves_plan_fn *plan)
{
	struct move few[FEW], *moves = few;
	size_t planned = 0, i;
	int result = 0;

	if (n > FEW)
		moves = calloc(n, sizeof *moves);
	if (moves == NULL)
		return -ENOMEM;
	for (; n != 0 && result >= 0; n--) {
		struct move *move = &moves[planned];

		result = plan(s, &move->place, &move->off);
		if (result > 0) {
			move->w = s;
			planned++;
		}
		s = s->next_;
	}
	for (i = 0; i < planned; i++) {
		if (result < 0)
			ibuf_place_drop_(&moves[i].place);
		else
			ibuf_window_move_(moves[i].w, &moves[i].place,
					  moves[i].off);
	}
	if (moves != few)
		free(moves);
	return result < 0 ? result : 0;
}
