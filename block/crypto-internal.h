// SPDX-License-Identifier: GPL-2.0-or-later
/* Encryption of images: what crypto.c and luks-header.c share. */
#ifndef BLOCK_CRYPTO_INTERNAL_H
#define BLOCK_CRYPTO_INTERNAL_H

#include <errno.h>

#include "block/crypto.h"
#include "util/cipher.h"

#define LUKS_HEADER_BYTES 592u
#define LUKS_SLOTS 8u
#define LUKS_MAX_KEY 128u

typedef enum IvKind { IV_PLAIN, IV_PLAIN64, IV_ESSIV } IvKind;

struct BlockCrypto {
    char *cipher_alg, *cipher_mode;     /* "aes-256", "xts" */
    IvKind iv;
    const HashAlg *iv_hash;             /* essiv */
    char *iv_cipher_alg;
    Cipher *cipher, *iv_cipher;         /* NULL: no key */
    /* LUKS */
    bool luks;
    uint8_t header[LUKS_HEADER_BYTES];
    const HashAlg *hash;
    uint8_t key[LUKS_MAX_KEY];
    size_t key_len;
    uint64_t payload;                   /* bytes */
    uint8_t *material;                  /* of slot 0, of a new header */
    size_t material_len;
};

/* In this thread. */
void crypto_run(const BlockCrypto *c, uint64_t position, uint8_t *buf, size_t bytes, bool encrypt);
bool crypto_set_key(BlockCrypto *c, const uint8_t *key, size_t len, GError **error);
/* The bytes of the secret that PREFIX name names. */
const uint8_t *crypto_secret(struct json_object *opts, const char *prefix, const char *name,
                             size_t *len, GError **error);

#endif
