/*
 * bias.pml - a thread works in its thread cache behind a bias, while another
 * one recalls what it keeps and then sleeps in the line until it is given a
 * header.
 *
 * Seen: the cache is never in two hands; and whoever sleeps is woken in the
 * end, although the thread may never call again.
 *
 * The machine: the owner's stores wait in a queue of its own and arrive in
 * their order; taking a lock, and the barrier that the other makes it pass,
 * empty that queue.  The owner sees its own stores at once.  One header goes
 * to and fro: the owner has it at first, and gives it back once, or twice with
 * a take between.
 *
 *   model        C
 *   enter()      bias_enter(): inside is odd, recalled is looked at
 *   leave()      bias_leave(), ibuf_recall_come_()
 *   give_one()   give() and put_into_slabs() in biased.c
 *   waiter       wait_for_one(), ibuf_recall_for_line_()
 *   relax()      ibuf_recall_relax_()
 *
 * That the source does these things in this order:
 *
 * IN src/pool/bias.h bias_enter: load_relaxed_u32(&bias->inside) store_relaxed_u32(&bias->inside, keep_order() load_acquire_u32(&bias->recalled) return true; store_release_u32(&bias->inside,
 * IN src/pool/bias.h bias_leave: store_release_u32(&bias->inside, keep_order() load_relaxed_u32(&bias->recalled)
 * IN src/pool/biased.c give: bias_enter( ibuf_tcache_give_( bias_leave( come_(
 * IN src/pool/biased.c take_top: bias_enter( ibuf_tcache_take_( bias_leave( come_(
 * IN src/pool/biased.c put_into_slabs: lock( ibuf_store_put_counted_ bring relax_ unlock(
 * IN src/pool/recall.c arm: ibuf_recall_begin_( armed pass(
 * IN src/pool/recall.c pass: recallers++ unlock( barrier_() lock( recallers--
 * IN src/pool/recall.c take_back: bias_is_inside( empty_
 * IN src/pool/recall.c ibuf_recall_relax_: line recallers bias_let(
 * IN src/pool/recall.c ibuf_recall_for_line_: arm( line take_back(
 * IN src/pool/wait.c wait_for_one: line_join( ibuf_recall_for_line_( sleep_in_line( wait_ends(
 * IN src/pool/wait.c ibuf_wait_serve_: line store_take_ line_leave( cond_signal
 *
 * PLANTED 1: no barrier
 * PLANTED 2: whoever recalls does not look whether the owner is inside
 * PLANTED 3: the owner, once out, does not look again
 * PLANTED 4: the owner is let in although somebody stands in the line
 * PLANTED 5: the barrier is passed before the owner is kept out
 */
#ifndef PLANTED
#define PLANTED 0
#endif

bit lock;
bit inside;   /* odd, as the memory has it */
bit recalled;
bit armed;
byte cached;  /* headers in the owner's cache, as the memory has it */
byte slabs;
bit line, given;
bit working;  /* the owner is at work in the cache, as the model knows */
bit owner_done, waiter_done;
byte recallers;

/* A store that waits: 0, 1: inside; 2, 3: cached is 0, 1. */
chan stores = [8] of { byte };

inline arrive()
{
	d_step {
		stores?store;
		if
		:: store == 0 -> inside = 0
		:: store == 1 -> inside = 1
		:: store == 2 -> cached = 0
		:: store == 3 -> cached = 1
		fi;
		store = 0
	}
}

inline run_empty()
{
	do
	:: nempty(stores) -> arrive()
	:: empty(stores) -> break
	od
}

/* ibuf_wait_serve_(); the lock is held. */
inline serve()
{
	if
	:: line && slabs != 0 ->
		atomic { slabs--; line = 0; given = 1 }
	:: else
	fi
}

inline relax()
{
#if PLANTED == 4
	if
	:: recallers == 0 -> atomic { recalled = 0; armed = 0 }
	:: skip
	fi
#else
	if
	:: !line && recallers == 0 -> atomic { recalled = 0; armed = 0 }
	:: skip
	fi
#endif
}

/* ---- the owner --------------------------------------------------------- */

inline owner_locks()
{
	atomic { lock == 0 -> lock = 1; run_empty() }
}

inline bring()
{
	slabs = slabs + mine;
	atomic { mine = 0; stores!2; run_empty() };
	serve()
}

/* mine is what the owner sees of cached: its own store that is on the way, or
   the memory. */
inline enter()
{
	stores!1;
	if
	:: !recalled ->
		atomic {
			working = 1;
			if
			:: stores??[2] || stores??[3] -> skip
			:: else -> mine = cached
			fi
		};
		entered = 1
	:: recalled ->
		stores!0;
		entered = 0
	fi
}

inline leave()
{
	atomic { working = 0; stores!0 };
#if PLANTED != 3
	if
	:: recalled ->
		owner_locks();
		mine = cached;
		bring();
		relax();
		lock = 0
	:: !recalled
	fi
#endif
}

inline give_one()
{
	enter();
	if
	:: entered ->
		atomic { mine = 1; stores!3 };
		leave()
	:: !entered ->
		owner_locks();
		slabs++;
		serve();
		mine = cached;
		bring();
		relax();
		lock = 0
	fi
}

proctype owner()
{
	byte store, mine;
	bit entered;

	if
	:: skip
	:: give_one();
		/* Take it again, if it is still there. */
		enter();
		if
		:: entered && mine == 1 ->
			atomic { mine = 0; stores!2 };
			leave()
		:: entered && mine == 0 ->
			leave();
			goto over
		:: !entered ->
			owner_locks();
			mine = cached;
			bring();
			if
			:: slabs != 0 -> slabs--; lock = 0
			:: else -> lock = 0; goto over
			fi
		fi
	fi;
	give_one();
over:
	owner_done = 1
}

/* ---- who waits --------------------------------------------------------- */

inline barrier()
{
	atomic { run_empty() }
}

inline take_back()
{
#if PLANTED == 2
	atomic {
#else
	if
	:: inside == 0 -> atomic {
#endif
		assert(!working);
		if
		:: cached != 0 ->
			slabs = slabs + cached;
			cached = 0
		:: else
		fi
	};
#if PLANTED != 2
	serve()
	:: inside == 1
	fi
#else
	serve()
#endif
}

proctype waiter()
{
	byte store;

	atomic { lock == 0 -> lock = 1 };
	if
	:: slabs != 0 -> slabs--; lock = 0; goto over
	:: else
	fi;
	line = 1;
#if PLANTED == 5
	barrier();
#endif
	recalled = 1;
	if
	:: !armed ->
		recallers++;
		lock = 0;
#if PLANTED != 1 && PLANTED != 5
		barrier();
#endif
		atomic { lock == 0 -> lock = 1 };
		recallers--;
		armed = 1
	:: armed
	fi;
	if
	:: line -> take_back()
	:: !line
	fi;
	lock = 0;
	/* Asleep: woken only by who gives. */
	given;
	atomic { lock == 0 -> lock = 1 };
	relax();
	lock = 0;
over:
	waiter_done = 1
}

proctype queue()
{
	byte store;

	do
	:: atomic { nempty(stores) -> arrive() }
	:: owner_done && empty(stores) -> break
	od
}

init
{
	atomic {
		run owner();
		run queue();
		run waiter()
	}
}
