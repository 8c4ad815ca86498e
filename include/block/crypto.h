// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Encryption of images: LUKS (version 1) headers and the old AES of qcow. The format that has the
 * header says where it is; data is encrypted by sectors of 512 bytes whose position counts.
 */
#ifndef BLOCK_CRYPTO_H
#define BLOCK_CRYPTO_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "qapi/keyval.h"

typedef struct BlockCrypto BlockCrypto;

#define CRYPTO_SECTOR 512u

/* The header's bytes, 0 its first. They return 0 or -errno. */
typedef struct CryptoIo {
    int (*co_read)(void *opaque, uint64_t offset, void *buf, size_t len);
    int (*co_write)(void *opaque, uint64_t offset, const void *buf, size_t len);
    void *opaque;
    uint64_t size;              /* of the header's room, for checks; UINT64_MAX: not known */
} CryptoIo;

/*
 * Options are members PREFIX"key-secret" and so on of opts: prefix is "" (luks) or "encrypt."
 * (qcow2).
 * no_io: without a key; encrypting is then not possible. NULL + error.
 */
BlockCrypto *co_crypto_open_luks(const CryptoIo *io, struct json_object *opts, const char *prefix,
                                 bool no_io, GError **error);
/* No header: the password is the key. */
BlockCrypto *crypto_open_aes(struct json_object *opts, const char *prefix, bool no_io,
                             GError **error);
/* NULL is fine. */
void crypto_free(BlockCrypto *c);

/*
 * A new header, in memory. Its length is crypto_header_bytes() from then on, in which only
 * co_crypto_write_header writes. Takes the time that PREFIX"iter-time" says (2 s).
 */
BlockCrypto *co_crypto_create_luks(struct json_object *opts, const char *prefix, GError **error);
uint64_t crypto_header_bytes(const BlockCrypto *c);
bool co_crypto_write_header(BlockCrypto *c, const CryptoIo *io, GError **error);

/*
 * In place. position and bytes are multiples of CRYPTO_SECTOR; position is what the sector's number
 * is made of: bytes of the payload (luks), of the file (LUKS in qcow2), of the disk (AES).
 */
int co_crypto_encrypt(BlockCrypto *c, uint64_t position, void *buf, size_t bytes);
int co_crypto_decrypt(BlockCrypto *c, uint64_t position, void *buf, size_t bytes);

/* Key slots: PREFIX"state", "new-secret", "old-secret", "keyslot", "iter-time". */
bool co_crypto_amend(BlockCrypto *c, const CryptoIo *io, struct json_object *opts,
                     const char *prefix, bool force, GError **error);

/* What query-block and `info` tell ("ivgen-alg", "slots", ...); a new object. */
struct json_object *crypto_info(const BlockCrypto *c);

/* Rows for option tables: the names without prefix, to be listed by who has one. */
#define CRYPTO_CREATE_OPTS(prefix)                                                              \
    {prefix "key-secret", OPT_STRING, "ID of the secret that provides the keyslot passphrase"}, \
        {prefix "cipher-alg", OPT_STRING, "Name of encryption cipher algorithm"},               \
        {prefix "cipher-mode", OPT_STRING, "Name of encryption cipher mode"},                   \
        {prefix "ivgen-alg", OPT_STRING, "Name of IV generator algorithm"},                     \
        {prefix "ivgen-hash-alg", OPT_STRING, "Name of IV generator hash algorithm"},           \
        {prefix "hash-alg", OPT_STRING, "Name of encryption hash algorithm"},                   \
    {                                                                                           \
        prefix "iter-time", OPT_NUMBER, "Time to spend in PBKDF in milliseconds"                \
    }
#define CRYPTO_AMEND_OPTS(prefix)                                                            \
    {prefix "state", OPT_STRING, "Select new state of affected keyslots (active/inactive)"}, \
        {prefix "keyslot", OPT_NUMBER, "Select a single keyslot to modify explicitly"},      \
        {prefix "old-secret", OPT_STRING, "Select all keyslots that match this password"},   \
        {prefix "new-secret", OPT_STRING,                                                    \
         "New secret to set in the matching keyslots. Empty string to erase"},               \
    {                                                                                        \
        prefix "iter-time", OPT_NUMBER, "Time to spend in PBKDF in milliseconds"             \
    }

#endif
