// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Read-copy-update over liburcu, in the flavour whose threads need not be announced. The contract
 * is include/util/rcu.h.
 */
#include "util/rcu.h"

#include <glib.h>

typedef struct Deferred {
    struct rcu_head head;
    void (*fn)(void *p);
    void *p;
} Deferred;

static void deferred_run(struct rcu_head *head)
{
    Deferred *d = (Deferred *)head;

    d->fn(d->p);
    g_free(d);
}

void rcu_call(void (*fn)(void *p), void *p)
{
    Deferred *d = g_new0(Deferred, 1);

    G_STATIC_ASSERT(offsetof(Deferred, head) == 0);
    d->fn = fn;
    d->p = p;
    urcu_bp_call_rcu(&d->head, deferred_run);
}

void rcu_synchronize(void)
{
    urcu_bp_synchronize_rcu();
}

void rcu_drain(void)
{
    urcu_bp_barrier();
}
