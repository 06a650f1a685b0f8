/* rows_number.c - the integers, which are many functions of one shape. */
#include "world.h"

/* SIZE(X): X(width, bytes, type, big-endian text, text as it lies there). */
#define SIZES(X)                                                               \
	X(u8, 1, uint8_t, 0x41)                                                \
	X(be16, 2, uint16_t, 0x4142)                                           \
	X(be24, 3, uint32_t, 0x414243)                                         \
	X(be32, 4, uint32_t, 0x41424344)                                       \
	X(be64, 8, uint64_t, 0x4142434445464748)                               \
	X(le16, 2, uint16_t, 0x4241)                                           \
	X(le24, 3, uint32_t, 0x434241)                                         \
	X(le32, 4, uint32_t, 0x44434241)                                       \
	X(le64, 8, uint64_t, 0x4847464544434241)

/* Each value is the text "ABCDEFGH", so far as it goes, in that byte order. */
#define CALLS(name, size, type, value)                                         \
	static int append_##name(struct world *w)                              \
	{                                                                      \
		int error = ibuf_mbuf_append_##name(w->m, value);              \
                                                                               \
		if (error == 0)                                                \
			hold_message(w->m, TEXT text_##name, LEN + size);      \
		return error;                                                  \
	}                                                                      \
	static int prepend_##name(struct world *w)                             \
	{                                                                      \
		int error = ibuf_mbuf_prepend_##name(w->m, value);             \
                                                                               \
		if (error == 0)                                                \
			hold(ibuf_mbuf_matches(w->m, 0, text_##name, size));   \
		return error;                                                  \
	}                                                                      \
	static int put_##name(struct world *w)                                 \
	{                                                                      \
		int error = ibuf_mbuf_put_##name(w->m, 2, value);              \
                                                                               \
		if (error == 0)                                                \
			hold(ibuf_mbuf_matches(w->m, 2, text_##name, size));   \
		return error;                                                  \
	}                                                                      \
	static int get_##name(struct world *w)                                 \
	{                                                                      \
		type v = 0;                                                    \
                                                                               \
		hold(ibuf_mbuf_get_##name(w->m, 2, &v));                       \
		hold(v != 0);                                                  \
		return 0;                                                      \
	}                                                                      \
	static int cursor_get_##name(struct world *w)                          \
	{                                                                      \
		type v = 0;                                                    \
                                                                               \
		hold(ibuf_cursor_get_##name(&w->cursor, &v));                  \
		hold(v != 0);                                                  \
		return 0;                                                      \
	}

#define text_u8 "A"
#define text_be16 "AB"
#define text_be24 "ABC"
#define text_be32 "ABCD"
#define text_be64 "ABCDEFGH"
#define text_le16 "AB"
#define text_le24 "ABC"
#define text_le32 "ABCD"
#define text_le64 "ABCDEFGH"

SIZES(CALLS)

#define ROWS(name, size, type, value)                                          \
	{"ibuf_mbuf_append_" #name, SOME, append_##name, NULL},                \
		{"ibuf_mbuf_prepend_" #name, SOME, prepend_##name, NULL},      \
		{"ibuf_mbuf_put_" #name, SOME, put_##name, NULL},              \
		{"ibuf_mbuf_get_" #name, SOME, get_##name, TEXT},              \
		{"ibuf_cursor_get_" #name, SOME, cursor_get_##name, TEXT},

const struct row rows_number[] = {SIZES(ROWS){NULL, NOTHING, NULL, NULL}};
