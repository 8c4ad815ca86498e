// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Read-copy-update, a thin contract over liburcu: readers of a published structure take no lock;
 * who replaces the structure frees the old one when every reader that may have seen it is gone.
 */
#ifndef UTIL_RCU_H
#define UTIL_RCU_H

#define _LGPL_SOURCE    /* the read side inline */
#include <urcu/urcu-bp.h>

/* A reader's section; nests. Any thread. */
static inline void rcu_read_lock(void)
{
    urcu_bp_read_lock();
}

static inline void rcu_read_unlock(void)
{
    urcu_bp_read_unlock();
}

/*
 * Waits until all sections that are open now have ended. Not within one, and not with the machine
 * lock.
 */
void rcu_synchronize(void);
/*
 * fn(p) on a thread of its own, without locks, once all sections that are open now have ended. Any
 * thread.
 */
void rcu_call(void (*fn)(void *p), void *p);
/* Waits until all rcu_call calls made so far have run; not within a section. */
void rcu_drain(void);
/* Publishing a pointer and reading it. */
#define rcu_set(pp, v) __atomic_store_n((pp), (v), __ATOMIC_RELEASE)
#define rcu_get(pp) __atomic_load_n((pp), __ATOMIC_ACQUIRE)

#endif
