// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pointer authentication (D8.8, pseudocode AddPAC, Auth, Strip): where the code goes in a pointer,
 * and its two ways of computing it: QARMA5 (the architected cipher) and a cheap keyed hash
 * ("pauth-impdef").
 */
#include "target-arm/helpers.h"
#include "target-arm/cpu.h"

enum { KEY_IA, KEY_IB, KEY_DA, KEY_DB, KEY_GA };

/* ---- QARMA5: Avanzi, "The QARMA Block Cipher Family"; pseudocode ComputePAC ---- */

static const uint8_t sbox[16] = {0xb, 0x6, 0x8, 0xf, 0xc, 0x0, 0x9, 0xe,
                                 0x3, 0x7, 0x4, 0x5, 0xd, 0x2, 0x1, 0xa};
static const uint8_t sbox_inv[16] = {0x5, 0xe, 0xd, 0x8, 0xa, 0xb, 0x1, 0x9,
                                     0x2, 0x6, 0xf, 0x0, 0x4, 0xc, 0x7, 0x3};
static const uint8_t shuffle[16] = {13, 6, 11, 0, 7, 12, 1, 10, 8, 3, 14, 5, 2, 9, 4, 15};
static const uint8_t shuffle_inv[16] = {3, 6, 12, 9, 14, 11, 1, 4, 8, 13, 7, 2, 5, 0, 10, 15};
static const uint8_t tweak_from[16] = {4, 5, 6, 7, 11, 2, 3, 8, 12, 13, 14, 15, 0, 1, 10, 9};
static const uint64_t round_const[5] = {0, 0x13198a2e03707344ull, 0xa4093822299f31d0ull,
                                        0x082efa98ec4e6c89ull, 0x452821e638d01377ull};

static unsigned cell(uint64_t v, unsigned n)
{
    return v >> (4 * n) & 15;
}

static uint64_t substitute(uint64_t v, const uint8_t *box)
{
    uint64_t r = 0;

    for (unsigned n = 0; n < 16; n++) {
        r |= (uint64_t)box[cell(v, n)] << (4 * n);
    }
    return r;
}

static uint64_t permute(uint64_t v, const uint8_t *from)
{
    uint64_t r = 0;

    for (unsigned n = 0; n < 16; n++) {
        r |= (uint64_t)cell(v, from[n]) << (4 * n);
    }
    return r;
}

static unsigned rot(unsigned c, unsigned n)
{
    return (c << n | c >> (4 - n)) & 15;
}

static uint64_t multiply(uint64_t v)
{
    uint64_t r = 0;

    for (unsigned n = 0; n < 4; n++) {
        unsigned a = cell(v, n), b = cell(v, n + 4), c = cell(v, n + 8), d = cell(v, n + 12);
        uint64_t t0 = rot(b, 1) ^ rot(c, 2) ^ rot(d, 1), t1 = rot(a, 1) ^ rot(c, 1) ^ rot(d, 2);
        uint64_t t2 = rot(a, 2) ^ rot(b, 1) ^ rot(d, 1), t3 = rot(a, 1) ^ rot(b, 2) ^ rot(c, 1);

        r |= t0 << (4 * n) | t1 << (4 * (n + 4)) | t2 << (4 * (n + 8)) | t3 << (4 * (n + 12));
    }
    return r;
}

/* One step of a tweak cell's LFSR. */
static unsigned lfsr(unsigned c)
{
    return c >> 1 | ((c ^ c >> 1) & 1) << 3;
}

/* Cells that pass through the LFSR, numbered behind the shuffle. */
enum { LFSR_CELLS = 1 << 2 | 1 << 4 | 1 << 7 | 1 << 11 | 1 << 12 | 1 << 14 | 1 << 15 };

static uint64_t tweak_step(uint64_t t)
{
    uint64_t r = 0;

    for (unsigned n = 0; n < 16; n++) {
        unsigned c = cell(t, tweak_from[n]);

        r |= (uint64_t)(LFSR_CELLS >> n & 1 ? lfsr(c) : c) << (4 * n);
    }
    return r;
}

/* Linear steps and the S-boxes by bytes: what a byte at a place contributes. */
typedef struct QarmaTables {
    uint64_t mix[8][256], unmix[8][256];    /* multiply(permute(v)); its inverse, permute(multiply(v)) backwards */
    uint64_t step[8][256];                  /* tweak_step */
    uint8_t sub[256], unsub[256];
} QarmaTables;

static gpointer make_tables(gpointer unused)
{
    QarmaTables *t = g_new0(QarmaTables, 1);

    for (unsigned i = 0; i < 8; i++) {
        for (unsigned b = 0; b < 256; b++) {
            uint64_t v = (uint64_t)b << (8 * i);

            t->mix[i][b] = multiply(permute(v, shuffle));
            t->unmix[i][b] = permute(multiply(v), shuffle_inv);
            t->step[i][b] = tweak_step(v);
        }
    }
    for (unsigned b = 0; b < 256; b++) {
        t->sub[b] = (uint8_t)substitute(b, sbox);
        t->unsub[b] = (uint8_t)substitute(b, sbox_inv);
    }
    return t;
}

static uint64_t linear(const uint64_t table[8][256], uint64_t v)
{
    uint64_t r = 0;

    for (unsigned i = 0; i < 8; i++) {
        r ^= table[i][v >> (8 * i) & 0xff];
    }
    return r;
}

static uint64_t boxes(const uint8_t table[256], uint64_t v)
{
    uint64_t r = 0;

    for (unsigned i = 0; i < 8; i++) {
        r |= (uint64_t)table[v >> (8 * i) & 0xff] << (8 * i);
    }
    return r;
}

static uint64_t qarma5(uint64_t data, uint64_t modifier, const uint64_t key[2])
{
    static GOnce once = G_ONCE_INIT;    /* tables that are constant once made */
    const QarmaTables *t = g_once(&once, make_tables, NULL);
    const uint64_t alpha = 0xc0ac29b7c97c50ddull;
    uint64_t key0 = key[1], key1 = key[0], mod0 = (key0 << 63 | key0 >> 1) ^ key0 >> 63,
             tweak[6] = {modifier};
    uint64_t v = data ^ key0;

    for (unsigned i = 0; i < 5; i++) {
        v ^= key1 ^ tweak[i] ^ round_const[i];
        if (i > 0) {
            v = linear(t->mix, v);
        }
        v = boxes(t->sub, v);
        tweak[i + 1] = linear(t->step, tweak[i]);
    }
    v = boxes(t->sub, linear(t->mix, v ^ mod0 ^ tweak[5]));
    v = linear(t->mix, v) ^ key1;
    v = boxes(t->unsub, permute(v, shuffle_inv));
    v = linear(t->unmix, v) ^ key0 ^ tweak[5];
    for (unsigned i = 0; i < 5; i++) {
        v = boxes(t->unsub, v);
        if (i < 4) {
            v = linear(t->unmix, v);
        }
        v ^= round_const[4 - i] ^ key1 ^ tweak[4 - i] ^ alpha;
    }
    return v ^ mod0;
}

/* The cheap one: two rounds of a multiplicative mixer. */
static uint64_t cheap(uint64_t data, uint64_t modifier, const uint64_t key[2])
{
    uint64_t v = data ^ key[0];

    v = (v ^ v >> 32) * 0x9e3779b97f4a7c15ull + modifier;
    v = (v ^ v >> 29 ^ key[1]) * 0xbf58476d1ce4e5b9ull;
    return v ^ v >> 32;
}

/* A function's entry and exit ask for the same code: the last ones are kept. */
static uint64_t compute(ArmCpu *c, uint64_t data, uint64_t modifier, unsigned key)
{
    if (c->pauth_impdef) {
        return cheap(data, modifier, c->apkey[key]);
    }
    ArmPac *e = &c->pac[(data >> 2 ^ modifier >> 4 ^ key) % ARRAY_COUNT(c->pac)];

    if (!e->valid || e->data != data || e->modifier != modifier || e->key != key ||
        e->k[0] != c->apkey[key][0] || e->k[1] != c->apkey[key][1]) {
        *e = (ArmPac){.data = data,
                      .modifier = modifier,
                      .key = key,
                      .valid = true,
                      .k = {c->apkey[key][0], c->apkey[key][1]},
                      .code = qarma5(data, modifier, c->apkey[key])};
    }
    return e->code;
}

/* ---- where it goes ---- */

static bool enabled(const ArmCpu *c, unsigned key)
{
    static const uint64_t bits[4] = {SCTLR_EnIA, SCTLR_EnIB, SCTLR_EnDA, SCTLR_EnDB};
    unsigned r = arm_regime_el(c, arm_el(c));

    return key < 4 && c->sctlr[r] & bits[key];
}

/* Top bit of the address proper, and whether the top byte is ignored. */
static void layout(const ArmCpu *c, uint64_t ptr, bool data, unsigned *bottom, bool *tbi)
{
    unsigned r = arm_regime_el(c, arm_el(c));
    uint64_t tcr = c->tcr[r];
    bool upper = ptr >> 55 & 1, two = r == 1 || (r == 2 && arm_e2h(c));

    if (two) {
        unsigned txsz = (upper ? tcr >> 16 : tcr) & 63;

        *tbi = tcr >> (upper ? 38 : 37) & 1 && (data || !(tcr >> (upper ? 52 : 51) & 1));
        *bottom = 64 - MIN(MAX(txsz, 16u), 39u);
    } else {
        *tbi = tcr >> 20 & 1 && (data || !(tcr >> 29 & 1));
        *bottom = 64 - MIN(MAX((unsigned)tcr & 63, 16u), 39u);
    }
}

static uint64_t field_mask(unsigned bottom, bool tbi)
{
    return tbi ? (1ull << 55) - (1ull << bottom) : ~((1ull << bottom) - 1) & ~(1ull << 55);
}

static uint64_t original(uint64_t ptr, unsigned bottom, bool tbi)
{
    uint64_t ext = ptr >> 55 & 1 ? UINT64_MAX : 0, keep = (1ull << bottom) - 1;

    if (tbi) {
        keep |= 0xffull << 56;
    }
    return (ptr & keep) | (ext & ~keep);
}

uint64_t helper_pauth_add(Cpu *cpu, uint64_t ptr, uint64_t modifier, uint32_t key)
{
    ArmCpu *c = ARM(cpu);
    unsigned bottom;
    bool tbi;

    if (!enabled(c, key)) {
        return ptr;
    }
    layout(c, ptr, key >= KEY_DA, &bottom, &tbi);
    uint64_t mask = field_mask(bottom, tbi), ext = ptr >> 55 & 1 ? UINT64_MAX : 0,
             keep = tbi ? 0xffull << 56 : 0;
    uint64_t ext_ptr =
        (ptr & (keep | ((1ull << bottom) - 1))) | (ext & ~(keep | ((1ull << bottom) - 1)));
    uint64_t code = compute(c, ext_ptr, modifier, key);

    /* a pointer that was not canonical gives a code that does not authenticate */
    if ((ptr ^ ext_ptr) & mask) {
        code ^= 1ull << (tbi ? 54 : 62);
    }
    return (ext_ptr & ~mask) | (code & mask);
}

uint64_t helper_pauth_auth(Cpu *cpu, uint64_t ptr, uint64_t modifier, uint32_t key)
{
    ArmCpu *c = ARM(cpu);
    unsigned bottom;
    bool tbi;

    if (!enabled(c, key)) {
        return ptr;
    }
    layout(c, ptr, key >= KEY_DA, &bottom, &tbi);
    uint64_t mask = field_mask(bottom, tbi), orig = original(ptr, bottom, tbi);
    uint64_t code = compute(c, orig, modifier, key);

    if (((code ^ ptr) & mask) == 0) {
        return orig;
    }
    /* the error code makes the address non-canonical */
    unsigned error = key & 1 ? 2 : 1, at = tbi ? 53 : 61;

    return (orig & ~(3ull << at)) | (uint64_t)error << at;
}

uint64_t helper_pauth_strip(Cpu *cpu, uint64_t ptr, uint32_t data)
{
    unsigned bottom;
    bool tbi;

    layout(ARM(cpu), ptr, data, &bottom, &tbi);
    return original(ptr, bottom, tbi);
}

uint64_t helper_pauth_generic(Cpu *cpu, uint64_t value, uint64_t modifier)
{
    return compute(ARM(cpu), value, modifier, KEY_GA) & 0xffffffff00000000ull;
}
