// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * LUKS headers ("LUKS On-Disk Format Specification" 1.2.3): a master key, stored in up to eight
 * slots, each split into stripes and encrypted by a key that is derived from a password.
 * Big-endian.
 */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <time.h>

#include "block/crypto-internal.h"
#include "block/node.h"
#include "qom/secret.h"
#include "util/bitops.h"
#include "util/bswap.h"
#include "util/error.h"

#define SLOT_ON 0x00ac71f3u
#define SLOT_OFF 0x0000deadu
#define STRIPES 4000u
#define SALT 32u
#define DIGEST 20u
#define FIRST_SLOT_SECTOR 8u
#define ALIGN_SECTORS 8u
#define MIN_ITERATIONS 1000u
#define DEFAULT_ITER_MS 2000u
#define MAX_STRIPES 10000u
/* How long the speed of the derivation is measured. */
#define MEASURE_NS 20000000ll

/* Offsets in the header, and in a slot. */
enum {
    L_VERSION = 6, L_CIPHER = 8, L_MODE = 40, L_HASH = 72, L_PAYLOAD = 104, L_KEY_BYTES = 108, L_DIGEST = 112,
    L_SALT = 132, L_ITERATIONS = 164, L_UUID = 168, L_SLOTS = 208, SLOT_BYTES = 48,
};
enum { S_ACTIVE = 0, S_ITERATIONS = 4, S_SALT = 8, S_SECTOR = 40, S_STRIPES = 44 };

static const char magic[6] = { 'L', 'U', 'K', 'S', '\xba', '\xbe' };

static uint8_t *slot_at(BlockCrypto *c, unsigned i)
{
    return c->header + L_SLOTS + i * SLOT_BYTES;
}

/* ---- anti-forensic splitting ---- */

static void diffuse(const HashAlg *h, uint8_t *block, size_t len)
{
    size_t size = hash_bytes(h);

    for (uint32_t i = 0; i * size < len; i++) {
        uint8_t number[4], digest[HASH_MAX];
        size_t now = MIN(size, len - i * size);

        store_be32(number, i);
        hash_digest(h, number, 4, block + i * size, now, digest);
        memcpy(block + i * size, digest, now);
    }
}

static void xor_into(uint8_t *to, const uint8_t *from, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        to[i] ^= from[i];
    }
}

static void merge_stripes(const HashAlg *h, const uint8_t *material, uint32_t stripes, size_t len,
                          uint8_t *key)
{
    memset(key, 0, len);
    for (uint32_t i = 0; i + 1 < stripes; i++) {
        xor_into(key, material + i * len, len);
        diffuse(h, key, len);
    }
    xor_into(key, material + (stripes - 1) * len, len);
}

static bool split_stripes(const HashAlg *h, uint8_t *material, uint32_t stripes, size_t len,
                          const uint8_t *key)
{
    uint8_t *last = material + (stripes - 1) * len;

    if (!random_bytes(material, (stripes - 1) * len)) {
        return false;
    }
    merge_stripes(h, material, stripes - 1, len, last);
    diffuse(h, last, len);
    xor_into(last, key, len);
    return true;
}

/* ---- slots; in worker threads ---- */

typedef struct SlotWork {
    BlockCrypto *c;
    const uint8_t *slot, *password;
    size_t password_len;
    uint8_t *material;
    size_t material_len;        /* whole sectors */
    bool good;
} SlotWork;

static size_t material_bytes(const BlockCrypto *c, uint32_t stripes)
{
    return round_up(c->key_len * stripes, CRYPTO_SECTOR);
}

/* The same cipher with the password's key. */
static BlockCrypto *slot_cipher(const SlotWork *w)
{
    BlockCrypto *k = g_new0(BlockCrypto, 1);
    uint8_t key[LUKS_MAX_KEY];
    g_autoptr(GError) why = NULL;

    k->cipher_alg = g_strdup(w->c->cipher_alg);
    k->cipher_mode = g_strdup(w->c->cipher_mode);
    k->iv = w->c->iv;
    k->iv_hash = w->c->iv_hash;
    k->iv_cipher_alg = g_strdup(w->c->iv_cipher_alg);
    hash_pbkdf2(w->c->hash, w->password, w->password_len, w->slot + S_SALT, SALT,
                load_be32(w->slot + S_ITERATIONS), key, w->c->key_len);
    if (!crypto_set_key(k, key, w->c->key_len, &why)) {
        g_clear_pointer(&k->cipher, cipher_free);
    }
    explicit_bzero(key, sizeof(key));
    return k;
}

static void key_digest(const BlockCrypto *c, const uint8_t *key, uint8_t *digest)
{
    hash_pbkdf2(c->hash, key, c->key_len, c->header + L_SALT, SALT,
                load_be32(c->header + L_ITERATIONS), digest, DIGEST);
}

static int unlock_work(void *arg)
{
    SlotWork *w = arg;
    BlockCrypto *k = slot_cipher(w);
    uint8_t key[LUKS_MAX_KEY], digest[DIGEST];

    if (k->cipher) {
        crypto_run(k, 0, w->material, w->material_len, false);
        merge_stripes(w->c->hash, w->material, load_be32(w->slot + S_STRIPES), w->c->key_len, key);
        key_digest(w->c, key, digest);
        if (memcmp(digest, w->c->header + L_DIGEST, DIGEST) == 0) {
            memcpy(w->c->key, key, w->c->key_len);
            w->good = true;
        }
    }
    crypto_free(k);
    explicit_bzero(key, sizeof(key));
    explicit_bzero(w->material, w->material_len);
    return 0;
}

static int lock_work(void *arg)
{
    SlotWork *w = arg;
    BlockCrypto *k = slot_cipher(w);

    if (k->cipher && split_stripes(w->c->hash, w->material, load_be32(w->slot + S_STRIPES),
                                   w->c->key_len, w->c->key)) {
        crypto_run(k, 0, w->material, w->material_len, true);
        w->good = true;
    }
    crypto_free(k);
    return 0;
}

typedef struct Speed {
    const HashAlg *h;
    size_t len;
    uint64_t per_second;
} Speed;

static int64_t thread_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int measure_work(void *arg)
{
    Speed *s = arg;
    uint8_t salt[SALT] = { 1 }, out[LUKS_MAX_KEY];

    for (uint32_t n = 1u << 10; n < 1u << 30; n *= 2) {
        int64_t start = thread_ns(), took;

        hash_pbkdf2(s->h, (const uint8_t *)"password", 8, salt, SALT, n, out, s->len);
        took = MAX(thread_ns() - start, 1);
        if (took >= MEASURE_NS) {
            s->per_second = (uint64_t)(n * 1e9 / (double)took);
            return 0;
        }
    }
    return -ERANGE;
}

static uint32_t co_iterations(const HashAlg *h, size_t len, uint64_t ms)
{
    Speed s = { .h = h, .len = len };

    co_in_worker(measure_work, &s);
    return (uint32_t)CLAMP(s.per_second * (double)ms / 1000, MIN_ITERATIONS, UINT32_MAX);
}

/* Tries a password; true: c->key is the master key. */
static bool co_unlock_slot(BlockCrypto *c, const CryptoIo *io, unsigned i, const uint8_t *password,
                           size_t len, int *ret)
{
    uint8_t *slot = slot_at(c, i);
    size_t bytes = material_bytes(c, load_be32(slot + S_STRIPES));
    g_autofree uint8_t *material = g_malloc(bytes);
    SlotWork w = { c, slot, password, len, material, bytes, false };

    *ret = io->co_read(io->opaque, (uint64_t)load_be32(slot + S_SECTOR) * CRYPTO_SECTOR, material,
                       bytes);
    if (*ret < 0) {
        return false;
    }
    co_in_worker(unlock_work, &w);
    return w.good;
}

/* A slot's header and material for a password. */
static uint8_t *co_fill_slot(BlockCrypto *c, unsigned i, const uint8_t *password, size_t len,
                             uint64_t ms, size_t *bytes, GError **error)
{
    uint8_t *slot = slot_at(c, i), *material;

    *bytes = material_bytes(c, STRIPES);
    store_be32(slot + S_STRIPES, STRIPES);
    store_be32(slot + S_ITERATIONS, co_iterations(c->hash, c->key_len, ms));
    material = g_malloc0(*bytes);
    SlotWork w = { c, slot, password, len, material, *bytes, false };

    if (random_bytes(slot + S_SALT, SALT)) {
        co_in_worker(lock_work, &w);
    }
    if (!w.good) {
        g_free(material);
        return fail_null(error, "Unable to make a key slot");
    }
    store_be32(slot + S_ACTIVE, SLOT_ON);
    return material;
}

/* ---- names ---- */

/* "aes" with a key length into "aes-256"; halves are a key each in xts. */
static bool set_cipher(BlockCrypto *c, const char *name, GError **error)
{
    size_t len = strcmp(c->cipher_mode, "xts") == 0 ? c->key_len / 2 : c->key_len;

    if (strcmp(name, "cast5") == 0) {
        c->cipher_alg = g_strdup("cast5-128");
    } else {
        c->cipher_alg = g_strdup_printf("%s-%zu", name, len * 8);
    }
    return cipher_key_bytes(c->cipher_alg) == len ||
           fail(error, "Algorithm '%s' with key size %zu bits not supported", name, len * 8);
}

/* essiv: a cipher of the same kind whose key is as long as a digest. */
static bool set_essiv(BlockCrypto *c, const char *hash, GError **error)
{
    const char *dash = strchr(c->cipher_alg, '-');

    c->iv_hash = hash_find(hash);
    if (!c->iv_hash) {
        return fail(error, "Hash algorithm '%s' not supported", hash);
    }
    c->iv_cipher_alg = strcmp(c->cipher_alg, "cast5-128") == 0
                           ? g_strdup(c->cipher_alg)
                           : g_strdup_printf("%.*s-%zu", (int)(dash - c->cipher_alg), c->cipher_alg,
                                             hash_bytes(c->iv_hash) * 8);
    return cipher_key_bytes(c->iv_cipher_alg) == hash_bytes(c->iv_hash) ||
           fail(error, "Hash '%s' is no key for '%s'", hash, c->cipher_alg);
}

static bool set_iv(BlockCrypto *c, const char *name, const char *hash, GError **error)
{
    if (strcmp(name, "plain") == 0) {
        c->iv = IV_PLAIN;
    } else if (strcmp(name, "plain64") == 0) {
        c->iv = IV_PLAIN64;
    } else if (strcmp(name, "essiv") == 0) {
        c->iv = IV_ESSIV;
        return hash ? set_essiv(c, hash, error)
                    : fail(error, "Missing IV generator hash specification");
    } else {
        return fail(error, "Unexpected IV generator '%s'", name);
    }
    return true;
}

/* "xts-plain64", "cbc-essiv:sha256" */
static bool parse_mode(BlockCrypto *c, const char *cipher, const char *mode, GError **error)
{
    g_auto(GStrv) parts = g_strsplit_set(mode, "-:", 3);

    if (!parts[0] || !parts[1]) {
        return fail(error, "Unexpected cipher mode string format '%s'", mode);
    }
    c->cipher_mode = g_strdup(parts[0]);
    return set_cipher(c, cipher, error) && set_iv(c, parts[1], parts[2], error);
}

/* A field of 32 bytes that must end with 0. */
static bool field_ends(const uint8_t *p)
{
    return memchr(p, 0, 32) != NULL;
}

/* ---- opening ---- */

static bool check_slots(BlockCrypto *c, const CryptoIo *io, GError **error)
{
    for (unsigned i = 0; i < LUKS_SLOTS; i++) {
        const uint8_t *s = slot_at(c, i);
        uint32_t state = load_be32(s + S_ACTIVE), stripes = load_be32(s + S_STRIPES);
        uint64_t at = (uint64_t)load_be32(s + S_SECTOR) * CRYPTO_SECTOR, len;

        if (state != SLOT_ON && state != SLOT_OFF) {
            return fail(error, "Keyslot %u state is invalid", i);
        }
        if (stripes != STRIPES) {
            return fail(error, "Keyslot %u is corrupted (stripes count %u != %u)", i, stripes,
                        STRIPES);
        }
        if (state == SLOT_ON && load_be32(s + S_ITERATIONS) == 0) {
            return fail(error, "Keyslot %u iteration count is zero", i);
        }
        len = material_bytes(c, stripes);
        if (at < LUKS_HEADER_BYTES) {
            return fail(error, "Keyslot %u is overlapping the LUKS header", i);
        }
        if (at + len > c->payload || (io->size != UINT64_MAX && at + len > io->size)) {
            return fail(error, "Keyslot %u is overlapping with the encrypted payload", i);
        }
        for (unsigned k = 0; k < i; k++) {
            uint64_t other = (uint64_t)load_be32(slot_at(c, k) + S_SECTOR) * CRYPTO_SECTOR;

            if (at < other + len && other < at + len) {
                return fail(error, "Keyslots %u and %u are overlapping in the header", k, i);
            }
        }
    }
    return true;
}

static bool co_load_header(BlockCrypto *c, const CryptoIo *io, GError **error)
{
    uint8_t *h = c->header;
    int ret = io->co_read(io->opaque, 0, h, LUKS_HEADER_BYTES);

    if (ret < 0) {
        return fail_errno(error, -ret, "Unable to read LUKS header");
    }
    if (memcmp(h, magic, sizeof(magic)) != 0) {
        return fail(error, "Volume is not in LUKS format");
    }
    if (load_be16(h + L_VERSION) != 1) {
        return fail(error, "LUKS version %u is not supported", load_be16(h + L_VERSION));
    }
    if (!field_ends(h + L_CIPHER) || !field_ends(h + L_MODE) || !field_ends(h + L_HASH)) {
        return fail(error, "LUKS header cipher, mode or hash name is not NUL terminated");
    }
    c->key_len = load_be32(h + L_KEY_BYTES);
    if (c->key_len == 0 || c->key_len > LUKS_MAX_KEY) {
        return fail(error, "LUKS master key of %zu bytes is not supported", c->key_len);
    }
    c->payload = (uint64_t)load_be32(h + L_PAYLOAD) * CRYPTO_SECTOR;
    if (c->payload < LUKS_HEADER_BYTES) {
        return fail(error, "LUKS payload is overlapping with the header");
    }
    if (load_be32(h + L_ITERATIONS) == 0) {
        return fail(error, "LUKS key iteration count is zero");
    }
    c->hash = hash_find((const char *)h + L_HASH);
    if (!c->hash) {
        return fail(error, "Hash algorithm '%s' not supported", (const char *)h + L_HASH);
    }
    return parse_mode(c, (const char *)h + L_CIPHER, (const char *)h + L_MODE, error) &&
           check_slots(c, io, error);
}

static bool co_unlock(BlockCrypto *c, const CryptoIo *io, const uint8_t *password, size_t len,
                      GError **error)
{
    for (unsigned i = 0; i < LUKS_SLOTS; i++) {
        int ret = 0;

        if (load_be32(slot_at(c, i) + S_ACTIVE) == SLOT_ON &&
            co_unlock_slot(c, io, i, password, len, &ret)) {
            return true;
        }
        if (ret < 0) {
            return fail_errno(error, -ret, "Failed to read key material");
        }
    }
    return fail(error, "Invalid password, cannot unlock any keyslot");
}

BlockCrypto *co_crypto_open_luks(const CryptoIo *io, struct json_object *opts, const char *prefix,
                                 bool no_io, GError **error)
{
    BlockCrypto *c = g_new0(BlockCrypto, 1);
    bool good;

    c->luks = true;
    good = co_load_header(c, io, error);
    if (good && !no_io) {
        size_t len;
        const uint8_t *password = crypto_secret(opts, prefix, "key-secret", &len, error);

        good = password && co_unlock(c, io, password, len, error) &&
               crypto_set_key(c, c->key, c->key_len, error);
    }
    if (!good) {
        crypto_free(c);
        return NULL;
    }
    return c;
}

/* ---- creating ---- */

static const char *option(struct json_object *opts, const char *prefix, const char *name,
                          const char *def)
{
    g_autofree char *key = g_strconcat(prefix, name, NULL);

    return opts_string(opts, key, def);
}

static uint64_t iter_ms(struct json_object *opts, const char *prefix)
{
    g_autofree char *key = g_strconcat(prefix, "iter-time", NULL);
    uint64_t ms = opts_number(opts, key, DEFAULT_ITER_MS);

    return ms ? ms : DEFAULT_ITER_MS;
}

static void make_uuid(char *text)
{
    g_autofree char *uuid = g_uuid_string_random();

    g_strlcpy(text, uuid, 40);
}

static bool choose_algorithms(BlockCrypto *c, struct json_object *opts, const char *prefix,
                              GError **error)
{
    const char *cipher = option(opts, prefix, "cipher-alg", "aes-256"),
               *mode = option(opts, prefix, "cipher-mode", "xts");
    const char *iv = option(opts, prefix, "ivgen-alg", NULL),
               *iv_hash = option(opts, prefix, "ivgen-hash-alg", NULL);
    const char *hash = option(opts, prefix, "hash-alg", "sha256");
    g_autofree char *spec = NULL, *base = g_strndup(cipher, strcspn(cipher, "-"));

    iv = iv ? iv : "plain64";
    c->key_len = cipher_key_bytes(cipher) * (strcmp(mode, "xts") == 0 ? 2 : 1);
    c->hash = hash_find(hash);
    if (c->key_len == 0) {
        return fail(error, "Invalid parameter '%s'", cipher);
    }
    if (!c->hash) {
        return fail(error, "Invalid parameter '%s'", hash);
    }
    if (strcmp(iv, "essiv") == 0 && !iv_hash) {
        iv_hash = "sha256";
    }
    spec = iv_hash && strcmp(iv, "essiv") == 0 ? g_strdup_printf("%s-%s:%s", mode, iv, iv_hash)
                                               : g_strdup_printf("%s-%s", mode, iv);
    g_strlcpy((char *)c->header + L_CIPHER, base, 32);
    g_strlcpy((char *)c->header + L_MODE, spec, 32);
    g_strlcpy((char *)c->header + L_HASH, hash, 32);
    return parse_mode(c, base, spec, error);
}

BlockCrypto *co_crypto_create_luks(struct json_object *opts, const char *prefix, GError **error)
{
    BlockCrypto *c = g_new0(BlockCrypto, 1);
    uint64_t ms = iter_ms(opts, prefix);
    size_t len;
    const uint8_t *password = crypto_secret(opts, prefix, "key-secret", &len, error);
    uint32_t step;

    c->luks = true;
    if (!password || !choose_algorithms(c, opts, prefix, error)) {
        crypto_free(c);
        return NULL;
    }
    memcpy(c->header, magic, sizeof(magic));
    store_be16(c->header + L_VERSION, 1);
    store_be32(c->header + L_KEY_BYTES, (uint32_t)c->key_len);
    make_uuid((char *)c->header + L_UUID);
    store_be32(c->header + L_ITERATIONS, co_iterations(c->hash, DIGEST, MAX(ms / 8, 1)));
    step = (uint32_t)round_up(material_bytes(c, STRIPES) / CRYPTO_SECTOR, ALIGN_SECTORS);
    for (unsigned i = 0; i < LUKS_SLOTS; i++) {
        store_be32(slot_at(c, i) + S_ACTIVE, SLOT_OFF);
        store_be32(slot_at(c, i) + S_SECTOR, FIRST_SLOT_SECTOR + i * step);
        store_be32(slot_at(c, i) + S_STRIPES, STRIPES);
    }
    store_be32(c->header + L_PAYLOAD, FIRST_SLOT_SECTOR + LUKS_SLOTS * step);
    c->payload = (uint64_t)(FIRST_SLOT_SECTOR + LUKS_SLOTS * step) * CRYPTO_SECTOR;
    if (!random_bytes(c->key, c->key_len) || !random_bytes(c->header + L_SALT, SALT)) {
        crypto_free(c);
        return fail_null(error, "no random bytes for the master key");
    }
    key_digest(c, c->key, c->header + L_DIGEST);
    c->material = co_fill_slot(c, 0, password, len, ms, &c->material_len, error);
    if (!c->material || !crypto_set_key(c, c->key, c->key_len, error)) {
        crypto_free(c);
        return NULL;
    }
    return c;
}

uint64_t crypto_header_bytes(const BlockCrypto *c)
{
    return c->payload;
}

bool co_crypto_write_header(BlockCrypto *c, const CryptoIo *io, GError **error)
{
    int ret = c->material ? io->co_write(io->opaque, (uint64_t)FIRST_SLOT_SECTOR * CRYPTO_SECTOR,
                                         c->material, c->material_len)
                          : 0;

    ret = ret < 0 ? ret : io->co_write(io->opaque, 0, c->header, LUKS_HEADER_BYTES);
    return ret == 0 || fail_errno(error, -ret, "Unable to write LUKS header");
}

/* ---- changing slots ---- */

static unsigned count_active(BlockCrypto *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < LUKS_SLOTS; i++) {
        n += load_be32(slot_at(c, i) + S_ACTIVE) == SLOT_ON;
    }
    return n;
}

/* The header says "off" before the material is overwritten. */
static bool co_erase_slot(BlockCrypto *c, const CryptoIo *io, unsigned i, GError **error)
{
    uint8_t *s = slot_at(c, i);
    size_t bytes = material_bytes(c, load_be32(s + S_STRIPES));
    g_autofree uint8_t *noise = g_malloc(bytes);
    int ret;

    store_be32(s + S_ACTIVE, SLOT_OFF);
    store_be32(s + S_ITERATIONS, 0);
    memset(s + S_SALT, 0, SALT);
    ret = io->co_write(io->opaque, 0, c->header, LUKS_HEADER_BYTES);
    for (unsigned round = 0; ret == 0 && round < 2; round++) {
        random_bytes(noise, bytes);
        ret = io->co_write(io->opaque, (uint64_t)load_be32(s + S_SECTOR) * CRYPTO_SECTOR, noise,
                           bytes);
    }
    return ret == 0 || fail_errno(error, -ret, "Failed to erase keyslot %u", i);
}

static bool co_add_slot(BlockCrypto *c, const CryptoIo *io, struct json_object *opts,
                        const char *prefix, int slot, bool force, GError **error)
{
    g_autofree uint8_t *material = NULL;
    size_t bytes, len;
    const uint8_t *password;
    int ret;

    for (int i = 0; slot < 0 && i < (int)LUKS_SLOTS; i++) {
        slot = load_be32(slot_at(c, (unsigned)i) + S_ACTIVE) == SLOT_OFF ? i : -1;
    }
    if (slot < 0) {
        return fail(error, "Can't add a keyslot - all keyslots are in use");
    }
    if (!force && load_be32(slot_at(c, (unsigned)slot) + S_ACTIVE) == SLOT_ON) {
        return fail(error, "Refusing to overwrite active keyslot %i - please erase it first", slot);
    }
    password = crypto_secret(opts, prefix, "new-secret", &len, error);
    material = password ? co_fill_slot(c, (unsigned)slot, password, len, iter_ms(opts, prefix),
                                       &bytes, error)
                        : NULL;
    if (!material) {
        return false;
    }
    ret = io->co_write(io->opaque,
                       (uint64_t)load_be32(slot_at(c, (unsigned)slot) + S_SECTOR) * CRYPTO_SECTOR,
                       material, bytes);
    ret = ret < 0 ? ret : io->co_write(io->opaque, 0, c->header, LUKS_HEADER_BYTES);
    return ret == 0 || fail_errno(error, -ret, "Failed to write keyslot %i", slot);
}

static bool co_erase_by_password(BlockCrypto *c, const CryptoIo *io, const char *id, bool force,
                                 GError **error)
{
    bool match[LUKS_SLOTS] = { false };
    size_t len;
    const uint8_t *password = secret_bytes(id, &len, error);
    unsigned found = 0;

    if (!password) {
        return false;
    }
    for (unsigned i = 0; i < LUKS_SLOTS; i++) {
        int ret;

        match[i] = load_be32(slot_at(c, i) + S_ACTIVE) == SLOT_ON &&
                   co_unlock_slot(c, io, i, password, len, &ret);
        found += match[i];
    }
    if (!found) {
        return fail(error, "No keyslots match given (old) password for erase operation");
    }
    if (found == count_active(c) && !force) {
        return fail(error, "All the active keyslots match the (old) password that was given and "
                           "erasing them will erase "
                           "all the data in the image irreversibly - refusing operation");
    }
    for (unsigned i = 0; i < LUKS_SLOTS; i++) {
        if (match[i] && !co_erase_slot(c, io, i, error)) {
            return false;
        }
    }
    return true;
}

bool co_crypto_amend(BlockCrypto *c, const CryptoIo *io, struct json_object *opts,
                     const char *prefix, bool force, GError **error)
{
    const char *state = option(opts, prefix, "state", NULL),
               *old = option(opts, prefix, "old-secret", NULL);
    g_autofree char *slot_key = g_strconcat(prefix, "keyslot", NULL);
    int slot = opts_has(opts, slot_key) ? (int)MIN(opts_number(opts, slot_key, 0), LUKS_SLOTS) : -1;

    if (!c->luks || !c->cipher) {
        return fail(error, "only LUKS images that are unlocked have key slots");
    }
    if (slot >= (int)LUKS_SLOTS) {
        return fail(error,
                    "Invalid keyslot %" G_GUINT64_FORMAT " specified, must be between 0 and %u",
                    opts_number(opts, slot_key, 0), LUKS_SLOTS - 1);
    }
    if (!state || (strcmp(state, "active") != 0 && strcmp(state, "inactive") != 0)) {
        return fail(error,
                    state ? "Parameter 'state' does not accept value '%s'"
                          : "Parameter 'state' is missing",
                    state);
    }
    if (strcmp(state, "active") == 0) {
        return old ? fail(error, "'old-secret' must not be given when activating keyslots")
                   : co_add_slot(c, io, opts, prefix, slot, force, error);
    }
    if (option(opts, prefix, "new-secret", NULL)) {
        return fail(error, "'new-secret' must not be given when deactivating keyslots");
    }
    if (old) {
        return co_erase_by_password(c, io, old, force, error);
    }
    if (slot < 0) {
        return fail(error, "To erase keyslot(s), either explicit keyslot index or the password "
                           "currently contained in them must "
                           "be given");
    }
    if (load_be32(slot_at(c, (unsigned)slot) + S_ACTIVE) != SLOT_ON) {
        return force || fail(error, "Given keyslot %i is already erased (inactive) ", slot);
    }
    if (count_active(c) == 1 && !force) {
        return fail(error,
                    "Attempt to erase the only active keyslot %i which will erase all the data in "
                    "the image "
                    "irreversibly - refusing operation",
                    slot);
    }
    return co_erase_slot(c, io, (unsigned)slot, error);
}

/* ---- telling ---- */

static void put_text(struct json_object *o, const char *key, const char *text)
{
    json_object_object_add(o, key, json_object_new_string(text));
}

static void put_number(struct json_object *o, const char *key, uint64_t v)
{
    json_object_object_add(o, key, json_object_new_int64((int64_t)v));
}

struct json_object *crypto_info(const BlockCrypto *c)
{
    static const char *const ivs[] = { "plain", "plain64", "essiv" };
    struct json_object *o = json_object_new_object(), *slots = json_object_new_array();
    const char *hash = strchr((const char *)c->header + L_MODE, ':');

    put_text(o, "ivgen-alg", ivs[c->iv]);
    if (hash) {
        put_text(o, "ivgen-hash-alg", hash + 1);
    }
    put_text(o, "hash-alg", (const char *)c->header + L_HASH);
    put_text(o, "cipher-alg", c->cipher_alg);
    g_autofree char *uuid = g_strndup((const char *)c->header + L_UUID, 40);

    put_text(o, "uuid", uuid);
    put_text(o, "cipher-mode", c->cipher_mode);
    for (unsigned i = 0; i < LUKS_SLOTS; i++) {
        const uint8_t *s = c->header + L_SLOTS + i * SLOT_BYTES;
        struct json_object *slot = json_object_new_object();
        bool on = load_be32(s + S_ACTIVE) == SLOT_ON;

        json_object_object_add(slot, "active", json_object_new_boolean(on));
        if (on) {
            put_number(slot, "iters", load_be32(s + S_ITERATIONS));
        }
        put_number(slot, "key-offset", (uint64_t)load_be32(s + S_SECTOR) * CRYPTO_SECTOR);
        if (on) {
            put_number(slot, "stripes", load_be32(s + S_STRIPES));
        }
        json_object_array_add(slots, slot);
    }
    json_object_object_add(o, "slots", slots);
    put_number(o, "payload-offset", c->payload);
    put_number(o, "master-key-iters", load_be32(c->header + L_ITERATIONS));
    return o;
}
