// SPDX-License-Identifier: GPL-2.0-or-later
/* AES, SHA-1, SHA-256, SHA-512 and SHA-3 instructions (C7.2; FIPS 180-4, FIPS 197). */
#include "target-arm/helpers.h"
#include "target-arm/simd.h"

/* ---- AES ---- */

static uint8_t times2(uint8_t a)
{
    return (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1b : 0));
}

static uint8_t times(uint8_t a, uint8_t b)
{
    uint8_t r = 0;

    for (; b; b >>= 1, a = times2(a)) {
        r ^= b & 1 ? a : 0;
    }
    return r;
}

typedef struct AesTables {
    uint8_t sbox[256], inv[256], mul[16][256];
} AesTables;

/* The S-box from its definition: inverse in GF(2^8), then the affine map. */
static gpointer make_tables(gpointer unused)
{
    AesTables *t = g_new0(AesTables, 1);
    uint8_t p = 1, q = 1;

    do {
        p = (uint8_t)(p ^ times2(p));
        q ^= (uint8_t)(q << 1);
        q ^= (uint8_t)(q << 2);
        q ^= (uint8_t)(q << 4);
        q ^= q & 0x80 ? 0x09 : 0;
        uint8_t x = (uint8_t)(q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^
                              (q << 4 | q >> 4));

        t->sbox[p] = x ^ 0x63;
    } while (p != 1);
    t->sbox[0] = 0x63;
    for (unsigned i = 0; i < 256; i++) {
        t->inv[t->sbox[i]] = (uint8_t)i;
        for (unsigned m = 0; m < 16; m++) {
            t->mul[m][i] = times((uint8_t)i, (uint8_t)m);
        }
    }
    return t;
}

static const AesTables *aes_tables(void)
{
    static GOnce once = G_ONCE_INIT;    /* tables that are constant once made */

    return g_once(&once, make_tables, NULL);
}

/* op: 0 AESE, 1 AESD, 2 AESMC (of key), 3 AESIMC. */
Vec128 helper_aes(Vec128 state, Vec128 key, uint32_t op)
{
    static const uint8_t mix[2][4] = {{2, 3, 1, 1}, {14, 11, 13, 9}};
    const AesTables *t = aes_tables();
    Vec128Lanes a = {.v = op < 2 ? state ^ key : key}, r;

    for (unsigned i = 0; i < 16; i++) {
        unsigned col = i / 4, row = i % 4;

        if (op == 0) {
            r.b[i] = t->sbox[a.b[(col + row) % 4 * 4 + row]];
        } else if (op == 1) {
            r.b[i] = t->inv[a.b[(col + 4 - row) % 4 * 4 + row]];
        } else {
            const uint8_t *m = mix[op - 2];

            r.b[i] = t->mul[m[0]][a.b[col * 4 + row]] ^ t->mul[m[1]][a.b[col * 4 + (row + 1) % 4]] ^
                     t->mul[m[2]][a.b[col * 4 + (row + 2) % 4]] ^
                     t->mul[m[3]][a.b[col * 4 + (row + 3) % 4]];
        }
    }
    return r.v;
}

/* ---- SHA-1 and SHA-256 ---- */

static uint32_t rol(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

static uint32_t ror(uint32_t v, unsigned n)
{
    return v >> n | v << (32 - n);
}

static uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
    return ((y ^ z) & x) ^ z;
}

static uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) | ((x | y) & z);
}

static Vec128 sha1_rounds(Vec128Lanes d, uint32_t e, Vec128Lanes m, uint32_t op)
{
    for (unsigned i = 0; i < 4; i++) {
        uint32_t f = op == 0   ? choose(d.l[1], d.l[2], d.l[3])
                     : op == 1 ? d.l[1] ^ d.l[2] ^ d.l[3]
                               : majority(d.l[1], d.l[2], d.l[3]);
        uint32_t y = e + rol(d.l[0], 5) + f + m.l[i];

        e = d.l[3];
        d.l[3] = d.l[2];
        d.l[2] = rol(d.l[1], 30);
        d.l[1] = d.l[0];
        d.l[0] = y;
    }
    return d.v;
}

static Vec128 sha256_hash(Vec128Lanes x, Vec128Lanes y, Vec128Lanes w, bool part1)
{
    for (unsigned e = 0; e < 4; e++) {
        uint32_t t = y.l[3] + (ror(y.l[0], 6) ^ ror(y.l[0], 11) ^ ror(y.l[0], 25)) +
                     choose(y.l[0], y.l[1], y.l[2]) + w.l[e];
        uint32_t a = t + (ror(x.l[0], 2) ^ ror(x.l[0], 13) ^ ror(x.l[0], 22)) +
                     majority(x.l[0], x.l[1], x.l[2]);

        y.l[3] = y.l[2];
        y.l[2] = y.l[1];
        y.l[1] = y.l[0];
        y.l[0] = x.l[3] + t;
        x.l[3] = x.l[2];
        x.l[2] = x.l[1];
        x.l[1] = x.l[0];
        x.l[0] = a;
    }
    return part1 ? x.v : y.v;
}

/* op: SHA1C, P, M, SU0, SHA256H, H2, SU1. */
Vec128 helper_sha_three(Vec128 vd, Vec128 vn, Vec128 vm, uint32_t op)
{
    Vec128Lanes d = {.v = vd}, n = {.v = vn}, m = {.v = vm}, r;

    switch (op) {
    case 0:
    case 1:
    case 2:
        return sha1_rounds(d, n.l[0], m, op);
    case 3:
        r.q[0] = d.q[1] ^ d.q[0] ^ m.q[0];
        r.q[1] = n.q[0] ^ d.q[1] ^ m.q[1];
        return r.v;
    case 4:
        return sha256_hash(d, n, m, true);
    case 5:
        return sha256_hash(n, d, m, false);
    default:
        for (unsigned e = 0; e < 4; e++) {
            uint32_t t = e < 2 ? m.l[2 + e] : r.l[e - 2];
            uint32_t t0 = e < 3 ? n.l[e + 1] : m.l[0];

            r.l[e] = (ror(t, 17) ^ ror(t, 19) ^ t >> 10) + d.l[e] + t0;
        }
        return r.v;
    }
}

/* op: SHA1H, SHA1SU1, SHA256SU0. */
Vec128 helper_sha_two(Vec128 vd, Vec128 vn, uint32_t op)
{
    Vec128Lanes d = {.v = vd}, n = {.v = vn}, r = {.q = {0, 0}};

    switch (op) {
    case 0:
        r.l[0] = rol(n.l[0], 30);
        break;
    case 1:
        for (unsigned e = 0; e < 3; e++) {
            r.l[e] = rol(d.l[e] ^ n.l[e + 1], 1);
        }
        r.l[3] = rol(d.l[3], 1) ^ rol(d.l[0] ^ n.l[1], 2);
        break;
    default:
        for (unsigned e = 0; e < 4; e++) {
            uint32_t t = e < 3 ? d.l[e + 1] : n.l[0];

            r.l[e] = (ror(t, 7) ^ ror(t, 18) ^ t >> 3) + d.l[e];
        }
    }
    return r.v;
}

/* ---- SHA-512, SHA-3 ---- */

static uint64_t ror64(uint64_t v, unsigned n)
{
    return n ? v >> n | v << (64 - n) : v;
}

static uint64_t choose64(uint64_t x, uint64_t y, uint64_t z)
{
    return (x & y) ^ (~x & z);
}

static uint64_t majority64(uint64_t x, uint64_t y, uint64_t z)
{
    return (x & y) ^ (x & z) ^ (y & z);
}

/* op: H, H2, SU1, RAX1, SU0. */
Vec128 helper_sha512(Vec128 vd, Vec128 vn, Vec128 vm, uint32_t op)
{
    Vec128Lanes d = {.v = vd}, n = {.v = vn}, m = {.v = vm}, r;

    switch (op) {
    case 0: {
        uint64_t y = m.q[1], t;

        r.q[1] =
            (ror64(y, 14) ^ ror64(y, 18) ^ ror64(y, 41)) + choose64(y, n.q[0], n.q[1]) + d.q[1];
        t = r.q[1] + m.q[0];
        r.q[0] = (ror64(t, 14) ^ ror64(t, 18) ^ ror64(t, 41)) + choose64(t, y, n.q[0]) + d.q[0];
        break;
    }
    case 1: {
        uint64_t y = m.q[0];

        r.q[1] =
            (ror64(y, 28) ^ ror64(y, 34) ^ ror64(y, 39)) + majority64(n.q[0], m.q[1], y) + d.q[1];
        r.q[0] = (ror64(r.q[1], 28) ^ ror64(r.q[1], 34) ^ ror64(r.q[1], 39)) +
                 majority64(r.q[1], y, m.q[1]) + d.q[0];
        break;
    }
    case 2:
        for (unsigned e = 0; e < 2; e++) {
            r.q[e] = d.q[e] + (ror64(n.q[e], 19) ^ ror64(n.q[e], 61) ^ n.q[e] >> 6) + m.q[e];
        }
        break;
    case 3:
        for (unsigned e = 0; e < 2; e++) {
            r.q[e] = n.q[e] ^ ror64(m.q[e], 63);
        }
        break;
    default:
        for (unsigned e = 0; e < 2; e++) {
            uint64_t t = e ? n.q[0] : d.q[1];

            r.q[e] = d.q[e] + (ror64(t, 1) ^ ror64(t, 8) ^ t >> 7);
        }
    }
    return r.v;
}

Vec128 helper_xar(Vec128 vn, Vec128 vm, uint32_t amount)
{
    Vec128Lanes r = {.v = vn ^ vm};

    r.q[0] = ror64(r.q[0], amount);
    r.q[1] = ror64(r.q[1], amount);
    return r.v;
}

/* op: SM3PARTW1, PARTW2, SS1, TT1A, TT1B, TT2A, TT2B; the index of m's word from bit 8 on. */
Vec128 helper_sm3(Vec128 vd, Vec128 vn, Vec128 vm, Vec128 va, uint32_t op)
{
    Vec128Lanes d = {.v = vd}, n = {.v = vn}, m = {.v = vm}, a = {.v = va}, r = {.q = {0, 0}};
    uint32_t w = m.l[op >> 8 & 3], t;

    op &= 0xff;
    if (op == 0) {
        for (unsigned i = 0; i < 4; i++) {
            t = d.l[i] ^ n.l[i] ^ rol(i < 3 ? m.l[i + 1] : r.l[0], 15);
            r.l[i] = t ^ rol(t, 15) ^ rol(t, 23);
        }
        return r.v;
    }
    if (op == 1) {
        for (unsigned i = 0; i < 4; i++) {
            r.l[i] = d.l[i] ^ n.l[i] ^ rol(m.l[i], 7);
        }
        t = rol(n.l[0] ^ rol(m.l[0], 7), 15);
        r.l[3] ^= t ^ rol(t, 15) ^ rol(t, 23);
        return r.v;
    }
    if (op == 2) {
        r.l[3] = rol(rol(n.l[3], 12) + m.l[3] + a.l[3], 7);
        return r.v;
    }
    t = op == 3 || op == 5 ? d.l[1] ^ d.l[3] ^ d.l[2]
        : op == 4          ? majority(d.l[3], d.l[1], d.l[2])
                           : choose(d.l[3], d.l[2], d.l[1]);
    t += d.l[0] + w + (op <= 4 ? n.l[3] ^ rol(d.l[3], 12) : n.l[3]);
    r.l[0] = d.l[1];
    r.l[1] = rol(d.l[2], op <= 4 ? 9 : 19);
    r.l[2] = d.l[3];
    r.l[3] = op <= 4 ? t : t ^ rol(t, 9) ^ rol(t, 17);
    return r.v;
}

/* GB/T 32907-2016, 6.2. */
static const uint8_t sm4_box[256] = {
    0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7, 0x16, 0xb6, 0x14, 0xc2, 0x28, 0xfb, 0x2c, 0x05,
    0x2b, 0x67, 0x9a, 0x76, 0x2a, 0xbe, 0x04, 0xc3, 0xaa, 0x44, 0x13, 0x26, 0x49, 0x86, 0x06, 0x99,
    0x9c, 0x42, 0x50, 0xf4, 0x91, 0xef, 0x98, 0x7a, 0x33, 0x54, 0x0b, 0x43, 0xed, 0xcf, 0xac, 0x62,
    0xe4, 0xb3, 0x1c, 0xa9, 0xc9, 0x08, 0xe8, 0x95, 0x80, 0xdf, 0x94, 0xfa, 0x75, 0x8f, 0x3f, 0xa6,
    0x47, 0x07, 0xa7, 0xfc, 0xf3, 0x73, 0x17, 0xba, 0x83, 0x59, 0x3c, 0x19, 0xe6, 0x85, 0x4f, 0xa8,
    0x68, 0x6b, 0x81, 0xb2, 0x71, 0x64, 0xda, 0x8b, 0xf8, 0xeb, 0x0f, 0x4b, 0x70, 0x56, 0x9d, 0x35,
    0x1e, 0x24, 0x0e, 0x5e, 0x63, 0x58, 0xd1, 0xa2, 0x25, 0x22, 0x7c, 0x3b, 0x01, 0x21, 0x78, 0x87,
    0xd4, 0x00, 0x46, 0x57, 0x9f, 0xd3, 0x27, 0x52, 0x4c, 0x36, 0x02, 0xe7, 0xa0, 0xc4, 0xc8, 0x9e,
    0xea, 0xbf, 0x8a, 0xd2, 0x40, 0xc7, 0x38, 0xb5, 0xa3, 0xf7, 0xf2, 0xce, 0xf9, 0x61, 0x15, 0xa1,
    0xe0, 0xae, 0x5d, 0xa4, 0x9b, 0x34, 0x1a, 0x55, 0xad, 0x93, 0x32, 0x30, 0xf5, 0x8c, 0xb1, 0xe3,
    0x1d, 0xf6, 0xe2, 0x2e, 0x82, 0x66, 0xca, 0x60, 0xc0, 0x29, 0x23, 0xab, 0x0d, 0x53, 0x4e, 0x6f,
    0xd5, 0xdb, 0x37, 0x45, 0xde, 0xfd, 0x8e, 0x2f, 0x03, 0xff, 0x6a, 0x72, 0x6d, 0x6c, 0x5b, 0x51,
    0x8d, 0x1b, 0xaf, 0x92, 0xbb, 0xdd, 0xbc, 0x7f, 0x11, 0xd9, 0x5c, 0x41, 0x1f, 0x10, 0x5a, 0xd8,
    0x0a, 0xc1, 0x31, 0x88, 0xa5, 0xcd, 0x7b, 0xbd, 0x2d, 0x74, 0xd0, 0x12, 0xb8, 0xe5, 0xb4, 0xb0,
    0x89, 0x69, 0x97, 0x4a, 0x0c, 0x96, 0x77, 0x7e, 0x65, 0xb9, 0xf1, 0x09, 0xc5, 0x6e, 0xc6, 0x84,
    0x18, 0xf0, 0x7d, 0xec, 0x3a, 0xdc, 0x4d, 0x20, 0x79, 0xee, 0x5f, 0x3e, 0xd7, 0xcb, 0x39, 0x48,
};

/* op: SM4E (d state, n keys), SM4EKEY (d keys, n constants). */
Vec128 helper_sm4(Vec128 vd, Vec128 vn, uint32_t op)
{
    Vec128Lanes d = {.v = vd}, n = {.v = vn};

    for (unsigned i = 0; i < 4; i++) {
        uint32_t x = d.l[3] ^ d.l[2] ^ d.l[1] ^ n.l[i], y = 0;

        for (unsigned k = 0; k < 32; k += 8) {
            y |= (uint32_t)sm4_box[x >> k & 0xff] << k;
        }
        y ^= op ? rol(y, 13) ^ rol(y, 23) : rol(y, 2) ^ rol(y, 10) ^ rol(y, 18) ^ rol(y, 24);
        y ^= d.l[0];
        d.l[0] = d.l[1];
        d.l[1] = d.l[2];
        d.l[2] = d.l[3];
        d.l[3] = y;
    }
    return d.v;
}
