// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu-io: what is not reading or writing. */
#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "block/driver.h"
#include "block/filters/blkdebug.h"
#include "block/shell/shell.h"
#include "util/cutils.h"
#include "util/error.h"
#include "util/main-loop.h"

static int run_length(IoShell *s, int argc, char **argv)
{
    g_autofree char *text = io_size_text((double)s->node->length);

    printf("%s\n", text);
    return 0;
}

typedef struct Truncate {
    IoShell *shell;
    uint64_t length;
    BlockPrealloc prealloc;
    GError *err;
} Truncate;

static void co_truncate(void *opaque)
{
    Truncate *t = opaque;

    co_block_truncate(t->shell->node, t->length, t->prealloc, &t->err);
}

static int run_truncate(IoShell *s, int argc, char **argv)
{
    Truncate t = { .shell = s };
    int c;

    while ((c = getopt(argc, argv, "m:")) != -1) {
        if (c != 'm' || !block_prealloc_parse(optarg, &t.prealloc, &t.err)) {
            if (t.err) {
                g_clear_error(&t.err);
                fprintf(stderr, "%s: Invalid preallocation mode '%s'\n", s->mistake, optarg);
            } else {
                io_usage(io_find("truncate"));
            }
            return -EINVAL;
        }
    }
    if (optind != argc - 1) {
        io_usage(io_find("truncate"));
        return -EINVAL;
    }
    if (!io_number(argv[optind], &t.length)) {
        return -EINVAL;
    }
    block_run(co_truncate, &t);
    return t.err ? io_fail(s, t.err) : 0;
}

/* ---- what is allocated ---- */

typedef struct Allocation {
    BlockNode *n;
    uint64_t offset, bytes;
    BlockStatus st;
    int ret;
} Allocation;

static void co_allocation(void *opaque)
{
    Allocation *a = opaque;

    co_graph_enter();
    a->ret = co_block_status(a->n, a->offset, a->bytes, false, &a->st);
    graph_leave();
}

/* Length of the first run in the range and whether it is allocated; 0: failure. */
static uint64_t allocation(IoShell *s, uint64_t offset, uint64_t bytes, bool *allocated, int *ret)
{
    Allocation a = { s->node, offset, bytes, { 0 }, 0 };

    block_run(co_allocation, &a);
    *ret = a.ret;
    *allocated = a.st.flags & BLOCK_STATUS_ALLOCATED;
    return a.ret < 0 ? 0 : a.st.bytes;
}

static int run_alloc(IoShell *s, int argc, char **argv)
{
    uint64_t start, count = 512, offset, sum = 0;
    int ret = 0;

    if (!io_number(argv[1], &start) || (argc > 2 && !io_number(argv[2], &count))) {
        return -EINVAL;
    }
    count = start > s->node->length ? 0 : MIN(count, s->node->length - start);
    for (offset = start; offset < start + count;) {
        bool allocated;
        uint64_t len = allocation(s, offset, start + count - offset, &allocated, &ret);

        if (len == 0) {
            printf("is_allocated failed: %s\n", g_strerror(-ret));
            return ret;
        }
        sum += allocated ? len : 0;
        offset += len;
    }
    g_autofree char *text = io_size_text((double)start);

    printf("%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT " bytes allocated at offset %s\n", sum, count,
           text);
    return 0;
}

static int run_map(IoShell *s, int argc, char **argv)
{
    uint64_t end = s->node->length;

    if (end == 0) {
        printf("Failed to query image length\n");
        return -EIO;
    }
    for (uint64_t offset = 0; offset < end;) {
        bool allocated, next;
        int ret;
        uint64_t len = allocation(s, offset, end - offset, &allocated, &ret), more;

        if (len == 0) {
            printf("Failed to get allocation status\n");
            return ret < 0 ? ret : -EIO;
        }
        while (offset + len < end &&
               (more = allocation(s, offset + len, end - offset - len, &next, &ret)) &&
               next == allocated) {
            len += more;
        }
        g_autofree char *size = io_size_text((double)len), *at = io_size_text((double)offset);

        printf("%s (0x%" G_GINT64_MODIFIER
               "x) bytes %s allocated at offset %s (0x%" G_GINT64_MODIFIER "x)\n",
               size, len, allocated ? "   " : "not", at, offset);
        offset += len;
    }
    return 0;
}

/* ---- info ---- */

static void print_json(struct json_object *v, const char *key, unsigned depth);

static void print_members(struct json_object *v, unsigned depth)
{
    if (json_object_is_type(v, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(v); i++) {
            g_autofree char *key = g_strdup_printf("[%zu]", i);

            print_json(json_object_array_get_idx(v, i), key, depth);
        }
        return;
    }
    json_object_object_foreach (v, key, value) {
        g_autofree char *text = g_strdelimit(g_strdup(key), "-", ' ');

        print_json(value, text, depth);
    }
}

static void print_json(struct json_object *v, const char *key, unsigned depth)
{
    bool nested =
        json_object_is_type(v, json_type_array) || json_object_is_type(v, json_type_object);

    printf("%*s%s:%s%s\n", (int)depth * 4, "", key, nested ? "" : " ",
           nested ? "" : json_object_get_string(v));
    if (nested) {
        print_members(v, depth + 1);
    }
}

typedef struct Info {
    BlockNode *n;
    BlockImageInfo info;
    GError *err;
} Info;

static void co_info(void *opaque)
{
    Info *i = opaque;

    if (i->n->driver->co_info) {
        i->n->driver->co_info(i->n, &i->info, &i->err);
    }
}

static int run_info(IoShell *s, int argc, char **argv)
{
    Info i = { .n = s->node };

    printf("format name: %s\n", s->node->driver->name);
    block_run(co_info, &i);
    if (i.err) {
        return io_fail(s, i.err);
    }
    g_autofree char *cluster = io_size_text((double)i.info.cluster_size),
                    *vm = io_size_text((double)i.info.vm_state_offset);

    printf("cluster size: %s\nvm state offset: %s\n", cluster, vm);
    if (i.info.specific) {
        printf("Format specific information:\n");
        print_members(i.info.specific, 1);
        json_object_put(i.info.specific);
    }
    return 0;
}

/* ---- breakpoints ---- */

static int run_break(IoShell *s, int argc, char **argv)
{
    if (!blkdebug_break(s->node, argv[1], argv[2])) {
        printf("Could not set breakpoint: %s\n", g_strerror(ENOTSUP));
        return -ENOTSUP;
    }
    return 0;
}

static int run_remove_break(IoShell *s, int argc, char **argv)
{
    if (!blkdebug_remove_break(s->node, argv[1])) {
        printf("Could not remove breakpoint %s: %s\n", argv[1], g_strerror(ENOTSUP));
        return -ENOTSUP;
    }
    return 0;
}

static int run_resume(IoShell *s, int argc, char **argv)
{
    if (!blkdebug_resume(s->node, argv[1])) {
        printf("Could not resume request: %s\n", g_strerror(ENOTSUP));
        return -ENOTSUP;
    }
    return 0;
}

static int run_wait_break(IoShell *s, int argc, char **argv)
{
    while (!blkdebug_is_suspended(s->node, argv[1])) {
        main_loop_iterate(true);
    }
    return 0;
}

/* ---- the process ---- */

static gboolean end_sleep(gpointer opaque)
{
    *(bool *)opaque = true;
    return G_SOURCE_REMOVE;
}

static int run_sleep(IoShell *s, int argc, char **argv)
{
    bool over = false;
    int64_t ms;

    if (!parse_i64(argv[1], &ms) || ms < 0 || ms > UINT32_MAX) {
        printf("%s is not a valid number\n", argv[1]);
        return -EINVAL;
    }
    g_timeout_add((guint)ms, end_sleep, &over);
    while (!over) {
        main_loop_iterate(true);
    }
    return 0;
}

static int run_sigraise(IoShell *s, int argc, char **argv)
{
    int64_t sig;

    if (!parse_i64(argv[1], &sig) || sig < 0 || sig > INT_MAX) {
        printf("signal number %s is invalid\n", argv[1]);
        return -EINVAL;
    }
    fflush(stdout);
    raise((int)sig);
    return 0;
}

static int run_abort(IoShell *s, int argc, char **argv)
{
    fflush(stdout);
    raise(SIGABRT);
    return 0;
}

static int run_quit(IoShell *s, int argc, char **argv)
{
    s->quit = true;
    return 0;
}

static int run_close(IoShell *s, int argc, char **argv)
{
    io_shell_drain(s);
    block_detach(s->edge);
    block_node_unref(s->node);
    s->edge = NULL;
    s->node = NULL;
    return 0;
}

static int run_open(IoShell *s, int argc, char **argv)
{
    if (!s->open) {
        fprintf(stderr, "command \"%s\" not found\n", argv[0]);
        return -EINVAL;
    }
    return s->open(s, argc, argv);
}

static int run_reopen(IoShell *s, int argc, char **argv)
{
    return run_open(s, argc, argv);
}

const IoCommand io_other_commands[] = {
    { "abort", NULL, run_abort, 0, 0, .can_close = true, .summary = "simulate a program crash using abort(3)" },
    { "alloc", "a", run_alloc, 1, 2, .args = "offset [count] ", .summary = "checks if offset is allocated in the file" },
    { "break", NULL, run_break, 2, 2, .args = "event tag ",
      .summary = "sets a breakpoint on event and tags the stopped request as tag" },
    { "close", "c", run_close, 0, 0, .summary = "close the current open file" },
    { "info", "i", run_info, 0, 0, .summary = "prints information about the current file" },
    { "length", "l", run_length, 0, 0, .summary = "gets the length of the current file" },
    { "map", NULL, run_map, 0, 0, .args = " ", .summary = "prints the allocated areas of a file" },
    { "open", "o", run_open, 0, -1, .can_close = true, .args = "[-rsCnkU] [-t cache] [-d discard] [-o options] [path] ",
      .summary = "open the file specified by path",
      .help = "\n opens a new file in the requested mode\n\n Example:\n"
              " 'open -n -o driver=raw /tmp/data' - opens raw data file read-write, uncached\n\n"
              " Opens a file for subsequent use by all of the other qemu-io commands.\n -r, -- open file read-only\n"
              " -s, -- use snapshot file\n -C, -- use copy-on-read\n -n, -- disable host cache, short for -t none\n"
              " -U, -- force shared permissions\n -k, -- use kernel AIO implementation (Linux only, prefer use of -i)\n"
              " -i, -- use AIO mode (threads, native or io_uring)\n -t, -- use the given cache mode for the image\n"
              " -d, -- use the given discard mode for the image\n -o, -- options to be given to the block driver\n" },
    { "quit", "q", run_quit, 0, 0, .can_close = true, .summary = "exit the program" },
    { "remove_break", NULL, run_remove_break, 1, 1, .args = "tag ", .summary = "remove a breakpoint by tag" },
    { "reopen", NULL, run_reopen, 0, -1, .args = "[(-r|-w)] [-c cache] [-o options] ",
      .summary = "reopens an image with new options",
      .help = "\n Changes the open options of an already opened image\n\n Example:\n"
              " 'reopen -o lazy-refcounts=on' - activates lazy refcount writeback on a qcow2 image\n\n"
              " -r, -- Reopen the image read-only\n -w, -- Reopen the image read-write\n"
              " -c, -- Change the cache mode to the given value\n"
              " -o, -- Changes block driver options (cf. 'open' command)\n\n" },
    { "resume", NULL, run_resume, 1, 1, .args = "tag ", .summary = "resumes the request tagged as tag" },
    { "sigraise", NULL, run_sigraise, 1, 1, .can_close = true, .args = "signal ", .summary = "raises a signal",
      .help = "\n raises the given signal\n\n Example:\n 'sigraise 15' - raises SIGTERM\n\n"
              " Invokes raise(signal), where \"signal\" is the mandatory integer argument\n given to sigraise.\n\n" },
    { "sleep", NULL, run_sleep, 1, 1, .can_close = true, .summary = "waits for the given value in milliseconds" },
    { "truncate", "t", run_truncate, 1, 3, .writes = true, .resizes = true, .args = "[-m prealloc_mode] off ",
      .summary = "truncates the current file at the given offset" },
    { "wait_break", NULL, run_wait_break, 1, 1, .args = "tag ", .summary = "waits for the suspension of a request" },
    { NULL },
};
