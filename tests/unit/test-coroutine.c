// SPDX-License-Identifier: GPL-2.0-or-later
/* Coroutines: entering, yielding, waking, sleeping, and waiting for each other. */
#include "util/coroutine.h"

#include <glib.h>
#include <string.h>

#include "util/main-loop.h"

static GString *seen;

static void say(void *opaque)
{
    const char *word = opaque;

    for (; *word != '\0'; word++) {
        g_string_append_c(seen, *word);
        co_yield();
    }
}

static void test_yield(void)
{
    Coroutine *a = coroutine_new(say, (void *)"ace");
    Coroutine *b = coroutine_new(say, (void *)"bd");

    g_string_truncate(seen, 0);
    g_assert_null(coroutine_self());
    for (int i = 0; i < 3; i++) {
        coroutine_enter(a);
        coroutine_enter(b);
    }
    coroutine_enter(a);
    g_assert_cmpstr(seen->str, ==, "abcde");
}

static double keep_fp(double x)
{
    double local = x * 2;
    char big[8192];

    memset(big, (int)x, sizeof(big));
    co_yield();
    g_assert_cmpint(big[8191], ==, (char)x);
    return local;
}

static void use_stack(void *opaque)
{
    int n = *(int *)opaque;

    g_assert_cmpfloat(keep_fp(n), ==, n * 2);
    *(int *)opaque = -n;
}

/* More at once than the pool keeps, each with its own locals. */
static void test_many(void)
{
    enum { COUNT = 200 };
    Coroutine *co[COUNT];
    int n[COUNT];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++) {
            n[i] = i + 1;
            co[i] = coroutine_new(use_stack, &n[i]);
            coroutine_enter(co[i]);
        }
        for (int i = 0; i < COUNT; i++) {
            coroutine_enter(co[i]);
            g_assert_cmpint(n[i], ==, -i - 1);
        }
    }
}

static void inner(void *opaque)
{
    g_string_append_c(seen, '2');
    co_yield();
    g_string_append_c(seen, '4');
}

static void outer(void *opaque)
{
    Coroutine *co = coroutine_new(inner, NULL);

    g_string_append_c(seen, '1');
    coroutine_enter(co);
    g_string_append_c(seen, '3');
    coroutine_enter(co);
    g_string_append_c(seen, '5');
}

static void test_nested(void)
{
    g_string_truncate(seen, 0);
    coroutine_start(outer, NULL);
    g_assert_cmpstr(seen->str, ==, "12345");
}

static int done;

static void sleeper(void *opaque)
{
    co_sleep_ns(CLOCK_GUEST, GPOINTER_TO_INT(opaque));
    g_string_append_printf(seen, "%d ", GPOINTER_TO_INT(opaque));
    co_reschedule();
    done++;
}

static void test_sleep(void)
{
    g_string_truncate(seen, 0);
    clock_guest_manual();
    coroutine_start(sleeper, GINT_TO_POINTER(300));
    coroutine_start(sleeper, GINT_TO_POINTER(100));
    coroutine_start(sleeper, GINT_TO_POINTER(200));
    clock_guest_advance_to(clock_now_ns(CLOCK_GUEST) + 250);
    g_assert_cmpstr(seen->str, ==, "100 200 ");
    clock_guest_advance_to(clock_now_ns(CLOCK_GUEST) + 50);
    while (done < 3) {
        main_loop_iterate(true);
    }
    g_assert_cmpstr(seen->str, ==, "100 200 300 ");
}

static CoMutex mutex;
static CoQueue queue;
static bool condition;

static void lock_and_say(void *opaque)
{
    co_mutex_lock(&mutex);
    g_string_append(seen, opaque);
    co_reschedule();
    g_string_append(seen, opaque);
    co_mutex_unlock(&mutex);
    done++;
}

static void wait_for_condition(void *opaque)
{
    co_mutex_lock(&mutex);
    while (!condition) {
        co_queue_wait(&queue, &mutex);
    }
    co_mutex_unlock(&mutex);
    done++;
}

static void test_mutex(void)
{
    g_string_truncate(seen, 0);
    done = 0;
    coroutine_start(lock_and_say, (void *)"a");
    coroutine_start(lock_and_say, (void *)"b");
    coroutine_start(lock_and_say, (void *)"c");
    while (done < 3) {
        main_loop_iterate(true);
    }
    g_assert_cmpstr(seen->str, ==, "aabbcc");
    g_assert_false(mutex.locked);
}

static void test_queue(void)
{
    done = 0;
    g_assert_true(co_queue_empty(&queue));
    coroutine_start(wait_for_condition, NULL);
    coroutine_start(wait_for_condition, NULL);
    co_queue_wake_one(&queue);
    main_loop_iterate(false);
    g_assert_cmpint(done, ==, 0);
    condition = true;
    co_queue_wake_all(&queue);
    while (done < 2) {
        main_loop_iterate(true);
    }
    g_assert_false(co_queue_wake_one(&queue));
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    seen = g_string_new(NULL);
    g_test_add_func("/coroutine/yield", test_yield);
    g_test_add_func("/coroutine/many", test_many);
    g_test_add_func("/coroutine/nested", test_nested);
    g_test_add_func("/coroutine/sleep", test_sleep);
    g_test_add_func("/coroutine/mutex", test_mutex);
    g_test_add_func("/coroutine/queue", test_queue);
    status = g_test_run();
    g_string_free(seen, TRUE);
    return status;
}
