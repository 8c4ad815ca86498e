// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * QED images (docs/specs/qed_spec): two levels of tables of 64-bit offsets, whose sizes are a
 * number of clusters. As tables are written after what they refer to, an image that was not closed
 * is consistent; its mark "needs check" is kept until a check has been made.
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
#define MIN_CLUSTER 4096u
#define MAX_CLUSTER (64 * MIB)
#define MAX_TABLE 16u               /* clusters */
#define DEFAULT_CLUSTER 65536u
#define DEFAULT_TABLE 4u
#define MAX_BACKING_NAME 1023u
#define ZERO_CLUSTER 1u

enum { FEATURE_BACKING = 1, FEATURE_NEED_CHECK = 2, FEATURE_BACKING_RAW = 4, FEATURES_KNOWN = 7 };

/* Offsets in the header, which is little-endian. */
enum {
    H_CLUSTER = 4, H_TABLE = 8, H_HEADER = 12, H_FEATURES = 16, H_COMPAT = 24, H_AUTOCLEAR = 32,
    H_L1 = 40, H_SIZE = 48, H_NAME = 56, H_NAME_LEN = 60,
};

typedef struct QedState {
    Mapped map;
    uint64_t l1;
    uint64_t table_bytes, entries;      /* of one table */
    uint32_t header_clusters;
    uint64_t features;
} QedState;

static int qed_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= HEADER_SIZE && memcmp(head, "QED\0", 4) == 0 ? 100 : 0;
}

static int co_get(QedState *s, uint64_t at, uint64_t *value)
{
    uint8_t raw[8];
    int ret = co_meta_read(&s->map.meta, at, raw, sizeof(raw));

    *value = load_le64(raw);
    return ret;
}

static int co_set(QedState *s, uint64_t at, uint64_t value, MetaLevel level)
{
    uint8_t raw[8];

    store_le64(raw, value);
    return co_meta_write(&s->map.meta, at, raw, sizeof(raw), level);
}

static bool is_place(const BlockNode *n, uint64_t offset, uint64_t bytes)
{
    const QedState *s = n->state;

    return offset % s->map.unit == 0 && offset >= s->header_clusters * s->map.unit &&
           offset < n->file->length && bytes <= n->file->length + s->map.unit - offset;
}

/* The L2 entry's place, 0 when there is no table. */
static int co_entry_at(BlockNode *n, uint64_t offset, uint64_t *at)
{
    QedState *s = n->state;
    uint64_t cluster = offset / s->map.unit, table;
    int ret = co_get(s, s->l1 + cluster / s->entries * 8, &table);

    *at = 0;
    if (ret < 0 || table == 0) {
        return ret;
    }
    if (!is_place(n, table, s->table_bytes)) {
        return -EIO;
    }
    *at = table + cluster % s->entries * 8;
    return 0;
}

static int co_qed_find(BlockNode *n, uint64_t offset, MapExtent *e)
{
    QedState *s = n->state;
    uint64_t in_block = offset % s->map.unit, at, place = 0;
    int ret = co_entry_at(n, offset, &at);

    e->len = MIN(e->len, s->map.unit - in_block);
    if (ret == 0 && at) {
        ret = co_get(s, at, &place);
    }
    if (ret < 0) {
        return ret;
    }
    if (place <= ZERO_CLUSTER) {
        e->kind = place == ZERO_CLUSTER ? MAP_ZERO : MAP_ABSENT;
        return 0;
    }
    if (!is_place(n, place, 1)) {
        return -EIO;
    }
    e->kind = MAP_DATA;
    e->where = place + in_block;
    return 0;
}

static int co_qed_place(BlockNode *n, uint64_t offset, MapExtent *e)
{
    QedState *s = n->state;

    return co_append_room(n->file, s->map.unit, s->map.unit, &e->where, &e->fresh);
}

/* Makes the second table that an entry needs. */
static int co_need_entry(BlockNode *n, uint64_t offset, uint64_t *at)
{
    QedState *s = n->state;
    uint64_t cluster = offset / s->map.unit, table;
    int ret = co_entry_at(n, offset, at);

    if (ret < 0 || *at) {
        return ret;
    }
    ret = co_append_room(n->file, s->map.unit, s->table_bytes, &table, NULL);
    if (ret == 0) {
        ret = co_meta_zero(&s->map.meta, table, s->table_bytes, META_LEAF);
    }
    *at = table + cluster % s->entries * 8;
    return ret < 0 ? ret : co_set(s, s->l1 + cluster / s->entries * 8, table, META_ROOT);
}

static int co_qed_enter(BlockNode *n, uint64_t offset, const MapExtent *e)
{
    uint64_t at;
    int ret = co_need_entry(n, offset, &at);

    return ret < 0 ? ret : co_set(n->state, at, e->where, META_LEAF);
}

static int co_qed_enter_zero(BlockNode *n, uint64_t offset)
{
    uint64_t at;
    int ret = co_need_entry(n, offset, &at);

    return ret < 0 ? ret : co_set(n->state, at, ZERO_CLUSTER, META_LEAF);
}

static int co_write_features(BlockNode *n)
{
    QedState *s = n->state;
    uint8_t raw[8];
    int ret;

    store_le64(raw, s->features);
    ret = co_block_pwrite(n->file, H_FEATURES, raw, sizeof(raw), 0);
    return ret < 0 ? ret : co_block_flush(n->file);
}

static int co_qed_begin(BlockNode *n)
{
    QedState *s = n->state;

    if (s->features & FEATURE_NEED_CHECK) {
        return 0;
    }
    s->features |= FEATURE_NEED_CHECK;
    return co_write_features(n);
}

static const MappedOps qed_map = {
    .co_find = co_qed_find, .co_place = co_qed_place, .co_enter = co_qed_enter,
    .co_enter_zero = co_qed_enter_zero, .co_begin_write = co_qed_begin,
};

/* ---- opening ---- */

static bool qed_geometry(uint64_t cluster, uint64_t table, uint64_t size, GError **error)
{
    if (cluster < MIN_CLUSTER || cluster > MAX_CLUSTER || !is_power_of_2(cluster)) {
        return fail(error, "QED cluster size must be within range [%u, %u] and power of 2",
                    MIN_CLUSTER, (unsigned)MAX_CLUSTER);
    }
    if (table < 1 || table > MAX_TABLE || !is_power_of_2(table)) {
        return fail(error, "QED table size must be within range [1, %u] and power of 2", MAX_TABLE);
    }
    unsigned __int128 most =
        (unsigned __int128)(table * cluster / 8) * (table * cluster / 8) * cluster;

    if (size > INT64_MAX || size > most || size % SECTOR) {
        return fail(error,
                    "QED image size must be a non-zero multiple of cluster size and less than "
                    "%" G_GUINT64_FORMAT " bytes",
                    (uint64_t)MIN(most, (unsigned __int128)INT64_MAX));
    }
    return true;
}

static bool open_backing_name(BlockNode *n, const uint8_t *h, GError **error)
{
    QedState *s = n->state;
    uint32_t at = load_le32(h + H_NAME), len = load_le32(h + H_NAME_LEN);

    if (len > MAX_BACKING_NAME || (uint64_t)at + len > s->header_clusters * s->map.unit) {
        return fail(error, "the backing file name of '%s' does not fit into its header",
                    n->filename);
    }
    n->backing_file = g_malloc0(len + 1u);
    if (!image_read(n->file, at, n->backing_file, len, "backing file name", error)) {
        return false;
    }
    if (s->features & FEATURE_BACKING_RAW) {
        n->backing_format = g_strdup("raw");
    }
    return true;
}

static bool qed_open(BlockNode *n, struct json_object *opts, GError **error)
{
    QedState *s = n->state;
    uint8_t h[HEADER_SIZE];

    if (!image_read(n->file, 0, h, sizeof(h), "header", error)) {
        return false;
    }
    if (memcmp(h, "QED\0", 4) != 0) {
        return fail(error, "Image not in QED format");
    }
    s->features = load_le64(h + H_FEATURES);
    if (s->features & ~(uint64_t)FEATURES_KNOWN) {
        return fail(error, "Unsupported QED features: %" G_GINT64_MODIFIER "x",
                    s->features & ~(uint64_t)FEATURES_KNOWN);
    }
    s->map.unit = load_le32(h + H_CLUSTER);
    s->header_clusters = load_le32(h + H_HEADER);
    s->l1 = load_le64(h + H_L1);
    n->length = load_le64(h + H_SIZE);
    if (!qed_geometry(s->map.unit, load_le32(h + H_TABLE), n->length, error)) {
        return false;
    }
    s->table_bytes = load_le32(h + H_TABLE) * s->map.unit;
    s->entries = s->table_bytes / 8;
    if (s->header_clusters == 0 || s->header_clusters > INT32_MAX / s->map.unit) {
        return fail(error, "the header of '%s' has %u clusters", n->filename, s->header_clusters);
    }
    if (!is_place(n, s->l1, s->table_bytes) || s->table_bytes > n->file->length - s->l1) {
        return fail(error, "the first table of '%s' lies outside of the file", n->filename);
    }
    if ((s->features & FEATURE_BACKING) && !open_backing_name(n, h, error)) {
        g_clear_pointer(&n->backing_file, g_free);
        return false;
    }
    n->align = SECTOR;
    s->map.ops = &qed_map;
    meta_init(&s->map.meta, n->file);
    return true;
}

static void co_close(void *opaque)
{
    BlockNode *n = opaque;
    QedState *s = n->state;

    if (co_meta_flush(&s->map.meta) == 0 && co_block_flush(n->file) == 0) {
        s->features &= ~(uint64_t)FEATURE_NEED_CHECK;
        co_write_features(n);
    }
}

static void qed_close(BlockNode *n)
{
    QedState *s = n->state;

    if (s->map.writing) {
        block_run(co_close, n);
    }
    mapped_close(n);
}

static bool co_qed_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc, GError **error)
{
    QedState *s = n->state;
    uint8_t raw[8];

    if (prealloc != PREALLOC_OFF) {
        return fail(error, "Unsupported preallocation mode");
    }
    if (length < n->length) {
        return fail(error, "Shrinking images is currently not supported");
    }
    if (!qed_geometry(s->map.unit, s->table_bytes / s->map.unit, length, error)) {
        return false;
    }
    store_le64(raw, length);
    if (!image_write(n->file, H_SIZE, raw, sizeof(raw), error)) {
        return false;
    }
    n->length = length;
    return true;
}

static bool co_qed_check(BlockNode *n, BlockCheck *result, unsigned fix, GError **error)
{
    QedState *s = n->state;

    if (!co_mapped_check(n, result, fix, error)) {
        return false;
    }
    result->image_end_offset = 0;       /* not told */
    if (fix && result->corruptions == 0 && result->check_errors == 0 && !s->map.writing &&
        (s->features & FEATURE_NEED_CHECK)) {
        s->features &= ~(uint64_t)FEATURE_NEED_CHECK;
        co_write_features(n);
    }
    return true;
}

static bool co_qed_info(BlockNode *n, BlockImageInfo *info, GError **error)
{
    QedState *s = n->state;

    info->cluster_size = s->map.unit;
    info->dirty = (s->features & FEATURE_NEED_CHECK) && !s->map.writing;
    info->zero_init = true;
    return true;
}

static bool co_qed_change_backing(BlockNode *n, const char *file, const char *format,
                                  GError **error)
{
    QedState *s = n->state;
    size_t len = file ? strlen(file) : 0;
    uint8_t raw[8];

    if (len > MAX_BACKING_NAME) {
        return fail(error, "Backing file name is too long");
    }
    s->features &= ~(uint64_t)(FEATURE_BACKING | FEATURE_BACKING_RAW);
    if (file) {
        s->features |=
            FEATURE_BACKING | (format && strcmp(format, "raw") == 0 ? FEATURE_BACKING_RAW : 0);
    }
    store_le32(raw, file ? HEADER_SIZE : 0);
    store_le32(raw + 4, (uint32_t)len);
    if ((len && !image_write(n->file, HEADER_SIZE, file, len, error)) ||
        !image_write(n->file, H_NAME, raw, sizeof(raw), error)) {
        return false;
    }
    store_le64(raw, s->features);
    return image_write(n->file, H_FEATURES, raw, sizeof(raw), error);
}

static bool co_qed_format(BlockNode *file, struct json_object *opts, GError **error)
{
    uint64_t cluster = opts_number(opts, "cluster_size", DEFAULT_CLUSTER);
    uint64_t table = opts_number(opts, "table_size", DEFAULT_TABLE),
             size = opts_number(opts, "size", 0);
    const char *backing = opts_string(opts, "backing_file", NULL);
    const char *format = opts_string(opts, "backing_fmt", NULL);
    uint8_t h[HEADER_SIZE] = { 'Q', 'E', 'D', 0 };
    uint64_t features = 0;

    cluster = cluster ? cluster : DEFAULT_CLUSTER;
    table = table ? table : DEFAULT_TABLE;
    if (!qed_geometry(cluster, table, size, error)) {
        return false;
    }
    if (backing && strlen(backing) > MAX_BACKING_NAME) {
        return fail(error, "Backing file name is too long");
    }
    if (backing) {
        features =
            FEATURE_BACKING | (format && strcmp(format, "raw") == 0 ? FEATURE_BACKING_RAW : 0);
        store_le32(h + H_NAME, HEADER_SIZE);
        store_le32(h + H_NAME_LEN, (uint32_t)strlen(backing));
    }
    store_le32(h + H_CLUSTER, (uint32_t)cluster);
    store_le32(h + H_TABLE, (uint32_t)table);
    store_le32(h + H_HEADER, 1);
    store_le64(h + H_FEATURES, features);
    store_le64(h + H_L1, cluster);
    store_le64(h + H_SIZE, size);
    return co_block_truncate(file, cluster * (1 + table), PREALLOC_OFF, error) &&
           (!backing || image_write(file, HEADER_SIZE, backing, strlen(backing), error)) &&
           image_write(file, 0, h, sizeof(h), error);
}

static const OptDesc qed_create_opts[] = {
    { "size", OPT_SIZE, "Virtual disk size" },
    { "backing_file", OPT_STRING, "File name of a base image" },
    { "backing_fmt", OPT_STRING, "Image format of the base image" },
    { "cluster_size", OPT_SIZE, "Cluster size (in bytes)", "65536" },
    { "table_size", OPT_SIZE, "L1/L2 table size (in clusters)" },
    { NULL },
};

static const BlockDriver qed_driver = {
    .name = "qed", .desc = "QED disk image", .state_size = sizeof(QedState), .backing = true,
    .probe = qed_probe, .open = qed_open, .close = qed_close,
    .co_preadv = co_mapped_preadv, .co_pwritev = co_mapped_pwritev, .co_flush = co_mapped_flush,
    .co_write_zeroes = co_mapped_write_zeroes, .co_block_status = co_mapped_status,
    .co_truncate = co_qed_truncate, .co_check = co_qed_check, .create_opts = qed_create_opts,
    .co_format = co_qed_format, .co_info = co_qed_info, .co_change_backing = co_qed_change_backing,
};
BLOCK_DRIVER(qed_driver);
