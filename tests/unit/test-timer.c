// SPDX-License-Identifier: GPL-2.0-or-later
/* Clocks and timers, mostly on the manual guest clock. */
#include "util/timer.h"

#include <glib.h>

#include "util/main-loop.h"

static int64_t seen[16];
static unsigned seen_len;

static void note(void *opaque)
{
    seen[seen_len++ % G_N_ELEMENTS(seen)] = GPOINTER_TO_INT(opaque);
}

static void test_order(void)
{
    Timer t[4];
    int64_t base = clock_now_ns(CLOCK_GUEST);

    seen_len = 0;
    for (int i = 0; i < 4; i++) {
        timer_init(&t[i], CLOCK_GUEST, note, GINT_TO_POINTER(i));
    }
    timer_set_ns(&t[0], base + 30);
    timer_set_ns(&t[1], base + 10);
    timer_set_ns(&t[2], base + 10);
    timer_set_ns(&t[3], base + 20);
    g_assert_cmpint(clock_deadline_ns(CLOCK_GUEST), ==, base + 10);
    timer_cancel(&t[3]);
    timer_cancel(&t[3]);
    clock_guest_advance_to(base + 10);
    g_assert_cmpuint(seen_len, ==, 2);
    g_assert_cmpint(seen[0], ==, 1);
    g_assert_cmpint(seen[1], ==, 2);
    timer_set_ns(&t[0], base + 50);
    clock_guest_advance_to(base + 49);
    g_assert_cmpuint(seen_len, ==, 2);
    clock_guest_advance_to(base + 100);
    g_assert_cmpuint(seen_len, ==, 3);
    g_assert_cmpint(clock_now_ns(CLOCK_GUEST), ==, base + 100);
    g_assert_cmpint(clock_deadline_ns(CLOCK_GUEST), ==, INT64_MAX);
}

typedef struct Periodic {
    Timer timer;
    int64_t period_ns;
    unsigned runs;
} Periodic;

static void periodic_run(void *opaque)
{
    Periodic *p = opaque;

    p->runs++;
    timer_set_ns(&p->timer, clock_now_ns(CLOCK_GUEST) + p->period_ns);
}

static void test_periodic(void)
{
    Periodic p = {.period_ns = 7};
    int64_t base = clock_now_ns(CLOCK_GUEST);

    timer_init(&p.timer, CLOCK_GUEST, periodic_run, &p);
    timer_set_ns(&p.timer, base + 7);
    clock_guest_advance_to(base + 700);
    g_assert_cmpuint(p.runs, ==, 100);
    /* one that never lets time pass must not stop us */
    p.period_ns = 0;
    clock_guest_advance_to(base + 1000);
    g_assert_cmpint(clock_now_ns(CLOCK_GUEST), ==, base + 1000);
    g_assert_true(timers_run());
    timer_cancel(&p.timer);
    g_assert_false(timers_run());
}

static void test_many(void)
{
    enum { COUNT = 5000 };
    Timer *t = g_new0(Timer, COUNT);
    int64_t base = clock_now_ns(CLOCK_GUEST), last = 0;
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);

    seen_len = 0;
    for (int i = 0; i < COUNT; i++) {
        timer_init(&t[i], CLOCK_GUEST, note, NULL);
    }
    for (int i = 0; i < COUNT * 20; i++) {
        Timer *x = &t[g_rand_int_range(rand, 0, COUNT)];

        if (g_rand_int_range(rand, 0, 8) == 0) {
            timer_cancel(x);
        } else {
            timer_set_ns(x, base + 1 + g_rand_int_range(rand, 0, 100000));
        }
    }
    for (int64_t next; (next = clock_deadline_ns(CLOCK_GUEST)) != INT64_MAX;) {
        g_assert_cmpint(next, >=, last);
        last = next;
        clock_guest_advance_to(next);
    }
    for (int i = 0; i < COUNT; i++) {
        g_assert_false(t[i].pending);
    }
    g_assert_cmpuint(seen_len, >, COUNT / 2);
    g_free(t);
}

static void test_stopped(void)
{
    int64_t now = clock_now_ns(CLOCK_GUEST);

    g_assert_false(clock_guest_running());
    g_assert_cmpint(clock_now_ns(CLOCK_GUEST), ==, now);
    clock_guest_run(true);
    g_assert_true(clock_guest_running());
    while (clock_now_ns(CLOCK_GUEST) <= now) {
    }
    clock_guest_run(false);
    now = clock_now_ns(CLOCK_GUEST);
    g_assert_cmpint(clock_now_ns(CLOCK_GUEST), ==, now);
    clock_guest_set(123);
    g_assert_cmpint(clock_now_ns(CLOCK_GUEST), ==, 123);
}

/* Guest time waits for the timers that are due, and has lost nothing when they have run. */
static void test_held_back(void)
{
    enum { HELD_NS = 5000000 };
    int64_t start, last, host;
    Timer t;

    seen_len = 0;
    timer_init(&t, CLOCK_GUEST, note, NULL);
    clock_guest_run(true);
    start = last = clock_now_ns(CLOCK_GUEST);
    host = clock_now_ns(CLOCK_RT);
    timer_set_ns(&t, start);
    while (clock_now_ns(CLOCK_RT) < host + HELD_NS) {
        int64_t now = clock_now_ns(CLOCK_GUEST);

        g_assert_cmpint(now, >=, last);
        last = now;
    }
    g_assert_cmpuint(seen_len, ==, 0);
    last = clock_now_ns(CLOCK_GUEST);
    /* an earlier deadline does not turn time back, nor does taking it away let it go on */
    timer_set_ns(&t, start / 2);
    g_assert_cmpint(clock_now_ns(CLOCK_GUEST), ==, last);
    timer_set_ns(&t, start);
    g_assert_cmpint(clock_now_ns(CLOCK_GUEST), ==, last);
    g_assert_true(timers_run());
    g_assert_cmpuint(seen_len, ==, 1);
    g_assert_cmpint(clock_now_ns(CLOCK_GUEST), >=, start + HELD_NS);
    clock_guest_run(false);
}

static void test_loop(void)
{
    Timer t;

    seen_len = 0;
    timer_init(&t, CLOCK_RT, note, NULL);
    g_assert_cmpint(timers_poll_timeout_ns(), ==, -1);
    timer_set_ns(&t, clock_now_ns(CLOCK_RT) + 1000000);
    while (seen_len == 0) {
        main_loop_iterate(true);
    }
    g_assert_cmpint(clock_now_ns(CLOCK_RT), >=, t.deadline_ns);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    g_test_add_func("/timer/stopped", test_stopped);
    g_test_add_func("/timer/held-back", test_held_back);
    g_test_add_func("/timer/loop", test_loop);
    g_test_add_func("/timer/manual", clock_guest_manual);
    g_test_add_func("/timer/order", test_order);
    g_test_add_func("/timer/periodic", test_periodic);
    g_test_add_func("/timer/many", test_many);
    return g_test_run();
}
