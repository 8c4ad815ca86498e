// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fguard on x86-64: a float operation's result is checked in line for what the guest may want
 * otherwise (IrGuard); the cold path gives result and operands to CpuArch.float_corner, in the
 * frame.
 */
#include "tcg/i386/gen.h"

enum { P = X_66 | X_0F, UNORDERED = 3 };

/* dst = op(a, b); dst is neither of them but may be a. */
static void op3(Gen *g, uint32_t form, int dst, int a, int b)
{
    if (g->a.avx) {
        v_rrr(&g->a, form, xmm(dst), xmm(a), xmm(b));
        return;
    }
    if (dst != a) {
        x_rr(&g->a, X_MOVAPS, xmm(dst), xmm(a));
    }
    x_rr(&g->a, form, xmm(dst), xmm(b));
}

/* In place; ext is the opcode's extension. */
static void shift(Gen *g, uint32_t form, unsigned ext, int dst, unsigned n)
{
    if (g->a.avx) {
        v_rrr(&g->a, form, (int)ext, xmm(dst), xmm(dst));
    } else {
        x_rr(&g->a, form, (int)ext, xmm(dst));
    }
    x_u8(&g->a, n);
}

/* Every lane = 1 << n, made without memory. */
static void lane_bit(Gen *g, int dst, bool lane64, unsigned n)
{
    uint32_t form = (lane64 ? 0x73u : 0x72u) | P;

    if (g->a.avx) {
        v_rrr(&g->a, 0x76 | P, xmm(dst), xmm(dst), xmm(dst));
    } else {
        x_rr(&g->a, 0x76 | P, xmm(dst), xmm(dst));
    }
    shift(g, form, 2, dst, lane64 ? 63 : 31);
    shift(g, form, 6, dst, n);
}

static IrGuard guard_kind(const IrOp *o)
{
    return (IrGuard)(o->imm[0] & ~(uint64_t)GUARD_LOWEST);
}

/* Jumps to the stub if a lane is unusual. tmp[2] is a general register, the others vectors. */
static uint8_t *check_vector(Gen *g, const IrOp *o, int r, int b, int c, const int tmp[4])
{
    bool lane64 = o->cc == LANE_F64 || o->cc == LANE_I64;
    /*
     * without PCMPEQQ both halves compare: the low one of a tiny result and of a most negative
     * integer is 0 as well, and an accidental hit does no harm
     */
    uint32_t cmpps = 0xc2 | X_0F | (lane64 ? X_66 : 0), cmpeq = 0x76 | P;
    IrGuard kind = guard_kind(o);

    if (kind == GUARD_MIN_INT) {
        lane_bit(g, tmp[0], lane64, lane64 ? 63 : 31);
        op3(g, cmpeq, tmp[0], tmp[0], r);
        if (lane64) {                   /* the upper half of each decides */
            shift(g, 0x73 | P, 2, tmp[0], 32);
            shift(g, 0x73 | P, 6, tmp[0], 32);
        }
    } else {
        op3(g, cmpps, tmp[0], kind == GUARD_ORDER ? b : r, kind == GUARD_ORDER ? c : r);
        x_u8(&g->a, UNORDERED);
    }
    if (kind == GUARD_TINY) {
        int t = tmp[1];

        /* r + r drops the sign; its lanes are compared with twice the smallest normal */
        op3(g, (lane64 ? 0xd4 : 0xfe) | P, t, r, r);
        lane_bit(g, tmp[3], lane64, lane64 ? 53 : 24);
        op3(g, cmpeq, t, t, tmp[3]);
        if (lane64) {
            shift(g, 0x73 | P, 2, t, 32);
            shift(g, 0x73 | P, 6, t, 32);
        }
        op3(g, 0xeb | P, tmp[0], tmp[0], t);
    }
    xv_rr(&g->a, 0x50 | X_0F | (lane64 ? X_66 : 0), tmp[2], xmm(tmp[0]));    /* MOVMSK */
    x_rr(&g->a, X_TEST, tmp[2], tmp[2]);
    return x_jcc32(&g->a, CC_NE);
}

static void check_scalar(Gen *g, const IrOp *o, Stub *s, int r, int b, int c, int tmp)
{
    IrType t = ir_dst_type(g->f, o);
    bool lane64 = t == IR_V128 ? o->cc == LANE_F64 : t == IR_F64;
    IrGuard kind = guard_kind(o);

    if (ra_class(t) == 0) {             /* r - 1 overflows only there */
        x_alu_ri(&g->a, t == IR_I64 ? X_W : 0, ALU_CMP, r, 1);
        s->jump[0] = x_jcc32(&g->a, CC_O);
        return;
    }
    xv_rr(&g->a, 0x2e | X_0F | (lane64 ? X_66 : 0), xmm(kind == GUARD_ORDER ? b : r),
          xmm(kind == GUARD_ORDER ? c : r));
    s->jump[0] = x_jcc32(&g->a, CC_P);
    if (kind != GUARD_TINY) {
        return;
    }
    xv_rr(&g->a, X_MOVD_RX | (lane64 ? X_W : 0), xmm(r), tmp);
    /* sign and exponent below; the exponent 1 and nothing else is it */
    if (lane64) {
        x_shift_ri(&g->a, X_W, SH_ROL, tmp, 12);
        x_alu_ri(&g->a, X_W, ALU_AND, tmp, ~0x800);
        x_alu_ri(&g->a, X_W, ALU_CMP, tmp, 1);
    } else {
        x_alu_rr(&g->a, 0, ALU_ADD, tmp, tmp);
        x_alu_ri(&g->a, 0, ALU_CMP, tmp, 0x01000000);
    }
    s->jump[1] = x_jcc32(&g->a, CC_E);
}

void emit_fguard(Gen *g, const IrOp *o)
{
    IrType t = ir_dst_type(g->f, o);
    bool vector = t == IR_V128 && !(o->imm[0] & GUARD_LOWEST), tiny = guard_kind(o) == GUARD_TINY;
    Stub s = {.op = o, .insn = g->insn};
    int tmp[4] = {-1, -1, -1, -1}, args[3], dst;

    if (!g->arch->float_corner || t == IR_V256) {
        ra_def_from(&g->ra, o->dst, o->args[0], 0);
        return;
    }
    for (unsigned n = 0; n < 3; n++) {
        args[n] = ra_use(&g->ra, o->args[n + 1], 0);
    }
    if (vector || tiny) {
        tmp[2] = ra_tmp(&g->ra, 0, 0);
    }
    if (vector) {
        tmp[0] = ra_tmp(&g->ra, 1, 0);
        tmp[1] = tiny ? ra_tmp(&g->ra, 1, 0) : -1;
        tmp[3] = tiny ? ra_tmp(&g->ra, 1, 0) : -1;
    }
    dst = ra_def_from(&g->ra, o->dst, o->args[0],
                      REG_BIT(args[0]) | REG_BIT(args[1]) | REG_BIT(args[2]));
    s.dst = (int8_t)dst;
    s.va = (int8_t)args[0];
    s.value = (int8_t)args[1];
    s.expect = (int8_t)args[2];
    if (vector) {
        s.jump[0] = check_vector(g, o, dst, args[0], args[1], tmp);
    } else {
        check_scalar(g, o, &s, dst, args[0], args[1], tmp[2]);
    }
    s.back = g->a.p;
    s.clear = gen_page_regs(g);
    s.live = g->ra.busy & g->ra.host->caller_saved & ~s.clear & ~REG_BIT(dst);
    g_array_append_val(g->stubs, s);
}

void gen_guard_stub(Gen *g, const Stub *s)
{
    const IrOp *o = s->op;
    IrType t = ir_dst_type(g->f, o);
    const int regs[4] = {s->dst, s->va, s->value, s->expect};

    for (unsigned n = 0; n < 2; n++) {
        if (s->jump[n]) {
            x_patch32(s->jump[n], g->a.p);
        }
    }
    gen_keep_registers(g, s->live, false);
    for (unsigned n = 0; n < 4; n++) {
        if (regs[n] >= XMM) {
            xv_rm(&g->a, X_MOVUPS_ST, xmm(regs[n]), mem_bd(RSP, FRAME_CALL + 16 * (int32_t)n));
        } else {
            x_rm(&g->a, X_MOV_MR | X_W, regs[n], mem_bd(RSP, FRAME_CALL + 16 * (int32_t)n));
        }
    }
    gen_cpu_arg(g);
    x_mov_ri(&g->a, RSI, o->imm[1]);
    x_rm(&g->a, X_LEA | X_W, RDX, mem_bd(RSP, FRAME_CALL));
    gen_clean_ymm(g);
    x_call(&g->a, (const void *)g->arch->float_corner);
    if (ra_class(t) == 0) {
        x_rm(&g->a, X_MOV_RM | (t == IR_I64 ? X_W : 0), s->dst, mem_bd(RSP, FRAME_CALL));
    } else {
        xv_rm(&g->a, X_MOVUPS, xmm(s->dst), mem_bd(RSP, FRAME_CALL));
    }
    gen_keep_registers(g, s->live, true);
}
