/*
 * tcaches.pml - a pool is destroyed while a thread gets tcaches for it, or trades
 * the magazine of one that it has; and the barrier may be refused.
 *
 * Seen: what comes back through a tcache ends the pool in the end: nobody fills
 * a tcache that was closed, and counts there what nobody asks for.  Where the
 * barrier is refused a free may be missed, and whoever looks again finds it.
 *
 * The machine is that of destroy.pml.  One thread frees two elements; another
 * one closes, and looks again once the stores have arrived.
 *
 *   model          C
 *   add_slots()    ibuf_threads_tcaches_(), ibuf_pool_add_tcaches_()
 *   trade()        load() in tcache.c
 *   free_one()     ibuf_element_give_(), ibuf_tcache_put_(), ibuf_tcache_give_()
 *   closer         ibuf_close_(), keep_out(), ibuf_close_look_again_()
 *
 * That the source does these things in this order:
 *
 * IN src/pool/threads.c ibuf_threads_tcaches_: tcache_is_open closed add_tcaches_
 * IN src/pool/tcaches.c ibuf_pool_add_tcaches_: lock( !p->closed set_up link_tcaches open_ unlock(
 * IN src/pool/tcache.c load: end_ base_ move_top old != NULL compare_exchange
 * IN src/pool/close.c ibuf_close_: look_again lock( closed close_tcaches unlock( keep_out
 * IN src/pool/close.c keep_out: barrier_() doubt(p, true)
 * IN src/pool/close.c ibuf_close_look_again_: hold_doubted lock( out leave
 * IN src/pool/threads.c thread_exits: leaving give_back look_again
 * IN src/pool/threads.c own_block: link_ look_again
 * IN src/pool/threads.c ibuf_threads_register_: look_again register
 *
 * PLANTED 1: closed is not looked at again under the lock
 * PLANTED 2: a tcache is opened anew if it was open a moment ago
 * PLANTED 3: a tcache is opened anew, closed or not
 * PLANTED 4: the barrier is refused, and nobody looks again
 */
#ifndef PLANTED
#define PLANTED 0
#endif

bit closed, counted, ended, lock, refused;
bit open;   /* end_ is not NULL */
bit listed; /* the tcache is the pool's */
byte given; /* of the tcache, as the memory has it */
byte depot_given;
byte out = 2; /* that there are, and the model alone knows */
bit user_done, closer_done;

chan stores = [2] of { byte };

inline arrive()
{
	d_step { stores?given }
}

inline run_empty()
{
	do
	:: nempty(stores) -> arrive()
	:: empty(stores) -> break
	od
}

inline end_if_nothing_is_out()
{
	if
	:: closed && counted && !ended &&
	   given * listed + depot_given == 2 ->
		atomic {
			assert(out == 0);
			ended = 1;
			listed = 0;
			open = 0
		}
	:: else
	fi
}

inline add_slots()
{
	if
	:: closed -> skip
	:: !closed ->
		atomic { lock == 0 -> lock = 1; run_empty() };
#if PLANTED == 1
		atomic { listed = 1; open = 1 };
#else
		if
		:: closed -> skip
		:: else -> atomic { listed = 1; open = 1 }
		fi;
#endif
		lock = 0
	fi
}

inline trade()
{
#if PLANTED == 3
	open = 1
#elif PLANTED == 2
	if
	:: open -> open = 1
	:: else
	fi
#else
	atomic { /* compare and swap */
		run_empty();
		if
		:: open -> open = 1
		:: else
		fi
	}
#endif
}

inline give_late()
{
	atomic { lock == 0 -> lock = 1; run_empty() };
	depot_given++;
	out--;
	end_if_nothing_is_out();
	lock = 0
}

inline free_one()
{
	if
	:: !listed -> add_slots()
	:: else
	fi;
	if
	:: listed -> trade()
	:: skip
	fi;
	assert(!ended);
	if
	:: open ->
		atomic {
			mine++;
			out--;
			stores!mine
		};
		if
		:: open -> skip
		:: !open -> /* ibuf_pool_late_() */
			atomic { lock == 0 -> lock = 1; run_empty() };
			end_if_nothing_is_out();
			lock = 0
		fi
	:: !open -> give_late()
	fi
}

proctype user()
{
	byte mine;

	free_one();
	free_one();
	user_done = 1 /* and it may never call again */
}

proctype closer()
{
	atomic { lock == 0 -> lock = 1 };
	closed = 1;
	open = 0;
	lock = 0;
	if
	:: atomic { run_empty() }
	:: refused = 1
	fi;
	atomic { lock == 0 -> lock = 1 };
	counted = 1;
	end_if_nothing_is_out();
	lock = 0;
#if PLANTED != 4
	if
	:: refused ->
		/* The next thread that makes or ends a pool. */
		user_done && empty(stores);
		atomic { lock == 0 -> lock = 1 };
		end_if_nothing_is_out();
		lock = 0
	:: else
	fi;
#endif
	closer_done = 1
}

proctype queue()
{
	do
	:: atomic { nempty(stores) -> arrive() }
	:: user_done && empty(stores) -> break
	od
}

init
{
	atomic {
		run user();
		run queue();
		run closer()
	}
	user_done && closer_done && empty(stores);
	assert(ended)
}
