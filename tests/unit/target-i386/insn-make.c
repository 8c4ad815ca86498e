// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random forms of the opcode tables' rows for test-insn: prefixes, registers, addressing modes,
 * immediates.
 */
#include "tests/unit/target-i386/insn.h"

enum {
    MARKER_SIZE = 4
};

/* Rows that a program cannot run: insn-table.c has them. */
static const char *const in_table[] = {
    "SYSCALL", "SYSENTER", "VMCALL", "VMMCALL", "SGDT", "SIDT", "SLDT", "STR", "SMSW", "SKINIT",
};

bool row_usable(const X86Row *r)
{
    if (r->feature == FEAT_3DNOW || r->feature == FEAT_3DNOWEXT) { /* test-x86-3dnow has tables */
        return false;
    }
    for (unsigned k = 0; k < G_N_ELEMENTS(in_table); k++) {
        if (!strcmp(r->name, in_table[k])) {
            return false;
        }
    }
    return true;
}

bool has_op(const X86Row *r, unsigned op)
{
    return r->ops[0].op == op || r->ops[1].op == op || r->ops[2].op == op || r->ops[3].op == op;
}

static bool is_vector(const X86Row *r, bool rm)
{
    return rm ? has_op(r, X86_OP_W) || has_op(r, X86_OP_U) || has_op(r, X86_OP_Q) ||
                    has_op(r, X86_OP_N)
              : has_op(r, X86_OP_V) || has_op(r, X86_OP_P);
}

/* Not RBX, RSP, RBP, R13, which addresses use. */
static unsigned pick_reg(bool compat)
{
    static const uint8_t regs[] = {0, 1, 2, 6, 7, 8, 9, 10, 11, 14, 15, 12};

    return regs[rnd() % (compat ? 5 : 12)];
}

/* Whether general registers appear as 8-bit ones, where numbers 4..7 without REX mean AH.. */
static bool byte_regs(const X86Row *r)
{
    for (unsigned k = 0; k < 4; k++) {
        uint8_t op = r->ops[k].op;
        if (r->ops[k].size == X86_SZ_B && (op == X86_OP_E || op == X86_OP_G || op == X86_OP_Z)) {
            return true;
        }
    }
    return false;
}

typedef struct Form {
    unsigned high_reg, high_rm, high_index; /* bit 4 of vector registers, in EVEX */
    bool compat;
    uint8_t rex, modrm, sib;
    bool has_sib, opsize, rip;
    unsigned disp, disp_bytes, reg;
} Form;

/*
 * [RBX + disp8], [RBP + disp8], [RBX + disp32], [SIB RBX + disp8], [RBX + R13 * scale + disp8],
 * [disp32], [RIP + disp32].
 */
static unsigned choose_memory(Form *f, bool vector, bool aligned)
{
    static const uint8_t compat_forms[4] = {0, 1, 2, 3};
    unsigned form = aligned ? rnd() % 4 : rnd() % 8;

    form = f->compat ? compat_forms[form & 3] : form;

    f->disp = (unsigned)(rnd() % 128) & (aligned || (vector && rnd() % 8) ? ~15u : ~0u);
    f->modrm = form == 2 ? 0x80 : form >= 5 && form <= 6 ? 0 : 0x40;
    f->disp_bytes = form == 2 || form == 5 || form == 6 ? 4 : 1;
    f->has_sib = form == 3 || form == 4 || form == 5 || form == 7;
    f->sib = 0x23; /* RBX without index */
    if (form == 4 || form == 7) { /* RBX or R13 + R13 or RBX, scaled */
        f->sib = (uint8_t)((rnd() & 3) << 6 | 5 << 3 | 3);
        f->rex |= 2;
    } else if (form == 5) {
        f->sib = 0x25;
        f->disp += MIDDLE;
    } else if (form == 6) {
        f->rip = true;
    }
    return form == 1 || form == 6 ? 5 : f->has_sib ? 4 : 3;
}

/* [RBX + vector * scale + disp8]. */
static unsigned choose_vsib(Form *f)
{
    f->modrm = 0x40;
    f->has_sib = true;
    f->sib = (uint8_t)(rnd() << 3 | 3);
    f->rex |= rnd() & 2;
    f->disp = (unsigned)(rnd() % 128);
    f->disp_bytes = 1;
    f->high_index = rnd() & 1;
    return 4;
}

static void choose_modrm(Form *f, const X86Row *r, bool mem)
{
    unsigned rm;

    if (mem && r->flags & X86_ROW_VSIB) {
        rm = choose_vsib(f);
    } else if (mem) {
        /* AMD's processors do not demand the alignment of SHA's operands that the SDM does */
        rm = choose_memory(f, r->flags & (X86_ROW_SSE | X86_ROW_MMX),
                           !strncmp(r->name, "SHA", 3) && r->flags & X86_ROW_SSE);
    } else {
        rm = r->rm >= 0               ? (unsigned)r->rm
             : r->flags & X86_ROW_FPU ? rnd() % 8
             : has_op(r, X86_OP_F)    ? rnd() % 8
             : is_vector(r, true)     ? rnd() % (r->flags & X86_ROW_EVEX ? 32 : 16)
                                      : pick_reg(f->compat);
        f->modrm = 0xc0;
    }
    f->rex |= (uint8_t)((f->reg >> 3 & 1) << 2 | (rm >> 3 & 1));
    f->high_reg = f->reg >> 4;
    f->high_rm = rm >> 4;
    if (r->flags & X86_ROW_EVEX && mem && f->disp_bytes == 1) {
        f->disp = (rnd() % 48 - 16) & 0xff; /* which is scaled */
    }
    f->modrm |= (uint8_t)((f->reg & 7) << 3 | (rm & 7));
    if (byte_regs(r) && !f->rex && ((!mem && (rm & 7) == 7) || (f->reg & 7) == 7)) {
        if (f->compat) { /* no BH */
            f->modrm &= (uint8_t)((mem ? 0xff : 0xf8) & (r->reg < 0 ? 0xc7 : 0xff));
        } else {
            f->rex |= 0x40;
        }
    }
}

static void choose_opcode_reg(Form *f, const X86Row *r)
{
    unsigned z = r->opcode & 7;

    if (f->compat) {
        return;
    }
    if (z == R_BX || z == R_SP || z == R_BP || (rnd() & 1 && z != R_BP)) {
        z += 8;
    }
    f->rex |= (uint8_t)(z >> 3);
    if (r->flags & X86_ROW_NOB) {
        f->rex &= 0xfe;
    }
    if (byte_regs(r) && z == R_DI) {
        f->rex |= 0x40;
    }
}

static void put_vex(Code *c, const X86Row *r, const Form *f)
{
    static const uint8_t pps[5] = {[X86_PFX_66] = 1, [X86_PFX_F3] = 2, [X86_PFX_F2] = 3};
    unsigned vvvv = has_op(r, X86_OP_H)   ? rnd() % 16
                    : has_op(r, X86_OP_B) ? pick_reg(false)
                    : has_op(r, X86_OP_T) ? rnd() % 8
                                          : 0;
    unsigned l = r->flags & X86_ROW_L1                                ? 1
                 : r->flags & X86_ROW_L0 || !(r->flags & X86_ROW_SSE) ? 0
                                                                      : rnd() % 2;

    put(c, 0xc4, 1);
    put(c, (~f->rex & 7u) << 5 | (r->map - X86_MAP_V1 + 1u), 1);
    put(c, (f->rex >> 3 & 1u) << 7 | (~vvvv & 15u) << 3 | l << 2 | pps[r->prefix], 1);
}

static void put_evex(Code *c, const X86Row *r, const Form *f, bool mem)
{
    static const uint8_t pps[5] = {[X86_PFX_66] = 1, [X86_PFX_F3] = 2, [X86_PFX_F2] = 3};
    unsigned vvvv = has_op(r, X86_OP_H) ? rnd() % 32 : 0;
    unsigned l = r->flags & X86_ROW_L0   ? 0
                 : r->flags & X86_ROW_LL ? 1 + rnd() % 2
                 : r->flags & X86_ROW_L2 ? 2
                                         : rnd() % 3;
    unsigned b = r->evex & (mem ? EV_BC | EV_BC32 | EV_BC64 : EV_ER | EV_SAE) && rnd() % 3 == 0;
    unsigned aaa = r->evex & EV_KNEED ? 1 + rnd() % 7 : r->evex & EV_K && rnd() % 3 ? rnd() % 8 : 0;
    unsigned z = r->evex & EV_Z && aaa && !(mem && r->ops[0].op == X86_OP_W) && rnd() & 1;
    unsigned x = mem ? f->rex >> 1 & 1 : f->high_rm;

    if (r->flags & X86_ROW_VSIB) {
        vvvv = f->high_index << 4;
    }
    if (b && !mem) {
        l = rnd() % 4;
    }
    put(c, 0x62, 1);
    put(c,
        (~f->rex >> 2 & 1u) << 7 | !x << 6 | (~f->rex & 1u) << 5 | !f->high_reg << 4 |
            (unsigned)(r->map - X86_MAP_E1 + 1),
        1);
    put(c, (f->rex >> 3 & 1u) << 7 | (~vvvv & 15u) << 3 | 4 | pps[r->prefix], 1);
    put(c, z << 7 | l << 5 | b << 4 | (~vvvv >> 4 & 1u) << 3 | aaa, 1);
}

/*
 * What changes nothing at addresses below 4 GiB: segment overrides, GS with base 0, 32-bit
 * addresses.
 */
static void put_idle_prefix(Code *c)
{
    static const uint8_t idle[] = {0x26, 0x2e, 0x36, 0x3e, 0x65, 0x67};

    put(c, idle[rnd() % sizeof(idle)], rnd() % 4 == 0);
}

static void put_prefixes(Code *c, const X86Row *r, const Form *f)
{
    if (f->opsize) {
        put(c, 0x66, 1);
    }
    if (r->prefix >= X86_PFX_F3) {
        put(c, r->prefix == X86_PFX_F3 ? 0xf3 : 0xf2, 1);
    }
    if (f->rex) {
        put(c, f->rex | 0x40, 1);
    }
    if (r->map != X86_MAP_1) {
        put(c, 0x0f, 1);
    }
    if (r->map >= X86_MAP_0F38) {
        put(c, r->map == X86_MAP_0F38 ? 0x38 : 0x3a, 1);
    }
}

static void put_immediates(Code *c, const X86Row *r, const Form *f)
{
    unsigned v = f->rex & 8 ? 3 : f->opsize ? 1 : 2;

    for (unsigned k = 0; k < 4; k++) {
        if (r->ops[k].op == X86_OP_I) {
            uint8_t sz = r->ops[k].size;
            uint64_t value = rnd_value();

            put(c, r->trans == trans_ENTER && sz == X86_SZ_W ? value & 0x3ff : value,
                sz == X86_SZ_W   ? 2
                : sz == X86_SZ_V ? 1u << v
                : sz == X86_SZ_Z ? (v == 1 ? 2 : 4)
                                 : 1);
        } else if (r->ops[k].op == X86_OP_O) {
            put(c, MIDDLE + 8, 8);
        } else if (r->ops[k].op == X86_OP_L) {
            put(c, rnd() & 0xf0, 1);
        } else if (r->ops[k].op == X86_OP_J) {
            put(c, MARKER_SIZE, r->ops[k].size == X86_SZ_B ? 1 : 4);
        } else if (r->ops[k].op == X86_OP_A) {
            put(c, CODE + c->n + 6 + MARKER_SIZE, 4);
            put(c, USER_CS32, 2);
        }
    }
}

/* Forms that AMD's processors and Intel's take differently are not made. */
static bool differs_by_vendor(const X86Row *r)
{
    return r->trans == trans_LxS || r->trans == trans_JMPF_ind || r->trans == trans_CALLF_ind ||
           r->trans == trans_INVLPGA;
}

static unsigned choose_reg(const Form *f, const X86Row *r)
{
    bool any = has_op(r, X86_OP_S) || has_op(r, X86_OP_C) || has_op(r, X86_OP_D);

    return r->reg >= 0                                      ? (unsigned)r->reg
           : any                                            ? rnd() % 8
           : has_op(r, X86_OP_K)                            ? rnd() % 8
           : is_vector(r, false) && r->flags & X86_ROW_EVEX ? rnd() % 32
           : is_vector(r, false)                            ? rnd() % 16
                                                            : pick_reg(f->compat);
}

/* A store that a branch goes over. */
static void put_marker(Case *t)
{
    Code *c = &t->code;

    t->insn_end = c->n;
    if (special_branches(t->row)) {
        put(c, 0x01d043c6, MARKER_SIZE); /* movb $1, -48(%rbx) */
    }
    t->landing = CODE + c->n;
}

/* Appends a form of the row: registers, memory near RBX or RBP, immediates at random. */
void put_row(Case *t)
{
    Code *c = &t->code;
    const X86Row *r = t->row;
    Form f = {.opsize = r->prefix == X86_PFX_66 && !(r->flags & X86_ROW_EVEX), .compat = t->compat};
    bool plain = special_branches(r) || differs_by_vendor(r);
    bool has_modrm = r->flags & X86_ROW_MODRM, vex = r->flags & (X86_ROW_VEX | X86_ROW_EVEX);
    bool mem = has_modrm && (r->flags & X86_ROW_MEM || (!(r->flags & X86_ROW_REG) && rnd() % 2));

    if (!plain && (r->prefix == X86_PFX_ANY || r->prefix >= X86_PFX_F3) && !vex && rnd() % 4 == 0 &&
        !(r->flags & (X86_ROW_SSE | X86_ROW_MMX | X86_ROW_FPU))) {
        f.opsize = true;
    }
    bool wide = rnd() % 3 == 0 && !(r->flags & X86_ROW_W0) && !differs_by_vendor(r) && !f.compat;
    if (wide || r->flags & X86_ROW_W1) {
        f.rex |= 8;
    }
    f.reg = choose_reg(&f, r);
    if (has_modrm) {
        choose_modrm(&f, r, mem);
    } else if (r->flags & X86_ROW_PLUS_R) {
        choose_opcode_reg(&f, r);
    }
    if (mem && r->flags & X86_ROW_LOCK && rnd() % 3 == 0) {
        put(c, 0xf0, 1);
    }
    if (r->flags & X86_ROW_REP && rnd() % 4) {
        put(c, rnd() & 1 ? 0xf2 : 0xf3, 1);
        put(c, 0x67, rnd() % 4 == 0);
    }
    if (mem && !(r->flags & X86_ROW_VSIB) && !f.compat) {
        put_idle_prefix(c);
    }
    if (r->flags & X86_ROW_EVEX) {
        put_evex(c, r, &f, mem);
    } else if (vex) {
        put_vex(c, r, &f);
    } else {
        put_prefixes(c, r, &f);
    }
    put(c, r->opcode, 1);
    put(c, f.modrm, has_modrm);
    put(c, f.sib, f.has_sib);
    unsigned disp_at = c->n;
    put(c, f.disp, f.disp_bytes);
    put_immediates(c, r, &f);
    if (f.rip) {
        uint32_t distance = MIDDLE + f.disp - (CODE + c->n);
        memcpy(c->b + disp_at, &distance, 4);
    }
    put_marker(t);
}

/* Something in front that sets flags in one of the lazy ways. */
