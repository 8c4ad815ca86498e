// SPDX-License-Identifier: GPL-2.0-or-later
/* The main loop, bottom halves, watched descriptors, and that the machine lock is fair. */
#include "util/coroutine.h"
#include "util/event-loop.h"

#include <stdint.h>
#include <unistd.h>

#include "util/thread.h"

static int runs;

static void count_run(void *opaque)
{
    runs++;
}

static Bh *again;

static void schedule_again(void *opaque)
{
    runs++;
    bh_schedule(again);
}

static void test_bh(void)
{
    Bh *bh = bh_new(count_run, NULL);
    Bh *other = bh_new(count_run, NULL);

    runs = 0;
    bh_schedule(bh);
    bh_schedule(bh);
    main_loop_iterate(true);
    g_assert_cmpint(runs, ==, 1);
    bh_schedule(bh);
    bh_schedule(other);
    bh_cancel(bh);
    main_loop_run_soon(count_run, NULL);
    main_loop_iterate(false);
    g_assert_cmpint(runs, ==, 3);
    again = bh_new(schedule_again, NULL);
    bh_schedule(again);
    main_loop_iterate(true);
    main_loop_iterate(true);
    g_assert_cmpint(runs, ==, 5);
    bh_free(again);
    bh_free(bh);
    bh_free(other);
    main_loop_iterate(false);
    g_assert_cmpint(runs, ==, 5);
}

static bool fd_ready(int fd, GIOCondition events, void *opaque)
{
    char c;

    g_assert_true(machine_locked());
    g_assert_cmpint(read(fd, &c, 1), ==, 1);
    runs++;
    return c != 'q';
}

static void test_fd(void)
{
    int fds[2];
    unsigned tag;

    runs = 0;
    g_assert_cmpint(pipe(fds), ==, 0);
    tag = fd_watch(fds[0], G_IO_IN, fd_ready, NULL);
    g_assert_cmpuint(tag, >, 0);
    main_loop_iterate(false);
    g_assert_cmpint(runs, ==, 0);
    g_assert_cmpint(write(fds[1], "aq", 2), ==, 2);
    while (runs < 2) {
        main_loop_iterate(true);
    }
    tag = fd_watch(fds[0], G_IO_IN, fd_ready, NULL);
    fd_unwatch(tag);
    g_assert_cmpint(write(fds[1], "a", 1), ==, 1);
    main_loop_iterate(false);
    g_assert_cmpint(runs, ==, 2);
    close(fds[0]);
    close(fds[1]);
}

static void *schedule_from_thread(void *opaque)
{
    for (int i = 0; i < 1000; i++) {
        bh_schedule(opaque);
    }
    main_loop_run_soon(count_run, NULL);
    return NULL;
}

static void test_thread(void)
{
    g_autoptr(GError) error = NULL;
    Bh *bh = bh_new(schedule_again, NULL);
    pthread_t t;

    runs = 0;
    again = bh_new(count_run, NULL);
    g_assert_true(thread_start(&t, "schedule", schedule_from_thread, again, &error));
    while (runs < 2) {
        main_loop_iterate(true);
    }
    thread_join(t);
    bh_free(again);
    bh_free(bh);
}

static void *run_loop(void *opaque)
{
    event_loop_run(opaque);
    return NULL;
}

static pthread_t other_thread;
static int moves;

/* Begins in the main loop, goes on in the other, sleeps by a timer of the main one, comes back. */
static void co_travel(void *opaque)
{
    EventLoop *l = opaque;

    g_assert_true(in_main_thread());
    co_move_to(l);
    g_assert_true(pthread_equal(pthread_self(), other_thread));
    g_assert_true(event_loop_current() == l && event_loop_own() && machine_locked());
    co_sleep_ns(CLOCK_RT, 1000);
    g_assert_true(pthread_equal(pthread_self(), other_thread));
    bool unlocked = event_loop_unlock();
    g_assert_true(unlocked && !machine_locked());
    event_loop_relock(unlocked);
    co_move_to(event_loop_main());
    g_assert_true(in_main_thread());
    moves++;
    main_loop_wake();
}

static bool other_fd_ready(int fd, GIOCondition events, void *opaque)
{
    g_assert_true(pthread_equal(pthread_self(), other_thread));
    return fd_ready(fd, events, opaque);
}

static void watch_there(void *opaque)
{
    fd_watch(*(int *)opaque, G_IO_IN, other_fd_ready, NULL);
}

static bool nothing_there(void *opaque)
{
    return false;
}

/* A loop of another thread: bottom halves, watches, coroutines, sync, with and without polling. */
static void test_other_loop(void)
{
    g_autoptr(GError) error = NULL;
    EventLoop *l = event_loop_new();
    Bh *bh;
    int fds[2];

    g_assert_cmpint(pipe(fds), ==, 0);
    g_assert_true(thread_start(&other_thread, "loop", run_loop, l, &error));
    bh = bh_new_in(l, watch_there, &fds[0]);
    bh_schedule(bh);
    event_loop_add_look(l, nothing_there, NULL);
    for (int polling = 0; polling < 2; polling++) {
        event_loop_set_polling(l, polling * 100000, 0, 0);
        moves = 0;
        for (int i = 0; i < 50; i++) {
            coroutine_start(co_travel, l);
        }
        while (moves < 50) {
            main_loop_iterate(true);
        }
    }
    runs = 0;
    g_assert_cmpint(write(fds[1], "aq", 2), ==, 2);
    while (runs < 2) {
        event_loop_sync(l);
    }
    event_loop_remove_look(l, nothing_there, NULL);
    event_loop_quit(l);
    machine_unlock();
    thread_join(other_thread);
    machine_lock();
    bh_free(bh);
    event_loop_free(l);
    close(fds[0]);
    close(fds[1]);
}

static int stop;
static uint64_t hammered;

static void *hammer(void *opaque)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        machine_lock();
        hammered++;
        machine_unlock();
    }
    return NULL;
}

/* Two threads that do nothing but take the lock do not keep the main loop from its rounds. */
static void test_fair(void)
{
    g_autoptr(GError) error = NULL;
    pthread_t t[2];
    uint64_t before;

    hammered = 0;
    for (int i = 0; i < 2; i++) {
        g_assert_true(thread_start(&t[i], "hammer", hammer, NULL, &error));
    }
    for (int i = 0; i < 2000; i++) {
        main_loop_iterate(false);
    }
    before = hammered;
    /* and a loop that is never idle does not keep them out */
    while (hammered < before + 2000) {
        main_loop_iterate(false);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    machine_unlock();
    thread_join(t[0]);
    thread_join(t[1]);
    machine_lock();
}

static void count_gathered(void *opaque)
{
    g_assert_true(machine_locked() && event_loop_here(event_loop_main()));
    ++*(unsigned *)opaque;
}

/* What is gathered in a round goes out before the next poll; not when it was taken away. */
static void test_gathered(void)
{
    unsigned count = 0;

    event_loop_add_gathered(event_loop_main(), count_gathered, &count);
    main_loop_iterate(false);
    main_loop_iterate(false);
    g_assert_cmpuint(count, ==, 2);
    event_loop_remove_gathered(event_loop_main(), count_gathered, &count);
    main_loop_iterate(false);
    g_assert_cmpuint(count, ==, 2);
}

static void test_lock(void)
{
    g_assert_true(in_main_thread());
    g_assert_true(machine_locked());
    machine_unlock();
    g_assert_false(machine_locked());
    machine_lock();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    g_test_add_func("/main-loop/lock", test_lock);
    g_test_add_func("/main-loop/bh", test_bh);
    g_test_add_func("/main-loop/gathered", test_gathered);
    g_test_add_func("/main-loop/fd", test_fd);
    g_test_add_func("/main-loop/thread", test_thread);
    g_test_add_func("/main-loop/other", test_other_loop);
    g_test_add_func("/main-loop/fair", test_fair);
    return g_test_run();
}
