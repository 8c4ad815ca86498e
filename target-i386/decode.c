// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instruction decoding: prefixes, REX and VEX, opcode maps, ModRM addressing, immediates. The
 * rows of one opcode are few and are tried in the order of the tables; the first that fits wins.
 * SDM 2 chapter 2 (formats), appendix A (maps). XOP is not there and is #UD.
 */
#include "target-i386/regs.h"
#include "target-i386/trans.h"

typedef struct Fetch {
    const uint8_t *p;
    unsigned n, pos;
    bool more;
} Fetch;

static uint64_t fetch(Fetch *f, unsigned bytes)
{
    uint64_t v = 0;

    if (f->more || f->n - f->pos < bytes) {
        f->more = true;
        return 0;
    }
    for (unsigned k = 0; k < bytes; k++) {
        v |= (uint64_t)f->p[f->pos + k] << (8 * k);
    }
    f->pos += bytes;
    return v;
}

static int64_t fetch_signed(Fetch *f, unsigned bytes)
{
    uint64_t v = fetch(f, bytes);
    unsigned shift = 64 - 8 * bytes;

    return bytes == 0 ? 0 : (int64_t)(v << shift) >> shift;
}

/* Legacy prefixes, then REX. Returns the first byte that is neither. */
static uint8_t decode_prefixes(X86Insn *i, Fetch *f, X86DecodeMode mode)
{
    static const int8_t seg_of[8] = {[0x26 >> 3 & 7] = S_ES, [0x2e >> 3 & 7] = S_CS,
                                     [0x36 >> 3 & 7] = S_SS, [0x3e >> 3 & 7] = S_DS};

    while (!f->more && f->pos < 16) {
        uint8_t byte = (uint8_t)fetch(f, 1);

        if (mode.code64 && (byte & 0xf0) == 0x40) {
            i->rex = byte;
            continue;
        }
        switch (byte) {
        case 0x66:
            i->opsize_prefix = true;
            break;
        case 0x67:
            i->addr_prefix = true;
            break;
        case 0xf0:
            i->lock = true;
            break;
        case 0xf2:
        case 0xf3:
            i->rep = byte;
            break;
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
            if (!mode.code64) {     /* ignored there, also over FS and GS */
                i->seg = seg_of[byte >> 3 & 7];
            }
            break;
        case 0x64:
        case 0x65:
            i->seg = (int8_t)(byte - 0x64 + S_FS);
            break;
        default:
            return byte;
        }
        i->rex = 0;     /* REX counts only right before the opcode */
    }
    return 0;
}

/* VEX prefix: byte is c4 or c5. Returns the opcode, false: it is no VEX prefix or a bad one. */
static bool decode_vex(X86Insn *i, Fetch *f, uint8_t byte, X86DecodeMode mode, bool *bad)
{
    if (mode.no_vex || (!f->more && f->pos == f->n)) {
        f->more |= !mode.no_vex;
        return false;
    }
    uint8_t b1 = f->p[f->pos];
    if (!mode.code64 && (b1 & 0xc0) != 0xc0) {
        return false;       /* LDS, LES */
    }
    if (i->lock || i->rep || i->opsize_prefix || i->rex) {
        *bad = true;
        return true;
    }
    fetch(f, 1);
    uint8_t last = b1, map = 1, rxb = (uint8_t)(~b1 >> 5 & 4);
    if (byte == 0xc4) {
        last = (uint8_t)fetch(f, 1);
        map = b1 & 31;
        rxb = (uint8_t)(~b1 >> 5 & 7);
        rxb |= last >> 7 << 3;
    }
    *bad = map < 1 || map > 3;
    i->vex = true;
    i->rex = mode.code64 ? rxb : rxb & 8;
    i->vvvv = (uint8_t)(~last >> 3 & (mode.code64 ? 15 : 7));
    i->vex_l = last >> 2 & 1;
    i->vex_pp = last & 3;
    i->map = (uint8_t)(X86_MAP_V1 + map - 1);
    i->opcode = (uint8_t)fetch(f, 1);
    return true;
}

/* EVEX prefix, SDM 2A 2.7: byte is 62. False: it is BOUND. */
static bool decode_evex(X86Insn *i, Fetch *f, X86DecodeMode mode, bool *bad)
{
    if (mode.no_vex || (!f->more && f->pos == f->n)) {
        f->more |= !mode.no_vex;
        return false;
    }
    uint8_t p0 = f->p[f->pos];
    if (!mode.code64 && (p0 & 0xc0) != 0xc0) {
        return false;
    }
    if (i->lock || i->rep || i->opsize_prefix || i->rex) {
        *bad = true;
        return true;
    }
    fetch(f, 1);
    uint8_t p1 = (uint8_t)fetch(f, 1), p2 = (uint8_t)fetch(f, 1), map = p0 & 7;
    *bad = p0 & 8 || map < 1 || map > 3 || !(p1 & 4);
    i->evex = i->vex = true;
    i->rex = (uint8_t)((~p0 >> 5 & 7) | p1 >> 7 << 3);
    i->evex_x = i->rex & 2 ? 16 : 0;
    i->evex_r = p0 & 16 ? 0 : 16;
    i->evex_high = !(p2 & 8);
    i->vvvv = (uint8_t)(~p1 >> 3 & 15);
    if (!mode.code64) {
        i->rex &= 8;
        i->evex_x = i->evex_r = 0;
        i->vvvv &= 7;
        i->evex_high = false;
    }
    i->vex_pp = p1 & 3;
    i->vex_l = i->evex_rc = p2 >> 5 & 3;
    i->evex_z = p2 >> 7;
    i->evex_b = p2 >> 4 & 1;
    i->evex_aaa = p2 & 7;
    i->map = (uint8_t)(X86_MAP_E1 + map - 1);
    i->opcode = (uint8_t)fetch(f, 1);
    return true;
}

static void decode_modrm16(X86Insn *i, Fetch *f)
{
    static const int8_t base[8] = {R_BX, R_BX, R_BP, R_BP, R_SI, R_DI, R_BP, R_BX};
    static const int8_t index[8] = {R_SI, R_DI, R_SI, R_DI, -1, -1, -1, -1};

    i->base = base[i->rm & 7];
    i->index = index[i->rm & 7];
    i->scale = 0;
    if (i->mod == 0 && i->rm == 6) {
        i->base = -1;
        i->disp = fetch_signed(f, 2);
    } else {
        i->disp = fetch_signed(f, i->mod);
        i->disp8 = i->mod == 1;
    }
}

static void decode_modrm32(X86Insn *i, Fetch *f, bool code64)
{
    uint8_t rex_x = i->rex >> 1 & 1, rex_b = i->rex & 1;

    i->index = -1;
    i->base = (int8_t)i->rm;
    if ((i->modrm & 7) == 4) {
        uint8_t sib = (uint8_t)fetch(f, 1);

        i->scale = sib >> 6;
        i->index = (int8_t)((sib >> 3 & 7) | rex_x << 3);
        i->vsib = (uint8_t)(i->index | (i->evex && i->evex_high ? 16 : 0));
        if (i->index == 4) {
            i->index = -1;
        }
        i->base = (int8_t)((sib & 7) | rex_b << 3);
        if ((sib & 7) == 5 && i->mod == 0) {
            i->base = -1;
            i->disp = fetch_signed(f, 4);
            return;
        }
    } else if ((i->modrm & 7) == 5 && i->mod == 0) {
        i->base = code64 ? 16 : -1;
        i->disp = fetch_signed(f, 4);
        return;
    }
    i->disp = fetch_signed(f, i->mod == 1 ? 1 : i->mod == 2 ? 4 : 0);
    i->disp8 = i->mod == 1;
}

/*
 * SDM 2A 2.7.11: bits of the prefix that the row has no use for. With registers EVEX.b takes
 * L'L for the rounding, and the length is 512 bits.
 */
static bool evex_fits(const X86Row *r, const X86Insn *i)
{
    uint32_t v = r->evex;
    bool reg = i->mod == 3;

    if (i->evex_b && !(v & (reg ? EV_ER | EV_SAE : EV_BC | EV_BC32 | EV_BC64))) {
        return false;
    }
    if ((i->vex_l == 3 && !(reg && i->evex_b)) || (i->evex_high && !(r->flags & X86_ROW_VSIB) &&
                                                   r->flags & X86_ROW_NOVVVV)) {
        return false;
    }
    if ((i->evex_aaa && !(v & EV_K)) || (!i->evex_aaa && v & EV_KNEED)) {
        return false;
    }
    return !i->evex_z || (v & EV_Z && i->evex_aaa && !(r->ops[0].op == X86_OP_W && !reg));
}

static bool row_fits(const X86Row *r, const X86Insn *i, X86DecodeMode mode)
{
    uint32_t f = r->flags;
    uint8_t pfx66 = i->opsize_prefix, rep = i->rep, w = i->rex >> 3 & 1;

    if (i->vex) {
        static const uint8_t reps[4] = {0, 0, 0xf3, 0xf2};
        pfx66 = i->vex_pp == 1;
        rep = reps[i->vex_pp];
    }
    bool ok;
    switch (r->prefix) {
    case X86_PFX_NP:
        ok = !pfx66 && !rep;
        break;
    case X86_PFX_66:
        ok = pfx66 && !rep;
        break;
    case X86_PFX_F3:
        ok = rep == 0xf3;
        break;
    case X86_PFX_F2:
        ok = rep == 0xf2;
        break;
    default:
        ok = true;
    }
    if (f & X86_ROW_MODRM) {
        bool is_reg = i->modrm >> 6 == 3;
        ok &= (r->reg < 0 || r->reg == (i->modrm >> 3 & 7)) &&
              (r->rm < 0 || r->rm == (i->modrm & 7)) && !(f & X86_ROW_MEM && is_reg) &&
              !((f & (X86_ROW_REG | X86_ROW_ANYMOD)) == X86_ROW_REG && !is_reg);
    }
    return ok && !(f & X86_ROW_I64 && mode.code64) && !(f & X86_ROW_O64 && !mode.code64) &&
           !(f & X86_ROW_NOB && i->rex & 1) && !(f & X86_ROW_W0 && w) && !(f & X86_ROW_W1 && !w) &&
           !(f & X86_ROW_L0 && i->vex_l) && !(f & X86_ROW_L1 && i->vex_l != 1) &&
           !(f & X86_ROW_L2 && i->vex_l != 2) && !(f & X86_ROW_LL && !i->vex_l) &&
           !(f & X86_ROW_NOVVVV && i->vvvv) && (!i->evex || evex_fits(r, i));
}

static uint8_t operand_size(const X86Insn *i, uint8_t size, bool code64)
{
    switch (size) {
    case X86_SZ_B:
    case X86_SZ_BS:
        return 0;
    case X86_SZ_W:
        return 1;
    case X86_SZ_D:
        return 2;
    case X86_SZ_Q:
        return 3;
    case X86_SZ_DQ:
        return 4;
    case X86_SZ_QQ:
        return 5;
    case X86_SZ_X:
        return 4 + i->vex_l;
    case X86_SZ_XH:
        return 3 + i->vex_l;
    case X86_SZ_XQ:
        return 2 + i->vex_l;
    case X86_SZ_XE:
        return 1 + i->vex_l;
    case X86_SZ_Z:
        return i->opsize == 1 ? 1 : 2;
    case X86_SZ_Y:
        return i->opsize == 3 ? 3 : 2;
    case X86_SZ_N:
        return code64 ? 3 : 2;
    default:
        return i->opsize;
    }
}

static void reg_operand(X86Operand *o, const X86Insn *i, uint8_t reg)
{
    o->kind = X86_REG;
    o->reg = reg;
    if (o->size == 0 && !i->rex && !i->vex && reg >= 4) {
        o->high = true;
        o->reg = reg - 4;
    }
}

static void decode_immediate(X86Insn *i, X86Operand *o, uint8_t size, Fetch *f)
{
    o->kind = X86_IMM;
    if (size == X86_SZ_BS) {
        o->imm = (uint64_t)fetch_signed(f, 1);
        o->size = i->opsize;
    } else if (size == X86_SZ_Z) {
        o->imm = (uint64_t)fetch_signed(f, 1u << o->size);
        o->size = i->opsize;
    } else {
        o->imm = fetch(f, 1u << o->size);
    }
}

static void mask_operand(X86Operand *o, const X86Insn *i, uint8_t op)
{
    o->kind = op == X86_OP_F && i->mod != 3 ? X86_MEM : X86_KREG;
    o->reg = (op == X86_OP_K ? i->reg : op == X86_OP_F ? i->rm : i->vvvv) & 7;
}

static void decode_operand(X86Insn *i, X86Operand *o, X86OpSpec spec, Fetch *f, bool code64)
{
    uint8_t reg = i->reg, rm = i->rm;
    bool mem = i->mod != 3;

    o->size = operand_size(i, spec.size, code64);
    switch (spec.op) {
    case X86_OP_E:
        if (mem) {
            o->kind = X86_MEM;
        } else {
            reg_operand(o, i, rm);
        }
        break;
    case X86_OP_M:
        o->kind = X86_MEM;
        if (i->row->flags & X86_ROW_VSIB) {
            i->index = -1;              /* no general register */
        }
        break;
    case X86_OP_R:
        reg_operand(o, i, rm);
        break;
    case X86_OP_G:
        reg_operand(o, i, reg);
        break;
    case X86_OP_Z:
        reg_operand(o, i, (uint8_t)((i->opcode & 7) | (i->rex & 1) << 3));
        break;
    case X86_OP_B:
        reg_operand(o, i, i->vvvv);
        break;
    case X86_OP_AX:
    case X86_OP_CL:
    case X86_OP_DX:
        o->kind = X86_REG;
        o->reg = (uint8_t)(spec.op - X86_OP_AX);
        break;
    case X86_OP_I:
        decode_immediate(i, o, spec.size, f);
        break;
    case X86_OP_ONE:
        o->kind = X86_IMM;
        o->size = 0;
        o->imm = 1;
        break;
    case X86_OP_J:
        o->kind = X86_REL;
        o->imm = (uint64_t)fetch_signed(f, 1u << o->size);
        break;
    case X86_OP_O:
        o->kind = X86_MEM;
        i->mod = 0;
        i->base = i->index = -1;
        i->disp = (int64_t)fetch(f, 1u << i->addrsize);
        break;
    case X86_OP_A:
        o->kind = X86_FAR;
        o->imm = fetch(f, 1u << i->opsize);
        i->selector = (uint16_t)fetch(f, 2);
        break;
    case X86_OP_S:
        o->kind = X86_SEG;
        o->reg = reg & 7;
        break;
    case X86_OP_ES: case X86_OP_CS: case X86_OP_SS: case X86_OP_DS: case X86_OP_FS: case X86_OP_GS:
        o->kind = X86_SEG;
        o->reg = (uint8_t)(spec.op - X86_OP_ES);
        break;
    case X86_OP_C:
        o->kind = X86_CREG;
        o->reg = reg;
        break;
    case X86_OP_D:
        o->kind = X86_DREG;
        o->reg = reg;
        break;
    case X86_OP_X:
    case X86_OP_Y:
        o->kind = X86_STR;
        o->reg = spec.op == X86_OP_X ? R_SI : R_DI;
        break;
    case X86_OP_V:
    case X86_OP_U:
    case X86_OP_W:
        o->kind = spec.op == X86_OP_W && mem ? X86_MEM : X86_XMM;
        o->reg = spec.op == X86_OP_V ? reg | i->evex_r : rm | i->evex_x;
        break;
    case X86_OP_H:
        o->kind = X86_XMM;
        o->reg = i->vvvv | (i->evex_high ? 16 : 0);
        break;
    case X86_OP_K:
    case X86_OP_F:
    case X86_OP_T:
        mask_operand(o, i, spec.op);
        break;
    case X86_OP_L:
        o->kind = X86_XMM;
        o->imm = fetch(f, 1);
        o->reg = (uint8_t)(o->imm >> 4 & (code64 ? 15 : 7));
        break;
    case X86_OP_XMM0:
        o->kind = X86_XMM;
        o->reg = 0;
        break;
    case X86_OP_P:
    case X86_OP_N:
    case X86_OP_Q:
        o->kind = spec.op == X86_OP_Q && mem ? X86_MEM : X86_MMX;
        o->reg = (spec.op == X86_OP_P ? reg : rm) & 7;
        break;
    case X86_OP_ST0:
    case X86_OP_STI:
        o->kind = X86_ST;
        o->reg = spec.op == X86_OP_ST0 ? 0 : rm & 7;
        break;
    default:
        break;
    }
}

/* The element that a row's masks and broadcasts are of: log2 of bytes. */
unsigned x86_evex_element(const X86Row *r)
{
    return r->evex & EV_E8 ? 0 : r->evex & EV_E16 ? 1 : r->evex & EV_E32 ? 2 : 3;
}

/* SDM 2A 2.7.5: an 8-bit displacement counts in memory operands (or elements of them). */
static void scale_disp8(X86Insn *i)
{
    if (!i->evex || !i->disp8) {
        return;
    }
    const X86Row *r = i->row;
    unsigned k = 0;
    while (k < 3 && i->op[k].kind != X86_MEM) {
        k++;
    }
    bool single = r->flags & X86_ROW_VSIB || r->driver == evex_COMPRESS || r->driver == evex_EXPAND;
    unsigned size = single ? x86_evex_element(r) : i->op[k].size;
    if (i->evex_b) {
        /* elements of the source are as many as those of the result */
        unsigned es = x86_evex_element(r);
        unsigned many = (i->op[0].kind == X86_XMM ? i->op[0].size : size) - es;
        size = r->evex & EV_BC32 ? 2 : r->evex & EV_BC64 ? 3 : size - many;
    }
    i->disp *= 1 << size;
}

static void decode_sizes(X86Insn *i, uint32_t flags, X86DecodeMode mode)
{
    bool w = i->rex >> 3 & 1;

    if (!mode.code64) {
        i->opsize = mode.code32 != i->opsize_prefix ? 2 : 1;
        i->opsize = i->vex ? 2 : i->opsize;
    } else if (w || flags & X86_ROW_F64) {
        i->opsize = 3;
    } else if (flags & X86_ROW_D64) {
        i->opsize = i->opsize_prefix ? 1 : 3;
    } else {
        i->opsize = i->opsize_prefix ? 1 : 2;
    }
}

static void decode_modrm(X86Insn *i, Fetch *f, X86DecodeMode mode, bool anymod)
{
    i->modrm = (uint8_t)fetch(f, 1);
    i->mod = anymod ? 3 : i->modrm >> 6;
    i->reg = (uint8_t)((i->modrm >> 3 & 7) | (i->rex >> 2 & 1) << 3);
    i->rm = (uint8_t)((i->modrm & 7) | (i->rex & 1) << 3);
    if (i->mod == 3) {
        return;
    }
    if (i->addrsize == 1) {
        decode_modrm16(i, f);
    } else {
        decode_modrm32(i, f, mode.code64);
    }
}

static bool decode_opcode(X86Insn *i, Fetch *f, X86DecodeMode mode)
{
    uint8_t byte = decode_prefixes(i, f, mode);
    bool bad = false;

    i->addrsize = mode.code64 ? (i->addr_prefix ? 2 : 3) : mode.code32 != i->addr_prefix ? 2 : 1;
    if ((byte & 0xfe) == 0xc4 && !f->more && decode_vex(i, f, byte, mode, &bad)) {
        return !bad;
    }
    if (byte == 0x62 && !f->more && decode_evex(i, f, mode, &bad)) {
        return !bad;
    }
    if (byte == 0x0f) {
        i->map = X86_MAP_0F;
        byte = (uint8_t)fetch(f, 1);
        if (byte == 0x0f) {
            i->map = X86_MAP_3D;    /* the opcode is behind the operands */
            decode_modrm(i, f, mode, false);
            byte = (uint8_t)fetch(f, 1);
        } else if (byte == 0x38 || byte == 0x3a) {
            i->map = byte == 0x38 ? X86_MAP_0F38 : X86_MAP_0F3A;
            byte = (uint8_t)fetch(f, 1);
        }
    }
    i->opcode = byte;
    return true;
}

X86Decoded x86_decode(X86Insn *i, const uint8_t *p, unsigned n, X86DecodeMode mode)
{
    Fetch f = {.p = p, .n = n > 16 ? 16 : n};

    *i = (X86Insn){.seg = -1, .base = -1, .index = -1, .mod = 3};
    bool good = decode_opcode(i, &f, mode);

    /* A VEX prefix may name a map that does not exist. */
    unsigned map = good ? i->map : 0, k = x86_row_index[map][i->opcode],
             end = x86_row_index[map][i->opcode + 1];
    if (good && !f.more && k < end && x86_rows[k].flags & X86_ROW_MODRM && map != X86_MAP_3D) {
        decode_modrm(i, &f, mode, x86_rows[k].flags & X86_ROW_ANYMOD);
    }
    while (good && !f.more && k < end && !row_fits(&x86_rows[k], i, mode)) {
        k++;
    }
    if (good && !f.more && k < end) {
        i->row = &x86_rows[k];
        if (i->evex && i->evex_b && i->mod == 3) {
            i->vex_l = 2;
        }
        decode_sizes(i, i->row->flags, mode);
        for (unsigned o = 0; o < 4 && i->row->ops[o].op; o++) {
            decode_operand(i, &i->op[o], i->row->ops[o], &f, mode.code64);
        }
        scale_disp8(i);
    }
    i->len = (uint8_t)f.pos;
    if (f.more ? n >= 15 : f.pos > 15) {
        return X86_TOO_LONG;
    }
    if (f.more) {
        return X86_MORE;
    }
    /* LOCK only where the destination is memory (SDM 2A "LOCK") */
    if (!i->row || (i->lock && !(i->row->flags & X86_ROW_LOCK && x86_has_mem(i)))) {
        return X86_UD;
    }
    return X86_OK;
}
