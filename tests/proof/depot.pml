/*
 * depot.pml - the two stacks of magazines, as in src/pool/depot.c.
 *
 * Threads swap magazines with the stacks in the three ways there are, with
 * nothing to keep them apart; each atomic access of pop() and push() is a
 * step of its own.  Seen:
 *
 *   - a magazine has one owner: a stack, or a thread;
 *   - what comes from the full stack is full, from the empty one empty;
 *   - each object is in one place, and at the end all are there.
 *
 * A tag counts pops and is compared with the head.  The model's is small, but
 * it makes fewer pops than would bring it round; that it matters is planted.
 * In the library 2^40 pops would have to fall between a load and a compare.
 *
 * Orders: steps are seen by all threads in one order here.  In the library
 * the stacks' heads are changed by compare-exchange only, with acq_rel, and
 * what is read behind a head was written before it was released; next may be
 * read too late (relaxed), which is one of the interleavings here.
 *
 * IN src/pool/depot.c pop: ACQUIRE NUMBER_MASK magazine_by TAG_ONE next compare_exchange
 * IN src/pool/depot.c push: RELAXED next NUMBER_MASK number compare_exchange
 *
 * PLANTED 1: the tag is not counted
 * PLANTED 2: the tag comes round
 * PLANTED 3: push() does not compare
 */
#ifndef PLANTED
#define PLANTED 0
#endif

#define THREADS 3

#if PLANTED == 1
#define TAGS 1
#elif PLANTED == 2
#define TAGS 2
#else
#define TAGS 16 /* more than all pops of the model */
#endif

/* Magazines 1 and 2 are full, 3 is empty, the others are the threads'. */
#define MAGAZINES 6
#define OBJECTS 2

#define FULL 0
#define EMPTY 1

typedef head_t {
	byte tag;
	byte number
};
head_t heads[2];
byte next[MAGAZINES + 1];
byte holds[MAGAZINES + 1]; /* the object in it; 0: none */

/* Not in the library: who owns what. */
byte owner[MAGAZINES + 1]; /* thread + 1; 0: a stack */
byte place[OBJECTS + 1];   /* thread + 1 in hand; 0: magazine or stock */
byte stocked;
byte finished;

/* pop(): got becomes 0 when the stack is empty. */
inline pop(stack, got)
{
	d_step {
		tag = heads[stack].tag; /* load-acquire of the head */
		got = heads[stack].number
	}
	do
	:: got == 0 -> break
	:: else ->
		below = next[got]; /* relaxed, perhaps another's by now */
		atomic {
			if
			:: heads[stack].tag == tag &&
			   heads[stack].number == got ->
				heads[stack].tag = (tag + 1) % TAGS;
				heads[stack].number = below;
				assert(owner[got] == 0);
				owner[got] = _pid;
				assert((holds[got] != 0) == (stack == FULL));
				break
			:: else ->
				tag = heads[stack].tag;
				got = heads[stack].number
			fi
		}
	od
}

/* push(), to the stack that ibuf_depot_push_() chooses. */
inline push(magazine)
{
	stack = (holds[magazine] != 0 -> FULL : EMPTY);
	d_step {
		tag = heads[stack].tag;
		below = heads[stack].number
	}
	do
	:: next[magazine] = below;
		atomic {
			if
			:: PLANTED == 3 ||
			   (heads[stack].tag == tag &&
			    heads[stack].number == below) ->
				assert(owner[magazine] == _pid);
				owner[magazine] = 0;
				heads[stack].number = magazine;
				break
			:: else ->
				tag = heads[stack].tag;
				below = heads[stack].number
			fi
		}
	od
}

/* Between the magazine a thread works with and its hands: no others look. */
inline take()
{
	d_step {
		hand = holds[current];
		holds[current] = 0;
		assert(hand == 0 || place[hand] == 0);
		place[hand] = _pid
	}
}

inline give()
{
	d_step {
		holds[current] = hand;
		assert(place[hand] == _pid);
		place[hand] = 0;
		hand = 0
	}
}

/* ibuf_cache_refill_(): an empty magazine for a full one. */
inline refill()
{
	pop(FULL, got);
	if
	:: got != 0 ->
		push(current);
		current = got;
		take()
	:: else
	fi
}

/* drain(): a full magazine for an empty one, or its objects into the stock. */
inline drain()
{
	give();
	pop(EMPTY, got);
	if
	:: got != 0 ->
		push(current);
		current = got
	:: else ->
		d_step {
			holds[current] = 0;
			stocked++
		}
	fi
}

/* ibuf_depot_unload_() and ibuf_depot_sort_(): a full magazine is emptied and
   comes back. */
inline unload()
{
	pop(FULL, got);
	if
	:: got != 0 ->
		d_step {
			holds[got] = 0;
			stocked++
		}
		push(got)
	:: else
	fi
}

proctype thread(byte current, operations)
{
	byte got, below, tag, stack, hand;

	do
	:: operations == 0 -> break
	:: operations != 0 ->
		operations--;
		if
		:: hand == 0 -> refill()
		:: hand != 0 -> drain()
		:: unload()
		fi;
		/* Leave nothing that would tell equal states apart. */
		atomic {
			got = 0;
			below = 0;
			tag = 0;
			stack = 0
		}
	od;
	if
	:: hand != 0 -> give()
	:: else
	fi;
	push(current);
	finished++
}

init
{
	byte at, magazines, objects;

	d_step {
		heads[FULL].number = 1;
		next[1] = 2;
		holds[1] = 1;
		holds[2] = 2;
		heads[EMPTY].number = 3
	}
	atomic {
		/* Thread _pid 1 has magazine 4, and so on. */
		owner[4] = 1;
		owner[5] = 2;
		owner[6] = 3;
		run thread(4, 2);
		run thread(5, 2);
		run thread(6, 1)
	}
	finished == THREADS;
	/* Every magazine is on one stack, every object in one place. */
	at = heads[FULL].number;
	do
	:: at == 0 -> break
	:: else ->
		magazines++;
		objects = objects + (holds[at] != 0);
		assert(magazines <= MAGAZINES && holds[at] != 0);
		at = next[at]
	od;
	at = heads[EMPTY].number;
	do
	:: at == 0 -> break
	:: else ->
		magazines++;
		assert(magazines <= MAGAZINES && holds[at] == 0);
		at = next[at]
	od;
	assert(magazines == MAGAZINES);
	assert(objects + stocked == 2)
}
