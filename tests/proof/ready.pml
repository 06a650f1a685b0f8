/*
 * ready.pml - the descriptor of a queue: a promised producer pushes, two
 * consumers pop until there is none, poll, and pop again; the queue is closed,
 * or not.
 *
 * Seen: when nothing happens any more, the descriptor is readable if a message
 * is inside or the queue is sealed, and else not.  The machine is that of
 * sleep.pml.
 *
 * IN src/queue/queue.c push_end: ring_store shown ring_signs ARMED pushed(
 * IN src/queue/queue.c pushed: lock( ready_set unlock(
 * IN src/queue/queue.c found_none: SEALED SET arm
 * IN src/queue/queue.c ibuf_queue_close: SEALED lock( ready_set unlock(
 * IN src/queue/ready.c ibuf_ready_set_: fetch_clear ARMED event_set fetch_or SET
 * IN src/queue/ready.c arm: fetch_clear SET sign_ ARMED queue_may_pop ready_set
 * IN src/queue/ready.c ibuf_ready_arm_: lock( SET queue_may_pop event_clear arm unlock(
 * IN src/queue/queue.c ibuf_queue_sign_: fetch_or barrier_
 *
 * PLANTED 1: who arms passes no barrier
 * PLANTED 2: who arms does not look at the ring again
 * PLANTED 3: a push leaves SET and then sets the descriptor, without the lock
 * PLANTED 4: who arms clears the descriptor behind the sign
 * PLANTED 5: closing does not set it
 */
#ifndef PLANTED
#define PLANTED 0
#endif

#define MESSAGES 3

byte tail, head; /* in memory */
chan stores = [MESSAGES] of { byte };

bit armed = 1, set, sealed, readable;
bit lock;

bit ends; /* nothing more happens */
byte finished;

inline arrive()
{
	stores?tail
}

inline barrier()
{
	atomic {
		do
		:: nempty(stores) -> arrive()
		:: empty(stores) -> break
		od
	}
}

inline acquire()
{
	atomic {
		lock == 0 -> lock = 1
	}
}

/* Each is a step: others look at signs without the lock. */
inline ready_set()
{
	atomic {
		was = armed;
		armed = 0
	}
	if
	:: was ->
#if PLANTED == 3
		set = 1;
		readable = 1
#else
		readable = 1;
		set = 1
#endif
	:: else
	fi;
	was = 0
}

proctype producer()
{
	byte t;
	bit saw, was;

	do
	:: t == MESSAGES -> break
	:: true -> break
	:: t != MESSAGES ->
		t++;
		stores!t;
		saw = armed;
		if
		:: saw ->
#if PLANTED != 3
			atomic {
				lock == 0;
				lock = 1;
				barrier()
			}
#endif
			ready_set();
#if PLANTED != 3
			lock = 0
#endif
		:: else
		fi;
		saw = 0
	od;
	finished++
}

proctype consumer()
{
	bit got, was;

	do
	:: atomic {
			got = (head != tail);
			head = head + got
		}
		if
		:: got -> got = 0
		:: else ->
			if
			:: set && !sealed ->
				acquire();
				if
				:: set && head == tail && !sealed ->
#if PLANTED != 4
					readable = 0;
#endif
					set = 0;
					armed = 1;
#if PLANTED == 4
					lock = 0;
					readable = 0;
					acquire();
#endif
#if PLANTED != 1
					barrier();
#endif
#if PLANTED != 2
					if
					:: head != tail || sealed -> ready_set()
					:: else
					fi
#endif
				:: else
				fi;
				lock = 0
			:: else
			fi;
			if
			:: sealed && head == tail -> break
			:: readable && !sealed &&
			   (head != tail || set || lock) -> skip
			:: ends -> break
			fi
		fi
	od;
	finished++
}

/* All pushes are over, as sleep.pml has it. */
proctype closer()
{
	bit was;

	if
	:: finished >= 1 && len(stores) == 0 ->
		sealed = 1;
		acquire();
#if PLANTED != 5
		ready_set();
#endif
		lock = 0
	:: skip
	fi
}

proctype store_queue()
{
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
		run consumer();
		run consumer();
		run closer();
		run store_queue()
	}
	timeout;
	assert(lock == 0 && len(stores) == 0);
	assert(readable == (head != tail || sealed));
	assert(readable == !armed);
	ends = 1;
	finished == 3
}
