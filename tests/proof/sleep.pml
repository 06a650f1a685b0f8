/*
 * sleep.pml - how who waits for a message of a queue sleeps and is woken, and
 * how a queue is closed.
 *
 * One promised producer pushes, without a barrier; two consumers wait, of
 * which one may be cancelled and the other's time may be over; somebody else
 * pops without waiting; and the queue is closed, or not.  Seen: nobody sleeps
 * while a message is inside or once the queue is sealed; after a wait was told
 * that none will come none does; what was pushed comes out once.  Waiting for
 * room is the mirror image.
 *
 * The machine is x86 as its makers describe it: the producer's stores wait in a
 * queue of its own, in order, and reach the memory at any time; loads do not
 * wait for them.  Taking the lock lets the queue run empty, and so does the
 * barrier of a thread that leaves a sign (membarrier).
 *
 * IN src/queue/queue.c push_begin: ring_store pushing ring_signs CLOSED store pushing
 * IN src/queue/queue.c push_end: ring_store shown ring_signs WAIT_TO_POP pushed(
 * IN src/queue/queue.c pushed: lock( wake_ unlock(
 * IN src/queue/queue.c ibuf_queue_sign_: fetch_or barrier_
 * IN src/queue/queue.c try_pop: SEALED take( sealed EPIPE
 * IN src/queue/queue.c ibuf_queue_close: sign_ CLOSED await_pushes SEALED lock( wake_ wake_ unlock(
 * IN src/queue/queue.c await_pushes: while pushing shown
 * IN src/queue/waiters.c join: first last ibuf_queue_sign_
 * IN src/queue/waiters.c leave: first == fetch_clear sign
 * IN src/queue/waiters.c ibuf_waiters_wake_: leave woken signal
 * IN src/queue/waiters.c cancelled: woken wake_ else leave unlock(
 * IN src/queue/waiters.c ibuf_waiters_sleep_: lock( join nothing_to_wait_for sleep_in_turn leave unlock(
 *
 * PLANTED 1: who goes to sleep passes no barrier
 * PLANTED 2: who goes to sleep looks at the ring before it leaves the sign
 * PLANTED 3: a push looks at the signs before it shows the message
 * PLANTED 4: a thread that was woken and is cancelled wakes nobody
 * PLANTED 5: a push of two wakes one
 * PLANTED 6: closing does not wait for a push that is under way
 * PLANTED 7: a push looks whether the queue is closed before it says so
 * PLANTED 8: a wait looks whether the queue is sealed behind the ring
 * PLANTED 9: closing wakes only one
 */
#ifndef PLANTED
#define PLANTED 0
#endif

/* The memory that the producer stores to. */
#define PUSHING 0
#define SHOWN 1
byte memory[2];
chan stores = [4] of { byte, byte };

/* Signs. */
bit waits, closed, sealed;

bit lock;
chan list = [2] of { byte }; /* who sleeps, in order */
bit woken[2];
byte head;

/* Not in the library. */
byte accepted, popped;
bit told;   /* somebody heard that no message will come */
bit ends;   /* nothing more happens: who sleeps may leave */
byte finished;

inline arrive()
{
	d_step {
		stores?address, value;
		memory[address] = value;
		address = 0;
		value = 0
	}
}

inline barrier()
{
	do
	:: nempty(stores) -> arrive()
	:: empty(stores) -> break
	od
}

/* By the producer, whose stores it lets through; and by others. */
inline acquire_own()
{
	atomic {
		lock == 0;
		lock = 1;
		barrier()
	}
}

inline acquire()
{
	atomic {
		lock == 0 -> lock = 1
	}
}

/* The lock is held. */
inline wake()
{
	d_step {
		if
		:: len(list) != 0 ->
			list?who;
			woken[who] = 1;
			who = 0
		:: else
		fi;
		if
		:: len(list) == 0 -> waits = 0
		:: else
		fi
	}
}

inline leave()
{
	d_step {
		list??eval(me);
		if
		:: len(list) == 0 -> waits = 0
		:: else
		fi
	}
}

/* The messages go in now, though others may see that later. */
inline show_them()
{
	atomic {
		t = t + n;
		stores!SHOWN, t;
		accepted = accepted + n;
		assert(!told)
	}
}

/* At most two pushes: one message, and a bulk of two. */
proctype producer()
{
	byte t, n = 1, address, value, who;
	bit saw;

	do
	:: true -> break
	:: n != 3 ->
#if PLANTED == 7
		saw = closed;
		stores!PUSHING, t + n;
#else
		stores!PUSHING, t + n;
		saw = closed;
#endif
		if
		:: saw ->
			stores!PUSHING, t;
			break
		:: else
		fi;
#if PLANTED == 3
		saw = waits;
		show_them();
#else
		show_them();
		saw = waits;
#endif
		if
		:: saw ->
			acquire_own();
			wake();
			if
			:: n == 2 ->
#if PLANTED != 5
				wake()
#endif
			:: else
			fi;
			lock = 0
		:: else
		fi;
		saw = 0;
		n++
	od;
	finished++
}

/* The consumers' end has a lock, so this is one step. */
inline take()
{
	atomic {
		got = (head != memory[SHOWN]);
		head = head + got;
		popped = popped + got
	}
}

/* Waits until it is told that no more will come, but for what may happen. */
proctype consumer(byte me)
{
	byte address, value, who;
	bit got, saw, over, restless;

	if
	:: restless = 1 /* will be cancelled, or has not all the time */
	:: skip
	fi;
again:
	do
	:: true ->
#if PLANTED == 8
		take();
		saw = sealed;
#else
		saw = sealed;
		take();
#endif
		if
		:: got ->
			got = 0;
			saw = 0;
			if
			:: skip
			:: goto out /* it wanted no more */
			fi
		:: else -> break
		fi
	od;
	if
	:: saw ->
		told = 1;
		assert(accepted == popped);
		goto out
	:: else
	fi;
	if
	:: over -> goto out /* -ETIMEDOUT */
	:: else
	fi;
#if PLANTED == 2
	saw = (head != memory[SHOWN] || sealed);
#endif
	acquire();
	list!me;
	waits = 1;
#if PLANTED != 1
	atomic { barrier() };
#endif
#if PLANTED != 2
	saw = (head != memory[SHOWN] || sealed);
#endif
	if
	:: saw ->
		saw = 0;
		leave();
		lock = 0;
		goto again
	:: else
	fi;
	lock = 0; /* and asleep */
	if
	:: woken[me] ->
		acquire();
		woken[me] = 0;
		lock = 0;
		goto again
	:: me == 0 && restless -> /* cancelled */
		acquire();
		if
		:: woken[me] ->
#if PLANTED != 4
			wake()
#endif
		:: else -> leave()
		fi;
		lock = 0
	:: me == 1 && restless && !over -> /* the time is over */
		acquire();
		over = !woken[me];
		if
		:: woken[me] -> woken[me] = 0
		:: else -> leave()
		fi;
		lock = 0;
		goto again
	:: ends -> skip
	fi;
out:
	finished++
}

/* Another consumer, which does not wait. */
proctype other()
{
	bit got;

	take();
	got = 0;
	finished++
}

proctype closer()
{
	byte address, value, who;

	if
	:: true ->
		closed = 1;
		atomic { barrier() };
#if PLANTED != 6
		memory[PUSHING] == memory[SHOWN];
#endif
		sealed = 1;
		acquire();
		wake();
#if PLANTED != 9
		wake();
#endif
		lock = 0
	:: true -> skip
	fi;
	finished++
}

/* Stores arrive when they like. */
proctype store_queue()
{
	byte address, value;

	do
	:: atomic {
			nempty(stores) ->
			arrive()
		}
	:: ends -> break
	od
}

init
{
	atomic {
		run producer();
		run consumer(0);
		run consumer(1);
		run other();
		run closer();
		run store_queue()
	}
	timeout;
	/* All that can happen has. */
	assert(lock == 0 && len(stores) == 0);
	assert(memory[SHOWN] == accepted && head == popped);
	assert(len(list) == 0 || (head == accepted && !sealed));
	assert((len(list) == 0) == (waits == 0));
	ends = 1;
	finished == 5
}
