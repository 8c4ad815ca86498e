// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Image formats: each is made, written at random next to a plain copy in memory, closed, opened and
 * compared; then bytes of its metadata are changed and it is opened and read again, which must end
 * in an error or in data, and in nothing else.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "block/driver.h"
#include "util/bitops.h"
#include "util/bswap.h"
#include "util/error.h"
#include "util/main-loop.h"

typedef struct FormatCase {
    const char *name, *format, *options;
    uint64_t size;
    const char *backing;        /* format of a backing image; NULL: none */
    bool compressed;            /* written once, in whole clusters */
    bool hidden;                /* cannot be told by its first bytes */
} FormatCase;

static const FormatCase cases[] = {
    { "vpc", "vpc", "force_size=on", 40 * MIB },
    { "vpc-chs", "vpc", "", 10514432 },
    { "vpc-fixed", "vpc", "subformat=fixed,force_size=on", 4 * MIB, .hidden = true },
    { "vdi", "vdi", "", 40 * MIB + 512 },
    { "vdi-static", "vdi", "static=on", 8 * MIB },
    { "parallels", "parallels", "", 20 * MIB },
    { "parallels-small", "parallels", "cluster_size=65536", 8 * MIB },
    { "qed", "qed", "", 40 * MIB },
    { "qed-small", "qed", "cluster_size=4096,table_size=1", 16 * MIB },
    { "qed-backing", "qed", "", 8 * MIB, "raw" },
    { "qcow", "qcow", "", 16 * MIB },
    { "qcow-backing", "qcow", "", 8 * MIB, "raw" },
    { "vhdx", "vhdx", "", 40 * MIB },
    { "vhdx-1m", "vhdx", "block_size=1048576,block_state_zero=off", 24 * MIB },
    { "vhdx-fixed", "vhdx", "subformat=fixed", 16 * MIB },
    { "vmdk", "vmdk", "", 40 * MIB },
    { "vmdk-flat", "vmdk", "subformat=monolithicFlat", 8 * MIB },
    { "vmdk-split", "vmdk", "subformat=twoGbMaxExtentSparse", 2 * GIB + 8 * MIB },
    { "vmdk-split-flat", "vmdk", "subformat=twoGbMaxExtentFlat", 2 * GIB + 8 * MIB },
    { "vmdk-stream", "vmdk", "subformat=streamOptimized", 8 * MIB, NULL, true },
    { "vmdk-zeroed", "vmdk", "zeroed_grain=on", 16 * MIB },
    { "vmdk-backing", "vmdk", "", 8 * MIB, "vmdk" },
};

static char *dir;

static void make_image(const char *path, const char *format, const char *options, uint64_t size)
{
    const BlockDriver *d = block_driver_find(format);
    GError *err = NULL;

    g_assert_nonnull(d);
    struct json_object *o = block_create_options(d, d->create_opts, options, &err);

    g_assert_no_error(err);
    json_object_object_add(o, "size", json_object_new_uint64(size));
    block_create(d, path, o, &err);
    g_assert_no_error(err);
    json_object_put(o);
}

/* Nothing here is worth waiting for the disk. */
static void never_sync(BlockNode *n)
{
    for (unsigned i = 0; i < n->children->len; i++) {
        ((BlockEdge *)g_ptr_array_index(n->children, i))->node->no_flush = true;
    }
}

static BlockNode *open_image(const char *path, const char *format, unsigned flags)
{
    GError *err = NULL;
    BlockNode *n = block_open_image(path, format, NULL, flags, &err);

    g_assert_no_error(err);
    never_sync(n);
    return n;
}

/* A run of one request in a coroutine. */
typedef struct Request {
    BlockNode *n;
    uint64_t offset;
    uint8_t *buf;
    size_t len;
    unsigned flags;
    bool zero;
    int ret;
} Request;

static void co_request(void *opaque)
{
    Request *r = opaque;

    r->ret = r->zero ? co_block_write_zeroes(r->n, r->offset, r->len, r->flags)
                     : co_block_pwrite(r->n, r->offset, r->buf, r->len, r->flags);
}

static int do_request(Request r)
{
    block_run(co_request, &r);
    return r.ret;
}

#define COPY_BYTES (4 * MIB)

/* The disk's first and last bytes, in memory; between them nothing is touched. */
typedef struct Copy {
    uint64_t size;
    uint8_t *head, *tail;
} Copy;

static uint8_t *copy_at(Copy *c, uint64_t offset)
{
    return offset < COPY_BYTES ? c->head + offset : c->tail + (offset - (c->size - COPY_BYTES));
}

/* A range in one of both parts. */
static uint64_t pick(const Copy *c, GRand *rand, size_t *len)
{
    uint64_t offset;

    *len = (size_t)g_rand_int_range(rand, 1, g_rand_boolean(rand) ? 3000 : 300000);
    if (g_rand_boolean(rand)) {
        *len = (*len + 511) & ~511u;
    }
    offset = (uint64_t)g_rand_int_range(rand, 0, (gint32)(COPY_BYTES - *len));
    if (*len % 512 == 0 && g_rand_boolean(rand)) {
        offset &= ~511ull;
    }
    return g_rand_boolean(rand) ? offset : c->size - COPY_BYTES + offset;
}

static void compare(BlockNode *n, Copy *c)
{
    g_autofree uint8_t *buf = g_malloc(COPY_BYTES);

    g_assert_cmpuint(n->length, ==, c->size);
    for (unsigned tail = 0; tail < 2; tail++) {
        uint64_t offset = tail ? c->size - COPY_BYTES : 0;

        g_assert_cmpint(block_pread(n, offset, buf, COPY_BYTES), ==, 0);
        for (size_t i = 0; i < COPY_BYTES; i++) {
            if (buf[i] != copy_at(c, offset)[i]) {
                g_error("byte %" G_GUINT64_FORMAT " is %u, should be %u", offset + i, buf[i],
                        copy_at(c, offset)[i]);
            }
        }
    }
}

static void mutate(BlockNode *n, Copy *c, GRand *rand, unsigned count)
{
    g_autofree uint8_t *buf = g_malloc(COPY_BYTES);

    for (unsigned i = 0; i < count; i++) {
        size_t len;
        uint64_t offset = pick(c, rand, &len);
        bool zero = g_rand_int_range(rand, 0, 4) == 0;

        memset(buf, g_rand_int_range(rand, 1, 256), len);
        buf[0] = (uint8_t)i;
        if (zero) {
            memset(buf, 0, len);
        }
        Request r = {.n = n,
                     .offset = offset,
                     .buf = buf,
                     .len = len,
                     .zero = zero,
                     .flags =
                         (g_rand_boolean(rand) ? BLOCK_FUA : 0) | (zero ? BLOCK_MAY_UNMAP : 0)};

        g_assert_cmpint(do_request(r), ==, 0);
        memcpy(copy_at(c, offset), buf, len);
        /* a small disk's parts overlap: what is in both is in both */
        for (size_t k = 0; c->size < 2 * COPY_BYTES && k < len; k++) {
            if (offset + k < COPY_BYTES) {
                c->head[offset + k] = buf[k];
            }
            if (offset + k >= c->size - COPY_BYTES) {
                c->tail[offset + k - (c->size - COPY_BYTES)] = buf[k];
            }
        }
    }
}

/* Whole clusters, each once. */
static void fill_compressed(BlockNode *n, Copy *c, GRand *rand)
{
    g_autofree uint8_t *buf = g_malloc(64 * KIB);

    for (uint64_t at = 0; at < c->size; at += 64 * KIB) {
        if (at + 64 * KIB > COPY_BYTES && at < c->size - COPY_BYTES) {
            continue;
        }
        for (size_t i = 0; i < 64 * KIB; i++) {
            buf[i] = at % (128 * KIB) ? (uint8_t)(i >> 8) : (uint8_t)g_rand_int(rand);
        }
        Request r = {.n = n, .offset = at, .buf = buf, .len = 64 * KIB, .flags = BLOCK_COMPRESSED};

        g_assert_cmpint(do_request(r), ==, 0);
        memcpy(copy_at(c, at), buf, 64 * KIB);
        if (at >= c->size - COPY_BYTES) {
            memcpy(c->tail + (at - (c->size - COPY_BYTES)), buf, 64 * KIB);
        }
    }
}

static char *make_backing(const FormatCase *f, Copy *c)
{
    g_autofree char *path = g_strdup_printf("%s/base-%s.%s", dir, f->name, f->backing);
    BlockNode *n;

    make_image(path, f->backing, "", f->size);
    n = open_image(path, f->backing, 0);
    n->unmap = true;
    for (size_t i = 0; i < COPY_BYTES; i++) {
        c->head[i] = (uint8_t)(i >> 9 | 1);
        c->tail[i] = (uint8_t)(i >> 10 | 2);
    }
    memcpy(c->head + (f->size - COPY_BYTES > COPY_BYTES ? COPY_BYTES : f->size - COPY_BYTES),
           c->tail, 0);
    g_assert_cmpint(block_pwrite(n, 0, c->head, COPY_BYTES, 0), ==, 0);
    g_assert_cmpint(block_pwrite(n, f->size - COPY_BYTES, c->tail, COPY_BYTES, 0), ==, 0);
    block_node_unref(n);
    return g_path_get_basename(path);
}

static void test_random(const void *data)
{
    const FormatCase *f = data;
    g_autofree char *path = g_strdup_printf("%s/%s.img", dir, f->name);
    Copy c = { f->size, g_malloc0(COPY_BYTES), g_malloc0(COPY_BYTES) };
    g_autofree char *base = f->backing ? make_backing(f, &c) : NULL;
    g_autofree char *options =
        base ? g_strdup_printf("%s%sbacking_file=%s,backing_fmt=%s", f->options,
                               f->options[0] ? "," : "", base, f->backing)
             : g_strdup(f->options);
    GRand *rand = g_rand_new_with_seed(7);
    BlockNode *n;

    make_image(path, f->format, options, f->size);
    for (unsigned round = 0; round < 3; round++) {
        n = open_image(path, round == 1 && !f->hidden ? NULL : f->format, BLOCK_OPEN_QUIET);
        g_assert_cmpstr(n->driver->name, ==, f->format);
        n->unmap = true;
        compare(n, &c);
        if (!f->compressed) {
            mutate(n, &c, rand, 40);
        } else if (round == 0) {
            fill_compressed(n, &c, rand);
        }
        compare(n, &c);
        block_node_unref(n);
    }
    g_rand_free(rand);
    g_free(c.head);
    g_free(c.tail);
}

/* ---- hostile images ---- */

typedef struct Look {
    BlockNode *n;
    uint64_t offset, length;
} Look;

static void co_look(void *opaque)
{
    Look *l = opaque;
    g_autofree uint8_t *buf = g_malloc(64 * KIB);
    BlockStatus st;

    co_block_status(l->n, l->offset, MIN(l->n->length - l->offset, GIB), true, &st);
    co_block_pread(l->n, l->offset, buf, MIN(l->n->length - l->offset, 64 * KIB));
    if (!l->n->read_only) {
        co_block_pwrite(l->n, l->offset, buf, MIN(l->n->length - l->offset, 5000), 0);
    }
}

static void look_at(const char *path, const char *format, bool write)
{
    g_autoptr(GError) err = NULL;
    BlockNode *n = block_open_image(path, format, NULL,
                                    BLOCK_OPEN_QUIET | (write ? 0 : BLOCK_OPEN_READ_ONLY), &err);

    if (!n) {
        g_assert_nonnull(err);
        return;
    }
    never_sync(n);
    for (unsigned i = 0; i < 6 && n->length; i++) {
        Look l = {n,
                  i < 3 ? MIN(i * 65000ull, n->length - 1)
                        : n->length - MIN(n->length, (i - 2) * 70000ull),
                  0};

        block_run(co_look, &l);
    }
    block_node_unref(n);
}

static void test_hostile(const void *data)
{
    static const uint8_t odd[] = { 0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x40, 0x10 };
    const FormatCase *f = data;
    g_autofree char *path = g_strdup_printf("%s/%s-bad.img", dir, f->name);
    g_autofree char *bytes = NULL;
    gsize len;

    if (f->backing || f->size > GIB) {
        return;
    }
    GRand *rand = g_rand_new_with_seed(11);

    make_image(path, f->format, f->options, f->size);
    BlockNode *n = open_image(path, f->format, 0);

    block_pwrite(n, 70000, "something", 9, 0);
    block_node_unref(n);
    g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
    len = MIN(len, 6 * MIB);
    for (unsigned i = 0; i < 150; i++) {
        g_autofree char *bad = g_memdup2(bytes, len);
        size_t cut = len;
        unsigned changes = (unsigned)g_rand_int_range(rand, 1, 4);
        static const gint32 areas[] = { 128, 512, 1600, 4096, 400000 };

        for (unsigned k = 0; k < changes; k++) {
            gint32 area = MIN(areas[g_rand_int_range(rand, 0, ARRAY_COUNT(areas))], (gint32)len);
            size_t at = (size_t)g_rand_int_range(rand, 0, area);
            size_t run = (size_t)g_rand_int_range(rand, 1, 9);

            for (size_t b = at; b < MIN(at + run, len); b++) {
                bad[b] = g_rand_boolean(rand)
                             ? (char)odd[g_rand_int_range(rand, 0, ARRAY_COUNT(odd))]
                             : (char)g_rand_int(rand);
            }
        }
        if (i % 5 == 0) {
            cut = (size_t)g_rand_int_range(rand, 0, (gint32)len);
        }
        g_assert_true(g_file_set_contents(path, bad, (gssize)cut, NULL));
        look_at(path, f->format, i % 2);
    }
    g_rand_free(rand);
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    dir = g_dir_make_tmp("formats-XXXXXX", NULL);
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        g_autofree char *name = g_strdup_printf("/formats/random/%s", cases[i].name);
        g_autofree char *bad = g_strdup_printf("/formats/hostile/%s", cases[i].name);

        g_test_add_data_func(name, &cases[i], test_random);
        g_test_add_data_func(bad, &cases[i], test_hostile);
    }
    ret = g_test_run();
    g_autofree char *command = g_strdup_printf("rm -r '%s'", dir);

    return system(command) == 0 ? ret : 1;
}
