// SPDX-License-Identifier: GPL-2.0-or-later
/* Log items, filters, guest errors and trace points. */
#include "util/log.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "util/error.h"
#include "util/trace.h"

TRACE_POINT(test_log_one, "value %d")
TRACE_POINT(test_log_two, "done")

static char *dir;

static char *contents(const char *path)
{
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_unlink(path);
    return text;
}

static void test_items(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) help = g_string_new(NULL);

    log_help(help);
    g_assert_false(log_enabled(LOG_INT));
    g_assert_true(log_set_items("int,exec", &error));
    g_assert_true(log_enabled(LOG_INT) && log_enabled(LOG_EXEC) && !log_enabled(LOG_CPU));
    g_assert_true(log_replace_items("cpu", &error));
    g_assert_true(!log_enabled(LOG_INT) && log_enabled(LOG_CPU));
    g_assert_false(log_set_items("in_asn", &error));
    g_assert_cmpstr(error->message, ==, "unknown log item 'in_asn' (did you mean 'in_asm'?)");
    g_assert_true(log_enabled(LOG_CPU));
    g_clear_error(&error);
    g_assert_false(log_set_items("tid", &error));
    g_clear_error(&error);
    g_assert_true(log_replace_items("none", &error));
    g_assert_cmpuint(log_items, ==, 0);
    g_assert_nonnull(strstr(help->str, "\nin_asm          show"));
}

static void test_filter(void)
{
    static const char *const bad[] = {"", "foo", "1..", "8..4", "1+0", "1..2,", "x+1"};
    g_autoptr(GError) error = NULL;

    g_assert_true(log_filter_has(5));
    g_assert_true(log_set_filter("0x1000..0x1fff,0x4000+0x10,0x5000-0x10", &error));
    g_assert_true(log_filter_has(0x1000) && log_filter_has(0x1fff) && !log_filter_has(0x2000));
    g_assert_true(log_filter_has(0x400f) && !log_filter_has(0x4010));
    g_assert_true(log_filter_has(0x5000) && log_filter_has(0x4ff1) && !log_filter_has(0x4ff0));
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(log_set_filter(bad[i], &error));
        g_clear_error(&error);
    }
    g_assert_true(log_set_filter("0xfffffffffffffff0+0x100", &error));
    g_assert_true(log_filter_has(UINT64_MAX) && !log_filter_has(0));
}

static void test_guest_errors(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *pattern = g_build_filename(dir, "log-%d", NULL);
    g_autofree char *path = g_strdup_printf("%s/log-%d", dir, (int)getpid());
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    uint64_t before = guest_error_count();

    guest_error("nobody sees this");
    g_assert_true(log_set_file(pattern, &error));
    g_assert_true(log_replace_items("guest_errors", &error));
    for (int i = 0; i < 20000; i++) {
        guest_error("bad index %d", i);
    }
    guest_unimp("not on");
    g_assert_cmpuint(guest_error_count() - before, ==, 20001);
    text = contents(path);
    lines = g_strsplit(text, "\n", -1);
    g_assert_cmpstr(lines[0], ==, "bad index 0");
    g_assert_cmpuint(g_strv_length(lines), <, 20000);
    g_assert_false(log_set_file("/nonexistent/log", &error));
    g_clear_error(&error);
    g_assert_false(log_set_file("a%s", &error));
}

static void test_trace(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(dir, "trace", NULL);
    g_autofree char *arg = g_strdup_printf("enable=test_log_*,file=%s", path);
    g_autofree char *help = trace_help();
    g_autofree char *text = NULL;

    TRACE(test_log_one, 1);
    g_assert_true(trace_option(arg, &error));
    g_assert_true(trace_enable("-test_log_two", true, &error));
    g_assert_true(TRACE_ENABLED(test_log_one));
    TRACE(test_log_one, 2);
    TRACE(test_log_two);
    g_assert_true(trace_option("test_log_two", &error));
    TRACE(test_log_two);
    text = contents(path);
    g_assert_cmpstr(text, ==, "test_log_one value 2\ntest_log_two done\n");
    g_assert_false(trace_enable("test_log_three", true, &error));
    g_clear_error(&error);
    g_assert_false(trace_option("x,fiel=/", &error));
    g_assert_nonnull(strstr(help, "test_log_one\ntest_log_two\n"));
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("test-log-XXXXXX", NULL);
    g_test_add_func("/log/items", test_items);
    g_test_add_func("/log/filter", test_filter);
    g_test_add_func("/log/guest-errors", test_guest_errors);
    g_test_add_func("/log/trace", test_trace);
    status = g_test_run();
    g_rmdir(dir);
    g_free(dir);
    return status;
}
