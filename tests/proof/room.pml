/*
 * room.pml - windows onto the room of one element, and the element's way back.
 *
 * Two threads clone, split, trim, extend, write and free windows of one room,
 * hand them to each other at birth, let the element's own header leave its
 * room, come back to it, and take over another window of it.  Each access of
 * the room's count is a step of its own.  Seen:
 *
 *   - the element goes back once, when neither its header nor a window is in
 *     use, and always in the end;
 *   - no byte is written that another window shows, in place or beyond an
 *     end that carries its right;
 *   - who finds itself the sole owner is.
 *
 * Where a window leaves the room it goes to memory of its own, which no
 * other window here looks at, and which is not modelled.
 *
 *   model                  C
 *   owns()                 segment_owns(), segment_is_sole()
 *   clone(), split()       ibuf_mbuf_clone(), ibuf_segment_new_(), split_segment()
 *   room_drop()            ibuf_room_drop_()
 *   window_drop()          ibuf_segment_leave_(), leave_own_room()
 *   header_free()          ibuf_header_free_()
 *   segment_free()         ibuf_segment_free_()
 *   take_over()            ibuf_chain_cut_front_(), ibuf_segment_take_over_()
 *   come_back()            ibuf_place_for_(), ibuf_segment_put_()
 *   trim_*(), extend_*()   segment_trim_*(), ibuf_grow_*_(), claim_*() in edit.c
 *   write_in_place()       plan_private(), ibuf_relocate_()
 *
 * IN src/message/room.c ibuf_room_drop_: load_acquire == 1 fetch_sub_acq_rel == 1 gone_
 * IN src/message/header.c leave_own_room: AWAY fetch_add_acq_rel HEADER_
 * IN src/message/header.c ibuf_segment_take_over_: set_view view_changed(s, false)
 * IN src/message/header.c view_changed: AWAY fetch_add_acq_rel HEADER_ AWAY fetch_sub_acq_rel HEADER_
 * IN src/message/header.c ibuf_segment_put_: set_view AWAY store_relaxed
 * IN src/message/free.c ibuf_header_free_: LIVE fetch_sub_acq_rel HEADER_ give(
 *
 * PLANTED 1: a header that leaves its room is not counted
 * PLANTED 2: the last window does not ask whether the header is in use
 * PLANTED 3: a window is dropped by a load and a store
 * PLANTED 4: the front of a split keeps the right to the tailroom
 * PLANTED 5: a clone inherits the right to the tailroom
 * PLANTED 6: who trims the tail while others look on keeps the right to it
 * PLANTED 7: a header is freed by a load and a store
 */
#ifndef PLANTED
#define PLANTED 0
#endif

#ifndef HEADERS
#define HEADERS 4 /* 0 is the element's */
#endif
#ifndef EDITS
#define EDITS 4
#endif
#define SIZE 3 /* of the room, in bytes */
#define H0 1

/* What a header looks at. */
#define NOTHING 0 /* it is free */
#define ROOM 1
#define AWAY 2

typedef header {
	byte looks;
	byte off;
	byte size;
	bit head; /* the rights */
	bit tail;
	bit owner /* whose it is */
};
header h[HEADERS];

/* The count word of the room: windows, and the HANDLE bit. */
#define HANDLE 128
#define WINDOWS(word) ((word) & 127)
byte count = 1;

byte edits = EDITS;
bit owner; /* not in the library: the element is */

/* Does another window show a byte from first to last? */
inline nobody_shows(w, first, last)
{
	for (i : 0 .. HEADERS - 1) {
		assert(i == w || h[i].looks != ROOM || h[i].size == 0 ||
		       h[i].off > last || h[i].off + h[i].size - 1 < first)
	}
	i = 0
}

/* The element goes back. */
inline gone()
{
	d_step {
		assert(!owner);
		for (i : 0 .. HEADERS - 1) {
			assert(h[i].looks != ROOM)
		}
		i = 0;
		assert(h[0].looks == NOTHING);
		owner = 1
	}
}

inline owns(w)
{
	d_step {
		assert(!owner);
		sole = (WINDOWS(count) == 1);
		if
		:: sole ->
			for (i : 0 .. HEADERS - 1) {
				assert(i == w || h[i].looks != ROOM)
			}
			i = 0
		:: else
		fi
	}
}

inline regain(w)
{
	h[w].head = 1;
	h[w].tail = 1
}

/* The window w is dropped; its header looks at what then says. */
inline room_drop(w, then)
{
#if PLANTED == 2
#define ALONE (WINDOWS(count) == 1)
#else
#define ALONE (count == 1)
#endif
	if
	:: atomic {
		ALONE ->
		h[w].looks = then
	   };
		gone()
	:: atomic {
		!ALONE ->
		assert(!owner)
	   };
#if PLANTED == 3
		old = count;
		atomic {
			count = old - 1;
			h[w].looks = then
		};
#else
		atomic {
			old = count;
			count--;
			h[w].looks = then
		};
#endif
		if
		:: old == 1 -> gone()
		:: else
		fi;
		old = 0
	fi
}

inline window_drop(w)
{
	if
	:: w == 0 && h[w].looks == ROOM ->
		atomic {
			assert(!owner);
#if PLANTED == 1
			count--;
#else
			count = count + HANDLE - 1;
#endif
			h[w].looks = AWAY
		}
	:: w != 0 && h[w].looks == ROOM -> room_drop(w, AWAY)
	:: h[w].looks == AWAY
	fi
}

/* A header that looks at nothing of the room. */
inline header_free(w)
{
	if
	:: w == 0 ->
		h[0].looks = NOTHING;
#if PLANTED == 1
		old = (count == 0 -> HANDLE : 0);
#elif PLANTED == 7
		old = count;
		count = old - HANDLE;
#else
		atomic {
			old = count;
			count = count - HANDLE
		};
#endif
		if
		:: old == HANDLE -> gone()
		:: else
		fi;
		old = 0
	:: else -> h[w].looks = NOTHING
	fi
}

inline segment_free(w)
{
	if
	:: h[w].looks == ROOM -> room_drop(w, NOTHING)
	:: h[w].looks == AWAY -> header_free(w)
	fi
}

/* A free header becomes a window of the room, of this thread or the other. */
inline find_header()
{
	for (new : 1 .. HEADERS - 1) {
		if
		:: h[new].looks == NOTHING -> break
		:: else
		fi
	}
}

inline whose()
{
	if
	:: h[new].owner = 0
	:: h[new].owner = 1
	fi
}

inline clone(w)
{
	atomic {
		find_header();
		if
		:: new < HEADERS ->
			assert(!owner);
			count++;
			h[new].off = h[w].off;
			h[new].size = h[w].size;
			h[new].head = 0;
			h[new].tail = (PLANTED == 5 && h[w].tail);
			h[new].looks = ROOM;
			whose()
		:: else
		fi;
		new = 0
	}
}

/* w keeps its first byte. */
inline split(w)
{
	owns(w);
	atomic {
		find_header();
		if
		:: new < HEADERS ->
			assert(!owner);
			count++;
			if
			:: sole -> regain(w)
			:: else
			fi;
			h[new].off = h[w].off + 1;
			h[new].size = h[w].size - 1;
			h[new].head = 0;
			h[new].tail = h[w].tail;
			h[w].size = 1;
			h[w].tail = (PLANTED == 4 && h[w].tail);
			h[new].looks = ROOM;
			whose()
		:: else
		fi;
		new = 0
	}
}

inline trim_tail(w)
{
	owns(w);
	atomic {
		if
		:: sole -> regain(w)
		:: else -> h[w].tail = (PLANTED == 6 && h[w].tail)
		fi;
		h[w].size--
	}
}

inline trim_head(w)
{
	owns(w);
	atomic {
		if
		:: sole -> regain(w)
		:: else -> h[w].head = 0
		fi;
		h[w].off++;
		h[w].size--
	}
}

/* One byte behind the data, or in front of it. */
inline extend_tail(w)
{
	sole = 0;
	if
	:: h[w].tail -> skip
	:: else -> owns(w)
	fi;
	if
	:: (h[w].tail || sole) && h[w].off + h[w].size < SIZE ->
		d_step {
			if
			:: sole -> regain(w)
			:: else
			fi;
			nobody_shows(w, h[w].off + h[w].size,
				     h[w].off + h[w].size);
			h[w].size++
		}
	:: else -> window_drop(w)
	fi
}

inline extend_head(w)
{
	sole = 0;
	if
	:: h[w].head -> skip
	:: else -> owns(w)
	fi;
	if
	:: (h[w].head || sole) && h[w].off > 0 ->
		d_step {
			if
			:: sole -> regain(w)
			:: else
			fi;
			nobody_shows(w, h[w].off - 1, h[w].off - 1);
			h[w].off--;
			h[w].size++
		}
	:: else -> window_drop(w)
	fi
}

inline write_in_place(w)
{
	owns(w);
	if
	:: sole ->
		d_step {
			nobody_shows(w, 0, SIZE - 1)
		}
	:: else -> window_drop(w)
	fi
}

/* What the element's header looks at elsewhere is copied into its room. */
inline come_back()
{
	if
	:: count == HANDLE ->
		d_step {
			assert(!owner);
			nobody_shows(0, 0, SIZE - 1);
			h[0].off = H0;
			h[0].size = 1;
			regain(0);
			h[0].looks = ROOM;
			count = 1
		}
	:: else
	fi
}

/* The header w drops its window and takes over that of another. */
inline take_over(w, from)
{
	window_drop(w);
	atomic {
		h[w].off = h[from].off;
		h[w].size = h[from].size;
		h[w].head = h[from].head;
		h[w].tail = h[from].tail;
		if
		:: w == 0 ->
			count = count - HANDLE;
			assert(!owner)
		:: else
		fi;
		/* from's window is w's from now on, its header is free. */
		h[from].looks = NOTHING;
		h[w].looks = ROOM
	}
}

#define is_mine(w) (h[w].looks != NOTHING && h[w].owner == me)
#define is_here(w) (h[w].looks == ROOM)

inline edit(w)
{
	if
	:: is_here(w) -> clone(w)
	:: is_here(w) && h[w].size > 0 -> split(w)
	:: is_here(w) && h[w].size > 0 -> trim_tail(w)
	:: is_here(w) && h[w].size > 0 -> trim_head(w)
	:: is_here(w) -> extend_tail(w)
	:: is_here(w) -> extend_head(w)
	:: is_here(w) -> write_in_place(w)
	:: w == 0 && !is_here(0) -> come_back()
	:: w == 0 && is_mine(1) && is_here(1) -> take_over(0, 1)
	:: w == 1 && is_mine(0) && is_here(0) -> take_over(1, 0)
	:: skip
	fi
}

active [2] proctype user()
{
	bit me = _pid;
	byte i, w, new, old;
	bit sole;

	do
	:: atomic {
		if
		:: is_mine(0) -> w = 0
		:: is_mine(1) -> w = 1
		:: is_mine(2) -> w = 2
#if HEADERS > 3
		:: is_mine(3) -> w = 3
#endif
		fi
	   };
		if
		:: atomic {
			edits > 0 ->
			edits--
		   };
			edit(w)
		:: segment_free(w)
		fi;
		sole = 0;
		w = 0
	:: owner -> break
	od
}

init
{
	atomic {
		h[0].off = H0;
		h[0].size = 2;
		h[0].head = 1;
		h[0].tail = 1;
		h[0].looks = ROOM
	}
}
