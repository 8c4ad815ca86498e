// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Growing disks of Bochs, versions 1 and 2, read-only: a catalog of extents, each with a bitmap of
 * its sectors.
 */
#include <errno.h>
#include <string.h>

#include "block/driver.h"
#include "block/formats/mapped.h"
#include "util/bitops.h"
#include "util/bswap.h"
#include "util/error.h"

#define HEADER_SIZE 512u
#define VERSION_1 0x00010000u
#define VERSION_2 0x00020000u
#define MAX_CATALOG 0x100000u
#define MAX_EXTENT 0x800000u
#define ABSENT 0xffffffffu

typedef struct BochsState {
    Mapped map;
    uint64_t catalog, data, bitmap_bytes;
    uint32_t entries;
} BochsState;

static int bochs_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= HEADER_SIZE && strncmp((const char *)head, "Bochs Virtual HD Image", 32) == 0 &&
                   strncmp((const char *)head + 32, "Redolog", 16) == 0 &&
                   strncmp((const char *)head + 48, "Growing", 16) == 0
               ? 100
               : 0;
}

static int co_bochs_find(BlockNode *n, uint64_t offset, MapExtent *e)
{
    BochsState *s = n->state;
    uint64_t index = offset / s->map.unit, in_extent = offset % s->map.unit, at;
    uint8_t raw[4], bits;
    int ret;

    e->len = MIN(e->len, s->map.unit - in_extent);
    e->kind = MAP_ABSENT;
    if (index >= s->entries) {
        return -EIO;
    }
    ret = co_meta_read(&s->map.meta, s->catalog + index * 4, raw, sizeof(raw));
    if (ret < 0 || load_le32(raw) == ABSENT) {
        return ret;
    }
    at = s->data + load_le32(raw) * (s->bitmap_bytes + s->map.unit);
    for (uint64_t len = 0, sector = in_extent / 512; len < e->len; sector++) {
        bool set;

        ret = co_meta_read(&s->map.meta, at + sector / 8, &bits, 1);
        if (ret < 0) {
            return ret;
        }
        set = bits >> (sector % 8) & 1;
        if (len == 0) {
            e->kind = set ? MAP_DATA : MAP_ABSENT;
        } else if (set != (e->kind == MAP_DATA)) {
            e->len = len;
            break;
        }
        len += 512 - (len == 0 ? in_extent % 512 : 0);
    }
    e->where = at + s->bitmap_bytes + in_extent;
    return 0;
}

static const MappedOps bochs_map = { .co_find = co_bochs_find };

static bool bochs_open(BlockNode *n, struct json_object *opts, GError **error)
{
    BochsState *s = n->state;
    uint8_t h[HEADER_SIZE];
    uint32_t version, header, bitmap, extent;

    if (!n->read_only && !(n->open_flags & BLOCK_OPEN_AUTO_READ_ONLY)) {
        return fail(error, "Block format 'bochs' does not support writing: open it read-only");
    }
    n->read_only = true;
    if (!image_read(n->file, 0, h, sizeof(h), "header", error)) {
        return false;
    }
    version = load_le32(h + 64);
    if (!bochs_probe(h, sizeof(h), NULL) || (version != VERSION_1 && version != VERSION_2)) {
        return fail(error, "Image not in Bochs format");
    }
    header = load_le32(h + 68);
    s->entries = load_le32(h + 72);
    bitmap = load_le32(h + 76);
    extent = load_le32(h + 80);
    n->length = load_le64(h + (version == VERSION_1 ? 84 : 88));
    if (s->entries > MAX_CATALOG) {
        return fail(error, "Catalog size is too large");
    }
    if (extent < 512 || !is_power_of_2(extent) || extent > MAX_EXTENT) {
        return fail(error, "Extent size %u is not a power of two between 512 and %u", extent,
                    MAX_EXTENT);
    }
    if (bitmap > extent / 8 || bitmap < div_round_up(extent / 512, 8)) {
        return fail(error, "Bitmap of %u bytes does not fit an extent of %u", bitmap, extent);
    }
    if (n->length > INT64_MAX || div_round_up(n->length, extent) > s->entries) {
        return fail(error, "Catalog size is too small for this disk size");
    }
    s->catalog = header;
    s->data = header + s->entries * 4ull;
    if (s->data > n->file->length) {
        return fail(error, "the catalog of '%s' lies beyond the end of the file", n->filename);
    }
    s->bitmap_bytes = round_up(bitmap, 512);
    n->length = round_up(n->length, 512);
    n->align = 512;
    s->map.ops = &bochs_map;
    s->map.unit = extent;
    meta_init(&s->map.meta, n->file);
    return true;
}

static const BlockDriver bochs_driver = {
    .name = "bochs", .desc = "growing disk of Bochs", .state_size = sizeof(BochsState), .probe = bochs_probe,
    .open = bochs_open, .close = mapped_close, .co_preadv = co_mapped_preadv, .co_block_status = co_mapped_status,
};
BLOCK_DRIVER(bochs_driver);
