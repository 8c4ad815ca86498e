// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Named threads, and what a spinning thread says to its core.
 */
#ifndef UTIL_THREAD_H
#define UTIL_THREAD_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>

typedef void *ThreadFn(void *opaque);

/*
 * Starts a joinable thread. All signals are blocked in it. `name` (15 characters of it) shows in
 * the host's tools. Fails when the host gives no more threads.
 */
bool thread_start(pthread_t *thread, const char *name, ThreadFn *fn, void *opaque, GError **error);
/* Waits for its end (machine lock not held); returns what its function returned. */
void *thread_join(pthread_t thread);

#if defined(__x86_64__)
#define CPU_RELAX_INSN "pause"
#elif defined(__aarch64__)
#define CPU_RELAX_INSN "yield"
#else
#define CPU_RELAX_INSN ""
#endif

static inline void cpu_relax(void)
{
    __asm__ volatile(CPU_RELAX_INSN ::: "memory");
}

#endif
