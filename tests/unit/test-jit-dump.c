// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * jit-PID.dump against perf's specification of the format
 * (tools/perf/Documentation/jitdump-specification.txt).
 */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include "tcg/codegen.h"

static uint32_t word(const char *p, size_t at)
{
    uint32_t v;

    memcpy(&v, p + at, sizeof(v));
    return v;
}

static uint64_t quad(const char *p, size_t at)
{
    uint64_t v;

    memcpy(&v, p + at, sizeof(v));
    return v;
}

static void test_records(void)
{
    static const uint8_t code[5] = {0x90, 0x90, 0x90, 0x90, 0xc3};
    g_autofree char *folder = g_dir_make_tmp("jit-dump-XXXXXX", NULL);
    g_autofree char *name = g_strdup_printf("jit-%d.dump", (int)getpid());
    g_autofree char *old = g_get_current_dir();
    g_autofree char *data = NULL;
    GError *error = NULL;
    gsize size;

    g_assert_cmpint(g_chdir(folder), ==, 0);
    perf_map_add(code, sizeof(code), "guest", 0x1234);      /* not open: nothing */
    g_assert_true(jit_dump_open(&error));
    perf_map_add(code, sizeof(code), "guest", 0x1234);
    perf_map_add(code, 0, "nothing", 0);
    fflush(NULL);
    g_assert_true(g_file_get_contents(name, &data, &size, NULL));
    g_assert_cmphex(word(data, 0), ==, 0x4a695444);         /* header */
    g_assert_cmpuint(word(data, 4), ==, 1);
    g_assert_cmpuint(word(data, 8), ==, 40);
    g_assert_cmpuint(word(data, 20), ==, (uint32_t)getpid());
    const char *load = data + 40;
    g_assert_cmpuint(word(load, 0), ==, 0);                 /* JIT_CODE_LOAD */
    g_assert_cmpuint(word(load, 4), ==, 56 + 11 + sizeof(code));
    g_assert_cmpuint(quad(load, 32), ==, (uintptr_t)code);
    g_assert_cmpuint(quad(load, 40), ==, sizeof(code));
    g_assert_cmpstr(load + 56, ==, "guest-1234");
    g_assert_cmpmem(load + 56 + 11, sizeof(code), code, sizeof(code));
    g_assert_cmpuint(size, ==, 40 + 56 + 11 + sizeof(code));
    g_remove(name);
    g_assert_cmpint(g_chdir(old), ==, 0);
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/jit-dump/records", test_records);
    return g_test_run();
}
