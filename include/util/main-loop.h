// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The main loop (on glib's default main context) and the machine lock. Devices, timers,
 * monitor commands and back ends run with the machine lock held; the loop drops it while
 * it polls, a vCPU takes it for device accesses and drops it while it runs guest code.
 */
#ifndef UTIL_MAIN_LOOP_H
#define UTIL_MAIN_LOOP_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>

/*
 * Once, first thing in main(); the calling thread becomes the main thread and holds the machine
 * lock.
 */
void main_loop_init(void);
/* Polls (lock dropped), dispatches fds, bottom halves and timers (lock held) once. */
void main_loop_iterate(bool may_block);
/* Wakes a sleeping main loop. Any thread, signal safe. */
void main_loop_wake(void);
bool in_main_thread(void);

/* Not recursive. Never held while waiting for another thread. */
void machine_lock(void);
void machine_unlock(void);
/* Whether this thread holds the lock. */
bool machine_locked(void);
/* Waits for c (see machine_lock_notify; may wake for nothing); the lock is dropped meanwhile. */
void machine_lock_wait(pthread_cond_t *c);
/* Wakes those who wait for c. With the lock. */
void machine_lock_notify(pthread_cond_t *c);

/*
 * fn(opaque) runs soon in the main loop, once, machine lock held. Any thread.
 * A bottom half is owned by its creator; bh_schedule is idempotent until it has run.
 */
typedef struct Bh Bh;
typedef void BhFn(void *opaque);
Bh *bh_new(BhFn *fn, void *opaque);
void bh_schedule(Bh *bh);
void bh_cancel(Bh *bh);
void bh_free(Bh *bh);
/* One-shot convenience. */
void main_loop_run_soon(BhFn *fn, void *opaque);

/*
 * Calls fn with the events of `events` (G_IO_IN, G_IO_OUT, G_IO_HUP...) that fd shows; fn
 * returns false to remove itself. Returns a tag > 0 for fd_unwatch. Main loop, machine lock.
 */
typedef bool FdFn(int fd, GIOCondition events, void *opaque);
unsigned fd_watch(int fd, GIOCondition events, FdFn *fn, void *opaque);
void fd_unwatch(unsigned tag);

#endif
