// SPDX-License-Identifier: GPL-2.0-or-later
/* util/dt: a tree is built, grown, packed, changed, loaded again; files that are none. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include "util/dt.h"

static void test_build(void)
{
    Dt *dt = dt_new(0x8000);

    DT_CELLS(dt, "/", "#address-cells", 2);
    dt_node(dt, "/a");
    dt_node(dt, "/a/b@1000");
    dt_node_maybe(dt, "/a");
    DT_STRINGS(dt, "/a/b@1000", "compatible", "first,one\0second,one");
    dt_flag(dt, "/a", "flag");
    dt_u64(dt, "/a", "big", 0x123456789abcdef0);
    g_assert_cmphex(dt_alloc_phandle(dt), ==, 0x8000);
    g_assert_cmphex(dt_alloc_phandle(dt), ==, 0x8001);
    g_assert_true(dt_has_prop(dt, "/a", "flag"));
    g_assert_false(dt_has_prop(dt, "/b", "flag"));
    g_assert_cmpuint(dt_get_cell(dt, "/", "#address-cells", 1), ==, 2);
    g_assert_cmpuint(dt_get_cell(dt, "/", "#size-cells", 7), ==, 7);
    g_assert_cmphex(dt_get_cell(dt, "/a", "big", 0), ==, 0x12345678);
    g_autofree char *found = dt_find_compatible(dt, "second,one");
    g_assert_cmpstr(found, ==, "/a/b@1000");
    g_assert_null(dt_find_compatible(dt, "third,one"));
    dt_remove_node(dt, "/a/b@1000");
    g_assert_false(dt_has_node(dt, "/a/b@1000"));
    dt_free(dt);
}

static void test_grow(void)
{
    Dt *dt = dt_new(1);
    char big[5000];

    memset(big, 'x', sizeof(big));
    for (unsigned i = 0; i < 100; i++) {
        g_autofree char *node = g_strdup_printf("/n%u", i);

        dt_node(dt, node);
        dt_bytes(dt, node, "data", big, sizeof(big));
        if (i % 10 == 0) {
            g_assert_cmpuint(dt_pack(dt), >, i * sizeof(big));
        }
    }
    g_assert_cmpuint(dt_pack(dt), >, 100 * sizeof(big));
    g_assert_true(dt_has_node(dt, "/n0"));
    dt_free(dt);
}

static void refuse(const void *data, size_t len)
{
    g_autofree char *path = NULL;
    GError *error = NULL;
    int fd = g_file_open_tmp("dt-XXXXXX", &path, &error);

    g_assert_no_error(error);
    g_assert_cmpint(write(fd, data, len), ==, (ssize_t)len);
    close(fd);
    g_assert_null(dt_load(path, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    g_unlink(path);
}

static void test_hostile(void)
{
    Dt *dt = dt_new(1);

    dt_node(dt, "/chosen");
    dt_string(dt, "/chosen", "bootargs", "quiet");
    size_t len = dt_pack(dt);
    g_autofree uint8_t *copy = g_malloc(len);

    refuse("", 0);
    refuse("text", 4);
    refuse(dt->blob, len - 8);
    /* Offsets and sizes of the header all wrong in turn. */
    for (unsigned word = 0; word < 10; word++) {
        memcpy(copy, dt->blob, len);
        memset(copy + 4 * word, word == 7 ? 0x00 : 0xff, 4);
        /* boot_cpuid_phys may be anything; version 0xffffffff has a compatible one */
        if (word != 7 && word != 5) {
            refuse(copy, len);
        }
    }
    dt_free(dt);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dt/build", test_build);
    g_test_add_func("/dt/grow", test_grow);
    g_test_add_func("/dt/hostile", test_hostile);
    return g_test_run();
}
