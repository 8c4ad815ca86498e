// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The disassembler: rows of the decode tables through their templates. A64's integer, branch and
 * load rows read as in the manual without aliases; vector rows name their registers without
 * arrangement; AArch32 rows show their name.
 */
#include "target-arm/a32-trans.h"

#include <string.h>
#include "target-arm/sysreg.h"

static const char *const conds[] = {"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc",
                                    "hi", "ls", "ge", "lt", "gt", "le", "al", "nv"};

static void gpr(GString *out, bool wide, unsigned n, bool sp)
{
    if (n == 31) {
        g_string_append(out, sp ? wide ? "sp" : "wsp" : wide ? "xzr" : "wzr");
    } else {
        g_string_append_printf(out, "%c%u", wide ? 'x' : 'w', n);
    }
}

static void fpr(GString *out, unsigned type, unsigned n)
{
    g_string_append_printf(out, "%c%u", "sd?h"[type & 3], n);
}

typedef struct RegToken {
    const char *name;
    char width;                         /* x, w, or s: by sf */
    uint32_t field;
    bool sp;
} RegToken;

#define RT(n, w, f, sp_) {n, w, offsetof(A64Insn, f), sp_}
/* Longer names first. */
static const RegToken reg_tokens[] = {
    RT("rdsp", 's', rd, true), RT("rnsp", 's', rn, true), RT("xnsp", 'x', rn, true), RT("xmsp", 'x', rm, true), RT("xt2", 'x', rt2, false),
    RT("xd", 'x', rd, false), RT("xn", 'x', rn, false), RT("xm", 'x', rm, false), RT("xa", 'x', ra, false), RT("xt", 'x', rt, false),
    RT("wd", 'w', rd, false), RT("wn", 'w', rn, false), RT("wm", 'w', rm, false), RT("ws", 'w', rs, false), RT("rd", 's', rd, false),
    RT("rn", 's', rn, false), RT("rm", 's', rm, false), RT("ra", 's', ra, false), RT("rt", 's', rt, false),
};

/* One token behind a '%'; its length, 0: not known. */
static size_t token(GString *out, const A64Insn *i, uint64_t va, const char *t, size_t len)
{
    static const char *const shifts[] = {"lsl", "lsr", "asr", "ror"};
    static const char *const extends[] = {"uxtb", "uxth", "uxtw", "uxtx",
                                          "sxtb", "sxth", "sxtw", "sxtx"};
    uint64_t mask;

#define IS(s) (len == sizeof(s) - 1 && memcmp(t, s, len) == 0)
    for (size_t k = 0; k < ARRAY_COUNT(reg_tokens); k++) {
        const RegToken *r = &reg_tokens[k];

        if (strlen(r->name) == len && memcmp(t, r->name, len) == 0) {
            gpr(out, r->width == 'x' || (r->width == 's' && i->sf),
                (unsigned)*(const int32_t *)((const char *)i + r->field), r->sp);
            return len;
        }
    }
    if (IS("rel")) {
        g_string_append_printf(out, "0x%" PRIx64, va + (uint64_t)(int64_t)i->imm);
    } else if (IS("page")) {
        g_string_append_printf(out, "0x%" PRIx64,
                               (uint64_t)((va & ~4095ull) + (uint64_t)(int64_t)i->imm * 4096));
    } else if (IS("imm12")) {
        g_string_append_printf(out, "#0x%x%s", (unsigned)i->imm, i->sh ? ", lsl #12" : "");
    } else if (IS("imm16")) {
        g_string_append_printf(out, "#0x%x", (unsigned)i->imm);
        if (i->hw) {
            g_string_append_printf(out, ", lsl #%u", (unsigned)i->hw * 16);
        }
    } else if (IS("bitmask")) {
        g_string_append_printf(
            out, "#0x%" PRIx64,
            arm_bitmask((unsigned)i->n, (unsigned)i->immr, (unsigned)i->imms, i->sf, &mask) ? mask
                                                                                            : 0);
    } else if (IS("imm") || IS("nzcv")) {
        g_string_append_printf(out, "0x%x", (unsigned)(IS("imm") ? i->imm : i->nzcv));
    } else if (IS("immr") || IS("imms") || IS("bit")) {
        g_string_append_printf(out, "%d", IS("immr") ? i->immr : IS("imms") ? i->imms : i->bit);
    } else if (IS("shift")) {
        if (i->amt) {
            g_string_append_printf(out, ", %s #%d", shifts[i->sh & 3], i->amt);
        }
    } else if (IS("ext")) {
        gpr(out, i->sf && (i->opt & 3) == 3, (unsigned)i->rm, false);
        g_string_append_printf(out, ", %s", extends[i->opt & 7]);
        if (i->amt) {
            g_string_append_printf(out, " #%d", i->amt);
        }
    } else if (IS("cond")) {
        g_string_append(out, conds[i->cond & 15]);
    } else if (IS("logic")) {
        static const char *const names[2][4] = {{"and", "orr", "eor", "ands"},
                                                {"bic", "orn", "eon", "bics"}};

        g_string_append(out, names[i->n & 1][i->op & 3]);
    } else if (IS("sysreg")) {
        const ArmSysreg *r =
            arm_sysreg_find(ARM_SYSREG(2 | i->op0, i->op1, i->crn, i->crm, i->op2));

        if (r) {
            g_autofree char *low = g_ascii_strdown(r->name, -1);

            g_string_append(out, low);
        } else {
            g_string_append_printf(out, "s%d_%d_c%d_c%d_%d", 2 | i->op0, i->op1, i->crn, i->crm,
                                   i->op2);
        }
    } else if (IS("fd") || IS("fn") || IS("fm") || IS("fa")) {
        fpr(out, (unsigned)i->type,
            (unsigned)(t[1] == 'd'   ? i->rd
                       : t[1] == 'n' ? i->rn
                       : t[1] == 'm' ? i->rm
                                     : i->ra));
    } else if (t[0] == 'v' && len >= 2) {
        g_string_append_printf(out, "v%d",
                               t[1] == 'd'   ? i->rd
                               : t[1] == 'n' ? i->rn
                               : t[1] == 'm' ? i->rm
                                             : i->rt);
    } else {
        return 0;
    }
    return len;
#undef IS
}

/* A load's or store's own way: mnemonic by size and opcode, register, address. */
static bool plain_access(GString *out, const A64Insn *i, const char *t)
{
    static const char *const names[4][4] = {{"strb", "ldrb", "ldrsb", "ldrsb"},
                                            {"strh", "ldrh", "ldrsh", "ldrsh"},
                                            {"str", "ldr", "ldrsw", "?"},
                                            {"str", "ldr", "prfm", "?"}};

    if (strncmp(t, "%ldr %ldrt, ", 12) != 0) {
        return false;
    }
    t += 12;
    g_string_append_printf(out, "%s\t", names[i->size & 3][i->opc & 3]);
    gpr(out, i->opc == 2 || (i->size == 3 && i->opc < 2), (unsigned)i->rt, false);
    g_string_append(out, ", [");
    gpr(out, true, (unsigned)i->rn, true);
    if (strcmp(t, "%areg") == 0) {
        g_string_append(out, ", ");
        gpr(out, (i->opt & 3) == 3, (unsigned)i->rm, false);
        g_string_append(out, "]");
        return true;
    }
    int imm = i->scale ? i->imm << i->size : i->imm;

    if (i->mode == 1) {
        g_string_append_printf(out, "], #%d", imm);
    } else {
        if (imm || i->mode == 3) {
            g_string_append_printf(out, ", #%d", imm);
        }
        g_string_append(out, i->mode == 3 ? "]!" : "]");
    }
    return true;
}

static void expand(GString *out, const A64Insn *i, uint64_t va)
{
    const char *t = i->row->assembly;
    bool first = true;

    if (plain_access(out, i, t)) {
        return;
    }
    while (*t) {
        if (*t == '%') {
            size_t len = strspn(t + 1, "abcdefghijklmnopqrstuvwxyz0123456789");

            if (!token(out, i, va, t + 1, len)) {
                g_string_append_len(out, t + 1, (gssize)len);
            }
            t += 1 + len;
        } else {
            g_string_append_c(out, *t == ' ' && first ? '\t' : *t);
            first = first && *t != ' ';
            t++;
        }
    }
}

static unsigned disassemble_a32(ArmCpu *c, const uint8_t *bytes, unsigned len, GString *out)
{
    A32Insn i = {0};
    bool thumb = c->pstate & PSTATE_T, known;
    uint32_t w = 0;

    memcpy(&w, bytes, MIN(len, 4u));
    if (thumb && (w & 0xffff) >> 11 < 0x1d) {
        w &= 0xffff;
        known = t16_decode(&i, w);
        if (known) {
            g_string_append_printf(out, "%s\t; 0x%04x", i.row->assembly, w);
        } else {
            g_string_append_printf(out, ".inst.n\t0x%04x", w);
        }
        return 2;
    }
    if (len < 4) {
        return 0;
    }
    if (thumb) {
        w = w << 16 | w >> 16;
    }
    known = thumb ? t32_decode(&i, w) : w >> 28 == 15 ? a32u_decode(&i, w) : a32_decode(&i, w);
    if (known) {
        g_string_append_printf(out, "%s%s\t; 0x%08x", i.row->assembly,
                               !thumb && w >> 28 < 14 ? conds[w >> 28] : "", w);
    } else {
        g_string_append_printf(out, ".inst\t0x%08x", w);
    }
    return 4;
}

unsigned arm_disassemble(Cpu *cpu, uint64_t va, const uint8_t *bytes, unsigned len, GString *out)
{
    A64Insn i = {0};
    uint32_t word;

    if (arm_is_a32(ARM(cpu))) {
        return disassemble_a32(ARM(cpu), bytes, len, out);
    }
    if (len < 4) {
        return 0;
    }
    memcpy(&word, bytes, 4);
    if (a64_decode(&i, word)) {
        expand(out, &i, va);
    } else {
        g_string_append_printf(out, ".inst\t0x%08x", word);
    }
    return 4;
}
