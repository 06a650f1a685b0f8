/*
 * destroy.pml - a pool is destroyed while two threads free the last of its
 * messages, clone one, move a clone to the heap, hand it on, and exit.
 *
 * Seen: the pool ends once, never while something is out or while anybody
 * will still look at it, and always in the end; and statistics read meanwhile
 * never say that more came home than went out.
 *
 * The machine is x86 as its makers describe it: a thread's stores wait in a
 * queue of its own, in order, and reach the memory at any time; loads do not
 * wait for them; an instruction with a lock prefix, so taking or leaving a
 * mutex too, lets the queue run empty first.  The barrier of the thread that
 * closes (membarrier) does that to each thread, one after the other.
 *
 *   model                  C
 *   SLOT_GIVE              ibuf_slot_give_()
 *   HOME                   ibuf_element_give_(), ibuf_slot_put_()
 *   window_home()          ibuf_window_give_(), ibuf_header_free_()
 *   give_late()            ibuf_cache_give_late_()
 *   late()                 ibuf_pool_late_()
 *   clone()                ibuf_mbuf_clone(), ibuf_slot_take_()
 *   free_element()         ibuf_mbuf_free() of an element, at home
 *   free_window()          ibuf_mbuf_free_window_(), room_drop()
 *   move_away()            ibuf_window_move_() of a window
 *   thread_exits()         thread_exits(), drop_slots()
 *   count()                count(), sum() in cache.c
 *   leave()                ibuf_cache_leave_(), is_over(), detach()
 *   closer                 ibuf_cache_close_()
 *
 * PLANTED 1: who closes passes no barrier
 * PLANTED 2: who gives looks at end_ before it counts
 * PLANTED 3: taken is read before given
 * PLANTED 4: who gives late does not look whether it was the last
 * PLANTED 5: elements alone are counted, and windows are not
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

bit open_e[2] = 1; /* of a thread's slot: end_ is not NULL */
bit open_w[2] = 1;
bit listed[2] = 1; /* the slot belongs to the pool */
bit closed;
bit lock; /* the threads lock; the pool's own is taken within it only */
byte depot[4] = 0; /* counts past the slots */

/* Windows on the room of the element that thread 0 has; atomic. */
byte windows = 1;

/* Not in the library: what is out, what has happened. */
byte out = 2;
bit ended;
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
		lock = 1;
		run_empty(me)
	}
}

/* The closer's stores are modelled as steps: nobody reads behind them. */
inline acquire_no_stores()
{
	atomic {
		lock == 0;
		lock = 1
	}
}

inline release()
{
	atomic {
		run_empty(me);
		lock = 0
	}
}

#define SUMMAND(t, counter) (listed[t] -> memory[t * 4 + counter] : 0)

inline read_given(counter)
{
	given = depot[counter] + SUMMAND(0, counter);
	given = given + SUMMAND(1, counter)
}

inline read_taken(counter)
{
	taken = depot[counter] + SUMMAND(0, counter);
	taken = taken + SUMMAND(1, counter)
}

/* sum(): of elements, or of windows. */
inline sum(given_of, taken_of)
{
#if PLANTED == 3
	read_taken(taken_of);
	read_given(given_of);
#else
	read_given(given_of);
	read_taken(taken_of);
#endif
	assert(given <= taken)
}

inline count()
{
#if PLANTED != 5
	sum(GIVEN_W, TAKEN_W);
	over = (given == taken);
#else
	over = 1;
#endif
	sum(GIVEN_E, TAKEN_E);
	over = over && given == taken;
	given = 0;
	taken = 0
}

/* The lock is held, and let go. */
inline leave()
{
	assert(!ended);
	if
	:: closed ->
		count();
		if
		:: over ->
			atomic {
				assert(out == 0);
				ended = 1;
				open_e[0] = 0;
				open_e[1] = 0;
				open_w[0] = 0;
				open_w[1] = 0;
				listed[0] = 0;
				listed[1] = 0;
				over = 0
			}
		:: else
		fi
	:: else
	fi;
	release()
}

inline late()
{
	acquire();
	if
	:: listed[me] -> leave()
	:: else -> release()
	fi
}

inline give_late(counter)
{
	acquire();
	atomic {
		assert(!ended && closed);
		depot[counter]++;
		out--
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

/* A copy of its own on the heap; what it looked at may go home. */
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
	acquire();
	if
	:: listed[me] ->
		atomic {
			depot[GIVEN_E] = depot[GIVEN_E] + memory[mine(GIVEN_E)];
			depot[TAKEN_E] = depot[TAKEN_E] + memory[mine(TAKEN_E)];
			depot[GIVEN_W] = depot[GIVEN_W] + memory[mine(GIVEN_W)];
			depot[TAKEN_W] = depot[TAKEN_W] + memory[mine(TAKEN_W)];
			listed[me] = 0;
			open_e[me] = 0;
			open_w[me] = 0
		}
		leave()
	:: else -> release()
	fi
}

/*
 * Thread 0 has an element that it may clone and hand the clone on; thread 1
 * has another one.
 */
proctype user(bit me)
{
	byte given_e, given_w, taken_w, given, taken, address, value;
	byte window = NONE;
	bit element = 1, waits = (me == 1);
	byte may_clone = (me == 0 -> 2 : 0);
	bit last, over, looked, may_fill;

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
	byte given, taken, address, value;
	byte me;
	bit over;

	if
	:: acquire_no_stores();
		count(); /* ibuf_cache_count_() */
		over = 0;
		lock = 0
	:: skip
	fi;
	acquire_no_stores();
	closed = 1;
	open_e[0] = 0;
	open_w[0] = 0;
	open_e[1] = 0;
	open_w[1] = 0;
#if PLANTED != 1
	atomic { run_empty(0) };
	atomic { run_empty(1) };
#endif
	assert(!ended);
	count();
	if
	:: over ->
		atomic {
			assert(out == 0 && !ended);
			ended = 1;
			listed[0] = 0;
			listed[1] = 0;
			over = 0
		}
	:: else
	fi;
	lock = 0;
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
	assert(ended)
}
