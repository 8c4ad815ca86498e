// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The qcow2 driver: opening and closing images, their options, and what they tell of themselves.
 * Format: the specification in docs/interop of the format's makers, versions 2 and 3 with all
 * features: snapshots, bitmaps, compression by zlib and zstd, subclusters, external data files,
 * lazy refcounts, any width of refcounts.
 */
#include "block/qcow2.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "block/crypto.h"
#include "util/bswap.h"
#include "util/error.h"

/* ---- compression ---- */

extern const Qcow2Compressor *const __start_qcow2_compressors[], *const __stop_qcow2_compressors[];

const Qcow2Compressor *qcow2_compressor(uint8_t type, const char *name)
{
    for (const Qcow2Compressor *const *c = __start_qcow2_compressors; c < __stop_qcow2_compressors;
         c++) {
        if (name ? strcmp((*c)->name, name) == 0 : (*c)->type == type) {
            return *c;
        }
    }
    return NULL;
}

/* ---- opening ---- */

static int qcow2_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= 72 && load_be32(head) == Q_MAGIC && load_be32(head + 4) >= 2 ? 100 : 0;
}

static void set_geometry(Qcow2 *q)
{
    q->cluster_bits = q->h.cluster_bits;
    q->cluster_size = 1ull << q->cluster_bits;
    q->ext = q->h.incompatible & Q_INCOMPAT_EXT_L2;
    q->subs = q->ext ? 32 : 1;
    q->sub_size = q->cluster_size / q->subs;
    q->entry_size = q->ext ? 16 : 8;
    q->l2_bits = q->cluster_bits - (q->ext ? 4 : 3);
    q->refcount_bits = 1u << q->h.refcount_order;
    q->refcount_max = q->refcount_bits == 64 ? INT64_MAX : (1ull << q->refcount_bits) - 1;
    q->rb_bits = q->cluster_bits + 3 - q->h.refcount_order;
    q->external = q->h.incompatible & Q_INCOMPAT_DATA_FILE;
    q->raw_external = q->external && (q->h.autoclear & Q_AUTOCLEAR_RAW_DATA);
}

/* Sizes of the caches in bytes, from options or as much as the image can use. */
static bool cache_sizes(Qcow2 *q, struct json_object *opts, uint64_t *l2, uint64_t *rb,
                        uint64_t *slice, GError **error)
{
    uint64_t need = ((q->h.size >> q->cluster_bits) + 1) * q->entry_size,
             total = opts_number(opts, "cache-size", 0);
    bool has_total = opts_has(opts, "cache-size"), has_l2 = opts_has(opts, "l2-cache-size");
    bool has_rb = opts_has(opts, "refcount-cache-size");

    *slice = opts_number(opts, "l2-cache-entry-size", MIN(q->cluster_size, 16 * KIB));
    if (*slice < 512 || *slice > q->cluster_size || (*slice & (*slice - 1))) {
        return fail(error,
                    "L2 cache entry size must be a power of two between 512 and the cluster size "
                    "(%" G_GUINT64_FORMAT ")",
                    q->cluster_size);
    }
    need = q_round_up(q, need);
    *l2 = opts_number(opts, "l2-cache-size", 32 * MIB);
    *rb = opts_number(opts, "refcount-cache-size", 4 * q->cluster_size);
    if (has_total) {
        if (has_l2 && has_rb) {
            return fail(error, "cache-size, l2-cache-size and refcount-cache-size may not be set "
                               "at the same time");
        }
        if (has_l2 && *l2 > total) {
            return fail(error, "l2-cache-size may not exceed cache-size");
        }
        if (has_rb && *rb > total) {
            return fail(error, "refcount-cache-size may not exceed cache-size");
        }
        if (has_l2) {
            *rb = total - *l2;
        } else if (has_rb) {
            *l2 = total - *rb;
        } else {
            *rb = MIN(4 * q->cluster_size, total / 4);
            *l2 = total - *rb;
        }
    }
    if (*l2 / *slice > INT32_MAX) {
        return fail(error, "L2 cache size too big");
    }
    if (*rb / q->cluster_size > INT32_MAX) {
        return fail(error, "Refcount cache size too big");
    }
    *l2 = MIN(*l2, need);
    return true;
}

/* Default of cache-clean-interval. */
#define CLEAN_SECONDS 600

/* What was not used for an interval goes. */
static void clean_caches(void *opaque)
{
    Qcow2 *q = opaque;

    qcow2_cache_clean(q->l2_cache);
    qcow2_cache_clean(q->rb_cache);
    timer_set_ns(&q->clean_timer, clock_now_ns(CLOCK_RT) + (int64_t)q->clean_seconds * 1000000000);
}

static bool start_cleaning(Qcow2 *q, struct json_object *opts, GError **error)
{
    q->clean_seconds = (uint64_t)opts_number(opts, "cache-clean-interval", CLEAN_SECONDS);
    if (q->clean_seconds > UINT32_MAX) {
        return fail(error, "Cache clean interval too big");
    }
    timer_init(&q->clean_timer, CLOCK_RT, clean_caches, q);
    if (q->clean_seconds) {
        timer_set_ns(&q->clean_timer,
                     clock_now_ns(CLOCK_RT) + (int64_t)q->clean_seconds * 1000000000);
    }
    return true;
}

static bool open_caches(Qcow2 *q, struct json_object *opts, GError **error)
{
    uint64_t l2 = 0, rb = 0, slice = 0;

    if (!cache_sizes(q, opts, &l2, &rb, &slice, error)) {
        return false;
    }
    q->slice_entries = (uint32_t)(slice / q->entry_size);
    q->l2_cache = qcow2_cache_new((unsigned)(l2 / slice), (uint32_t)slice, "L2");
    q->rb_cache = qcow2_cache_new((unsigned)(rb / q->cluster_size), (uint32_t)q->cluster_size,
                                  "refcount block");
    return (q->l2_cache && q->rb_cache) || fail(error, "Could not allocate metadata caches");
}

/* A table of big-endian 64-bit numbers. */
static uint64_t *co_read_table(Qcow2 *q, uint64_t offset, uint64_t entries, GError **error,
                               const char *what)
{
    uint64_t *table = g_try_new0(uint64_t, MAX(entries, 1));
    int ret;

    if (strstr(what, "refcount")) {
        qcow2_event(q, "reftable_load");
    }
    ret = table ? co_block_pread(q->n->file, offset, table, entries * 8) : -ENOMEM;

    if (ret < 0) {
        g_free(table);
        fail_errno(error, -ret, "Could not read %s", what);
        return NULL;
    }
    for (uint64_t i = 0; i < entries; i++) {
        table[i] = be64(table[i]);
    }
    return table;
}

static bool open_tables(Qcow2 *q, GError **error)
{
    q->l1_room = q->h.l1_size;
    q->rt_entries = q->h.reftable_clusters * q->cluster_size / 8;
    q->l1 = co_read_table(q, q->h.l1_offset, q->h.l1_size, error, "L1 table");
    q->rt = q->l1 ? co_read_table(q, q->h.reftable_offset, q->rt_entries, error, "refcount table")
                  : NULL;
    for (uint64_t i = 0; q->rt && i < q->rt_entries; i++) {
        if (q->rt[i] & Q_REFTABLE_MASK) {
            q->rt_used = i + 1;
        }
    }
    return q->rt != NULL;
}

static bool open_data_file(Qcow2 *q, GError **error)
{
    BlockNode *n = q->n;

    q->data = n->file;
    if (!q->external) {
        if (block_child_given(n, "data-file")) {
            return fail(error, "'data-file' can only be set for images with an external data file");
        }
        return true;
    }
    if (n->open_flags & BLOCK_OPEN_NO_IO && !block_child_given(n, "data-file")) {
        g_autoptr(GError) ignored = NULL;
        BlockNode *d =
            block_child_open(n, "data-file", BLOCK_ROLE_DATA, q->data_file, "", &ignored);

        q->data = d ? d : n->file;
        return true;
    }
    if (!q->data_file && !block_child_given(n, "data-file")) {
        return fail(error, "'data-file' is required for this image");
    }
    q->data = block_child_open(n, "data-file", BLOCK_ROLE_DATA, q->data_file, "", error);
    return q->data != NULL;
}

static bool choose_overlap(Qcow2 *q, struct json_object *opts, GError **error)
{
    const char *mode =
        opts_string(opts, "overlap-check", opts_string(opts, "overlap-check.template", "cached"));

    if (strcmp(mode, "none") == 0) {
        q->overlap = 0;
    } else if (strcmp(mode, "constant") == 0) {
        q->overlap =
            OVERLAP_HEADER | OVERLAP_L1 | OVERLAP_REFTABLE | OVERLAP_SNAPSHOTS | OVERLAP_BITMAPS;
    } else if (strcmp(mode, "cached") == 0 || strcmp(mode, "all") == 0) {
        q->overlap = OVERLAP_CACHED;
    } else {
        return fail(error,
                    "Unsupported value '%s' for qcow2 option 'overlap-check'. Allowed are any of "
                    "the following: none, "
                    "constant, cached, all",
                    mode);
    }
    return true;
}

static bool open_parts(Qcow2 *q, struct json_object *opts, GError **error)
{
    BlockNode *n = q->n;
    uint8_t raw[112] = { 0 };
    int ret = co_block_pread(n->file, 0, raw, sizeof(raw));

    if (ret < 0) {
        return fail_errno(error, -ret, "Could not read qcow2 header");
    }
    if (!qcow2_header_parse(&q->h, raw, sizeof(raw), error)) {
        return false;
    }
    set_geometry(q);
    if (!qcow2_header_extras(q, error)) {
        return false;
    }
    q->compressor = qcow2_compressor(q->h.compression, NULL);
    if (!q->compressor) {
        return fail(error, "qcow2: unknown compression type: %u", q->h.compression);
    }
    if ((q->h.incompatible & Q_INCOMPAT_CORRUPT) && !n->read_only &&
        !(n->open_flags & BLOCK_OPEN_CHECK)) {
        return fail(error, "qcow2: Image is corrupt; cannot be opened read/write");
    }
    n->length = q->h.size;
    n->encrypted = q->h.crypt_method != Q_CRYPT_NONE;
    n->align = n->encrypted ? 512 : 1;
    n->zero_align = (uint32_t)q->sub_size;
    q->lazy = opts_bool(opts, "lazy-refcounts", q->h.compatible & Q_COMPAT_LAZY_REFCOUNTS);
    q->discard_passthrough = opts_bool(opts, "pass-discard-request", n->unmap);
    q->discard_snapshot = opts_bool(opts, "pass-discard-snapshot", true);
    q->discard_other = opts_bool(opts, "pass-discard-other", false);
    if (q->lazy && q->h.version < 3) {
        return fail(
            error,
            "Lazy refcounts require a qcow2 image with at least qemu 1.1 compatibility level");
    }
    return choose_overlap(q, opts, error) && open_tables(q, error) && open_caches(q, opts, error) &&
           start_cleaning(q, opts, error) && open_data_file(q, error) &&
           co_qcow2_snapshots_read(q, n->open_flags & BLOCK_OPEN_CHECK, error);
}

static void qcow2_free(Qcow2 *q)
{
    if (q->clean_seconds) {
        timer_cancel(&q->clean_timer);
    }
    qcow2_cache_free(q->l2_cache);
    qcow2_cache_free(q->rb_cache);
    g_free(q->l1);
    g_free(q->rt);
    g_free(q->data_file);
    g_free(q->unknown_ext);
    g_free(q->unpacked);
    qcow2_snapshots_free(q);
    qcow2_bitmaps_free(q);
    crypto_free(q->crypto);
    if (q->pending) {
        g_array_unref(q->pending);
    }
}

/*
 * The first write: what only others could have set is cleared, and an unclean image is put in
 * order.
 */
static bool make_writable(Qcow2 *q, GError **error)
{
    uint64_t autoclear = q->h.autoclear & (Q_AUTOCLEAR_BITMAPS | Q_AUTOCLEAR_RAW_DATA);
    BlockNode *n = q->n;

    if (n->read_only || n->inactive || (n->open_flags & (BLOCK_OPEN_CHECK | BLOCK_OPEN_NO_IO))) {
        return true;
    }
    if (autoclear != q->h.autoclear) {
        int ret;

        q->h.autoclear = autoclear;
        ret = co_qcow2_header_write(q);
        if (ret < 0) {
            return fail_errno(error, -ret, "Could not update qcow2 header");
        }
    }
    if (q->h.incompatible & Q_INCOMPAT_DIRTY) {
        BlockCheck result = { 0 };

        if (!co_qcow2_check(n, &result, BLOCK_FIX_ERRORS | BLOCK_FIX_LEAKS, error)) {
            return false;
        }
        if (result.check_errors) {
            return fail(error, "Could not repair dirty image");
        }
    }
    return true;
}

/* Whether much of the file is holes: then clusters were preallocated, and reads as zero. */
static bool has_holes(Qcow2 *q)
{
    int64_t there = block_allocated(q->data);

    return there >= 0 && (uint64_t)there < q->data->length / 10 * 9;
}

static bool qcow2_open(BlockNode *n, struct json_object *opts, GError **error)
{
    Qcow2 *q = n->state;

    q->n = n;
    q->pending = g_array_new(FALSE, FALSE, sizeof(Qcow2Pending));
    if (!open_parts(q, opts, error)) {
        qcow2_free(q);
        return false;
    }
    if (!co_qcow2_crypt_open(q, opts, error) || !co_qcow2_bitmaps_read(q, error) ||
        !make_writable(q, error) ||
        !(n->open_flags & BLOCK_OPEN_CHECK || n->inactive || co_qcow2_bitmaps_load(q, error))) {
        qcow2_free(q);
        return false;
    }
    q->holes = has_holes(q);
    return true;
}

/* Bitmaps of the node stay what they are here, or come from the image. */
static bool qcow2_activate(BlockNode *n, struct json_object *opts, GError **error)
{
    Qcow2 *q = n->state;

    qcow2_free(q);
    memset(q, 0, sizeof(*q));
    return qcow2_open(n, opts, error);
}

/* All that is cached goes into the image. */
static bool qcow2_put_in_order(BlockNode *n, GError **error)
{
    Qcow2 *q = n->state;
    int ret;

    if (!co_qcow2_bitmaps_store(q, error)) {
        return false;
    }
    ret = co_qcow2_settle(q);
    ret = ret < 0 ? ret : co_qcow2_cache_flush(q, q->rb_cache);
    ret = ret < 0 ? ret : co_qcow2_mark_clean(q);
    return ret == 0 || fail_errno(error, -ret, "Could not write metadata");
}

static bool qcow2_reopen(BlockNode *n, struct json_object *opts, bool read_only, GError **error)
{
    Qcow2 *q = n->state;

    if (!read_only) {
        if (q->h.incompatible & Q_INCOMPAT_CORRUPT) {
            return fail(error, "qcow2: Image is corrupt; cannot be opened read/write");
        }
        return make_writable(q, error) && co_qcow2_bitmaps_load(q, error);
    }
    return qcow2_put_in_order(n, error);
}

static void qcow2_close(BlockNode *n)
{
    Qcow2 *q = n->state;
    g_autoptr(GError) why = NULL;

    if (!n->read_only && !n->inactive && !q->corrupt && !(n->open_flags & BLOCK_OPEN_NO_IO)) {
        int ret = co_qcow2_bitmaps_store(q, &why) ? 0 : -EIO;

        if (why) {
            warn_report("Lost persistent bitmaps of node '%s': %s", n->name, why->message);
        }
        ret = co_qcow2_settle(q);
        if (ret == 0) {
            ret = co_qcow2_cache_flush(q, q->rb_cache);
        }
        if (ret == 0) {
            co_qcow2_mark_clean(q);
        }
    }
    qcow2_free(q);
}

/* ---- information ---- */

static struct json_object *text(const char *s)
{
    return json_object_new_string(s);
}

static bool qcow2_info(BlockNode *n, BlockImageInfo *info, GError **error)
{
    Qcow2 *q = n->state;
    struct json_object *o = json_object_new_object();

    info->cluster_size = q->cluster_size;
    info->vm_state_offset = ((n->length >> (q->l2_bits + q->cluster_bits)) + 1)
                            << (q->l2_bits + q->cluster_bits);
    info->dirty = q->h.incompatible & Q_INCOMPAT_DIRTY;
    info->zero_init = true;
    info->specific = o;
    json_object_object_add(o, "compat", text(q->h.version == 2 ? "0.10" : "1.1"));
    json_object_object_add(o, "compression-type", text(q->compressor->name));
    if (n->encrypted) {
        json_object_object_add(o, "encrypt", qcow2_crypt_info(q));
    }
    if (q->h.version >= 3) {
        struct json_object *bitmaps = qcow2_bitmaps_info(q);

        json_object_object_add(o, "lazy-refcounts",
                               json_object_new_boolean(q->h.compatible & Q_COMPAT_LAZY_REFCOUNTS));
        if (bitmaps) {
            json_object_object_add(o, "bitmaps", bitmaps);
        }
    }
    json_object_object_add(o, "refcount-bits", json_object_new_int((int)q->refcount_bits));
    if (q->external) {
        if (q->data_file) {
            json_object_object_add(o, "data-file", text(q->data_file));
        }
        json_object_object_add(o, "data-file-raw", json_object_new_boolean(q->raw_external));
    }
    if (q->h.version >= 3) {
        json_object_object_add(
            o, "corrupt", json_object_new_boolean((q->h.incompatible & Q_INCOMPAT_CORRUPT) != 0));
        json_object_object_add(o, "extended-l2", json_object_new_boolean(q->ext));
    }
    return true;
}

static const BlockChildDesc qcow2_children[] = {
    { "file", BLOCK_ROLE_DATA | BLOCK_ROLE_METADATA | BLOCK_ROLE_PRIMARY }, { "data-file", BLOCK_ROLE_DATA, true }, { NULL },
};

static const OptDesc qcow2_opts[] = {
    { "lazy-refcounts", OPT_BOOL, "Postpone refcount updates" },
    { "pass-discard-request", OPT_BOOL, "Pass guest discard requests to the layer below" },
    { "pass-discard-snapshot", OPT_BOOL, "Generate discard requests when snapshot related space is freed" },
    { "pass-discard-other", OPT_BOOL, "Generate discard requests when other clusters are freed" },
    { "overlap-check", OPT_STRING, "Selects which overlap checks to perform from a range of templates (none, constant, cached, all)" },
    { "overlap-check.*", OPT_STRING, "" },
    { "cache-size", OPT_SIZE, "Maximum combined metadata (L2 tables and refcount blocks) cache size" },
    { "l2-cache-size", OPT_SIZE, "Maximum L2 table cache size" },
    { "l2-cache-entry-size", OPT_SIZE, "Size of each entry in the L2 cache" },
    { "refcount-cache-size", OPT_SIZE, "Maximum refcount block cache size" },
    { "cache-clean-interval", OPT_NUMBER, "Clean unused cache entries after this time (in seconds)" },
    { "encrypt.*", OPT_STRING, "" },
    { NULL },
};

static void qcow2_children_changed(BlockNode *n)
{
    Qcow2 *q = n->state;
    BlockNode *data = block_child(n, "data-file");

    q->data = data ? data : n->file;
}

static const BlockDriver qcow2_driver = {
    .name = "qcow2", .children_changed = qcow2_children_changed,
    .desc = "copy on write, snapshots, compression", .backing = true, .opts = qcow2_opts,
    .children = qcow2_children, .state_size = sizeof(Qcow2), .probe = qcow2_probe, .open = qcow2_open, .close = qcow2_close,
    .reopen = qcow2_reopen, .activate = qcow2_activate, .inactivate = qcow2_put_in_order,
    .co_preadv = co_qcow2_preadv, .co_pwritev = co_qcow2_pwritev, .co_pwrite_compressed = co_qcow2_pwrite_compressed,
    .co_flush = co_qcow2_flush, .co_discard = co_qcow2_discard, .co_write_zeroes = co_qcow2_write_zeroes,
    .co_block_status = co_qcow2_block_status, .co_truncate = co_qcow2_truncate, .create_opts = qcow2_create_opts,
    .co_format = co_qcow2_format, .amend_opts = qcow2_amend_opts, .amend_live = "encrypt.", .co_amend = co_qcow2_amend,
    .co_measure = co_qcow2_measure, .co_info = qcow2_info, .co_check = co_qcow2_check,
    .co_change_backing = co_qcow2_change_backing, .co_make_empty = co_qcow2_make_empty,
    .co_snapshot_list = co_qcow2_snapshot_list, .co_snapshot_create = co_qcow2_snapshot_create,
    .co_snapshot_delete = co_qcow2_snapshot_delete, .co_snapshot_goto = co_qcow2_snapshot_goto,
    .co_snapshot_load = co_qcow2_snapshot_load, .co_vmstate_rw = co_qcow2_vmstate_rw,
    .co_can_store_bitmap = co_qcow2_can_store_bitmap, .co_remove_bitmap = co_qcow2_remove_bitmap,
};
BLOCK_DRIVER(qcow2_driver);
