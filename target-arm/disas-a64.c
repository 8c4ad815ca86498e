// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Printers of A64's templates: registers, immediates, addresses, system names; and
 * the tests that choose between an instruction and its aliases (C6.2, C7.2).
 */
#include "target-arm/disas.h"

#include <string.h>
#include "target-arm/sysreg.h"
#include "target-arm/translate.h"

/* ---- numbers and names ---- */

static void p_u(Disas *d, uint32_t v)
{
    PUT(d, "%u", v);
}

static void p_s(Disas *d, uint32_t v)
{
    PUT(d, "%d", (int32_t)v);
}

static void p_hex(Disas *d, uint32_t v)
{
    PUT(d, "0x%x", v);
}

static void p_inc(Disas *d, uint32_t v)
{
    PUT(d, "%u", v + 1);
}

static void p_two(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "2" : "");
}

static void p_bt(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "t" : "b");
}

static void p_flags(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "s" : "");
}

static void p_rot(Disas *d, uint32_t v)
{
    PUT(d, "%u", v * 90);
}

static void p_rot1(Disas *d, uint32_t v)
{
    PUT(d, "%u", v ? 270u : 90u);
}

static void p_cond(Disas *d, uint32_t v)
{
    g_string_append(d->out, disas_conds[v & 15]);
}

static void p_not(Disas *d, uint32_t v)
{
    g_string_append(d->out, disas_conds[(v ^ 1) & 15]);
}

static void p_rel(Disas *d, uint32_t v)
{
    PUT(d, "0x%" PRIx64, d->va + (uint64_t)(int64_t)(int32_t)v);
}

static void p_page(Disas *d, uint32_t v)
{
    PUT(d, "0x%" PRIx64, (d->va & ~(uint64_t)4095) + (uint64_t)(int64_t)(int32_t)v * 4096);
}

/* clang-format off */
const DisasPrinter disas_printers[] = {
    {"u", p_u}, {"s", p_s}, {"hex", p_hex}, {"inc", p_inc}, {"two", p_two}, {"bt", p_bt},
    {"flags", p_flags}, {"rot", p_rot}, {"rot1", p_rot1}, {"cond", p_cond}, {"not", p_not},
    {"rel", p_rel}, {"page", p_page},
    {0}};
/* clang-format on */

/* ---- general registers ---- */

void disas_gpr(Disas *d, bool wide, unsigned n, bool sp)
{
    if (n == 31) {
        g_string_append(d->out, sp ? wide ? "sp" : "wsp" : wide ? "xzr" : "wzr");
    } else {
        PUT(d, "%c%u", wide ? 'x' : 'w', n);
    }
}

static void p_x(Disas *d, uint32_t v)
{
    disas_gpr(d, true, v, false);
}

static void p_w(Disas *d, uint32_t v)
{
    disas_gpr(d, false, v, false);
}

static void p_xsp(Disas *d, uint32_t v)
{
    disas_gpr(d, true, v, true);
}

static void p_wsp(Disas *d, uint32_t v)
{
    disas_gpr(d, false, v, true);
}

static void p_r(Disas *d, uint32_t v)
{
    disas_gpr(d, v >> 5 & 1, v & 31, false);
}

static void p_rsp(Disas *d, uint32_t v)
{
    disas_gpr(d, v >> 5 & 1, v & 31, true);
}

/* Size in two bits before the number: only 3 is 64 bits wide. */
static void p_rz(Disas *d, uint32_t v)
{
    disas_gpr(d, v >> 5 == 3, v & 31, false);
}

static void p_rz1(Disas *d, uint32_t v)
{
    disas_gpr(d, v >> 5 == 3, (v & 31) + 1 == 32 ? 0 : (v & 31) + 1, false);
}

static void p_shift(Disas *d, uint32_t v)
{
    static const char *const names[] = {"lsl", "lsr", "asr", "ror"};

    if (v) {
        PUT(d, ", %s #%u", names[v >> 6 & 3], v & 63);
    }
}

/* sf, Rm, option, amount, whether SP is among the registers */
static void p_ext(Disas *d, uint32_t v)
{
    static const char *const names[] = {"uxtb", "uxth", "uxtw", "uxtx",
                                        "sxtb", "sxth", "sxtw", "sxtx"};
    unsigned opt = v >> 3 & 7, amt = v & 7;
    bool sf = v >> 11 & 1;
    uint32_t rn = d->word >> 5 & 31, rd = d->word & 31;
    bool sp = rn == 31 || (rd == 31 && !(d->word >> 29 & 1));

    disas_gpr(d, sf && (opt & 3) == 3, v >> 6 & 31, false);
    if (sp && opt == (sf ? 3 : 2)) {
        if (amt) {
            PUT(d, ", lsl #%u", amt);
        }
        return;
    }
    PUT(d, ", %s", names[opt]);
    if (amt) {
        PUT(d, " #%u", amt);
    }
}

static void p_imm12(Disas *d, uint32_t v)
{
    PUT(d, "#0x%x%s", v & 0xfff, v >> 12 ? ", lsl #12" : "");
}

static void p_hw(Disas *d, uint32_t v)
{
    if (v) {
        PUT(d, ", lsl #%u", v * 16);
    }
}

/* sf, hw, imm16 */
static void p_movz(Disas *d, uint32_t v)
{
    PUT(d, "0x%" PRIx64, (uint64_t)(v & 0xffff) << (v >> 16 & 3) * 16);
}

static void p_movn(Disas *d, uint32_t v)
{
    uint64_t n = ~((uint64_t)(v & 0xffff) << (v >> 16 & 3) * 16);

    PUT(d, "0x%" PRIx64, v >> 18 ? n : (uint32_t)n);
}

/* sf, n, immr, imms */
static void p_bitmask(Disas *d, uint32_t v)
{
    uint64_t m = 0;

    arm_bitmask(v >> 12 & 1, v >> 6 & 63, v & 63, v >> 13 & 1, &m);
    PUT(d, "0x%" PRIx64, v >> 13 & 1 ? m : (uint32_t)m);
}

/* sf, immr: what LSL and the inserting forms shift by */
static void p_negr(Disas *d, uint32_t v)
{
    PUT(d, "%u", (0 - v) & (v >> 6 & 1 ? 63 : 31));
}

/* immr, imms: the width of an extraction */
static void p_bfw(Disas *d, uint32_t v)
{
    PUT(d, "%d", (int)(v & 63) - (int)(v >> 6 & 63) + 1);
}

/* ---- addresses ---- */

static void p_off(Disas *d, uint32_t v)
{
    if (v) {
        PUT(d, ", #%d", (int32_t)v);
    }
}

/* size and opcode of a load or store: ld or st, the size, the register */
static void p_ldst(Disas *d, uint32_t v)
{
    g_string_append(d->out, v ? "ld" : "st");
}

static void p_ldz(Disas *d, uint32_t v)
{
    static const char *const names[16] = {"b",  "b", "sb", "sb", "h",  "h", "sh",
                                          "sh", "",  "",   "sw", "sw", "",  ""};

    g_string_append(d->out, names[v & 15] ? names[v & 15] : "");
}

/* size, opcode, number */
static void p_ldr(Disas *d, uint32_t v)
{
    disas_gpr(d, v >> 7 == 3 || (v >> 5 & 3) == 2, v & 31, false);
}

/* load, size, position of the scale: a vector register's offset */
static void p_offv(Disas *d, uint32_t v)
{
    unsigned size = d->word >> 30 | (d->word >> 23 & 1) << 2;

    if (v) {
        PUT(d, ", #%u", v << size);
    }
}

static void p_offz(Disas *d, uint32_t v)
{
    if (v) {
        PUT(d, ", #%u", v << (d->word >> 30));
    }
}

/* Rm, option, S of a register offset, scaled by what the word says */
static void p_areg(Disas *d, uint32_t v)
{
    unsigned opt = v >> 1 & 7, size = d->word >> 30;

    size |= d->word >> 26 & 1 ? (d->word >> 23 & 1) << 2 : 0;
    disas_gpr(d, opt & 1, v >> 4 & 31, false);
    if (opt == 3) {
        if (v & 1) {
            PUT(d, ", lsl #%u", size);
        }
        return;
    }
    PUT(d, ", %s", opt == 2 ? "uxtw" : opt == 6 ? "sxtw" : opt == 7 ? "sxtx" : "uxtx");
    if (v & 1) {
        PUT(d, " #%u", size);
    }
}

static void p_prfop(Disas *d, uint32_t v)
{
    static const char *const types[] = {"pld", "pli", "pst"};

    if (v >> 3 < 3 && (v >> 1 & 3) < 3) {
        PUT(d, "%sl%u%s", types[v >> 3], (v >> 1 & 3) + 1, v & 1 ? "strm" : "keep");
    } else {
        PUT(d, "#0x%02x", v);
    }
}

static void p_szx(Disas *d, uint32_t v)
{
    g_string_append(d->out, v == 0 ? "b" : v == 1 ? "h" : "");
}

/* acquire, release */
static void p_al(Disas *d, uint32_t v)
{
    static const char *const names[] = {"", "l", "a", "al"};

    g_string_append(d->out, names[v & 3]);
}

/* ---- shifts: seven bits, the size by the first that is set */

/* ---- system ---- */

static void p_barrier(Disas *d, uint32_t v)
{
    static const char *const names[16] = {NULL,    "oshld", "oshst", "osh",   NULL,    "nshld",
                                          "nshst", "nsh",   NULL,    "ishld", "ishst", "ish",
                                          NULL,    "ld",    "st",    "sy"};

    if (names[v & 15]) {
        g_string_append(d->out, names[v & 15]);
    } else {
        PUT(d, "#0x%02x", v);
    }
}

static void p_hint(Disas *d, uint32_t v)
{
    static const char *const names[128] = {"nop",
                                           "yield",
                                           "wfe",
                                           "wfi",
                                           "sev",
                                           "sevl",
                                           NULL,
                                           "xpaclri",
                                           "pacia1716",
                                           [10] = "pacib1716",
                                           [12] = "autia1716",
                                           [14] = "autib1716",
                                           [16] = "esb",
                                           "psb\tcsync",
                                           "tsb\tcsync",
                                           [20] = "csdb",
                                           [22] = "clearbhb",
                                           [24] = "paciaz",
                                           "paciasp",
                                           "pacibz",
                                           "pacibsp",
                                           "autiaz",
                                           "autiasp",
                                           "autibz",
                                           "autibsp",
                                           "bti",
                                           [34] = "bti\tc",
                                           [36] = "bti\tj",
                                           [38] = "bti\tjc"};

    if (names[v & 127]) {
        g_string_append(d->out, names[v & 127]);
    } else {
        PUT(d, "hint\t#0x%x", v);
    }
}

/* op1, op2 of MSR with an immediate */
static void p_pstate(Disas *d, uint32_t v)
{
    static const struct {
        uint8_t op;
        const char *name;
    } names[] = {{003, "uao"}, {004, "pan"}, {005, "spsel"},   {010, "allint"}, {031, "ssbs"},
                 {032, "dit"}, {034, "tco"}, {036, "daifset"}, {037, "daifclr"}};

    for (unsigned k = 0; k < ARRAY_COUNT(names); k++) {
        if (names[k].op == v && (v >= 036 || (d->word >> 8 & 15) < 2)) {
            PUT(d, "%s, #0x%x", names[k].name, d->word >> 8 & 15);
            return;
        }
    }
    PUT(d, "s0_%u_c4_c%u_%u, xzr", v >> 3, d->word >> 8 & 15, v & 7);
}

/* op0's lower bit, op1, crn, crm, op2 */
static void p_sysreg(Disas *d, uint32_t v)
{
    unsigned op0 = 2 | v >> 14, op1 = v >> 11 & 7, crn = v >> 7 & 15, crm = v >> 3 & 15,
             op2 = v & 7;
    const ArmSysreg *r = arm_sysreg_find(ARM_SYSREG(op0, op1, crn, crm, op2));

    if (r) {
        g_autofree char *low = g_ascii_strdown(r->name, -1);

        g_string_append(d->out, low);
    } else {
        PUT(d, "s%u_%u_c%u_c%u_%u", op0, op1, crn, crm, op2);
    }
}

/* op1, crn, crm, op2 of SYS */
static void p_sys(Disas *d, uint32_t v)
{
    unsigned op1 = v >> 11 & 7, crn = v >> 7 & 15, crm = v >> 3 & 15, op2 = v & 7,
             rt = d->word & 31;
    const ArmSysreg *r = arm_sysreg_find(ARM_SYSREG(1, op1, crn, crm, op2));

    if (r && strchr(r->name, ' ')) {
        g_autofree char *low = g_ascii_strdown(r->name, -1);

        *strchr(low, ' ') = '\t';
        g_string_append(d->out, low);
        if (rt != 31) {
            PUT(d, ", x%u", rt);
        }
        return;
    }
    PUT(d, "sys\t#%u, C%u, C%u, #%u", op1, crn, crm, op2);
    if (rt != 31) {
        PUT(d, ", x%u", rt);
    }
}

static void p_r1(Disas *d, uint32_t v)
{
    disas_gpr(d, v >> 5 & 1, (v & 31) + 1, false);
}

/* size of an element, number; SP for 31 */
static void p_rzsp(Disas *d, uint32_t v)
{
    disas_gpr(d, v >> 5 == 3, v & 31, true);
}

/* A pair's offset: seven bits, scaled by the size in the upper two */
static int pair_offset(uint32_t w)
{
    int n = (int)(w << 10) >> 25;

    return n * (w >> 26 & 1 ? 4 << (w >> 30) : w >> 31 ? 8 : 4);
}

static void p_immp(Disas *d, uint32_t v)
{
    PUT(d, "%d", pair_offset(d->word));
}

static void p_offp(Disas *d, uint32_t v)
{
    if (pair_offset(d->word)) {
        PUT(d, ", #%d", pair_offset(d->word));
    }
}

static void word_of(Disas *d, uint32_t v, const char *zero, const char *one)
{
    g_string_append(d->out, v & 1 ? one : zero);
}

static void p_ldb(Disas *d, uint32_t v)
{
    word_of(d, v, "st", "ld");
}

static void p_ordl(Disas *d, uint32_t v)
{
    word_of(d, v, "", "l");
}

static void p_orda(Disas *d, uint32_t v)
{
    word_of(d, v, "", "a");
}

static void p_ordll(Disas *d, uint32_t v)
{
    word_of(d, v, "ll", "l");
}

static void p_ordla(Disas *d, uint32_t v)
{
    word_of(d, v, "la", "a");
}

static void p_ab(Disas *d, uint32_t v)
{
    word_of(d, v, "a", "b");
}

static void p_as(Disas *d, uint32_t v)
{
    word_of(d, v, "a", "s");
}

static void p_sige(Disas *d, uint32_t v)
{
    word_of(d, v, "", "e");
}

static void p_ff(Disas *d, uint32_t v)
{
    word_of(d, v, "", "ff");
}

/* two, zero: "g", "zg", "2g", "z2g" */
static void p_stg(Disas *d, uint32_t v)
{
    PUT(d, "%s%sg", v & 1 ? "z" : "", v & 2 ? "2" : "");
}

static void p_pakey(Disas *d, uint32_t v)
{
    static const char *const names[] = {"ia", "ib", "da", "db"};

    g_string_append(d->out, names[v & 3]);
}

static void p_pakeyz(Disas *d, uint32_t v)
{
    static const char *const names[] = {"iza", "izb", "dza", "dzb"};

    g_string_append(d->out, names[v & 3]);
}

static void p_nshift(Disas *d, uint32_t v)
{
    if (v) {
        PUT(d, " #%u", v);
    }
}

static void p_lsln(Disas *d, uint32_t v)
{
    if (v) {
        PUT(d, ", lsl #%u", v);
    }
}

/* clang-format off */
const DisasPrinter disas_a64_printers[] = {
    {"x", p_x}, {"w", p_w}, {"r", p_r}, {"xsp", p_xsp}, {"wsp", p_wsp}, {"rsp", p_rsp},
    {"rz", p_rz}, {"rz1", p_rz1}, {"shift", p_shift}, {"ext", p_ext}, {"imm12", p_imm12},
    {"hw", p_hw}, {"movz", p_movz}, {"movn", p_movn}, {"bitmask", p_bitmask}, {"negr", p_negr},
    {"bfw", p_bfw}, {"off", p_off}, {"ldst", p_ldst}, {"ldz", p_ldz}, {"ldr", p_ldr},
    {"offv", p_offv}, {"offz", p_offz}, {"areg", p_areg}, {"prfop", p_prfop}, {"szx", p_szx},
    {"al", p_al}, {"barrier", p_barrier}, {"hint", p_hint}, {"pstate", p_pstate},
    {"sysreg", p_sysreg}, {"sys", p_sys}, {"r1", p_r1}, {"rzsp", p_rzsp}, {"immp", p_immp},
    {"offp", p_offp}, {"ldb", p_ldb}, {"ordl", p_ordl}, {"orda", p_orda}, {"ordll", p_ordll},
    {"ordla", p_ordla}, {"ab", p_ab}, {"as", p_as}, {"sige", p_sige}, {"ff", p_ff},
    {"stg", p_stg}, {"pakey", p_pakey}, {"pakeyz", p_pakeyz}, {"nshift", p_nshift},
    {"lsln", p_lsln},
    {0}};
/* clang-format on */

/* ---- tests ---- */

/* sf, n, immr, imms: MOV is preferred to ORR when MOVZ and MOVN cannot make the number */
static bool t_movbits(uint32_t v)
{
    bool sf = v >> 13 & 1;
    uint64_t m = 0, all = sf ? UINT64_MAX : UINT32_MAX;

    if (!arm_bitmask(v >> 12 & 1, v >> 6 & 63, v & 63, sf, &m)) {
        return false;
    }
    for (unsigned k = 0; k < (sf ? 64 : 32); k += 16) {
        if (!(m & all & ~(0xffffull << k)) || !(~m & all & ~(0xffffull << k))) {
            return false;
        }
    }
    return true;
}

/* f, s: the last bit of the register */
static bool t_last(uint32_t v)
{
    return (v & 63) == (v >> 6 ? 63 : 31);
}

/* f, r, s: LSL by immediate */
static bool t_lslimm(uint32_t v)
{
    unsigned last = v >> 12 ? 63 : 31, r = v >> 6 & 63, s = v & 63;

    return s != last && s + 1 == r;
}

/* f, n, immr, imms: a bit-field move that there is */
static bool t_badbf(uint32_t v)
{
    bool sf = v >> 13 & 1;

    return sf != (v >> 12 & 1) || (!sf && v & 0x820);
}

static bool t_badmask(uint32_t v)
{
    uint64_t m;

    return !arm_bitmask(v >> 12 & 1, v >> 6 & 63, v & 63, v >> 13 & 1, &m);
}

/* option of a register offset: words or doublewords */
static bool t_badopt(uint32_t v)
{
    return !(v & 2);
}

static bool t_oddpair(uint32_t w)
{
    return (w >> 16 | w) & 1;
}

static bool t_badmasksve(uint32_t v)
{
    uint64_t m;

    return !arm_bitmask(v >> 12 & 1, v >> 6 & 63, v & 63, true, &m);
}

/* DUPM as MOV: where DUP with an immediate cannot make it */
static bool t_dupm(uint32_t v)
{
    uint64_t m = 0;

    arm_bitmask(v >> 12 & 1, v >> 6 & 63, v & 63, true, &m);
    for (unsigned size = 8; size <= 64; size *= 2) {
        uint64_t e = size == 64 ? m : m & ((1ull << size) - 1);
        int64_t sign = (int64_t)(e << (64 - size)) >> (64 - size);
        bool repeats = true;

        for (unsigned k = size; k < 64; k += size) {
            repeats = repeats && (m >> k & (size == 64 ? m : (1ull << size) - 1)) == e;
        }
        if (repeats && ((sign >= -128 && sign < 128) ||
                        (size > 8 && !(sign & 255) && sign >= -32768 && sign < 32768))) {
            return false;
        }
    }
    return true;
}

/* clang-format off */
const DisasTest disas_a64_tests[] = {
    {"movbits", t_movbits}, {"last", t_last}, {"lslimm", t_lslimm}, {"badbf", t_badbf},
    {"badmask", t_badmask}, {"badopt", t_badopt}, {"oddpair", t_oddpair},
    {"badmasksve", t_badmasksve}, {"dupm", t_dupm},
    {0}};
/* clang-format on */
