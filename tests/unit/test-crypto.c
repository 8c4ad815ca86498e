// SPDX-License-Identifier: GPL-2.0-or-later
/* Ciphers by published vectors; LUKS images: passwords, key slots, data, and damaged headers. */
#include <errno.h>
#include <glib/gstdio.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "block/crypto.h"
#include "block/driver.h"
#include "qom/object.h"
#include "util/cipher.h"
#include "util/error.h"
#include "util/main-loop.h"

static char *path;

static void add_secret(const char *id, const char *data)
{
    struct json_object *o = json_object_new_object();
    GError *err = NULL;

    json_object_object_add(o, "data", json_object_new_string(data));
    user_object_add("secret", id, o, false, &err);
    g_assert_no_error(err);
    json_object_put(o);
}

/* IEEE 1619, vector 4 (first block) and FIPS 197; RFC 6070. */
static void test_vectors(void)
{
    static const uint8_t xts_key[32] = {
        0x27, 0x18, 0x28, 0x18, 0x28, 0x45, 0x90, 0x45, 0x23, 0x53, 0x60,
        0x28, 0x74, 0x71, 0x35, 0x26, 0x31, 0x41, 0x59, 0x26, 0x53, 0x58,
        0x97, 0x93, 0x23, 0x84, 0x62, 0x64, 0x33, 0x83, 0x27, 0x95,
    };
    static const uint8_t xts_out[16] = {
        0x27, 0xa7, 0x47, 0x9b, 0xef, 0xa1, 0xd4, 0x76,
        0x48, 0x9f, 0x30, 0x8c, 0xd4, 0xcf, 0xa6, 0xe2,
    };
    static const uint8_t pbkdf2_out[20] = {
        0xea, 0x6c, 0x01, 0x4d, 0xc7, 0x2d, 0x6f, 0x8c, 0xcd, 0x1e,
        0xd9, 0x2a, 0xce, 0x1d, 0x41, 0xf0, 0xd8, 0xde, 0x89, 0x57,
    };
    uint8_t iv[16] = { 0 }, buf[512], copy[512], out[20];
    Cipher *c = cipher_new("aes-128", "xts", xts_key, 32);

    for (unsigned i = 0; i < 512; i++) {
        buf[i] = copy[i] = (uint8_t)i;
    }
    cipher_encrypt(c, iv, buf, 512);
    g_assert_cmpmem(buf, 16, xts_out, 16);
    cipher_decrypt(c, iv, buf, 512);
    g_assert_cmpmem(buf, 512, copy, 512);
    cipher_free(c);
    hash_pbkdf2(hash_find("sha1"), (const uint8_t *)"password", 8, (const uint8_t *)"salt", 4, 2,
                out, 20);
    g_assert_cmpmem(out, 20, pbkdf2_out, 20);
}

static void test_round_trips(void)
{
    static const char *const names[] = {"aes-128",     "aes-192",     "aes-256",
                                        "twofish-256", "serpent-128", "cast5-128"};
    static const char *const modes[] = { "ecb", "cbc", "ctr", "xts" };
    uint8_t key[64], iv[16] = { 5 }, buf[8192], copy[8192];

    g_assert_true(random_bytes(key, sizeof(key)) && random_bytes(copy, sizeof(copy)));
    for (unsigned i = 0; i < ARRAY_COUNT(names); i++) {
        for (unsigned k = 0; k < ARRAY_COUNT(modes); k++) {
            size_t len = cipher_key_bytes(names[i]) * (k == 3 ? 2 : 1);
            Cipher *c = cipher_new(names[i], modes[k], key, len);

            if (k == 3 && strcmp(names[i], "cast5-128") == 0) {
                g_assert_null(c);
                continue;
            }
            memcpy(buf, copy, sizeof(buf));
            cipher_encrypt(c, iv, buf, sizeof(buf));
            g_assert_cmpint(memcmp(buf, copy, sizeof(buf)), !=, 0);
            cipher_decrypt(c, iv, buf, sizeof(buf));
            g_assert_cmpmem(buf, sizeof(buf), copy, sizeof(copy));
            cipher_free(c);
        }
    }
}

static BlockNode *open_with(const char *secret, GError **err)
{
    struct json_object *o = json_object_new_object();
    BlockNode *n;

    json_object_object_add(o, "key-secret", json_object_new_string(secret));
    n = block_open_image(path, "luks", o, 0, err);
    json_object_put(o);
    return n;
}

typedef struct Amend {
    BlockNode *n;
    const char *text;
    bool good;
} Amend;

static void co_amend(void *opaque)
{
    Amend *a = opaque;
    g_autoptr(GError) err = NULL;
    struct json_object *o =
        block_create_options(a->n->driver, a->n->driver->amend_opts, a->text, &err);

    g_assert_no_error(err);
    a->good = a->n->driver->co_amend(a->n, o, false, NULL, NULL, &err);
    json_object_put(o);
}

static bool amend(BlockNode *n, const char *text)
{
    Amend a = { n, text, false };

    block_run(co_amend, &a);
    return a.good;
}

static void make(const char *options)
{
    const BlockDriver *d = block_driver_find("luks");
    GError *err = NULL;
    struct json_object *o = block_create_options(d, d->create_opts, options, &err);

    g_assert_no_error(err);
    json_object_object_add(o, "size", json_object_new_uint64(2 * MIB));
    block_create(d, path, o, &err);
    g_assert_no_error(err);
    json_object_put(o);
}

static void test_luks(const void *data)
{
    g_autofree char *options =
        g_strdup_printf("key-secret=first,iter-time=10%s", (const char *)data);
    g_autoptr(GError) wrong = NULL;
    GError *err = NULL;
    uint8_t buf[70000], copy[70000];
    BlockNode *n;

    make(options);
    n = open_with("first", &err);
    g_assert_no_error(err);
    g_assert_cmpuint(n->length, ==, 2 * MIB);
    memset(copy, 0x5a, sizeof(copy));
    g_assert_cmpint(block_pwrite(n, 1000, copy, sizeof(copy), 0), ==, 0);
    g_assert_cmpint(block_pread(n->file, n->file->length - n->length + 1024, buf, 1000), ==, 0);
    g_assert_cmpint(memcmp(buf, copy, 1000), !=, 0);
    g_assert_true(amend(n, "state=active,new-secret=second,iter-time=10"));
    g_assert_false(amend(n, "state=inactive,old-secret=none"));
    block_node_unref(n);
    g_assert_null(open_with("none", &wrong));
    g_assert_cmpstr(wrong->message, ==, "Invalid password, cannot unlock any keyslot");
    n = open_with("second", &err);
    g_assert_no_error(err);
    g_assert_cmpint(block_pread(n, 1000, buf, sizeof(buf)), ==, 0);
    g_assert_cmpmem(buf, sizeof(buf), copy, sizeof(copy));
    g_assert_true(amend(n, "state=inactive,old-secret=first"));
    g_assert_false(amend(n, "state=inactive,keyslot=1"));
    block_node_unref(n);
    g_clear_error(&wrong);
    g_assert_null(open_with("first", &wrong));
}

static void test_hostile(void)
{
    g_autofree char *bytes = NULL;
    gsize len;
    GRand *rand = g_rand_new_with_seed(3);

    make("key-secret=first,iter-time=10");
    g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
    for (unsigned i = 0; i < 200; i++) {
        g_autofree char *bad = g_memdup2(bytes, len);
        g_autoptr(GError) err = NULL;
        BlockNode *n;

        /* names, lengths, places, stripes; not the derivation's counts, which cost time by right */
        for (unsigned k = 0; k < 3; k++) {
            int at = g_rand_int_range(rand, 0, 592);
            bool count = (at >= 164 && at < 168) ||
                         (at >= 208 && (at - 208) % 48 >= 4 && (at - 208) % 48 < 8);

            if (!count) {
                bad[at] = (char)g_rand_int(rand);
            }
        }
        g_assert_true(g_file_set_contents(
            path, bad, (gssize)(i % 7 ? len : (gsize)g_rand_int_range(rand, 0, 600)), NULL));
        n = open_with("first", &err);
        if (n) {
            block_node_unref(n);
        }
    }
    g_rand_free(rand);
}

int main(int argc, char **argv)
{
    g_autofree char *dir = NULL;
    int ret;

    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    dir = g_dir_make_tmp("crypto-XXXXXX", NULL);
    path = g_build_filename(dir, "image", NULL);
    add_secret("first", "one");
    add_secret("second", "two");
    add_secret("none", "three");
    g_test_add_func("/crypto/vectors", test_vectors);
    g_test_add_func("/crypto/round-trips", test_round_trips);
    g_test_add_data_func("/crypto/luks/default", "", test_luks);
    g_test_add_data_func("/crypto/luks/essiv",
                         ",cipher-alg=aes-128,cipher-mode=cbc,ivgen-alg=essiv,ivgen-hash-alg=md5",
                         test_luks);
    g_test_add_data_func("/crypto/luks/serpent", ",cipher-alg=serpent-256,hash-alg=sha512",
                         test_luks);
    g_test_add_data_func("/crypto/luks/cast5",
                         ",cipher-alg=cast5-128,cipher-mode=cbc,ivgen-alg=plain64,hash-alg=sha1",
                         test_luks);
    g_test_add_func("/crypto/hostile", test_hostile);
    ret = g_test_run();
    g_unlink(path);
    g_rmdir(dir);
    return ret;
}
