// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * qemu-img convert: copies images to a new one of any format. Several requests run at once: while
 * one chunk is written others are read and searched for zeroes; writes begin in order, so that room
 * is given out in order, unless -W or compression says otherwise.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block/bitmap.h"
#include "img.h"
#include "util/cutils.h"
#include "util/error.h"
#include "util/iov.h"
#include "util/timer.h"

#define CHUNK (2 * MIB)
#define MAX_WORKERS 16
#define BLOCK 512

typedef struct Convert {
    ImgArgs a;
    struct json_object *options; /* of -o; NULL: none */
    bool compress, no_create, unordered, salvage, target_zero, offload, bitmaps, skip_broken;
    const char *rate;
    bool sparse_given, out_format_given;
    uint64_t sparse;            /* zero bytes in a row that are left out; 0: none */
    uint64_t workers;
    /* running */
    Img *sources;
    uint64_t *starts;           /* of each source in the output */
    unsigned count;
    BlockNode *target;
    ImgStatus known;            /* of the source that is read */
    uint64_t total, at;         /* at: where the next chunk begins */
    uint64_t turn;              /* offset of the chunk whose write begins next */
    uint64_t done, work;        /* for the progress bar */
    uint64_t cluster;           /* of compressed output */
    bool zero_init, has_backing;
    uint64_t backing_length;
    uint64_t bytes_per_s;
    int64_t start_ns;
    uint64_t sent;
    CoMutex lock;               /* picking chunks */
    CoQueue waiting;            /* for their turn */
    int ret;
} Convert;

typedef enum Content { CONTENT_DATA, CONTENT_ZERO, CONTENT_BACKING } Content;

/* ---- what to copy ---- */

static Img *source_at(Convert *c, uint64_t at, uint64_t *in_source)
{
    unsigned i = 0;

    while (i + 1 < c->count && at >= c->starts[i + 1]) {
        i++;
    }
    *in_source = at - c->starts[i];
    return &c->sources[i];
}

/* The next piece of one kind. */
static int co_next(Convert *c, uint64_t *offset, uint64_t *bytes, Content *what)
{
    uint64_t in_source, at = c->at;
    Img *s = source_at(c, at, &in_source);
    BlockNode *n = s->n;
    BlockStatus st;
    int ret;

    ret = co_img_status(&c->known, n, c->has_backing ? block_below(block_skip_filters(n)) : NULL,
                        in_source, c->sparse != 0, &st);
    if (ret < 0) {
        if (!c->salvage) {
            return ret;
        }
        st = (BlockStatus){ .flags = BLOCK_STATUS_DATA | BLOCK_STATUS_ALLOCATED,
                            .bytes = MIN(n->length - in_source, 64 * KIB) };
    }
    if (st.flags & BLOCK_STATUS_ZERO && (st.flags & BLOCK_STATUS_ALLOCATED || !c->has_backing)) {
        *what = CONTENT_ZERO;
    } else if (!(st.flags & BLOCK_STATUS_ALLOCATED) && c->has_backing) {
        *what = CONTENT_BACKING;
    } else {
        *what =
            st.flags & (BLOCK_STATUS_ALLOCATED | BLOCK_STATUS_DATA) ? CONTENT_DATA : CONTENT_ZERO;
    }
    *offset = at;
    *bytes = st.bytes;
    if (*what == CONTENT_BACKING && at >= c->backing_length) {
        *what = CONTENT_ZERO;   /* the target's backing file is shorter */
    }
    if (*what == CONTENT_DATA || c->compress) {
        *bytes = MIN(*bytes, CHUNK);
        if (c->compress) {
            /* whole clusters; one that has any data is read as a whole */
            uint64_t end = *what == CONTENT_DATA
                               ? (at + *bytes + c->cluster - 1) / c->cluster * c->cluster
                               : (at + *bytes) / c->cluster * c->cluster;

            if (end <= at) {
                *what = CONTENT_DATA;
                end = at + c->cluster;
            }
            *bytes = MIN(end - at, MIN(CHUNK, n->length - in_source));
        }
    } else {
        *bytes = MIN(*bytes, 1 * GIB);
    }
    c->at += *bytes;
    return 0;
}

/* ---- writing ---- */

/* Length of the run at the start that is all zero, or all not: in blocks. */
static uint64_t run_length(const uint8_t *buf, uint64_t bytes, uint64_t unit, bool *zero)
{
    uint64_t len = MIN(unit, bytes);

    *zero = buffer_is_zero(buf, len);
    while (len < bytes) {
        uint64_t step = MIN(unit, bytes - len);

        if (buffer_is_zero(buf + len, step) != *zero) {
            break;
        }
        len += step;
    }
    return len;
}

static int co_put_zeroes(Convert *c, uint64_t offset, uint64_t bytes)
{
    if (c->zero_init && !c->has_backing) {
        return 0;
    }
    return co_block_write_zeroes(c->target, offset, bytes, BLOCK_MAY_UNMAP);
}

static int co_put_data(Convert *c, uint64_t offset, uint8_t *buf, uint64_t bytes)
{
    uint64_t unit = c->compress ? c->cluster : c->sparse ? MAX(c->sparse, BLOCK) : 0;
    int ret = 0;

    for (uint64_t done = 0; ret == 0 && done < bytes;) {
        bool zero = false;
        uint64_t len = unit ? run_length(buf + done, bytes - done, unit, &zero) : bytes - done;

        if (zero && c->sparse) {
            ret = co_put_zeroes(c, offset + done, len);
        } else {
            ret = co_block_pwrite(c->target, offset + done, buf + done, len,
                                  c->compress ? BLOCK_COMPRESSED : 0);
        }
        done += len;
    }
    return ret;
}

static int co_read_chunk(Convert *c, uint64_t offset, uint8_t *buf, uint64_t bytes)
{
    uint64_t in_source;
    Img *s = source_at(c, offset, &in_source);
    int ret = co_block_pread(s->n, in_source, buf, bytes);

    if (ret < 0 && c->salvage) {
        for (uint64_t done = 0; done < bytes; done += BLOCK) {
            uint64_t len = MIN(BLOCK, bytes - done);

            if (co_block_pread(s->n, in_source + done, buf + done, len) < 0) {
                if (!c->a.quiet) {
                    fprintf(stderr,
                            "qemu-img: warning: error while reading offset %" G_GUINT64_FORMAT "\n",
                            offset + done);
                }
                memset(buf + done, 0, len);
            }
        }
        return 0;
    }
    return ret;
}

/* Waits as long as -r wants. */
static void co_limit(Convert *c, uint64_t bytes)
{
    if (c->bytes_per_s) {
        int64_t due;

        c->sent += bytes;
        due = c->start_ns + (int64_t)((double)c->sent / (double)c->bytes_per_s * 1e9);
        if (due > clock_now_ns(CLOCK_RT)) {
            co_sleep_ns(CLOCK_RT, due - clock_now_ns(CLOCK_RT));
        }
    }
}

/* -C: the host copies, as long as it can. False: the usual way. */
static bool co_offload(Convert *c, uint64_t offset, uint64_t bytes)
{
    uint64_t in_source;
    Img *s = source_at(c, offset, &in_source);

    if (c->offload && co_block_copy_range(s->n, in_source, c->target, offset, bytes) < 0) {
        c->offload = false;
    }
    return c->offload;
}

static int co_copy(Convert *c, uint64_t offset, uint64_t bytes, Content what, uint8_t *buf)
{
    bool copied = what == CONTENT_DATA && co_offload(c, offset, bytes);
    int ret = what == CONTENT_DATA && !copied ? co_read_chunk(c, offset, buf, bytes) : 0;

    if (ret < 0) {
        tool_error("error while reading at byte %" G_GUINT64_FORMAT ": %s", offset,
                   g_strerror(-ret));
        return ret;
    }
    while (!c->unordered && c->turn != offset && c->ret == 0) {
        co_queue_wait(&c->waiting, NULL);
    }
    if (c->ret < 0) {
        return 0;
    }
    co_limit(c, what == CONTENT_DATA ? bytes : 0);
    /* the next one begins while this one waits for the host */
    c->turn = offset + bytes;
    co_queue_wake_all(&c->waiting);
    switch (what) {
    case CONTENT_DATA:
        ret = copied ? 0 : co_put_data(c, offset, buf, bytes);
        break;
    case CONTENT_ZERO:
        if (c->sparse || c->compress) {
            ret = co_put_zeroes(c, offset, bytes);
            break;
        }
        memset(buf, 0, CHUNK);
        for (uint64_t done = 0; ret == 0 && done < bytes; done += CHUNK) {
            ret = co_block_pwrite(c->target, offset + done, buf, MIN(CHUNK, bytes - done), 0);
        }
        break;
    default:
        break;
    }
    if (ret < 0) {
        tool_error("error while writing at byte %" G_GUINT64_FORMAT ": %s", offset,
                   g_strerror(-ret));
    }
    c->done += bytes;
    img_progress(c->done, c->total);
    return ret;
}

static void co_worker(void *opaque)
{
    Convert *c = opaque;
    uint8_t *buf = NULL;

    if (posix_memalign((void **)&buf, 4096, CHUNK) != 0) {
        c->ret = -ENOMEM;
        return;
    }
    while (c->ret == 0) {
        uint64_t offset = 0, bytes = 0;
        Content what = CONTENT_DATA;
        int ret;

        co_mutex_lock(&c->lock);
        if (c->at >= c->total) {
            co_mutex_unlock(&c->lock);
            break;
        }
        ret = co_next(c, &offset, &bytes, &what);
        co_mutex_unlock(&c->lock);
        if (ret < 0) {
            tool_error("error while reading block status at offset %" G_GUINT64_FORMAT ": %s",
                       c->at, g_strerror(-ret));
        } else {
            ret = co_copy(c, offset, bytes, what, buf);
        }
        c->ret = c->ret < 0 ? c->ret : ret;
    }
    co_queue_wake_all(&c->waiting);
    free(buf);
}

/* ---- the target ---- */

/* An image that was made with a key is opened with it: as --image-opts would say it. */
static char *with_keys(const Convert *c, const char *filename)
{
    g_auto(GStrv) parts = g_strsplit(filename, ",", -1);
    g_autofree char *name = g_strjoinv(",,", parts);
    g_autoptr(GString) text = g_string_new(NULL);

    if (!c->options || c->no_create) {
        return NULL;
    }
    json_object_object_foreach (c->options, key, value) {
        if (strcmp(key, "key-secret") == 0 || g_str_has_suffix(key, ".key-secret")) {
            g_string_append_printf(text, ",%s=%s", key, json_object_get_string(value));
        }
    }
    return text->len ? g_strdup_printf("driver=%s,file.filename=%s%s", c->a.out_format, name,
                                       text->str)
                     : NULL;
}

static bool co_open_target(Convert *c, Img *target, const char *filename)
{
    ImgArgs out = { .image_opts = c->a.target_image_opts };
    g_autoptr(GError) error = NULL;
    BlockImageInfo info = { .cluster_size = 0 };
    g_autofree char *doing = g_strdup_printf("error while converting %s", c->a.out_format);
    g_autofree char *keyed = NULL;

    if (!c->no_create) {
        if (!img_create_image(filename, c->a.out_format, c->a.base, c->a.base_format, true,
                              c->a.options, c->total, true, true, doing)) {
            return false;
        }
    }
    keyed = with_keys(c, filename);
    out.image_opts |= keyed != NULL;
    if (!img_open(target, keyed ? keyed : filename, &out, out.image_opts ? NULL : c->a.out_format,
                  c->a.cache ? c->a.cache : "unsafe", 0, true)) {
        return false;
    }
    c->target = target->n;
    c->target->unmap = true;
    if (c->no_create && target->n->length < c->total) {
        tool_error("output file is smaller than input file");
        return false;
    }
    if (target->n->driver->co_info) {
        target->n->driver->co_info(target->n, &info, &error);
        json_object_put(info.specific);
    }
    c->zero_init = c->no_create ? c->target_zero : info.zero_init;
    if (info.compressed) {
        c->compress = true;
        c->workers = 1;
    }
    c->cluster = info.cluster_size ? info.cluster_size : 65536;
    c->has_backing = c->a.base != NULL && target->n->backing;
    c->backing_length = c->has_backing ? target->n->backing->length : 0;
    if (c->a.base && !c->has_backing) {
        c->has_backing = c->a.unsafe;
    }
    if (c->compress) {
        if (!target->n->driver->co_pwrite_compressed) {
            tool_error("Compression not supported for this file format");
            return false;
        }
        c->unordered |= !info.compressed;
        c->cluster = MIN(c->cluster, CHUNK);
    }
    return true;
}

static bool co_use_snapshot(Convert *c)
{
    if (c->a.snapshot && c->count > 1) {
        tool_error("No support for concatenating multiple snapshot");
        return false;
    }
    return co_img_snapshot_load(c->sources[0].n, c->a.snapshot);
}

static bool co_open_sources(Convert *c, char **names)
{
    c->sources = g_new0(Img, c->count);
    c->starts = g_new0(uint64_t, c->count);
    for (unsigned i = 0; i < c->count; i++) {
        if (!img_open(&c->sources[i], names[i], &c->a, c->a.format, c->a.src_cache, 0, false)) {
            return false;
        }
        if (i == 0 && !co_use_snapshot(c)) {
            return false;
        }
        c->starts[i] = c->total;
        c->total += c->sources[i].n->length;
    }
    return true;
}

/* ---- the command ---- */

static bool convert_option(int k, const char *arg, void *opaque)
{
    Convert *c = opaque;

    switch (k) {
    case 'c': c->compress = true; return true;
    case 'n': c->no_create = true; return true;
    case 'O': c->a.out_format = arg; return c->out_format_given = true;
    case 'W': c->unordered = true; return true;
    case 'C': c->offload = true; return true;
    case 'r': c->rate = arg; return true;
    case OPT_SALVAGE: c->salvage = true; return true;
    case OPT_TARGET_IS_ZERO: c->target_zero = true; return true;
    case OPT_BITMAPS: c->bitmaps = true; return true;
    case OPT_SKIP_BROKEN: c->skip_broken = true; return true;
    case 'S':
        if (!img_size(arg, "buffer size for sparse output", &c->sparse)) {
            exit(1);
        }
        if (c->sparse % BLOCK || c->sparse > 16 * MIB) {
            tool_error("Invalid buffer size for sparse output specified. Valid sizes are multiples "
                       "of %d up to %llu. "
                       "Select 0 to disable sparse detection (fully allocates output).",
                       BLOCK, 16 * MIB);
            exit(1);
        }
        c->sparse = MIN(c->sparse, CHUNK);
        c->sparse_given = true;
        return true;
    case 'm':
        if (!parse_u64(arg, &c->workers) || c->workers < 1 || c->workers > MAX_WORKERS) {
            tool_error(
                "Invalid number of coroutines. Allowed number of coroutines is between 1 and %d",
                MAX_WORKERS);
            exit(1);
        }
        return true;
    default:
        return false;
    }
}

/* What -o says of the backing file counts as -B and -F. */
static bool take_options(Convert *c)
{
    const BlockDriver *d = block_driver_find(c->a.out_format);
    g_autoptr(GError) error = NULL;
    const char *base, *format;

    if (!c->a.options || c->no_create || !d || !d->create_opts) {
        return true;
    }
    c->options = block_create_options(d, d->create_opts, c->a.options, &error);
    if (!c->options) {
        tool_fail(g_steal_pointer(&error));
        return false;
    }
    base = opts_string(c->options, "backing_file", NULL);
    format = opts_string(c->options, "backing_fmt", NULL);
    if (base && c->a.base) {
        tool_error("error: -B and -o backing_file cannot be used at the same time");
        return false;
    }
    c->a.base = base && *base ? base : c->a.base;
    c->a.base_format = format ? format : c->a.base_format;
    return true;
}

static bool check_combination(Convert *c)
{
    const char *wrong = NULL;

    if (c->compress && c->offload) {
        wrong = "Cannot enable copy offloading when -c is used";
    } else if (c->offload && c->sparse_given) {
        wrong = "Cannot enable copy offloading when -S is used";
    } else if (c->a.base && !c->no_create && block_driver_find(c->a.out_format) &&
               !block_driver_find(c->a.out_format)->backing) {
        tool_error("Backing file not supported for file format '%s'", c->a.out_format);
        return false;
    } else if (c->a.base && !c->a.base_format && !c->no_create) {
        wrong = "Use of backing file requires explicit backing format";
    } else if (c->target_zero && c->a.base) {
        wrong = "Cannot use --target-is-zero when the destination image has a backing file";
    } else if (c->target_zero && !c->no_create) {
        wrong = "--target-is-zero requires use of -n flag";
    } else if (c->a.target_image_opts && !c->no_create) {
        wrong = "--target-image-opts requires use of -n flag";
    } else if (c->no_create && c->a.options) {
        wrong = "-o has no effect when skipping image creation";
    } else if (c->skip_broken && !c->bitmaps) {
        wrong = "Use of --skip-broken-bitmaps requires --bitmaps";
    } else if (c->a.target_image_opts && c->out_format_given) {
        wrong = "--image-opts and --format are mutually exclusive";
    } else if (c->salvage && c->offload) {
        wrong = "Cannot use copy offloading in salvaging mode";
    }
    if (wrong) {
        tool_error("%s", wrong);
    }
    return !wrong;
}

/* --bitmaps: those of the source's image live on in the target. */
static int copy_bitmaps(Convert *c, BlockNode *target)
{
    BlockNode *n = c->sources[0].n;

    if (!target->driver->co_can_store_bitmap) {
        tool_error("Format driver '%s' does not support bitmaps", target->driver->name);
        return -ENOTSUP;
    }
    for (unsigned i = 0; n->bitmaps && i < n->bitmaps->len; i++) {
        DirtyBitmap *from = g_ptr_array_index(n->bitmaps, i), *to;
        g_autoptr(GError) error = NULL;

        if (!from->name || !from->persistent) {
            continue;
        }
        if (from->inconsistent) {
            if (c->skip_broken) {
                fprintf(stderr, "qemu-img: warning: Skipping inconsistent bitmap '%s'\n",
                        from->name);
                continue;
            }
            tool_error("Cannot copy inconsistent bitmap '%s'", from->name);
            return -EINVAL;
        }
        if (!target->driver->co_can_store_bitmap(target, from->name, from->granularity, &error)) {
            tool_error("Failed to create bitmap %s: %s", from->name,
                       error ? error->message : "Format driver does not support it");
            return -EINVAL;
        }
        to = dirty_bitmap_new(target, from->name, from->granularity, &error);
        if (!to || !dirty_bitmap_merge(to, from, &error)) {
            tool_error("Failed to populate bitmap %s: %s", from->name, error->message);
            return -EINVAL;
        }
        to->persistent = true;
        to->enabled = from->enabled;
    }
    return 0;
}

static int co_run(Convert *c, const char *target_name)
{
    Img target = { NULL, NULL };
    int ret;

    if (c->bitmaps && !c->sources[0].n->driver->co_can_store_bitmap) {
        tool_error("Source lacks bitmap support");
        return 1;
    }
    if (!co_open_target(c, &target, target_name)) {
        img_close(&target);
        return 1;
    }
    img_progress_start(c->a.progress && !c->a.quiet);
    c->start_ns = clock_now_ns(CLOCK_RT);
    img_parallel((unsigned)c->workers, co_worker, c);
    ret = c->ret;
    if (ret == 0 && c->compress && target.n->driver->co_pwrite_compressed) {
        ret = target.n->driver->co_pwrite_compressed(target.n, 0, 0, NULL, 0);
    }
    if (ret == 0 && c->bitmaps) {
        ret = copy_bitmaps(c, target.n);
    }
    if (ret == 0) {
        ret = co_block_flush(target.n);
        if (ret < 0) {
            tool_error("error while flushing: %s", g_strerror(-ret));
        }
    }
    if (ret == 0) {
        img_progress_end();
    }
    img_close(&target);
    return ret < 0 ? 1 : 0;
}

int cmd_convert(int argc, char **argv)
{
    static const struct option longs[] = {
        IMG_COMMON_LONGS,
        {"source-image-opts", no_argument, 0, OPT_IMAGE_OPTS},
        {"image-opts", no_argument, 0, OPT_IMAGE_OPTS},
        {"force-share", no_argument, 0, 'U'},
        {"target-image-opts", no_argument, 0, OPT_TARGET_IMAGE_OPTS},
        {"salvage", no_argument, 0, OPT_SALVAGE},
        {"target-is-zero", no_argument, 0, OPT_TARGET_IS_ZERO},
        {"bitmaps", no_argument, 0, OPT_BITMAPS},
        {"skip-broken-bitmaps", no_argument, 0, OPT_SKIP_BROKEN},
        {0, 0, 0, 0},
    };
    Convert c = { .a = { .out_format = "raw" }, .sparse = 4096, .workers = 8 };
    int ret = 1;

    if (!img_parse(argc, argv, "f:O:B:CcF:o:l:S:pt:T:qnm:WUr:u", longs, &c.a, convert_option, &c)) {
        return 1;
    }
    if (!img_source_cache(&c.a)) {
        return 1;
    }
    if (c.rate && !img_size(c.rate, "rate limit", &c.bytes_per_s)) {
        return 1;
    }
    if (c.a.options && keyval_wants_help(c.a.options)) {
        const BlockDriver *d = block_driver_find(c.a.out_format);

        if (!d || !d->create_opts) {
            return tool_error("Unknown file format '%s'", c.a.out_format);
        }
        img_print_create_options(d, d->create_opts, argc - c.a.first > 1 ? argv[argc - 1] : NULL,
                                 false);
        return 0;
    }
    if (argc - c.a.first < 2) {
        return tool_error("Must specify image file name");
    }
    if (!take_options(&c) || !check_combination(&c)) {
        json_object_put(c.options);
        return 1;
    }
    c.count = (unsigned)(argc - c.a.first - 1);
    if (c.a.base && c.count > 1) {
        return tool_error("Having a backing file for the target makes no sense when concatenating "
                          "multiple input images");
    }
    if (!block_driver_find(c.a.out_format)) {
        return tool_error("Unknown file format '%s'", c.a.out_format);
    }
    if (co_open_sources(&c, argv + c.a.first)) {
        ret = co_run(&c, argv[argc - 1]);
    }
    for (unsigned i = 0; i < c.count; i++) {
        if (c.sources[i].n) {
            img_close(&c.sources[i]);
        }
    }
    g_free(c.sources);
    g_free(c.starts);
    json_object_put(c.options);
    return ret;
}
