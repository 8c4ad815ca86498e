// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtual hard disks of Virtual PC (Microsoft's "Virtual Hard Disk Image Format Specification",
 * 1.0): fixed ones, whose data is followed by a footer, and dynamic ones, where blocks with a
 * bitmap of sectors are found by a table. Differencing disks are refused.
 */
#include <errno.h>
#include <string.h>

#include "block/driver.h"
#include "block/formats/mapped.h"
#include "util/bitops.h"
#include "util/bswap.h"
#include "util/error.h"

#define SECTOR 512u
#define FOOTER_SIZE 512u
#define HEADER_SIZE 1024u
#define DEFAULT_BLOCK (2 * MIB)
#define NO_BLOCK 0xffffffffu
#define MAX_SECTORS 0xff000000ull       /* 2040 GiB */
#define CHS_CYLINDERS 65535u
#define CHS_HEADS 16u
#define CHS_SECTORS 255u
#define EPOCH_2000 946684800ll

enum { TYPE_FIXED = 2, TYPE_DYNAMIC = 3, TYPE_DIFFERENCING = 4 };

/* Offsets in the footer, which is big-endian. */
enum {
    F_FEATURES = 8, F_VERSION = 12, F_DATA_OFFSET = 16, F_TIME = 24, F_CREATOR = 28,
    F_CREATOR_VERSION = 32, F_CREATOR_OS = 36, F_ORIGINAL_SIZE = 40, F_SIZE = 48, F_CYLINDERS = 56,
    F_HEADS = 58, F_SECTORS = 59, F_TYPE = 60, F_CHECKSUM = 64, F_UUID = 68,
};

/* Offsets in the header of dynamic disks. */
enum {
    H_DATA_OFFSET = 8,
    H_TABLE = 16,
    H_VERSION = 24,
    H_ENTRIES = 28,
    H_BLOCK = 32,
    H_CHECKSUM = 36
};

typedef struct VpcState {
    Mapped map;
    bool dynamic;
    uint64_t table;             /* offset in the file */
    uint32_t entries;
    uint32_t bitmap;            /* bytes in front of each block */
    uint64_t free;              /* where the next block goes: the footer's place */
    uint8_t footer[FOOTER_SIZE];
} VpcState;

static uint32_t vpc_checksum(const uint8_t *p, size_t len, size_t skip)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum += i >= skip && i < skip + 4 ? 0 : p[i];
    }
    return ~sum;
}

/* The specification's appendix: geometry for a number of sectors. */
static void vpc_geometry(uint64_t sectors, uint32_t *cylinders, uint32_t *heads, uint32_t *spt)
{
    uint64_t per_head;

    sectors = MIN(sectors, (uint64_t)CHS_CYLINDERS * CHS_HEADS * CHS_SECTORS);
    if (sectors >= 65535u * 16 * 63) {
        *spt = 255;
        *heads = 16;
        per_head = sectors / *spt;
    } else {
        *spt = 17;
        per_head = sectors / *spt;
        *heads = (uint32_t)MAX((per_head + 1023) / 1024, 4);
        if (per_head >= *heads * 1024ull || *heads > 16) {
            *spt = 31;
            *heads = 16;
            per_head = sectors / *spt;
        }
        if (per_head >= *heads * 1024ull) {
            *spt = 63;
            *heads = 16;
            per_head = sectors / *spt;
        }
    }
    *cylinders = (uint32_t)(per_head / *heads);
}

static int vpc_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= 8 && memcmp(head, "conectix", 8) == 0 ? 100 : 0;
}

/* ---- the map ---- */

static int co_vpc_find(BlockNode *n, uint64_t offset, MapExtent *e)
{
    VpcState *s = n->state;
    uint64_t index = offset / s->map.unit, in_block = offset % s->map.unit;
    uint8_t raw[4];
    int ret;

    e->len = MIN(e->len, s->map.unit - in_block);
    ret = co_meta_read(&s->map.meta, s->table + index * 4, raw, sizeof(raw));
    if (ret < 0) {
        return ret;
    }
    if (load_be32(raw) == NO_BLOCK) {
        e->kind = MAP_ABSENT;
        return 0;
    }
    e->kind = MAP_DATA;
    e->where = (uint64_t)load_be32(raw) * SECTOR + s->bitmap + in_block;
    return 0;
}

static int co_vpc_place(BlockNode *n, uint64_t offset, MapExtent *e)
{
    VpcState *s = n->state;
    uint64_t end = s->free + s->bitmap + s->map.unit;
    g_autoptr(GError) why = NULL;

    if (s->free / SECTOR >= NO_BLOCK) {
        return -EFBIG;
    }
    if (end + FOOTER_SIZE > n->file->length &&
        !co_block_truncate(n->file, end + FOOTER_SIZE, PREALLOC_OFF, &why)) {
        return -ENOSPC;
    }
    e->where = s->free + s->bitmap;
    return co_block_pwrite(n->file, end, s->footer, FOOTER_SIZE, 0);
}

static int co_vpc_fill_bitmap(VpcState *s, uint64_t at)
{
    g_autofree uint8_t *ones = g_malloc(s->bitmap);

    memset(ones, 0xff, s->bitmap);
    return co_meta_write(&s->map.meta, at, ones, s->bitmap, META_LEAF);
}

static int co_vpc_enter(BlockNode *n, uint64_t offset, const MapExtent *e)
{
    VpcState *s = n->state;
    uint8_t raw[4];
    int ret = co_vpc_fill_bitmap(s, s->free);

    if (ret < 0) {
        return ret;
    }
    store_be32(raw, (uint32_t)(s->free / SECTOR));
    s->free += s->bitmap + s->map.unit;
    return co_meta_write(&s->map.meta, s->table + offset / s->map.unit * 4, raw, sizeof(raw),
                         META_ROOT);
}

/* Other programs leave bits clear for sectors that were never written. */
static int co_vpc_touch(BlockNode *n, uint64_t offset, const MapExtent *e)
{
    VpcState *s = n->state;
    uint64_t at = e->where - offset % s->map.unit - s->bitmap;
    uint32_t first = (uint32_t)(offset % s->map.unit / SECTOR / 8);
    uint32_t last = (uint32_t)((offset % s->map.unit + e->len - 1) / SECTOR / 8);
    g_autofree uint8_t *bits = g_malloc(s->bitmap);
    int ret = co_meta_read(&s->map.meta, at + first, bits, last - first + 1);

    for (uint32_t i = 0; ret == 0 && i <= last - first; i++) {
        if (bits[i] != 0xff) {
            return co_vpc_fill_bitmap(s, at);
        }
    }
    return ret;
}

static const MappedOps vpc_map = {
    .co_find = co_vpc_find, .co_place = co_vpc_place, .co_enter = co_vpc_enter,
    .co_touch = co_vpc_touch,
};

static int co_fixed_find(BlockNode *n, uint64_t offset, MapExtent *e)
{
    e->kind = MAP_DATA;
    e->where = offset;
    return 0;
}

static const MappedOps fixed_map = { .co_find = co_fixed_find };

/* ---- opening ---- */

static bool open_dynamic(BlockNode *n, VpcState *s, GError **error)
{
    uint64_t at = load_be64(s->footer + F_DATA_OFFSET), block, bytes;
    uint8_t head[HEADER_SIZE];

    if (!image_read(n->file, at, head, sizeof(head), "dynamic disk header", error)) {
        return false;
    }
    if (memcmp(head, "cxsparse", 8) != 0) {
        return fail(error, "'%s' has no dynamic disk header", n->filename);
    }
    block = load_be32(head + H_BLOCK);
    s->entries = load_be32(head + H_ENTRIES);
    s->table = load_be64(head + H_TABLE);
    if (!is_power_of_2(block) || block < SECTOR) {
        return fail(error, "Invalid block size %" G_GUINT64_FORMAT, block);
    }
    if (n->length / block + (n->length % block != 0) > s->entries) {
        return fail(error, "Page Allocation Table too small");
    }
    bytes = s->entries * 4ull;
    if (s->table > n->file->length || bytes > n->file->length - s->table) {
        return fail(error, "the block table of '%s' lies beyond the end of the file", n->filename);
    }
    s->map.unit = block;
    s->bitmap = (uint32_t)round_up(div_round_up(block / SECTOR, 8), SECTOR);
    s->free = n->file->length / SECTOR * SECTOR - FOOTER_SIZE;
    s->free = MAX(s->free, round_up(s->table + bytes, SECTOR));
    return true;
}

/* Programs that write the size they mean, whatever the geometry says. */
static bool size_is_exact(const uint8_t *footer)
{
    static const char creators[][5] = { "win ", "qem2", "d2v ", "tap\0", "CTXS", "wa\0\0" };

    for (unsigned i = 0; i < ARRAY_COUNT(creators); i++) {
        if (memcmp(footer + F_CREATOR, creators[i], 4) == 0) {
            return true;
        }
    }
    return false;
}

static bool vpc_open(BlockNode *n, struct json_object *opts, GError **error)
{
    VpcState *s = n->state;
    const char *calc = opts_string(opts, "force_size_calc", NULL);
    uint64_t chs, sectors;
    bool exact, fixed = false;

    if (calc && strcmp(calc, "chs") != 0 && strcmp(calc, "current_size") != 0) {
        return fail(error, "Invalid size calculation algorithm");
    }
    if (!image_read(n->file, 0, s->footer, FOOTER_SIZE, "footer", error)) {
        return false;
    }
    if (memcmp(s->footer, "conectix", 8) != 0) {
        if (!image_read(n->file, n->file->length - FOOTER_SIZE, s->footer, FOOTER_SIZE, "footer",
                        error)) {
            return false;
        }
        if (memcmp(s->footer, "conectix", 8) != 0 || load_be32(s->footer + F_TYPE) != TYPE_FIXED) {
            return fail(error, "invalid VPC image");
        }
        fixed = true;
    }
    if (!(n->open_flags & BLOCK_OPEN_QUIET) &&
        load_be32(s->footer + F_CHECKSUM) != vpc_checksum(s->footer, FOOTER_SIZE, F_CHECKSUM)) {
        warn_report("The header checksum of '%s' is incorrect", n->filename);
    }
    exact = calc ? strcmp(calc, "current_size") == 0 : size_is_exact(s->footer);
    chs = (uint64_t)load_be16(s->footer + F_CYLINDERS) * s->footer[F_HEADS] * s->footer[F_SECTORS];
    sectors = load_be64(s->footer + F_SIZE) / SECTOR;
    /* a geometry at its limit says nothing */
    if (!exact && chs != (uint64_t)CHS_CYLINDERS * CHS_HEADS * CHS_SECTORS) {
        sectors = chs;
    }
    if (sectors > MAX_SECTORS) {
        return fail_errno(error, EFBIG, "'%s' claims %" G_GUINT64_FORMAT " sectors", n->filename,
                          sectors);
    }
    n->length = sectors * SECTOR;
    n->align = SECTOR;
    s->map.unit = DEFAULT_BLOCK;
    if (!fixed && load_be32(s->footer + F_TYPE) != TYPE_FIXED) {
        if (load_be32(s->footer + F_TYPE) != TYPE_DYNAMIC) {
            return fail(error, "'%s' is not a fixed or dynamic disk: type %u is not supported",
                        n->filename, load_be32(s->footer + F_TYPE));
        }
        if (!open_dynamic(n, s, error)) {
            return false;
        }
        s->dynamic = true;
    } else if (n->length > n->file->length) {
        return fail(error, "'%s' is cut off: %" G_GUINT64_FORMAT " bytes of data are missing",
                    n->filename, n->length - n->file->length);
    }
    s->map.ops = s->dynamic ? &vpc_map : &fixed_map;
    s->map.recurse = !s->dynamic;
    meta_init(&s->map.meta, n->file);
    return true;
}

static bool co_vpc_info(BlockNode *n, BlockImageInfo *info, GError **error)
{
    VpcState *s = n->state;

    info->cluster_size = s->dynamic ? s->map.unit : 0;
    info->zero_init = true;
    return true;
}

/* ---- creating ---- */

static void make_footer(uint8_t *f, uint64_t bytes, bool exact, bool dynamic, uint32_t cylinders,
                        uint32_t heads, uint32_t spt)
{
    memset(f, 0, FOOTER_SIZE);
    memcpy(f, "conectix", 8);
    store_be32(f + F_FEATURES, 2);
    store_be32(f + F_VERSION, 0x10000);
    store_be64(f + F_DATA_OFFSET, dynamic ? FOOTER_SIZE : UINT64_MAX);
    store_be32(f + F_TIME, (uint32_t)(g_get_real_time() / G_USEC_PER_SEC - EPOCH_2000));
    memcpy(f + F_CREATOR, exact ? "qem2" : "qemu", 4);
    store_be16(f + F_CREATOR_VERSION, 5);
    store_be16(f + F_CREATOR_VERSION + 2, 3);
    memcpy(f + F_CREATOR_OS, "Wi2k", 4);
    store_be64(f + F_ORIGINAL_SIZE, bytes);
    store_be64(f + F_SIZE, bytes);
    store_be16(f + F_CYLINDERS, (uint16_t)cylinders);
    f[F_HEADS] = (uint8_t)heads;
    f[F_SECTORS] = (uint8_t)spt;
    store_be32(f + F_TYPE, dynamic ? TYPE_DYNAMIC : TYPE_FIXED);
    for (unsigned i = 0; i < 16; i += 4) {
        store_be32(f + F_UUID + i, g_random_int());
    }
    store_be32(f + F_CHECKSUM, vpc_checksum(f, FOOTER_SIZE, F_CHECKSUM));
}

static bool create_dynamic(BlockNode *file, const uint8_t *footer, uint64_t bytes, GError **error)
{
    uint32_t entries = (uint32_t)div_round_up(bytes, DEFAULT_BLOCK);
    uint64_t table = FOOTER_SIZE + HEADER_SIZE, table_bytes = round_up(entries * 4ull, SECTOR);
    uint8_t head[HEADER_SIZE] = { 0 };
    g_autofree uint8_t *all = g_malloc(table_bytes);

    memcpy(head, "cxsparse", 8);
    store_be64(head + H_DATA_OFFSET, UINT64_MAX);
    store_be64(head + H_TABLE, table);
    store_be32(head + H_VERSION, 0x10000);
    store_be32(head + H_ENTRIES, entries);
    store_be32(head + H_BLOCK, DEFAULT_BLOCK);
    store_be32(head + H_CHECKSUM, vpc_checksum(head, HEADER_SIZE, H_CHECKSUM));
    memset(all, 0xff, table_bytes);
    return image_write(file, table + table_bytes, footer, FOOTER_SIZE, error) &&
           image_write(file, table, all, table_bytes, error) &&
           image_write(file, FOOTER_SIZE, head, HEADER_SIZE, error) &&
           image_write(file, 0, footer, FOOTER_SIZE, error);
}

static bool co_vpc_format(BlockNode *file, struct json_object *opts, GError **error)
{
    const char *kind = opts_string(opts, "subformat", "dynamic");
    uint64_t sectors = div_round_up(opts_number(opts, "size", 0), SECTOR), chs = 0;
    bool exact = opts_bool(opts, "force_size", false), dynamic = strcmp(kind, "dynamic") == 0;
    uint32_t cylinders = 0, heads = 0, spt = 0;
    uint8_t footer[FOOTER_SIZE];

    if (!dynamic && strcmp(kind, "fixed") != 0) {
        return fail(error, "Parameter 'subformat' does not accept value '%s'", kind);
    }
    if (exact || sectors > (uint64_t)CHS_CYLINDERS * CHS_HEADS * CHS_SECTORS) {
        vpc_geometry(sectors, &cylinders, &heads, &spt);
    } else {
        for (uint64_t i = 0; chs < sectors; i++) {
            vpc_geometry(sectors + i, &cylinders, &heads, &spt);
            chs = (uint64_t)cylinders * heads * spt;
        }
        sectors = chs;
    }
    if (sectors > MAX_SECTORS) {
        return fail(error, "The image size is too large for file format 'vpc'");
    }
    make_footer(footer, sectors * SECTOR, exact, dynamic, cylinders, heads, spt);
    return dynamic ? create_dynamic(file, footer, sectors * SECTOR, error)
                   : image_write(file, sectors * SECTOR, footer, FOOTER_SIZE, error);
}

static const OptDesc vpc_opts[] = {
    { "force_size_calc", OPT_STRING, "Force disk size calculation to use either CHS geometry, or use the disk current_size specified in the VHD footer. {chs, current_size}" },
    { NULL },
};

static const OptDesc vpc_create_opts[] = {
    { "size", OPT_SIZE, "Virtual disk size" },
    { "subformat", OPT_STRING, "Type of virtual hard disk format. Supported formats are {dynamic (default) | fixed} " },
    { "force_size", OPT_BOOL, "Force disk size calculation to use the actual size specified, rather than using the nearest CHS-based calculation" },
    { NULL },
};

static const BlockDriver vpc_driver = {
    .name = "vpc", .desc = "Virtual PC hard disk", .opts = vpc_opts, .state_size = sizeof(VpcState),
    .probe = vpc_probe, .open = vpc_open, .close = mapped_close,
    .co_preadv = co_mapped_preadv, .co_pwritev = co_mapped_pwritev, .co_flush = co_mapped_flush,
    .co_write_zeroes = co_mapped_write_zeroes, .co_block_status = co_mapped_status,
    .create_opts = vpc_create_opts, .co_format = co_vpc_format, .co_info = co_vpc_info,
};
BLOCK_DRIVER(vpc_driver);
