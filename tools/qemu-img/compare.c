// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * qemu-img compare: whether two disks have the same content. Chunks are read and compared several
 * at a time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "img.h"
#include "util/error.h"
#include "util/iov.h"

#define CHUNK (1 * MIB)
#define WORKERS 4

typedef struct Compare {
    BlockNode *n[2];
    ImgStatus known[2];
    bool strict;
    uint64_t total, at, shown;
    CoMutex lock;
    uint64_t mismatch;          /* the first known; UINT64_MAX: none */
    const char *what;
    int ret;                    /* exit code of a failure */
} Compare;

/* Position of the first difference, or len. */
static uint64_t first_difference(const uint8_t *a, const uint8_t *b, uint64_t len)
{
    uint64_t i = 0;

    if (memcmp(a, b, len) == 0) {
        return len;
    }
    while (i < len && memcmp(a + i, b + i, MIN(512, len - i)) == 0) {
        i += 512;
    }
    return MIN(i, len);
}

static void note(Compare *c, uint64_t at, const char *what)
{
    if (at < c->mismatch) {
        c->mismatch = at;
        c->what = what;
    }
}

static bool failed(Compare *c, int i, uint64_t at, const char *filename, int ret)
{
    tool_error("Error while reading offset %" G_GUINT64_FORMAT " of %s: %s", at, filename,
               g_strerror(-ret));
    c->ret = 4;
    return false;
}

/* The next range, and whether each side is all zero there. */
static bool co_next(Compare *c, uint64_t *at, uint64_t *bytes, bool zero[2])
{
    bool allocated[2];

    *at = c->at;
    *bytes = c->total - c->at;
    for (unsigned i = 0; i < 2; i++) {
        BlockStatus st;
        int ret;

        allocated[i] = false;
        zero[i] = true;
        if (*at >= c->n[i]->length) {
            continue;
        }
        ret = co_img_status(&c->known[i], c->n[i], NULL, *at, true, &st);
        if (ret < 0) {
            c->ret = 3;
            tool_error("Sector allocation test failed for %s", c->n[i]->filename);
            return false;
        }
        *bytes = MIN(*bytes, st.bytes);
        zero[i] = st.flags & BLOCK_STATUS_ZERO;
        allocated[i] =
            (st.flags & BLOCK_STATUS_ALLOCATED) && !(zero[i] && !(st.flags & BLOCK_STATUS_DATA));
    }
    if (c->strict && *at < MIN(c->n[0]->length, c->n[1]->length) && allocated[0] != allocated[1]) {
        note(c, *at, "allocation");
    }
    if (!(zero[0] && zero[1])) {
        *bytes = MIN(*bytes, CHUNK);
    }
    c->at += *bytes;
    return true;
}

static bool co_compare_range(Compare *c, uint64_t at, uint64_t bytes, const bool zero[2],
                             uint8_t *bufs)
{
    for (int i = 0; i < 2; i++) {
        int ret = zero[i] ? 0 : co_block_pread(c->n[i], at, bufs + i * CHUNK, bytes);

        if (ret < 0) {
            return failed(c, i, at, c->n[i]->filename, ret);
        }
    }
    if (!zero[0] && !zero[1]) {
        uint64_t same = first_difference(bufs, bufs + CHUNK, bytes);

        if (same < bytes) {
            note(c, at + same, "content");
        }
    } else if (zero[0] != zero[1]) {
        const uint8_t *data = bufs + (zero[0] ? CHUNK : 0);

        if (!buffer_is_zero(data, bytes)) {
            uint64_t i = 0;

            while (buffer_is_zero(data + i, MIN(512, bytes - i))) {
                i += 512;
            }
            note(c, at + i, "content");
        }
    }
    return true;
}

static void co_worker(void *opaque)
{
    Compare *c = opaque;
    uint8_t *bufs = NULL;

    if (posix_memalign((void **)&bufs, 4096, 2 * CHUNK) != 0) {
        c->ret = 4;
        return;
    }
    for (;;) {
        bool zero[2], more;
        uint64_t at, bytes;

        co_mutex_lock(&c->lock);
        more = c->at < c->total && !c->ret && c->at < c->mismatch && co_next(c, &at, &bytes, zero);
        co_mutex_unlock(&c->lock);
        if (!more || !co_compare_range(c, at, bytes, zero, bufs)) {
            break;
        }
        if (c->mismatch == UINT64_MAX && at + bytes > c->shown) {
            c->shown = at + bytes;
            img_progress(c->shown, c->total);
        }
    }
    free(bufs);
}

static bool compare_option(int k, const char *arg, void *opaque)
{
    *(bool *)opaque |= k == 's';
    return k == 's';
}

int cmd_compare(int argc, char **argv)
{
    static const struct option longs[] = {
        IMG_COMMON_LONGS,
        {"image-opts", no_argument, 0, OPT_IMAGE_OPTS},
        {"force-share", no_argument, 0, 'U'},
        {0, 0, 0, 0},
    };
    Compare c = { .mismatch = UINT64_MAX };
    ImgArgs a = { .format = NULL };
    Img one = { NULL, NULL }, two = { NULL, NULL };
    int ret = 2;

    if (!img_parse(argc, argv, "f:F:T:pqsU", longs, &a, compare_option, &c.strict)) {
        return 1;
    }
    if (a.first + 2 != argc) {
        return img_usage("Expecting two image file names");
    }
    if (!img_source_cache(&a)) {
        return 2;
    }
    if (!img_open(&one, argv[a.first], &a, a.format, a.src_cache, 0, false)) {
        return 2;
    }
    if (!img_open(&two, argv[a.first + 1], &a, a.base_format, a.src_cache, 0, false)) {
        img_close(&one);
        return 2;
    }
    c.n[0] = one.n;
    c.n[1] = two.n;
    c.total = MAX(one.n->length, two.n->length);
    if (one.n->length != two.n->length) {
        if (c.strict) {
            if (!a.quiet) {
                printf("Strict mode: Image size mismatch!\n");
            }
            ret = 1;
            goto out;
        }
    }
    img_progress_start(a.progress && !a.quiet);
    img_parallel(WORKERS, co_worker, &c);
    ret = c.ret;
    if (!ret && !a.quiet && one.n->length != two.n->length &&
        c.mismatch >= MIN(one.n->length, two.n->length)) {
        printf("Warning: Image size mismatch!\n");
    }
    if (!ret && c.mismatch != UINT64_MAX) {
        if (!a.quiet) {
            printf(c.what[0] == 'a' ? "Strict mode: Offset %" G_GUINT64_FORMAT
                                      " block status mismatch!\n"
                                    : "Content mismatch at offset %" G_GUINT64_FORMAT "!\n",
                   c.mismatch);
        }
        ret = 1;
    } else if (!ret) {
        img_progress_end();
        if (!a.quiet) {
            printf("Images are identical.\n");
        }
    }
out:
    img_close(&one);
    img_close(&two);
    return ret;
}
