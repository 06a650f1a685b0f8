/*
 * pools.c - the list of all pools of this copy of the library, and how those
 * who look from outside read it (registry.h).
 *
 * What a letter in front of a member stands for:
 *
 *   p  pool     s  store, of direct or indirect headers     b  slab
 *   t  the thread caches of one thread, linked              c  one of them
 *   m  message  r  room                                     f  flag of m
 */
#define _POSIX_C_SOURCE 200809L
#include "state.h"

#include "../platform/modules.h"
#include "../platform/registry.h"

struct ibuf_pool *ibuf_pools_;

#define P(name_, member_) REGISTRY_MEMBER("p." name_, struct ibuf_pool, member_)
#define S(name_, member_)                                                      \
	REGISTRY_MEMBER("s." name_, struct ibuf_store, member_)
#define B(name_, member_) REGISTRY_MEMBER("b." name_, struct ibuf_slab, member_)
#define T(name_, member_)                                                      \
	REGISTRY_MEMBER("t." name_, struct ibuf_tcaches_, member_)
#define C(name_, member_)                                                      \
	REGISTRY_MEMBER("c." name_, struct ibuf_tcache_, member_)
#define M(name_, member_) REGISTRY_MEMBER("m." name_, struct ibuf_mbuf, member_)
#define F(name_, flag_) REGISTRY_NUMBER("f." name_, flag_)

static struct registry_field fields[] = {
	P("next", next),
	P("name", owner.name),
	P("index", owner.index),
	P("open", owner.pool),
	P("closed", closed),
	P("fails", failures),
	P("waits", waits),
	P("copied", owner.copied_bytes),
	P("room", owner.room_size),
	P("roomat", owner.room_offset),
	P("caches", tcaches),
	P("direct", store[IBUF_DIRECT_]),
	P("others", store[IBUF_INDIRECT_]),
	S("pool", pool),
	S("depot", depot.magazine_size),
	S("max", max),
	S("taken", taken),
	S("given", given),
	S("lost", lost),
	S("peak", peak),
	S("grows", grows),
	S("stride", slabs.shape.stride),
	S("made", slabs.capacity),
	S("carved", slabs.carved),
	S("bytes", slabs.bytes),
	S("root", slabs.root),
	B("base", base),
	B("carved", carved),
	B("lower", child[0]),
	B("higher", child[1]),
	T("direct", of_[IBUF_DIRECT_]),
	T("others", of_[IBUF_INDIRECT_]),
	C("link", link_),
	C("base", base_),
	C("top", top_),
	C("kept", kept_),
	C("taken", taken_),
	C("given", given_),
	M("off", off_),
	M("len", len_),
	M("cap", cap_),
	M("flags", flags_),
	M("pool", pool_),
	M("base", base_),
	M("room", room_),
	M("next", next_),
	M("rest", rest_),
	M("own", own_),
	REGISTRY_MEMBER("r.count", struct ibuf_room_, count_),
	REGISTRY_MEMBER("r.first", struct ibuf_room_, headroom_),
	REGISTRY_MEMBER("r.heap", struct heap_room, size),
	REGISTRY_MEMBER("r.wrap", struct wrapped_room, size),
	F("head", IBUF_MBUF_HEAD_),
	F("tail", IBUF_MBUF_TAIL_),
	F("rdonly", IBUF_MBUF_RDONLY_),
	F("heap", IBUF_MBUF_HEAP_),
	F("wrap", IBUF_MBUF_WRAPPED_),
	F("direct", IBUF_MBUF_DIRECT_),
	F("live", IBUF_MBUF_LIVE_),
	F("chain", IBUF_MBUF_CHAINED_),
	F("inner", IBUF_MBUF_INNER_),
};

struct registry ibuf_pools_registry_
	__attribute__((used, visibility("hidden"))) =
		REGISTRY("pools", &ibuf_pools_, fields);

LEAVE_NOTE(2, ibuf_pools_registry_);
