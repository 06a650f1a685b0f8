//! bytes, of the Tokio project: BytesMut is written, Bytes is shared.
//!
//! It is Rust, so the loops of loops.h are here once more; the names are the
//! same. It has no pool, no headroom (W10) and no chain of unlike pieces that
//! grows at run time but a Vec (W12).

mod ring;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use ring::Ring;
use std::arch::asm;
use std::ffi::c_void;
use std::fs::File;
use std::io::{IoSlice, Write};
use std::os::raw::{c_char, c_uint};
use std::ptr::{null, null_mut};

#[repr(C)]
pub struct Setup {
    capacity: usize,
    headroom: usize,
    live: usize,
    pools: usize,
    arg: usize,
    threads: c_uint,
}

type Run = extern "C" fn(u64, c_uint);
type Prepare = extern "C" fn(*const Setup);
type Nothing = extern "C" fn();

#[repr(C)]
pub struct Case {
    id: *const c_char,
    run: Option<Run>,
    prepare: Option<Prepare>,
    finish: Option<Nothing>,
}

#[repr(C)]
pub struct Peer {
    name: *const c_char,
    most: usize,
    version: extern "C" fn() -> *const c_char,
    start: extern "C" fn(c_uint),
    open: Prepare,
    close: Nothing,
    enter: Nothing,
    leave: Nothing,
    cases: *const Case,
}

unsafe impl Sync for Case {}
unsafe impl Sync for Peer {}

const FRAME_HEAD: usize = 2;
const FRAMES: usize = 642;
const STREAM: usize = FRAMES * (FRAME_HEAD + 100);

extern "C" {
    static bench_source: [u8; 1 << 20];
    static bench_stream: [u8; STREAM];
}

/// BENCH_KEEP: the value must be in memory here, and all that was written.
#[inline(always)]
fn keep<T>(value: &T) {
    unsafe { asm!("/* {0} */", in(reg) value as *const T as *const c_void, options(nostack, preserves_flags)) };
}

#[inline(always)]
fn source(n: usize) -> &'static [u8] {
    unsafe { &bench_source[..n] }
}

/// What is made before the clock starts.
struct State {
    capacity: usize,
    arg: usize,
    message: BytesMut,
    shared: Bytes,
    live: Vec<BytesMut>,
    n_live: usize,
    null: Option<File>,
    random: u64,
}

static mut STATE: *mut State = null_mut();
static RING: Ring<BytesMut> = Ring::new();

#[inline(always)]
fn state() -> &'static mut State {
    unsafe { &mut *STATE }
}

#[inline(always)]
fn message_new() -> BytesMut {
    BytesMut::with_capacity(state().capacity)
}

extern "C" fn open(setup: *const Setup) {
    let setup = unsafe { &*setup };
    let state = State {
        capacity: setup.capacity,
        arg: setup.arg,
        message: BytesMut::new(),
        shared: Bytes::new(),
        live: Vec::new(),
        n_live: setup.live,
        null: None,
        random: 88172645463325252,
    };
    unsafe { STATE = Box::into_raw(Box::new(state)) };
}

extern "C" fn close() {
    drop(unsafe { Box::from_raw(STATE) });
}

extern "C" fn nothing() {}

extern "C" fn start(_cpu: c_uint) {}

extern "C" fn version() -> *const c_char {
    concat!(env!("BYTES_VERSION"), "\0").as_ptr() as *const c_char
}

// ---- W1, W3, W7, size: one at a time

extern "C" fn run_alloc_free(n: u64, _thread: c_uint) {
    for _ in 0..n {
        let m = message_new();
        keep(&m);
    }
}

extern "C" fn run_append_free(n: u64, _thread: c_uint) {
    for _ in 0..n {
        let mut m = message_new();
        m.put_slice(source(38));
        keep(&m);
    }
}

extern "C" fn run_size(n: u64, _thread: c_uint) {
    for _ in 0..n {
        let mut m = message_new();
        m.put_slice(source(state().arg));
        keep(&m);
    }
}

// ---- W2: bursts

#[inline(always)]
fn burst<const SIZE: usize>(n: u64) {
    for _ in 0..n / SIZE as u64 {
        let messages: [BytesMut; SIZE] = std::array::from_fn(|_| {
            let m = message_new();
            keep(&m);
            m
        });
        keep(&messages);
    }
}

extern "C" fn run_burst_32(n: u64, _thread: c_uint) {
    burst::<32>(n);
}

extern "C" fn run_burst_512(n: u64, _thread: c_uint) {
    burst::<512>(n);
}

// ---- W4: from thread to thread

extern "C" fn run_cross(n: u64, thread: c_uint) {
    for _ in 0..n {
        if thread == 0 {
            let m = message_new();
            keep(&m);
            RING.give(m);
        } else {
            drop(RING.take());
        }
    }
    if thread == 0 {
        RING.show_tail();
    }
}

extern "C" fn run_cross_touched(n: u64, thread: c_uint) {
    let mut bytes = [0u8; 64];
    for _ in 0..n {
        if thread == 0 {
            let mut m = message_new();
            m.put_slice(source(64));
            keep(&m);
            RING.give(m);
        } else {
            let mut m = RING.take();
            m.copy_to_slice(&mut bytes);
            keep(&bytes);
        }
    }
    if thread == 0 {
        RING.show_tail();
    }
}

// ---- W8, W11: one message, written and read

extern "C" fn message_prepare(_setup: *const Setup) {
    state().message = message_new();
}

extern "C" fn run_write_clear(n: u64, _thread: c_uint) {
    let m = &mut state().message;
    for _ in 0..n {
        m.put_slice(source(9));
        keep(m);
        m.clear();
    }
}

extern "C" fn run_write_read_clear(n: u64, _thread: c_uint) {
    let m = &mut state().message;
    let mut bytes = [0u8; 9];
    for _ in 0..n {
        m.put_slice(source(9));
        keep(m);
        m.copy_to_slice(&mut bytes);
        keep(&bytes);
        m.clear();
    }
}

extern "C" fn run_fill_drain(n: u64, _thread: c_uint) {
    let m = &mut state().message;
    let mut bytes = [0u8; 64];
    for _ in 0..n {
        m.clear();
        m.reserve(1 << 20);
        for _ in 0..(1 << 20) / 4096 {
            m.put_slice(source(4096));
        }
        keep(m);
        for _ in 0..(1 << 20) / 64 {
            m.copy_to_slice(&mut bytes);
            keep(&bytes);
        }
    }
}

// ---- W9: growth

extern "C" fn run_grow(n: u64, _thread: c_uint) {
    for _ in 0..n {
        let mut m = BytesMut::with_capacity(64);
        let mut len = 0;
        while len < 1 << 20 {
            m.put_slice(source(100));
            keep(&m);
            len += 100;
        }
    }
}

// ---- W5, W6, W13: sharing

extern "C" fn shared_prepare(_setup: *const Setup) {
    let mut m = message_new();
    m.put_slice(source(1500));
    state().shared = m.freeze();
}

extern "C" fn run_clone(n: u64, _thread: c_uint) {
    let m = &state().shared;
    for _ in 0..n {
        let c = m.clone();
        keep(&c);
    }
}

extern "C" fn run_slice(n: u64, _thread: c_uint) {
    let m = &state().shared;
    for _ in 0..n {
        let c = m.slice(700..764);
        keep(&c);
    }
}

extern "C" fn run_fan_out(n: u64, _thread: c_uint) {
    let m = &state().shared;
    for _ in 0..n / 64 {
        let out: [Bytes; 64] = std::array::from_fn(|_| m.clone());
        keep(&out);
    }
}

// ---- W12: sixteen messages in one writev

extern "C" fn null_prepare(_setup: *const Setup) {
    state().null = File::options().write(true).open("/dev/null").ok();
}

extern "C" fn run_writev(n: u64, _thread: c_uint) {
    let mut null = state().null.as_ref().unwrap();
    for _ in 0..n {
        let chain: [BytesMut; 16] = std::array::from_fn(|_| {
            let mut m = message_new();
            m.put_slice(source(1024));
            m
        });
        let slices: [IoSlice; 16] = std::array::from_fn(|i| IoSlice::new(&chain[i]));
        assert!(matches!(null.write_vectored(&slices), Ok(16384)));
    }
}

// ---- W14, W15, live: many of them

extern "C" fn table_prepare(_setup: *const Setup) {
    state().live = Vec::with_capacity(state().n_live);
}

extern "C" fn live_prepare(setup: *const Setup) {
    table_prepare(setup);
    for _ in 0..state().n_live {
        state().live.push(message_new());
    }
}

extern "C" fn live_finish() {
    state().live = Vec::new();
}

#[inline(always)]
fn any_of(random: &mut u64, n: usize) -> usize {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    (((*random >> 32) * n as u64) >> 32) as usize
}

extern "C" fn run_replace(n: u64, _thread: c_uint) {
    let s = state();
    for _ in 0..n {
        let m = &mut s.live[any_of(&mut s.random, s.n_live)];
        *m = BytesMut::new();
        *m = BytesMut::with_capacity(s.capacity);
        keep(m);
    }
}

extern "C" fn run_replace_written(n: u64, _thread: c_uint) {
    let s = state();
    for _ in 0..n {
        let m = &mut s.live[any_of(&mut s.random, s.n_live)];
        *m = BytesMut::new();
        *m = BytesMut::with_capacity(s.capacity);
        m.put_slice(source(64));
        keep(m);
    }
}

extern "C" fn run_resident(n: u64, _thread: c_uint) {
    for _ in 0..n {
        let mut m = message_new();
        m.put_slice(source(2048));
        keep(&m);
        state().live.push(m);
    }
}

// ---- W16: frames out of a stream

extern "C" fn run_frames(n: u64, _thread: c_uint) {
    let m = &mut state().message;
    for _ in 0..n / FRAMES as u64 {
        m.reserve(STREAM);
        m.put_slice(unsafe { &bench_stream });
        for _ in 0..FRAMES {
            let len = m.get_u16() as usize;
            let frame = m.split_to(len);
            keep(&frame);
        }
    }
}

// ---- all of them

macro_rules! case {
    ($id:literal, $run:ident, $prepare:expr, $finish:expr) => {
        Case {
            id: concat!($id, "\0").as_ptr() as *const c_char,
            run: Some($run),
            prepare: $prepare,
            finish: $finish,
        }
    };
}

extern "C" fn no_prepare(_setup: *const Setup) {}

static CASES: [Case; 26] = [
    case!("W1", run_alloc_free, None, None),
    case!("W2a", run_burst_32, None, None),
    case!("W2c", run_burst_512, None, None),
    case!("W3", run_alloc_free, None, None),
    case!("W4", run_cross, None, None),
    case!("W4t", run_cross_touched, None, None),
    case!("W5", run_clone, Some(shared_prepare), None),
    case!("M5", run_clone, Some(shared_prepare), None),
    case!("W6", run_slice, Some(shared_prepare), None),
    case!("W7", run_append_free, None, None),
    case!("W8a", run_write_clear, Some(message_prepare), None),
    case!("W8b", run_write_read_clear, Some(message_prepare), None),
    case!("W9", run_grow, None, None),
    case!("W11", run_fill_drain, Some(message_prepare), None),
    case!("W12", run_writev, Some(null_prepare), None),
    case!("W13", run_fan_out, Some(shared_prepare), None),
    case!("W13b", run_clone, Some(shared_prepare), None),
    case!("W14", run_replace, Some(live_prepare), Some(live_finish)),
    case!("W14t", run_replace_written, Some(live_prepare), Some(live_finish)),
    // driver.cc calls the prepare of W15 without asking whether there is one.
    case!("W15a", run_resident, Some(table_prepare), Some(live_finish)),
    case!("W16", run_frames, Some(message_prepare), None),
    case!("W16h", run_frames, Some(message_prepare), None),
    case!("threads", run_alloc_free, Some(no_prepare), None),
    case!("live", run_replace, Some(live_prepare), Some(live_finish)),
    case!("size", run_size, None, None),
    Case { id: null(), run: None, prepare: None, finish: None },
];

#[no_mangle]
pub static bench_peer: Peer = Peer {
    name: "bytes\0".as_ptr() as *const c_char,
    most: usize::MAX,
    version,
    start,
    open,
    close,
    enter: nothing,
    leave: nothing,
    cases: CASES.as_ptr(),
};
