// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Printers of the templates of AArch32's Advanced SIMD: registers, scalars, lists of structures,
 * modified immediates (F6.1).
 */
#include "target-arm/disas.h"

#include <inttypes.h>
#include "util/types.h"

/* q, extra bit, number; an odd Q register is not there */
static void p_q(Disas *d, uint32_t v)
{
    if (v >> 5) {
        PUT(d, "q%u", (v & 31) >> 1);
    } else {
        PUT(d, "d%u", v & 31);
    }
}

static void p_bits2(Disas *d, uint32_t v)
{
    PUT(d, "%u", 16u << (v & 3));
}

static void p_hf(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "16" : "32");
}

static void p_su(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, v ? 's' : 'u');
}

static void p_f1632(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "32" : "16");
}

static void p_sel(Disas *d, uint32_t v)
{
    static const char *const names[] = {"eq", "vs", "ge", "gt"};

    g_string_append(d->out, names[v & 3]);
}

/* l:imm6: shifts by their highest bit */
static unsigned shift_size(uint32_t v)
{
    return v & 64 ? 3 : v & 32 ? 2 : v & 16 ? 1 : 0;
}

static void p_nsz(Disas *d, uint32_t v)
{
    PUT(d, "%u", 8u << shift_size(v));
}

static void p_nszw(Disas *d, uint32_t v)
{
    PUT(d, "%u", 16u << shift_size(v));
}

static void p_nshr(Disas *d, uint32_t v)
{
    PUT(d, "%u", (16u << shift_size(v)) - v);
}

static void p_nshl(Disas *d, uint32_t v)
{
    PUT(d, "%u", v - (8u << shift_size(v)));
}

/* 64 less six bits: fraction bits of fixed-point numbers */
static void p_fb(Disas *d, uint32_t v)
{
    PUT(d, "%u", 64 - v);
}

/* size, extra bit, number: a scalar of a product */
static void p_nx(Disas *d, uint32_t v)
{
    unsigned m = v & 31;

    if (v >> 5 == 1) {
        PUT(d, "d%u[%u]", m & 7, m >> 3);
    } else {
        PUT(d, "d%u[%u]", m & 15, m >> 4);
    }
}

/* four bits of VDUP: size, index */
static void p_dsz(Disas *d, uint32_t v)
{
    PUT(d, "%u", v & 1 ? 8u : v & 2 ? 16u : 32u);
}

static void p_dix(Disas *d, uint32_t v)
{
    PUT(d, "%u", v & 1 ? v >> 1 : v & 2 ? v >> 2 : v >> 3);
}

/* size: b, c of VDUP from a core register */
static void p_dgz(Disas *d, uint32_t v)
{
    PUT(d, "%u", v & 2 ? 8u : v & 1 ? 16u : 32u);
}

/* opc1, opc2 of VMOV: the lane's size and index */
static void p_lsz(Disas *d, uint32_t v)
{
    PUT(d, "%u", v & 8 ? 8u : v & 1 ? 16u : 32u);
}

/* unsigned, opc1, opc2 */
static void p_lsu(Disas *d, uint32_t v)
{
    if (v & 8 || v & 1) {
        PUT(d, "%c%u", v & 16 ? 'u' : 's', v & 8 ? 8u : 16u);
    } else {
        PUT(d, "32");
    }
}

static void p_lix(Disas *d, uint32_t v)
{
    unsigned n = (v & 4) | (v & 3);

    PUT(d, "%u", v & 8 ? n : v & 1 ? n >> 1 : n >> 2);
}

static void p_cmpz(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "f" : "s");
}

/* length less 1, extra bit, number */
static void p_tbl(Disas *d, uint32_t v)
{
    unsigned n = v & 31, count = v >> 5;

    if (count) {
        PUT(d, "{d%u-d%u}", n, n + count);
    } else {
        PUT(d, "{d%u}", n);
    }
}

/* ---- structures ---- */

static void list(Disas *d, unsigned n, unsigned count, unsigned step, const char *lane)
{
    if (step == 1 && count > 1 && !*lane) {
        PUT(d, "{d%u-d%u}", n, n + count - 1);
        return;
    }
    for (unsigned k = 0; k < count; k++) {
        PUT(d, "%sd%u%s", k ? "," : "{", n + k * step, lane);
    }
    g_string_append_c(d->out, '}');
}

static void base(Disas *d, unsigned align)
{
    static const char *const regs[16] = {"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7",
                                         "r8", "r9", "sl", "fp", "ip", "sp", "lr", "pc"};
    unsigned rm = d->word & 15;

    PUT(d, ", [%s", regs[d->word >> 16 & 15]);
    if (align) {
        PUT(d, " :%u", align);
    }
    PUT(d, "]%s", rm == 13 ? "!" : "");
    if (rm < 13 || rm == 14) {
        PUT(d, ", %s", regs[rm]);
    }
}

static unsigned first_register(uint32_t w)
{
    return (w >> 12 & 15) | (w >> 18 & 16);
}

/* VLD1 to VLD4 of whole registers: list and address, by the type in bits 11 to 8 */
static void p_vldm(Disas *d, uint32_t v)
{
    static const uint8_t count[16] = {4, 4, 4, 2 + 2, 3, 3, 3, 1, 2, 2, 2},
                         step[16] = {1, 2, 1, 1, 1, 2, 1, 1, 1, 2, 1};
    unsigned type = d->word >> 8 & 15, align = d->word >> 4 & 3;

    list(d, first_register(d->word), count[type], step[type], "");
    base(d, align ? 32u << align : 0);
}

/* ... of one lane */
static void p_vldl(Disas *d, uint32_t v)
{
    uint32_t w = d->word;
    unsigned size = w >> 10 & 3, n = (w >> 8 & 3) + 1, index = w >> 4 & 15;
    unsigned step = size && index >> size & 1 ? 2 : 1, align = 0;
    g_autofree char *lane = g_strdup_printf("[%u]", index >> (size + 1));

    if (n == 1) {
        align = size == 2 && (index & 3) == 3 ? 32 : size == 1 && index & 1 ? 16 : 0;
        step = 1;
    } else if (n == 2) {
        align = index & 1 ? 16u << size : 0;
    } else if (n == 4) {
        align = size == 2 ? (index & 3) * 64u : index & 1 ? 32u << size : 0;
    }
    list(d, first_register(w), n, step, lane);
    base(d, align);
}

/* ... of one to all lanes */
static void p_vlda(Disas *d, uint32_t v)
{
    uint32_t w = d->word;
    unsigned size = w >> 6 & 3, n = (w >> 8 & 3) + 1, step = w >> 5 & 1 ? 2 : 1, align = 0;
    bool a = w >> 4 & 1;

    if (n == 1) {
        unsigned count = step;

        align = a && size ? 8u << size : 0;
        if (count == 2) {
            PUT(d, "{d%u[]-d%u[]}", first_register(w), first_register(w) + 1);
        } else {
            PUT(d, "{d%u[]}", first_register(w));
        }
        base(d, align);
        return;
    }
    if (a) {
        align = n == 2 ? 16u << size : n == 4 ? size == 3 ? 128 : size == 2 ? 64 : 32u << size : 0;
    }
    if (step == 1) {
        PUT(d, "{d%u[]-d%u[]}", first_register(w), first_register(w) + n - 1);
    } else {
        list(d, first_register(w), n, step, "[]");
    }
    base(d, align);
}

/* ---- modified immediates ---- */

static void p_nimm(Disas *d, uint32_t v)
{
    uint32_t w = d->word, imm = (w >> 24 & 1) << 7 | (w >> 16 & 7) << 4 | (w & 15), op = w >> 5 & 1,
             cmode = w >> 8 & 15, n = (w >> 12 & 15) | (w >> 18 & 16);
    const char *name = cmode < 12 && cmode & 1 ? op ? "vbic" : "vorr"
                       : op && cmode != 14     ? "vmvn"
                                               : "vmov";
    g_autofree char *reg = w >> 6 & 1 ? g_strdup_printf("q%u", n >> 1) : g_strdup_printf("d%u", n);

    if (cmode == 15) {
        int e = (int)(imm >> 4 & 3) - (imm & 0x40 ? 3 : -1);
        double m = (1.0 + (imm & 15) / 16.0) * (imm & 0x80 ? -1 : 1);

        if (op) {
            PUT(d, ".inst\t0x%08x ; undefined", w);
            return;
        }
        PUT(d, "vmov.f32\t%s, #%.9g", reg, m * (e >= 0 ? (double)(1 << e) : 1.0 / (1 << -e)));
    } else if (cmode == 14 && op) {
        uint64_t mask = 0;

        for (unsigned k = 0; k < 8; k++) {
            mask |= imm >> k & 1 ? 0xffull << 8 * k : 0;
        }
        PUT(d, "vmov.i64\t%s, #0x%016" PRIx64, reg, mask);
    } else if (cmode == 14) {
        PUT(d, "vmov.i8\t%s, #%u", reg, imm);
    } else {
        unsigned shift =
            cmode >= 12 ? (cmode & 1 ? 16 : 8) : (cmode & 8 ? cmode >> 1 & 1 : cmode >> 1 & 3) * 8;
        uint32_t value = imm << shift | (cmode >= 12 ? (1u << shift) - 1 : 0);

        PUT(d, "%s.i%u\t%s, #%d", name, (cmode & 12) == 8 ? 16u : 32u, reg, (int32_t)value);
    }
}

/* clang-format off */
const DisasPrinter disas_neon_printers[] = {
    {"q", p_q}, {"bits2", p_bits2}, {"hf", p_hf}, {"su", p_su}, {"nsz", p_nsz}, {"nszw", p_nszw},
    {"nshr", p_nshr}, {"nshl", p_nshl}, {"fb", p_fb}, {"nx", p_nx}, {"dsz", p_dsz}, {"dix", p_dix},
    {"dgz", p_dgz}, {"lsz", p_lsz}, {"lsu", p_lsu}, {"lix", p_lix}, {"cmpz", p_cmpz}, {"tbl", p_tbl},
    {"vldm", p_vldm}, {"vldl", p_vldl}, {"vlda", p_vlda}, {"f1632", p_f1632}, {"sel", p_sel}, {"nimm", p_nimm},
    {0}};
/* clang-format on */
