// SPDX-License-Identifier: GPL-2.0-or-later
/* LUKS images: a header with key slots, and the encrypted disk behind it. */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <json-c/json.h>
#include <string.h>

#include "block/crypto.h"
#include "block/driver.h"
#include "util/error.h"
#include "util/iov.h"

/* What is encrypted or decrypted at once. */
#define PIECE MIB

typedef struct LuksState {
    BlockCrypto *crypto;
    uint64_t payload;
} LuksState;

static int luks_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= 8 && memcmp(head, "LUKS\xba\xbe\0\1", 8) == 0 ? 100 : 0;
}

static int co_header_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
    BlockNode *file = opaque;

    return block_in_range(file, offset, len) ? co_block_pread(file, offset, buf, len) : -EIO;
}

static int co_header_write(void *opaque, uint64_t offset, const void *buf, size_t len)
{
    return co_block_pwrite(opaque, offset, buf, len, 0);
}

static CryptoIo header_io(BlockNode *file)
{
    return (CryptoIo){ co_header_read, co_header_write, file, UINT64_MAX };
}

static bool luks_open(BlockNode *n, struct json_object *opts, GError **error)
{
    LuksState *s = n->state;
    CryptoIo io = header_io(n->file);

    io.size = n->file->length;
    s->crypto = co_crypto_open_luks(&io, opts, "", n->open_flags & BLOCK_OPEN_NO_IO, error);
    if (!s->crypto) {
        return false;
    }
    s->payload = crypto_header_bytes(s->crypto);
    if (s->payload > n->file->length) {
        crypto_free(s->crypto);
        return fail(error, "the payload of '%s' begins beyond the end of the file", n->filename);
    }
    n->length = n->file->length - s->payload;
    n->align = CRYPTO_SECTOR;
    n->encrypted = true;
    return true;
}

static void luks_close(BlockNode *n)
{
    crypto_free(((LuksState *)n->state)->crypto);
}

static uint8_t *piece_buffer(uint64_t bytes)
{
    void *p = NULL;

    return posix_memalign(&p, 4096, MIN(bytes, PIECE)) == 0 ? p : NULL;
}

static int co_luks_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                          unsigned niov)
{
    LuksState *s = n->state;
    uint8_t *buf = piece_buffer(bytes);
    int ret = buf ? 0 : -ENOMEM;

    for (uint64_t done = 0; done < bytes && ret == 0;) {
        size_t now = MIN(bytes - done, PIECE);

        ret = co_block_pread(n->file, s->payload + offset + done, buf, now);
        ret = ret < 0 ? ret : co_crypto_decrypt(s->crypto, offset + done, buf, now);
        if (ret == 0) {
            iov_from_buf(iov, niov, done, buf, now);
        }
        done += now;
    }
    free(buf);
    return ret;
}

static int co_luks_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                           unsigned niov, unsigned flags)
{
    LuksState *s = n->state;
    uint8_t *buf = piece_buffer(bytes);
    int ret = buf ? 0 : -ENOMEM;

    for (uint64_t done = 0; done < bytes && ret == 0;) {
        size_t now = MIN(bytes - done, PIECE);

        iov_to_buf(iov, niov, done, buf, now);
        ret = co_crypto_encrypt(s->crypto, offset + done, buf, now);
        ret = ret < 0 ? ret
                      : co_block_pwrite(n->file, s->payload + offset + done, buf, now,
                                        flags & BLOCK_FUA);
        done += now;
    }
    free(buf);
    return ret;
}

static bool co_luks_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc, GError **error)
{
    LuksState *s = n->state;

    if (length > INT64_MAX - s->payload) {
        return fail(error, "The requested file size is too large");
    }
    if (!co_block_truncate(n->file, s->payload + length, prealloc, error)) {
        return false;
    }
    n->length = length;
    return true;
}

static bool co_luks_format(BlockNode *file, struct json_object *opts, GError **error)
{
    const char *mode = opts_string(opts, "preallocation", "off");
    uint64_t size = opts_number(opts, "size", 0);
    CryptoIo io = header_io(file);
    BlockPrealloc prealloc;
    BlockCrypto *c;
    bool good;

    if (!block_prealloc_parse(mode, &prealloc, error)) {
        return false;
    }
    c = co_crypto_create_luks(opts, "", error);
    if (!c) {
        return false;
    }
    good = (size <= INT64_MAX - crypto_header_bytes(c) ||
            fail(error, "The requested file size is too large")) &&
           co_crypto_write_header(c, &io, error) &&
           co_block_truncate(file, crypto_header_bytes(c) + size, prealloc, error);
    crypto_free(c);
    return good;
}

static bool co_luks_measure(struct json_object *opts, BlockNode *in, BlockMeasure *m,
                            GError **error)
{
    uint64_t size = in ? in->length : opts_number(opts, "size", 0), header;
    BlockCrypto *c;

    json_object_object_add(opts, "iter-time", json_object_new_int(1)); /* no matter */
    c = co_crypto_create_luks(opts, "", error);
    header = c ? crypto_header_bytes(c) : 0;

    crypto_free(c);
    if (!c || size > INT64_MAX - header) {
        return c && fail(error, "The requested file size is too large");
    }
    *m = (BlockMeasure){ .required = header + size, .fully_allocated = header + size };
    return true;
}

static bool co_luks_amend(BlockNode *n, struct json_object *opts, bool force,
                          BlockProgress *progress, void *opaque, GError **error)
{
    LuksState *s = n->state;
    CryptoIo io = header_io(n->file);

    return co_crypto_amend(s->crypto, &io, opts, "", force, error);
}

static bool co_luks_info(BlockNode *n, BlockImageInfo *info, GError **error)
{
    LuksState *s = n->state;

    info->specific = crypto_info(s->crypto);
    return true;
}

static const OptDesc luks_opts[] = {
    { "key-secret", OPT_STRING, "ID of the secret that provides the keyslot passphrase" }, { NULL },
};

static const OptDesc luks_create_opts[] = {
    { "size", OPT_SIZE, "Virtual disk size" },
    CRYPTO_CREATE_OPTS(""),
    { "preallocation", OPT_STRING, "Preallocation mode (allowed values: off, falloc, full)" },
    { NULL },
};

static const OptDesc luks_amend_opts[] = { CRYPTO_AMEND_OPTS(""), { NULL } };

/* Keys stay what they are. */
static bool luks_activate(BlockNode *n, struct json_object *opts, GError **error)
{
    return true;
}

static const BlockDriver luks_driver = {
    .name = "luks", .desc = "LUKS encrypted disk", .opts = luks_opts, .state_size = sizeof(LuksState),
    .probe = luks_probe, .open = luks_open, .close = luks_close, .activate = luks_activate, .co_preadv = co_luks_preadv,
    .co_pwritev = co_luks_pwritev, .co_truncate = co_luks_truncate, .create_opts = luks_create_opts, .co_measure = co_luks_measure,
    .co_format = co_luks_format, .amend_opts = luks_amend_opts, .co_amend = co_luks_amend, .co_info = co_luks_info,
};
BLOCK_DRIVER(luks_driver);
