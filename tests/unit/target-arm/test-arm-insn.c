// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random instructions of the decode tables, run by the interpreter and the host's back end: all
 * state must agree. Arguments: rounds [row [seed [print]]]; or "file NAME rounds TABLE [row]" to
 * write the cases with their results, for a comparison with another implementation
 * (tests/reference-arm).
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "accel/accel.h"
#include "target-arm/a32-trans.h"
#include "target-arm/neon-decode.h"
#include "target-arm/neonx-decode.h"
#include "target-arm/translate.h"
#include "target-arm/vfp-decode.h"
#include "tcg/codegen.h"
#include "tests/unit/target-arm/insn-case.h"
#include "util/main-loop.h"

/* Per process: the accelerator leaves no other way. */
static ArmCpu *the_cpu;
static IrBuilder *builder;
static CodeBuffer buffers[2];
static uint64_t seed = 88172645463325252ull;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint64_t rnd_value(void)
{
    static const uint64_t edges[] = {0,         1,          2,          0x7f,
                                     0x80,      0xff,       0x7fff,     0x8000,
                                     0xffff,    0x7fffffff, 0x80000000, 0xffffffff,
                                     INT64_MAX, 1ull << 63, UINT64_MAX, 0x100000000ull,
                                     63,        64,         31,         32};
    uint64_t v = rnd();

    switch (rnd() % 6) {
    case 0:
        return edges[v % G_N_ELEMENTS(edges)];
    case 1:
        return v & 0xffff;
    case 2:
        return (uint32_t)v;
    case 3:
        return edges[v % G_N_ELEMENTS(edges)] + (rnd() & 3) - 1;
    default:
        return v;
    }
}

/* Lanes that are interesting as floats of all sizes. */
static uint64_t rnd_vector(void)
{
    static const uint64_t d[] = {0,
                                 1ull << 63,
                                 0x3ff0000000000000,
                                 0xbff0000000000000,
                                 0x7ff0000000000000,
                                 0xfff0000000000000,
                                 0x7ff8000000000000,
                                 0x7ff0000000000001,
                                 0x0010000000000000,
                                 1,
                                 0x000fffffffffffff,
                                 0x7fefffffffffffff,
                                 0x41e0000000000000,
                                 0xc1e0000000000000,
                                 0x43e0000000000000,
                                 0x3fe0000000000000,
                                 0x4000000000000000,
                                 0x3fb999999999999a,
                                 0x3ca0000000000000};
    static const uint32_t f[] = {0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000,
                                 0xff800000, 0x7fc00000, 0x7f800001, 0x00800000, 1,
                                 0x007fffff, 0x7f7fffff, 0x4f000000, 0xcf000000, 0x5f000000,
                                 0x3f000000, 0x40000000, 0x3dcccccd};
    static const uint16_t h[] = {0,      0x8000, 0x3c00, 0xbc00, 0x7c00, 0xfc00, 0x7e00,
                                 0x7c01, 0x0400, 1,      0x03ff, 0x7bff, 0x3800, 0x4000};

    switch (rnd() % 6) {
    case 0:
        return d[rnd() % G_N_ELEMENTS(d)];
    case 1:
        return f[rnd() % G_N_ELEMENTS(f)] | (uint64_t)f[rnd() % G_N_ELEMENTS(f)] << 32;
    case 2:
        return h[rnd() % G_N_ELEMENTS(h)] | (uint64_t)h[rnd() % G_N_ELEMENTS(h)] << 16 |
               (uint64_t)h[rnd() % G_N_ELEMENTS(h)] << 32 |
               (uint64_t)h[rnd() % G_N_ELEMENTS(h)] << 48;
    case 3:     /* near 1, both sizes */
        return rnd() & 1 ? (rnd() & 0x800fffffffffffffull) | (uint64_t)(1000 + rnd() % 50) << 52
                         : ((rnd() & 0x807fffff807fffffull) | (uint64_t)(110 + rnd() % 40) << 23 |
                            (uint64_t)(110 + rnd() % 40) << 55);
    default:
        return rnd_value();
    }
}

/* A row of any table; the tables' own types differ only by the instruction that they decode to. */
typedef struct Row {
    const char *name;
    uint32_t mask, value, ignored;
} Row;

typedef struct Table {
    const char *name;
    unsigned isa;
    const A32Row *rows;                 /* NULL: A64's */
    const unsigned *count;
    bool (*decode)(A32Insn *i, uint32_t word);
    unsigned vq;                        /* SVE's rows, with vectors that long */
} Table;

static const Table tables[] = {
    {"a64", ISA_A64, NULL, &a64_num_rows, NULL, 0},
    {"sve1", ISA_A64, NULL, &a64_num_rows, NULL, 1},
    {"sve3", ISA_A64, NULL, &a64_num_rows, NULL, 3},
    {"sve4", ISA_A64, NULL, &a64_num_rows, NULL, 4},
    {"a32", ISA_A32, a32_rows, &a32_num_rows, a32_decode},
    {"vfp", ISA_A32, vfp_rows, &vfp_num_rows, vfp_decode},
    {"neon", ISA_A32, neon_rows, &neon_num_rows, neon_decode},
    {"neon-t32", ISA_T32, neon_rows, &neon_num_rows, neon_decode},
    {"neonx", ISA_A32, neonx_rows, &neonx_num_rows, neonx_decode},
    {"t32", ISA_T32, t32_rows, &t32_num_rows, t32_decode},
    {"t16", ISA_T32, t16_rows, &t16_num_rows, t16_decode},
};

static Row table_row(const Table *t, unsigned n)
{
    if (!t->rows) {
        return (Row){a64_rows[n].name, a64_rows[n].mask, a64_rows[n].value, a64_rows[n].ignored};
    }
    return (Row){t->rows[n].name, t->rows[n].mask, t->rows[n].value, t->rows[n].ignored};
}

/* Advanced SIMD's rows are in A32's form: to T32's and back. */
static uint32_t neon_to_t32(uint32_t w)
{
    return (w & 0xff000000) == 0xf4000000 ? (w & 0x00ffffff) | 0xf9000000
                                          : (w & 0x00ffffff) | 0xef000000 | (w >> 24 & 1) << 28;
}

static uint32_t neon_from_t32(uint32_t w)
{
    return (w & 0xff000000) == 0xf9000000 ? (w & 0x00ffffff) | 0xf4000000
                                          : (w & 0x00ffffff) | 0xf2000000 | (w >> 28 & 1) << 24;
}

/* Whether the table takes word for row n. */
static bool decodes_to(const Table *t, unsigned n, uint32_t word)
{
    if (!t->rows) {
        A64Insn i;

        return a64_decode(&i, word) && i.row == &a64_rows[n];
    }
    A32Insn i = {0};

    word = t->isa == ISA_T32 && t->rows == neon_rows ? neon_from_t32(word) : word;
    return t->decode(&i, word) && i.row == &t->rows[n];
}

/* Rows that one instruction at EL0 can not show. */
static const char *const unusable_a64[] = {
    "B", "BL", "CBZ", "CBNZ", "TBZ", "TBNZ", "B_cond", "BR", "BLR", "RET", "BRAZ", "BLRAZ", "RETA", "BRA", "BLRA", "ERET", "ERETA", "DRPS",
    "SVC", "HVC", "SMC", "BRK", "HLT", "HINT", "ISB", "MSR_i", "SYS", "SYSL", "MSR", "MRS", "LDR_lit", "LDRSW_lit", "LDR_litv", "LDRA",
    "PAC", "PACGA", "XPAC", "ADR", "ADRP", "STXP", "STXR", "IRG", "ADDG", "SUBG", "STZGM", "STGM", "LDGM", "LDG", "STG_post", "STG_off",
    "STG_pre", "STGP_post", "STGP_off", "STGP_pre", NULL,
};
static const char *const unusable_a32[] = {
    "B", "BL", "BX", "BXJ", "BLX_r", "BLX_i", "B_cond", "CBZ", "TBB", "SVC", "HVC", "SMC", "BKPT", "HLT", "UDF", "ERET", "HINT", "IT", "CPS",
    "SETEND", "MSR_i", "MSR_r", "MRS", "MRS_bank", "MSR_bank", "MCR", "MRC", "MCRR", "MRRC", "LDM", "STM", "STMIA", "LDMIA", "STMDB", "LDMDB",
    "SRSDB", "RFEDB", "SRSIA", "RFEIA", "PUSH", "POP", "STREX", "LDREX", "STREXB", "LDREXB", "STREXH", "LDREXH", "STREXD", "LDREXD", "STLEX",
    "LDAEX", "STLEXB", "LDAEXB", "STLEXH", "LDAEXH", "SWP", "SUBS_PC", "ISB", "VMSR", "VMRS", "LDR_lit", "LDRB_lit", "LDRH_lit", "LDRSB_lit",
    "LDRSH_lit", "ADR", "MOV_hi", "ADD_hi", "CLREX", "VLDM", NULL,
};

static bool row_usable(const Table *t, const Row *r)
{
    for (const char *const *n = t->isa == ISA_A64 ? unusable_a64 : unusable_a32; *n; n++) {
        if (!strcmp(r->name, *n)) {
            return false;
        }
    }
    if (t->vq & 1 && !strcmp(r->name, "SVE_FMMLA_d")) {
        /* undefined, or 0 behind whole 256 bits; the usual reference leaves what was there */
        return false;
    }
    return t->rows || (strncmp(r->name, "SVE_", 4) == 0) == (t->vq != 0);
}

static bool is_memory(const Row *r)
{
    return (r->value & 0x0a000000) == 0x08000000;
}

static void random_state(InsnState *s, bool a32)
{
    for (unsigned i = 0; i < 32; i++) {
        s->x[i] = rnd_value();
        s->v[i][0] = rnd_vector();
        s->v[i][1] = rnd_vector();
    }
    for (unsigned i = 0; i < DATA_SIZE; i += 8) {
        uint64_t v = rnd_value();

        memcpy(s->data + i, &v, 8);
    }
    s->x[31] = MIDDLE;
    s->nzcv = rnd() & 15;
    s->fpcr = rnd() % 3 ? 0 : (rnd() & 7) << 22 | (rnd() % 4 == 0 ? 1u << 19 : 0);
    if (a32) {
        for (unsigned i = 0; i < 32; i++) {
            s->x[i] = i < 15 ? (uint32_t)s->x[i] : 0;
            s->v[i][0] = i < 16 ? s->v[i][0] : 0;
            s->v[i][1] = i < 16 ? s->v[i][1] : 0;
        }
        s->x[13] = MIDDLE;
        s->nzcv |= (rnd() & 15) << 8;
    }
}

static void random_sve(InsnState *s, unsigned vq)
{
    for (unsigned i = 0; i < 32; i++) {
        memcpy(s->z[i], s->v[i], 16);
        for (unsigned k = 16; k < vq * 16; k += 8) {
            uint64_t v = rnd_vector();

            memcpy(s->z[i] + k, &v, 8);
        }
    }
    for (unsigned i = 0; i < 17; i++) {
        unsigned kind = rnd() % 5, upto = rnd() % 3 ? vq * 16 : (unsigned)(rnd() % (vq * 16 + 1));

        for (unsigned k = 0; k < vq * 16; k++) {
            bool on = i == 16     ? k < upto
                      : kind == 0 ? rnd() & 1
                                  : kind == 1 || (kind == 2   ? !(rnd() & 7)
                                                  : kind == 3 ? (rnd() & 7) != 0
                                                              : k < upto);

            s->p[i][k / 8] |= (uint8_t)(on << (k % 8));
        }
    }
}

static void fill_z(InsnState *s, unsigned n, unsigned size, unsigned vq, uint64_t base,
                   unsigned range)
{
    for (unsigned k = 0; k < vq * 16 >> size; k++) {
        uint64_t v = base + rnd() % range;

        memcpy(s->z[n] + (k << size), &v, 1u << size);
    }
    memcpy(s->v[n], s->z[n], 16);
}

/* SVE's loads and stores: near the middle; first-fault and non-fault ones sometimes at the end. */
static uint32_t fix_sve(const Row *r, InsnState *s, uint32_t w, unsigned vq)
{
    unsigned rn = w >> 5 & 31, rm = w >> 16 & 31;
    uint64_t at = MIDDLE + (rnd() & 63);
    A64Insn i = {0};

    if (!a64_decode(&i, w)) {
        return w;
    }
    bool end = i.ff == 1 && !strstr(r->name, "_g") && rnd() & 1;

    if (end) {          /* the first element is there, others may not be */
        at = DATA + DATA_SIZE - 8 - (rnd() & 63);
    }
    if (i.ff) {         /* elements whose FFR is false before are unpredictable */
        memset(s->p[16], 0xff, vq * 2);
        s->p[w >> 10 & 7][0] |= 1;
    }
    if (strstr(r->name, "_g")) {        /* gathers, scatters, their prefetches */
        unsigned vector = i.mode == SVG_IMM || i.mode == SVG_NT ? rn : rm;

        if (i.mode == SVG_NT) {
            rm = rm == rn ? (rn + 1) & 31 : rm;
            w = (w & ~(31u << 16)) | rm << 16;
            s->x[rm] = rm == 31 ? s->x[31] : rnd() & 15;
            fill_z(s, vector, (unsigned)i.esz, vq, at, 64);
        } else if (i.mode == SVG_IMM) {
            fill_z(s, vector, (unsigned)i.esz, vq, at, 64);
        } else {
            s->x[rn] = at;
            fill_z(s, vector, (unsigned)i.esz, vq, i.xs && rnd() & 1 ? 0xffffffe0u : 0, 32);
        }
        return w;
    }
    s->x[rn] = at;
    if (i.reg) {
        rm = rm == rn ? (rn + 1) % 31 : rm;
        w = (w & ~(31u << 16)) | rm << 16;
        if (rm != 31) {
            s->x[rm] = end ? 0 : rnd() & 15;
        } else if (end) {
            s->x[rn] = MIDDLE;
        }
    } else if (strstr(r->name, "LDR") || strstr(r->name, "STR")) {
        w = rnd() & 1 ? w | 63u << 16 : w & ~(63u << 16);
    } else if (strcmp(r->name, "SVE_LD1R")) {
        w = rnd() & 1 && !end ? w | 7u << 17 : w & ~(end ? 15u << 16 : 7u << 17);
    }
    return w;
}

/* What an address register may be, and other things that make the access a defined one. */
static uint32_t fix_a64(const Row *r, InsnState *s, uint32_t w)
{
    unsigned rn = w >> 5 & 31, rm = w >> 16 & 31;

    if (!strcmp(r->name, "MOVI") && w >> 29 & 1) {
        return w & ~0x800u;             /* reserved; the usual reference takes it */
    }
    if (!strcmp(r->name, "FCVTZS_fs")) {
        /* scalar halves: the usual reference extends their sign over the register */
        return w | 0x400000;
    }
    if (!is_memory(r)) {
        return w;
    }
    if (!strcmp(r->name, "LDST_uimm") || !strcmp(r->name, "LDST_v_uimm")) {
        w &= ~(0xff0u << 10);
    }
    /* an index that stays near: not the base, zero- or sign-extended */
    if (strstr(r->name, "reg")) {
        rm = (rn + 1) % 31;
        w = (w & ~(31u << 16)) | rm << 16;
        s->x[rm] = rnd() & 15;
    } else if (!strncmp(r->name, "LDM_v_post", 10) || !strncmp(r->name, "LDS_v_post", 10)) {
        rm = (rn + 1) % 31;
        w = (w & ~(31u << 16)) | (rnd() & 1 ? 31u : rm) << 16;
    }
    bool atomic = (w & 0x3f000000) == 0x08000000 || (w & 0x3b200c00) == 0x38200000;

    s->x[rn] = MIDDLE + (atomic ? (rnd() & 15) * 16 : rnd() & 63);
    /* write-back to a register that is also loaded is unpredictable */
    if ((w & 31) == rn) {
        w = (w & ~31u) | (rn + 5) % 31;
    }
    if ((w >> 10 & 31) == (w & 31)) {
        w ^= 1u << 10;
    }
    if ((w >> 10 & 31) == rn && !strncmp(r->name, "LDP", 3)) {
        w = (w & ~(31u << 10)) | ((rn + ((w & 31) == (rn + 7) % 31 ? 9 : 7)) % 31) << 10;
    }
    return w;
}

/* Register fields keep away from r13 and r15, whose use is unpredictable as a rule. */
static uint32_t fix_a32(const Table *t, const Row *r, InsnState *s, uint32_t w)
{
    static const uint8_t places[4] = {16, 12, 8, 0};
    bool vector = t->rows == neon_rows || t->rows == neonx_rows || t->rows == vfp_rows;
    bool t16 = t->rows == t16_rows;

    for (unsigned i = 0; !vector && !t16 && i < 4; i++) {
        uint32_t field = 15u << places[i];

        if (!((r->mask | r->ignored) & field) && ((w & field) >> places[i]) >= 13) {
            w = (w & ~field) | (uint32_t)(rnd() % 13) << places[i];
        }
    }
    if (t->rows == neon_rows && (!strcmp(r->name, "VZIP") || !strcmp(r->name, "VUZP")) &&
        (w >> 13 & 7) == (w >> 1 & 7)) {
        w ^= 2;
    }
    if (t->rows == neon_rows && (r->value & 0xff000000) == 0xf4000000) {
        unsigned rn = w >> 16 & 15, rm = w & 15;

        rn = rn >= 13 ? rn - 3 : rn;
        w = (w >> 12 & 15) > 8 ? w & ~(1u << 22) : w;       /* no list beyond d31 */
        rm = rm == 14 || rm == rn ? 13 : rm;
        w = (w & ~0xf000fu) | rn << 16 | rm;
        s->x[rn] = MIDDLE + (rnd() % 4 ? (rnd() & 7) * 32 : rnd() & 63);
    } else if (t->rows == vfp_rows &&
               (g_str_has_prefix(r->name, "VLDR") || g_str_has_prefix(r->name, "VSTR"))) {
        w = (w & ~(15u << 16)) | 13u << 16;
    } else if (t->rows == vfp_rows && g_str_has_prefix(r->name, "VCVT_x")) {
        w &= ~8u;       /* no more fraction bits than there are */
    } else if (t->rows == vfp_rows && (r->value & 0x0f000010) == 0x0e000010 &&
               (w >> 12 & 15) >= 13) {
        w &= ~(8u << 12);
    } else if (t->rows == vfp_rows && !strcmp(r->name, "VMOV_2")) {
        w = (w & ~0xff008u) | (uint32_t)(rnd() % 6) << 12 | (uint32_t)(6 + rnd() % 6) << 16;
    }
    return w;
}

/* Loads and stores of the integer tables: by base and small offsets. */
static uint32_t fix_a32_memory(const Table *t, const Row *r, InsnState *s, uint32_t w)
{
    if (strncmp(r->name, "LD", 2) && strncmp(r->name, "ST", 2)) {
        return w;
    }
    if (t->rows == t16_rows) {
        bool reg = r->name[strlen(r->name) - 1] == 'r';

        if (strstr(r->name, "_sp")) {
            return w;
        }
        s->x[w >> 3 & 7] = MIDDLE;
        if (reg) {
            w = (w & ~(7u << 6)) | ((w >> 3 & 7) ^ 1) << 6;
            s->x[(w >> 3 & 7) ^ 1] = rnd() & 63;
        }
        return w;
    }
    unsigned rn = 1 + rnd() % 3, rt = 4 + rnd() % 4, rm = 8 + rnd() % 4;

    w = (w & ~0xf0000u) | rn << 16;
    w = r->mask >> 12 & 15
            ? w
            : (w & ~0xf000u) | (rt & ~(strstr(r->name, "RD_") && t->isa == ISA_A32 ? 1u : 0)) << 12;
    if (t->isa == ISA_T32 && strstr(r->name, "RD_")) {
        w = (w & ~0xf00u) | (rt + 4) << 8;
    }
    if (!(r->mask & 15) && strstr(r->name, "_r")) {
        w = (w & ~15u) | rm;
        s->x[rm] = t->isa == ISA_A32 ? 0 : rnd() & 15;
        w = t->isa == ISA_A32 ? w & (r->mask | ~0x60u) : w;     /* RRX would bring the carry in */
    }
    if (t->isa == ISA_A32) {
        w &= ~0xc00u;
    } else if (strstr(r->name, "i12")) {
        w &= ~0xc00u;
    }
    s->x[rn] = MIDDLE + (rnd() & 63) * (strstr(r->name, "RD_") || !strncmp(r->name, "LDA", 3) ||
                                                !strncmp(r->name, "STL", 3)
                                            ? 8
                                            : 1);
    return w;
}

static void make_case(const Table *table, unsigned n, InsnCase *t)
{
    Row r = table_row(table, n);
    uint32_t w = (r.value & r.mask) | ((uint32_t)rnd() & ~r.mask);

    w = rnd() & 1 ? w | r.ignored : w & ~r.ignored;
    memset(t, 0, sizeof(*t));
    t->vq = table->vq;
    g_strlcpy(t->row, r.name, sizeof(t->row));
    t->isa = table->isa;
    random_state(&t->before, table->isa != ISA_A64);
    if (table->vq) {
        random_sve(&t->before, table->vq);
    }
    if (table->vq && (r.value & 0x80000000)) {
        w = fix_sve(&r, &t->before, w, table->vq);
    } else if (table->isa == ISA_A64) {
        w = fix_a64(&r, &t->before, w);
    } else {
        if (table->rows == a32_rows || table->rows == vfp_rows) {
            w = (w & 0x0fffffff) | 0xe0000000;
        }
        w = table->rows == t16_rows ? w & 0xffff : w;
        w = fix_a32(table, &r, &t->before, w);
        w = table->rows == neon_rows || table->rows == neonx_rows || table->rows == vfp_rows
                ? w
                : fix_a32_memory(table, &r, &t->before, w);
    }
    t->insn[0] = table->isa == ISA_T32 && table->rows == neon_rows ? neon_to_t32(w) : w;
    t->count = 1;
}

/* Several rows in a row; memory is only reached by SP, and not by SVE's. */
static void make_sequence(InsnCase *t, const Table *table, bool mixed)
{
    InsnCase one;
    unsigned n = 2 + rnd() % (MAX_INSNS - 1);

    make_case(table, (unsigned)(rnd() % a64_num_rows), t);
    t->before.x[31] = MIDDLE;
    g_strlcpy(t->row, "sequence", sizeof(t->row));
    for (t->count = 0; t->count < n;) {
        unsigned row = (unsigned)(rnd() % a64_num_rows);
        /*
         * the usual reference leaves Z registers above V as they are in some instructions: SVE's
         * own for comparisons with it
         */
        const Table *of = !mixed || rnd() & 1 ? table : &tables[0];
        Row r = table_row(of, row);

        if (!row_usable(of, &r) || (rnd() & 1 && (r.value & 0x0e000000) == 0x0e000000) ||
            (!strncmp(r.name, "SVE_", 4) && r.value >> 31)) {
            continue;
        }
        make_case(of, row, &one);
        uint32_t w = one.insn[0];

        if (is_memory(&r) && strncmp(r.name, "SVE_", 4)) {
            if (strstr(r.name, "reg") || strstr(r.name, "post") || strstr(r.name, "pre")) {
                continue;
            }
            w |= 31 << 5;
        } else if ((w & 31) == 31) {
            w &= ~1u;       /* SP stays */
        }
        if (decodes_to(of, row, w)) {
            t->insn[t->count++] = w;
        }
    }
}

/* ---- running ---- */

static void put_vectors(ArmCpu *c, const InsnCase *t)
{
    c->zlive = t->vq > 1 ? UINT32_MAX : 0;
    c->sve_vq = 16;
    c->zcr[1] = t->vq ? t->vq - 1 : 0;
    memset(c->p, 0, sizeof(c->p));
    for (unsigned n = 0; n < 32; n++) {
        memset(&c->z[n], 0x55, sizeof(c->z[n]));
        memcpy(&c->z[n], t->before.v[n], 16);
        if (t->vq) {
            memcpy(&c->z[n], t->before.z[n], t->vq * 16);
        }
    }
    for (unsigned n = 0; n < 17; n++) {
        memcpy(c->p[n], t->before.p[n], t->vq * 2);
    }
}

static void take_vectors(ArmCpu *c, const InsnCase *t, InsnState *out)
{
    memset(out->z, 0, sizeof(out->z));
    memset(out->p, 0, sizeof(out->p));
    for (unsigned n = 0; n < 32; n++) {
        memcpy(out->v[n], &c->z[n], 16);
        if (t->vq) {
            memcpy(out->z[n], sv_z(c, n, t->vq * 16), t->vq * 16);
        }
    }
    for (unsigned n = 0; n < 17; n++) {
        memcpy(out->p[n], c->p[n], t->vq * 2);
    }
}

static void run(const InsnCase *t, InsnState *out, const CodeEngine *engine, bool opt, bool first,
                bool print)
{
    ArmCpu *c = the_cpu;
    CodeBuffer *buffer = &buffers[engine != &engine_interp];
    CodeMark mark = code_buffer_mark(buffer);
    CodeBlock *last;
    BlockKey key = {0};
    CodeBlock *cb = aligned_alloc(64, sizeof(CodeBlock));
    GError *error = NULL;

    memset(cb, 0, sizeof(*cb));
    memcpy(c->x, t->before.x, sizeof(c->x));
    put_vectors(c, t);
    memcpy((void *)(uintptr_t)DATA, t->before.data, DATA_SIZE);
    insn_case_code(t, (uint8_t *)(uintptr_t)CODE);
    arm_set_nzcv(c, (uint32_t)t->before.nzcv & 15);
    c->pstate = t->isa == ISA_A64 ? 0 : 0x10u | (t->isa == ISA_T32 ? PSTATE_T : 0);
    c->q = t->before.nzcv >> 4 & 1;
    c->ge = t->before.nzcv >> 8 & 15;
    c->it = 0;
    arm_set_fpscr(c, (uint32_t)t->before.fpcr);
    c->excl_addr = UINT64_MAX;
    c->pc = CODE;
    c->cpu.exception = CPU_EXC_NONE;
    arm_block_key(&c->cpu, &key);
    cb->key = key;
    IrFunc *f = ir_begin(builder);

    arm_translate(&c->cpu, builder, &key, t->count);
    if (!ir_verify(f, &error)) {
        printf("# verifier: %s: %s\n", t->row, error->message);
        g_clear_error(&error);
    }
    if (print) {
        g_autoptr(GString) text = g_string_new(NULL);

        ir_print(f, text);
        printf("%s", text->str);
    }
    if (!first || engine->generate_first(buffer, f, cb, NULL) != FIRST_DONE) {
        g_assert_true(engine->generate(buffer, f, cb, opt));
    }
    if (sigsetjmp(c->cpu.jump, 0) == 0) {
        arm_exec_enter(&c->cpu);
        engine->run(&c->cpu, cb, &last);
    }
    arm_exec_leave(&c->cpu);
    c->cpu.running = NULL;
    code_buffer_release(buffer, mark);
    free(cb);
    memcpy(out->x, c->x, sizeof(c->x));
    take_vectors(c, t, out);
    memcpy(out->data, (void *)(uintptr_t)DATA, DATA_SIZE);
    out->nzcv = arm_nzcv(c);
    out->fpsr = t->isa == ISA_A64 ? arm_get_fpsr(c) : arm_get_fpscr(c);
    out->nzcv |= t->isa == ISA_A64 ? 0 : c->q << 4 | c->ge << 8;
    out->fpcr = c->fpcr;
    out->undefined = c->cpu.exception == ARM_EXC_UNDEF  ? 1
                     : c->cpu.exception != CPU_EXC_NONE ? 2
                                                        : 0;
}

static bool same(const InsnCase *t, const InsnState *a, const InsnState *b, const char *engine)
{
    if (memcmp(a, b, sizeof(*a)) == 0) {
        return true;
    }
    printf("# %s %08x: %s differs:\n", t->row, t->insn[0], engine);
    for (unsigned i = 0; i < t->count; i++) {
        printf("#   .inst 0x%08x\n", t->insn[i]);
    }
    for (unsigned i = 0; i < 32; i++) {
        if (a->x[i] != b->x[i]) {
            printf("#   x%u %" PRIx64 " interp %" PRIx64 "\n", i, b->x[i], a->x[i]);
        }
        if (memcmp(a->v[i], b->v[i], 16)) {
            printf("#   v%u %" PRIx64 ":%" PRIx64 " interp %" PRIx64 ":%" PRIx64 "\n", i,
                   b->v[i][1], b->v[i][0], a->v[i][1], a->v[i][0]);
        }
    }
    printf("#   nzcv %" PRIx64 " %" PRIx64 " fpsr %" PRIx64 " %" PRIx64 " undefined %d %d\n",
           b->nzcv, a->nzcv, b->fpsr, a->fpsr, (int)b->undefined, (int)a->undefined);
    return false;
}

static bool run_case(InsnCase *t, bool print)
{
    InsnState native;

    run(t, &t->after, &engine_interp, false, false, print);
    run(t, &native, &engine_interp, true, false, false);
    if (!same(t, &t->after, &native, "optimised IR")) {
        return false;
    }
    if (engine_native()) {
        run(t, &native, engine_native(), true, false, false);
        if (!same(t, &t->after, &native, engine_native()->name)) {
            return false;
        }
    }
    if (engine_native() && engine_native()->generate_first) {
        run(t, &native, engine_native(), true, true, false);
        return same(t, &t->after, &native, "the first tier");
    }
    return true;
}

/* ---- set-up ---- */

static void map_identity(uint64_t va, uint64_t size)
{
    void *p = mmap((void *)(uintptr_t)va, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    g_assert_true(p == (void *)(uintptr_t)va);
    for (uint64_t at = va; at < va + size; at += 4096) {
        the_cpu->cpu.tlb.table[MMU_EL0][at >> 12 & (TLB_SIZE - 1)] =
            (TlbEntry){.read = at, .write = at, .code = at};
    }
}

static void make_cpu(void)
{
    size_t size = (sizeof(ArmCpu) + 63) & ~63ul;

    the_cpu = aligned_alloc(64, size);
    memset(the_cpu, 0, size);
    memset(the_cpu->features, 0xff, sizeof(the_cpu->features));
    the_cpu->features[FEATURE_M / 64] &= ~(1ull << (FEATURE_M % 64));      /* A profile */
    the_cpu->cpu.arch = target_arch;
    the_cpu->cpu.accel = g_malloc0(32 * MIB);       /* accel/tcg's; fetching looks into it */
    the_cpu->cpu.in_exclusive = true;
    the_cpu->aarch64_prop = true;
    the_cpu->cpacr = 0xff << 16;
    the_cpu->sve = true;
    the_cpu->sve_map = 0xffff;
    the_cpu->fpexc = 1u << 30;
    the_cpu->pstate = 0;
    the_cpu->id.dczid = 4;
    map_identity(DATA, DATA_SIZE);
    map_identity(CODE, 4096);
}

static void make_engines(void)
{
    const CodeEngine *const engines[2] = {&engine_interp, engine_native()};
    char *list[] = {(char *)"tcg,interp=on,tb-size=4", NULL};
    GError *error = NULL;

    main_loop_init();
    Vm *vm = vm_new();

    address_spaces_init(vm);
    the_cpu->cpu.dev.vm = vm;
    the_cpu->cpu.as = vm->memory_as;
    g_assert_true(accel_start(vm, list, &error));
    for (unsigned e = 0; e < 2; e++) {
        if (engines[e] && (!code_buffer_init(&buffers[e], 4 * MIB, &error) ||
                           !engines[e]->init(&buffers[e], target_arch, &error))) {
            printf("Bail out! %s\n", error->message);
            exit(1);
        }
    }
    builder = ir_builder_new(target_arch->vars, target_arch->num_vars);
}

/* Rounds of each row of a table (or of the row `only`). */
static void run_table(const Table *table, const char *only, unsigned rounds, uint64_t first,
                      bool print, FILE *file, unsigned *rows, unsigned *bad)
{
    g_autofree InsnCase *t = g_new0(InsnCase, 1);

    for (unsigned n = 0; n < *table->count; n++) {
        Row r = table_row(table, n);

        if (!row_usable(table, &r) || (only && strcmp(only, r.name))) {
            continue;
        }
        ++*rows;
        for (unsigned k = 0; k < rounds; k++) {
            seed = first + k * 7919 + n * 104729;
            rnd();
            make_case(table, n, t);
            if (!decodes_to(table, n, t->insn[0])) {
                continue;       /* a more special row's */
            }
            bool ok = run_case(t, print);

            if (file) {
                fwrite(t, sizeof(*t), 1, file);
            }
            if (!ok) {
                ++*bad;
                break;
            }
        }
    }
}

int main(int argc, char **argv)
{
    bool to_file = argc > 4 && !strcmp(argv[1], "file"),
         by_hand = argc > 1 && argv[1][0] != '-' && !to_file;
    unsigned rounds = to_file   ? (unsigned)g_ascii_strtoull(argv[3], NULL, 0)
                      : by_hand ? (unsigned)g_ascii_strtoull(argv[1], NULL, 0)
                                : 12;
    const char *only = to_file ? (argc > 5 ? argv[5] : NULL) : by_hand && argc > 2 ? argv[2] : NULL;
    uint64_t first =
        by_hand && argc > 3 ? g_ascii_strtoull(argv[3], NULL, 0) : 88172645463325252ull;
    FILE *file = to_file ? fopen(argv[2], "wb") : NULL;
    g_autofree InsnCase *t = g_new0(InsnCase, 1);
    unsigned bad = 0, rows = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    make_cpu();
    make_engines();
    for (unsigned n = 0; n < G_N_ELEMENTS(tables); n++) {
        if (!to_file || !strcmp(argv[4], tables[n].name)) {
            run_table(&tables[n], only, rounds, first, argc > 4 && by_hand, file, &rows, &bad);
        }
    }
    for (unsigned v = 0; v < 2; v++) {
        for (unsigned k = 0;
             !only && (!to_file || !strcmp(argv[4], v ? "sve-sequence" : "sequence")) &&
             k < rounds * 300;
             k++) {
            seed = first + k * 7919;
            rnd();
            make_sequence(t, &tables[v ? 2 : 0], v && !file);
            bad += !run_case(t, false);
            if (file) {
                fwrite(t, sizeof(*t), 1, file);
            }
        }
    }
    if (file) {
        fclose(file);
    }
    printf("%s 1 - %u rows agree in all engines, %u do not\n1..1\n", bad ? "not ok" : "ok",
           rows - bad, bad);
    return bad != 0;
}
