// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Images of VirtualBox, version 1.1: a table of 32-bit block numbers behind the header, then
 * blocks. Images with a parent (differencing) are refused.
 */
#include <errno.h>
#include <string.h>

#include "block/driver.h"
#include "block/formats/mapped.h"
#include "util/bitops.h"
#include "util/bswap.h"
#include "util/error.h"

#define SECTOR 512u
#define HEADER_SIZE 512u
#define SIGNATURE 0xbeda107fu
#define VERSION_1_1 0x10001u
#define BLOCK ((uint64_t)MIB)
#define NO_BLOCK 0xffffffffu
#define ZERO_BLOCK 0xfffffffeu
#define MAX_BLOCKS 0x1fffffffu

enum { TYPE_DYNAMIC = 1, TYPE_STATIC = 2 };

/* Offsets in the header, which is little-endian. */
enum {
    H_TEXT = 0, H_SIGNATURE = 0x40, H_VERSION = 0x44, H_HEADER_SIZE = 0x48, H_TYPE = 0x4c,
    H_TABLE = 0x154, H_DATA = 0x158, H_SECTOR = 0x168, H_SIZE = 0x170, H_BLOCK = 0x178,
    H_EXTRA = 0x17c, H_BLOCKS = 0x180, H_ALLOCATED = 0x184, H_UUID = 0x188, H_LAST_UUID = 0x198,
    H_LINK = 0x1a8, H_PARENT = 0x1b8,
};

typedef struct VdiState {
    Mapped map;
    uint64_t table, data;
    uint32_t blocks, allocated;
} VdiState;

static int vdi_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= H_SIGNATURE + 4 && load_le32(head + H_SIGNATURE) == SIGNATURE ? 100 : 0;
}

static int co_vdi_find(BlockNode *n, uint64_t offset, MapExtent *e)
{
    VdiState *s = n->state;
    uint64_t in_block = offset % BLOCK;
    uint8_t raw[4];
    int ret = co_meta_read(&s->map.meta, s->table + offset / BLOCK * 4, raw, sizeof(raw));
    uint32_t entry = load_le32(raw);

    e->len = MIN(e->len, BLOCK - in_block);
    if (ret < 0) {
        return ret;
    }
    if (entry >= ZERO_BLOCK) {
        e->kind = entry == NO_BLOCK ? MAP_ABSENT : MAP_ZERO;
        return 0;
    }
    e->kind = MAP_DATA;
    e->where = s->data + entry * BLOCK + in_block;
    return 0;
}

static int co_vdi_place(BlockNode *n, uint64_t offset, MapExtent *e)
{
    VdiState *s = n->state;
    g_autoptr(GError) why = NULL;

    if (s->allocated >= ZERO_BLOCK) {
        return -EFBIG;
    }
    e->where = s->data + s->allocated * BLOCK;
    e->fresh = e->where >= n->file->length;
    if (e->where + BLOCK > n->file->length &&
        !co_block_truncate(n->file, e->where + BLOCK, PREALLOC_OFF, &why)) {
        return -ENOSPC;
    }
    return 0;
}

static int co_vdi_enter(BlockNode *n, uint64_t offset, const MapExtent *e)
{
    VdiState *s = n->state;
    uint8_t entry[4], count[4];
    int ret;

    store_le32(entry, s->allocated++);
    store_le32(count, s->allocated);
    ret = co_meta_write(&s->map.meta, H_ALLOCATED, count, sizeof(count), META_LEAF);
    return ret < 0 ? ret : co_meta_write(&s->map.meta, s->table + offset / BLOCK * 4, entry,
                                         sizeof(entry), META_ROOT);
}

static const MappedOps vdi_map = {
    .co_find = co_vdi_find, .co_place = co_vdi_place, .co_enter = co_vdi_enter,
};

static bool vdi_open(BlockNode *n, struct json_object *opts, GError **error)
{
    static const uint8_t no_uuid[16];
    VdiState *s = n->state;
    uint8_t h[HEADER_SIZE];
    uint64_t size;

    if (!image_read(n->file, 0, h, sizeof(h), "header", error)) {
        return false;
    }
    if (load_le32(h + H_SIGNATURE) != SIGNATURE) {
        return fail(error, "Image not in VDI format (bad signature %08x)",
                    load_le32(h + H_SIGNATURE));
    }
    if (load_le32(h + H_VERSION) != VERSION_1_1) {
        return fail(error, "unsupported VDI image (version %u.%u)", load_le16(h + H_VERSION + 2),
                    load_le16(h + H_VERSION));
    }
    size = round_up(load_le64(h + H_SIZE), SECTOR);
    s->table = load_le32(h + H_TABLE);
    s->data = load_le32(h + H_DATA);
    s->blocks = load_le32(h + H_BLOCKS);
    s->allocated = load_le32(h + H_ALLOCATED);
    if (s->table % SECTOR || s->data % SECTOR) {
        return fail(error,
                    "unsupported VDI image (unaligned block map offset 0x%x, data offset 0x%x)",
                    (unsigned)s->table, (unsigned)s->data);
    }
    if (load_le32(h + H_SECTOR) != SECTOR || load_le32(h + H_BLOCK) != BLOCK ||
        load_le32(h + H_EXTRA) != 0) {
        return fail(error, "unsupported VDI image (sector size %u, block size %u, extra %u)",
                    load_le32(h + H_SECTOR), load_le32(h + H_BLOCK), load_le32(h + H_EXTRA));
    }
    if (s->blocks > MAX_BLOCKS || size > s->blocks * BLOCK) {
        return fail(error,
                    "unsupported VDI image (disk size %" G_GUINT64_FORMAT ", image bitmap has room "
                    "for %" G_GUINT64_FORMAT ")",
                    size, s->blocks * BLOCK);
    }
    if (memcmp(h + H_LINK, no_uuid, 16) != 0 || memcmp(h + H_PARENT, no_uuid, 16) != 0) {
        return fail(error, "unsupported VDI image (it has a parent)");
    }
    if (s->table < HEADER_SIZE || s->table + s->blocks * 4ull > n->file->length ||
        (s->table + s->blocks * 4ull > s->data && s->blocks)) {
        return fail(error, "the block map of '%s' does not fit between its header and its data",
                    n->filename);
    }
    n->length = size;
    n->align = SECTOR;
    s->map.ops = &vdi_map;
    s->map.unit = BLOCK;
    s->map.recurse = load_le32(h + H_TYPE) == TYPE_STATIC;
    meta_init(&s->map.meta, n->file);
    return true;
}

static bool co_vdi_info(BlockNode *n, BlockImageInfo *info, GError **error)
{
    info->cluster_size = BLOCK;
    info->zero_init = true;
    return true;
}

static void random_uuid(uint8_t *uuid)
{
    for (unsigned i = 0; i < 16; i += 4) {
        store_be32(uuid + i, g_random_int());
    }
    uuid[7] = (uuid[7] & 0x0f) | 0x40;
    uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

static bool co_vdi_format(BlockNode *file, struct json_object *opts, GError **error)
{
    uint64_t size = round_up(opts_number(opts, "size", 0), SECTOR);
    uint64_t blocks = div_round_up(size, BLOCK), table_bytes = round_up(blocks * 4, SECTOR);
    bool fixed = opts_bool(opts, "static", false);
    g_autofree uint8_t *table = NULL;
    uint8_t h[HEADER_SIZE] = { 0 };

    if (blocks > MAX_BLOCKS) {
        return fail(error,
                    "Unsupported VDI image size (size is 0x%" G_GINT64_MODIFIER
                    "x, max supported is 0x%" G_GINT64_MODIFIER "x)",
                    size, MAX_BLOCKS * BLOCK);
    }
    g_strlcpy((char *)h + H_TEXT, "<<< QEMU VM Virtual Disk Image >>>\n", 64);
    store_le32(h + H_SIGNATURE, SIGNATURE);
    store_le32(h + H_VERSION, VERSION_1_1);
    store_le32(h + H_HEADER_SIZE, 0x180);
    store_le32(h + H_TYPE, fixed ? TYPE_STATIC : TYPE_DYNAMIC);
    store_le32(h + H_TABLE, HEADER_SIZE);
    store_le32(h + H_DATA, (uint32_t)(HEADER_SIZE + table_bytes));
    store_le32(h + H_SECTOR, SECTOR);
    store_le64(h + H_SIZE, size);
    store_le32(h + H_BLOCK, BLOCK);
    store_le32(h + H_BLOCKS, (uint32_t)blocks);
    store_le32(h + H_ALLOCATED, fixed ? (uint32_t)blocks : 0);
    random_uuid(h + H_UUID);
    random_uuid(h + H_LAST_UUID);
    table = g_malloc0(MAX(table_bytes, 1));
    for (uint32_t i = 0; i < blocks; i++) {
        store_le32(table + i * 4ull, fixed ? i : NO_BLOCK);
    }
    if (!image_write(file, 0, h, sizeof(h), error) ||
        (table_bytes && !image_write(file, HEADER_SIZE, table, table_bytes, error))) {
        return false;
    }
    return !fixed ||
           co_block_truncate(file, HEADER_SIZE + table_bytes + blocks * BLOCK, PREALLOC_OFF, error);
}

static const OptDesc vdi_create_opts[] = {
    { "size", OPT_SIZE, "Virtual disk size" },
    { "static", OPT_BOOL, "VDI static (pre-allocated) image", "off" },
    { NULL },
};

static const BlockDriver vdi_driver = {
    .name = "vdi", .desc = "VirtualBox disk image", .state_size = sizeof(VdiState),
    .probe = vdi_probe, .open = vdi_open, .close = mapped_close,
    .co_preadv = co_mapped_preadv, .co_pwritev = co_mapped_pwritev, .co_flush = co_mapped_flush,
    .co_write_zeroes = co_mapped_write_zeroes, .co_block_status = co_mapped_status,
    .co_check = co_mapped_check_only, .create_opts = vdi_create_opts, .co_format = co_vdi_format,
    .co_info = co_vdi_info,
};
BLOCK_DRIVER(vdi_driver);
