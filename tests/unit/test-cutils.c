// SPDX-License-Identifier: GPL-2.0-or-later
/* Strict parsing of numbers and sizes. */
#include "util/cutils.h"

#include <glib.h>
#include <string.h>

static void test_numbers(void)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
    } rows[] = {
        {"0", true, 0},
        {"10", true, 10},
        {"0x10", true, 16},
        {"010", true, 8},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"", false, 0},
        {"0x", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {"1f", false, 0},
        {"08", false, 0},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t v;
        bool ok = parse_u64(rows[i].text, &v);

        g_assert_cmpint(ok, ==, rows[i].ok);
        g_assert_true(!ok || v == rows[i].value);
    }
}

static void test_signed(void)
{
    int64_t v;

    g_assert_true(parse_i64("-9223372036854775808", &v));
    g_assert_cmpint(v, ==, INT64_MIN);
    g_assert_true(parse_i64("-0x1", &v));
    g_assert_cmpint(v, ==, -1);
    g_assert_false(parse_i64("9223372036854775808", &v));
    g_assert_false(parse_i64("--1", &v));
    g_assert_cmpint(v, ==, -1);
}

static void test_sizes(void)
{
    static const struct {
        const char *text;
        uint64_t unit;
        bool ok;
        uint64_t bytes;
    } rows[] = {
        {"1G", 1 << 20, true, 1ull << 30},
        {"128", 1 << 20, true, 128ull << 20},
        {"1.5k", 1, true, 1536},
        {"0.1M", 1, true, 104857},
        {"5B", 1 << 20, true, 5},
        {"0x10", 1, true, 16},
        {"15E", 1, true, 15ull << 60},
        {"16E", 1, false, 0},
        {"1GB", 1, false, 0},
        {"1.", 1, false, 0},
        {".5G", 1, false, 0},
        {"G", 1, false, 0},
        {"-1", 1, false, 0},
        {"", 1, false, 0},
        {"1X", 1, false, 0},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t v;
        bool ok = parse_size(rows[i].text, rows[i].unit, &v);

        g_assert_cmpint(ok, ==, rows[i].ok);
        g_assert_true(!ok || v == rows[i].bytes);
    }
}

static void test_text(void)
{
    char field[4];
    bool b = false;

    g_assert_true(parse_bool("on", &b));
    g_assert_true(b);
    g_assert_true(parse_bool("no", &b));
    g_assert_false(b);
    g_assert_false(parse_bool("maybe", &b));
    copy_padded(field, sizeof(field), "ab", ' ');
    g_assert_cmpmem(field, 4, "ab  ", 4);
    copy_padded(field, sizeof(field), "abcdef", ' ');
    g_assert_cmpmem(field, 4, "abcd", 4);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cutils/numbers", test_numbers);
    g_test_add_func("/cutils/signed", test_signed);
    g_test_add_func("/cutils/sizes", test_sizes);
    g_test_add_func("/cutils/text", test_text);
    return g_test_run();
}
