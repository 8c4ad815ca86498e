// SPDX-License-Identifier: GPL-2.0-or-later
/* Changing what was chosen when a qcow2 image was made. */
#include <errno.h>
#include <string.h>

#include "block/crypto.h"
#include "block/qcow2-check.h"
#include "util/error.h"

const OptDesc qcow2_amend_opts[] = {
    { "backing_file", OPT_STRING, "File name of a base image" },
    { "backing_fmt", OPT_STRING, "Image format of the base image" },
    { "compat", OPT_STRING, "Compatibility level (v2 [0.10] or v3 [1.1])" },
    { "data_file", OPT_STRING, "File name of an external data file" },
    { "data_file_raw", OPT_BOOL, "The external data file must stay valid as a raw image" },
    { "encrypt.iter-time", OPT_NUMBER, "Time to spend in PBKDF in milliseconds" },
    { "encrypt.keyslot", OPT_NUMBER, "Select a single keyslot to modify explicitly" },
    { "encrypt.new-secret", OPT_STRING, "New secret to set in the matching keyslots. Empty string to erase" },
    { "encrypt.old-secret", OPT_STRING, "Select all keyslots that match this password" },
    { "encrypt.state", OPT_STRING, "Select new state of affected keyslots (active/inactive)" },
    { "lazy_refcounts", OPT_BOOL, "Postpone refcount updates" },
    { "refcount_bits", OPT_NUMBER, "Width of a reference count entry in bits" },
    { "size", OPT_SIZE, "Virtual disk size" },
    { NULL },
};

static bool co_write_header(Qcow2 *q, GError **error)
{
    int ret = co_qcow2_header_write(q);

    return ret == 0 || fail_errno(error, -ret, "Failed to update the image header");
}

/* Zero clusters become clusters of zeroes, in the disk and refuses in snapshots. */
static bool co_expand_zeroes(Qcow2 *q, BlockProgress *progress, void *opaque, GError **error)
{
    g_autofree uint8_t *zeroes = g_malloc0(q->cluster_size);

    for (uint64_t at = 0; at < q->n->length;) {
        uint64_t bytes = q->n->length - at, host;
        Qcow2Kind kind;
        int ret = co_qcow2_map(q, at, &bytes, &host, &kind);

        if (ret == 0 && (kind == Q_ZERO_PLAIN || kind == Q_ZERO_ALLOC)) {
            bytes = MIN(bytes, q->cluster_size - q_in_cluster(q, at));
            if (kind == Q_ZERO_PLAIN && !q->n->backing_file) {
                ret = co_qcow2_discard_range(q, at, q->cluster_size, DISCARD_OTHER, true);
            } else {
                ret = co_block_pwrite(q->n, at, zeroes, bytes, 0);
            }
        }
        if (ret < 0) {
            return fail_errno(error, -ret, "Failed to turn zero into data clusters");
        }
        at += bytes;
        progress(opaque, at, q->n->length);
    }
    return true;
}

static bool co_downgrade(Qcow2 *q, BlockProgress *progress, void *opaque, GError **error)
{
    int ret;

    if (q->h.incompatible & Q_INCOMPAT_DATA_FILE) {
        return fail(error, "Cannot downgrade an image with a data file");
    }
    if (q->ext || q->h.compression) {
        return fail(error, "Cannot downgrade an image with incompatible features set");
    }
    if (q->refcount_bits != 16) {
        return fail(error, "compat=0.10 requires refcount_bits=16");
    }
    for (uint32_t i = 0; i < q->h.nb_snapshots; i++) {
        /* an old header has 32 bits for the one, and not the other */
        if (q->snapshots[i].s.vm_state_size > UINT32_MAX ||
            q->snapshots[i].s.disk_size != q->n->length) {
            return fail(error, "Internal snapshots prevent downgrade of image");
        }
    }
    ret = co_qcow2_settle(q);
    ret = ret < 0 ? ret : co_qcow2_mark_clean(q);
    if (ret < 0) {
        return fail_errno(error, -ret, "Failed to make the image clean");
    }
    q->lazy = false;
    if (!co_expand_zeroes(q, progress, opaque, error)) {
        return false;
    }
    q->h.compatible = q->h.autoclear = 0;
    q->h.version = 2;
    return co_write_header(q, error);
}

static bool co_change_width(Qcow2 *q, uint64_t bits, GError **error)
{
    BlockCheck ignored = { 0 };
    Qcow2Count k = { .q = q, .result = &ignored };
    int ret;

    if (q->h.version < 3 && bits != 16) {
        return fail(error, "Refcount widths other than 16 bits require compatibility level 1.1 or "
                           "above (use compat=1.1 or greater)");
    }
    ret = co_qcow2_settle(q);
    if (ret < 0 || !co_qcow2_count(&k, error)) {
        g_free(k.refs);
        return *error ? false : fail_errno(error, -ret, "Failed to flush");
    }
    ret = co_qcow2_rebuild(&k, (unsigned)__builtin_ctzll(bits));
    g_free(k.refs);
    return ret == 0 ||
           (ret == -ERANGE ? fail(error,
                                  "Cannot decrease refcount entry width to %u bits: Cluster has a "
                                  "refcount that does not fit",
                                  (unsigned)bits)
                           : fail_errno(error, -ret, "Failed to change the refcount width"));
}

static bool amend_version(Qcow2 *q, const char *compat, int *version, GError **error)
{
    *version = (int)q->h.version;
    if (!compat || !*compat) {
        return true;
    }
    if (strcmp(compat, "0.10") == 0 || strcmp(compat, "v2") == 0) {
        *version = 2;
    } else if (strcmp(compat, "1.1") == 0 || strcmp(compat, "v3") == 0) {
        *version = 3;
    } else {
        return fail(error, "Unknown compatibility level %s", compat);
    }
    return true;
}

static bool amend_lazy(Qcow2 *q, struct json_object *opts, int version, GError **error)
{
    bool want;

    if (!opts_has(opts, "lazy_refcounts")) {
        return true;
    }
    want = opts_bool(opts, "lazy_refcounts", false);
    if (want == ((q->h.compatible & Q_COMPAT_LAZY_REFCOUNTS) != 0)) {
        return true;
    }
    if (want && version < 3) {
        return fail(error, "Lazy refcounts only supported with compatibility level 1.1 and above "
                           "(use compat=1.1 or greater)");
    }
    if (!want) {
        int ret = co_qcow2_settle(q);

        ret = ret < 0 ? ret : co_qcow2_cache_flush(q, q->rb_cache);
        ret = ret < 0 ? ret : co_qcow2_mark_clean(q);
        if (ret < 0) {
            return fail_errno(error, -ret, "Failed to make the image clean");
        }
    }
    q->h.compatible ^= Q_COMPAT_LAZY_REFCOUNTS;
    q->lazy = want;
    return co_write_header(q, error);
}

bool co_qcow2_amend(BlockNode *n, struct json_object *opts, bool force, BlockProgress *progress,
                    void *opaque, GError **error)
{
    Qcow2 *q = n->state;
    uint64_t bits = opts_number(opts, "refcount_bits", q->refcount_bits);
    int version;

    if (!amend_version(q, opts_string(opts, "compat", NULL), &version, error)) {
        return false;
    }
    if (bits == 0 || bits > 64 || (bits & (bits - 1))) {
        return fail(error, "Refcount width must be a power of two and may not exceed 64 bits");
    }
    if (opts_bool(opts, "data_file_raw", q->raw_external) && !q->raw_external) {
        return fail(error, "data-file-raw cannot be set on existing images");
    }
    if (opts_has(opts, "data_file") && !q->external) {
        return fail(error, "data-file can only be set for images that use an external data file");
    }
    if (!co_qcow2_crypt_amend(q, opts, force, error)) {
        return false;
    }
    progress(opaque, 0, 1);
    if (version > (int)q->h.version) {
        q->h.version = (uint32_t)version;
        if (!co_write_header(q, error)) {
            q->h.version = 2;
            return false;
        }
    }
    if (bits != q->refcount_bits && !co_change_width(q, bits, error)) {
        return false;
    }
    if (opts_has(opts, "data_file_raw") && !opts_bool(opts, "data_file_raw", true)) {
        q->h.autoclear &= ~(uint64_t)Q_AUTOCLEAR_RAW_DATA;
        q->raw_external = false;
    }
    if (opts_has(opts, "data_file")) {
        const char *name = opts_string(opts, "data_file", "");

        g_free(q->data_file);
        q->data_file = *name ? g_strdup(name) : NULL;
        if (!co_write_header(q, error)) {
            return false;
        }
    }
    if (opts_has(opts, "backing_file") || opts_has(opts, "backing_fmt")) {
        const char *file = opts_string(opts, "backing_file", n->backing_file);

        if (!co_qcow2_change_backing(n, file, opts_string(opts, "backing_fmt", n->backing_format),
                                     error)) {
            return false;
        }
    }
    if (!amend_lazy(q, opts, version, error)) {
        return false;
    }
    if (opts_has(opts, "size") &&
        !co_block_truncate(n, opts_number(opts, "size", 0), PREALLOC_OFF, error)) {
        return false;
    }
    if (version < (int)q->h.version && !co_downgrade(q, progress, opaque, error)) {
        return false;
    }
    progress(opaque, 1, 1);
    return true;
}
