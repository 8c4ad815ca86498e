// SPDX-License-Identifier: GPL-2.0-or-later
/* Making Hyper-V disks, dynamic and fixed. */
#include <string.h>

#include "block/formats/vhdx.h"
#include "util/bitops.h"
#include "util/bswap.h"
#include "util/error.h"

#define LOG_PLACE MIB
#define SECTOR 512u
#define ITEMS 5u
/* The table is written in pieces of this size. */
#define PIECE (1 * MIB)

typedef struct VhdxPlan {
    uint64_t size, block, log, table, table_bytes, metadata, data;
    bool fixed, zero_state;
} VhdxPlan;

static uint64_t usual_block(uint64_t size)
{
    return size > 32ull << 40    ? 64 * MIB
           : size > 100ull << 30 ? 32 * MIB
           : size > 1ull << 30   ? 16 * MIB
                                 : 8 * MIB;
}

static bool parse_plan(VhdxPlan *p, struct json_object *opts, GError **error)
{
    const char *kind = opts_string(opts, "subformat", "dynamic");
    uint64_t ratio, entries;

    p->size = round_up(opts_number(opts, "size", 0), SECTOR);
    p->block = opts_number(opts, "block_size", 0);
    p->log = opts_number(opts, "log_size", MIB);
    p->zero_state = opts_bool(opts, "block_state_zero", true);
    p->fixed = strcmp(kind, "fixed") == 0;
    if (p->size > VHDX_MAX_SIZE) {
        return fail(error, "Image size too large; max of 64TB");
    }
    if (!p->fixed && strcmp(kind, "dynamic") != 0) {
        return fail(error, "Parameter 'subformat' does not accept value '%s'", kind);
    }
    if (p->log < MIB || p->log % MIB || p->log > UINT32_MAX) {
        return fail(error, "Log size must be a multiple of 1 MB");
    }
    p->block = p->block ? p->block : usual_block(p->size);
    if (p->block % MIB) {
        return fail(error, "Block size must be a multiple of 1 MB");
    }
    if (p->block > VHDX_MAX_BLOCK) {
        return fail(error, "Block size must not exceed %" G_GUINT64_FORMAT,
                    (uint64_t)VHDX_MAX_BLOCK);
    }
    if (!is_power_of_2(p->block)) {
        return fail(error, "Block size must be a power of two");
    }
    ratio = VHDX_CHUNK_SECTORS * SECTOR / p->block;
    entries = div_round_up(p->size, p->block);
    entries += entries ? (entries - 1) / ratio : 0;
    p->table = LOG_PLACE + p->log;
    p->table_bytes = MAX(round_up(entries * 8, MIB), MIB);
    p->metadata = p->table + p->table_bytes;
    p->data = round_up(p->metadata + MIB, p->block);
    return true;
}

static void put_region(uint8_t *e, const uint8_t *guid, uint64_t at, uint64_t len)
{
    memcpy(e, guid, VHDX_GUID);
    store_le64(e + 16, at);
    store_le32(e + 24, (uint32_t)len);
}

static bool write_front(BlockNode *file, const VhdxPlan *p, GError **error)
{
    static const char creator[] = "QEMU v7.2.0";
    g_autofree uint8_t *t = g_malloc0(VHDX_TABLE_SIZE);
    uint64_t sequence = (uint64_t)g_random_int() + 1;

    memcpy(t, "vhdxfile", 8);
    for (unsigned i = 0; i < sizeof(creator); i++) {
        store_le16(t + 8 + i * 2, (uint8_t)creator[i]);
    }
    if (!image_write(file, 0, t, VHDX_TABLE_SIZE, error)) {
        return false;
    }
    memset(t, 0, VHDX_TABLE_SIZE);
    memcpy(t, "head", 4);
    vhdx_new_guid(t + XH_FILE_GUID);
    vhdx_new_guid(t + XH_DATA_GUID);
    store_le16(t + XH_VERSION, 1);
    store_le32(t + XH_LOG_LENGTH, (uint32_t)p->log);
    store_le64(t + XH_LOG_OFFSET, LOG_PLACE);
    for (unsigned i = 0; i < 2; i++) {
        store_le64(t + XH_SEQUENCE, sequence + i);
        store_le32(t + XH_CRC, vhdx_crc(t, VHDX_HEADER_SIZE));
        if (!image_write(file, i ? VHDX_HEADER_2 : VHDX_HEADER_1, t, VHDX_HEADER_SIZE, error)) {
            return false;
        }
    }
    memset(t, 0, VHDX_TABLE_SIZE);
    memcpy(t, "regi", 4);
    store_le32(t + 8, 2);
    put_region(t + 16, vhdx_region_table, p->table, p->table_bytes);
    put_region(t + 48, vhdx_region_metadata, p->metadata, MIB);
    store_le32(t + 4, vhdx_crc(t, VHDX_TABLE_SIZE));
    return image_write(file, VHDX_REGIONS_1, t, VHDX_TABLE_SIZE, error) &&
           image_write(file, VHDX_REGIONS_2, t, VHDX_TABLE_SIZE, error);
}

static bool write_metadata(BlockNode *file, const VhdxPlan *p, GError **error)
{
    static const struct { const uint8_t *id; uint32_t len, flags; } items[ITEMS] = {
        { vhdx_item_parameters, 8, 4 }, { vhdx_item_size, 8, 6 }, { vhdx_item_id, 16, 6 },
        { vhdx_item_sector, 4, 6 }, { vhdx_item_physical, 4, 6 },
    };
    g_autofree uint8_t *t = g_malloc0(VHDX_TABLE_SIZE + KIB);
    uint8_t *data = t + VHDX_TABLE_SIZE;
    uint32_t at = 0;

    memcpy(t, "metadata", 8);
    store_le16(t + 10, ITEMS);
    for (unsigned i = 0; i < ITEMS; i++) {
        uint8_t *e = t + 32 + i * 32;

        memcpy(e, items[i].id, VHDX_GUID);
        store_le32(e + 16, (uint32_t)VHDX_TABLE_SIZE + at);
        store_le32(e + 20, items[i].len);
        store_le32(e + 24, items[i].flags);
        at += items[i].len;
    }
    store_le32(data, (uint32_t)p->block);
    store_le32(data + 4, p->fixed);
    store_le64(data + 8, p->size);
    vhdx_new_guid(data + 16);
    store_le32(data + 32, SECTOR);
    store_le32(data + 36, SECTOR);
    return image_write(file, p->metadata, t, VHDX_TABLE_SIZE + KIB, error);
}

static bool write_table(BlockNode *file, const VhdxPlan *p, GError **error)
{
    uint64_t ratio = VHDX_CHUNK_SECTORS * SECTOR / p->block,
             blocks = div_round_up(p->size, p->block);
    uint64_t entries = blocks + (blocks ? (blocks - 1) / ratio : 0);
    g_autofree uint8_t *t = g_malloc0(PIECE);

    for (uint64_t first = 0; first < entries; first += PIECE / 8) {
        uint64_t count = MIN(entries - first, PIECE / 8);

        for (uint64_t i = 0; i < count; i++) {
            uint64_t index = first + i, chunk = index / (ratio + 1);
            bool bitmap = index % (ratio + 1) == ratio;
            uint64_t value = bitmap          ? 0
                             : p->fixed      ? (p->data + (index - chunk) * p->block) | VHDX_PRESENT
                             : p->zero_state ? VHDX_ZERO
                                             : VHDX_ABSENT;

            store_le64(t + i * 8, value);
        }
        if (!image_write(file, p->table + first * 8, t, count * 8, error)) {
            return false;
        }
    }
    return true;
}

bool co_vhdx_format(BlockNode *file, struct json_object *opts, GError **error)
{
    VhdxPlan p = { 0 };

    if (!parse_plan(&p, opts, error)) {
        return false;
    }
    return co_block_truncate(file, p.data + (p.fixed ? div_round_up(p.size, p.block) * p.block : 0),
                             PREALLOC_OFF, error) &&
           ((p.fixed || p.zero_state) ? write_table(file, &p, error) : true) &&
           write_metadata(file, &p, error) && write_front(file, &p, error);
}

const OptDesc vhdx_create_opts[] = {
    { "size", OPT_SIZE, "Virtual disk size; max of 64TB." },
    { "log_size", OPT_SIZE, "Log size; min 1MB.", "1048576" },
    { "block_size", OPT_SIZE, "Block Size; min 1MB, max 256MB. 0 means auto-calculate based on image size.", "0" },
    { "subformat", OPT_STRING, "VHDX format type, can be either 'dynamic' or 'fixed'. Default is 'dynamic'." },
    { "block_state_zero", OPT_BOOL, "Force use of payload blocks of type 'ZERO'. Non-standard, but default.  Do not set to 'off' when using 'qemu-img convert' with subformat=dynamic." },
    { NULL },
};
