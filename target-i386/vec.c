// SPDX-License-Identifier: GPL-2.0-or-later
/* Vector operands: registers, memory of all sizes, MMX, and the usual shapes of instructions. */
#include "target-i386/vec.h"

bool x86_is_mmx(const X86Insn *i)
{
    return i->row->flags & X86_ROW_MMX;
}

unsigned x86_imm8(const X86Insn *i)
{
    unsigned n = 3;

    while (i->op[n].kind != X86_IMM && n) {
        n--;
    }
    return (unsigned)i->op[n].imm & 0xff;
}

static IrVal vec_memory(X86Ctx *s, const X86Insn *i, unsigned size, unsigned part)
{
    IrBuilder *b = s->b;
    IrVal addr = x86_addr(s, i);

    if (size < 2) {
        return ir_v_from_i(b, IR_V128, x86_load(s, size, addr));
    }
    if (size <= 3) {
        return ir_load(b, IR_V128, addr, (MemOp)(s->mode & MODE_AC ? size | MEM_ALIGN : size),
                       s->mmu);
    }
    /* APM 1 4.4.6: MXCSR.MM leaves #AC; MOVAPS and the like (trans-sse-move.c) stay strict */
    bool aligned = !i->vex && !(i->row->flags & X86_ROW_UNALIGNED) &&
                   (!(s->mode & MODE_MM) || (s->mode & MODE_AC));
    return ir_load(b, IR_V128, part ? ir_addi(b, addr, 16) : addr,
                   aligned ? MEM_128 | MEM_ALIGN : MEM_128, s->mmu);
}

static uint32_t mmx_offset(unsigned reg)
{
    return (uint32_t)(offsetof(X86Cpu, fpr) + reg * sizeof(X87Reg));
}

IrVal x86_vread(X86Ctx *s, const X86Insn *i, unsigned n, unsigned part)
{
    const X86Operand *o = &i->op[n];

    switch (o->kind) {
    case X86_MEM:
        return vec_memory(s, i, o->size, part);
    case X86_MMX:
        return ir_v_from_i(s->b, IR_V128, ir_env_load(s->b, IR_I64, mmx_offset(o->reg), MEM_64));
    default:
        return ir_get(s->b, (part ? V_YMMH0 : V_XMM0) + o->reg);
    }
}

IrVal x86_vread256(X86Ctx *s, const X86Insn *i, unsigned n)
{
    const X86Operand *o = &i->op[n];

    if (o->kind == X86_MEM) {
        return ir_load(s->b, IR_V256, x86_addr(s, i), MEM_256, s->mmu);
    }
    return ir_v_concat(s->b, ir_get(s->b, V_XMM0 + o->reg), ir_get(s->b, V_YMMH0 + o->reg));
}

IrVal x86_vstep(X86Ctx *s, const X86Insn *i, unsigned n, unsigned p)
{
    return x86_whole(s, i) ? x86_vread256(s, i, n) : x86_vread(s, i, n, p);
}

void x86_mmx_enter(X86Ctx *s)
{
    x86_sync(s);
    ir_call_mmx_enter(s->b);
}

void x86_vwrite_to(X86Ctx *s, const X86Insn *i, unsigned n, IrVal low, IrVal high)
{
    IrBuilder *b = s->b;
    const X86Operand *o = &i->op[n];

    if (o->kind == X86_MMX) {
        x86_mmx_enter(s);
        ir_env_store(b, ir_v_extract(b, LANE_I64, low, 0), mmx_offset(o->reg), MEM_64);
        ir_env_store(b, ir_i32(b, 0xffff), mmx_offset(o->reg) + offsetof(X87Reg, sign_exp), MEM_16);
        return;
    }
    if (ir_type(b, low) == IR_V256) {
        ir_set(b, V_XMM0 + o->reg, ir_v_low(b, low));
        ir_set(b, V_YMMH0 + o->reg, ir_v_high(b, low));
        return;
    }
    ir_set(b, V_XMM0 + o->reg, low);
    if (high.id) {
        ir_set(b, V_YMMH0 + o->reg, high);
    } else if (i->vex) {
        ir_set(b, V_YMMH0 + o->reg, ir_v_zero(b, IR_V128));
    }
}

void x86_vwrite(X86Ctx *s, const X86Insn *i, IrVal low, IrVal high)
{
    x86_vwrite_to(s, i, 0, low, high);
}

void x86_vec_helper(X86Ctx *s, const X86Insn *i, VecFn *fn)
{
    IrVal r[2] = {{0}, {0}}, c[2];

    for (unsigned p = 0; p < x86_parts(i); p++) {
        c[p] = x86_vread(s, i, x86_src2(i), p);
    }
    for (unsigned p = 0; p < x86_parts(i); p++) {
        r[p] = fn(s->b, x86_vread(s, i, x86_src1(i), p), c[p]);
    }
    x86_vwrite(s, i, r[0], r[1]);
}

void x86_vec_binary(X86Ctx *s, const X86Insn *i, VecFn *fn)
{
    IrVal r[2] = {{0}, {0}}, c[2];

    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        c[p] = x86_vstep(s, i, x86_src2(i), p);
    }
    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        r[p] = fn(s->b, x86_vstep(s, i, x86_src1(i), p), c[p]);
    }
    x86_vwrite(s, i, r[0], r[1]);
}

void x86_vec_lane(X86Ctx *s, const X86Insn *i, LaneFn *fn, IrLane lane)
{
    IrVal r[2] = {{0}, {0}}, c[2];

    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        c[p] = x86_vstep(s, i, x86_src2(i), p);
    }
    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        r[p] = fn(s->b, lane, x86_vstep(s, i, x86_src1(i), p), c[p]);
    }
    x86_vwrite(s, i, r[0], r[1]);
}

void x86_vec_lane1(X86Ctx *s, const X86Insn *i, LaneFn1 *fn, IrLane lane)
{
    IrVal r[2] = {{0}, {0}};

    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        r[p] = fn(s->b, lane, x86_vstep(s, i, 1, p));
    }
    x86_vwrite(s, i, r[0], r[1]);
}

void x86_vec_imm(X86Ctx *s, const X86Insn *i, VecHelper *fn)
{
    IrVal r[2] = {{0}, {0}}, c[2], imm = ir_i32(s->b, x86_imm8(i));

    for (unsigned p = 0; p < x86_parts(i); p++) {
        c[p] = x86_vread(s, i, x86_src2(i), p);
    }
    for (unsigned p = 0; p < x86_parts(i); p++) {
        r[p] = fn(s->b, x86_vread(s, i, x86_src1(i), p), c[p], imm);
    }
    x86_vwrite(s, i, r[0], r[1]);
}

IrVal x86_sread(X86Ctx *s, const X86Insn *i, unsigned n, IrLane lane)
{
    return i->op[n].kind == X86_MEM ? vec_memory(s, i, lane == LANE_F32 ? 2 : 3, 0)
                                    : ir_get(s->b, V_XMM0 + i->op[n].reg);
}

void x86_store_low(X86Ctx *s, unsigned size, IrVal v, IrVal addr)
{
    ir_store(s->b, v, addr, (MemOp)(s->mode & MODE_AC ? size | MEM_ALIGN : size), s->mmu);
}

IrVal x86_concat64(X86Ctx *s, IrVal low, IrVal high)
{
    return ir_v_unpack_lo(s->b, LANE_I64, low, high);
}
