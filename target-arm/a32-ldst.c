// SPDX-License-Identifier: GPL-2.0-or-later
/* A32 and T32 loads and stores: single, double, multiple, exclusive, ordered. F5.1. */
#include "target-arm/a32-trans.h"
#include "target-arm/m-trans.h"

static IrVal address(ArmCtx *s, IrVal a)
{
    return ir_zextq(s->b, a);
}

/* Shifted index of register offsets: as in data processing, flags aside. */
static IrVal index_of(ArmCtx *s, const A32Insn *i)
{
    IrBuilder *b = s->b;
    IrVal v = a32_reg(s, i->rm);
    unsigned n = (unsigned)i->amt;

    switch (i->type) {
    case 0:
        return n ? ir_shli(b, v, n) : v;
    case 1:
        return n ? ir_shri(b, v, n) : ir_i32(b, 0);
    case 2:
        return ir_sari(b, v, n ? n : 31);
    default:
        return n ? ir_rotr(b, v, ir_i32(b, n))
                 : ir_or(b, ir_shri(b, v, 1), ir_shli(b, arm_carry(s), 31));
    }
}

static void put_loaded(ArmCtx *s, unsigned rt, IrVal v)
{
    if (rt != 15) {
        a32_set_plain(s, rt, v);
    } else if (arm_has(s->cpu, FEATURE_V5)) {
        a32_bx(s, v, WAY_RETURN);
    } else {
        a32_branch(s, v, WAY_RETURN);
    }
}

/* A load or store of a core that takes no unaligned ones. */
static IrVal rotated_load(ArmCtx *s, const A32Insn *i, IrVal addr, unsigned mmu)
{
    IrBuilder *b = s->b;
    IrVal v = arm_load(s, IR_I32, address(s, ir_andi(b, addr, ~0u << i->size)),
                       (unsigned)i->size | (i->sign ? MEM_SIGN : 0), mmu);

    return i->size == 2 ? ir_rotr(b, v, ir_shli(b, ir_andi(b, addr, 3), 3)) : v;
}

bool trans_a32_ldst(ArmCtx *s, const A32Insn *i)
{
    IrBuilder *b = s->b;
    bool unpriv = !i->p && i->w, wback = !i->p || i->w;
    unsigned mmu = unpriv ? s->mmu_user : s->mmu;

    if (i->load && i->rt == 15 && i->size < 2) {
        return true;        /* PLD, PLI in T32 */
    }
    if ((wback && i->rn == 15) || (i->size == 3 && i->rt & 1)) {
        return false;
    }
    IrVal base = i->rn == 15 ? a32_base(s, 15) : a32_reg(s, i->rn),
          offset = i->reg ? index_of(s, i) : ir_i32(b, (uint32_t)i->imm);
    IrVal moved = i->u ? ir_add(b, base, offset) : ir_sub(b, base, offset),
          addr = i->p ? moved : base;

    if (i->size == 3) {
        IrVal second = address(s, ir_addi(b, addr, 4));
        unsigned op = MEM_32 | MEM_ALIGN;

        if (i->load) {
            IrVal x = arm_load(s, IR_I32, address(s, addr), op, mmu),
                  y = arm_load(s, IR_I32, second, op, mmu);

            if (wback) {
                a32_set_plain(s, i->rn, moved);
            }
            a32_set_plain(s, i->rt, x);
            a32_set_plain(s, i->rt + 1, y);
        } else {
            arm_store(s, a32_reg(s, i->rt), address(s, addr), op, mmu);
            arm_store(s, a32_reg(s, i->rt + 1), second, op, mmu);
            if (wback) {
                a32_set_plain(s, i->rn, moved);
            }
        }
        return true;
    }
    if (i->load) {
        IrVal v = a32_rotates(s)
                      ? rotated_load(s, i, addr, mmu)
                      : arm_load(s, IR_I32, address(s, addr),
                                 (unsigned)i->size | (i->sign ? MEM_SIGN : 0), mmu);

        if (wback) {
            a32_set_plain(s, i->rn, moved);
        }
        put_loaded(s, i->rt, v);
    } else {
        IrVal at = a32_rotates(s) ? ir_andi(b, addr, ~0u << i->size) : addr;

        arm_store(s, a32_reg(s, i->rt), address(s, at), i->size, mmu);
        if (wback) {
            a32_set_plain(s, i->rn, moved);
        }
    }
    return true;
}

bool trans_t32_ldst_i8(ArmCtx *s, const A32Insn *i)
{
    A32Insn m = *i;

    if ((!i->p && !i->w) || (i->rn == 15 && !i->load)) {
        return false;
    }
    if (i->p && i->u && !i->w) {        /* unprivileged */
        unsigned mmu = s->mmu;

        s->mmu = s->mmu_user;
        bool ok = trans_a32_ldst(s, &m);

        s->mmu = mmu;
        return ok;
    }
    /* post-indexed forms are not unprivileged here */
    unsigned user = s->mmu_user;

    s->mmu_user = s->mmu;
    bool ok = trans_a32_ldst(s, &m);

    s->mmu_user = user;
    return ok;
}

bool trans_t32_ldrd(ArmCtx *s, const A32Insn *i)
{
    IrBuilder *b = s->b;
    IrVal base = a32_base(s, i->rn), moved = ir_addi(b, base, i->u ? i->imm : -i->imm),
          addr = i->p ? moved : base;
    IrVal second = address(s, ir_addi(b, addr, 4));
    unsigned op = MEM_32 | MEM_ALIGN;

    if (i->rt == 15 || i->rt2 == 15 || (i->w && i->rn == 15)) {
        return false;
    }
    if (i->load) {
        IrVal x = arm_load(s, IR_I32, address(s, addr), op, s->mmu),
              y = arm_load(s, IR_I32, second, op, s->mmu);

        if (i->w) {
            a32_set_plain(s, i->rn, moved);
        }
        a32_set_plain(s, i->rt, x);
        a32_set_plain(s, i->rt2, y);
    } else {
        arm_store(s, a32_reg(s, i->rt), address(s, addr), op, s->mmu);
        arm_store(s, a32_reg(s, i->rt2), second, op, s->mmu);
        if (i->w) {
            a32_set_plain(s, i->rn, moved);
        }
    }
    return true;
}

/* ---- multiple ---- */

static IrVal lowest(ArmCtx *s, const A32Insn *i, IrVal base, unsigned bytes)
{
    return i->u ? i->p ? ir_addi(s->b, base, 4) : base
                : ir_addi(s->b, base, (i->p ? 0 : 4) - (int)bytes);
}

bool trans_a32_stm(ArmCtx *s, const A32Insn *i)
{
    unsigned bytes = 4 * (unsigned)__builtin_popcount((unsigned)i->list), at = 0;

    if (i->rn == 15 || i->list == 0) {
        return false;
    }
    IrVal base = a32_reg(s, i->rn), low = lowest(s, i, base, bytes);

    if (i->rn == 13 && i->w && arm_is_m(s)) {
        arm_m_sp_limit_check(s, low);
    }
    for (unsigned r = 0; r < 16; r++) {
        if (i->list >> r & 1) {
            IrVal v = i->user && r >= 8 && r < 15 ? ir_call_a32_get_user(s->b, ir_i32(s->b, r))
                                                  : a32_reg(s, r);

            arm_store(s, v, address(s, ir_addi(s->b, low, at)), MEM_32 | MEM_ALIGN, s->mmu);
            at += 4;
        }
    }
    if (i->w) {
        a32_set_plain(s, i->rn, ir_addi(s->b, base, i->u ? (int)bytes : -(int)bytes));
    }
    return true;
}

bool trans_a32_ldm(ArmCtx *s, const A32Insn *i)
{
    unsigned bytes = 4 * (unsigned)__builtin_popcount((unsigned)i->list), at = 0;
    bool pc = i->list >> 15 & 1, banked = i->user && !pc;
    IrVal v[16];

    if (i->rn == 15 || i->list == 0) {
        return false;
    }
    IrVal base = a32_reg(s, i->rn), low = lowest(s, i, base, bytes);

    for (unsigned r = 0; r < 16; r++) {
        if (i->list >> r & 1) {
            v[r] =
                arm_load(s, IR_I32, address(s, ir_addi(s->b, low, at)), MEM_32 | MEM_ALIGN, s->mmu);
            at += 4;
        }
    }
    if (i->w) {
        a32_set_plain(s, i->rn, ir_addi(s->b, base, i->u ? (int)bytes : -(int)bytes));
    }
    for (unsigned r = 0; r < 15; r++) {
        if (!(i->list >> r & 1)) {
            continue;
        }
        if (banked && r >= 8) {
            ir_call_a32_set_user(s->b, ir_i32(s->b, r), v[r]);
        } else {
            a32_set_plain(s, r, v[r]);
        }
    }
    if (pc && i->user) {
        ir_call_a32_return(s->b, v[15]);
        ir_exit(s->b, IR_EXIT_LOOP);
        s->ended = true;
    } else if (pc) {
        put_loaded(s, 15, v[15]);
    }
    return true;
}

bool trans_t16_ldm(ArmCtx *s, const A32Insn *i)
{
    A32Insn m = *i;

    m.u = 1;
    m.w = !(i->list >> i->rn & 1);
    return trans_a32_ldm(s, &m);
}

bool trans_t16_push(ArmCtx *s, const A32Insn *i)
{
    A32Insn m = {.rn = 13, .p = 1, .w = 1, .list = i->list | i->lr << 14};

    return trans_a32_stm(s, &m);
}

bool trans_t16_pop(ArmCtx *s, const A32Insn *i)
{
    A32Insn m = {.rn = 13, .u = 1, .w = 1, .list = i->list | i->pc << 15};

    return trans_a32_ldm(s, &m);
}

bool trans_a32_rfe(ArmCtx *s, const A32Insn *i)
{
    if (s->mode & MODE_USER_A32 || i->rn == 15) {
        return false;
    }
    IrVal base = a32_reg(s, i->rn), low = lowest(s, i, base, 8);
    IrVal pc = arm_load(s, IR_I32, address(s, low), MEM_32 | MEM_ALIGN, s->mmu);
    IrVal psr = arm_load(s, IR_I32, address(s, ir_addi(s->b, low, 4)), MEM_32 | MEM_ALIGN, s->mmu);

    if (i->w) {
        a32_set_plain(s, i->rn, ir_addi(s->b, base, i->u ? 8 : -8));
    }
    ir_call_a32_rfe(s->b, pc, psr);
    ir_exit(s->b, IR_EXIT_LOOP);
    s->ended = true;
    return true;
}

bool trans_a32_srs(ArmCtx *s, const A32Insn *i)
{
    if (s->mode & (MODE_USER_A32 | MODE_SYS_A32)) {
        return false;
    }
    IrVal sp = ir_call_a32_banked_sp(s->b, ir_i32(s->b, i->mode)), low = lowest(s, i, sp, 8);

    arm_store(s, a32_reg(s, 14), address(s, low), MEM_32 | MEM_ALIGN, s->mmu);
    arm_store(s, ir_call_a32_get_spsr(s->b), address(s, ir_addi(s->b, low, 4)), MEM_32 | MEM_ALIGN,
              s->mmu);
    if (i->w) {
        ir_call_a32_set_banked_sp(s->b, ir_i32(s->b, i->mode), ir_addi(s->b, sp, i->u ? 8 : -8));
    }
    return true;
}

/* ---- exclusive; size: 0 word, 1 double, 2 byte, 3 half, as A32 numbers them ---- */

static const uint8_t ex_size[4] = {2, 3, 0, 1};

static void load_exclusive(ArmCtx *s, const A32Insn *i, unsigned rt2)
{
    IrVal addr = address(s, ir_addi(s->b, a32_reg(s, i->rn), i->imm));
    IrVal v = arm_load(s, IR_I64, addr, ex_size[i->size] | MEM_ALIGN, s->mmu);

    ir_set(s->b, V_EXCL_ADDR, addr);
    ir_set(s->b, V_EXCL_VAL, v);
    if (i->size == 1) {
        bool swap = s->mode & MODE_BIG;
        IrVal low = ir_trunc(s->b, v), high = ir_trunc(s->b, ir_shri(s->b, v, 32));

        a32_set_plain(s, i->rt, swap ? high : low);
        a32_set_plain(s, rt2, swap ? low : high);
    } else {
        a32_set_plain(s, i->rt, ir_trunc(s->b, v));
    }
}

static void store_exclusive(ArmCtx *s, const A32Insn *i, unsigned rt2)
{
    IrBuilder *b = s->b;
    IrBlock *match = ir_block(b), *fail = ir_cold_block(b), *end = ir_block(b);
    IrVar at = ir_local(b, IR_I64), r = ir_local(b, IR_I32);
    unsigned size = ex_size[i->size];
    IrVal addr = address(s, ir_addi(b, a32_reg(s, i->rn), i->imm)), value, expect, old;

    ir_set(b, at, addr);
    ir_brcond(b, COND_EQ, addr, ir_get(b, V_EXCL_ADDR), match, fail);
    ir_place(b, match);
    expect = ir_get(b, V_EXCL_VAL);
    if (size == 3) {
        value = s->mode & MODE_BIG ? ir_concat(b, a32_reg(s, rt2), a32_reg(s, i->rt))
                                   : ir_concat(b, a32_reg(s, i->rt), a32_reg(s, rt2));
    } else {
        value = a32_reg(s, i->rt);
        expect = ir_trunc(b, expect);
    }
    old = ir_cmpxchg(b, expect, value, ir_get(b, at), (MemOp)(size | s->mem | MEM_ALIGN), s->mmu);
    if (size < 2) {
        old = size ? ir_zext16(b, old) : ir_zext8(b, old);
    }
    ir_set(b, r, ir_setcond(b, COND_NE, old, expect));
    ir_br(b, end);
    ir_place(b, fail);
    ir_set(b, r, ir_i32(b, 1));
    ir_place(b, end);
    ir_set(b, V_EXCL_ADDR, ir_i64(b, UINT64_MAX));
    a32_set_plain(s, i->rd, ir_get(b, r));
}

bool trans_a32_ldrex(ArmCtx *s, const A32Insn *i)
{
    load_exclusive(s, i, i->rt + 1);
    return true;
}

bool trans_a32_strex(ArmCtx *s, const A32Insn *i)
{
    store_exclusive(s, i, i->rt + 1);
    return true;
}

bool trans_t32_ldrexd(ArmCtx *s, const A32Insn *i)
{
    A32Insn m = *i;

    m.size = 1;
    load_exclusive(s, &m, i->rt2);
    return true;
}

bool trans_t32_strexd(ArmCtx *s, const A32Insn *i)
{
    A32Insn m = *i;

    m.size = 1;
    store_exclusive(s, &m, i->rt2);
    return true;
}

bool trans_a32_lda(ArmCtx *s, const A32Insn *i)
{
    if (!(arm_has(s->cpu, FEATURE_V8) || arm_has(s->cpu, FEATURE_M_V8)) || i->size == 1) {
        return false;
    }
    a32_set_plain(
        s, i->rt,
        arm_load(s, IR_I32, address(s, a32_reg(s, i->rn)), ex_size[i->size] | MEM_ALIGN, s->mmu));
    return true;
}

bool trans_a32_stl(ArmCtx *s, const A32Insn *i)
{
    if (!(arm_has(s->cpu, FEATURE_V8) || arm_has(s->cpu, FEATURE_M_V8)) || i->size == 1) {
        return false;
    }
    arm_store(s, a32_reg(s, i->rt), address(s, a32_reg(s, i->rn)), ex_size[i->size] | MEM_ALIGN,
              s->mmu);
    ir_fence(s->b, IR_FENCE_ALL);
    return true;
}

bool trans_a32_swp(ArmCtx *s, const A32Insn *i)
{
    if (arm_has(s->cpu, FEATURE_V8)) {
        return false;
    }
    IrVal old = ir_atomic(s->b, ATOMIC_XCHG, a32_reg(s, i->rm), address(s, a32_reg(s, i->rn)),
                          (MemOp)(i->byte ? MEM_8 : MEM_32 | MEM_ALIGN | s->mem), s->mmu);

    a32_set_plain(s, i->rt, i->byte ? ir_zext8(s->b, old) : old);
    return true;
}
