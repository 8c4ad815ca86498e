// SPDX-License-Identifier: GPL-2.0-or-later
/* The header of a qcow2 image: parsing it as hostile input, its extensions, and writing it. */
#include <errno.h>
#include <string.h>

#include "block/qcow2.h"
#include "util/bswap.h"
#include "util/error.h"

#define V2_LENGTH 72
#define V3_LENGTH 104
#define OUR_LENGTH 112

static const struct { uint8_t type, bit; const char *name; } features[] = {
    { 0, 0, "dirty bit" }, { 0, 1, "corrupt bit" }, { 0, 2, "external data file" }, { 0, 3, "compression type" },
    { 0, 4, "extended L2 entries" }, { 1, 0, "lazy refcounts" }, { 2, 0, "bitmaps" }, { 2, 1, "raw external data" },
};

#define FEATURE_BYTES (8 + 48 * ARRAY_COUNT(features))

/* ---- reading ---- */

static bool check_geometry(const Qcow2Header *h, GError **error)
{
    uint64_t cluster = 1ull << h->cluster_bits;

    if (h->refcount_order > 6) {
        return fail(error, "Reference count entry width too large; may not exceed 64 bits");
    }
    if (h->crypt_method > Q_CRYPT_LUKS) {
        return fail(error, "Unsupported encryption method %u", h->crypt_method);
    }
    if (h->size > INT64_MAX) {
        return fail(error, "Image is too big");
    }
    if (h->reftable_clusters == 0) {
        return fail(error, "Image does not contain a reference count table");
    }
    if (h->reftable_clusters > Q_MAX_REFTABLE_BYTES >> h->cluster_bits) {
        return fail(error, "Image reference count table is too big");
    }
    if ((h->reftable_offset & (cluster - 1)) ||
        h->reftable_offset > INT64_MAX - Q_MAX_REFTABLE_BYTES) {
        return fail(error, "Reference count table offset invalid");
    }
    if (h->nb_snapshots > Q_MAX_SNAPSHOTS) {
        return fail(error, "Snapshot table is too large");
    }
    if (h->nb_snapshots && ((h->snapshots_offset & (cluster - 1)) ||
                            h->snapshots_offset > INT64_MAX - Q_MAX_SNAPSHOT_BYTES)) {
        return fail(error, "Snapshot table offset invalid");
    }
    if (h->l1_size > Q_MAX_L1_BYTES / 8) {
        return fail(error, "Active L1 table is too large");
    }
    if ((h->l1_offset & (cluster - 1)) || h->l1_offset > INT64_MAX - Q_MAX_L1_BYTES) {
        return fail(error, "Active L1 table offset invalid");
    }
    return true;
}

static bool check_l1(const Qcow2Header *h, GError **error)
{
    unsigned l2_bits = h->cluster_bits - (h->incompatible & Q_INCOMPAT_EXT_L2 ? 4 : 3);
    unsigned shift = l2_bits + h->cluster_bits;
    uint64_t need = shift >= 64 ? (h->size != 0)
                                : (h->size >> shift) + ((h->size & ((1ull << shift) - 1)) != 0);

    if (need > INT32_MAX) {
        return fail(error, "Image is too big");
    }
    if (h->l1_size < need) {
        return fail(error, "L1 table is too small");
    }
    return true;
}

bool qcow2_header_parse(Qcow2Header *h, const uint8_t *raw, size_t len, GError **error)
{
    if (len < V2_LENGTH || load_be32(raw) != Q_MAGIC) {
        return fail(error, "Image is not in qcow2 format");
    }
    *h = (Qcow2Header){
        .version = load_be32(raw + 4),
        .backing_offset = load_be64(raw + 8),
        .backing_size = load_be32(raw + 16),
        .cluster_bits = load_be32(raw + 20),
        .size = load_be64(raw + 24),
        .crypt_method = load_be32(raw + 32),
        .l1_size = load_be32(raw + 36),
        .l1_offset = load_be64(raw + 40),
        .reftable_offset = load_be64(raw + 48),
        .reftable_clusters = load_be32(raw + 56),
        .nb_snapshots = load_be32(raw + 60),
        .snapshots_offset = load_be64(raw + 64),
        .refcount_order = 4,
        .header_length = V2_LENGTH,
    };
    if (h->version < 2 || h->version > 3) {
        return fail(error, "Unsupported qcow2 version %u", h->version);
    }
    if (h->cluster_bits < 9 || h->cluster_bits > 21) {
        return fail(error, "Unsupported cluster size: 2^%u", h->cluster_bits);
    }
    if (h->version >= 3) {
        if (len < V3_LENGTH) {
            return fail(error, "qcow2 header too short");
        }
        h->incompatible = load_be64(raw + 72);
        h->compatible = load_be64(raw + 80);
        h->autoclear = load_be64(raw + 88);
        h->refcount_order = load_be32(raw + 96);
        h->header_length = load_be32(raw + 100);
        if (h->header_length < V3_LENGTH) {
            return fail(error, "qcow2 header too short");
        }
        if (h->header_length > 1u << h->cluster_bits) {
            return fail(error, "qcow2 header exceeds cluster size");
        }
        if (h->header_length > V3_LENGTH && len > V3_LENGTH) {
            h->compression = raw[104];
        }
    }
    if (h->backing_offset > 1u << h->cluster_bits) {
        return fail(error, "Invalid backing file offset");
    }
    if (!(h->incompatible & Q_INCOMPAT_COMPRESSION) != !h->compression) {
        return h->compression
                   ? fail(error, "qcow2: Compression type incompatible feature bit must be set")
                   : fail(error,
                          "qcow2: Compression type incompatible feature bit must not be set");
    }
    if ((h->incompatible & Q_INCOMPAT_EXT_L2) && h->cluster_bits < 14) {
        return fail(error, "Cannot use subclusters with cluster size smaller than 16k");
    }
    return check_geometry(h, error) && check_l1(h, error);
}

/* Names of features from the image's own table, for a message about those that we do not know. */
static char *unknown_features(const uint8_t *table, size_t len, uint64_t bits)
{
    GString *out = g_string_new(NULL);

    for (size_t at = 0; table && at + 48 <= len; at += 48) {
        if (table[at] == 0 && table[at + 1] < 64 && (bits >> table[at + 1] & 1)) {
            g_string_append_printf(out, "%s%.46s", out->len ? ", " : "", table + at + 2);
            bits &= ~(1ull << table[at + 1]);
        }
    }
    if (bits) {
        g_string_append_printf(out, "%sUnknown incompatible feature: %" G_GINT64_MODIFIER "x",
                               out->len ? ", " : "", bits);
    }
    return g_string_free(out, FALSE);
}

static bool take_extension(Qcow2 *q, uint32_t type, const uint8_t *data, uint32_t len,
                           const uint8_t **table, size_t *table_len, GError **error)
{
    switch (type) {
    case Q_EXT_BACKING_FORMAT:
        if (len >= 16) {
            return fail(error, "ERROR: ext_backing_format: len=%u too large (>=16)", len);
        }
        q->n->backing_format = g_strndup((const char *)data, len);
        break;
    case Q_EXT_FEATURES:
        *table = data;
        *table_len = len;
        break;
    case Q_EXT_DATA_FILE:
        g_free(q->data_file);
        q->data_file = g_strndup((const char *)data, len);
        break;
    case Q_EXT_CRYPTO:
        if (len != 16) {
            return fail(error, "CRYPTO header extension size %u, but expected size 16", len);
        }
        q->crypto_offset = load_be64(data);
        q->crypto_len = load_be64(data + 8);
        if (q->crypto_offset % q->cluster_size || q->crypto_offset > INT64_MAX / 2 ||
            q->crypto_len > 1 * GIB) {
            return fail(error,
                        "Encryption header offset '%" G_GUINT64_FORMAT
                        "' is not a multiple of cluster size",
                        q->crypto_offset);
        }
        break;
    case Q_EXT_BITMAPS:
        if (len != 24) {
            return fail(error, "bitmaps_ext: Invalid extension length");
        }
        if (!(q->h.autoclear & Q_AUTOCLEAR_BITMAPS)) {
            break;      /* written by who did not know of them: they are out of date */
        }
        if (load_be32(data + 4) || load_be32(data) == 0 || load_be32(data) > Q_MAX_BITMAPS) {
            return fail(error, "bitmaps_ext: invalid number of bitmaps or reserved field");
        }
        q->bitmap_dir_size = load_be64(data + 8);
        q->bitmap_dir_offset = load_be64(data + 16);
        if (q->bitmap_dir_size == 0 || q->bitmap_dir_size > Q_MAX_BITMAP_DIR_BYTES ||
            q->bitmap_dir_offset == 0 || q->bitmap_dir_offset % q->cluster_size ||
            q->bitmap_dir_offset > INT64_MAX / 2) {
            return fail(error, "bitmaps_ext: invalid bitmap directory");
        }
        break;
    default: {
        size_t whole = 8 + ((len + 7) & ~7u);

        q->unknown_ext = g_realloc(q->unknown_ext, q->unknown_ext_len + whole);
        memcpy(q->unknown_ext + q->unknown_ext_len, data - 8, whole);
        q->unknown_ext_len += whole;
    }
    }
    return true;
}

bool qcow2_header_extras(Qcow2 *q, GError **error)
{
    g_autofree uint8_t *raw = g_malloc0(q->cluster_size);
    const uint8_t *table = NULL;
    size_t table_len = 0, at = q->h.header_length;
    size_t end = q->h.backing_offset ? q->h.backing_offset : q->cluster_size;
    uint64_t unknown = q->h.incompatible & ~(uint64_t)Q_INCOMPAT_KNOWN;
    int ret = co_block_pread(q->n->file, 0, raw, q->cluster_size);

    if (ret < 0) {
        return fail_errno(error, -ret, "Could not read qcow2 header");
    }
    while (at + 8 <= end) {
        uint32_t type = load_be32(raw + at), len = load_be32(raw + at + 4);

        if (type == Q_EXT_END) {
            break;
        }
        at += 8;
        if (len > end - at) {
            return fail(error, "Header extension too large");
        }
        if (at + ((len + 7) & ~7u) > q->cluster_size ||
            !take_extension(q, type, raw + at, len, &table, &table_len, error)) {
            return error && *error ? false : fail(error, "Header extension too large");
        }
        at += (len + 7) & ~7u;
    }
    if (unknown) {
        g_autofree char *text = unknown_features(table, table_len, unknown);

        return fail(error, "Unsupported qcow2 feature(s): %s", text);
    }
    if (q->h.backing_offset) {
        uint32_t len = q->h.backing_size;

        if (len > MIN(1023, q->cluster_size - q->h.backing_offset)) {
            return fail(error, "Backing file name too long");
        }
        if (len) {
            q->n->backing_file = g_strndup((const char *)raw + q->h.backing_offset, len);
        }
    }
    return true;
}

/* ---- writing ---- */

static bool put_extension(uint8_t **at, uint8_t *end, uint32_t type, const void *data, size_t len)
{
    size_t whole = 8 + ((len + 7) & ~(size_t)7);

    if ((size_t)(end - *at) < whole) {
        return false;
    }
    memset(*at, 0, whole);
    store_be32(*at, type);
    store_be32(*at + 4, (uint32_t)len);
    if (len) {
        memcpy(*at + 8, data, len);
    }
    *at += whole;
    return true;
}

/*
 * backing: bytes that are needed behind them. Names of features are left out when there is no room.
 */
static bool put_extensions(Qcow2 *q, uint8_t **at, uint8_t *end, size_t backing)
{
    bool good = true;

    if (q->n->backing_format) {
        good = put_extension(at, end, Q_EXT_BACKING_FORMAT, q->n->backing_format,
                             strlen(q->n->backing_format));
    }
    if (good && q->external && q->data_file) {
        good = put_extension(at, end, Q_EXT_DATA_FILE, q->data_file, strlen(q->data_file));
    }
    if (good && q->crypto_offset) {
        uint8_t raw[16];

        store_be64(raw, q->crypto_offset);
        store_be64(raw + 8, q->crypto_len);
        good = put_extension(at, end, Q_EXT_CRYPTO, raw, sizeof(raw));
    }
    if (good && q->h.version >= 3 && (size_t)(end - *at) >= FEATURE_BYTES + 64 + backing) {
        uint8_t raw[48 * ARRAY_COUNT(features)] = { 0 };

        for (unsigned i = 0; i < ARRAY_COUNT(features); i++) {
            raw[48 * i] = features[i].type;
            raw[48 * i + 1] = features[i].bit;
            memcpy(raw + 48 * i + 2, features[i].name, strlen(features[i].name));
        }
        good = put_extension(at, end, Q_EXT_FEATURES, raw, sizeof(raw));
    }
    if (good && q->bitmaps && q->bitmaps->len && q->bitmap_dir_offset) {
        uint8_t raw[24] = { 0 };

        store_be32(raw, q->bitmaps->len);
        store_be64(raw + 8, q->bitmap_dir_size);
        store_be64(raw + 16, q->bitmap_dir_offset);
        good = put_extension(at, end, Q_EXT_BITMAPS, raw, sizeof(raw));
    }
    if (good && q->unknown_ext_len) {
        good = (size_t)(end - *at) >= q->unknown_ext_len;
        if (good) {
            memcpy(*at, q->unknown_ext, q->unknown_ext_len);
            *at += q->unknown_ext_len;
        }
    }
    return good && put_extension(at, end, Q_EXT_END, NULL, 0);
}

int64_t qcow2_header_build(Qcow2 *q, uint8_t *raw)
{
    const Qcow2Header *h = &q->h;
    uint8_t *at, *end = raw + q->cluster_size;
    const char *backing = q->n->backing_file;

    memset(raw, 0, q->cluster_size);
    store_be32(raw, Q_MAGIC);
    store_be32(raw + 4, h->version);
    store_be32(raw + 20, h->cluster_bits);
    store_be64(raw + 24, h->size);
    store_be32(raw + 32, h->crypt_method);
    store_be32(raw + 36, h->l1_size);
    store_be64(raw + 40, h->l1_offset);
    store_be64(raw + 48, h->reftable_offset);
    store_be32(raw + 56, h->reftable_clusters);
    store_be32(raw + 60, h->nb_snapshots);
    store_be64(raw + 64, h->snapshots_offset);
    if (h->version >= 3) {
        store_be64(raw + 72, h->incompatible);
        store_be64(raw + 80, h->compatible);
        store_be64(raw + 88, h->autoclear);
        store_be32(raw + 96, h->refcount_order);
        store_be32(raw + 100, OUR_LENGTH);
        raw[104] = h->compression;
    }
    at = raw + (h->version >= 3 ? OUR_LENGTH : V2_LENGTH);
    if (!put_extensions(q, &at, end, backing ? strlen(backing) : 0)) {
        return -ENOSPC;
    }
    if (backing && *backing) {
        size_t len = strlen(backing);

        if ((size_t)(end - at) < len) {
            return -ENOSPC;
        }
        memcpy(at, backing, len);
        store_be64(raw + 8, (uint64_t)(at - raw));
        store_be32(raw + 16, (uint32_t)len);
        at += len;
    }
    return at - raw;
}

int co_qcow2_header_write(Qcow2 *q)
{
    g_autofree uint8_t *raw = g_malloc(q->cluster_size);
    int64_t len = qcow2_header_build(q, raw);
    int ret = len < 0 ? (int)len : co_block_flush(q->n->file);

    ret = ret < 0 ? ret : co_block_pwrite(q->n->file, 0, raw, q->cluster_size, 0);
    return ret < 0 ? ret : co_block_flush(q->n->file);
}

int co_qcow2_mark_dirty(Qcow2 *q)
{
    int ret;

    if (!q->lazy || q->dirty) {
        return 0;
    }
    q->h.incompatible |= Q_INCOMPAT_DIRTY;
    ret = co_qcow2_header_write(q);
    q->dirty = ret == 0;
    return ret;
}

int co_qcow2_mark_clean(Qcow2 *q)
{
    if (!(q->h.incompatible & Q_INCOMPAT_DIRTY)) {
        return 0;
    }
    q->h.incompatible &= ~(uint64_t)Q_INCOMPAT_DIRTY;
    q->dirty = false;
    return co_qcow2_header_write(q);
}
