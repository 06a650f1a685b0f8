/*
 * test_nomem.c - memory runs out at every step of every call that allocates,
 * on every kind of message: the call fails and nothing changed, or it did
 * without; and once there is memory again it works.
 */
#include "dry.h"
#include "samples.h"
#include "states.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ---- calls --------------------------------------------------------- */

/* Each gives 0 or -ENOMEM, and leaves m with what its row says. */

static int
as_error(const void *result)
{
	return result != NULL ? 0 : -ENOMEM;
}

static int
append(struct ibuf_mbuf *m)
{
	return ibuf_mbuf_append(m, "XYZ", 3);
}

static int
append_own(struct ibuf_mbuf *m)
{
	return ibuf_mbuf_append(m, ibuf_mbuf_at(m, 0, NULL), 1);
}

static int
prepend(struct ibuf_mbuf *m)
{
	return ibuf_mbuf_prepend(m, "0123456789012345678901234567890123456789",
				 40);
}

static int
append_fill(struct ibuf_mbuf *m)
{
	return ibuf_mbuf_append_fill(m, 'x', 70);
}

static int
extend_tail(struct ibuf_mbuf *m)
{
	void *bytes = ibuf_mbuf_extend_tail(m, 3);

	if (bytes != NULL)
		memcpy(bytes, "XYZ", 3);
	return as_error(bytes);
}

static int
extend_head(struct ibuf_mbuf *m)
{
	void *bytes = ibuf_mbuf_extend_head(m, 3);

	if (bytes != NULL)
		memcpy(bytes, "XYZ", 3);
	return as_error(bytes);
}

static int
print(struct ibuf_mbuf *m)
{
	return ibuf_mbuf_printf(m, "%s", "XYZ");
}

static int
reserve(struct ibuf_mbuf *m)
{
	return as_error(ibuf_mbuf_reserve(m, 300));
}

static int
write_stream(struct ibuf_mbuf *m)
{
	ssize_t n = ibuf_mbuf_write(m, "XYZ", 3);

	return n == 3 ? 0 : (int)n;
}

static int
at_mut(struct ibuf_mbuf *m)
{
	size_t run = 42;
	void *bytes = ibuf_mbuf_at_mut(m, 4, &run);

	if (bytes == NULL)
		assert_int_equal(run, 42);
	return as_error(bytes);
}

static int
data_mut(struct ibuf_mbuf *m)
{
	void *bytes = ibuf_mbuf_data_mut(m);

	return ibuf_mbuf_is_contiguous(m) ? as_error(bytes) : 0;
}

static int
write_at(struct ibuf_mbuf *m)
{
	return ibuf_mbuf_write_at(m, 2, "CDEFGH", 6);
}

static int
write_own(struct ibuf_mbuf *m)
{
	return ibuf_mbuf_write_at(m, 1, ibuf_mbuf_at(m, 0, NULL), 1);
}

static int
clone(struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *other = ibuf_mbuf_clone(m);

	ibuf_mbuf_free(other);
	return as_error(other);
}

static int
clone_bulk(struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *others[3];
	int error = ibuf_mbuf_clone_bulk(m, others, 3);

	if (error == 0)
		ibuf_mbuf_free_bulk(others, 3);
	return error;
}

static int
slice(struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *other = ibuf_mbuf_slice(m, 1, 8);

	ibuf_mbuf_free(other);
	return as_error(other);
}

static int
copy(struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *other = ibuf_mbuf_copy(m, 1, 8);

	ibuf_mbuf_free(other);
	return as_error(other);
}

static int
split(struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *rest = ibuf_mbuf_split(m, 5);

	ibuf_mbuf_free(rest);
	return as_error(rest);
}

static int
pullup(struct ibuf_mbuf *m)
{
	return as_error(ibuf_mbuf_pullup(m, 8));
}

static const struct call {
	const char *name;
	int (*run)(struct ibuf_mbuf *m);
	const char *before, *bytes, *after; /* what m holds then */
	size_t filled;                      /* 'x's behind that */
} calls[] = {
	{"append", append, "", TEXT, "XYZ", 0},
	{"append_own", append_own, "", TEXT, "a", 0},
	{"prepend", prepend, "0123456789012345678901234567890123456789", TEXT,
	 "", 0},
	{"append_fill", append_fill, "", TEXT, "", 70},
	{"extend_tail", extend_tail, "", TEXT, "XYZ", 0},
	{"extend_head", extend_head, "XYZ", TEXT, "", 0},
	{"printf", print, "", TEXT, "XYZ", 0},
	{"reserve", reserve, "", TEXT, "", 0},
	{"write", write_stream, "", TEXT, "XYZ", 0},
	{"shrink", ibuf_mbuf_shrink, "", TEXT, "", 0},
	{"at_mut", at_mut, "", TEXT, "", 0},
	{"data_mut", data_mut, "", TEXT, "", 0},
	{"unshare", ibuf_mbuf_unshare, "", TEXT, "", 0},
	{"write_at", write_at, "", "abCDEFGHij", "", 0},
	{"write_own", write_own, "", "aacdefghij", "", 0},
	{"clone", clone, "", TEXT, "", 0},
	{"clone_bulk", clone_bulk, "", TEXT, "", 0},
	{"slice", slice, "", TEXT, "", 0},
	{"copy", copy, "", TEXT, "", 0},
	{"split", split, "", "abcde", "", 0},
	{"linearize", ibuf_mbuf_linearize, "", TEXT, "", 0},
	{"pullup", pullup, "", TEXT, "", 0},
};

/* ---- each on each -------------------------------------------------- */

static bool
is_done(const struct call *call, const struct ibuf_mbuf *m)
{
	char bytes[256];
	int n = snprintf(bytes, sizeof(bytes), "%s%s%s", call->before,
			 call->bytes, call->after);

	memset(bytes + n, 'x', call->filled);
	return ibuf_mbuf_validate(m) == 0 &&
	       has_bytes(m, (uint8_t *)bytes, (size_t)n + call->filled);
}

/* What is wrong after the call, of which a part may have failed? */
static const char *
fault_of(const struct call *call, struct sample *w, int error,
	 const struct state *before, const struct state *kin)
{
	const char *change = NULL;

	if (error != 0 && error != -ENOMEM)
		return "error code";
	if (error != 0)
		change = state_change(before, w->m);
	else if (!is_done(call, w->m))
		return "result";
	if (change == NULL && w->kin != NULL &&
	    (ibuf_mbuf_validate(w->kin) != 0 ||
	     !has_bytes(w->kin, kin->bytes, kin->len)))
		return "kin's bytes";
	if (change == NULL && error != 0) {
		if (call->run(w->m) != 0)
			return "retry";
		if (!is_done(call, w->m))
			return "result of the retry";
	}
	return change;
}

/* How many failures did the call meet, all in all? */
static size_t
starve(const struct call *call, size_t world, void (*arm)(size_t n))
{
	static struct state before, kin;
	size_t failed = 0, n = 0;
	bool struck;

	do {
		struct sample w = {0};
		const char *fault;
		int error;

		worlds[world].make(&w);
		state_take(&before, w.m);
		if (w.kin != NULL)
			state_take(&kin, w.kin);
		arm(++n);
		error = call->run(w.m);
		struck = fault_off();
		if (!struck)
			assert_int_equal(error, 0);
		failed += error != 0;
		fault = fault_of(call, &w, error, &before, &kin);
		if (fault != NULL)
			fail_msg("%s of %s, allocation %zu fails: the %s",
				 call->name, worlds[world].name, n, fault);
		world_end(&w);
	} while (struck);
	return failed;
}

TEST(whichever_allocation_fails_the_call_changes_nothing_or_does_without)
{
	size_t failed = 0;

	for (size_t c = 0; c < COUNT(calls); c++)
		for (size_t w = 0; w < COUNT(worlds); w++)
			failed += starve(&calls[c], w, fault_at);
	assert_in_range(failed, 200, 2000);
}

TEST(from_whichever_allocation_on_all_fail_the_call_changes_nothing)
{
	size_t failed = 0;

	for (size_t c = 0; c < COUNT(calls); c++) {
		size_t of_call = 0;

		for (size_t w = 0; w < COUNT(worlds); w++)
			of_call += starve(&calls[c], w, fault_from);
		/* Each of them allocates somewhere, or is no test. */
		assert_in_range(of_call, 1, 1000);
		failed += of_call;
	}
	assert_in_range(failed, 200, 2000);
}

/* ---- births -------------------------------------------------------- */

static struct ibuf_mbuf *
born(int how)
{
	static char text[] = "hello";

	switch (how) {
	case 0:
		return ibuf_mbuf_new(100);
	case 1:
		return ibuf_mbuf_new_headroom(16, 100);
	case 2:
		return ibuf_mbuf_from(text, 5);
	case 3:
		return ibuf_mbuf_wrap(text, 5, NULL, NULL);
	default:
		return ibuf_mbuf_wrap_const(text, 5, NULL, NULL);
	}
}

TEST(no_message_is_born_without_memory_and_nothing_is_left_behind)
{
	for (int how = 0; how < 5; how++) {
		size_t blocks = fault_live_blocks(), n = 0;
		struct ibuf_mbuf *m;
		bool struck;

		do {
			fault_at(++n);
			m = born(how);
			struck = fault_off();
			assert_int_equal(m == NULL, struck);
			ibuf_mbuf_free(m);
			assert_int_equal(fault_live_blocks(), blocks);
		} while (struck);
		assert_int_equal(n, 2);
	}
}

TEST(no_message_is_born_without_a_header)
{
	struct ibuf_mbuf *m;

	heap_dry();
	for (int how = 0; how < 5; how++)
		for (size_t n = 1; n <= 2; n++) {
			size_t blocks = fault_live_blocks();

			fault_from(n);
			m = born(how);
			assert_true(fault_off());
			assert_null(m);
			assert_int_equal(fault_live_blocks(), blocks);
		}
	heap_wet();
}
