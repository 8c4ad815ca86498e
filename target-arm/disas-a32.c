// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Printers of the templates of A32, T32 and VFP: registers, shifts, immediates, addresses, lists,
 * status registers (F5.1, F6.1).
 */
#include "target-arm/disas.h"

#include <inttypes.h>
#include <string.h>
#include "util/types.h"

static const char *const regs[16] = {"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7",
                                     "r8", "r9", "sl", "fp", "ip", "sp", "lr", "pc"};
static const char *const shifts[4] = {"lsl", "lsr", "asr", "ror"};

static void p_c(Disas *d, uint32_t v)
{
    if (d->cond < 14) {
        g_string_append(d->out, disas_conds[d->cond]);
    }
}

static void p_cc(Disas *d, uint32_t v)
{
    if (v < 14) {
        g_string_append(d->out, disas_conds[v]);
    }
}

static void p_rg(Disas *d, uint32_t v)
{
    g_string_append(d->out, regs[v & 15]);
}

/* amount, type */
static void p_sh(Disas *d, uint32_t v)
{
    unsigned amt = v >> 2, type = v & 3;

    if (type == 3 && !amt) {
        g_string_append(d->out, ", rrx");
    } else if (amt || type) {
        PUT(d, ", %s #%u", shifts[type], amt ? amt : 32);
    }
}

static void p_stype(Disas *d, uint32_t v)
{
    g_string_append(d->out, shifts[v & 3]);
}

/* amount, type: what is written as a shift's operand */
static void p_samt(Disas *d, uint32_t v)
{
    PUT(d, "%u", v >> 2 ? v >> 2 : v & 3 ? 32u : 0u);
}

static uint32_t rotated(uint32_t v, unsigned by)
{
    by &= 31;
    return by ? v >> by | v << (32 - by) : v;
}

/* rotation, eight bits: the number, or both where another rotation is the usual one */
static void p_imm(Disas *d, uint32_t v)
{
    uint32_t n = rotated(v & 255, v >> 8 << 1);
    unsigned rot = 0;

    while (rot < 32 && rotated(n, 32 - rot) > 255) {
        rot += 2;
    }
    if (rot == v >> 8 << 1) {
        PUT(d, "#%d", (int32_t)n);
    } else {
        PUT(d, "#%u, %u", v & 255, v >> 8 << 1);
    }
}

/* T32's modified immediate: i, imm3, imm8 */
static void p_timm(Disas *d, uint32_t v)
{
    uint32_t b = v & 255;

    switch (v >> 8) {
    case 0:
        break;
    case 1:
        b |= b << 16;
        break;
    case 2:
        b = b << 8 | b << 24;
        break;
    case 3:
        b |= b << 8 | b << 16 | b << 24;
        break;
    default:
        b = rotated((v & 127) | 128, v >> 7);
    }
    PUT(d, "#%u", b);
}

static void p_brel(Disas *d, uint32_t v)
{
    PUT(d, "0x%" PRIx64, (d->va + (d->thumb ? 4 : 8) + (uint64_t)(int64_t)(int32_t)v) & UINT32_MAX);
}

static void p_ut(Disas *d, uint32_t v)
{
    g_string_append(d->out, v == 1 ? "t" : "");
}

/* ---- addresses: P, U and W at bits 24, 23 and 21 ---- */

static void address(Disas *d, const char *offset)
{
    uint32_t w = d->word;
    const char *base = regs[w >> 16 & 15];

    if (!(w >> 24 & 1)) {
        PUT(d, "[%s], %s", base, offset);
    } else {
        PUT(d, "[%s%s%s]%s", base, *offset ? ", " : "", offset, w >> 21 & 1 ? "!" : "");
    }
}

static void immediate_address(Disas *d, unsigned imm)
{
    bool up = d->word >> 23 & 1, quiet = up && !imm && (d->word >> 24 & 1) && !(d->word >> 21 & 1);
    g_autofree char *text = quiet ? g_strdup("") : g_strdup_printf("#%s%u", up ? "" : "-", imm);

    address(d, text);
}

static void p_am2i(Disas *d, uint32_t v)
{
    immediate_address(d, d->word & 0xfff);
}

static void p_am3i(Disas *d, uint32_t v)
{
    immediate_address(d, (d->word >> 4 & 0xf0) | (d->word & 15));
}

static void p_am3r(Disas *d, uint32_t v)
{
    g_autofree char *text =
        g_strdup_printf("%s%s", d->word >> 23 & 1 ? "" : "-", regs[d->word & 15]);

    address(d, text);
}

static void p_am2r(Disas *d, uint32_t v)
{
    uint32_t w = d->word;
    unsigned amt = w >> 7 & 31, type = w >> 5 & 3;
    g_autofree char *shift = type == 3 && !amt ? g_strdup(", rrx")
                             : amt || type
                                 ? g_strdup_printf(", %s #%u", shifts[type], amt ? amt : 32)
                                 : g_strdup("");
    g_autofree char *text = g_strdup_printf("%s%s%s", w >> 23 & 1 ? "" : "-", regs[w & 15], shift);

    address(d, text);
}

/* U, eight bits of words: VLDR */
static void am5(Disas *d, uint32_t v, unsigned scale)
{
    unsigned imm = (v & 255) * scale;

    if (imm || !(v >> 8)) {
        PUT(d, ", #%s%u", v >> 8 ? "" : "-", imm);
    }
}

static void p_am5(Disas *d, uint32_t v)
{
    am5(d, v, 4);
}

static void p_am5h(Disas *d, uint32_t v)
{
    am5(d, v, 2);
}

/* ---- lists ---- */

static void p_list(Disas *d, uint32_t v)
{
    const char *sep = "{";

    for (unsigned k = 0; k < 16; k++) {
        if (v >> k & 1) {
            PUT(d, "%s%s", sep, regs[k]);
            sep = ", ";
        }
    }
    g_string_append(d->out, *sep == '{' ? "{}" : "}");
}

/* P, U of LDM and STM */
static void p_lm(Disas *d, uint32_t v)
{
    static const char *const names[] = {"da", "", "db", "ib"};

    g_string_append(d->out, names[v & 3]);
}

static void p_lmia(Disas *d, uint32_t v)
{
    static const char *const names[] = {"da", "ia", "db", "ib"};

    g_string_append(d->out, names[v & 3]);
}

static void p_wb(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "!" : "");
}

static void p_user(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "^" : "");
}

/* ---- system ---- */

/* R, mask */
static void p_psr(Disas *d, uint32_t v)
{
    PUT(d, "%cPSR_%s%s%s%s", v & 16 ? 'S' : 'C', v & 8 ? "f" : "", v & 4 ? "s" : "",
        v & 2 ? "x" : "", v & 1 ? "c" : "");
}

static void p_csr(Disas *d, uint32_t v)
{
    PUT(d, "%s", v ? "SPSR" : "CPSR");
}

/* R, SYSm */
static void p_bank(Disas *d, uint32_t v)
{
    static const char *const names[32] = {
        "R8_usr", "R9_usr", "R10_usr", "R11_usr", "R12_usr", "SP_usr", "LR_usr",  NULL,
        "R8_fiq", "R9_fiq", "R10_fiq", "R11_fiq", "R12_fiq", "SP_fiq", "LR_fiq",  NULL,
        "LR_irq", "SP_irq", "LR_svc",  "SP_svc",  "LR_abt",  "SP_abt", "LR_und",  "SP_und",
        NULL,     NULL,     NULL,      NULL,      "LR_mon",  "SP_mon", "ELR_hyp", "SP_hyp"};
    static const char *const saved[32] = {
        [14] = "SPSR_fiq", [16] = "SPSR_irq", [18] = "SPSR_svc", [20] = "SPSR_abt",
        [22] = "SPSR_und", [28] = "SPSR_mon", [30] = "SPSR_hyp"};
    const char *name = v >> 5 ? saved[v & 31] : names[v & 31];

    PUT(d, "%s", name ? name : "(undefined)");
}

static void p_option(Disas *d, uint32_t v)
{
    static const char *const names[16] = {NULL,   "oshld", "oshst", "osh",   NULL,    "nshld",
                                          "unst", "un",    NULL,    "ishld", "ishst", "ish",
                                          NULL,   "ld",    "st",    "sy"};

    if (names[v & 15]) {
        g_string_append(d->out, names[v & 15]);
    } else {
        PUT(d, "#%u", v);
    }
}

static void p_aif(Disas *d, uint32_t v)
{
    PUT(d, "%s%s%s", v & 4 ? "a" : "", v & 2 ? "i" : "", v & 1 ? "f" : "");
}

static void p_x8(Disas *d, uint32_t v)
{
    PUT(d, "0x%08x", v);
}

static void p_hx(Disas *d, uint32_t v)
{
    PUT(d, "0x%04x", v);
}

static void p_tb(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "t" : "b");
}

static void p_sx(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "x" : "");
}

static void p_sr(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "r" : "");
}

static void p_ror(Disas *d, uint32_t v)
{
    if (v) {
        PUT(d, ", ror #%u", v * 8);
    }
}

/* Sizes of exclusives and the like: word, doubleword, byte, halfword */
static void p_exz(Disas *d, uint32_t v)
{
    static const char *const names[] = {"", "d", "b", "h"};

    g_string_append(d->out, names[v & 3]);
}

static void p_crcz(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, "bhw?"[v & 3]);
}

/* msb, lsb of BFI: the width */
static void p_width(Disas *d, uint32_t v)
{
    PUT(d, "%u", (v >> 5) - (v & 31) + 1);
}

static void p_iflags(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "id" : "ie");
}

static void p_endian(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "be" : "le");
}

/* ---- T32 ---- */

/* S, J1, J2, upper, lower bits of a branch */
static void p_tb24(Disas *d, uint32_t v)
{
    uint32_t s = d->word >> 26 & 1, j1 = d->word >> 13 & 1, j2 = d->word >> 11 & 1;
    uint32_t n = s << 24 | (!(j1 ^ s)) << 23 | (!(j2 ^ s)) << 22 | (d->word >> 16 & 0x3ff) << 12 |
                 (d->word & 0x7ff) << 1;
    bool exchange = (d->word >> 12 & 5) == 4;
    uint64_t pc = (d->va + 4) & (exchange ? ~3ull : ~0ull);

    PUT(d, "0x%" PRIx64, (pc + (uint64_t)((int64_t)((uint64_t)n << 39) >> 39)) & UINT32_MAX);
}

static void p_tb20(Disas *d, uint32_t v)
{
    uint32_t w = d->word, n = (w >> 26 & 1) << 20 | (w >> 11 & 1) << 19 | (w >> 13 & 1) << 18 |
                              (w >> 16 & 63) << 12 | (w & 0x7ff) << 1;

    PUT(d, "0x%" PRIx64, (d->va + 4 + (uint64_t)((int64_t)((uint64_t)n << 43) >> 43)) & UINT32_MAX);
}

/* P, U, W at bits 10, 9 and 8, eight bits of offset */
static void p_ti8(Disas *d, uint32_t v)
{
    uint32_t w = d->word;
    const char *base = regs[w >> 16 & 15], *sign = w >> 9 & 1 ? "" : "-";
    unsigned imm = w & 255;

    if (!(w >> 10 & 1)) {
        PUT(d, "[%s], #%s%u", base, sign, imm);
    } else if (imm) {
        PUT(d, "[%s, #%s%u]%s", base, sign, imm, w >> 8 & 1 ? "!" : "");
    } else {
        PUT(d, "[%s]%s", base, w >> 8 & 1 ? "!" : "");
    }
}

static void p_offn(Disas *d, uint32_t v)
{
    if (v) {
        PUT(d, ", #%u", v);
    }
}

/* U, offset: shown with its sign, even 0 */
static void p_soff(Disas *d, uint32_t v)
{
    PUT(d, "#%s%u", v >> 12 & 1 ? "" : "-", v & 0xfff);
}

static void p_lslo(Disas *d, uint32_t v)
{
    if (v) {
        PUT(d, ", lsl #%u", v);
    }
}

/* condition, mask: "te" and the like behind IT */
static void p_it(Disas *d, uint32_t v)
{
    unsigned low = v & 15 ? (unsigned)__builtin_ctz(v & 15) : 3;

    for (unsigned k = 3; k > low; k--) {
        g_string_append_c(d->out, (v >> k & 1) == (v >> 4 & 1) ? 't' : 'e');
    }
}

/* A word-aligned address from the program counter, for ADR */
static void p_pcw(Disas *d, uint32_t v)
{
    PUT(d, "[pc, #%u]", v);
}

/* ---- VFP ---- */

/* dp, the extra bit, four bits */
static void p_f(Disas *d, uint32_t v)
{
    bool dp = v >> 5;

    PUT(d, "%c%u", dp ? 'd' : 's', dp ? v & 31 : (v & 15) << 1 | (v >> 4 & 1));
}

static void p_fsz(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "f64" : "f32");
}

static void p_ft(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "f32" : "f64");
}

static void p_us(Disas *d, uint32_t v)
{
    g_string_append_c(d->out, v ? 'u' : 's');
}

/* dp, extra bit, number, count: a list for VLDM */
static void p_flist(Disas *d, uint32_t v)
{
    bool dp = v >> 13;
    unsigned n = dp ? v >> 8 & 31 : (v >> 8 & 15) << 1 | (v >> 12 & 1), count = v & 255;
    char c = dp ? 'd' : 's';

    count = dp ? count / 2 : count;
    if (count == 1) {
        PUT(d, "{%c%u}", c, n);
    } else {
        PUT(d, "{%c%u-%c%u}", c, n, c, n + count - 1);
    }
}

static void p_fsys(Disas *d, uint32_t v)
{
    static const char *const names[16] = {"fpsid", "fpscr", [5] = "mvfr2", "mvfr1",
                                          "mvfr0", "fpexc", "fpinst",      "fpinst2"};

    if (names[v & 15]) {
        g_string_append(d->out, names[v & 15]);
    } else {
        PUT(d, "<impl def %#x>", v);
    }
}

/* half the size of fixed-point numbers */
static void p_fx(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "32" : "16");
}

/* size, imm: bits of the fraction */
static void p_fxb(Disas *d, uint32_t v)
{
    PUT(d, "%d", (v >> 5 ? 32 : 16) - (int)(v & 31));
}

static void p_rstd(Disas *d, uint32_t v)
{
    PUT(d, "r%u", v);
}

/* dp, rounding away from what FPSCR says */
static void p_rr(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "" : "r");
}

/* imm5 of T16's shifts to the right: 0 stands for 32 */
static void p_s32(Disas *d, uint32_t v)
{
    PUT(d, "%u", v ? v : 32);
}

static void p_hint32(Disas *d, uint32_t v)
{
    static const char *const names[] = {"nop", "yield", "wfe", "wfi", "sev", "sevl"};

    if (v < ARRAY_COUNT(names)) {
        g_string_append(d->out, names[v]);
        return;
    }
    g_string_append(d->out, "nop");
}

static void p_hintn(Disas *d, uint32_t v)
{
    if (v > 5) {
        PUT(d, "\t{%u}", v);
    }
}

static void p_rgn(Disas *d, uint32_t v)
{
    g_string_append(d->out, regs[(v + 1) & 15]);
}

static void p_isb(Disas *d, uint32_t v)
{
    if (v == 15) {
        g_string_append(d->out, "sy");
    } else {
        PUT(d, "#%u", v);
    }
}

static void p_cr(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "c" : "");
}

static void p_ied(Disas *d, uint32_t v)
{
    g_string_append(d->out, v == 3 ? "id" : "ie");
}

static void p_tta(Disas *d, uint32_t v)
{
    PUT(d, "%s%s", v & 2 ? "a" : "", v & 1 ? "t" : "");
}

/* U, offset: with its sign, to words */
static void p_soffw(Disas *d, uint32_t v)
{
    PUT(d, "#%s%u", v >> 10 & 1 ? "" : "-", v & 0x3ff);
}

/* Addresses of preloads: U at bit 23 */
static void p_plai(Disas *d, uint32_t v)
{
    PUT(d, "[%s", regs[d->word >> 16 & 15]);
    if ((v & 0xfff) || !(v >> 12)) {
        PUT(d, ", #%s%u", v >> 12 ? "" : "-", v & 0xfff);
    }
    g_string_append_c(d->out, ']');
}

static void p_plar(Disas *d, uint32_t v)
{
    PUT(d, "[%s, %s%s", regs[d->word >> 16 & 15], d->word >> 23 & 1 ? "" : "-", regs[d->word & 15]);
    p_sh(d, v);
    g_string_append_c(d->out, ']');
}

static void p_itc(Disas *d, uint32_t v)
{
    g_string_append(d->out, v == 15 ? "" : disas_conds[v & 15]);
}

/* System registers of M profile */
static void p_msys(Disas *d, uint32_t v)
{
    static const struct {
        uint8_t n;
        const char *name;
    } names[] = {
        {0, "CPSR"},          {1, "IAPSR"},         {2, "EAPSR"},           {3, "PSR"},
        {5, "IPSR"},          {6, "EPSR"},          {7, "IEPSR"},           {8, "MSP"},
        {9, "PSP"},           {10, "MSPLIM"},       {11, "PSPLIM"},         {16, "PRIMASK"},
        {17, "BASEPRI"},      {18, "BASEPRI_MAX"},  {19, "FAULTMASK"},      {20, "CONTROL"},
        {0x88, "MSP_NS"},     {0x89, "PSP_NS"},     {0x8a, "MSPLIM_NS"},    {0x8b, "PSPLIM_NS"},
        {0x90, "PRIMASK_NS"}, {0x91, "BASEPRI_NS"}, {0x93, "FAULTMASK_NS"}, {0x94, "CONTROL_NS"},
        {0x98, "SP_NS"}};

    for (unsigned k = 0; k < ARRAY_COUNT(names); k++) {
        if (names[k].n == v) {
            g_string_append(d->out, names[k].name);
            return;
        }
    }
    PUT(d, "(UNDEF: %u)", v);
}

/* clang-format off */
const DisasPrinter disas_a32_printers[] = {
    {"rstd", p_rstd}, {"rr", p_rr}, {"s32", p_s32}, {"hint32", p_hint32}, {"hintn", p_hintn},
    {"msys", p_msys}, {"cr", p_cr}, {"rgn", p_rgn}, {"isb", p_isb}, {"ied", p_ied},
    {"tta", p_tta}, {"soffw", p_soffw}, {"plai", p_plai}, {"plar", p_plar}, {"itc", p_itc},
    {"c", p_c}, {"cc", p_cc}, {"rg", p_rg}, {"sh", p_sh}, {"stype", p_stype}, {"samt", p_samt},
    {"imm", p_imm}, {"timm", p_timm}, {"brel", p_brel}, {"ut", p_ut}, {"am2i", p_am2i},
    {"am2r", p_am2r}, {"am3i", p_am3i}, {"am3r", p_am3r}, {"am5", p_am5}, {"am5h", p_am5h}, {"list", p_list},
    {"lm", p_lm}, {"lmia", p_lmia}, {"wb", p_wb}, {"user", p_user}, {"psr", p_psr},
    {"csr", p_csr}, {"bank", p_bank}, {"option", p_option}, {"aif", p_aif}, {"x8", p_x8},
    {"hx", p_hx}, {"tb", p_tb}, {"sx", p_sx}, {"sr", p_sr}, {"ror", p_ror}, {"exz", p_exz},
    {"crcz", p_crcz}, {"width", p_width}, {"iflags", p_iflags}, {"endian", p_endian},
    {"tb24", p_tb24}, {"tb20", p_tb20}, {"ti8", p_ti8}, {"offn", p_offn}, {"soff", p_soff},
    {"lslo", p_lslo}, {"it", p_it}, {"pcw", p_pcw}, {"f", p_f}, {"fsz", p_fsz}, {"ft", p_ft},
    {"us", p_us}, {"flist", p_flist}, {"fsys", p_fsys}, {"fx", p_fx}, {"fxb", p_fxb},
    {0}};
/* clang-format on */

/* Whether a list has one register */
static bool t_one(uint32_t v)
{
    return v && !(v & (v - 1));
}

/* register, list of eight */
static bool t_inlist(uint32_t v)
{
    return v >> (v >> 8) & 1;
}

static bool t_odd(uint32_t v)
{
    return v & 1;
}

const DisasTest disas_a32_tests[] = {{"one", t_one}, {"odd", t_odd}, {"inlist", t_inlist}, {0}};
