//! ring.h once more, for values instead of pointers: a BytesMut is handed on by value.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering};

const SLOTS: u64 = 1024;
const BURST: u64 = 32;

#[repr(align(64))]
struct Line<T>(T);

struct Side {
    own: u64,
    seen: u64,
}

pub struct Ring<T> {
    tail: Line<AtomicU64>,
    head: Line<AtomicU64>,
    producer: Line<UnsafeCell<Side>>,
    consumer: Line<UnsafeCell<Side>>,
    slots: UnsafeCell<MaybeUninit<[T; SLOTS as usize]>>,
}

// One thread gives and one takes; bench's workload list sees to that.
unsafe impl<T: Send> Sync for Ring<T> {}

fn wait(tries: &mut u32) {
    *tries += 1;
    if *tries % 1024 == 0 {
        std::thread::yield_now();
    } else {
        std::hint::spin_loop();
    }
}

impl<T> Ring<T> {
    pub const fn new() -> Self {
        Ring {
            tail: Line(AtomicU64::new(0)),
            head: Line(AtomicU64::new(0)),
            producer: Line(UnsafeCell::new(Side { own: 0, seen: 0 })),
            consumer: Line(UnsafeCell::new(Side { own: 0, seen: 0 })),
            slots: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    fn slot(&self, at: u64) -> *mut T {
        unsafe { (self.slots.get() as *mut T).add((at % SLOTS) as usize) }
    }

    pub fn show_tail(&self) {
        let side = unsafe { &*self.producer.0.get() };
        // Pairs with the load in take().
        self.tail.0.store(side.own, Ordering::Release);
    }

    #[inline(always)]
    pub fn give(&self, value: T) {
        let side = unsafe { &mut *self.producer.0.get() };
        let mut tries = 0;
        while side.own - side.seen == SLOTS {
            // Pairs with the store in take().
            side.seen = self.head.0.load(Ordering::Acquire);
            if side.own - side.seen == SLOTS {
                wait(&mut tries);
            }
        }
        unsafe { self.slot(side.own).write(value) };
        side.own += 1;
        if side.own % BURST == 0 {
            self.show_tail();
        }
    }

    #[inline(always)]
    pub fn take(&self) -> T {
        let side = unsafe { &mut *self.consumer.0.get() };
        let mut tries = 0;
        while side.own == side.seen {
            // Pairs with the store in show_tail().
            side.seen = self.tail.0.load(Ordering::Acquire);
            if side.own == side.seen {
                wait(&mut tries);
            }
        }
        let value = unsafe { self.slot(side.own).read() };
        side.own += 1;
        if side.own % BURST == 0 {
            // Pairs with the load in give().
            self.head.0.store(side.own, Ordering::Release);
        }
        value
    }
}
