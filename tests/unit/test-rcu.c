// SPDX-License-Identifier: GPL-2.0-or-later
/* RCU: a published block is freed only when its readers are gone. */
#include "util/rcu.h"

#include <glib.h>
#include <stdatomic.h>
#include <stdint.h>

typedef struct Node {
    _Atomic int alive;
} Node;

static Node *current;
static _Atomic int stop, freed, bad;

static void node_free(void *p)
{
    Node *n = p;

    atomic_store(&n->alive, 0);
    atomic_fetch_add(&freed, 1);
    g_free(n);
}

static void *reader(void *opaque)
{
    while (!atomic_load(&stop)) {
        rcu_read_lock();
        rcu_read_lock();
        Node *n = rcu_get(&current);
        for (int i = 0; i < 50; i++) {
            if (!atomic_load(&n->alive)) {
                atomic_store(&bad, 1);
            }
        }
        rcu_read_unlock();
        rcu_read_unlock();
    }
    return NULL;
}

static Node *node_new(void)
{
    Node *n = g_new0(Node, 1);

    atomic_store(&n->alive, 1);
    return n;
}

static void test_replace(void)
{
    enum { ROUNDS = 300 };

    current = node_new();
    GThread *a = g_thread_new("a", reader, NULL);
    GThread *b = g_thread_new("b", reader, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        Node *old = current;
        rcu_set(&current, node_new());
        if (i % 2) {
            rcu_synchronize();
            node_free(old);
        } else {
            rcu_call(node_free, old);
        }
    }
    atomic_store(&stop, 1);
    g_thread_join(a);
    g_thread_join(b);
    while (atomic_load(&freed) < ROUNDS) {
        g_thread_yield();
    }
    g_assert_cmpint(atomic_load(&bad), ==, 0);
    g_free(current);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rcu/replace", test_replace);
    return g_test_run();
}
