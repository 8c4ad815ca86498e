// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a crash leaves of an image of each format that is written. All writes to the file are
 * logged; the image as it is after each of them is opened, checked, and compared with what the
 * guest had flushed by then. Repair (of formats that know how to check) leaves no error and changes
 * no data. The same after single writes, or all from one on, have failed with EIO or ENOSPC while
 * the guest went on. CRASH_FULL=1 (make check-crash) tries every write and more seeds, otherwise
 * it is a sample.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "block/driver.h"
#include "block/node.h"
#include "block/tool.h"
#include "util/error.h"
#include "util/iov.h"
#include "util/main-loop.h"

#include <json-c/json.h>

#define MAX_DISK (4 * MIB)
#define SECTOR 512
#define SECTORS (MAX_DISK / SECTOR)
#define FILE_ROOM (16 * MIB)

/* What is tried now: its format, options of creation, and how much of the disk the guest uses. */
typedef struct Kind {
    const char *format, *options;
    uint64_t disk;
} Kind;

static const Kind *kind;

/* ---- a file in memory that remembers what was done to it ---- */

typedef struct LogEntry {
    uint64_t offset, len;
    uint8_t *data;              /* NULL: the length changed to offset */
    int step;                   /* of the guest when it was written */
} LogEntry;

/* The one file: its content and, while `logging`, its history. */
static uint8_t *content;
static uint64_t content_len;
static GArray *history;
static bool logging;
static int step;
/* Writes so far, and those that fail: number fail_at (0: none), or it and all later ones. */
static unsigned writes, fail_at;
static bool fail_on;
static int fail_with;

static bool memory_open(BlockNode *n, struct json_object *opts, GError **error)
{
    n->length = (content_len + 511) & ~511ull;
    n->filename = g_strdup("memory");
    return true;
}

static int co_memory_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                            unsigned niov)
{
    iov_from_buf(iov, niov, 0, content + offset, bytes);
    co_reschedule();
    return 0;
}

static int co_memory_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                             unsigned niov, unsigned flags)
{
    LogEntry e = { offset, bytes, NULL, step };

    if (offset + bytes > FILE_ROOM) {
        return -28;
    }
    co_reschedule();
    writes++;
    if (fail_at && (writes == fail_at || (fail_on && writes > fail_at))) {
        return -fail_with;
    }
    iov_to_buf(iov, niov, 0, content + offset, bytes);
    content_len = MAX(content_len, offset + bytes);
    if (logging) {
        e.data = g_memdup2(content + offset, bytes);
        g_array_append_val(history, e);
    }
    return 0;
}

static bool co_memory_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc,
                               GError **error)
{
    LogEntry e = { length, 0, NULL, step };

    if (length < content_len) {
        memset(content + length, 0, content_len - length);
    }
    content_len = n->length = length;
    if (logging) {
        g_array_append_val(history, e);
    }
    return true;
}

static const BlockDriver memory_driver = {
    .name = "memory", .protocol = true, .grows = true, .open = memory_open, .co_preadv = co_memory_preadv,
    .co_pwritev = co_memory_pwritev, .co_truncate = co_memory_truncate,
};
BLOCK_DRIVER(memory_driver);

/* ---- what the guest may see ---- */

/* Per sector and byte value: the last step that made it possible; 0: never. */
static int may_be[SECTORS][256];
/* Steps at which all before was flushed. */
static GArray *flushed;
static int sure[SECTORS];       /* byte at the last flush */
static GArray *snapshots;       /* of sure, per flush: uint8_t[SECTORS] */

static BlockNode *open_image(unsigned flags, bool read_only)
{
    struct json_object *file = json_object_new_object(), *o = json_object_new_object();
    g_autoptr(GError) error = NULL;
    BlockNode *n;

    json_object_object_add(file, "driver", json_object_new_string("memory"));
    json_object_object_add(o, "driver", json_object_new_string(kind->format));
    json_object_object_add(o, "file", file);
    json_object_object_add(o, "read-only", json_object_new_boolean(read_only));
    json_object_object_add(o, "discard", json_object_new_string("unmap"));
    n = block_open(o, flags, &error);
    if (!n) {
        g_error("cannot open: %s", error->message);
    }
    json_object_put(o);
    return n;
}

/* Formats that may have several files make them by name: the one they make here is taken over. */
static void make_by_name(const BlockDriver *d, struct json_object *o)
{
    g_autofree char *folder = g_dir_make_tmp("crash-XXXXXX", NULL),
                    *name = g_build_filename(folder, "image", NULL), *data = NULL;
    g_autoptr(GError) error = NULL;
    gsize len;

    if (!d->co_create(name, o, &error) || !g_file_get_contents(name, &data, &len, &error)) {
        g_error("cannot create: %s", error->message);
    }
    memcpy(content, data, len);
    content_len = len;
    unlink(name);
    rmdir(folder);
}

static void make_image(void)
{
    struct json_object *file = json_object_new_object(), *o;
    const BlockDriver *d = block_driver_find(kind->format);
    g_autoptr(GError) error = NULL;
    BlockNode *n;

    memset(content, 0, FILE_ROOM);
    content_len = 0;
    logging = false;
    json_object_object_add(file, "driver", json_object_new_string("memory"));
    o = block_create_options(d, d->create_opts, kind->options, &error);
    g_assert_no_error(error);
    json_object_object_add(o, "size", json_object_new_uint64(kind->disk));
    if (d->co_format) {
        n = block_open(file, 0, &error);
        g_assert_true(d->co_format(n, o, &error));
        block_node_unref(n);
    } else {
        make_by_name(d, o);
    }
    json_object_put(o);
    json_object_put(file);
}

typedef struct Guest {
    GRand *rnd;
    BlockNode *n;
    int last[SECTORS];          /* byte the guest wrote last, -1: anything */
} Guest;

static void note(Guest *g, uint64_t at, uint64_t len, int byte)
{
    for (uint64_t s = at / SECTOR; s < (at + len) / SECTOR; s++) {
        g->last[s] = byte;
        for (int b = 0; b < 256; b++) {
            if (byte < 0 || b == byte) {
                may_be[s][b] = step;
            }
        }
    }
}

static void note_flush(Guest *g)
{
    int *copy = g_memdup2(g->last, sizeof(g->last));

    g_array_append_val(flushed, step);
    g_array_append_val(snapshots, copy);
}

static void co_guest(void *opaque)
{
    Guest *g = opaque;
    g_autofree uint8_t *buf = g_malloc(kind->disk);
    bool qcow2 = strcmp(kind->format, "qcow2") == 0;

    for (step = 1; step <= 40; step++) {
        uint64_t at =
            (uint64_t)g_rand_int_range(g->rnd, 0, (int)(kind->disk / SECTOR) - 300) * SECTOR;
        uint64_t len =
            (uint64_t)g_rand_int_range(g->rnd, 1, g_rand_boolean(g->rnd) ? 8 : 300) * SECTOR;
        int what = g_rand_int_range(g->rnd, 0, 20), byte = 1 + step % 250, ret = 0;

        if (what < 11) {
            note(g, at, len, byte);
            memset(buf, byte, len);
            ret = co_block_pwrite(g->n, at, buf, len, 0);
        } else if (what < 13) {
            note(g, at, len, 0);
            ret = co_block_write_zeroes(g->n, at, len, BLOCK_MAY_UNMAP);
        } else if (what < 15) {
            note(g, at, len, -1);
            ret = co_block_discard(g->n, at, len);
        } else if (what < 16 && qcow2 && strstr(kind->options, "compat=v2") == NULL) {
            uint64_t c = at / 65536 * 65536;

            memset(buf, byte, 65536);
            note(g, c, 65536, -1);
            co_block_pwrite(g->n, c, buf, 65536, BLOCK_COMPRESSED);
            at = c;
        } else if (what < 17 && qcow2) {
            BlockSnapshot s = { .name = "s" };
            g_autoptr(GError) error = NULL;

            if (!g->n->driver->co_snapshot_delete(g->n, NULL, "s", &error)) {
                g_clear_error(&error);
                g->n->driver->co_snapshot_create(g->n, &s, &error);
            }
        } else {
            ret = co_block_flush(g->n);
            if (ret == 0) {
                note_flush(g);
            }
            len = 0;
        }
        if (fail_at && ret < 0) {
            note(g, at, len, -1);       /* old, new or a part of each */
        } else {
            g_assert_cmpint(ret, ==, 0);
        }
    }
}

static void run_guest(Guest *g)
{
    history = g_array_new(FALSE, FALSE, sizeof(LogEntry));
    flushed = g_array_new(FALSE, FALSE, sizeof(int));
    snapshots = g_array_new(FALSE, FALSE, sizeof(int *));
    memset(may_be, 0, sizeof(may_be));
    memset(sure, 0, sizeof(sure));
    memset(g->last, 0, sizeof(g->last));
    step = 0;
    note_flush(g);
    logging = true;
    g->n = open_image(0, false);
    block_run(co_guest, g);
    block_node_unref(g->n);
    logging = false;
}

/* Writes of a step may come before its end: what was flushed is what was noted before the step. */
static void compare(BlockNode *n, int at_step)
{
    g_autofree uint8_t *buf = g_malloc(kind->disk);
    unsigned f = 0;
    const int *base;

    for (unsigned i = 0; i < flushed->len && g_array_index(flushed, int, i) < at_step; i++) {
        f = i;
    }
    base = g_array_index(snapshots, int *, f);
    g_assert_cmpint(block_pread(n, 0, buf, kind->disk), ==, 0);
    for (unsigned s = 0; s < kind->disk / SECTOR; s++) {
        int byte = buf[s * SECTOR], since = g_array_index(flushed, int, f);

        if (base[s] >= 0 && byte != base[s] && may_be[s][byte] <= since) {
            g_error("sector %u has %d, flushed was %d (step %d, flush at %d)", s, byte, base[s],
                    at_step, since);
        }
    }
}

typedef struct CheckCall {
    BlockNode *n;
    BlockCheck r;
    unsigned fix;
} CheckCall;

static void co_check(void *opaque)
{
    CheckCall *c = opaque;
    g_autoptr(GError) error = NULL;

    g_assert_true(c->n->driver->co_check(c->n, &c->r, c->fix, &error));
}

static void say(BlockCheck *r, const char *line)
{
    g_test_message("step %d: %s", step, line);
}

static void look(int at_step)
{
    BlockNode *n = open_image(BLOCK_OPEN_CHECK, false);
    CheckCall mend = {.n = n, .fix = BLOCK_FIX_ERRORS | BLOCK_FIX_LEAKS},
              again = {.n = n, .r = {.say = say}};

    step = at_step;
    compare(n, at_step);
    if (n->driver->co_check) {
        block_run(co_check, &mend);
        block_run(co_check, &again);
        g_assert_cmpint(again.r.corruptions + again.r.leaks + again.r.check_errors, ==, 0);
        compare(n, at_step);
    }
    block_node_unref(n);
    /* now it opens as any other */
    n = open_image(0, false);
    compare(n, at_step);
    block_node_unref(n);
}

static void forget(Guest *g)
{
    g_array_unref(history);
    for (unsigned i = 0; i < snapshots->len; i++) {
        g_free(g_array_index(snapshots, int *, i));
    }
    g_array_unref(snapshots);
    g_array_unref(flushed);
    g_rand_free(g->rnd);
}

static void crash_everywhere(uint32_t seed)
{
    Guest g = { .rnd = g_rand_new_with_seed(seed) };
    g_autofree uint8_t *start = NULL;
    uint64_t start_len, len;

    make_image();
    start = g_memdup2(content, FILE_ROOM);
    start_len = content_len;
    run_guest(&g);
    len = start_len;
    for (unsigned i = 0; i < history->len; i++) {
        LogEntry *e = &g_array_index(history, LogEntry, i);

        if (e->data) {
            memcpy(start + e->offset, e->data, e->len);
            len = MAX(len, e->offset + e->len);
        } else {
            memset(start + e->offset, 0, FILE_ROOM - e->offset);
            len = e->offset;
        }
        /* all small ones, which are metadata; some of the others */
        if (e->len <= 4096 || i % 3 == 0 || g_getenv("CRASH_FULL")) {
            memcpy(content, start, MAX(len, content_len));
            content_len = len;
            look(e->step);
        }
        g_free(e->data);
    }
    forget(&g);
}

/* One write (or all from it on) fails, the guest goes on. Returns how many writes there were. */
static unsigned fail_once(uint32_t seed, unsigned at, bool on, int error)
{
    Guest g = { .rnd = g_rand_new_with_seed(seed) };
    unsigned count;

    make_image();
    writes = 0;
    fail_at = at;
    fail_on = on;
    fail_with = error;
    run_guest(&g);
    count = writes;
    fail_at = 0;
    if (at) {
        look(step);
    }
    for (unsigned i = 0; i < history->len; i++) {
        g_free(g_array_index(history, LogEntry, i).data);
    }
    forget(&g);
    return count;
}

static void co_fail(void *opaque)
{
    bool full = g_getenv("CRASH_FULL") != NULL;

    for (uint32_t seed = 1; seed <= (full ? 5u : 1u); seed++) {
        unsigned count = fail_once(seed, 0, false, 0);

        for (unsigned at = 1; at <= count; at += full ? 1 : 1 + at % 11) {
            for (unsigned how = 0; how < 4; how++) {
                if (full || how == at % 4) {
                    fail_once(seed, at, how & 1, how & 2 ? ENOSPC : EIO);
                }
            }
        }
    }
}

static void test_fail(const void *opaque)
{
    kind = opaque;
    block_run(co_fail, NULL);
}

static void co_crash(void *opaque)
{
    for (uint32_t seed = 1; seed <= (g_getenv("CRASH_FULL") ? 10u : 1u); seed++) {
        crash_everywhere(seed);
    }
}

static void test_crash(const void *opaque)
{
    kind = opaque;
    block_run(co_crash, NULL);
}

// clang-format off
static const struct { const char *name; Kind kind; bool fail; } tests[] = {
    { "qcow2/default", { "qcow2", "cluster_size=64k", 1 * MIB }, true },
    { "qcow2/small", { "qcow2", "cluster_size=512", 1 * MIB }, true },
    { "qcow2/4k", { "qcow2", "cluster_size=4k", 1 * MIB } },
    { "qcow2/extended", { "qcow2", "cluster_size=16k,extended_l2=on", 1 * MIB }, true },
    { "qcow2/v2", { "qcow2", "compat=v2", 1 * MIB }, true },
    { "qcow2/lazy", { "qcow2", "lazy_refcounts=on", 1 * MIB }, true },
    { "qed", { "qed", "cluster_size=4k", 1 * MIB }, true },
    { "qcow", { "qcow", "", 1 * MIB }, true },
    { "vdi", { "vdi", "", 4 * MIB }, true },
    { "vhdx", { "vhdx", "block_size=1M,log_size=1M", 4 * MIB }, true },
    { "vmdk", { "vmdk", "", 1 * MIB }, true },
    { "parallels/default", { "parallels", "", 4 * MIB } },
    { "parallels/4k", { "parallels", "cluster_size=4k", 1 * MIB }, true },
    { "vpc", { "vpc", "", 4 * MIB }, true },
};
// clang-format on

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    tool_init("test-image-crash");
    content = g_malloc0(FILE_ROOM);
    for (unsigned i = 0; i < ARRAY_COUNT(tests); i++) {
        g_autofree char *crash = g_strdup_printf("/crash/%s", tests[i].name),
                        *fail = g_strdup_printf("/fail/%s", tests[i].name);

        g_test_add_data_func(crash, &tests[i].kind, test_crash);
        if (tests[i].fail) {
            g_test_add_data_func(fail, &tests[i].kind, test_fail);
        }
    }
    return g_test_run();
}
