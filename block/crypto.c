// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sectors of encrypted images: numbers to initialisation vectors, ranges to worker threads. Headers
 * are in luks-header.c.
 */
#include "block/crypto-internal.h"

#include <string.h>

#include "block/node.h"
#include "qom/secret.h"
#include "util/bswap.h"
#include "util/error.h"

/* Shorter ranges are done at once, longer ones in a worker thread. */
#define SHORT_BYTES (16 * KIB)

typedef struct CryptoRange {
    const BlockCrypto *c;
    uint64_t sector;
    uint8_t *buf;
    size_t bytes;
    bool encrypt;
} CryptoRange;

static void make_iv(const BlockCrypto *c, uint64_t sector, uint8_t *iv)
{
    memset(iv, 0, CIPHER_MAX_BLOCK);
    if (c->iv == IV_PLAIN) {
        store_le32(iv, (uint32_t)sector);
    } else {
        store_le64(iv, sector);
    }
    if (c->iv == IV_ESSIV) {
        cipher_encrypt(c->iv_cipher, NULL, iv, cipher_block_bytes(c->iv_cipher));
    }
}

static int run_range(void *arg)
{
    CryptoRange *r = arg;

    for (size_t i = 0; i < r->bytes; i += CRYPTO_SECTOR) {
        uint8_t iv[CIPHER_MAX_BLOCK];

        make_iv(r->c, r->sector++, iv);
        if (r->encrypt) {
            cipher_encrypt(r->c->cipher, iv, r->buf + i, CRYPTO_SECTOR);
        } else {
            cipher_decrypt(r->c->cipher, iv, r->buf + i, CRYPTO_SECTOR);
        }
    }
    return 0;
}

void crypto_run(const BlockCrypto *c, uint64_t position, uint8_t *buf, size_t bytes, bool encrypt)
{
    run_range(&(CryptoRange){ c, position / CRYPTO_SECTOR, buf, bytes, encrypt });
}

static int co_run(BlockCrypto *c, uint64_t position, uint8_t *buf, size_t bytes, bool encrypt)
{
    CryptoRange r = { c, position / CRYPTO_SECTOR, buf, bytes, encrypt };

    if (!c->cipher) {
        return -EACCES;
    }
    return bytes <= SHORT_BYTES ? run_range(&r) : co_in_worker(run_range, &r);
}

int co_crypto_encrypt(BlockCrypto *c, uint64_t position, void *buf, size_t bytes)
{
    return co_run(c, position, buf, bytes, true);
}

int co_crypto_decrypt(BlockCrypto *c, uint64_t position, void *buf, size_t bytes)
{
    return co_run(c, position, buf, bytes, false);
}

bool crypto_set_key(BlockCrypto *c, const uint8_t *key, size_t len, GError **error)
{
    c->cipher = cipher_new(c->cipher_alg, c->cipher_mode, key, len);
    if (!c->cipher) {
        return fail(error, "cipher '%s' in mode '%s' with a key of %zu bytes is not supported",
                    c->cipher_alg, c->cipher_mode, len);
    }
    if (c->iv == IV_ESSIV) {
        uint8_t digest[HASH_MAX];

        hash_digest(c->iv_hash, key, len, NULL, 0, digest);
        c->iv_cipher = cipher_new(c->iv_cipher_alg, "ecb", digest, hash_bytes(c->iv_hash));
        explicit_bzero(digest, sizeof(digest));
        if (!c->iv_cipher) {
            return fail(error, "a hash of %zu bytes is no key for '%s'", hash_bytes(c->iv_hash),
                        c->iv_cipher_alg);
        }
    }
    return true;
}

const uint8_t *crypto_secret(struct json_object *opts, const char *prefix, const char *name,
                             size_t *len, GError **error)
{
    g_autofree char *key = g_strconcat(prefix, name, NULL);
    const char *id = opts_string(opts, key, NULL);

    if (!id) {
        return fail_null(error, "Parameter '%s' is required for cipher", key);
    }
    return secret_bytes(id, len, error);
}

BlockCrypto *crypto_open_aes(struct json_object *opts, const char *prefix, bool no_io,
                             GError **error)
{
    BlockCrypto *c = g_new0(BlockCrypto, 1);
    uint8_t key[16] = { 0 };
    size_t len;

    c->cipher_alg = g_strdup("aes-128");
    c->cipher_mode = g_strdup("cbc");
    c->iv = IV_PLAIN64;
    if (!no_io) {
        const uint8_t *password = crypto_secret(opts, prefix, "key-secret", &len, error);

        if (!password) {
            crypto_free(c);
            return NULL;
        }
        memcpy(key, password, MIN(len, sizeof(key)));
        if (!crypto_set_key(c, key, sizeof(key), error)) {
            crypto_free(c);
            return NULL;
        }
    }
    return c;
}

void crypto_free(BlockCrypto *c)
{
    if (!c) {
        return;
    }
    cipher_free(c->cipher);
    cipher_free(c->iv_cipher);
    explicit_bzero(c->key, sizeof(c->key));
    if (c->material) {
        explicit_bzero(c->material, c->material_len);
    }
    g_free(c->material);
    g_free(c->cipher_alg);
    g_free(c->cipher_mode);
    g_free(c->iv_cipher_alg);
    g_free(c);
}
