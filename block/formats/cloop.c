// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compressed loop images, version 2, read-only: a table of big-endian offsets, and blocks that zlib
 * has packed.
 */
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "block/driver.h"
#include "block/formats/mapped.h"
#include "util/bswap.h"
#include "util/error.h"

#define PREAMBLE 128u
#define MAX_BLOCK (64 * MIB)
#define MAX_BLOCKS (512 * MIB / 8)
#define MAX_PACKED (128 * MIB)

typedef struct CloopState {
    Mapped map;
    uint32_t blocks;
    uint64_t current;           /* block that is unpacked, UINT64_MAX: none */
    uint8_t *unpacked;
    CoMutex lock;
} CloopState;

static int cloop_probe(const uint8_t *head, size_t len, const char *filename)
{
    static const char magic[] =
        "#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 /dev/cloop $1\n";

    return len >= sizeof(magic) - 1 && memcmp(head, magic, sizeof(magic) - 1) == 0 ? 2 : 0;
}

static int co_cloop_find(BlockNode *n, uint64_t offset, MapExtent *e)
{
    CloopState *s = n->state;

    e->len = MIN(e->len, s->map.unit - offset % s->map.unit);
    e->kind = MAP_PACKED;
    e->where = offset / s->map.unit;
    return 0;
}

typedef struct Unpacking {
    uint8_t *to;
    const uint8_t *from;
    size_t len, have;
} Unpacking;

static int unpack_work(void *arg)
{
    const Unpacking *u = arg;
    uLongf made = u->len;

    return uncompress(u->to, &made, u->from, u->have) == Z_OK && made == u->len ? 0 : -EIO;
}

static int co_load(BlockNode *n, uint64_t block)
{
    CloopState *s = n->state;
    uint8_t raw[16];
    uint64_t at, end;
    Unpacking u = {.to = s->unpacked, .len = s->map.unit};
    int ret = s->current == block
                  ? 0
                  : co_meta_read(&s->map.meta, PREAMBLE + 8 + block * 8, raw, sizeof(raw));

    if (ret < 0 || s->current == block) {
        return ret;
    }
    at = load_be64(raw);
    end = load_be64(raw + 8);
    if (at >= end || end > n->file->length || end - at > MAX_PACKED ||
        end - at > 2 * s->map.unit + 4096) {
        return -EIO;
    }
    g_autofree uint8_t *packed = g_malloc(end - at);

    ret = co_block_pread(n->file, at, packed, end - at);
    if (ret < 0) {
        return ret;
    }
    s->current = UINT64_MAX;
    u.from = packed;
    u.have = end - at;
    ret = co_in_worker(unpack_work, &u);
    if (ret < 0) {
        return ret;
    }
    s->current = block;
    return 0;
}

static int co_cloop_unpack(BlockNode *n, uint64_t offset, const MapExtent *e, void *buf)
{
    CloopState *s = n->state;
    int ret;

    co_mutex_lock(&s->lock);
    ret = co_load(n, e->where);
    if (ret == 0) {
        memcpy(buf, s->unpacked + offset % s->map.unit, e->len);
    }
    co_mutex_unlock(&s->lock);
    return ret;
}

static const MappedOps cloop_map = { .co_find = co_cloop_find, .co_unpack = co_cloop_unpack };

static bool cloop_open(BlockNode *n, struct json_object *opts, GError **error)
{
    CloopState *s = n->state;
    uint8_t h[8];

    if (!n->read_only && !(n->open_flags & BLOCK_OPEN_AUTO_READ_ONLY)) {
        return fail(error, "Block format 'cloop' does not support writing: open it read-only");
    }
    n->read_only = true;
    if (!image_read(n->file, PREAMBLE, h, sizeof(h), "header", error)) {
        return false;
    }
    s->map.unit = load_be32(h);
    s->blocks = load_be32(h + 4);
    if (s->map.unit == 0 || s->map.unit % 512) {
        return fail(error, "block_size %u must be a multiple of 512", load_be32(h));
    }
    if (s->map.unit > MAX_BLOCK) {
        return fail(error, "block_size %u must be %u MB or less", load_be32(h),
                    (unsigned)(MAX_BLOCK / MIB));
    }
    if (s->blocks > MAX_BLOCKS || PREAMBLE + 16 + s->blocks * 8ull > n->file->length) {
        return fail(error, "image requires too many offsets, try increasing block size");
    }
    n->length = s->blocks * s->map.unit;
    n->align = 512;
    s->map.ops = &cloop_map;
    s->current = UINT64_MAX;
    s->unpacked = g_malloc(s->map.unit);
    meta_init(&s->map.meta, n->file);
    return true;
}

static void cloop_close(BlockNode *n)
{
    mapped_close(n);
    g_free(((CloopState *)n->state)->unpacked);
}

static const BlockDriver cloop_driver = {
    .name = "cloop", .desc = "compressed loop image", .state_size = sizeof(CloopState), .probe = cloop_probe,
    .open = cloop_open, .close = cloop_close, .co_preadv = co_mapped_preadv, .co_block_status = co_mapped_status,
};
BLOCK_DRIVER(cloop_driver);
