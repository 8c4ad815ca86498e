// SPDX-License-Identifier: GPL-2.0-or-later
/* Libraries loaded when first used: found, missing, and of another version. */
#include "util/lazy-library.h"

#include <string.h>

#include "util/error.h"

static void *functions[2];

static void test_found(void)
{
    static const char *const names[] = { "cos", "sin", NULL };
    static const LazyLibrary libm = { "libm.so.6", names, functions };
    g_autoptr(GError) err = NULL;

    g_assert_true(lazy_library_load(&libm, &err));
    g_assert_true(lazy_library_load(&libm, &err));
    g_assert_cmpfloat(((double (*)(double))functions[0])(0), ==, 1);
    g_assert_cmpfloat(((double (*)(double))functions[1])(0), ==, 0);
}

static void test_missing(void)
{
    static const char *const names[] = { "f", NULL };
    static void *none[1];
    static const LazyLibrary library = { "libof-nobody.so.3", names, none };
    g_autoptr(GError) err = NULL;

    g_assert_false(lazy_library_load(&library, &err));
    g_assert_nonnull(strstr(err->message, "libof-nobody.so.3"));
    g_assert_nonnull(strstr(err->message, "cannot be loaded"));
}

static void test_other_version(void)
{
    static const char *const names[] = { "cos", "cosine_of_the_future", NULL };
    static void *places[2];
    static const LazyLibrary library = { "libm.so.6", names, places };
    g_autoptr(GError) err = NULL;

    g_assert_false(lazy_library_load(&library, &err));
    g_assert_nonnull(strstr(err->message, "lacks cosine_of_the_future"));
    g_assert_null(places[0]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lazy-library/found", test_found);
    g_test_add_func("/lazy-library/missing", test_missing);
    g_test_add_func("/lazy-library/other-version", test_other_version);
    return g_test_run();
}
