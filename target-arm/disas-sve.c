// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Printers of SVE's and SVE2's templates (C8.2): predicate patterns, counts, memory types,
 * immediates.
 */
#include "target-arm/disas.h"

#include <inttypes.h>
#include "target-arm/translate.h"

static void pattern(Disas *d, unsigned v)
{
    static const char *const names[32] = {"pow2",  "vl1",   "vl2",         "vl3",  "vl4",  "vl5",
                                          "vl6",   "vl7",   "vl8",         "vl16", "vl32", "vl64",
                                          "vl128", "vl256", [29] = "mul4", "mul3", "all"};

    if (names[v & 31]) {
        PUT(d, ", %s", names[v & 31]);
    } else {
        PUT(d, ", #%u", v & 31);
    }
}

/* A pattern, none for all */
static void p_pat(Disas *d, uint32_t v)
{
    if (v != 31) {
        pattern(d, v);
    }
}

/* Pattern and multiplier less 1 */
static void p_patmul(Disas *d, uint32_t v)
{
    unsigned mul = (v & 15) + 1;

    if (v >> 4 != 31 || mul != 1) {
        pattern(d, v >> 4);
    }
    if (mul != 1) {
        PUT(d, ", mul #%u", mul);
    }
}

/* Types of loads: the suffix, the element's letter, the scale of a register offset */
static const struct {
    const char *suffix;
    char element;
    uint8_t scale;
} dtypes[16] = {{"b", 'b', 0},  {"b", 'h', 0},  {"b", 's', 0},  {"b", 'd', 0},
                {"sw", 'd', 2}, {"h", 'h', 1},  {"h", 's', 1},  {"h", 'd', 1},
                {"sh", 'd', 1}, {"sh", 's', 1}, {"w", 's', 2},  {"w", 'd', 2},
                {"sb", 'd', 0}, {"sb", 's', 0}, {"sb", 'h', 0}, {"d", 'd', 3}};

static void p_dts(Disas *d, uint32_t v)
{
    g_string_append(d->out, dtypes[v & 15].suffix);
}

static void p_dte(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, dtypes[v & 15].element);
}

/* dtype and offset of LD1R */
static void p_dtoff(Disas *d, uint32_t v)
{
    if (v & 63) {
        PUT(d, ", #%u", (v & 63) << dtypes[v >> 6 & 15].scale);
    }
}

/* dtype or size, and a register: ", x3, lsl #1" */
static void scaled(Disas *d, unsigned m, unsigned scale)
{
    if (m == 31) {
        g_string_append(d->out, ", xzr");
    } else {
        PUT(d, ", x%u", m);
    }
    if (scale) {
        PUT(d, ", lsl #%u", scale);
    }
}

static void p_dtreg(Disas *d, uint32_t v)
{
    scaled(d, v & 31, dtypes[v >> 5 & 15].scale);
}

static void p_szreg(Disas *d, uint32_t v)
{
    scaled(d, v & 31, v >> 5 & 3);
}

static void p_mulvl(Disas *d, uint32_t v)
{
    if (v) {
        PUT(d, ", #%d, mul vl", (int32_t)v);
    }
}

static void p_mem(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, "bhwd"[v & 3]);
}

/* size, u of gathers: "sb", "b" */
static void p_gsz(Disas *d, uint32_t v)
{
    PUT(d, "%s%c", v & 1 ? "" : "s", "bhwd"[v >> 1 & 3]);
}

static void p_xtw(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "sxtw" : "uxtw");
}

/* An offset of `size` scaled by `imm`: size, imm(5) */
static void p_imsz(Disas *d, uint32_t v)
{
    if (v & 31) {
        PUT(d, ", #%u", (v & 31) << (v >> 5 & 3));
    }
}

/* element, number less 1, first register: {z1.b-z3.b} */
static void p_zlist(Disas *d, uint32_t v)
{
    unsigned n = v & 31, count = (v >> 5 & 3) + 1;
    char e = "bhsd"[v >> 7 & 3];

    if (count == 1) {
        PUT(d, "{z%u.%c}", n, e);
    } else if (count == 2 || n + count > 32) {
        g_string_append_c(d->out, '{');
        for (unsigned k = 0; k < count; k++) {
            PUT(d, "%sz%u.%c", k ? ", " : "", (n + k) & 31, e);
        }
        g_string_append_c(d->out, '}');
    } else {
        PUT(d, "{z%u.%c-z%u.%c}", n, e, n + count - 1, e);
    }
}

/* registers less 1, imm: its product and ", mul vl" */
static void p_nvl(Disas *d, uint32_t v)
{
    int n = (int)(v << 28) >> 28, count = (int)(v >> 4 & 3) + 1;

    if (n) {
        PUT(d, ", #%d, mul vl", n * count);
    }
}

static void p_rqoff(Disas *d, uint32_t v)
{
    int n = (int)(v << 28) >> 28;

    if (n) {
        PUT(d, ", #%d", n * (v >> 4 ? 32 : 16));
    }
}

static void p_svprf(Disas *d, uint32_t v)
{
    if ((v & 7) < 6) {
        PUT(d, "p%sl%u%s", v & 8 ? "st" : "ld", (v >> 1 & 3) + 1, v & 1 ? "strm" : "keep");
    } else {
        PUT(d, "#%u", v);
    }
}

/* u, l, e: the condition of WHILE */
static void p_whl(Disas *d, uint32_t v)
{
    static const char *const names[] = {"ge", "gt", "lt", "le", "hs", "hi", "lo", "ls"};

    g_string_append(d->out, names[v & 7]);
}

static void p_zm(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, v ? 'm' : 'z');
}

/* Bit masks (n, immr, imms): the smallest element that repeats, and the mask of it */
static unsigned mask_size(uint32_t v)
{
    unsigned len = 31 - (unsigned)__builtin_clz((v >> 6 & 64) | (~v & 63) | 1);

    return len <= 3 ? 0 : MIN(len, 6u) - 3;
}

static void p_bme(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, "bhsd"[mask_size(v)]);
}

static void p_bmi(Disas *d, uint32_t v)
{
    uint64_t m = 0;
    unsigned bits = 8u << mask_size(v);

    arm_bitmask(v >> 12, v >> 6 & 63, v & 63, true, &m);
    PUT(d, "0x%" PRIx64, (uint64_t)(bits == 64 ? m : m & ((1ull << bits) - 1)));
}

/* sh, imm8, signed */
static void p_si8(Disas *d, uint32_t v)
{
    int n = (int8_t)v;

    PUT(d, "%d", v & 256 ? n * 256 : n);
}

static void p_si8s(Disas *d, uint32_t v)
{
    int n = (int8_t)v;

    if (v & 256 && !n) {
        PUT(d, "0, lsl #8");
    } else {
        PUT(d, "%d", v & 256 ? n * 256 : n);
    }
}

static void p_ui8(Disas *d, uint32_t v)
{
    if (v & 256 && !(v & 255)) {
        PUT(d, "0, lsl #8");
    } else {
        PUT(d, "%u", v & 256 ? (v & 255) * 256 : v);
    }
}

/* imm2:tsz of DUP (element): the letter, the index */
static void p_dxe(Disas *d, uint32_t v)
{
    unsigned low = v & 31 ? (unsigned)__builtin_ctz(v & 31) : 0;

    g_string_append_c(d->out, "bhsdq"[low]);
}

static void p_dxi(Disas *d, uint32_t v)
{
    unsigned low = v & 31 ? (unsigned)__builtin_ctz(v & 31) : 0;

    PUT(d, "%u", v >> (low + 1));
}

/* i of FADD and the like: 0.5 or 1.0 and the like */
static void p_half1(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "1.0" : "0.5");
}

static void p_half2(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "2.0" : "0.5");
}

static void p_zero1(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "1.0" : "0.0");
}

/* Two sizes lower: the element of what a widening operation reads */
static void p_enn(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, "bhbh"[v & 3]);
}

static void p_en(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, "bbhs"[v & 3]);
}

static void p_rw(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "rw" : "wr");
}

static void p_un(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, v ? 'u' : 's');
}

static void p_ne(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "ne" : "eq");
}

static void p_sd(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, v ? 'd' : 's');
}

static void p_xw(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, v ? 'x' : 'w');
}

static void p_ba(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, v ? 'b' : 'a');
}

/* clang-format off */
const DisasPrinter disas_sve_printers[] = {
    {"pat", p_pat}, {"patmul", p_patmul}, {"dts", p_dts}, {"dte", p_dte}, {"dtoff", p_dtoff},
    {"dtreg", p_dtreg}, {"szreg", p_szreg}, {"mulvl", p_mulvl}, {"mem", p_mem}, {"gsz", p_gsz},
    {"xtw", p_xtw}, {"imsz", p_imsz}, {"zlist", p_zlist}, {"nvl", p_nvl}, {"rqoff", p_rqoff},
    {"svprf", p_svprf}, {"whl", p_whl}, {"zm", p_zm}, {"bme", p_bme}, {"bmi", p_bmi},
    {"si8", p_si8}, {"si8s", p_si8s}, {"ui8", p_ui8}, {"dxe", p_dxe}, {"dxi", p_dxi},
    {"half1", p_half1}, {"half2", p_half2}, {"zero1", p_zero1}, {"en", p_en}, {"enn", p_enn},
    {"rw", p_rw}, {"un", p_un}, {"ne", p_ne}, {"sd", p_sd}, {"xw", p_xw}, {"ba", p_ba},
    {0}};
/* clang-format on */
