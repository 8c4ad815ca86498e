// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Printers of the templates of A64's Advanced SIMD and floating point: shapes, elements, lists,
 * shifts, modified immediates (C7.2). SVE uses those of shifts as well.
 */
#include "target-arm/disas.h"

#include <inttypes.h>
#include "util/types.h"

static int top_bit(uint32_t v)
{
    return v ? 31 - __builtin_clz(v) : -1;
}

static void p_ldv(Disas *d, uint32_t v)
{
    PUT(d, "%c%u", "bhsdq???"[v >> 7 | (v >> 6 & 1) << 2], v & 31);
}

/* Registers n and up of a list, with a shape: {v1.8h-v3.8h} from 3 on */
static void vector_list(Disas *d, unsigned n, unsigned count, const char *shape)
{
    if (count > 2 && n + count <= 32) {
        PUT(d, "{v%u.%s-v%u.%s}", n, shape, n + count - 1, shape);
        return;
    }
    for (unsigned k = 0; k < count; k++) {
        PUT(d, "%sv%u.%s", k ? ", " : "{", (n + k) & 31, shape);
    }
    g_string_append_c(d->out, '}');
}

static const char *const shapes[8] = {"8b", "4h", "2s", "1d", "16b", "8h", "4s", "2d"};

/* LD1 to LD4 of whole registers, by the operation */
static const uint8_t mult_regs[16] = {4, 0, 4, 0, 3, 0, 3, 1, 2, 0, 2},
                     mult_elems[16] = {4, 0, 1, 0, 3, 0, 1, 1, 2, 0, 1};

static void p_vmn(Disas *d, uint32_t v)
{
    PUT(d, "%u", mult_elems[v & 15]);
}

/* operation, q, size, first register */
static void p_vml(Disas *d, uint32_t v)
{
    vector_list(d, v & 31, mult_regs[v >> 8 & 15], shapes[v >> 5 & 7]);
}

/* operation, q, Rm */
static void p_vmp(Disas *d, uint32_t v)
{
    if ((v & 31) == 31) {
        PUT(d, ", #%u", mult_regs[v >> 6 & 15] * (v & 32 ? 16u : 8u));
    } else {
        PUT(d, ", x%u", v & 31);
    }
}

/* LD1 to LD4 of one lane: fields from the word, which all of it depends on */
static unsigned lane_scale(uint32_t w)
{
    unsigned scale = w >> 14 & 3, size = w >> 10 & 3;

    return scale == 3 ? size : scale == 2 && size & 1 ? 3 : scale;
}

static unsigned lane_regs(uint32_t w)
{
    return ((w >> 13 & 1) << 1 | (w >> 21 & 1)) + 1;
}

static void p_vsn(Disas *d, uint32_t v)
{
    PUT(d, "%u%s", lane_regs(d->word), (d->word >> 14 & 3) == 3 ? "r" : "");
}

static void p_vsl(Disas *d, uint32_t v)
{
    uint32_t w = d->word;
    unsigned scale = lane_scale(w), q = w >> 30 & 1, size = w >> 10 & 3, s = w >> 12 & 1;

    if ((w >> 14 & 3) == 3) {
        vector_list(d, w & 31, lane_regs(w), shapes[q << 2 | size]);
        return;
    }
    const char shape[2] = {"bhsd"[scale], 0};
    unsigned index = q << 3 | s << 2 | size;
    vector_list(d, w & 31, lane_regs(w), shape);
    PUT(d, "[%u]", index >> scale);
}

static void p_vsp(Disas *d, uint32_t v)
{
    unsigned rm = d->word >> 16 & 31;

    if (rm == 31) {
        PUT(d, ", #%u", lane_regs(d->word) << lane_scale(d->word));
    } else {
        PUT(d, ", x%u", rm);
    }
}

/* ---- vectors ---- */

static void p_fp(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, "sd?h"[v & 3]);
}

static void p_e(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, "bhsdq"[v & 3]);
}

static void p_ew(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, "hsdq"[v & 3]);
}

/* q, size */
static void p_t(Disas *d, uint32_t v)
{
    g_string_append(d->out, shapes[v & 7]);
}

static void p_tw(Disas *d, uint32_t v)
{
    static const char *const names[] = {"8h", "4s", "2d", "1q"};

    g_string_append(d->out, names[v & 3]);
}

/* q, sz: single or double */
static void p_tf(Disas *d, uint32_t v)
{
    static const char *const names[] = {"2s", "1d", "4s", "2d"};

    g_string_append(d->out, names[v & 3]);
}

/* q, size: a pairwise sum's result, lanes twice as wide */
static void p_tp(Disas *d, uint32_t v)
{
    g_string_append(d->out, shapes[(v & 4) | ((v & 3) + 1)]);
}

static void p_th(Disas *d, uint32_t v)
{
    static const char *const names[] = {"4h", "8h", "2s", "4s"};

    g_string_append(d->out, names[v & 3]);
}

static void p_shr(Disas *d, uint32_t v)
{
    PUT(d, "%d", (16 << MAX(top_bit(v >> 3), 0)) - (int)v);
}

static void p_shl(Disas *d, uint32_t v)
{
    PUT(d, "%d", (int)v - (8 << MAX(top_bit(v >> 3), 0)));
}

static void p_she(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, "bhsd?"[top_bit(v >> 3) & 3]);
}

static void p_shew(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, "hsdq"[top_bit(v >> 3) & 3]);
}

static void p_sht(Disas *d, uint32_t v)
{
    g_string_append(d->out, shapes[(v >> 7 & 1) << 2 | (top_bit(v >> 3 & 15) & 3)]);
}

static void p_shtw(Disas *d, uint32_t v)
{
    p_tw(d, (uint32_t)top_bit(v >> 3 & 15));
}

static unsigned lowest(uint32_t v)
{
    return v ? (unsigned)__builtin_ctz(v) : 0;
}

static void p_ixe(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, "bhsd?"[MIN(lowest(v), 4u)]);
}

static void p_ix(Disas *d, uint32_t v)
{
    PUT(d, "%u", v >> (lowest(v) + 1));
}

static void p_ixt(Disas *d, uint32_t v)
{
    g_string_append(d->out, shapes[(v >> 5 & 1) << 2 | (lowest(v & 31) & 3)]);
}

/* imm5, imm4 of INS: the source's element */
static void p_ixs(Disas *d, uint32_t v)
{
    PUT(d, "%u", (v & 15) >> lowest(v >> 4));
}

/* size, h, l, Rm: "v3.h[5]" */
static void p_elem(Disas *d, uint32_t v)
{
    unsigned size = v >> 7 & 3, h = v >> 6 & 1, l = v >> 5 & 1, m = v & 31;

    if (size == 1) {
        PUT(d, "v%u.h[%u]", m & 15, h << 2 | l << 1 | m >> 4);
    } else if (size == 3) {
        PUT(d, "v%u.d[%u]", m, h);
    } else {
        PUT(d, "v%u.s[%u]", m, h << 1 | l);
    }
}

static void p_fimm(Disas *d, uint32_t v)
{
    int e = (int)(v >> 4 & 3) - (v & 0x40 ? 3 : -1);
    double m = 1.0 + (v & 15) / 16.0;

    PUT(d, "%.18e", (v & 0x80 ? -m : m) * (e >= 0 ? (double)(1 << e) : 1.0 / (1 << -e)));
}

/* MOVI of bytes: each bit of imm8 is one */
static void p_bytes(Disas *d, uint32_t v)
{
    uint64_t m = 0;

    for (unsigned k = 0; k < 8; k++) {
        m |= v >> k & 1 ? 0xffull << 8 * k : 0;
    }
    PUT(d, "0x%" PRIx64, m);
}

static void p_sdq(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, "sdq?"[v & 3]);
}

static void p_t2h(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "4h" : "2h");
}

static void p_bits(Disas *d, uint32_t v)
{
    PUT(d, "%u", 8u << (v & 3));
}

/* imm5, register: 64 bits wide for a doubleword's element */
static void p_ixr(Disas *d, uint32_t v)
{
    disas_gpr(d, (v >> 5 & 15) == 8, v & 31, false);
}

static void p_umov(Disas *d, uint32_t v)
{
    g_string_append(d->out, lowest(v) >= 2 ? "mov" : "umov");
}

static void p_tlist(Disas *d, uint32_t v)
{
    vector_list(d, v & 31, (v >> 5) + 1, "16b");
}

/* All of the modified immediates (MOVI, MVNI, ORR, BIC, FMOV): C7.2.204 */
static void p_movi(Disas *d, uint32_t v)
{
    uint32_t w = d->word, imm = (w >> 16 & 7) << 5 | (w >> 5 & 31), cmode = w >> 12 & 15,
             rd = w & 31;
    bool q = w >> 30 & 1, op = w >> 29 & 1, half = w >> 11 & 1;

    if (cmode == 15) {
        if ((half && op) || (op && !q)) {
            PUT(d, ".inst\t0x%08x ; undefined", w);
            return;
        }
        PUT(d, "fmov\tv%u.%s, #", rd, half ? q ? "8h" : "4h" : op ? "2d" : q ? "4s" : "2s");
        p_fimm(d, imm);
    } else if (half) {
        PUT(d, ".inst\t0x%08x ; undefined", w);
    } else if (cmode == 14 && op) {
        PUT(d, q ? "movi\tv%u.2d, #" : "movi\td%u, #", rd);
        p_bytes(d, imm);
    } else if (cmode == 14) {
        PUT(d, "movi\tv%u.%s, #0x%x", rd, q ? "16b" : "8b", imm);
    } else if (cmode >= 12) {
        PUT(d, "%s\tv%u.%s, #0x%x, msl #%u", op ? "mvni" : "movi", rd, q ? "4s" : "2s", imm,
            cmode & 1 ? 16u : 8u);
    } else {
        unsigned shift = (cmode & 8 ? cmode >> 1 & 1 : cmode >> 1 & 3) * 8;

        PUT(d, "%s\tv%u.%s, #0x%x",
            cmode & 1 ? op ? "bic" : "orr"
            : op      ? "mvni"
                      : "movi",
            rd,
            cmode & 8 ? q ? "8h" : "4h"
            : q       ? "4s"
                      : "2s",
            imm);
        if (shift) {
            PUT(d, ", lsl #%u", shift);
        }
    }
}

static void p_undef(Disas *d, uint32_t v)
{
    PUT(d, ".inst\t0x%08x ; undefined", d->word);
}

static bool t_badmult(uint32_t w)
{
    unsigned p = w >> 12 & 15, shape = w >> 10 & 3, q = w >> 30 & 1;

    return !mult_regs[p] || (shape == 3 && !q && mult_elems[p] != 1);
}

static bool t_badlane(uint32_t w)
{
    unsigned scale = w >> 14 & 3, s = w >> 12 & 1, size = w >> 10 & 3;

    return scale == 3   ? s || !(w >> 22 & 1)
           : scale == 2 ? size > 1 || (size == 1 && s)
                        : scale == 1 && size & 1;
}

/* One of three bits, which say a narrow element's size */
static bool t_badtsz(uint32_t v)
{
    return v != 1 && v != 2 && v != 4;
}

/* imm2:tsz of DUP: element 0 */
static bool t_dx0(uint32_t v)
{
    return v & 31 && !(v >> (lowest(v & 31) + 1));
}

/* imm5 of an element: no size */
static bool t_badix(uint32_t v)
{
    return !(v & 15);
}

/* immh:immb: a shift to the left by nothing */
static bool t_shl0(uint32_t v)
{
    return v == 8 || v == 16 || v == 32;
}

/* clang-format off */
const DisasPrinter disas_vector_printers[] = {
    {"ldv", p_ldv}, {"vmn", p_vmn}, {"vml", p_vml}, {"vmp", p_vmp}, {"vsn", p_vsn},
    {"vsl", p_vsl}, {"vsp", p_vsp}, {"fp", p_fp}, {"e", p_e}, {"ew", p_ew}, {"t", p_t},
    {"tw", p_tw}, {"tf", p_tf}, {"tp", p_tp}, {"th", p_th}, {"shr", p_shr}, {"shl", p_shl},
    {"she", p_she}, {"shew", p_shew}, {"sht", p_sht}, {"shtw", p_shtw}, {"ixe", p_ixe},
    {"ix", p_ix}, {"ixt", p_ixt}, {"ixs", p_ixs}, {"elem", p_elem}, {"fimm", p_fimm},
    {"bytes", p_bytes}, {"sdq", p_sdq}, {"t2h", p_t2h}, {"bits", p_bits}, {"ixr", p_ixr},
    {"umov", p_umov}, {"tlist", p_tlist}, {"movi", p_movi}, {"undef", p_undef},
    {0}};
/* clang-format on */

/* clang-format off */
const DisasTest disas_vector_tests[] = {
    {"badmult", t_badmult}, {"badlane", t_badlane}, {"badtsz", t_badtsz}, {"dx0", t_dx0},
    {"shl0", t_shl0}, {"badix", t_badix},
    {0}};
/* clang-format on */
