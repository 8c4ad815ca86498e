// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Encryption of qcow2 images: a LUKS header in clusters of its own, or the AES of old, whose
 * password is the key.
 */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "block/crypto.h"
#include "block/qcow2.h"
#include "util/error.h"

static int co_header_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
    Qcow2 *q = opaque;

    return offset > q->crypto_len || len > q->crypto_len - offset
               ? -EIO
               : co_block_pread(q->n->file, q->crypto_offset + offset, buf, len);
}

static int co_header_write(void *opaque, uint64_t offset, const void *buf, size_t len)
{
    Qcow2 *q = opaque;

    return offset > q->crypto_len || len > q->crypto_len - offset
               ? -EIO
               : co_block_pwrite(q->n->file, q->crypto_offset + offset, buf, len, 0);
}

static CryptoIo header_io(Qcow2 *q)
{
    return (CryptoIo){
        .co_read = co_header_read, .co_write = co_header_write, .opaque = q, .size = q->crypto_len};
}

bool co_qcow2_crypt_open(Qcow2 *q, struct json_object *opts, GError **error)
{
    bool no_io = q->n->open_flags & BLOCK_OPEN_NO_IO;
    const char *format = opts_string(opts, "encrypt.format", NULL), *wanted = "luks";
    CryptoIo io = header_io(q);

    if (q->h.crypt_method == Q_CRYPT_NONE) {
        return !format ||
               fail(error, "No encryption in image header, but options specified format '%s'",
                    format);
    }
    wanted = q->h.crypt_method == Q_CRYPT_LUKS ? "luks" : "aes";
    if (format && strcmp(format, wanted) != 0) {
        return fail(error, "Header reported '%s' encryption format but options specify '%s'",
                    wanted, format);
    }
    if (q->h.crypt_method == Q_CRYPT_LUKS && !q->crypto_len) {
        return fail(error, "LUKS header is missing");
    }
    q->crypto = q->h.crypt_method == Q_CRYPT_LUKS
                    ? co_crypto_open_luks(&io, opts, "encrypt.", no_io, error)
                    : crypto_open_aes(opts, "encrypt.", no_io, error);
    return q->crypto != NULL;
}

bool co_qcow2_crypt_create(Qcow2 *q, struct json_object *opts, const char *format, GError **error)
{
    CryptoIo io;
    int64_t at;
    int ret;

    if (strcmp(format, "aes") == 0) {
        q->crypto = crypto_open_aes(opts, "encrypt.", false, error);
        q->h.crypt_method = Q_CRYPT_AES;
    } else {
        q->crypto = co_crypto_create_luks(opts, "encrypt.", error);
        if (!q->crypto) {
            return false;
        }
        q->crypto_len = crypto_header_bytes(q->crypto);
        at = co_qcow2_alloc(q, q_round_up(q, q->crypto_len) >> q->cluster_bits);
        if (at < 0) {
            return fail_errno(error, (int)-at, "Could not allocate the encryption header");
        }
        q->crypto_offset = (uint64_t)at;
        io = header_io(q);
        q->h.crypt_method = Q_CRYPT_LUKS;
        if (!co_crypto_write_header(q->crypto, &io, error)) {
            return false;
        }
    }
    if (!q->crypto) {
        return false;
    }
    q->n->encrypted = true;
    q->n->align = CRYPTO_SECTOR;
    ret = co_qcow2_settle(q);
    ret = ret < 0 ? ret : co_qcow2_header_write(q);
    return ret == 0 || fail_errno(error, -ret, "Could not write qcow2 header");
}

bool co_qcow2_crypt_amend(Qcow2 *q, struct json_object *opts, bool force, GError **error)
{
    CryptoIo io = header_io(q);

    if (!opts_has(opts, "encrypt.state")) {
        return true;
    }
    if (q->h.crypt_method == Q_CRYPT_NONE) {
        return fail(error, "image is not encrypted, can't amend");
    }
    if (q->h.crypt_method != Q_CRYPT_LUKS) {
        return fail(error,
                    "Only LUKS encryption options can be amended for qcow2 with blockdev-amend");
    }
    return co_crypto_amend(q->crypto, &io, opts, "encrypt.", force, error);
}

struct json_object *qcow2_crypt_info(Qcow2 *q)
{
    struct json_object *o = NULL;

    if (q->h.crypt_method == Q_CRYPT_LUKS && q->crypto) {
        o = crypto_info(q->crypto);
        json_object_object_add(o, "format", json_object_new_string("luks"));
    } else if (q->h.crypt_method == Q_CRYPT_AES) {
        o = json_object_new_object();
        json_object_object_add(o, "format", json_object_new_string("aes"));
    }
    return o;
}
