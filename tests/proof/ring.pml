/*
 * ring.pml - the ring of a queue, as in src/queue/ring.h: two producers and
 * two consumers, each end behind a lock that is an exchange, each access to
 * memory a step of its own.
 *
 * Seen: no message is overwritten or read twice; they come out in the order in
 * which they went in; never more than the capacity are inside; all that went in
 * comes out.
 *
 * The capacity is that of the cells, 2, which leaves none to spare; indices
 * wrap at 4, and begin at 3.  What an end knows of the other, its limit, may be
 * old.
 *
 * IN src/queue/queue.c push_begin: ring_enter putting ring_reach
 * IN src/queue/queue.c push_end: ring_store shown ring_leave
 * IN src/queue/queue.c push: push_begin cells push_end
 * IN src/queue/queue.c ibuf_queue_push_bulk: push_begin ring_copy_in push_end
 * IN src/queue/queue.c pop_begin: ring_enter taking ring_reach
 * IN src/queue/queue.c pop_end: ring_store shown ring_leave
 * IN src/queue/queue.c take_one: pop_begin cells pop_end
 * IN src/queue/queue.c ibuf_queue_pop_bulk: pop_begin ring_copy_out pop_end
 * IN src/queue/ring.h ring_reach: limit t->at limit other->shown ahead limit t->at
 * IN src/queue/ring.h ring_enter: spin_lock shown
 *
 * PLANTED 1: a push shows its message before the cell has it
 * PLANTED 2: a pop shows the cell as free before it has read it
 * PLANTED 3: producers take no lock
 * PLANTED 4: consumers take no lock
 * PLANTED 5: a push goes as far as there are cells
 * PLANTED 6: a push does not know what the consumers have shown
 */
#ifndef PLANTED
#define PLANTED 0
#endif

#define CAPACITY 2
#define CELLS 2
#define WRAP 4
#define FIRST 3
#define MESSAGES 5

#if PLANTED == 5
#define AHEAD (CELLS + 1)
#else
#define AHEAD CAPACITY
#endif

byte cells[CELLS];
byte put_shown = FIRST, put_limit = (FIRST + CAPACITY) % WRAP;
byte take_shown = FIRST, take_limit = FIRST;
bit put_lock, take_lock;

/* Not in the library. */
byte next_in = 1, next_out = 1; /* messages are numbers */
byte finished;

#define DISTANCE(to, from) ((to + WRAP - from) % WRAP)

inline enter(lock)
{
	atomic {
		lock == 0 -> lock = 1
	}
}

proctype producer(byte n)
{
	byte at, message;

	do
	:: n == 0 -> break
	:: n != 0 ->
#if PLANTED != 3
		enter(put_lock);
#endif
		at = put_shown;
		if
		:: DISTANCE(put_limit, at) == 0 ->
#if PLANTED == 6
			put_limit = (at + 1) % WRAP
#else
			put_limit = (take_shown + AHEAD) % WRAP
#endif
		:: else
		fi;
		if
		:: DISTANCE(put_limit, at) == 0 -> skip /* full */
		:: else ->
			d_step {
				message = next_in;
				next_in++
			}
#if PLANTED == 1
			put_shown = (at + 1) % WRAP;
			cells[at % CELLS] = message;
#else
			cells[at % CELLS] = message;
			put_shown = (at + 1) % WRAP;
#endif
			n--;
			message = 0;
			assert(DISTANCE(put_shown, take_shown) <= CAPACITY)
		fi;
		at = 0;
#if PLANTED != 3
		put_lock = 0
#endif
	od;
	finished++
}

proctype consumer()
{
	byte at, message;

	do
	:: finished == 2 && take_shown == put_shown -> break
	:: take_shown != put_shown || take_limit != put_shown ->
#if PLANTED != 4
		enter(take_lock);
#endif
		at = take_shown;
		if
		:: DISTANCE(take_limit, at) == 0 -> take_limit = put_shown
		:: else
		fi;
		if
		:: DISTANCE(take_limit, at) == 0 -> skip /* empty */
		:: else ->
#if PLANTED == 2
			take_shown = (at + 1) % WRAP;
			message = cells[at % CELLS];
#else
			message = cells[at % CELLS];
#endif
			d_step {
				assert(message == next_out);
				next_out++;
				message = 0
			}
#if PLANTED != 2
			take_shown = (at + 1) % WRAP
#endif
		fi;
		at = 0;
#if PLANTED != 4
		take_lock = 0
#endif
	od
}

init
{
	atomic {
		run producer(3);
		run producer(2);
		run consumer();
		run consumer()
	}
	finished == 2 && take_shown == put_shown && put_lock == 0;
	assert(next_in == MESSAGES + 1)
}
