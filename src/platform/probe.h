/*
 * probe.h - USDT probes: places that a tracer can stop at, as bpftrace does.
 *
 * Each is one instruction that does nothing, and an ELF note that says where
 * it is and where the arguments lie.  All are where a call, a lock or a copy is
 * under way already.  They are there where the build says so (IBUF_USDT):
 * libibuf.so where <sys/sdt.h> was found; never in the archive, which has to
 * stay small.  docs/observing.md lists them.
 */
#ifndef IBUF_SRC_PLATFORM_PROBE_H
#define IBUF_SRC_PLATFORM_PROBE_H

#ifdef IBUF_USDT
#include <sys/sdt.h>
#ifdef __clang__
/* Of the macros of that header, where they are used. */
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif
#define PROBE2(name, a, b) DTRACE_PROBE2(ibuf, name, a, b)
#define PROBE3(name, a, b, c) DTRACE_PROBE3(ibuf, name, a, b, c)
#else
#define PROBE2(name, a, b) ((void)0)
#define PROBE3(name, a, b, c) ((void)0)
#endif

#endif
