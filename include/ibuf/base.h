/*
 * base.h - version and attributes; every other header includes it.
 *
 * Rules of the whole API (docs/conventions.md):
 *
 * Errors.  Functions that return a pointer return NULL for any failure, and
 * never NULL for success, also for 0 bytes.  bool functions return false.
 * int functions return 0 or -errno: -ENOMEM (memory), -EOVERFLOW (a size
 * beyond the limits), -ERANGE (outside the message), -EINVAL (a senseless
 * argument), -ENOBUFS (a pool at its max), -EAGAIN (full), -EPIPE (closed),
 * -ETIMEDOUT (the time is over).  errno is never the channel.
 * A failed call changes nothing.
 *
 * Thread classes.
 *   any          concurrent calls on the same object are fine
 *   shared-read  functions that take a const message may run together on one
 *   object       one thread at a time per message; two messages that share
 *                bytes are two objects
 *   setup        no other thread may hold the object
 *
 * A name that ends in an underscore is private: the inline bodies need it, a
 * program never does.
 */
#ifndef IBUF_BASE_H
#define IBUF_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * @defgroup version Version
 * Of the headers, and of the library that is linked.
 *
 * @mt any
 * @cost O(1)
 * @{
 */

/** Incremented when the API breaks. */
#define IBUF_VERSION_MAJOR 0
/** Incremented when the API grows. */
#define IBUF_VERSION_MINOR 1
/** Incremented when only the inside changes. */
#define IBUF_VERSION_PATCH 0
/** The version of the headers as one comparable number, for \#if. */
#define IBUF_VERSION                                                           \
	(IBUF_VERSION_MAJOR * 10000 + IBUF_VERSION_MINOR * 100 +               \
	 IBUF_VERSION_PATCH)

/** @} */

/** @cond attributes */
#ifdef __cplusplus
#define IBUF_BEGIN_DECLS extern "C" {
#define IBUF_END_DECLS }
#else
#define IBUF_BEGIN_DECLS
#define IBUF_END_DECLS
#endif

/*
 * Around inline bodies.  They are C, which has one kind of cast and of null
 * pointer; some programs in C++ are compiled with warnings against both.
 */
#ifdef __cplusplus
#define IBUF_PRAGMA_(text) _Pragma(#text)
#define IBUF_ALLOW_(warning) IBUF_PRAGMA_(GCC diagnostic ignored warning)
#ifdef __clang__
#define IBUF_ALLOW_USELESS_CAST_
#else
#define IBUF_ALLOW_USELESS_CAST_ IBUF_ALLOW_("-Wuseless-cast")
#endif
#define IBUF_BEGIN_BODIES_                                                     \
	_Pragma("GCC diagnostic push") IBUF_ALLOW_("-Wold-style-cast")         \
		IBUF_ALLOW_("-Wzero-as-null-pointer-constant")                 \
			IBUF_ALLOW_USELESS_CAST_
#define IBUF_END_BODIES_ _Pragma("GCC diagnostic pop")
#else
#define IBUF_BEGIN_BODIES_
#define IBUF_END_BODIES_
#endif

/* What libibuf.so exports; each copy of libibuf.a is for its linker alone. */
#ifdef IBUF_HIDE_
#define IBUF_API __attribute__((visibility("hidden")))
#else
#define IBUF_API __attribute__((visibility("default")))
#endif
#define IBUF_PRINTF(text, first) __attribute__((format(printf, text, first)))
/* A caller that ignores the result does not know whose the message is, or
   whether the bytes are there. */
#define IBUF_MUST_USE __attribute__((warn_unused_result))

/*
 * What gives up the result of a function: with it, gcc -fanalyzer sees leaks,
 * and what is freed twice.  gcc refuses the attribute on a function that has a
 * body here, so a program must be analyzed with IBUF_OUTLINE; other compilers
 * do not know it.  What gives up is declared before what makes.
 */
#if defined(IBUF_OUTLINE) && defined(__GNUC__) && !defined(__clang__)
#if __GNUC__ >= 11
#define IBUF_ENDED_BY_(function) __attribute__((malloc(function)))
#endif
#endif
#ifndef IBUF_ENDED_BY_
#define IBUF_ENDED_BY_(function)
#endif
#define IBUF_MAKES_MBUF IBUF_MUST_USE IBUF_ENDED_BY_(ibuf_mbuf_free)
#define IBUF_MAKES_POOL IBUF_MUST_USE IBUF_ENDED_BY_(ibuf_pool_destroy)
/* Pointers that are the caller's bug when they are NULL.  The library itself
   does without: a compiler that knows it leaves out its checks. */
#ifndef IBUF_NONNULL
#define IBUF_NONNULL(which) __attribute__((nonnull which))
#endif
#define IBUF_LIKELY(x) __builtin_expect(!!(x), 1)

/*
 * Keep the compiler from loading or storing this variable and its neighbour
 * as one: a load that is wider than the stores before it must wait until
 * they have left the processor's store buffer.
 */
#define IBUF_APART_(variable) __asm__("" : "+r"(variable))

/* A thread-local variable that is found without a call. */
#define IBUF_TLS_ __attribute__((tls_model("initial-exec")))

#if defined(__SANITIZE_THREAD__)
#define IBUF_TSAN_
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IBUF_TSAN_
#endif
#endif

/*
 * The short functions are bodies in the headers.  With IBUF_OUTLINE a program
 * sees only their prototypes and links to the copies the library exports;
 * src/outline.c defines IBUF_EMIT_ to make those copies.  The few that pay
 * only where they really are inline are so ALWAYS.
 */
#if defined(IBUF_OUTLINE) || defined(IBUF_EMIT_)
#define IBUF_INLINE IBUF_API
#define IBUF_INLINE_ALWAYS IBUF_API
#else
#define IBUF_INLINE static inline
#define IBUF_INLINE_ALWAYS static inline __attribute__((always_inline))
#endif
/** @endcond */

IBUF_BEGIN_DECLS

/** @addtogroup version
 * @{ */

/** Name the version of the library that is linked, such as "0.1.0". */
IBUF_API const char *ibuf_version_string(void);

/** Give that version as a number: major * 10000 + minor * 100 + patch. */
IBUF_API unsigned ibuf_version_number(void);

/** @} */

IBUF_END_DECLS

#endif
