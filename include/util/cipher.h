// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ciphers, hashes and key derivation for disk encryption. A cipher's functions may be called by
 * several threads at once.
 */
#ifndef UTIL_CIPHER_H
#define UTIL_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Cipher Cipher;
typedef struct HashAlg HashAlg;

#define CIPHER_MAX_BLOCK 16u
#define HASH_MAX 64u

/* "aes-256", "twofish-128", "cast5-128", ...; the length of its key, 0: not known. */
size_t cipher_key_bytes(const char *name);
/* Also for "xts", which takes two keys. key_len must be right. */
Cipher *cipher_new(const char *name, const char *mode, const uint8_t *key, size_t key_len);
void cipher_free(Cipher *c);
size_t cipher_block_bytes(const Cipher *c);
/*
 * One message, in place, len a multiple of the block; iv is as long as a block (ecb: not looked
 * at).
 */
void cipher_encrypt(const Cipher *c, const uint8_t *iv, uint8_t *buf, size_t len);
void cipher_decrypt(const Cipher *c, const uint8_t *iv, uint8_t *buf, size_t len);

/* "sha256", ...; NULL: not known. */
const HashAlg *hash_find(const char *name);
size_t hash_bytes(const HashAlg *h);
/* The digest of one or two pieces. */
void hash_digest(const HashAlg *h, const void *a, size_t a_len, const void *b, size_t b_len,
                 uint8_t *digest);
void hash_pbkdf2(const HashAlg *h, const uint8_t *password, size_t password_len,
                 const uint8_t *salt, size_t salt_len, unsigned iterations, uint8_t *out,
                 size_t out_len);

/* From the kernel's generator. */
bool random_bytes(void *buf, size_t len);

#endif
