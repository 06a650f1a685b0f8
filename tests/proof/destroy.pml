/*
 * destroy.pml - a pool is destroyed while two threads free the last of its
 * messages, clone one, move a clone to the heap, hand it on, and exit.
 *
 * Seen: the pool ends once, never while something is out or while anybody
 * will still look at it, and always in the end; and statistics read meanwhile
 * never say that more came back than went out.
 *
 * The machine is x86 as its makers describe it: a thread's stores wait in a
 * queue of its own, in order, and reach the memory at any time; loads do not
 * wait for them; an instruction with a lock prefix, so taking or leaving a
 * mutex too, lets the queue run empty first.  The barrier of the thread that
 * closes (membarrier) does that to each thread, one after the other.
 *
 *   model                  C
 *   SLOT_GIVE              ibuf_tcache_give_()
 *   HOME                   ibuf_element_give_(), ibuf_tcache_put_()
 *   window_home()          XX_indirect_give_(), ibuf_header_free_()
 *   give_late()            ibuf_cache_give_late_()
 *   late()                 ibuf_pool_late_()
 *   clone()                ibuf_mbuf_clone(), ibuf_tcache_take_()
 *   free_element()         ibuf_mbuf_free() of an element, in its own room
 *   free_window()          ibuf_mbuf_free_indirect_(), room_drop()
 *   move_away()            ibuf_segment_move_() of a window
 *   thread_exits()         ibuf_pool_drop_tcaches_()
 *   hold(), let_go()       ibuf_cache_hold_(), ibuf_cache_let_go_()
 *   see()                  see_both() in close.c
 *   read()                 sum() in cache.c, and ask()
 *   ask(), ask_all()       the same there
 *   leave()                leave(), seems_over(), is_over(), finish()
 *   closer                 ibuf_close_()
 *
 * That the source does these things in this order:
 *
 * IN src/pool/close.c ask: given_ taken_
 * IN src/pool/stats.c sum: given_ taken_
 * IN src/pool/close.c ask_all: ask(&p->store[IBUF_INDIRECT_]) ask(&p->store[IBUF_DIRECT_])
 * IN src/pool/close.c ibuf_close_: lock( closed ibuf_pool_empty_ close_tcaches unlock( keep_out lock( ask_all counted is_over unlock( finish
 * IN src/pool/close.c keep_out: barrier
 * IN src/pool/close.c seems_over: counted over out ask_all is_over
 * IN src/pool/close.c leave: seems_over unlock( finish
 * IN src/pool/close.c late: hold lock( see_both leave let_go
 * IN src/pool/close.c ibuf_close_give_late_: lock( put_counted_( out-- see_both leave
 * IN src/pool/close.c drop: see_both unlink empty_( retire
 * IN include/ibuf/inline/thread.h ibuf_tcache_push_: *top top_ given_
 * IN include/ibuf/inline/thread.h ibuf_tcache_give_: ibuf_tcache_push_( tcache_given_
 * IN include/ibuf/inline/thread.h ibuf_tcache_given_: signal_fence end_ late_
 *
 * PLANTED 1: who closes passes no barrier
 * PLANTED 2: who gives looks at end_ before it counts
 * PLANTED 3: taken is read before given
 * PLANTED 4: who gives late does not look whether it was the last
 * PLANTED 5: elements alone are counted, and windows are not
 * PLANTED 6: what out says is believed, and nobody asked
 * PLANTED 7: who was late does not say what it counted
 * PLANTED 8: who comes from a tcache does not hold the pool
 */
#ifndef PLANTED
#define PLANTED 0
#endif

/* What a thread's window looks at. */
#define NONE 0
#define ON_ROOM 1
#define ON_HEAP 2

/* The memory: each thread's counters, and a box to hand a window on in. */
#define GIVEN_E 0
#define TAKEN_E 1
#define GIVEN_W 2
#define TAKEN_W 3
#define BOX 8
byte memory[9];

/* Stores on their way to the memory, of each thread. */
chan stores[2] = [4] of { byte, byte };

bit open_e[2] = 1; /* of a thread's tcache: end_ is not NULL */
bit open_w[2] = 1;
bit listed[2] = 1; /* the tcache belongs to the pool */
bit lock; /* the pool's */
byte depot[4] = 0; /* counts past the tcaches */
bit counted;   /* closed, and the three below are kept */
short known;   /* out, as far as it knows: ibuf_cache.out */
short seen[2]; /* of a thread's tcaches */
byte holders = 1;

/* Windows on the room of the element that thread 0 has; atomic. */
byte windows = 1;

/* Not in the library: what is out, what has happened. */
byte out = 2;
bit ended; /* ibuf_cache.over */
bit freed;
bit nothing_in_box;
byte finished;

#define mine(counter) (me * 4 + counter)

inline arrive(t)
{
	d_step {
		stores[t]?address, value;
		memory[address] = value;
		address = 0;
		value = 0
	}
}

inline run_empty(t)
{
	do
	:: nempty(stores[t]) -> arrive(t)
	:: empty(stores[t]) -> break
	od
}

inline acquire()
{
	atomic {
		lock == 0;
		assert(!freed);
		lock = 1;
		run_empty(me)
	}
}

inline release()
{
	atomic {
		assert(!freed);
		run_empty(me);
		lock = 0
	}
}

/* The closer's stores are modelled as steps: nobody reads behind them. */
inline acquire_no_stores()
{
	atomic {
		lock == 0;
		assert(!freed);
		lock = 1
	}
}

#define SUMMAND(t, counter) (listed[t] -> memory[t * 4 + counter] : 0)

/* What tcaches have counted, read as sum() and ask() read it. */
inline read(given_of, taken_of)
{
#if PLANTED == 3
	taken0 = SUMMAND(0, taken_of);
	taken1 = SUMMAND(1, taken_of);
	given0 = SUMMAND(0, given_of);
	given1 = SUMMAND(1, given_of);
#else
	given0 = SUMMAND(0, given_of);
	given1 = SUMMAND(1, given_of);
	taken0 = SUMMAND(0, taken_of);
	taken1 = SUMMAND(1, taken_of);
#endif
	assert(depot[given_of] + given0 + given1 <=
	       depot[taken_of] + taken0 + taken1)
}

inline forget_read()
{
	given0 = 0;
	given1 = 0;
	taken0 = 0;
	taken1 = 0
}

/* ask(), of elements or of windows; all of depot is under the lock. */
inline ask(given_of, taken_of)
{
	read(given_of, taken_of);
	d_step {
		seen[0] = seen[0] + taken0 - given0;
		seen[1] = seen[1] + taken1 - given1;
		known = known + taken0 + taken1 - given0 - given1 +
			depot[taken_of] - depot[given_of];
		forget_read()
	}
}

inline ask_all()
{
	d_step {
		known = 0;
		seen[0] = 0;
		seen[1] = 0
	}
#if PLANTED != 5
	ask(GIVEN_W, TAKEN_W);
#endif
	ask(GIVEN_E, TAKEN_E)
}

/* What I have counted since somebody looked; my stores have arrived. */
inline see()
{
	d_step {
		now = memory[mine(TAKEN_E)] + memory[mine(TAKEN_W)] -
		      memory[mine(GIVEN_E)] - memory[mine(GIVEN_W)];
		known = known + now - seen[me];
		seen[me] = now;
		now = 0
	}
}

inline is_over()
{
	if
	:: known == 0 ->
		d_step {
			assert(out == 0 && !ended);
			ended = 1;
			ends = 1;
			open_e[0] = 0;
			open_e[1] = 0;
			open_w[0] = 0;
			open_w[1] = 0;
			listed[0] = 0;
			listed[1] = 0
		}
	:: else
	fi
}

inline hold()
{
	atomic {
		run_empty(me);
		held = listed[me];
		assert(!held || !freed);
#if PLANTED != 8
		holders = holders + held
#endif
	}
}

inline drop_hold()
{
	atomic {
		holders--;
		if
		:: holders == 0 ->
			assert(ended && !freed && out == 0);
			freed = 1
		:: else
		fi
	}
}

inline let_go()
{
#if PLANTED != 8
	drop_hold()
#else
	skip
#endif
}

/* The lock is held, and let go. */
inline leave()
{
	if
	:: counted && !ended && known <= 0 ->
#if PLANTED != 6
		ask_all();
#else
		known = 0;
#endif
		is_over()
	:: else
	fi;
	release();
	if
	:: ends ->
		ends = 0;
		drop_hold()
	:: else
	fi
}

inline late()
{
	hold();
	if
	:: held ->
		acquire();
#if PLANTED != 7
		if
		:: counted && !ended -> see()
		:: else
		fi;
#endif
		leave();
		let_go();
		held = 0
	:: else
	fi
}

inline give_late(counter)
{
	acquire();
	atomic {
		assert(!ended);
		depot[counter]++;
		out--;
		if
		:: counted ->
			known--;
			if
			:: listed[me] -> see()
			:: else
			fi
		:: else
		fi
	}
#if PLANTED == 4
	release()
#else
	leave()
#endif
}

#if PLANTED == 2
#define LOOK(open) looked = open[me]
#define LOOKED(open) looked
#else
#define LOOK(open) skip
#define LOOKED(open) open[me]
#endif

/* The object, its place in the magazine, and then its count. */
#define SLOT_GIVE(counter, number, open)                                       \
	LOOK(open);                                                            \
	atomic {                                                               \
		assert(!ended);                                                \
		number++;                                                      \
		out--;                                                         \
		stores[me]!mine(counter), number                               \
	};                                                                     \
	if                                                                     \
	:: LOOKED(open) == 0 -> late()                                         \
	:: else                                                                \
	fi

#define HOME(counter, number, open)                                            \
	assert(!ended);                                                        \
	if                                                                     \
	:: open[me] != 0 -> SLOT_GIVE(counter, number, open)                   \
	:: else -> give_late(counter)                                          \
	fi

inline element_home()
{
	HOME(GIVEN_E, given_e, open_e)
}

inline window_home()
{
	HOME(GIVEN_W, given_w, open_w)
}

/* Atomic instructions on the room's count. */
inline add_window()
{
	atomic {
		run_empty(me);
		assert(windows != 0 && !ended);
		windows++
	}
}

inline drop_window()
{
	atomic {
		run_empty(me);
		assert(windows != 0 && !ended);
		windows--;
		last = (windows == 0)
	}
}

inline clone()
{
	add_window();
	atomic {
		assert(!ended);
		taken_w++;
		out++;
		stores[me]!mine(TAKEN_W), taken_w;
		window = ON_ROOM;
		may_clone--
	}
}

inline free_element()
{
	element = 0;
	if
	:: me == 0 ->
		drop_window();
		if
		:: last -> element_home()
		:: else
		fi
	:: me == 1 -> element_home() /* nobody looks at that one's room */
	fi
}

/* A copy of its own on the heap; what it looked at may go back. */
inline move_away()
{
	drop_window();
	window = ON_HEAP;
	if
	:: last -> element_home()
	:: else
	fi
}

inline free_window()
{
	may_fill = open_w[me];
	last = 1; /* of its own room on the heap */
	if
	:: window == ON_ROOM ->
		drop_window();
		if
		:: last -> element_home()
		:: else
		fi
	:: else
	fi;
	window = NONE;
	if
	:: may_fill && !last -> SLOT_GIVE(GIVEN_W, given_w, open_w)
	:: else -> window_home()
	fi
}

inline thread_exits()
{
	hold();
	if
	:: held ->
		acquire();
		if
		:: listed[me] ->
			atomic {
				if
				:: counted -> see()
				:: else
				fi;
				depot[GIVEN_E] = depot[GIVEN_E] +
						 memory[mine(GIVEN_E)];
				depot[TAKEN_E] = depot[TAKEN_E] +
						 memory[mine(TAKEN_E)];
				depot[GIVEN_W] = depot[GIVEN_W] +
						 memory[mine(GIVEN_W)];
				depot[TAKEN_W] = depot[TAKEN_W] +
						 memory[mine(TAKEN_W)];
				seen[me] = 0;
				listed[me] = 0;
				open_e[me] = 0;
				open_w[me] = 0
			}
		:: else
		fi;
		leave();
		let_go();
		held = 0
	:: else
	fi
}

/*
 * Thread 0 has an element that it may clone and hand the clone on; thread 1
 * has another one.
 */
proctype user(bit me)
{
	byte given_e, given_w, taken_w, address, value;
	byte given0, given1, taken0, taken1;
	short now;
	byte window = NONE;
	bit element = 1, waits = (me == 1);
	byte may_clone = (me == 0 -> 2 : 0);
	bit last, held, ends, looked, may_fill;

	do
	:: element -> free_element()
	:: element && may_clone != 0 && window == NONE -> clone()
	:: window != NONE -> free_window()
	:: window == ON_ROOM -> move_away()
	:: window != NONE && me == 0 && !waits ->
		atomic {
			stores[me]!BOX, window;
			window = NONE;
			waits = 1
		}
	:: waits && me == 1 && memory[BOX] != 0 ->
		atomic {
			window = memory[BOX];
			waits = 0
		}
	:: waits && me == 1 && nothing_in_box -> waits = 0
	:: !element && window == NONE && (me == 0 || !waits) -> break
	od;
	if
	:: me == 0 && !waits -> nothing_in_box = 1
	:: else
	fi;
	if
	:: thread_exits()
	:: skip /* or it does something else for ever */
	fi;
	finished++
}

proctype closer()
{
	byte given0, given1, taken0, taken1, address, value;
	bit ends;

	if
	:: acquire_no_stores();
		read(GIVEN_W, TAKEN_W); /* ibuf_cache_count_() */
		read(GIVEN_E, TAKEN_E);
		d_step {
			forget_read();
			lock = 0
		}
	:: skip
	fi;
	acquire_no_stores();
	open_e[0] = 0;
	open_w[0] = 0;
	open_e[1] = 0;
	open_w[1] = 0;
	lock = 0;
#if PLANTED != 1
	atomic { run_empty(0) };
	atomic { run_empty(1) };
#endif
	acquire_no_stores();
	ask_all();
	counted = 1;
	is_over();
	lock = 0;
	if
	:: ends ->
		ends = 0;
		drop_hold()
	:: else
	fi;
	finished++
}

/* Stores arrive when they like. */
proctype queue(byte me)
{
	byte address, value;

	do
	:: atomic {
			nempty(stores[me]) ->
			arrive(me)
		}
	:: finished == 3 && empty(stores[me]) -> break
	od
}

init
{
	atomic {
		memory[TAKEN_E] = 1;
		memory[4 + TAKEN_E] = 1;
		run user(0);
		run user(1);
		run queue(0);
		run queue(1);
		run closer()
	}
	finished == 3 && empty(stores[0]) && empty(stores[1]);
	assert(freed)
}
