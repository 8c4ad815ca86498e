// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A64 loads and stores of general registers: plain, pairs, exclusives, ordered, atomics (C3.2).
 * Addresses keep their tags: the TLB looks pages up by the tagged address (mmu.c).
 */
#include "target-arm/translate.h"

/* ---- plain ---- */

enum { MODE_NONE = 0, MODE_POST = 1, MODE_PRE = 3 };

static IrVal base(ArmCtx *s, const A64Insn *i)
{
    return arm_xsp(s, i->rn);
}

/* size and opc of a single register access; false: unallocated. */
static bool do_ldst(ArmCtx *s, const A64Insn *i, IrVal addr, unsigned mmu, bool wback,
                    IrVal updated)
{
    unsigned size = (unsigned)i->size, opc = (unsigned)i->opc;

    if (opc == 0) {
        IrVal v = arm_x(s, i->rt);

        arm_store(s, size == 3 ? v : ir_trunc(s->b, v), addr, size, mmu);
    } else {
        bool sign = opc >= 2;
        IrVal v;

        if (opc == 3) {
            v = ir_zextq(s->b, arm_load(s, IR_I32, addr, size | MEM_SIGN, mmu));
        } else {
            v = arm_load(s, IR_I64, addr, size | (sign ? MEM_SIGN : 0), mmu);
        }
        if (wback) {
            arm_set_xsp(s, i->rn, updated);
        }
        arm_set_x(s, i->rt, v);
        return true;
    }
    if (wback) {
        arm_set_xsp(s, i->rn, updated);
    }
    return true;
}

static bool ldst_valid(const A64Insn *i, bool *prefetch)
{
    *prefetch = i->size == 3 && i->opc == 2;
    return *prefetch || !(i->opc >= 2 && (i->size == 3 || (i->size == 2 && i->opc == 3)));
}

bool trans_ldst_i(ArmCtx *s, const A64Insn *i)
{
    bool prefetch;

    if (!ldst_valid(i, &prefetch)) {
        return false;
    }
    if (prefetch) {
        return i->mode == MODE_NONE && !i->unpriv;
    }
    IrVal b = base(s, i),
          updated = ir_addi(s->b, b, i->scale ? (int64_t)i->imm << i->size : i->imm);

    return do_ldst(s, i, i->mode == MODE_POST ? b : updated, i->unpriv ? s->mmu_user : s->mmu,
                   i->mode != MODE_NONE, updated);
}

static IrVal reg_address(ArmCtx *s, const A64Insn *i, unsigned scale)
{
    return ir_add(s->b, base(s, i), arm_extend(s, arm_x(s, i->rm), i->opt, i->sh ? scale : 0));
}

bool trans_LDST_reg(ArmCtx *s, const A64Insn *i)
{
    bool prefetch;

    if (!ldst_valid(i, &prefetch) || !(i->opt & 2)) {
        return false;
    }
    return prefetch || do_ldst(s, i, reg_address(s, i, i->size), s->mmu, false, arm_none);
}

bool trans_ldr_lit(ArmCtx *s, const A64Insn *i)
{
    IrVal addr = arm_pc(s, s->pc + (uint64_t)(int64_t)i->imm);

    arm_set_x(s, i->rt,
              arm_load(s, IR_I64, addr,
                       i->opc == 2   ? MEM_32 | MEM_SIGN
                       : i->opc == 1 ? MEM_64
                                     : MEM_32,
                       s->mmu));
    return true;
}

bool trans_ldp(ArmCtx *s, const A64Insn *i)
{
    unsigned size = i->size ? 3 : 2;
    IrVal b = base(s, i), updated = ir_addi(s->b, b, (int64_t)i->imm << size);
    IrVal addr = i->mode == MODE_POST ? b : updated, second = ir_addi(s->b, addr, 1 << size);

    if (i->load) {
        unsigned op = size | (i->sign ? MEM_SIGN : 0);
        IrVal x = arm_load(s, IR_I64, addr, op, s->mmu),
              y = arm_load(s, IR_I64, second, op, s->mmu);

        if (i->mode != MODE_NONE) {
            arm_set_xsp(s, i->rn, updated);
        }
        arm_set_x(s, i->rt, x);
        arm_set_x(s, i->rt2, y);
    } else {
        IrVal x = arm_r(s, size == 3, i->rt), y = arm_r(s, size == 3, i->rt2);

        arm_store(s, x, addr, size, s->mmu);
        arm_store(s, y, second, size, s->mmu);
        if (i->mode != MODE_NONE) {
            arm_set_xsp(s, i->rn, updated);
        }
    }
    return true;
}

/* ---- vector registers ---- */

/* log2 of bytes of a vector register access; false: unallocated. */
static bool vec_size(const A64Insn *i, unsigned *size)
{
    *size = (unsigned)i->size | (i->opc & 2 ? 4 : 0);
    return *size <= 4;
}

static IrVal load_vec(ArmCtx *s, IrVal addr, unsigned size)
{
    if (size == 4) {
        if (s->mode & MODE_BIG) {
            IrVal high = arm_load(s, IR_I64, addr, 3, s->mmu),
                  low = arm_load(s, IR_I64, ir_addi(s->b, addr, 8), 3, s->mmu);

            return ir_v_insert(s->b, LANE_I64, ir_v_from_i(s->b, IR_V128, low), high, 1);
        }
        return arm_load(s, IR_V128, addr, MEM_128, s->mmu);
    }
    if (size >= 2 && !(s->mode & MODE_BIG)) {
        return arm_load(s, IR_V128, addr, size, s->mmu);
    }
    return ir_v_from_i(s->b, IR_V128, arm_load(s, IR_I64, addr, size, s->mmu));
}

static void store_vec(ArmCtx *s, IrVal v, IrVal addr, unsigned size)
{
    if (size >= 2 && !(s->mode & MODE_BIG)) {
        arm_store(s, v, addr, size, s->mmu);
    } else if (size == 4) {
        arm_store(s, ir_v_extract(s->b, LANE_I64, v, 1), addr, 3, s->mmu);
        arm_store(s, ir_v_extract(s->b, LANE_I64, v, 0), ir_addi(s->b, addr, 8), 3, s->mmu);
    } else {
        IrVal x = ir_v_extract(s->b, LANE_I64, v, 0);

        arm_store(s, size == 3 ? x : ir_trunc(s->b, x), addr, size, s->mmu);
    }
}

static void do_ldst_v(ArmCtx *s, const A64Insn *i, unsigned size, IrVal addr, IrVal updated)
{
    if (i->opc & 1) {
        IrVal v = load_vec(s, addr, size);

        if (i->mode != MODE_NONE) {
            arm_set_xsp(s, i->rn, updated);
        }
        arm_put_v(s, i->rt, v);
    } else {
        store_vec(s, arm_v(s, i->rt), addr, size);
        if (i->mode != MODE_NONE) {
            arm_set_xsp(s, i->rn, updated);
        }
    }
}

bool trans_ldst_vi(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!vec_size(i, &size)) {
        return false;
    }
    if (!arm_fp_ok(s)) {
        return true;
    }
    IrVal b = base(s, i), updated = ir_addi(s->b, b, i->scale ? (int64_t)i->imm << size : i->imm);

    do_ldst_v(s, i, size, i->mode == MODE_POST ? b : updated, updated);
    return true;
}

bool trans_ldst_vreg(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!vec_size(i, &size) || !(i->opt & 2)) {
        return false;
    }
    if (!arm_fp_ok(s)) {
        return true;
    }
    do_ldst_v(s, i, size, reg_address(s, i, size), arm_none);
    return true;
}

bool trans_LDR_litv(ArmCtx *s, const A64Insn *i)
{
    if (i->opc == 3) {
        return false;
    }
    if (!arm_fp_ok(s)) {
        return true;
    }
    arm_put_v(s, i->rt,
              load_vec(s, arm_pc(s, s->pc + (uint64_t)(int64_t)i->imm), (unsigned)i->opc + 2));
    return true;
}

bool trans_ldp_v(ArmCtx *s, const A64Insn *i)
{
    unsigned size = (unsigned)i->size + 2;

    if (i->size == 3) {
        return false;
    }
    if (!arm_fp_ok(s)) {
        return true;
    }
    IrVal b = base(s, i), updated = ir_addi(s->b, b, (int64_t)i->imm << size);
    IrVal addr = i->mode == MODE_POST ? b : updated, second = ir_addi(s->b, addr, 1 << size);

    if (i->load) {
        IrVal x = load_vec(s, addr, size), y = load_vec(s, second, size);

        if (i->mode != MODE_NONE) {
            arm_set_xsp(s, i->rn, updated);
        }
        arm_put_v(s, i->rt, x);
        arm_put_v(s, i->rt2, y);
    } else {
        IrVal x = arm_v(s, i->rt), y = arm_v(s, i->rt2);

        store_vec(s, x, addr, size);
        store_vec(s, y, second, size);
        if (i->mode != MODE_NONE) {
            arm_set_xsp(s, i->rn, updated);
        }
    }
    return true;
}

/* ---- structures: LD1..LD4, ST1..ST4 ---- */

static void structures_end(ArmCtx *s, const A64Insn *i, IrVal b, unsigned bytes)
{
    if (i->post) {
        arm_set_xsp(s, i->rn,
                    i->rm == 31 ? ir_addi(s->b, b, bytes) : ir_add(s->b, b, arm_x(s, i->rm)));
    }
}

bool trans_ldst_mult(ArmCtx *s, const A64Insn *i)
{
    /* by opcode: registers, and how many of them one structure has */
    static const uint8_t regs[16] = {4, 0, 4, 0, 3, 0, 3, 1, 2, 0, 2},
                         elems[16] = {4, 0, 1, 0, 3, 0, 1, 1, 2, 0, 1};
    unsigned n = regs[i->op], selem = elems[i->op], bytes = i->q ? 16 : 8, esize = 1u << i->size;

    if (n == 0 || (selem > 1 && i->size == 3 && !i->q)) {
        return false;
    }
    if (!arm_fp_ok(s)) {
        return true;
    }
    IrVal b = base(s, i), v[4];

    if (selem == 1 && !(s->mode & MODE_BIG)) {
        for (unsigned k = 0; k < n; k++) {
            IrVal addr = ir_addi(s->b, b, k * bytes);

            if (i->load) {
                v[k] = load_vec(s, addr, i->q ? 4 : 3);
            } else {
                store_vec(s, arm_v(s, (i->rt + k) % 32), addr, i->q ? 4 : 3);
            }
        }
    } else {
        for (unsigned k = 0; k < n; k++) {
            v[k] = i->load ? ir_v_zero(s->b, IR_V128) : arm_v(s, (i->rt + k) % 32);
        }
        for (unsigned e = 0; e < bytes / esize * n; e++) {
            unsigned r = selem == 1 ? e / (bytes / esize) : e % n,
                     lane = selem == 1 ? e % (bytes / esize) : e / n;
            IrVal addr = ir_addi(s->b, b, e * esize);
            IrType t = i->size == 3 ? IR_I64 : IR_I32;

            if (i->load) {
                v[r] = ir_v_insert(s->b, LANE_I8 + i->size, v[r],
                                   arm_load(s, t, addr, i->size, s->mmu), lane);
            } else {
                arm_store(s, ir_v_extract(s->b, LANE_I8 + i->size, v[r], lane), addr, i->size,
                          s->mmu);
            }
        }
    }
    structures_end(s, i, b, n * bytes);
    for (unsigned k = 0; i->load && k < n; k++) {
        arm_put_v(s, (i->rt + k) % 32, v[k]);
    }
    return true;
}

bool trans_ldst_single(ArmCtx *s, const A64Insn *i)
{
    unsigned scale = (unsigned)i->op >> 1, n = ((i->op & 1) << 1 | i->r) + 1, index = 0;
    bool replicate = scale == 3;

    switch (scale) {
    case 0:
        index = i->q << 3 | i->sh << 2 | i->size;
        break;
    case 1:
        if (i->size & 1) {
            return false;
        }
        index = i->q << 2 | i->sh << 1 | i->size >> 1;
        break;
    case 2:
        if (i->size & 2 || (i->size & 1 && i->sh)) {
            return false;
        }
        index = i->size & 1 ? i->q : i->q << 1 | i->sh;
        scale = i->size & 1 ? 3 : 2;
        break;
    default:
        if (!i->load || i->sh) {
            return false;
        }
        scale = i->size;
    }
    if (!arm_fp_ok(s)) {
        return true;
    }
    IrVal b = base(s, i), v[4];
    IrType t = scale == 3 ? IR_I64 : IR_I32;
    IrLane lane = LANE_I8 + scale;

    for (unsigned k = 0; k < n; k++) {
        unsigned r = (i->rt + k) % 32;
        IrVal addr = ir_addi(s->b, b, k << scale);

        if (replicate) {
            v[k] = ir_v_splat(s->b, IR_V128, lane, arm_load(s, t, addr, scale, s->mmu));
            v[k] = i->q ? v[k] : ir_v_low64(s->b, v[k]);
        } else if (i->load) {
            v[k] = ir_v_insert(s->b, lane, arm_v(s, r), arm_load(s, t, addr, scale, s->mmu), index);
        } else {
            arm_store(s, ir_v_extract(s->b, lane, arm_v(s, r), index), addr, scale, s->mmu);
        }
    }
    structures_end(s, i, b, n << scale);
    for (unsigned k = 0; i->load && k < n; k++) {
        arm_put_v(s, (i->rt + k) % 32, v[k]);
    }
    return true;
}

/* ---- exclusives: the store compares memory with what the load saw ---- */

bool trans_LDXR(ArmCtx *s, const A64Insn *i)
{
    IrVal addr = base(s, i), v = arm_load(s, IR_I64, addr, (unsigned)i->size | MEM_ALIGN, s->mmu);

    ir_set(s->b, V_EXCL_ADDR, addr);
    ir_set(s->b, V_EXCL_VAL, v);
    arm_set_x(s, i->rt, v);
    return true;
}

bool trans_STXR(ArmCtx *s, const A64Insn *i)
{
    IrBuilder *b = s->b;
    IrBlock *match = ir_block(b), *fail = ir_cold_block(b), *end = ir_block(b);
    IrVal result = {0};
    IrVar addr_var = ir_local(b, IR_I64), r = ir_local(b, IR_I64);
    IrVal addr = base(s, i);

    arm_mte_check(s, addr, 1u << i->size, true, s->mmu);
    ir_set(b, addr_var, addr);
    ir_brcond(b, COND_EQ, addr, ir_get(b, V_EXCL_ADDR), match, fail);
    ir_place(b, match);
    IrType t = i->size == 3 ? IR_I64 : IR_I32;
    IrVal expect = ir_get(b, V_EXCL_VAL), value = arm_x(s, i->rt);

    if (t == IR_I32) {
        expect = ir_trunc(b, expect);
        value = ir_trunc(b, value);
    }
    result = ir_cmpxchg(b, expect, value, ir_get(b, addr_var),
                        (MemOp)(i->size | s->mem | MEM_ALIGN), s->mmu);
    if (i->size < 2) {      /* the old value may have arbitrary upper bits */
        result = i->size == 0 ? ir_zext8(b, result) : ir_zext16(b, result);
        expect = i->size == 0 ? ir_zext8(b, expect) : ir_zext16(b, expect);
    }
    ir_set(b, r, ir_zextq(b, ir_setcond(b, COND_NE, result, expect)));
    ir_br(b, end);
    ir_place(b, fail);
    ir_set(b, r, ir_i64(b, 1));
    ir_place(b, end);
    ir_set(b, V_EXCL_ADDR, ir_i64(b, UINT64_MAX));
    arm_set_x(s, i->rs, ir_get(b, r));
    return true;
}

bool trans_LDXP(ArmCtx *s, const A64Insn *i)
{
    IrBuilder *b = s->b;
    IrVal addr = base(s, i), x, y;

    if (!i->size) {
        IrVal v = arm_load(s, IR_I64, addr, MEM_64 | MEM_ALIGN, s->mmu);

        x = ir_zext32(b, v);
        y = ir_shri(b, v, 32);
        if (s->mode & MODE_BIG) {
            IrVal z = x;

            x = y;
            y = z;
        }
        ir_set(b, V_EXCL_VAL, v);
    } else {
        arm_mte_check(s, addr, 16, false, s->mmu);
        IrVal v = ir_call_load_pair(b, addr);

        x = ir_v_extract(b, LANE_I64, v, 0);
        y = ir_v_extract(b, LANE_I64, v, 1);
        ir_set(b, V_EXCL_VAL, x);
        ir_set(b, V_EXCL_VAL2, y);
    }
    ir_set(b, V_EXCL_ADDR, addr);
    arm_set_x(s, i->rt, x);
    arm_set_x(s, i->rt2, y);
    return true;
}

bool trans_STXP(ArmCtx *s, const A64Insn *i)
{
    IrVal x = arm_x(s, i->rt), y = arm_x(s, i->rt2);

    arm_mte_check(s, base(s, i), 8u << i->size, true, s->mmu);
    arm_set_x(
        s, i->rs,
        ir_zextq(s->b, ir_call_store_pair_excl(s->b, base(s, i), x, y, ir_i32(s->b, i->size))));
    return true;
}

/*
 * ---- ordered. Loads of the host are acquiring and stores releasing; a load must not pass an
 * earlier store-release ----
 */

bool trans_STLR(ArmCtx *s, const A64Insn *i)
{
    IrVal v = arm_x(s, i->rt);

    arm_store(s, i->size == 3 ? v : ir_trunc(s->b, v), base(s, i), (unsigned)i->size | MEM_ALIGN,
              s->mmu);
    ir_fence(s->b, IR_FENCE_ALL);
    return true;
}

bool trans_LDAR(ArmCtx *s, const A64Insn *i)
{
    arm_set_x(s, i->rt, arm_load(s, IR_I64, base(s, i), (unsigned)i->size | MEM_ALIGN, s->mmu));
    return true;
}

bool trans_LDAPR(ArmCtx *s, const A64Insn *i)
{
    return arm_has(s->cpu, FEATURE_LRCPC) && trans_LDAR(s, i);
}

bool trans_LDAPUR(ArmCtx *s, const A64Insn *i)
{
    bool prefetch;

    if (!arm_has(s->cpu, FEATURE_LRCPC2) || !ldst_valid(i, &prefetch) || prefetch) {
        return false;
    }
    unsigned mem = s->mem;

    s->mem |= MEM_ALIGN;
    do_ldst(s, i, ir_addi(s->b, base(s, i), i->imm), s->mmu, false, arm_none);
    s->mem = mem;
    return true;
}

/* ---- LSE ---- */

static IrVal zext_size(ArmCtx *s, IrVal v, unsigned size)
{
    return size == 3 ? v
                     : ir_zextq(s->b, size == 0   ? ir_zext8(s->b, v)
                                      : size == 1 ? ir_zext16(s->b, v)
                                                  : v);
}

bool trans_CAS(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_LSE)) {
        return false;
    }
    bool wide = i->size == 3;
    IrVal expect = arm_r(s, wide, i->rs), v = arm_r(s, wide, i->rt);
    arm_mte_check(s, base(s, i), 1u << i->size, true, s->mmu);
    IrVal old =
        ir_cmpxchg(s->b, expect, v, base(s, i), (MemOp)(i->size | s->mem | MEM_ALIGN), s->mmu);

    arm_set_x(s, i->rs, zext_size(s, old, i->size));
    return true;
}

bool trans_CASP(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_LSE) || i->rs & 1 || i->rt & 1 || ((i->word >> 10) & 31) != 31) {
        return false;
    }
    arm_mte_check(s, base(s, i), 8u << i->size, true, s->mmu);
    ir_call_casp(s->b, base(s, i), ir_i32(s->b, i->rs), ir_i32(s->b, i->rt), ir_i32(s->b, i->size));
    return true;
}

bool trans_atomic(ArmCtx *s, const A64Insn *i)
{
    static const IrAtomic kinds[4] = {ATOMIC_ADD, ATOMIC_AND, ATOMIC_XOR, ATOMIC_OR};
    bool wide = i->size == 3;
    MemOp op = (MemOp)(i->size | s->mem | MEM_ALIGN);
    IrVal old;

    if (!arm_has(s->cpu, FEATURE_LSE)) {
        return false;
    }
    IrVal addr = base(s, i), v = arm_r(s, wide, i->rs);

    arm_mte_check(s, addr, 1u << i->size, false, s->mmu);

    if (i->op >= 4 && i->op < 8) {
        old = ir_call_atomic_minmax(s->b, addr, wide ? v : ir_zextq(s->b, v),
                                    ir_i32(s->b, i->op - 4), ir_i32(s->b, i->size));
        arm_set_x(s, i->rt, old);
        return true;
    }
    if (i->op == 1) {
        v = ir_not(s->b, v);
    }
    old = ir_atomic(s->b, i->op == 8 ? ATOMIC_XCHG : kinds[i->op], v, addr, op, s->mmu);
    arm_set_x(s, i->rt, zext_size(s, old, i->size));
    return true;
}

bool trans_LDRA(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_PAUTH)) {
        return false;
    }
    IrVal a = ir_call_pauth_auth(s->b, base(s, i), ir_i64(s->b, 0), ir_i32(s->b, 2 + i->key));
    IrVal addr = ir_addi(s->b, a, i->imm), v = arm_load(s, IR_I64, addr, MEM_64, s->mmu);

    if (i->wback) {
        arm_set_xsp(s, i->rn, addr);
    }
    arm_set_x(s, i->rt, v);
    return true;
}
