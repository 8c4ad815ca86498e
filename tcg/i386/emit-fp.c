// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Scalar floats on x86-64: host SSE or AVX in the guest's rounding mode, which is in the host's
 * MXCSR while generated code runs. Rows give the opcode; the prefix follows from the type.
 */
#include "tcg/i386/gen.h"

static uint32_t scalar(IrType t)
{
    return t == IR_F32 ? X_F3 : X_F2;
}

/*
 * dst = op(a, b), three operands with AVX, two without; b may be an integer. Memory operands need
 * no alignment.
 */
static int two_sources(Gen *g, const IrOp *o, uint32_t form)
{
    Opnd b = gen_opnd(g, o->args[1], OPND_ALLOW_MEM);
    int dst, from = b.reg >= XMM ? xmm(b.reg) : b.reg;

    if (g->a.avx) {
        int a = ra_use(&g->ra, o->args[0], 0);
        ra_release(&g->ra);
        dst = ra_def(&g->ra, o->dst, 0, a);
        if (b.kind == OPND_MEM) {
            v_rrm(&g->a, form, xmm(dst), xmm(a), b.mem);
        } else {
            v_rrr(&g->a, form, xmm(dst), xmm(a), from);
        }
        return dst;
    }
    dst = ra_def_from(&g->ra, o->dst, o->args[0],
                      o->args[0] == o->args[1] ? 0 : opnd_regs(&b));
    if (b.kind == OPND_MEM) {
        x_rm(&g->a, form, xmm(dst), b.mem);
    } else {
        x_rr(&g->a, form, xmm(dst), o->args[0] == o->args[1] ? xmm(dst) : from);
    }
    return dst;
}

/* form: opcode */
void emit_f2(Gen *g, const IrOp *o)
{
    two_sources(g, o, row_of(o)->form | scalar(ir_dst_type(g->f, o)));
}

void emit_fcmp_mask(Gen *g, const IrOp *o)
{
    unsigned predicate = (unsigned)o->imm[0];

    if (predicate > 7 && !g->a.avx) {
        gen_fallback(g, o);
        return;
    }
    two_sources(g, o, row_of(o)->form | scalar(ir_dst_type(g->f, o)));
    x_u8(&g->a, predicate);
}

/*
 * One source; the destination's upper part is nobody's business, but the host must not wait for it.
 */
static int one_source(Gen *g, const IrOp *o, uint32_t form)
{
    int a = ra_use(&g->ra, o->args[0], 0), dst;

    ra_release(&g->ra);
    dst = ra_def(&g->ra, o->dst, 0, a);
    if (g->a.avx) {
        v_rrr(&g->a, form, xmm(dst), xmm(a), xmm(a));
    } else {
        x_rr(&g->a, form, xmm(dst), xmm(a));
    }
    return dst;
}

void emit_f1(Gen *g, const IrOp *o)
{
    one_source(g, o, row_of(o)->form | scalar(ir_dst_type(g->f, o)));
}

/* ---- the lowest lane of a vector alone ---- */

static uint32_t lowest(const IrOp *o)
{
    return o->cc == LANE_F32 ? X_F3 : X_F2;
}

/* form: opcode */
void emit_s2(Gen *g, const IrOp *o)
{
    two_sources(g, o, row_of(o)->form | lowest(o));
}

void emit_s_mask(Gen *g, const IrOp *o)
{
    if (o->imm[0] > 7 && !g->a.avx) {
        gen_fallback(g, o);
        return;
    }
    emit_s2(g, o);
    x_u8(&g->a, (unsigned)o->imm[0]);
}

void emit_s_round(Gen *g, const IrOp *o)
{
    if (!g->host.sse41) {
        gen_fallback(g, o);
        return;
    }
    two_sources(g, o, (o->cc == LANE_F32 ? 0x0a : 0x0b) | X_0F3A | X_66);
    x_u8(&g->a, (unsigned)o->imm[0]);
}

/* The second source is no memory: that form of MOVSx clears the other lanes. */
void emit_s_merge(Gen *g, const IrOp *o)
{
    uint32_t form = X_MOVSS - X_F3 + lowest(o);
    int b = ra_use(&g->ra, o->args[1], 0);

    if (g->a.avx) {
        int a = ra_use(&g->ra, o->args[0], 0);
        ra_release(&g->ra);
        v_rrr(&g->a, form, xmm(ra_def(&g->ra, o->dst, 0, a)), xmm(a), xmm(b));
    } else {
        x_rr(&g->a, form, xmm(ra_def_from(&g->ra, o->dst, o->args[0], REG_BIT(b))), xmm(b));
    }
}

void emit_s_fma(Gen *g, const IrOp *o)
{
    int a, c, dst;

    if (!g->host.fma) {
        gen_fallback(g, o);
        return;
    }
    a = ra_use(&g->ra, o->args[0], 0);
    c = ra_use(&g->ra, o->args[2], 0);
    dst = ra_def_from(&g->ra, o->dst, o->args[1], REG_BIT(a) | REG_BIT(c));
    v_rrr(&g->a, row_of(o)->form | X_0F38 | X_66 | (o->cc == LANE_F32 ? 0 : X_W), xmm(dst), xmm(a),
          xmm(c));
}

void emit_s_from_i(Gen *g, const IrOp *o)
{
    two_sources(g, o, 0x2a | X_0F | lowest(o) | wide((IrType)g->ra.vals[o->args[1]].type));
}

/* aux: X_W for 64-bit results */
void emit_s_to_i(Gen *g, const IrOp *o)
{
    int a = ra_use(&g->ra, o->args[0], 0), dst;

    ra_release(&g->ra);
    dst = ra_def(&g->ra, o->dst, 0, -1);
    xv_rr(&g->a, (o->imm[0] ? 0x2c : 0x2d) | X_0F | row_of(o)->aux | lowest(o), dst, xmm(a));
}

void emit_s_fcmp(Gen *g, const IrOp *o)
{
    int a, b;

    ra_take(&g->ra, RAX);
    a = ra_use(&g->ra, o->args[0], 0);
    b = ra_use(&g->ra, o->args[1], 0);
    ra_release(&g->ra);
    xv_rr(&g->a, (o->imm[0] ? 0x2f : 0x2e) | X_0F | (o->cc == LANE_F64 ? X_66 : 0), xmm(a), xmm(b));
    gen_flags(g, o, 0x45);
}

/* form: whole, prefix included */
void emit_fcvt(Gen *g, const IrOp *o)
{
    one_source(g, o, row_of(o)->form);
}

void emit_fround(Gen *g, const IrOp *o)
{
    if (!g->host.sse41) {
        gen_fallback(g, o);
        return;
    }
    one_source(g, o, (ir_dst_type(g->f, o) == IR_F32 ? 0x0a : 0x0b) | X_0F3A | X_66);
    x_u8(&g->a, (unsigned)o->imm[0]);
}

void emit_fma(Gen *g, const IrOp *o)
{
    bool single = ir_dst_type(g->f, o) == IR_F32;
    int a, c, dst;

    if (!g->host.fma) {
        gen_fallback(g, o);             /* libm's choice among NaNs is another */
        return;
    }
    /* VFMADD213: of several NaNs the second operand's is taken, then the first's. */
    a = ra_use(&g->ra, o->args[0], 0);
    c = ra_use(&g->ra, o->args[2], 0);
    dst = ra_def_from(&g->ra, o->dst, o->args[1], REG_BIT(a) | REG_BIT(c));
    v_rrr(&g->a, 0xa9 | X_0F38 | X_66 | (single ? 0 : X_W), xmm(dst), xmm(a), xmm(c));
}

/* form: opcode of the VFMADD213 kind */
void emit_v_fma(Gen *g, const IrOp *o)
{
    bool single = o->cc == LANE_F32;
    int a, c, dst;

    if (!g->host.fma) {
        gen_fallback(g, o);
        return;
    }
    a = ra_use(&g->ra, o->args[0], 0);
    c = ra_use(&g->ra, o->args[2], 0);
    dst = ra_def_from(&g->ra, o->dst, o->args[1], REG_BIT(a) | REG_BIT(c));
    v_rrr(&g->a,
          row_of(o)->form | X_0F38 | X_66 | (single ? 0 : X_W) |
              (ir_dst_type(g->f, o) == IR_V256 ? X_L : 0),
          xmm(dst), xmm(a), xmm(c));
}

/* C P Z of the flags, at their places in the low byte of EFLAGS. */
void gen_flags(Gen *g, const IrOp *o, int32_t mask)
{
    int dst, tmp;

    if (g->host.lahf) {
        x_u8(&g->a, 0x9f);              /* LAHF */
        x_rr(&g->a, 0xb6 | X_0F, RAX, 4);       /* movzx eax, ah */
        x_alu_ri(&g->a, 0, ALU_AND, RAX, mask);
        ra_def_fixed(&g->ra, o->dst, RAX);
        return;
    }
    dst = RAX;
    tmp = ra_tmp(&g->ra, 0, 0);
    x_mov_ri(&g->a, dst, 0);
    x_mov_ri(&g->a, tmp, 0);
    x_rr(&g->a, X_SETCC | CC_B, 0, dst);
    x_rr(&g->a, X_SETCC | CC_E, 0, tmp);
    x_rm(&g->a, X_LEA | X_W, tmp, (Mem){.base = NO_REG, .index = (int8_t)tmp, .scale = 3});
    x_rm(&g->a, X_LEA | X_W, tmp, (Mem){.base = NO_REG, .index = (int8_t)tmp, .scale = 3});
    x_rm(&g->a, X_LEA | X_W, dst, mem_bi(dst, tmp, 0));
    if (mask & 4) {
        x_mov_ri(&g->a, tmp, 0);
        x_rr(&g->a, X_SETCC | CC_P, 0, tmp);
        x_rm(&g->a, X_LEA | X_W, dst,
             (Mem){.base = (int8_t)dst, .index = (int8_t)tmp, .scale = 2});
    }
    ra_def_fixed(&g->ra, o->dst, dst);
}

void emit_fcmp(Gen *g, const IrOp *o)
{
    uint32_t form = (o->imm[0] ? 0x2f : 0x2e) | X_0F |
                    (g->ra.vals[o->args[0]].type == IR_F64 ? X_66 : 0);
    int a, b;

    ra_take(&g->ra, RAX);
    a = ra_use(&g->ra, o->args[0], 0);
    b = ra_use(&g->ra, o->args[1], 0);
    ra_release(&g->ra);
    xv_rr(&g->a, form, xmm(a), xmm(b));
    gen_flags(g, o, 0x45);
}

/* form: opcode; aux: X_W for 64-bit sources */
void emit_i_f(Gen *g, const IrOp *o)
{
    uint32_t form = row_of(o)->form | row_of(o)->aux | scalar(ir_dst_type(g->f, o));
    Opnd p = gen_opnd(g, o->args[0], OPND_ALLOW_MEM);
    int dst;

    ra_release(&g->ra);
    dst = ra_def(&g->ra, o->dst, 0, -1);
    g->ra.host->load_const(g, IR_F64, dst, 0);
    if (!g->a.avx) {
        if (p.kind == OPND_MEM) {
            x_rm(&g->a, form, xmm(dst), p.mem);
        } else {
            x_rr(&g->a, form, xmm(dst), p.reg);
        }
    } else if (p.kind == OPND_MEM) {
        v_rrm(&g->a, form, xmm(dst), xmm(dst), p.mem);
    } else {
        v_rrr(&g->a, form, xmm(dst), xmm(dst), p.reg);
    }
}

/* aux: X_W for 64-bit results */
void emit_f_i(Gen *g, const IrOp *o)
{
    IrType t = (IrType)g->ra.vals[o->args[0]].type;
    int a = ra_use(&g->ra, o->args[0], 0), dst;

    ra_release(&g->ra);
    dst = ra_def(&g->ra, o->dst, 0, -1);
    xv_rr(&g->a, (o->imm[0] ? 0x2c : 0x2d) | X_0F | row_of(o)->aux | scalar(t), dst, xmm(a));
}

/* aux: X_W for 64 bits */
void emit_f_bits(Gen *g, const IrOp *o)
{
    int a = ra_use(&g->ra, o->args[0], 0);

    ra_release(&g->ra);
    xv_rr(&g->a, X_MOVD_RX | row_of(o)->aux, xmm(a), ra_def(&g->ra, o->dst, 0, -1));
}

void emit_f_from_bits(Gen *g, const IrOp *o)
{
    int a = ra_use(&g->ra, o->args[0], 0);

    ra_release(&g->ra);
    xv_rr(&g->a, X_MOVD_XR | row_of(o)->aux, xmm(ra_def(&g->ra, o->dst, 0, -1)), a);
}
