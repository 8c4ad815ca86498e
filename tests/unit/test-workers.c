// SPDX-License-Identifier: GPL-2.0-or-later
/* Worker threads: jobs of a line one after the other and in order, others at once; inline. */
#include <pthread.h>

#include "block/driver.h"
#include "util/main-loop.h"

#define JOBS 500

static unsigned in_flight;
static JobLine line;
static int inside;              /* jobs of the line that run: atomic */
static GArray *order;           /* by the line's jobs, one at a time */

static void finish(void)
{
    while (in_flight) {
        main_loop_iterate(true);
    }
}

static int line_job(void *arg)
{
    g_assert_cmpint(__atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST), ==, 0);
    g_array_append_vals(order, arg, 1);
    g_assert_cmpint(__atomic_fetch_sub(&inside, 1, __ATOMIC_SEQ_CST), ==, 1);
    return *(int *)arg;
}

static void co_line(void *opaque)
{
    int n = GPOINTER_TO_INT(opaque);

    g_assert_cmpint(co_in_worker_line(&line, line_job, &n), ==, n);
    in_flight--;
}

static void test_line(void)
{
    order = g_array_new(FALSE, FALSE, sizeof(int));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < JOBS; i++) {
            in_flight++;
            coroutine_start(co_line, GINT_TO_POINTER(i));
        }
        finish();
        g_assert_false(line.busy);
        g_assert_cmpuint(order->len, ==, JOBS);
        for (int i = 0; i < JOBS; i++) {
            g_assert_cmpint(g_array_index(order, int, i), ==, i);
        }
        g_array_set_size(order, 0);
    }
    g_array_unref(order);
}

/* Two that end only when both run. */
static int meet(void *arg)
{
    pthread_barrier_wait(arg);
    return 0;
}

static void co_meet(void *opaque)
{
    co_in_worker(meet, opaque);
    in_flight--;
}

static void co_meet_in_line(void *opaque)
{
    co_in_worker_line(&line, meet, opaque);
    in_flight--;
}

static void test_at_once(void)
{
    pthread_barrier_t both;

    pthread_barrier_init(&both, NULL, 2);
    in_flight = 2;
    coroutine_start(co_meet, &both);
    coroutine_start(co_meet_in_line, &both);
    finish();
    pthread_barrier_destroy(&both);
}

static int here(void *arg)
{
    return pthread_equal(*(pthread_t *)arg, pthread_self());
}

static void co_here(void *opaque)
{
    pthread_t self = pthread_self();

    *(int *)opaque = co_in_worker(here, &self);
    in_flight--;
}

static void test_inline(void)
{
    int same = -1;

    g_assert_false(workers_set_inline(true));
    in_flight = 1;
    coroutine_start(co_here, &same);
    g_assert_cmpuint(in_flight, ==, 0);
    g_assert_cmpint(same, ==, 1);
    g_assert_true(workers_set_inline(false));
    in_flight = 1;
    coroutine_start(co_here, &same);
    finish();
    g_assert_cmpint(same, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    g_test_add_func("/workers/line", test_line);
    g_test_add_func("/workers/at-once", test_at_once);
    g_test_add_func("/workers/inline", test_inline);
    return g_test_run();
}
