// SPDX-License-Identifier: GPL-2.0-or-later
/* AES, GFNI, PCLMULQDQ and SHA instructions by value. FIPS 197, FIPS 180-4; SDM volume 2. */
#include "target-i386/helpers.h"
#include "target-i386/cpu.h"

static uint8_t gf_mul(uint8_t a, uint8_t b)
{
    uint8_t r = 0;

    for (; b; b >>= 1, a = (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1b : 0))) {
        r ^= b & 1 ? a : 0;
    }
    return r;
}

typedef struct AesTables {
    uint8_t sbox[256], inverse[256];
} AesTables;

static gpointer aes_build(gpointer unused)
{
    AesTables *t = g_new0(AesTables, 1);
    uint8_t p = 1, q = 1;

    /* p runs over the field by its generator 3, q over the inverses */
    do {
        uint8_t x;

        p = (uint8_t)(p ^ p << 1 ^ (p & 0x80 ? 0x1b : 0));
        q ^= (uint8_t)(q << 1);
        q ^= (uint8_t)(q << 2);
        q ^= (uint8_t)(q << 4);
        q ^= q & 0x80 ? 9 : 0;
        x = (uint8_t)(q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^
                      (q << 4 | q >> 4));
        t->sbox[p] = x ^ 0x63;
    } while (p != 1);
    t->sbox[0] = 0x63;
    for (unsigned i = 0; i < 256; i++) {
        t->inverse[t->sbox[i]] = i;
    }
    return t;
}

static const AesTables *aes_tables(void)
{
    static GOnce once = G_ONCE_INIT;    /* the tables are computed once and then constant */

    return g_once(&once, aes_build, NULL);
}

static Vec128Lanes aes_sub_shift(Vec128 a, bool inverse)
{
    const AesTables *t = aes_tables();
    const uint8_t *box = inverse ? t->inverse : t->sbox;
    Vec128Lanes in = {.v = a}, out;

    for (unsigned col = 0; col < 4; col++) {
        for (unsigned row = 0; row < 4; row++) {
            unsigned from = inverse ? (col - row) & 3 : (col + row) & 3;

            out.b[4 * col + row] = box[in.b[4 * from + row]];
        }
    }
    return out;
}

static Vec128Lanes aes_mix(Vec128Lanes s, const uint8_t k[4])
{
    Vec128Lanes out;

    for (unsigned i = 0; i < 16; i++) {
        unsigned col = i & ~3u, row = i & 3;
        uint8_t v = 0;

        for (unsigned j = 0; j < 4; j++) {
            v ^= gf_mul(s.b[col + ((row + j) & 3)], k[j]);
        }
        out.b[i] = v;
    }
    return out;
}

static const uint8_t mix[4] = {2, 3, 1, 1}, mix_inverse[4] = {14, 11, 13, 9};

Vec128 helper_aesenc(Vec128 a, Vec128 key)
{
    return aes_mix(aes_sub_shift(a, false), mix).v ^ key;
}

Vec128 helper_aesenclast(Vec128 a, Vec128 key)
{
    return aes_sub_shift(a, false).v ^ key;
}

Vec128 helper_aesdec(Vec128 a, Vec128 key)
{
    return aes_mix(aes_sub_shift(a, true), mix_inverse).v ^ key;
}

Vec128 helper_aesdeclast(Vec128 a, Vec128 key)
{
    return aes_sub_shift(a, true).v ^ key;
}

Vec128 helper_aesimc(Vec128 a)
{
    return aes_mix((Vec128Lanes){ .v = a }, mix_inverse).v;
}

static uint32_t sub_word(uint32_t w)
{
    const uint8_t *box = aes_tables()->sbox;

    return box[w & 255] | box[w >> 8 & 255] << 8 | box[w >> 16 & 255] << 16 |
           (uint32_t)box[w >> 24] << 24;
}

Vec128 helper_aeskeygenassist(Vec128 a, uint32_t imm)
{
    Vec128Lanes in = {.v = a}, out;
    uint32_t x1 = sub_word(in.l[1]), x3 = sub_word(in.l[3]);

    out.l[0] = x1;
    out.l[1] = (x1 >> 8 | x1 << 24) ^ (imm & 255);
    out.l[2] = x3;
    out.l[3] = (x3 >> 8 | x3 << 24) ^ (imm & 255);
    return out.v;
}

/* ---- GFNI: bytes of the field of AES, and 8x8 matrices of bits ---- */

Vec128 helper_gf2p8mulb(Vec128 a, Vec128 b)
{
    Vec128Lanes x = {.v = a}, y = {.v = b};

    for (unsigned i = 0; i < 16; i++) {
        x.b[i] = gf_mul(x.b[i], y.b[i]);
    }
    return x.v;
}

/* x to the power of 254. */
static uint8_t gf_inverse(uint8_t x)
{
    uint8_t r = 1;

    for (unsigned i = 0; i < 7; i++) {
        x = gf_mul(x, x);
        r = gf_mul(r, x);
    }
    return r;
}

static Vec128 affine(Vec128 a, Vec128 matrix, uint32_t imm, bool inverse)
{
    Vec128Lanes x = {.v = a}, m = {.v = matrix}, out = {.q = {0, 0}};

    for (unsigned i = 0; i < 16; i++) {
        uint8_t v = inverse ? gf_inverse(x.b[i]) : x.b[i];

        for (unsigned bit = 0; bit < 8; bit++) {
            unsigned row = m.b[(i & 8) + 7 - bit];

            out.b[i] |= (uint8_t)((__builtin_parity(row & v) ^ (imm >> bit & 1)) << bit);
        }
    }
    return out.v;
}

Vec128 helper_gf2p8affineqb(Vec128 a, Vec128 matrix, uint32_t imm)
{
    return affine(a, matrix, imm, false);
}

Vec128 helper_gf2p8affineinvqb(Vec128 a, Vec128 matrix, uint32_t imm)
{
    return affine(a, matrix, imm, true);
}

/* ---- SSE4a: a field of 64 bits; length 0 is 64 (APM 4, EXTRQ, INSERTQ) ---- */

static uint64_t field_mask(uint32_t word)
{
    unsigned length = word & 63;

    return length ? (1ull << length) - 1 : UINT64_MAX;
}

uint64_t helper_extrq(uint64_t value, uint32_t word)
{
    return value >> (word >> 6 & 63) & field_mask(word);
}

uint64_t helper_insertq(uint64_t into, uint64_t from, uint32_t word)
{
    unsigned index = word >> 6 & 63;
    uint64_t mask = field_mask(word);

    return (into & ~(mask << index)) | (from & mask) << index;
}

Vec128 helper_pclmulqdq(Vec128 a, Vec128 b, uint32_t imm)
{
    Vec128Lanes x = {.v = a}, y = {.v = b}, out = {.q = {0, 0}};
    uint64_t m = x.q[imm & 1], n = y.q[imm >> 4 & 1];

    for (unsigned i = 0; i < 64; i++) {
        if (n >> i & 1) {
            out.q[0] ^= m << i;
            out.q[1] ^= i ? m >> (64 - i) : 0;
        }
    }
    return out.v;
}

static uint32_t rol(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

static uint32_t ror(uint32_t v, unsigned n)
{
    return v >> n | v << (32 - n);
}

Vec128 helper_sha1msg1(Vec128 a, Vec128 b)
{
    Vec128Lanes x = {.v = a}, y = {.v = b};

    return (Vec128Lanes){.l = {x.l[0] ^ y.l[2], x.l[1] ^ y.l[3], x.l[2] ^ x.l[0], x.l[3] ^ x.l[1]}}
        .v;
}

Vec128 helper_sha1msg2(Vec128 a, Vec128 b)
{
    Vec128Lanes x = {.v = a}, y = {.v = b}, o;

    o.l[3] = rol(x.l[3] ^ y.l[2], 1);
    o.l[2] = rol(x.l[2] ^ y.l[1], 1);
    o.l[1] = rol(x.l[1] ^ y.l[0], 1);
    o.l[0] = rol(x.l[0] ^ o.l[3], 1);
    return o.v;
}

Vec128 helper_sha1nexte(Vec128 a, Vec128 b)
{
    Vec128Lanes x = {.v = a}, o = {.v = b};

    o.l[3] += rol(x.l[3], 30);
    return o.v;
}

Vec128 helper_sha1rnds4(Vec128 a, Vec128 b, uint32_t imm)
{
    static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    Vec128Lanes s = {.v = a}, w = {.v = b};
    uint32_t A = s.l[3], B = s.l[2], C = s.l[1], D = s.l[0], E = 0;

    for (unsigned i = 0; i < 4; i++) {
        uint32_t f = (imm & 3) == 0   ? (B & C) ^ (~B & D)
                     : (imm & 3) == 2 ? (B & C) ^ (B & D) ^ (C & D)
                                      : B ^ C ^ D;
        uint32_t t = f + rol(A, 5) + w.l[3 - i] + E + k[imm & 3];

        E = D;
        D = C;
        C = rol(B, 30);
        B = A;
        A = t;
    }
    return (Vec128Lanes){ .l = {D, C, B, A} }.v;
}

static uint32_t sigma0(uint32_t v)
{
    return ror(v, 7) ^ ror(v, 18) ^ v >> 3;
}

static uint32_t sigma1(uint32_t v)
{
    return ror(v, 17) ^ ror(v, 19) ^ v >> 10;
}

Vec128 helper_sha256msg1(Vec128 a, Vec128 b)
{
    Vec128Lanes x = {.v = a}, y = {.v = b};

    return (Vec128Lanes){.l = {x.l[0] + sigma0(x.l[1]), x.l[1] + sigma0(x.l[2]),
                               x.l[2] + sigma0(x.l[3]), x.l[3] + sigma0(y.l[0])}}
        .v;
}

Vec128 helper_sha256msg2(Vec128 a, Vec128 b)
{
    Vec128Lanes x = {.v = a}, y = {.v = b}, o;

    o.l[0] = x.l[0] + sigma1(y.l[2]);
    o.l[1] = x.l[1] + sigma1(y.l[3]);
    o.l[2] = x.l[2] + sigma1(o.l[0]);
    o.l[3] = x.l[3] + sigma1(o.l[1]);
    return o.v;
}

Vec128 helper_sha256rnds2(Vec128 a, Vec128 b, Vec128 wk)
{
    Vec128Lanes x = {.v = a}, y = {.v = b}, w = {.v = wk};
    uint32_t A = y.l[3], B = y.l[2], C = x.l[3], D = x.l[2], E = y.l[1], F = y.l[0], G = x.l[1],
             H = x.l[0];

    for (unsigned i = 0; i < 2; i++) {
        uint32_t t1 = ((E & F) ^ (~E & G)) + (ror(E, 6) ^ ror(E, 11) ^ ror(E, 25)) + w.l[i] + H;
        uint32_t t2 = ((A & B) ^ (A & C) ^ (B & C)) + (ror(A, 2) ^ ror(A, 13) ^ ror(A, 22));

        H = G;
        G = F;
        F = E;
        E = D + t1;
        D = C;
        C = B;
        B = A;
        A = t1 + t2;
    }
    return (Vec128Lanes){ .l = {F, E, B, A} }.v;
}
