/* operations.c - the table: which operations there are, and how often. */
#include "operations.h"

static const struct {
	operation_fn *run;
	unsigned weight; /* of 256 */
	bool needs_none; /* it can do without a message */
} table[] = {
	/* life */
	{op_new, 7, true},
	{op_from, 5, true},
	{op_wrap, 6, true},
	{op_wrap_const, 6, true},
	{op_pool_alloc, 14, true},
	{op_pool_bulk, 4, true},
	{op_pool_care, 4, true},
	{op_pool_destroy, 1, true},
	{op_free, 8, false},
	{op_pool_free, 4, false},
	{op_free_bulk, 3, false},
	{op_clone, 12, false},
	{op_clone_bulk, 4, false},
	{op_slice, 12, false},
	{op_copy, 4, false},
	{op_take, 5, false},
	/* ends */
	{op_append, 14, false},
	{op_append_range, 4, false},
	{op_prepend, 14, false},
	{op_fill, 3, false},
	{op_extend_tail, 5, false},
	{op_extend_head, 5, false},
	{op_printf, 4, false},
	{op_reserve, 5, false},
	{op_commit, 4, false},
	{op_trim_head, 8, false},
	{op_trim_tail, 8, false},
	{op_clear, 3, false},
	{op_shrink, 6, false},
	{op_read, 5, false},
	{op_write, 4, false},
	{op_append_number, 4, false},
	{op_prepend_number, 4, false},
	/* in place, joined, cut */
	{op_data_mut, 3, false},
	{op_at_mut, 4, false},
	{op_unshare, 4, false},
	{op_write_at, 7, false},
	{op_concat, 12, false},
	{op_concat_front, 8, false},
	{op_split, 10, false},
	{op_split_front, 10, false},
	{op_linearize, 3, false},
	{op_pullup, 5, false},
	/* look */
	{op_at, 1, false},
	{op_copy_out, 1, false},
	{op_compare, 1, false},
	{op_find, 2, false},
	{op_matches, 2, false},
	{op_iov, 2, false},
	{op_checksum, 1, false},
	{op_cursor, 2, false},
	{op_dump, 1, false},
};

void
operation_run(struct world *w, const struct operation *op)
{
	struct message *a = some_message(w, op->slots & 7);
	unsigned code = op->code, i = 0;

	while (code >= table[i].weight) {
		code -= table[i].weight;
		i = (i + 1) % (sizeof(table) / sizeof(table[0]));
	}
	if (a != NULL || table[i].needs_none)
		table[i].run(w, op, a);
}
