// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu-img bench: how long a number of requests takes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "img.h"
#include "util/error.h"

typedef struct Bench {
    uint64_t count, depth, offset, pattern, size, step, flush_interval;
    bool write, no_drain;
    unsigned open_flags;
    BlockNode *n;
    uint8_t *data;              /* to be written */
    uint64_t next, since_flush;
    int ret;
} Bench;

static bool number(const char *arg, const char *name, uint64_t max, uint64_t *value)
{
    g_autoptr(GError) error = NULL;

    if (!size_parse(arg, name, value, &error)) {
        tool_error("Invalid %s specified. You may use k, M, G, T, P or E suffixes for", name);
        tool_error("kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.");
        exit(1);
    }
    if (*value > max) {
        tool_error("Invalid %s specified", name);
        exit(1);
    }
    return true;
}

static bool bench_option(int k, const char *arg, void *opaque)
{
    Bench *b = opaque;

    switch (k) {
    case 'c': return number(arg, "request count", INT32_MAX, &b->count);
    case 'd': return number(arg, "queue depth", INT32_MAX, &b->depth);
    case 'o': return number(arg, "offset", INT64_MAX, &b->offset);
    case 's': return number(arg, "buffer size", INT32_MAX, &b->size);
    case 'S': return number(arg, "step size", INT32_MAX, &b->step);
    case OPT_PATTERN: return number(arg, "pattern byte", 255, &b->pattern);
    case OPT_FLUSH_INTERVAL: return number(arg, "flush interval", INT32_MAX, &b->flush_interval);
    case OPT_NO_DRAIN: return b->no_drain = true;
    case 'w': return b->write = true;
    case 'i':
        if (!tool_aio_mode(arg, &b->open_flags)) {
            tool_error("Invalid aio option: %s", arg);
            exit(1);
        }
        return true;
    case 'n': return tool_aio_mode("native", &b->open_flags);
    default: return false;
    }
}

static void co_requests(void *opaque)
{
    Bench *b = opaque;
    uint8_t *buf = NULL;

    /* all that is written is the same; what is read goes to a buffer each */
    if (!b->write && posix_memalign((void **)&buf, 4096, MAX(b->size, 1)) != 0) {
        b->ret = -ENOMEM;
        return;
    }
    while (b->next < b->count && b->ret == 0) {
        uint64_t i = b->next++, at = b->offset + i * b->step;
        int ret;

        if (b->n->length >= b->size) {
            at %= b->n->length;
            at = MIN(at, b->n->length - b->size);
        }
        if (b->size > b->n->length) {
            b->ret = -EIO;
            break;
        }
        ret = b->write ? co_block_pwrite(b->n, at, b->data, b->size, 0)
                       : co_block_pread(b->n, at, buf, b->size);
        if (ret == 0 && b->flush_interval && ++b->since_flush >= b->flush_interval) {
            b->since_flush = 0;
            ret = co_block_flush(b->n);
        }
        b->ret = b->ret < 0 ? b->ret : ret;
    }
    free(buf);
}

int cmd_bench(int argc, char **argv)
{
    static const struct option longs[] = {
        IMG_COMMON_LONGS,
        {"flush-interval", required_argument, 0, OPT_FLUSH_INTERVAL},
        {"pattern", required_argument, 0, OPT_PATTERN},
        {"no-drain", no_argument, 0, OPT_NO_DRAIN},
        {"force-share", no_argument, 0, 'U'},
        {"image-opts", no_argument, 0, OPT_IMAGE_OPTS},
        {0, 0, 0, 0},
    };
    Bench b = { .count = 75000, .depth = 64, .size = 4096 };
    ImgArgs a = { .format = NULL };
    int64_t start;
    Img img;

    if (!img_parse(argc, argv, "hc:d:f:ni:o:qs:S:t:wU", longs, &a, bench_option, &b)) {
        return 1;
    }
    if (a.first + 1 != argc) {
        return img_usage("Expecting one image file name");
    }
    if (!b.write && b.flush_interval) {
        return tool_error("--flush-interval is only available in write tests");
    }
    if (b.flush_interval && b.flush_interval < b.depth) {
        return tool_error("Flush interval can't be smaller than depth");
    }
    if (!img_cache_mode(a.cache, "Invalid cache mode")) {
        return 1;
    }
    if (!img_open(&img, argv[a.first], &a, a.format, a.cache, b.open_flags, b.write)) {
        return 1;
    }
    b.n = img.n;
    b.step = b.step ? b.step : b.size;
    printf("Sending %" G_GUINT64_FORMAT " %s requests, %" G_GUINT64_FORMAT
           " bytes each, %" G_GUINT64_FORMAT
           " in parallel (starting at offset %" G_GUINT64_FORMAT
           ", step size %" G_GUINT64_FORMAT ")\n",
           b.count, b.write ? "write" : "read", b.size, b.depth, b.offset, b.step);
    if (b.flush_interval) {
        printf("Sending flush every %" G_GUINT64_FORMAT " %srequests\n", b.flush_interval,
               b.no_drain ? "" : "");
    }
    fflush(stdout);
    if (b.write) {
        if (posix_memalign((void **)&b.data, 4096, MAX(b.size, 1)) != 0) {
            img_close(&img);
            return tool_error("no memory for a buffer of %" G_GUINT64_FORMAT " bytes", b.size);
        }
        memset(b.data, (int)b.pattern, b.size);
    }
    start = g_get_monotonic_time();
    img_parallel((unsigned)MAX(1, MIN(b.depth, b.count)), co_requests, &b);
    if (b.ret < 0) {
        tool_error("Failed request: %s", g_strerror(-b.ret));
    } else {
        printf("Run completed in %3.3f seconds.\n", (double)(g_get_monotonic_time() - start) / 1e6);
    }
    img_close(&img);
    free(b.data);
    return b.ret < 0 ? 1 : 0;
}
