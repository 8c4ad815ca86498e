// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Images of Parallels (docs/interop/parallels of the format's owner, versions without and with
 * "Ext"): a table of 32-bit places behind the header. A mark in the header says that the image is
 * open for writing. Format extensions (bitmaps) are not read.
 */
#include <errno.h>
#include <string.h>

#include "block/driver.h"
#include "block/formats/mapped.h"
#include "util/bitops.h"
#include "util/bswap.h"
#include "util/error.h"

#define SECTOR 512u
#define HEADER_SIZE 64u
#define IN_USE 0x746f6e59u
#define DEFAULT_CLUSTER MIB
#define MAX_CLUSTER GIB
#define MAX_ENTRIES (INT32_MAX / 4)
/* The geometry that is written. */
#define HEADS 16u
#define SECTORS_PER_CYLINDER (HEADS * 32u)

/* Offsets in the header, which is little-endian. */
enum {
    H_VERSION = 16, H_HEADS = 20, H_CYLINDERS = 24, H_TRACKS = 28, H_ENTRIES = 32, H_SECTORS = 36,
    H_IN_USE = 44, H_DATA = 48,
};

typedef struct ParallelsState {
    Mapped map;
    uint32_t entries;
    uint32_t scale;             /* sectors that an entry counts */
    uint64_t data;              /* nothing is placed before */
} ParallelsState;

static int parallels_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= HEADER_SIZE && load_le32(head + H_VERSION) == 2 &&
                   (memcmp(head, "WithoutFreeSpace", 16) == 0 ||
                    memcmp(head, "WithouFreSpacExt", 16) == 0)
               ? 100
               : 0;
}

static int co_parallels_find(BlockNode *n, uint64_t offset, MapExtent *e)
{
    ParallelsState *s = n->state;
    uint64_t in_block = offset % s->map.unit;
    uint8_t raw[4];
    int ret = co_meta_read(&s->map.meta, HEADER_SIZE + offset / s->map.unit * 4, raw, sizeof(raw));

    e->len = MIN(e->len, s->map.unit - in_block);
    if (ret < 0) {
        return ret;
    }
    e->kind = load_le32(raw) ? MAP_DATA : MAP_ABSENT;
    e->where = (uint64_t)load_le32(raw) * s->scale * SECTOR + in_block;
    return 0;
}

static int co_parallels_place(BlockNode *n, uint64_t offset, MapExtent *e)
{
    ParallelsState *s = n->state;
    uint64_t step = (uint64_t)s->scale * SECTOR;
    g_autoptr(GError) why = NULL;

    if (n->file->length < s->data && !co_block_truncate(n->file, s->data, PREALLOC_OFF, &why)) {
        return -ENOSPC;
    }
    int ret = co_append_room(n->file, step, s->map.unit, &e->where, &e->fresh);

    return ret < 0 ? ret : e->where / step > UINT32_MAX ? -EFBIG : 0;
}

static int co_parallels_enter(BlockNode *n, uint64_t offset, const MapExtent *e)
{
    ParallelsState *s = n->state;
    uint8_t raw[4];

    store_le32(raw, (uint32_t)(e->where / ((uint64_t)s->scale * SECTOR)));
    return co_meta_write(&s->map.meta, HEADER_SIZE + offset / s->map.unit * 4, raw, sizeof(raw),
                         META_ROOT);
}

static int co_mark(BlockNode *n, uint32_t mark)
{
    uint8_t raw[4];
    int ret;

    store_le32(raw, mark);
    ret = co_block_pwrite(n->file, H_IN_USE, raw, sizeof(raw), 0);
    return ret < 0 ? ret : co_block_flush(n->file);
}

/* The header's first sector is in the cache, too, with the first entries: both are changed. */
static int co_parallels_begin(BlockNode *n)
{
    ParallelsState *s = n->state;
    uint8_t raw[4];
    int ret;

    store_le32(raw, IN_USE);
    ret = co_meta_write(&s->map.meta, H_IN_USE, raw, sizeof(raw), META_LEAF);
    return ret < 0 ? ret : co_mark(n, IN_USE);
}

static const MappedOps parallels_map = {
    .co_find = co_parallels_find, .co_place = co_parallels_place, .co_enter = co_parallels_enter,
    .co_begin_write = co_parallels_begin,
};

static bool parallels_open(BlockNode *n, struct json_object *opts, GError **error)
{
    ParallelsState *s = n->state;
    uint8_t h[HEADER_SIZE];
    uint64_t sectors, tracks, table_end;
    bool ext;

    if (!image_read(n->file, 0, h, sizeof(h), "header", error)) {
        return false;
    }
    ext = memcmp(h, "WithouFreSpacExt", 16) == 0;
    if ((!ext && memcmp(h, "WithoutFreeSpace", 16) != 0) || load_le32(h + H_VERSION) != 2) {
        return fail(error, "Image not in Parallels format");
    }
    sectors = load_le64(h + H_SECTORS);
    if (!ext) {
        sectors &= UINT32_MAX;
    }
    tracks = load_le32(h + H_TRACKS);
    s->entries = load_le32(h + H_ENTRIES);
    s->scale = ext ? (uint32_t)tracks : 1;
    if (tracks == 0) {
        return fail(error, "Invalid image: Zero sectors per track");
    }
    if (tracks > MAX_CLUSTER / SECTOR) {
        return fail(error, "Invalid image: Too big cluster");
    }
    if (s->entries > MAX_ENTRIES) {
        return fail(error, "Catalog too large");
    }
    if (sectors > INT64_MAX / SECTOR || div_round_up(sectors, tracks) > s->entries) {
        return fail(error,
                    "the catalog of '%s' has too few entries for its %" G_GUINT64_FORMAT " sectors",
                    n->filename, sectors);
    }
    table_end = HEADER_SIZE + s->entries * 4ull;
    if (table_end > n->file->length) {
        return fail(error, "the catalog of '%s' is cut off", n->filename);
    }
    s->data = (uint64_t)load_le32(h + H_DATA) * SECTOR;
    if (s->data < table_end) {
        s->data = round_up(table_end, SECTOR);
    }
    if (load_le32(h + H_IN_USE) == IN_USE && !n->read_only && !(n->open_flags & BLOCK_OPEN_CHECK)) {
        return fail(error,
                    "parallels: Image was not closed correctly; cannot be opened read/write");
    }
    n->length = sectors * SECTOR;
    n->align = SECTOR;
    s->map.ops = &parallels_map;
    s->map.unit = tracks * SECTOR;
    meta_init(&s->map.meta, n->file);
    return true;
}

static void co_close(void *opaque)
{
    BlockNode *n = opaque;
    ParallelsState *s = n->state;

    if (co_meta_flush(&s->map.meta) == 0 && co_block_flush(n->file) == 0) {
        co_mark(n, 0);
    }
}

static void parallels_close(BlockNode *n)
{
    ParallelsState *s = n->state;

    if (s->map.writing) {
        block_run(co_close, n);
    }
    mapped_close(n);
}

static bool co_parallels_info(BlockNode *n, BlockImageInfo *info, GError **error)
{
    ParallelsState *s = n->state;

    info->cluster_size = s->map.unit;
    info->zero_init = true;
    return true;
}

/* ---- check ---- */

static void say(BlockCheck *c, bool mend, const char *fmt, uint64_t number)
{
    g_autofree char *what = g_strdup_printf(fmt, number);
    g_autofree char *line = g_strconcat(mend ? "Repairing " : "ERROR ", what, NULL);

    if (c->say) {
        c->say(c, line);
    }
}

/* Where the block lies; 0: nowhere. < 0: -errno. */
static int co_entry(ParallelsState *s, uint32_t i, uint64_t *where)
{
    uint8_t raw[4];
    int ret = co_meta_read(&s->map.meta, HEADER_SIZE + i * 4ull, raw, sizeof(raw));

    *where = (uint64_t)load_le32(raw) * s->scale * SECTOR;
    return ret;
}

/* A block that shares its place gets one of its own, with the same content. */
static int co_separate(BlockNode *n, uint32_t i, uint64_t where)
{
    ParallelsState *s = n->state;
    MapExtent e = { .len = s->map.unit };
    g_autofree uint8_t *buf = g_try_malloc(s->map.unit);
    int ret = buf ? co_block_pread(n->file, where, buf, s->map.unit) : -ENOMEM;

    ret = ret < 0 ? ret : co_parallels_place(n, i * s->map.unit, &e);
    ret = ret < 0 ? ret : co_block_pwrite(n->file, e.where, buf, s->map.unit, 0);
    ret = ret < 0 ? ret : co_block_flush(n->file);
    return ret < 0 ? ret : co_parallels_enter(n, i * s->map.unit, &e);
}

static void note_mended(BlockCheck *c, bool mend, int ret)
{
    c->corruptions++;
    if (mend && ret < 0) {
        c->check_errors++;
    } else if (mend) {
        c->corruptions_fixed++;
    }
}

/* Blocks beyond the end of the file, and those that share a place; *end: behind the last one. */
static void co_check_blocks(BlockNode *n, BlockCheck *c, bool mend, uint64_t *end)
{
    ParallelsState *s = n->state;
    uint64_t unit = s->map.unit, last = 0, length = n->file->length;
    g_autoptr(GHashTable) used = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    uint32_t count = (uint32_t)div_round_up(n->length, unit);

    c->total_clusters = count;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t where;

        if (co_entry(s, i, &where) < 0) {
            c->check_errors++;
            continue;
        }
        if (where == 0) {
            continue;
        }
        if (where >= length) {
            say(c, mend, "cluster %" G_GUINT64_FORMAT " is outside image", i);
            note_mended(c, mend,
                        mend ? co_parallels_enter(n, i * unit, &(MapExtent){ .where = 0 }) : 0);
            if (mend) {
                continue;
            }
        } else if (!g_hash_table_add(used, g_memdup2(&where, sizeof(where)))) {
            say(c, mend, "cluster %" G_GUINT64_FORMAT " shares its place with another one", i);
            note_mended(c, mend, mend ? co_separate(n, i, where) : 0);
            if (mend && co_entry(s, i, &where) < 0) {
                continue;
            }
        }
        c->allocated_clusters++;
        c->fragmented_clusters += last != 0 && where != last;
        last = where + unit;
        *end = MAX(*end, last);
    }
}

static bool co_parallels_check(BlockNode *n, BlockCheck *result, unsigned fix, GError **error)
{
    ParallelsState *s = n->state;
    bool mend = fix & BLOCK_FIX_ERRORS;
    uint64_t end = s->data;
    uint8_t raw[4];
    int ret = co_meta_read(&s->map.meta, H_IN_USE, raw, sizeof(raw));

    if (ret == 0 && load_le32(raw) == IN_USE) {
        if (result->say) {
            result->say(result, mend ? "Repairing image was not closed correctly"
                                     : "ERROR image was not closed correctly");
        }
        store_le32(raw, 0);
        note_mended(result, mend, mend ? co_meta_write(&s->map.meta, H_IN_USE, raw, sizeof(raw),
                                                       META_ROOT) : 0);
    }
    co_check_blocks(n, result, mend, &end);
    result->image_end_offset = (int64_t)end;
    if (n->file->length > end) {
        uint64_t extra = n->file->length - end;
        int64_t leaks = (int64_t)div_round_up(extra, s->map.unit);

        say(result, fix & BLOCK_FIX_LEAKS,
            "space leaked at the end of the image %" G_GUINT64_FORMAT, extra);
        result->leaks += leaks;
        if (fix & BLOCK_FIX_LEAKS) {
            if (!co_block_truncate(n->file, end, PREALLOC_OFF, error)) {
                return false;
            }
            result->leaks_fixed += leaks;
        }
    }
    if (fix) {
        ret = co_meta_flush(&s->map.meta);
        ret = ret < 0 ? ret : co_block_flush(n->file);
    }
    return ret == 0 || fail_errno(error, -ret, "cannot write what was mended");
}

static bool co_parallels_format(BlockNode *file, struct json_object *opts, GError **error)
{
    uint64_t cluster = opts_number(opts, "cluster_size", DEFAULT_CLUSTER);
    uint64_t size = round_up(opts_number(opts, "size", 0), SECTOR), entries, data;
    uint8_t h[HEADER_SIZE] = { 0 };

    cluster = round_up(cluster, SECTOR);
    if (cluster == 0 || cluster > MAX_CLUSTER) {
        return fail(error, "Cluster size must be at least 1 byte and at most 1 GiB");
    }
    entries = div_round_up(size, cluster);
    if (entries > MAX_ENTRIES) {
        return fail_errno(error, E2BIG, "Image size is too large for this cluster size");
    }
    data = round_up(div_round_up(HEADER_SIZE + entries * 4, cluster) * cluster, SECTOR);
    memcpy(h, "WithouFreSpacExt", 16);
    store_le32(h + H_VERSION, 2);
    store_le32(h + H_HEADS, HEADS);
    store_le32(h + H_CYLINDERS, (uint32_t)(size / SECTOR / SECTORS_PER_CYLINDER));
    store_le32(h + H_TRACKS, (uint32_t)(cluster / SECTOR));
    store_le32(h + H_ENTRIES, (uint32_t)entries);
    store_le64(h + H_SECTORS, size / SECTOR);
    store_le32(h + H_DATA, (uint32_t)(data / SECTOR));
    return co_block_truncate(file, data, PREALLOC_OFF, error) &&
           image_write(file, 0, h, sizeof(h), error);
}

static const OptDesc parallels_create_opts[] = {
    { "size", OPT_SIZE, "Virtual disk size" },
    { "cluster_size", OPT_SIZE, "Parallels image cluster size", "1048576" },
    { NULL },
};

static const BlockDriver parallels_driver = {
    .name = "parallels", .desc = "Parallels disk image", .state_size = sizeof(ParallelsState),
    .probe = parallels_probe, .open = parallels_open, .close = parallels_close,
    .co_preadv = co_mapped_preadv, .co_pwritev = co_mapped_pwritev, .co_flush = co_mapped_flush,
    .co_write_zeroes = co_mapped_write_zeroes, .co_block_status = co_mapped_status,
    .co_check = co_parallels_check, .create_opts = parallels_create_opts,
    .co_format = co_parallels_format, .co_info = co_parallels_info,
};
BLOCK_DRIVER(parallels_driver);
