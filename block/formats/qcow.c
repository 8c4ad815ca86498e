// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first qcow format: two levels of tables of big-endian 64-bit offsets, clusters perhaps
 * deflated or encrypted (AES-CBC by sector number, with the password as key: it protects little).
 */
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "block/crypto.h"
#include "block/driver.h"
#include "block/formats/mapped.h"
#include "util/bitops.h"
#include "util/bswap.h"
#include "util/error.h"
#include "util/iov.h"

#define SECTOR 512u
#define HEADER_SIZE 48u
#define PACKED (1ull << 63)
#define MAX_BACKING_NAME 1023u
#define MAX_L1 (INT32_MAX / 8)
#define WINDOW_BITS (-12)

/* Offsets in the header, which is big-endian. */
enum {
    H_VERSION = 4, H_NAME = 8, H_NAME_LEN = 16, H_TIME = 20, H_SIZE = 24, H_CLUSTER_BITS = 32,
    H_L2_BITS = 33, H_CRYPT = 36, H_L1 = 40,
};

enum { CRYPT_NONE, CRYPT_AES };

typedef struct QcowState {
    Mapped map;
    unsigned cluster_bits, l2_bits;
    uint64_t l1, l1_entries;
    BlockCrypto *crypto;        /* NULL: not encrypted */
    /* the cluster that was unpacked last */
    uint64_t unpacked_at;
    uint8_t *unpacked;
    CoMutex unpack_lock;
} QcowState;

static int qcow_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= HEADER_SIZE && load_be32(head) == 0x514649fbu && load_be32(head + H_VERSION) == 1
               ? 100
               : 0;
}

static int co_get(QcowState *s, uint64_t at, uint64_t *value)
{
    uint8_t raw[8];
    int ret = co_meta_read(&s->map.meta, at, raw, sizeof(raw));

    *value = load_be64(raw);
    return ret;
}

static int co_set(QcowState *s, uint64_t at, uint64_t value, MetaLevel level)
{
    uint8_t raw[8];

    store_be64(raw, value);
    return co_meta_write(&s->map.meta, at, raw, sizeof(raw), level);
}

static int co_entry_at(BlockNode *n, uint64_t offset, uint64_t *at)
{
    QcowState *s = n->state;
    uint64_t cluster = offset >> s->cluster_bits, table;
    int ret = co_get(s, s->l1 + (cluster >> s->l2_bits) * 8, &table);

    *at = 0;
    if (ret < 0 || table == 0) {
        return ret;
    }
    if (table > n->file->length || (8ull << s->l2_bits) > n->file->length - table) {
        return -EIO;
    }
    *at = table + (cluster & (bit_mask(s->l2_bits))) * 8;
    return 0;
}

static int co_qcow_find(BlockNode *n, uint64_t offset, MapExtent *e)
{
    QcowState *s = n->state;
    uint64_t in_block = offset & (s->map.unit - 1), at, place = 0;
    int ret = co_entry_at(n, offset, &at);

    e->len = MIN(e->len, s->map.unit - in_block);
    if (ret == 0 && at) {
        ret = co_get(s, at, &place);
    }
    if (ret < 0) {
        return ret;
    }
    e->kind = place == 0 ? MAP_ABSENT : place & PACKED ? MAP_PACKED : MAP_DATA;
    e->where = place & PACKED ? place : place + in_block;
    return place & PACKED || place < n->file->length ? 0 : -EIO;
}

static bool inflate_cluster(const uint8_t *from, size_t from_len, uint8_t *to, size_t to_len)
{
    z_stream z = { .next_in = (uint8_t *)from, .avail_in = (unsigned)from_len, .next_out = to,
                   .avail_out = (unsigned)to_len };
    int ret;

    if (inflateInit2(&z, WINDOW_BITS) != Z_OK) {
        return false;
    }
    ret = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    return (ret == Z_STREAM_END || ret == Z_BUF_ERROR) && z.avail_out == 0;
}

static int co_unpack_locked(BlockNode *n, uint64_t entry)
{
    QcowState *s = n->state;
    unsigned bits = 63 - s->cluster_bits;
    uint64_t at = entry & bit_mask(bits), len = (entry & ~PACKED) >> bits;
    g_autofree uint8_t *packed = NULL;
    int ret;

    if (s->unpacked && s->unpacked_at == entry) {
        return 0;
    }
    if (at >= n->file->length || len == 0) {
        return -EIO;
    }
    len = MIN(len, n->file->length - at);
    packed = g_malloc(len);
    ret = co_block_pread(n->file, at, packed, len);
    if (ret < 0) {
        return ret;
    }
    s->unpacked = s->unpacked ? s->unpacked : g_malloc(s->map.unit);
    s->unpacked_at = 0;
    if (!inflate_cluster(packed, len, s->unpacked, s->map.unit)) {
        return -EIO;
    }
    s->unpacked_at = entry;
    return 0;
}

static int co_qcow_unpack(BlockNode *n, uint64_t offset, const MapExtent *e, void *buf)
{
    QcowState *s = n->state;
    int ret;

    co_mutex_lock(&s->unpack_lock);
    ret = co_unpack_locked(n, e->where);
    if (ret == 0) {
        memcpy(buf, s->unpacked + (offset & (s->map.unit - 1)), e->len);
    }
    co_mutex_unlock(&s->unpack_lock);
    return ret;
}

static int co_qcow_place(BlockNode *n, uint64_t offset, MapExtent *e)
{
    QcowState *s = n->state;

    return co_append_room(n->file, s->map.unit, s->map.unit, &e->where, &e->fresh);
}

static int co_enter_value(BlockNode *n, uint64_t offset, uint64_t value)
{
    QcowState *s = n->state;
    uint64_t cluster = offset >> s->cluster_bits, table, at;
    int ret = co_entry_at(n, offset, &at);

    if (ret == 0 && at == 0) {
        ret = co_append_room(n->file, MAX(s->map.unit, SECTOR), 8ull << s->l2_bits, &table, NULL);
        if (ret == 0) {
            ret = co_meta_zero(&s->map.meta, table, 8ull << s->l2_bits, META_LEAF);
        }
        if (ret == 0) {
            ret = co_set(s, s->l1 + (cluster >> s->l2_bits) * 8, table, META_ROOT);
        }
        at = table + (cluster & bit_mask(s->l2_bits)) * 8;
    }
    return ret < 0 ? ret : co_set(s, at, value, META_LEAF);
}

static int co_qcow_enter(BlockNode *n, uint64_t offset, const MapExtent *e)
{
    return co_enter_value(n, offset, e->where);
}

static const MappedOps qcow_map = {
    .co_find = co_qcow_find, .co_unpack = co_qcow_unpack, .co_place = co_qcow_place,
    .co_enter = co_qcow_enter,
};

static void qcow_encrypt(BlockNode *n, uint64_t offset, void *buf, size_t len)
{
    QcowState *s = n->state;

    co_crypto_encrypt(s->crypto, offset, buf, len);
}

static void qcow_decrypt(BlockNode *n, uint64_t offset, void *buf, size_t len)
{
    QcowState *s = n->state;

    co_crypto_decrypt(s->crypto, offset, buf, len);
}

static const MappedOps encrypted_map = {
    .co_find = co_qcow_find, .co_unpack = co_qcow_unpack, .co_place = co_qcow_place,
    .co_enter = co_qcow_enter, .encrypt = qcow_encrypt, .decrypt = qcow_decrypt,
};

/* Length of the deflated cluster, 0 when it does not get smaller. */
static size_t deflate_cluster(const uint8_t *from, size_t len, uint8_t *to)
{
    z_stream z = { .next_in = (uint8_t *)from, .avail_in = (unsigned)len, .next_out = to,
                   .avail_out = (unsigned)len };
    int ret;

    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS, 9, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        return 0;
    }
    ret = deflate(&z, Z_FINISH);
    deflateEnd(&z);
    return ret == Z_STREAM_END && z.avail_out > 0 ? len - z.avail_out : 0;
}

static int co_qcow_pwrite_compressed(BlockNode *n, uint64_t offset, uint64_t bytes,
                                     const struct iovec *iov, unsigned niov)
{
    QcowState *s = n->state;
    g_autofree uint8_t *plain = g_malloc0(s->map.unit), *packed = g_malloc(s->map.unit);
    uint64_t at;
    size_t len;
    int ret;

    if (bytes == 0) {
        return 0;
    }
    if (offset & (s->map.unit - 1) || bytes > s->map.unit) {
        return -EINVAL;
    }
    iov_to_buf(iov, niov, 0, plain, bytes);
    len = s->crypto ? 0 : deflate_cluster(plain, s->map.unit, packed);
    if (len == 0) {
        return co_mapped_pwritev(n, offset, bytes, iov, niov, 0);
    }
    co_mutex_lock(&s->map.lock);
    ret = co_append_room(n->file, 1, len, &at, NULL);
    if (ret == 0) {
        ret = co_block_pwrite(n->file, at, packed, len, 0);
    }
    if (ret == 0) {
        ret = co_enter_value(n, offset, PACKED | (uint64_t)len << (63 - s->cluster_bits) | at);
    }
    co_mutex_unlock(&s->map.lock);
    return ret;
}

static bool open_crypto(BlockNode *n, uint32_t method, struct json_object *opts, GError **error)
{
    const char *format = opts_string(opts, "encrypt.format", NULL);
    QcowState *s = n->state;

    if (method > CRYPT_AES) {
        return fail(error, "invalid encryption method in qcow header");
    }
    if (method == CRYPT_NONE) {
        return !format || fail(error,
                               "No encryption in image header, but options specified format '%s'",
                               format);
    }
    n->encrypted = true;
    if (format && strcmp(format, "aes") != 0) {
        return fail(error, "Header reported 'aes' encryption format but options specify '%s'",
                    format);
    }
    s->crypto = crypto_open_aes(opts, "encrypt.", n->open_flags & BLOCK_OPEN_NO_IO, error);
    return s->crypto != NULL;
}

static bool qcow_open(BlockNode *n, struct json_object *opts, GError **error)
{
    QcowState *s = n->state;
    uint8_t h[HEADER_SIZE];
    uint32_t name_len;

    if (!image_read(n->file, 0, h, sizeof(h), "header", error)) {
        return false;
    }
    if (load_be32(h) != 0x514649fbu) {
        return fail(error, "Image not in qcow format");
    }
    if (load_be32(h + H_VERSION) != 1) {
        return fail(error, "qcow (v%u) does not support qcow version %u", 1,
                    load_be32(h + H_VERSION));
    }
    n->length = load_be64(h + H_SIZE);
    s->cluster_bits = h[H_CLUSTER_BITS];
    s->l2_bits = h[H_L2_BITS];
    s->l1 = load_be64(h + H_L1);
    if (n->length <= 1) {
        return fail(error, "Image size is too small (must be at least 2 bytes)");
    }
    if (s->cluster_bits < 9 || s->cluster_bits > 16) {
        return fail(error, "Cluster size must be between 512 and 64k");
    }
    if (s->l2_bits < 9 - 3 || s->l2_bits > 16 - 3) {
        return fail(error, "L2 table size must be between 512 and 64k");
    }
    if (!open_crypto(n, load_be32(h + H_CRYPT), opts, error)) {
        return false;
    }
    s->l1_entries = div_round_up(n->length, 1ull << (s->cluster_bits + s->l2_bits));
    if (n->length > INT64_MAX || s->l1_entries > MAX_L1) {
        return fail(error, "Image too large");
    }
    if (s->l1 > n->file->length || s->l1_entries * 8 > n->file->length - s->l1) {
        return fail(error, "the first table of '%s' lies beyond the end of the file", n->filename);
    }
    name_len = load_be32(h + H_NAME_LEN);
    if (load_be64(h + H_NAME) != 0) {
        if (name_len > MAX_BACKING_NAME) {
            return fail(error, "Backing file name too long");
        }
        n->backing_file = g_malloc0(name_len + 1u);
        if (!image_read(n->file, load_be64(h + H_NAME), n->backing_file, name_len,
                        "backing file name", error)) {
            g_clear_pointer(&n->backing_file, g_free);
            return false;
        }
    }
    n->length = round_up(n->length, SECTOR);
    n->align = SECTOR;
    s->map.ops = s->crypto ? &encrypted_map : &qcow_map;
    s->map.unit = 1ull << s->cluster_bits;
    meta_init(&s->map.meta, n->file);
    return true;
}

static void qcow_close(BlockNode *n)
{
    QcowState *s = n->state;

    mapped_close(n);
    g_free(s->unpacked);
    crypto_free(s->crypto);
}

static bool co_qcow_info(BlockNode *n, BlockImageInfo *info, GError **error)
{
    QcowState *s = n->state;

    info->cluster_size = s->map.unit;
    info->zero_init = true;
    return true;
}

static bool co_qcow_format(BlockNode *file, struct json_object *opts, GError **error)
{
    const char *backing = opts_string(opts, "backing_file", NULL);
    uint64_t size = round_up(opts_number(opts, "size", 0), SECTOR), l1 = HEADER_SIZE, entries;
    unsigned cluster_bits = backing ? 9 : 12, l2_bits = backing ? 12 : 9;
    uint8_t h[HEADER_SIZE] = { 0 };

    const char *format = opts_string(opts, "encrypt.format", NULL);

    if (opts_bool(opts, "encryption", false) || format) {
        BlockCrypto *c;

        if (format && strcmp(format, "aes") != 0) {
            return fail(error, "Only 'aes' encryption is supported by qcow images, not '%s'",
                        format);
        }
        c = crypto_open_aes(opts, "encrypt.", false, error); /* there is such a password */
        if (!c) {
            return false;
        }
        crypto_free(c);
        store_be32(h + H_CRYPT, CRYPT_AES);
    }
    if (size == 0) {
        return fail(error, "Image size is too small, cannot be zero length");
    }
    if (backing && strlen(backing) > MAX_BACKING_NAME) {
        return fail(error, "Backing file name too long");
    }
    entries = div_round_up(size, 1ull << (cluster_bits + l2_bits));
    if (entries > MAX_L1) {
        return fail(error, "Image too large");
    }
    if (backing) {
        store_be64(h + H_NAME, HEADER_SIZE);
        store_be32(h + H_NAME_LEN, (uint32_t)strlen(backing));
        l1 = round_up(HEADER_SIZE + strlen(backing), 8);
    }
    store_be32(h, 0x514649fbu);
    store_be32(h + H_VERSION, 1);
    store_be64(h + H_SIZE, size);
    h[H_CLUSTER_BITS] = (uint8_t)cluster_bits;
    h[H_L2_BITS] = (uint8_t)l2_bits;
    store_be64(h + H_L1, l1);
    return co_block_truncate(file, round_up(l1 + entries * 8, SECTOR), PREALLOC_OFF, error) &&
           (!backing || image_write(file, HEADER_SIZE, backing, strlen(backing), error)) &&
           image_write(file, 0, h, sizeof(h), error);
}

static const OptDesc qcow_create_opts[] = {
    { "size", OPT_SIZE, "Virtual disk size" },
    { "backing_file", OPT_STRING, "File name of a base image" },
    { "backing_fmt", OPT_STRING, "Format of the backing image" },
    { "encryption", OPT_BOOL, "Encrypt the image with format 'aes'. (Deprecated in favor of encrypt.format=aes)" },
    { "encrypt.format", OPT_STRING, "Encrypt the image, format choices: 'aes'" },
    { "encrypt.key-secret", OPT_STRING, "ID of the secret that provides the AES encryption key" },
    { NULL },
};

static const OptDesc qcow_opts[] = {
    { "encrypt.format", OPT_STRING, "Encrypt the image, format choices: 'aes'" },
    { "encrypt.key-secret", OPT_STRING, "ID of the secret that provides the AES encryption key" },
    { NULL },
};

static const BlockDriver qcow_driver = {
    .name = "qcow", .opts = qcow_opts, .desc = "qcow disk image, version 1", .state_size = sizeof(QcowState), .backing = true,
    .probe = qcow_probe, .open = qcow_open, .close = qcow_close,
    .co_preadv = co_mapped_preadv, .co_pwritev = co_mapped_pwritev,
    .co_pwrite_compressed = co_qcow_pwrite_compressed, .co_flush = co_mapped_flush,
    .co_write_zeroes = co_mapped_write_zeroes, .co_block_status = co_mapped_status,
    .create_opts = qcow_create_opts, .co_format = co_qcow_format, .co_info = co_qcow_info,
};
BLOCK_DRIVER(qcow_driver);
