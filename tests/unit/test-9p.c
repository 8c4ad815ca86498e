// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages of 9P to a folder: files come, change and go; names do not lead out; nonsense is
 * answered.
 */
#include "hw/9pfs/9p.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "util/bswap.h"

static uint8_t out[65536];

/* Sends a message; fmt: 1 2 4 8 a number of that many bytes, s a string. The answer's type. */
static unsigned send_message(P9Server *s, unsigned type, const char *fmt, ...)
{
    uint8_t in[4096];
    size_t pos = 7;
    va_list ap;

    va_start(ap, fmt);
    for (; *fmt; fmt++) {
        if (*fmt == 's') {
            const char *text = va_arg(ap, const char *);

            store_le16(in + pos, strlen(text));
            memcpy(in + pos + 2, text, strlen(text));
            pos += 2 + strlen(text);
        } else {
            unsigned size = *fmt - '0';

            store_sized(in + pos, va_arg(ap, uint64_t), size, false);
            pos += size;
        }
    }
    va_end(ap);
    store_le32(in, pos);
    in[4] = type;
    store_le16(in + 5, 1);
    size_t n = p9_server_run(s, in, pos, out, sizeof(out));

    g_assert_cmpuint(n, ==, load_le32(out));
    return out[4];
}

#define N(v) ((uint64_t)(v))
enum {
    ERROR = 7,
    LOPEN = 12,
    LCREATE = 14,
    SYMLINK = 16,
    GETATTR = 24,
    READDIR = 40,
    MKDIR = 72,
    UNLINKAT = 76,
    VERSION = 100,
    ATTACH = 104,
    WALK = 110,
    READ = 116,
    WRITE = 118,
    CLUNK = 120 };

typedef struct Folder { char *path; P9Export e; P9Server *s; } Folder;

static void setup(Folder *f, P9Security security, bool read_only)
{
    f->path = g_dir_make_tmp("9p-XXXXXX", NULL);
    f->e = (P9Export){.id = (char *)"x",
                      .path = f->path,
                      .security = security,
                      .read_only = read_only,
                      .fmode = 0600,
                      .dmode = 0700};
    f->s = p9_server_new(&f->e);
    g_assert_nonnull(f->s);
    g_assert_cmpuint(send_message(f->s, VERSION, "4s", N(65536), "9P2000.L"), ==, VERSION + 1);
    g_assert_cmpuint(send_message(f->s, ATTACH, "44ss4", N(0), N(~0u), "root", "", N(0)), ==,
                     ATTACH + 1);
}

static void teardown(Folder *f)
{
    p9_server_free(f->s);
    g_assert_cmpint(g_rmdir(f->path), ==, 0);
    g_free(f->path);
}

static void test_files(void)
{
    Folder f;

    setup(&f, P9_NONE, false);
    g_assert_cmpuint(send_message(f.s, MKDIR, "4s44", N(0), "d", N(0755), N(0)), ==, MKDIR + 1);
    g_assert_cmpuint(send_message(f.s, WALK, "442s", N(0), N(1), N(1), "d"), ==, WALK + 1);
    g_assert_cmpuint(send_message(f.s, LCREATE, "4s444", N(1), "file", N(2), N(0644), N(0)), ==,
                     LCREATE + 1);
    g_assert_cmpuint(send_message(f.s, WRITE, "484111", N(1), N(0), N(3), N('a'), N('b'), N('c')),
                     ==, WRITE + 1);
    g_assert_cmpuint(load_le32(out + 7), ==, 3);
    g_assert_cmpuint(send_message(f.s, READ, "484", N(1), N(1), N(10)), ==, READ + 1);
    g_assert_cmpuint(load_le32(out + 7), ==, 2);
    g_assert_cmpint(memcmp(out + 11, "bc", 2), ==, 0);
    g_assert_cmpuint(send_message(f.s, CLUNK, "4", N(1)), ==, CLUNK + 1);
    g_assert_cmpuint(send_message(f.s, WALK, "442s", N(0), N(1), N(1), "d"), ==, WALK + 1);
    g_assert_cmpuint(send_message(f.s, UNLINKAT, "4s4", N(1), "file", N(0)), ==, UNLINKAT + 1);
    g_assert_cmpuint(send_message(f.s, UNLINKAT, "4s4", N(0), "d", N(0x200)), ==, UNLINKAT + 1);
    teardown(&f);
}

static void test_escape(void)
{
    Folder f;
    uint8_t root[13];

    setup(&f, P9_NONE, false);
    g_assert_cmpuint(send_message(f.s, ATTACH, "44ss4", N(9), N(~0u), "root", "", N(0)), ==,
                     ATTACH + 1);
    memcpy(root, out + 7, 13);
    /* the parent of the folder is the folder */
    g_assert_cmpuint(send_message(f.s, WALK, "442s", N(0), N(1), N(1), ".."), ==, WALK + 1);
    g_assert_cmpint(memcmp(out + 9, root, 13), ==, 0);
    /* names are one component, links are not followed */
    g_assert_cmpuint(send_message(f.s, WALK, "442s", N(0), N(2), N(1), "../../etc"), ==, ERROR);
    g_assert_cmpuint(send_message(f.s, MKDIR, "4s44", N(0), "..", N(0755), N(0)), ==, ERROR);
    g_assert_cmpuint(send_message(f.s, LCREATE, "4s444", N(1), "a/b", N(1), N(0644), N(0)), ==,
                     ERROR);
    g_assert_cmpuint(send_message(f.s, SYMLINK, "4ss4", N(0), "out", "/etc", N(0)), ==,
                     SYMLINK + 1);
    g_assert_cmpuint(send_message(f.s, WALK, "442ss", N(0), N(3), N(2), "out", "passwd"), ==,
                     WALK + 1);
    g_assert_cmpuint(load_le16(out + 7), ==, 1);
    g_assert_cmpuint(send_message(f.s, WALK, "442s", N(0), N(4), N(1), "out"), ==, WALK + 1);
    g_assert_cmpuint(send_message(f.s, LOPEN, "44", N(4), N(0)), ==, ERROR);
    g_assert_cmpuint(send_message(f.s, UNLINKAT, "4s4", N(0), "out", N(0)), ==, UNLINKAT + 1);
    teardown(&f);
}

static void test_read_only(void)
{
    Folder f;

    setup(&f, P9_NONE, true);
    g_assert_cmpuint(send_message(f.s, MKDIR, "4s44", N(0), "d", N(0755), N(0)), ==, ERROR);
    g_assert_cmpuint(load_le32(out + 7), ==, EROFS);
    teardown(&f);
}

static void test_nonsense(void)
{
    Folder f;
    GRand *r = g_rand_new_with_seed(9);

    setup(&f, P9_NONE, true);
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t in[64];
        size_t len = g_rand_int_range(r, 0, sizeof(in));

        for (size_t k = 0; k < len; k++) {
            in[k] = g_rand_int_range(r, 0, 3) ? g_rand_int_range(r, 0, 4) : g_rand_int(r);
        }
        if (len > 4) {
            store_le32(in, g_rand_int_range(r, 0, 8) ? len : g_rand_int(r));
        }
        size_t n = p9_server_run(f.s, in, len, out, g_rand_int_range(r, 0, 2) ? sizeof(out) : 16);

        g_assert_cmpuint(n, <=, sizeof(out));
    }
    g_rand_free(r);
    teardown(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/9p/files", test_files);
    g_test_add_func("/9p/escape", test_escape);
    g_test_add_func("/9p/read-only", test_read_only);
    g_test_add_func("/9p/nonsense", test_nonsense);
    return g_test_run();
}
