// SPDX-License-Identifier: GPL-2.0-or-later
/* Making qcow2 images, and saying how big they would be. */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "block/bitmap.h"
#include "block/crypto.h"
#include "block/qcow2.h"
#include "util/bitops.h"
#include "util/bswap.h"
#include "util/error.h"

typedef struct Wanted {
    Qcow2Header h;
    uint64_t size;
    BlockPrealloc prealloc;
    const char *data_file, *backing_file, *backing_format, *encryption;
    bool raw;
} Wanted;

/* ---- options ---- */

static bool take_version(struct json_object *opts, Wanted *w, GError **error)
{
    const char *compat = opts_string(opts, "compat", "1.1");

    if (strcmp(compat, "0.10") == 0 || strcmp(compat, "v2") == 0) {
        w->h.version = 2;
    } else if (strcmp(compat, "1.1") == 0 || strcmp(compat, "v3") == 0) {
        w->h.version = 3;
    } else {
        return fail(error, "Parameter 'version' does not accept value '%s'", compat);
    }
    return true;
}

static bool take_cluster_size(struct json_object *opts, Wanted *w, GError **error)
{
    bool ext = opts_bool(opts, "extended_l2", false);
    uint64_t size = opts_number(opts, "cluster_size", ext ? 65536 : 65536);

    if (size < 512 || size > 2 * MIB || (size & (size - 1))) {
        return fail(error, "Cluster size must be a power of two between 512 and 2048k");
    }
    w->h.cluster_bits = (uint32_t)__builtin_ctzll(size);
    if (ext) {
        if (size < 16384) {
            return fail(error, "Extended L2 entries are only supported with cluster sizes of at "
                               "least 16384 bytes");
        }
        if (w->h.version < 3) {
            return fail(error, "Extended L2 entries are only supported with compatibility level "
                               "1.1 and above (use version=v3 or greater)");
        }
        w->h.incompatible |= Q_INCOMPAT_EXT_L2;
    }
    return true;
}

static bool take_refcounts(struct json_object *opts, Wanted *w, GError **error)
{
    uint64_t bits = opts_number(opts, "refcount_bits", 16);

    if (bits == 0 || bits > 64 || (bits & (bits - 1))) {
        return fail(error, "Refcount width must be a power of two and may not exceed 64 bits");
    }
    if (w->h.version < 3 && bits != 16) {
        return fail(error, "Different refcount widths than 16 bits require compatibility level 1.1 "
                           "or above (use version=v3 or greater)");
    }
    w->h.refcount_order = (uint32_t)__builtin_ctzll(bits);
    if (opts_bool(opts, "lazy_refcounts", false)) {
        if (w->h.version < 3) {
            return fail(error, "Lazy refcounts only supported with compatibility level 1.1 and "
                               "above (use version=v3 or greater)");
        }
        w->h.compatible |= Q_COMPAT_LAZY_REFCOUNTS;
    }
    return true;
}

static bool take_files(struct json_object *opts, Wanted *w, GError **error)
{
    w->data_file = opts_string(opts, "data_file", NULL);
    w->raw = opts_bool(opts, "data_file_raw", false);
    w->backing_file = opts_string(opts, "backing_file", NULL);
    w->backing_format = opts_string(opts, "backing_fmt", NULL);
    if (w->raw && !w->data_file) {
        return fail(error, "data-file-raw requires data-file");
    }
    if (w->raw && w->prealloc == PREALLOC_OFF) {
        w->prealloc = PREALLOC_METADATA;        /* each byte is at its own place from the start */
    }
    if (w->raw && w->backing_file) {
        return fail(error, "Backing file and data-file-raw cannot be used at the same time");
    }
    if (w->data_file) {
        if (w->h.version < 3) {
            return fail(error, "External data files are only supported with compatibility level "
                               "1.1 and above (use version=v3 or greater)");
        }
        w->h.incompatible |= Q_INCOMPAT_DATA_FILE;
        w->h.autoclear |= w->raw ? Q_AUTOCLEAR_RAW_DATA : 0;
    }
    if (w->backing_file && w->prealloc != PREALLOC_OFF &&
        !(w->h.incompatible & Q_INCOMPAT_EXT_L2)) {
        return fail(error, "Backing file and preallocation can only be used at the same time if "
                           "extended_l2 is enabled");
    }
    if (w->backing_format && !w->backing_file) {
        return fail(error, "Backing format cannot be used without backing file");
    }
    return true;
}

static bool take_compression(struct json_object *opts, Wanted *w, GError **error)
{
    const char *name = opts_string(opts, "compression_type", "zlib");
    const Qcow2Compressor *c = qcow2_compressor(0, name);

    if (!c) {
        return fail(error, "Parameter 'compression-type' does not accept value '%s'", name);
    }
    w->h.compression = c->type;
    if (c->type) {
        if (w->h.version < 3) {
            return fail(error, "Non-zlib compression type is only supported with compatibility "
                               "level 1.1 and above (use version=v3 or greater)");
        }
        w->h.incompatible |= Q_INCOMPAT_COMPRESSION;
    }
    return true;
}

static bool take_options(struct json_object *opts, Wanted *w, GError **error)
{
    *w = (Wanted){ .size = (opts_number(opts, "size", 0) + 511) & ~511ull };
    if (!block_prealloc_parse(opts_string(opts, "preallocation", "off"), &w->prealloc, error) ||
        !take_version(opts, w, error) || !take_cluster_size(opts, w, error) ||
        !take_refcounts(opts, w, error) || !take_files(opts, w, error) ||
        !take_compression(opts, w, error)) {
        return false;
    }
    w->encryption =
        opts_string(opts, "encrypt.format", opts_bool(opts, "encryption", false) ? "aes" : NULL);
    if (w->encryption && strcmp(w->encryption, "luks") != 0 && strcmp(w->encryption, "aes") != 0) {
        return fail(error, "Parameter 'format' does not accept value '%s'", w->encryption);
    }
    return true;
}

/* ---- making ---- */

/* An image of size 0: header, refcount table, one refcount block. */
static int co_write_skeleton(BlockNode *file, const Wanted *w)
{
    uint64_t cluster = 1ull << w->h.cluster_bits;
    g_autofree uint8_t *raw = g_malloc0(3 * cluster);
    BlockNode shell = {.backing_file = (char *)w->backing_file,
                       .backing_format = (char *)w->backing_format};
    Qcow2 q = { .n = &shell, .h = w->h, .cluster_size = cluster, .cluster_bits = w->h.cluster_bits,
                .external = w->data_file != NULL, .data_file = (char *)w->data_file };
    int64_t len;

    q.refcount_bits = 1u << w->h.refcount_order;
    q.h.reftable_offset = cluster;
    q.h.reftable_clusters = 1;
    q.h.l1_offset = 3 * cluster;
    len = qcow2_header_build(&q, raw);
    if (len < 0) {
        return (int)len;
    }
    store_be64(raw + cluster, 2 * cluster);
    for (unsigned i = 0; i < 3; i++) {
        qcow2_refcount_store(&q, raw + 2 * cluster, i, 1);
    }
    return co_block_pwrite(file, 0, raw, 3 * cluster, 0);
}

static BlockNode *open_new(BlockNode *file, BlockNode *data, GError **error)
{
    struct json_object *o = json_object_new_object();
    BlockNode *n;

    json_object_object_add(o, "driver", json_object_new_string("qcow2"));
    json_object_object_add(o, "file", json_object_new_string(file->name));
    if (data) {
        json_object_object_add(o, "data-file", json_object_new_string(data->name));
    }
    n = block_open(o, BLOCK_OPEN_NO_BACKING, error);
    json_object_put(o);
    return n;
}

bool co_qcow2_format(BlockNode *file, struct json_object *opts, GError **error)
{
    BlockNode *data = NULL, *n;
    Wanted w;
    bool good;
    int ret;

    if (!take_options(opts, &w, error)) {
        return false;
    }
    ret = co_write_skeleton(file, &w);
    if (ret == -ENOSPC) {
        return fail(error, "the header does not fit in a cluster: names are too long");
    }
    if (ret < 0) {
        return fail_errno(error, -ret, "Could not write qcow2 header");
    }
    if (w.data_file) {
        g_autofree char *full = block_resolve_relative(file->filename, w.data_file);

        data = block_create_file(full, 0, error);
        if (!data) {
            return false;
        }
    }
    n = open_new(file, data, error);
    good = n && (!w.encryption || co_qcow2_crypt_create(n->state, opts, w.encryption, error)) &&
           (w.size == 0 || co_block_truncate(n, w.size, w.prealloc, error));
    block_node_unref(n);
    block_node_unref(data);
    return good;
}

/* ---- measuring ---- */

static uint64_t round_to(uint64_t v, uint64_t unit)
{
    return (v + unit - 1) / unit * unit;
}

/* What refcounts of n clusters, and of themselves, take. */
static uint64_t refcount_clusters(const Wanted *w, uint64_t n)
{
    uint64_t cluster = 1ull << w->h.cluster_bits, per_block = cluster * 8 >> w->h.refcount_order;
    uint64_t blocks = 0, table = 0, last;

    do {
        last = blocks + table;
        blocks = (n + last + per_block - 1) / per_block;
        table = (blocks * 8 + cluster - 1) / cluster;
    } while (blocks + table != last);
    return blocks + table;
}

static uint64_t metadata_bytes(const Wanted *w, uint64_t size)
{
    uint64_t cluster = 1ull << w->h.cluster_bits,
             entry = w->h.incompatible & Q_INCOMPAT_EXT_L2 ? 16 : 8;
    uint64_t clusters = round_to(size, cluster) / cluster;
    uint64_t l2 = round_to(clusters * entry, cluster) / cluster,
             l1 = round_to(l2 * 8, cluster) / cluster;
    uint64_t meta = 1 + l2 + l1;

    return (meta + refcount_clusters(w, meta + clusters)) * cluster;
}

/* Bytes in clusters that hold data. */
static bool co_used_bytes(BlockNode *in, uint64_t cluster, uint64_t *used, GError **error)
{
    uint64_t at = 0, counted = 0;

    *used = 0;
    while (at < in->length) {
        BlockStatus st;
        int ret = co_block_status_above(in, NULL, at, in->length - at, true, &st);

        if (ret < 0 || st.bytes == 0) {
            return fail_errno(error, ret < 0 ? -ret : EIO, "Unable to get block status");
        }
        if (!(st.flags & BLOCK_STATUS_ZERO) &&
            (st.flags & (BLOCK_STATUS_DATA | BLOCK_STATUS_ALLOCATED))) {
            uint64_t start = MAX(counted, at / cluster * cluster),
                     end = round_to(at + st.bytes, cluster);

            *used += end > start ? end - start : 0;
            counted = MAX(counted, end);
        }
        at += st.bytes;
    }
    return true;
}

/* What the source's bitmaps take: their data, tables of it, and the directory. */
static uint64_t bitmaps_bytes(const BlockNode *in, uint64_t cluster)
{
    uint64_t sum = 0, directory = 0;

    for (unsigned i = 0; in->bitmaps && i < in->bitmaps->len; i++) {
        const DirtyBitmap *b = g_ptr_array_index(in->bitmaps, i);
        uint64_t clusters = div_round_up(div_round_up(dirty_bitmap_bits(b), 8), cluster);

        if (b->persistent) {
            sum += clusters * cluster + round_to(clusters * 8, cluster);
            directory += round_to(24 + strlen(b->name), 8);
        }
    }
    return sum + round_to(directory, cluster);
}

bool co_qcow2_measure(struct json_object *opts, BlockNode *in, BlockMeasure *m, GError **error)
{
    uint64_t cluster, used = 0, meta;
    Wanted w;

    if (!take_options(opts, &w, error)) {
        return false;
    }
    cluster = 1ull << w.h.cluster_bits;
    if (in) {
        w.size = (in->length + 511) & ~511ull;
        if (!co_used_bytes(in, cluster, &used, error)) {
            return false;
        }
    }
    meta = metadata_bytes(&w, w.size);
    if (w.encryption && strcmp(w.encryption, "luks") == 0) {
        BlockCrypto *c;

        json_object_object_add(opts, "encrypt.iter-time", json_object_new_int(1)); /* no matter */
        c = co_crypto_create_luks(opts, "encrypt.", error);
        if (!c) {
            return false;
        }
        meta += round_to(crypto_header_bytes(c), cluster);
        crypto_free(c);
    }
    m->fully_allocated = meta + round_to(w.size, cluster);
    m->required = meta + (w.prealloc == PREALLOC_FULL || w.prealloc == PREALLOC_FALLOC
                              ? round_to(w.size, cluster)
                              : used);
    m->has_bitmaps = in && in->driver->co_can_store_bitmap && w.h.version >= 3;
    m->bitmaps = m->has_bitmaps ? bitmaps_bytes(in, cluster) : 0;
    return true;
}

const OptDesc qcow2_create_opts[] = {
    { "backing_file", OPT_STRING, "File name of a base image" },
    { "backing_fmt", OPT_STRING, "Image format of the base image" },
    { "cluster_size", OPT_SIZE, "qcow2 cluster size" },
    { "compat", OPT_STRING, "Compatibility level (v2 [0.10] or v3 [1.1])" },
    { "compression_type", OPT_STRING, "Compression method used for image cluster compression" },
    { "data_file", OPT_STRING, "File name of an external data file" },
    { "data_file_raw", OPT_BOOL, "The external data file must stay valid as a raw image" },
    CRYPTO_CREATE_OPTS("encrypt."),
    { "encrypt.format", OPT_STRING, "Encrypt the image, format choices: 'aes', 'luks'" },
    { "encryption", OPT_BOOL, "Encrypt the image with format 'aes'. (Deprecated in favor of encrypt.format=aes)" },
    { "extended_l2", OPT_BOOL, "Extended L2 tables" },
    { "lazy_refcounts", OPT_BOOL, "Postpone refcount updates" },
    { "preallocation", OPT_STRING, "Preallocation mode (allowed values: off, metadata, falloc, full)" },
    { "refcount_bits", OPT_NUMBER, "Width of a reference count entry in bits" },
    { "size", OPT_SIZE, "Virtual disk size" },
    { NULL },
};
