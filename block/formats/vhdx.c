// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hyper-V disks (MS-VHDX, revision 8): two headers of which the newer one counts, regions, metadata
 * items, a table of blocks of 1 MiB to 256 MiB. Blocks of differencing disks of which some sectors
 * are the parent's have a sector bitmap; when such a sector is written, the block gets the rest
 * from the parent, and needs the bitmap no longer.
 */
#include "block/formats/vhdx.h"

#include <errno.h>
#include <string.h>

#include "util/bitops.h"
#include "util/bswap.h"
#include "util/crc32c.h"
#include "util/error.h"

#define MAX_REGIONS 2047u
#define MAX_ITEMS 2047u
#define MAX_LOCATOR (64 * KIB)
#define OFFSET_MASK (~(uint64_t)(MIB - 1))

const uint8_t vhdx_region_table[] = {0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0x00, 0x42,
                                     0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 0x08};
const uint8_t vhdx_region_metadata[] = {0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b,
                                        0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e};
const uint8_t vhdx_item_parameters[] = {0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d,
                                        0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b};
const uint8_t vhdx_item_size[] = {0x24, 0x42, 0xa5, 0x2f, 0x1b, 0xcd, 0x76, 0x48,
                                  0xb2, 0x11, 0x5d, 0xbe, 0xd8, 0x3b, 0xf4, 0xb8};
const uint8_t vhdx_item_id[] = {0xab, 0x12, 0xca, 0xbe, 0xe6, 0xb2, 0x23, 0x45,
                                0x93, 0xef, 0xc3, 0x09, 0xe0, 0x00, 0xc7, 0x46};
const uint8_t vhdx_item_sector[] = {0x1d, 0xbf, 0x41, 0x81, 0x6f, 0xa9, 0x09, 0x47,
                                    0xba, 0x47, 0xf2, 0x33, 0xa8, 0xfa, 0xab, 0x5f};
const uint8_t vhdx_item_physical[] = {0xc7, 0x48, 0xa3, 0xcd, 0x5d, 0x44, 0x71, 0x44,
                                      0x9c, 0xc9, 0xe9, 0x88, 0x52, 0x51, 0xc5, 0x56};
const uint8_t vhdx_item_parent[] = {0x2d, 0x5f, 0xd3, 0xa8, 0x0b, 0xb3, 0x4d, 0x45,
                                    0xab, 0xf7, 0xd3, 0xd8, 0x48, 0x34, 0xab, 0x0c};

uint32_t vhdx_crc(const uint8_t *p, size_t len)
{
    static const uint8_t none[4];

    return crc32c(crc32c(crc32c(0, p, 4), none, 4), p + 8, len - 8);
}

bool vhdx_guid_is_zero(const uint8_t *guid)
{
    static const uint8_t none[VHDX_GUID];

    return memcmp(guid, none, VHDX_GUID) == 0;
}

void vhdx_new_guid(uint8_t *guid)
{
    for (unsigned i = 0; i < VHDX_GUID; i += 4) {
        store_le32(guid + i, g_random_int());
    }
    guid[7] = (guid[7] & 0x0f) | 0x40;
    guid[8] = (guid[8] & 0x3f) | 0x80;
}

static int vhdx_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= 8 && memcmp(head, "vhdxfile", 8) == 0 ? 100 : 0;
}

/* ---- headers ---- */

bool vhdx_write_header(BlockNode *n, GError **error)
{
    static const uint64_t places[2] = { VHDX_HEADER_1, VHDX_HEADER_2 };
    VhdxState *s = n->state;

    for (unsigned i = 0; i < 2; i++) {
        int ret;

        s->header_slot ^= 1;
        store_le64(s->header + XH_SEQUENCE, load_le64(s->header + XH_SEQUENCE) + 1);
        store_le32(s->header + XH_CRC, vhdx_crc(s->header, VHDX_HEADER_SIZE));
        if (!image_write(n->file, places[s->header_slot], s->header, VHDX_HEADER_SIZE, error)) {
            return false;
        }
        ret = co_block_flush(n->file);
        if (ret < 0) {
            return fail_errno(error, -ret, "Could not write the header of '%s'", n->filename);
        }
    }
    return true;
}

static bool read_header(BlockNode *n, VhdxState *s, GError **error)
{
    static const uint64_t places[2] = { VHDX_HEADER_1, VHDX_HEADER_2 };
    bool any = false;

    for (unsigned i = 0; i < 2; i++) {
        uint8_t h[VHDX_HEADER_SIZE];

        if (!image_read(n->file, places[i], h, sizeof(h), "header", error)) {
            return false;
        }
        if (memcmp(h, "head", 4) == 0 && load_le32(h + XH_CRC) == vhdx_crc(h, sizeof(h)) &&
            load_le16(h + XH_VERSION) == 1 &&
            (!any || load_le64(h + XH_SEQUENCE) > load_le64(s->header + XH_SEQUENCE))) {
            memcpy(s->header, h, sizeof(h));
            s->header_slot = i;
            any = true;
        }
    }
    return any || fail(error, "No valid VHDX header found");
}

static bool take_region(BlockNode *n, VhdxState *s, const uint8_t *r, GError **error)
{
    uint64_t at = load_le64(r + 16), len = load_le32(r + 24);

    if (at < MIB || at % MIB || len % MIB || at > n->file->length || len > n->file->length - at) {
        return fail(error, "a region of '%s' lies outside of the file", n->filename);
    }
    if (memcmp(r, vhdx_region_table, VHDX_GUID) == 0) {
        if (s->table) {
            return fail(error, "'%s' has two block tables", n->filename);
        }
        s->table = at;
        s->table_bytes = len;
    } else if (memcmp(r, vhdx_region_metadata, VHDX_GUID) == 0) {
        if (s->metadata) {
            return fail(error, "'%s' has two metadata regions", n->filename);
        }
        s->metadata = at;
        s->metadata_bytes = len;
    } else if (load_le32(r + 28) & 1) {
        return fail(error, "'%s' has a region that is required and not known", n->filename);
    }
    return true;
}

static bool read_regions(BlockNode *n, VhdxState *s, GError **error)
{
    static const uint64_t places[2] = { VHDX_REGIONS_1, VHDX_REGIONS_2 };
    g_autofree uint8_t *t = g_malloc(VHDX_TABLE_SIZE);
    bool valid = false;
    uint32_t count;

    for (unsigned i = 0; i < 2 && !valid; i++) {
        if (!image_read(n->file, places[i], t, VHDX_TABLE_SIZE, "region table", error)) {
            return false;
        }
        valid = memcmp(t, "regi", 4) == 0 && load_le32(t + 4) == vhdx_crc(t, VHDX_TABLE_SIZE);
    }
    count = load_le32(t + 8);
    if (!valid || count > MAX_REGIONS) {
        return fail(error, "'%s' has no valid region table", n->filename);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!take_region(n, s, t + 16 + i * 32, error)) {
            return false;
        }
    }
    if (!s->table || !s->metadata || s->metadata_bytes < VHDX_TABLE_SIZE) {
        return fail(error, "'%s' lacks its block table or metadata", n->filename);
    }
    return (s->table + s->table_bytes <= s->metadata ||
            s->metadata + s->metadata_bytes <= s->table) ||
           fail(error, "the regions of '%s' overlap", n->filename);
}

/* ---- metadata ---- */

/* The item's place and length; false: not there. */
static bool find_item(const uint8_t *t, const uint8_t *id, uint32_t *at, uint32_t *len)
{
    unsigned count = load_le16(t + 10);

    for (unsigned i = 0; i < count; i++) {
        const uint8_t *e = t + 32 + i * 32;

        if (memcmp(e, id, VHDX_GUID) == 0) {
            *at = load_le32(e + 16);
            *len = load_le32(e + 20);
            return true;
        }
    }
    return false;
}

static bool read_item(BlockNode *n, VhdxState *s, const uint8_t *t, const uint8_t *id, void *buf,
                      uint32_t size, GError **error)
{
    uint32_t at, len;

    if (!find_item(t, id, &at, &len) || len < size || at < VHDX_TABLE_SIZE ||
        at > s->metadata_bytes || len > s->metadata_bytes - at) {
        return fail(error, "a metadata item of '%s' is missing or has an invalid place",
                    n->filename);
    }
    return image_read(n->file, s->metadata + at, buf, size, "metadata", error);
}

/* The parent's path, out of pairs of UTF-16 texts. */
static char *parent_path(const uint8_t *p, uint32_t len)
{
    static const char *const keys[] = { "relative_path", "absolute_win32_path", "volume_path" };
    unsigned count = len >= 20 ? load_le16(p + 18) : 0;

    for (unsigned k = 0; k < ARRAY_COUNT(keys); k++) {
        for (unsigned i = 0; i < count && 20u + (i + 1) * 12 <= len; i++) {
            const uint8_t *e = p + 20 + i * 12;
            uint32_t key = load_le32(e), value = load_le32(e + 4), key_len = load_le16(e + 8),
                     value_len = load_le16(e + 10);
            g_autofree char *name = NULL, *path = NULL;

            if (key > len || key_len > len - key || value > len || value_len > len - value ||
                key % 2 || value % 2) {
                continue;
            }
            name = g_utf16_to_utf8((const gunichar2 *)(const void *)(p + key), key_len / 2, NULL,
                                   NULL, NULL);
            path = g_utf16_to_utf8((const gunichar2 *)(const void *)(p + value), value_len / 2,
                                   NULL, NULL, NULL);
            if (name && path && strcmp(name, keys[k]) == 0) {
                g_strdelimit(path, "\\", '/');
                return g_strdup(g_str_has_prefix(path, "./") ? path + 2 : path);
            }
        }
    }
    return NULL;
}

static bool read_parent(BlockNode *n, VhdxState *s, const uint8_t *t, GError **error)
{
    uint32_t at, len;
    g_autofree uint8_t *p = NULL;

    if (!find_item(t, vhdx_item_parent, &at, &len) || len > MAX_LOCATOR || at > s->metadata_bytes ||
        len > s->metadata_bytes - at) {
        return fail(error, "'%s' has no valid parent locator", n->filename);
    }
    p = g_malloc0(len + 1u);
    if (!image_read(n->file, s->metadata + at, p, len, "parent locator", error)) {
        return false;
    }
    n->backing_file = parent_path(p, len);
    n->backing_format = g_strdup("vhdx");
    return n->backing_file ||
           fail(error, "the parent locator of '%s' names no path", n->filename);
}

static bool read_metadata(BlockNode *n, VhdxState *s, GError **error)
{
    g_autofree uint8_t *t = g_malloc(VHDX_TABLE_SIZE);
    uint8_t parameters[8], size[8], sector[4], physical[4];
    uint64_t block, chunks, entries;

    if (!image_read(n->file, s->metadata, t, VHDX_TABLE_SIZE, "metadata table", error)) {
        return false;
    }
    if (memcmp(t, "metadata", 8) != 0 || load_le16(t + 10) > MAX_ITEMS) {
        return fail(error, "'%s' has no valid metadata table", n->filename);
    }
    if (!read_item(n, s, t, vhdx_item_parameters, parameters, sizeof(parameters), error) ||
        !read_item(n, s, t, vhdx_item_size, size, sizeof(size), error) ||
        !read_item(n, s, t, vhdx_item_sector, sector, sizeof(sector), error) ||
        !read_item(n, s, t, vhdx_item_physical, physical, sizeof(physical), error)) {
        return false;
    }
    block = load_le32(parameters);
    n->length = load_le64(size);
    s->sector = load_le32(sector);
    s->physical = load_le32(physical);
    if (!is_power_of_2(block) || block < VHDX_MIN_BLOCK || block > VHDX_MAX_BLOCK) {
        return fail(error, "Invalid VHDX block size %" G_GUINT64_FORMAT, block);
    }
    if (s->sector != 512 && s->sector != 4096) {
        return fail(error, "Invalid VHDX sector size %u", s->sector);
    }
    if (n->length > VHDX_MAX_SIZE || n->length % s->sector) {
        return fail(error, "Invalid VHDX disk size %" G_GUINT64_FORMAT, n->length);
    }
    s->map.unit = block;
    s->ratio = VHDX_CHUNK_SECTORS * s->sector / block;
    s->parent = load_le32(parameters + 4) & 2;
    entries = div_round_up(n->length, block);
    chunks = div_round_up(entries, s->ratio);
    entries =
        s->parent ? chunks * (s->ratio + 1) : entries + (entries ? (entries - 1) / s->ratio : 0);
    if (entries * 8 > s->table_bytes) {
        return fail(error, "the block table of '%s' is too small for its disk", n->filename);
    }
    return !s->parent || read_parent(n, s, t, error);
}

/* ---- the map ---- */

static uint64_t entry_place(const VhdxState *s, uint64_t block)
{
    return s->table + (block + block / s->ratio) * 8;
}

/* A block of which some sectors are the parent's. */
static int co_find_partial(BlockNode *n, uint64_t block, uint64_t in_block, MapExtent *e)
{
    VhdxState *s = n->state;
    uint64_t place = s->table + (block / s->ratio * (s->ratio + 1) + s->ratio) * 8;
    uint64_t bit = block % s->ratio * (s->map.unit / s->sector) + in_block / s->sector;
    uint64_t left = s->sector - in_block % s->sector, most = e->len, bitmap;
    uint8_t raw[8], bits;
    bool ours = false;
    int ret = co_meta_read(&s->map.meta, place, raw, sizeof(raw));

    if (ret < 0) {
        return ret;
    }
    bitmap = load_le64(raw);
    if ((bitmap & VHDX_STATE_MASK) != VHDX_PRESENT) {
        return -EIO;
    }
    bitmap &= OFFSET_MASK;
    for (uint64_t len = 0; len < most; bit++, left = s->sector) {
        ret = co_meta_read(&s->map.meta, bitmap + bit / 8, &bits, 1);
        if (ret < 0) {
            return ret;
        }
        if (len == 0) {
            ours = bits >> (bit % 8) & 1;
        } else if ((bits >> (bit % 8) & 1) != ours) {
            break;
        }
        len = MIN(most, len + left);
        e->len = len;
    }
    e->kind = ours ? MAP_DATA : MAP_ABSENT;
    return 0;
}

static int co_vhdx_find(BlockNode *n, uint64_t offset, MapExtent *e)
{
    VhdxState *s = n->state;
    uint64_t block = offset / s->map.unit, in_block = offset % s->map.unit, entry;
    uint8_t raw[8];
    int ret = co_meta_read(&s->map.meta, entry_place(s, block), raw, sizeof(raw));

    if (ret < 0) {
        return ret;
    }
    entry = load_le64(raw);
    e->len = MIN(e->len, s->map.unit - in_block);
    e->where = (entry & OFFSET_MASK) + in_block;
    switch (entry & VHDX_STATE_MASK) {
    case VHDX_ABSENT:
        e->kind = MAP_ABSENT;
        return 0;
    case VHDX_UNDEFINED:
    case VHDX_ZERO:
    case VHDX_UNMAPPED:
    case VHDX_UNMAPPED_V1:
        e->kind = MAP_ZERO;
        return 0;
    case VHDX_PRESENT:
        e->kind = MAP_DATA;
        break;
    case VHDX_PARTIAL:
        if (!s->parent) {
            return -EIO;
        }
        ret = co_find_partial(n, block, in_block, e);
        break;
    default:
        return -EIO;
    }
    return ret < 0                                                                  ? ret
           : e->kind == MAP_DATA && (e->where < MIB || e->where >= n->file->length) ? -EIO
                                                                                    : 0;
}

static int co_vhdx_place(BlockNode *n, uint64_t offset, MapExtent *e)
{
    VhdxState *s = n->state;
    uint8_t raw[8];
    int ret = co_meta_read(&s->map.meta, entry_place(s, offset / s->map.unit), raw, sizeof(raw));

    if (ret < 0) {
        return ret;
    }
    if ((load_le64(raw) & VHDX_STATE_MASK) == VHDX_PARTIAL) {
        e->where = load_le64(raw) & OFFSET_MASK;
        e->mixed = true;
        return e->where >= MIB && e->where <= n->file->length &&
                       n->file->length - e->where >= s->map.unit ? 0 : -EIO;
    }
    return co_append_room(n->file, MIB, s->map.unit, &e->where, &e->fresh);
}

static int co_vhdx_enter(BlockNode *n, uint64_t offset, const MapExtent *e)
{
    VhdxState *s = n->state;
    uint8_t raw[8];

    store_le64(raw, e->where | VHDX_PRESENT);
    return co_meta_write(&s->map.meta, entry_place(s, offset / s->map.unit), raw, sizeof(raw),
                         META_ROOT);
}

/* Who changes the file says so by new ids. */
static int co_vhdx_begin(BlockNode *n)
{
    VhdxState *s = n->state;
    g_autoptr(GError) why = NULL;

    vhdx_new_guid(s->header + XH_FILE_GUID);
    vhdx_new_guid(s->header + XH_DATA_GUID);
    return vhdx_write_header(n, &why) ? 0 : -EIO;
}

static const MappedOps vhdx_map = {
    .co_find = co_vhdx_find, .co_place = co_vhdx_place, .co_enter = co_vhdx_enter,
    .co_begin_write = co_vhdx_begin,
};

static bool vhdx_open(BlockNode *n, struct json_object *opts, GError **error)
{
    VhdxState *s = n->state;
    uint8_t magic[8];

    if (!image_read(n->file, 0, magic, sizeof(magic), "signature", error)) {
        return false;
    }
    if (memcmp(magic, "vhdxfile", 8) != 0) {
        return fail(error, "'%s' is not a VHDX image", n->filename);
    }
    /* the log comes first: what it mends may be any of the tables */
    if (!read_header(n, s, error) || !vhdx_replay_log(n, &s->replayed, error) ||
        !read_regions(n, s, error) || !read_metadata(n, s, error)) {
        g_clear_pointer(&n->backing_file, g_free);
        g_clear_pointer(&n->backing_format, g_free);
        return false;
    }
    n->align = s->sector;
    s->map.ops = &vhdx_map;
    meta_init(&s->map.meta, n->file);
    return true;
}

static bool co_vhdx_info(BlockNode *n, BlockImageInfo *info, GError **error)
{
    VhdxState *s = n->state;

    info->cluster_size = s->map.unit;
    info->zero_init = true;
    return true;
}

static bool co_vhdx_check(BlockNode *n, BlockCheck *result, unsigned fix, GError **error)
{
    VhdxState *s = n->state;

    if (s->replayed) {
        result->corruptions_fixed++;
    }
    bool good = co_mapped_check(n, result, fix, error);

    block_check_no_statistics(result);
    return good;
}

static const BlockDriver vhdx_driver = {
    .name = "vhdx", .desc = "Hyper-V disk", .state_size = sizeof(VhdxState), .backing = true,
    .probe = vhdx_probe, .open = vhdx_open, .close = mapped_close,
    .co_preadv = co_mapped_preadv, .co_pwritev = co_mapped_pwritev, .co_flush = co_mapped_flush,
    .co_write_zeroes = co_mapped_write_zeroes, .co_block_status = co_mapped_status,
    .co_check = co_vhdx_check, .create_opts = vhdx_create_opts, .co_format = co_vhdx_format,
    .co_info = co_vhdx_info,
};
BLOCK_DRIVER(vhdx_driver);
