// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * qemu-img commit, rebase, dd: moving data between an image and what is below it, or a part of it
 * elsewhere.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "img.h"
#include "util/error.h"
#include "util/iov.h"
#include "util/timer.h"

#define CHUNK (2 * MIB)

static const struct option copy_longs[] = {
    IMG_COMMON_LONGS, { "image-opts", no_argument, 0, OPT_IMAGE_OPTS }, { "force-share", no_argument, 0, 'U' }, { 0, 0, 0, 0 },
};

/* ---- commit ---- */

static void show_progress(void *opaque, uint64_t done, uint64_t total)
{
    img_progress(done, total);
}

/* The base is opened again for writing: by its own name. */
static int co_commit(Img *img, const ImgArgs *a, bool drop, uint64_t rate)
{
    BlockNode *top = img->n, *base = top->backing;
    g_autoptr(GError) error = NULL;
    int ret;

    if (a->base) {
        g_autofree char *wanted = block_resolve_relative(top->filename, a->base);

        while (base && strcmp(base->filename, a->base) != 0 &&
               strcmp(base->filename, wanted) != 0) {
            base = base->backing;
        }
        if (!base) {
            return tool_error("Did not find '%s' in the backing chain of '%s'", a->base,
                              top->filename);
        }
    }
    if (!base) {
        return tool_error("Image does not have a backing file");
    }
    g_autofree char *name = g_strdup(base->filename);

    /*
     * what lies between stays open for reading; the lock of the same process does not stand in the
     * way
     */
    if (!block_make_writable(base, &error)) {
        return tool_error("Could not open '%s': %s", name, error->message);
    }
    if (top->length > base->length && !co_block_truncate(base, top->length, PREALLOC_OFF, &error)) {
        return tool_fail(g_steal_pointer(&error));
    }
    img_progress_start(a->progress && !a->quiet);
    ret = co_block_commit_data(top, base, rate, show_progress, NULL);
    if (ret < 0) {
        return tool_error("Block job failed: %s", g_strerror(-ret));
    }
    img_progress_end();
    if (!drop && top->driver->co_make_empty) {
        co_block_flush(base);
        if (!top->driver->co_make_empty(top, &error)) {
            return tool_error("Could not empty %s: %s", top->filename, error->message);
        }
    }
    if (!a->quiet) {
        printf("Image committed.\n");
    }
    return 0;
}

typedef struct CommitArgs {
    bool drop;
    const char *rate;
} CommitArgs;

static bool commit_option(int k, const char *arg, void *opaque)
{
    CommitArgs *c = opaque;

    if (k == 'd') {
        c->drop = true;
    } else if (k == 'r') {
        c->rate = arg;
    }
    return k == 'd' || k == 'r';
}

int cmd_commit(int argc, char **argv)
{
    CommitArgs c = { .drop = false };
    ImgArgs a = { .format = NULL };
    uint64_t rate = 0;
    Img img;
    int ret;

    if (!img_parse(argc, argv, "f:ht:b:dpqr:", copy_longs, &a, commit_option, &c) ||
        (c.rate && !img_size(c.rate, "rate limit", &rate))) {
        return 1;
    }
    if (a.first + 1 != argc) {
        return img_usage("Expecting one image file name");
    }
    if (!img_open(&img, argv[a.first], &a, a.format, a.cache, 0, true)) {
        return 1;
    }
    ret = co_commit(&img, &a, c.drop || a.base, rate);
    img_close(&img);
    return ret;
}

/* ---- rebase ---- */

static int co_read_past(BlockNode *n, uint64_t at, uint8_t *buf, uint64_t len)
{
    if (!n) {
        memset(buf, 0, len);
        return 0;
    }
    return co_block_pread(n, at, buf, len);
}

/* Where old and new backing file differ, and the image has nothing, it gets the old content. */
static int co_keep_content(BlockNode *n, BlockNode *now)
{
    g_autofree uint8_t *buf = g_malloc(2 * CHUNK);
    BlockNode *old = n->backing;
    int ret = 0;

    for (uint64_t at = 0; ret == 0 && at < n->length;) {
        BlockStatus st;
        uint64_t len;

        ret = co_block_status(n, at, n->length - at, false, &st);
        if (ret < 0) {
            break;
        }
        len = st.bytes;
        if (!(st.flags & BLOCK_STATUS_ALLOCATED)) {
            len = MIN(len, CHUNK);
            ret = co_read_past(old, at, buf, len);
            ret = ret < 0 ? ret : co_read_past(now, at, buf + CHUNK, len);
            for (uint64_t i = 0; ret == 0 && i < len;) {
                uint64_t step = MIN(4096, len - i), end = i;

                while (end < len &&
                       memcmp(buf + end, buf + CHUNK + end, MIN(4096, len - end)) != 0) {
                    end += MIN(4096, len - end);
                }
                if (end > i) {
                    ret = buffer_is_zero(buf + i, end - i)
                              ? co_block_write_zeroes(n, at + i, end - i, 0)
                              : co_block_pwrite(n, at + i, buf + i, end - i, 0);
                    i = end;
                } else {
                    i += step;
                }
            }
        }
        at += len;
        img_progress(at, n->length);
    }
    return ret;
}

int cmd_rebase(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    ImgArgs a = { .format = NULL };
    BlockNode *now = NULL;
    bool good = true;
    int ret = 1;
    Img img;

    if (!img_parse(argc, argv, "f:F:b:upt:T:qU", copy_longs, &a, NULL, NULL)) {
        return 1;
    }
    if (a.first + 1 != argc) {
        return img_usage("Expecting one image file name");
    }
    if (!img_source_cache(&a)) {
        return 1;
    }
    if (!a.base && !a.unsafe) {
        return img_usage("Must specify backing file (-b) or use unsafe mode (-u)");
    }
    bool share = a.share;

    a.share = false;
    if (!img_open(&img, argv[a.first], &a, a.format, a.cache, a.unsafe ? BLOCK_OPEN_NO_BACKING : 0,
                  true)) {
        return 1;
    }
    if (a.base_format && !block_driver_find(a.base_format)) {
        tool_error("Invalid format name: '%s'", a.base_format);
        goto out;
    }
    if (!a.unsafe && a.base && *a.base) {
        g_autofree char *full = block_resolve_relative(img.n->filename, a.base);

        now = tool_open(
            full, false, a.base_format, a.src_cache,
            BLOCK_OPEN_READ_ONLY | BLOCK_OPEN_QUIET | (share ? BLOCK_OPEN_FORCE_SHARE : 0), &error);
        if (!now) {
            g_autofree char *prefix = g_strdup_printf("Could not open '%s': ", full);
            size_t skip = g_str_has_prefix(error->message, prefix) ? strlen(prefix) : 0;

            tool_error("Could not open new backing file '%s': %s", a.base, error->message + skip);
            goto out;
        }
    }
    if (!img.n->driver->co_change_backing) {
        tool_error("Could not change the backing file to '%s': Operation not supported",
                   a.base ? a.base : "");
        goto out;
    }
    if (a.base && *a.base && !a.base_format) {
        tool_error("Could not change the backing file to '%s': backing format must be specified",
                   a.base);
        goto out;
    }
    if (!a.unsafe) {
        int r;

        img_progress_start(a.progress && !a.quiet);
        r = co_keep_content(img.n, now);
        if (r < 0) {
            tool_error("error while copying: %s", g_strerror(-r));
            goto out;
        }
        co_block_flush(img.n);
    }
    /* the header alone says it: what is open below is closed with the image */
    good = img.n->driver->co_change_backing(img.n, a.base && *a.base ? a.base : NULL, a.base_format,
                                            &error);
    if (!good) {
        tool_error("Could not change the backing file to '%s': %s", a.base ? a.base : "",
                   error->message);
    } else {
        img_progress_end();
        ret = 0;
    }
out:
    block_node_unref(now);
    img_close(&img);
    return ret;
}

/* ---- dd ---- */

typedef struct Dd {
    const char *in, *out;
    uint64_t bs, count, skip;
    bool has_count;
} Dd;

static bool dd_word(Dd *d, const char *word)
{
    const char *eq = strchr(word, '=');

    if (!eq) {
        tool_error("unrecognized operand %s", word);
        return false;
    }
    if (g_str_has_prefix(word, "if=")) {
        d->in = eq + 1;
    } else if (g_str_has_prefix(word, "of=")) {
        d->out = eq + 1;
    } else if (g_str_has_prefix(word, "bs=")) {
        if (!img_size(eq + 1, "bs", &d->bs)) {
            return false;
        }
        if (d->bs == 0 || d->bs > INT32_MAX) {
            tool_error("Invalid bs specified. Must be between 1 and %d.", INT32_MAX);
            return false;
        }
    } else if (g_str_has_prefix(word, "count=")) {
        d->has_count = true;
        return img_size(eq + 1, "count", &d->count);
    } else if (g_str_has_prefix(word, "skip=")) {
        return img_size(eq + 1, "skip", &d->skip);
    } else {
        tool_error("unrecognized operand %.*s", (int)(eq - word), word);
        return false;
    }
    return true;
}

static int co_dd(const Dd *d, const ImgArgs *a, BlockNode *in)
{
    uint64_t size = in->length, from, end;
    ImgArgs out_args = { .format = NULL };
    g_autofree uint8_t *buf = NULL;
    int ret = 0;
    Img out;

    if (d->has_count && d->count <= INT64_MAX / d->bs) {
        size = MIN(size, d->count * d->bs);
    }
    if (d->skip > INT64_MAX / d->bs || size < d->skip * d->bs) {
        from = in->length;
        size = 0;
    } else {
        from = d->skip * d->bs;
    }
    end = d->has_count ? MIN(in->length,
                             from + (d->count <= INT64_MAX / d->bs ? d->count * d->bs : in->length))
                       : in->length;
    if (!img_create_image(d->out, a->out_format, NULL, NULL, true, NULL,
                          d->has_count ? MIN(size, in->length) - MIN(from, size)
                                       : in->length - from,
                          true, true, "error while creating output image")) {
        return 1;
    }
    if (!img_open(&out, d->out, &out_args, a->out_format, NULL, 0, true)) {
        return 1;
    }
    if (d->skip > INT64_MAX / d->bs || in->length < d->skip * d->bs) {
        tool_error("%s: cannot skip to specified offset", d->in);
    }
    end = MIN(end, from + out.n->length);
    buf = g_malloc(d->bs);
    for (uint64_t at = from; ret == 0 && at < end; at += d->bs) {
        uint64_t len = MIN(d->bs, end - at);

        ret = co_block_pread(in, at, buf, len);
        if (ret < 0) {
            tool_error("error while reading from input image file: %s", g_strerror(-ret));
            break;
        }
        ret = co_block_pwrite(out.n, at - from, buf, len, 0);
        if (ret < 0) {
            tool_error("error while writing to output image file: %s", g_strerror(-ret));
        }
    }
    img_close(&out);
    return ret < 0 ? 1 : 0;
}

int cmd_dd(int argc, char **argv)
{
    ImgArgs a = { .out_format = "raw" };
    Dd d = { .bs = 512 };
    Img in;
    int ret;

    if (!img_parse(argc, argv, "f:O:U", copy_longs, &a, NULL, NULL)) {
        return 1;
    }
    for (int i = a.first; i < argc; i++) {
        if (!dd_word(&d, argv[i])) {
            return 1;
        }
    }
    if (!d.in || !d.out) {
        return tool_error("Must specify both input and output files");
    }
    if (!block_driver_find(a.out_format)) {
        return tool_error("Unknown file format '%s'", a.out_format);
    }
    if (!img_open(&in, d.in, &a, a.format, NULL, 0, false)) {
        return 1;
    }
    ret = co_dd(&d, &a, in.n);
    img_close(&in);
    return ret;
}
