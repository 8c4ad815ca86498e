// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ciphers and hashes by libnettle. Modes are built here on the block functions, a sector at a time,
 * so that these see many blocks at once.
 */
#include "util/cipher.h"

#include <errno.h>
#include <glib.h>
#include <nettle/aes.h>
#include <nettle/cast128.h>
#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/nettle-meta.h>
#include <nettle/pbkdf2.h>
#include <nettle/ripemd160.h>
#include <nettle/serpent.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <nettle/twofish.h>
#include <string.h>
#include <sys/random.h>

#include "util/bswap.h"
#include "util/types.h"

#define MAX_MESSAGE 4096u

typedef struct CipherAlg {
    const char *name;
    size_t key, block, context;
    nettle_set_key_func *set_encrypt, *set_decrypt;
    nettle_cipher_func *encrypt, *decrypt;
} CipherAlg;

/* clang-format off */
#define KEY(fn) ((nettle_set_key_func *)(void *)(fn))
#define RUN(fn) ((nettle_cipher_func *)(void *)(fn))
static void twofish128(void *c, const uint8_t *k) { twofish_set_key(c, 16, k); }
static void twofish192(void *c, const uint8_t *k) { twofish_set_key(c, 24, k); }
static void twofish256(void *c, const uint8_t *k) { twofish_set_key(c, 32, k); }
static void serpent128(void *c, const uint8_t *k) { serpent_set_key(c, 16, k); }
static void serpent192(void *c, const uint8_t *k) { serpent_set_key(c, 24, k); }
static void serpent256(void *c, const uint8_t *k) { serpent_set_key(c, 32, k); }
static void cast5(void *c, const uint8_t *k) { cast5_set_key(c, 16, k); }

static const CipherAlg algs[] = {
    { "aes-128", 16, 16, sizeof(struct aes128_ctx), KEY(aes128_set_encrypt_key), KEY(aes128_set_decrypt_key), RUN(aes128_encrypt), RUN(aes128_decrypt) },
    { "aes-192", 24, 16, sizeof(struct aes192_ctx), KEY(aes192_set_encrypt_key), KEY(aes192_set_decrypt_key), RUN(aes192_encrypt), RUN(aes192_decrypt) },
    { "aes-256", 32, 16, sizeof(struct aes256_ctx), KEY(aes256_set_encrypt_key), KEY(aes256_set_decrypt_key), RUN(aes256_encrypt), RUN(aes256_decrypt) },
    { "twofish-128", 16, 16, sizeof(struct twofish_ctx), twofish128, twofish128, RUN(twofish_encrypt), RUN(twofish_decrypt) },
    { "twofish-192", 24, 16, sizeof(struct twofish_ctx), twofish192, twofish192, RUN(twofish_encrypt), RUN(twofish_decrypt) },
    { "twofish-256", 32, 16, sizeof(struct twofish_ctx), twofish256, twofish256, RUN(twofish_encrypt), RUN(twofish_decrypt) },
    { "serpent-128", 16, 16, sizeof(struct serpent_ctx), serpent128, serpent128, RUN(serpent_encrypt), RUN(serpent_decrypt) },
    { "serpent-192", 24, 16, sizeof(struct serpent_ctx), serpent192, serpent192, RUN(serpent_encrypt), RUN(serpent_decrypt) },
    { "serpent-256", 32, 16, sizeof(struct serpent_ctx), serpent256, serpent256, RUN(serpent_encrypt), RUN(serpent_decrypt) },
    { "cast5-128", 16, 8, sizeof(struct cast128_ctx), cast5, cast5, RUN(cast128_encrypt), RUN(cast128_decrypt) },
};
/* clang-format on */

typedef enum CipherMode { MODE_ECB, MODE_CBC, MODE_XTS, MODE_CTR } CipherMode;

struct Cipher {
    const CipherAlg *alg;
    CipherMode mode;
    void *encrypt, *decrypt;    /* contexts */
    void *tweak;                /* xts: with the second key */
};

static const CipherAlg *find_alg(const char *name)
{
    for (unsigned i = 0; i < ARRAY_COUNT(algs); i++) {
        if (strcmp(algs[i].name, name) == 0) {
            return &algs[i];
        }
    }
    return NULL;
}

size_t cipher_key_bytes(const char *name)
{
    const CipherAlg *a = find_alg(name);

    return a ? a->key : 0;
}

static void *make_context(const CipherAlg *a, nettle_set_key_func *set, const uint8_t *key)
{
    void *c = g_malloc0(a->context);

    set(c, key);
    return c;
}

Cipher *cipher_new(const char *name, const char *mode, const uint8_t *key, size_t key_len)
{
    static const char *const modes[] = { "ecb", "cbc", "xts", "ctr" };
    const CipherAlg *a = find_alg(name);

    for (unsigned i = 0; a && i < ARRAY_COUNT(modes); i++) {
        Cipher *c;

        if (strcmp(modes[i], mode) != 0 || key_len != a->key * (i == MODE_XTS ? 2 : 1) ||
            (i == MODE_XTS && a->block != 16)) {
            continue;
        }
        c = g_new0(Cipher, 1);
        c->alg = a;
        c->mode = (CipherMode)i;
        c->encrypt = make_context(a, a->set_encrypt, key);
        c->decrypt = make_context(a, a->set_decrypt, key);
        c->tweak = i == MODE_XTS ? make_context(a, a->set_encrypt, key + a->key) : NULL;
        return c;
    }
    return NULL;
}

void cipher_free(Cipher *c)
{
    if (c) {
        explicit_bzero(c->encrypt, c->alg->context);
        explicit_bzero(c->decrypt, c->alg->context);
        g_free(c->encrypt);
        g_free(c->decrypt);
        g_free(c->tweak);
        g_free(c);
    }
}

size_t cipher_block_bytes(const Cipher *c)
{
    return c->alg->block;
}

static void xor_bytes(uint8_t *to, const uint8_t *from, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        uint64_t a, b;

        memcpy(&a, to + i, 8);
        memcpy(&b, from + i, 8);
        a ^= b;
        memcpy(to + i, &a, 8);
    }
}

/* All tweaks of a piece first, then its blocks at once. `tweak` goes on to the next piece. */
static void xts_piece(const Cipher *c, uint8_t *tweak, uint8_t *buf, size_t len, bool encrypt)
{
    uint8_t tweaks[MAX_MESSAGE];
    uint64_t low = load_le64(tweak), high = load_le64(tweak + 8);

    for (size_t i = 0; i < len; i += 16) {
        uint64_t carry = high >> 63;

        store_le64(tweaks + i, low);
        store_le64(tweaks + i + 8, high);
        high = high << 1 | low >> 63;
        low = low << 1 ^ (carry ? 0x87 : 0);
    }
    store_le64(tweak, low);
    store_le64(tweak + 8, high);
    xor_bytes(buf, tweaks, len);
    if (encrypt) {
        c->alg->encrypt(c->encrypt, len, buf, buf);
    } else {
        c->alg->decrypt(c->decrypt, len, buf, buf);
    }
    xor_bytes(buf, tweaks, len);
}

static void xts_run(const Cipher *c, const uint8_t *iv, uint8_t *buf, size_t len, bool encrypt)
{
    uint8_t tweak[16];

    c->alg->encrypt(c->tweak, 16, tweak, iv);
    while (len > 0) {
        size_t now = MIN(len, MAX_MESSAGE);

        xts_piece(c, tweak, buf, now, encrypt);
        buf += now;
        len -= now;
    }
}

static void ctr_run(const Cipher *c, const uint8_t *iv, uint8_t *buf, size_t len)
{
    size_t block = c->alg->block;
    uint8_t counter[CIPHER_MAX_BLOCK], stream[CIPHER_MAX_BLOCK];

    memcpy(counter, iv, block);
    for (size_t i = 0; i < len; i += block) {
        c->alg->encrypt(c->encrypt, block, stream, counter);
        xor_bytes(buf + i, stream, block);
        for (size_t k = block; k-- > 0 && ++counter[k] == 0;) {
        }
    }
}

static void cbc_encrypt_run(const Cipher *c, const uint8_t *iv, uint8_t *buf, size_t len)
{
    const uint8_t *last = iv;

    for (size_t i = 0; i < len; i += c->alg->block) {
        xor_bytes(buf + i, last, c->alg->block);
        c->alg->encrypt(c->encrypt, c->alg->block, buf + i, buf + i);
        last = buf + i;
    }
}

static void cbc_decrypt_run(const Cipher *c, const uint8_t *iv, uint8_t *buf, size_t len)
{
    size_t block = c->alg->block;
    uint8_t before[MAX_MESSAGE + CIPHER_MAX_BLOCK];

    memcpy(before, iv, block);
    while (len > 0) {
        size_t now = MIN(len, MAX_MESSAGE);

        memcpy(before + block, buf, now);
        c->alg->decrypt(c->decrypt, now, buf, buf);
        xor_bytes(buf, before, now);
        memcpy(before, before + now, block);
        buf += now;
        len -= now;
    }
}

void cipher_encrypt(const Cipher *c, const uint8_t *iv, uint8_t *buf, size_t len)
{
    switch (c->mode) {
    case MODE_ECB:
        c->alg->encrypt(c->encrypt, len, buf, buf);
        break;
    case MODE_CBC:
        cbc_encrypt_run(c, iv, buf, len);
        break;
    case MODE_XTS:
        xts_run(c, iv, buf, len, true);
        break;
    case MODE_CTR:
        ctr_run(c, iv, buf, len);
        break;
    }
}

void cipher_decrypt(const Cipher *c, const uint8_t *iv, uint8_t *buf, size_t len)
{
    switch (c->mode) {
    case MODE_ECB:
        c->alg->decrypt(c->decrypt, len, buf, buf);
        break;
    case MODE_CBC:
        cbc_decrypt_run(c, iv, buf, len);
        break;
    case MODE_XTS:
        xts_run(c, iv, buf, len, false);
        break;
    case MODE_CTR:
        ctr_run(c, iv, buf, len);
        break;
    }
}

/* ---- hashes ---- */

struct HashAlg {
    const char *name;
    const struct nettle_hash *hash;
};

static const HashAlg hashes[] = {
    { "md5", &nettle_md5 }, { "sha1", &nettle_sha1 }, { "sha224", &nettle_sha224 }, { "sha256", &nettle_sha256 },
    { "sha384", &nettle_sha384 }, { "sha512", &nettle_sha512 }, { "ripemd160", &nettle_ripemd160 },
};

const HashAlg *hash_find(const char *name)
{
    for (unsigned i = 0; i < ARRAY_COUNT(hashes); i++) {
        if (strcmp(hashes[i].name, name) == 0) {
            return &hashes[i];
        }
    }
    return NULL;
}

size_t hash_bytes(const HashAlg *h)
{
    return h->hash->digest_size;
}

void hash_digest(const HashAlg *h, const void *a, size_t a_len, const void *b, size_t b_len,
                 uint8_t *digest)
{
    g_autofree void *c = g_malloc0(h->hash->context_size);

    h->hash->init(c);
    h->hash->update(c, a_len, a);
    if (b_len) {
        h->hash->update(c, b_len, b);
    }
    h->hash->digest(c, h->hash->digest_size, digest);
}

/* HMAC over any hash: three contexts, as nettle's macros want them. */
typedef struct Hmac {
    const struct nettle_hash *hash;
    void *outer, *inner, *state;
} Hmac;

static void hmac_update_any(void *c, size_t len, const uint8_t *data)
{
    Hmac *m = c;

    hmac_update(m->state, m->hash, len, data);
}

static void hmac_digest_any(void *c, size_t len, uint8_t *digest)
{
    Hmac *m = c;

    hmac_digest(m->outer, m->inner, m->state, m->hash, len, digest);
}

void hash_pbkdf2(const HashAlg *h, const uint8_t *password, size_t password_len,
                 const uint8_t *salt, size_t salt_len, unsigned iterations, uint8_t *out,
                 size_t out_len)
{
    size_t size = h->hash->context_size;
    g_autofree uint8_t *contexts = g_malloc0(3 * size);
    Hmac m = { h->hash, contexts, contexts + size, contexts + 2 * size };

    hmac_set_key(m.outer, m.inner, m.state, m.hash, password_len, password);
    pbkdf2(&m, hmac_update_any, hmac_digest_any, h->hash->digest_size, iterations, salt_len, salt,
           out_len, out);
    explicit_bzero(contexts, 3 * size);
}

bool random_bytes(void *buf, size_t len)
{
    uint8_t *p = buf;

    while (len > 0) {
        ssize_t got = getrandom(p, len, 0);

        if (got < 0 && errno != EINTR) {
            return false;
        }
        if (got > 0) {
            p += got;
            len -= (size_t)got;
        }
    }
    return true;
}
