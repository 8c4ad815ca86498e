// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Integer ops on x86-64. Two-operand instructions work in the first operand's register when that
 * value dies; constants are immediates and spilled values memory operands where the encoding has
 * them. i32 values have arbitrary upper halves unless RaVal.zero_ext says otherwise.
 */
#include "tcg/i386/gen.h"

/* ---------------------------------------------------------------- operands */

Mem gen_env(const Gen *g, uint32_t offset)
{
    return mem_bd(RBP, (int32_t)offset - g->bias);
}

Mem gen_place(const Gen *g, RaPlace p)
{
    return p.base == RA_ENV ? gen_env(g, p.offset) : mem_bd(RSP, (int32_t)p.offset);
}

static bool imm_fits(const Gen *g, uint32_t v, int32_t *imm)
{
    const RaVal *x = &g->ra.vals[v];

    *imm = (int32_t)x->bits;
    return x->is_const && (x->type == IR_I32 || (int64_t)x->bits == *imm);
}

Opnd gen_opnd(Gen *g, uint32_t v, unsigned allow)
{
    Opnd p = {.kind = OPND_REG};
    RaPlace place;

    if (allow & OPND_ALLOW_IMM && imm_fits(g, v, &p.imm)) {
        p.kind = OPND_IMM;
    } else if (allow & OPND_ALLOW_MEM && g->ra.vals[v].next_use == RA_NEVER &&
               ra_place(&g->ra, v, &place) &&
               (g->ra.vals[v].type != IR_V256 || place.base == RA_FRAME)) {
        p.kind = OPND_MEM;
        p.mem = gen_place(g, place);
    } else {
        p.reg = ra_use(&g->ra, v, 0);
    }
    return p;
}

void gen_alu(Gen *g, uint32_t w, unsigned op, int dst, const Opnd *b)
{
    if (b->kind == OPND_IMM) {
        x_alu_ri(&g->a, w, op, dst, b->imm);
    } else if (b->kind == OPND_MEM) {
        x_alu_rm(&g->a, w, op, dst, b->mem);
    } else {
        x_alu_rr(&g->a, w, op, dst, b->reg);
    }
}

void gen_rm(Gen *g, uint32_t form, int dst, const Opnd *b)
{
    if (b->kind == OPND_MEM) {
        x_rm(&g->a, form, dst, b->mem);
    } else {
        x_rr(&g->a, form, dst, b->reg);
    }
}

void gen_extend(Gen *g, IrType t, unsigned size_log2, bool sign, int dst, int src)
{
    static const uint32_t forms[2][3] = {{X_MOVZX8, X_MOVZX16, X_MOV_RM},
                                         {X_MOVSX8, X_MOVSX16, X_MOVSXD}};

    if (size_log2 == 3 || (size_log2 == 2 && t == IR_I32)) {
        x_mov_rr(&g->a, X_W, dst, src);
    } else {
        x_rr(&g->a, forms[sign][size_log2] | (sign ? wide(t) : 0), dst, src);
    }
}

/* ---------------------------------------------------------------- variables and the CPU struct */

void emit_get(Gen *g, const IrOp *o)
{
    ra_get(&g->ra, o->dst, o->var.var);
}

void emit_discard(Gen *g, const IrOp *o)
{
    ra_discard(&g->ra, o->var.var);
}

void emit_set(Gen *g, const IrOp *o)
{
    ra_set(&g->ra, o->var.var, o->args[0]);
}

void emit_env_load(Gen *g, const IrOp *o)
{
    static const uint32_t forms[2][4] = {{X_MOVZX8, X_MOVZX16, X_MOV_RM, X_MOV_RM | X_W},
                                         {X_MOVSX8, X_MOVSX16, X_MOVSXD, X_MOV_RM | X_W}};
    IrType t = ir_dst_type(g->f, o);
    bool sign = o->env.op & MEM_SIGN && !(t == IR_I32 && (o->env.op & MEM_SIZE) == MEM_32);
    const IrOp *next = &g->f->ops[o->next];
    int dst;

    if (next->opcode == OP_BRCOND && next->args[0] == o->dst && next->args[1] != o->dst &&
        ra_is_const(&g->ra, next->args[1]) && g->ra.vals[next->args[1]].bits == 0 &&
        (next->cc == COND_NE || next->cc == COND_EQ) && (o->env.op & MEM_SIZE) == MEM_32 &&
        t == IR_I32) {
        g->compared = o;
        return;
    }
    dst = ra_def(&g->ra, o->dst, 0, -1);
    x_rm(&g->a, forms[sign][o->env.op & 3] | (sign ? wide(t) : 0), dst,
         gen_env(g, (uint32_t)o->env.offset));
}

void emit_env_store(Gen *g, const IrOp *o)
{
    static const uint32_t forms[4] = {X_MOV8_MR, X_MOV16_MR, X_MOV_MR, X_MOV_MR | X_W};
    unsigned size = o->env.op & 3;
    Opnd p = gen_opnd(g, o->args[0], size >= 2 ? OPND_ALLOW_IMM : 0);
    Mem m = gen_env(g, (uint32_t)o->env.offset);

    if (p.kind == OPND_IMM) {
        x_mov_mi(&g->a, size == 3 ? X_W : 0, m, p.imm);
    } else {
        x_rm(&g->a, forms[size], p.reg, m);
    }
}

void emit_env_ptr(Gen *g, const IrOp *o)
{
    int dst = ra_def(&g->ra, o->dst, 0, -1);

    x_rm(&g->a, X_LEA | X_W, dst, gen_env(g, (uint32_t)o->imm[0]));
}

/* ---------------------------------------------------------------- arithmetic */

/* a + b where a stays: LEA instead of a move and an addition. */
static bool try_lea(Gen *g, const IrOp *o, uint32_t a, uint32_t b)
{
    IrType t = ir_dst_type(g->f, o);
    int32_t imm;
    Mem m;

    if (o->opcode != OP_ADD || ra_dies(&g->ra, a) ||
        (ra_reg(&g->ra, a) < 0 && !ra_needed(&g->ra, a))) {
        return false;
    }
    if (imm_fits(g, b, &imm)) {
        m = mem_bd(ra_use(&g->ra, a, 0), imm);
    } else if (ra_reg(&g->ra, b) >= 0 && !ra_dies(&g->ra, b)) {
        m = mem_bi(ra_use(&g->ra, a, 0), ra_use(&g->ra, b, 0), 0);
    } else {
        return false;
    }
    ra_release(&g->ra);
    x_rm(&g->a, X_LEA | wide(t), ra_def(&g->ra, o->dst, 0, -1), m);
    return true;
}

void emit_alu(Gen *g, const IrOp *o)
{
    IrType t = ir_dst_type(g->f, o);
    uint32_t a = o->args[0], b = o->args[1];
    Opnd p;
    int dst;

    if (ir_desc(o)->flags & IRF_COMM && !ra_is_const(&g->ra, b) &&
        (ra_is_const(&g->ra, a) || (!ra_dies(&g->ra, a) && ra_dies(&g->ra, b)))) {
        a = o->args[1];
        b = o->args[0];
    }
    if (try_lea(g, o, a, b)) {
        return;
    }
    p = gen_opnd(g, b, OPND_ANY);
    dst = ra_def_from(&g->ra, o->dst, a, a == b ? 0 : opnd_regs(&p));
    if (a == b && p.kind == OPND_REG) {
        p.reg = dst;
    }
    gen_alu(g, wide(t), row_of(o)->form, dst, &p);
}

void emit_add_shl(Gen *g, const IrOp *o)
{
    int a = ra_use(&g->ra, o->args[0], 0), b = ra_use(&g->ra, o->args[1], 0);
    Mem m = mem_bi(a, b, 0);

    m.scale = (uint8_t)o->imm[0];
    ra_release(&g->ra);
    x_rm(&g->a, X_LEA | wide(ir_dst_type(g->f, o)), ra_def(&g->ra, o->dst, 0, b), m);
}

void emit_mul(Gen *g, const IrOp *o)
{
    IrType t = ir_dst_type(g->f, o);
    uint32_t a = o->args[0], b = o->args[1];
    int32_t imm;

    if (ra_is_const(&g->ra, a)) {
        a = o->args[1];
        b = o->args[0];
    }
    if (imm_fits(g, b, &imm) && !ra_is_const(&g->ra, a)) {
        Opnd p = gen_opnd(g, a, OPND_ALLOW_MEM);
        int dst;
        ra_release(&g->ra);
        dst = ra_def(&g->ra, o->dst, 0, p.kind == OPND_REG ? p.reg : -1);
        if (imm == (int8_t)imm) {
            gen_rm(g, X_IMUL_I8 | wide(t), dst, &p);
            x_u8(&g->a, (uint8_t)imm);
        } else {
            gen_rm(g, X_IMUL_I32 | wide(t), dst, &p);
            x_u32(&g->a, (uint32_t)imm);
        }
    } else {
        Opnd p = gen_opnd(g, b, OPND_ALLOW_MEM);
        int dst = ra_def_from(&g->ra, o->dst, a, a == b ? 0 : opnd_regs(&p));
        if (a == b && p.kind == OPND_REG) {
            p.reg = dst;
        }
        gen_rm(g, X_IMUL | wide(t), dst, &p);
    }
}

/* form: F7_MUL or F7_IMUL */
void emit_mulh(Gen *g, const IrOp *o)
{
    Opnd p;

    ra_take_with(&g->ra, RAX, o->args[0]);
    ra_take(&g->ra, RDX);
    p = gen_opnd(g, o->args[1], OPND_ALLOW_MEM);
    ra_release(&g->ra);
    gen_rm(g, 0xf7 | wide(ir_dst_type(g->f, o)), (int)row_of(o)->form, &p);
    ra_def_fixed(&g->ra, o->dst, RDX);
}

/* form: F7_DIV or F7_IDIV; aux: register of the result */
void emit_div(Gen *g, const IrOp *o)
{
    uint32_t w = wide(ir_dst_type(g->f, o));
    Opnd p;

    ra_take_with(&g->ra, RAX, o->args[0]);
    ra_take(&g->ra, RDX);
    p = gen_opnd(g, o->args[1], OPND_ALLOW_MEM);
    ra_release(&g->ra);
    if (row_of(o)->form == F7_DIV) {
        x_alu_rr(&g->a, 0, ALU_XOR, RDX, RDX);
    } else {
        if (w) {
            x_u8(&g->a, 0x48);
        }
        x_u8(&g->a, 0x99); /* CDQ, CQO */
    }
    gen_rm(g, 0xf7 | w, (int)row_of(o)->form, &p);
    ra_def_fixed(&g->ra, o->dst, (int)row_of(o)->aux);
}

/* A division with a result for divisors of 0 and -1: those go around the instruction. */
void emit_div_any(Gen *g, const IrOp *o)
{
    const uint32_t w = wide(ir_dst_type(g->f, o));
    uint8_t *special, *done;
    int b;

    ra_take_with(&g->ra, RAX, o->args[0]);
    ra_take(&g->ra, RDX);
    b = ra_use(&g->ra, o->args[1], 0);
    ra_release(&g->ra);
    if (row_of(o)->form == F7_DIV) {
        x_rr(&g->a, X_TEST | w, b, b);
        special = x_jcc8(&g->a, CC_E);
        x_alu_rr(&g->a, 0, ALU_XOR, RDX, RDX);
    } else {
        x_rm(&g->a, X_LEA | w, RDX, mem_bd(b, 1));
        x_alu_ri(&g->a, w, ALU_CMP, RDX, 1);
        special = x_jcc8(&g->a, CC_BE);
        if (w) {
            x_u8(&g->a, 0x48);
        }
        x_u8(&g->a, 0x99); /* CDQ, CQO */
    }
    x_f7(&g->a, w, (unsigned)row_of(o)->form, b);
    done = x_jcc8(&g->a, CC_ALWAYS);
    x_here8(&g->a, special);
    x_rr(&g->a, X_IMUL | w, RAX, b);
    x_here8(&g->a, done);
    ra_def_fixed(&g->ra, o->dst, RAX);
}

void emit_andc(Gen *g, const IrOp *o)
{
    uint32_t w = wide(ir_dst_type(g->f, o));
    int a, b, dst;

    if (g->host.bmi1) {
        a = ra_use(&g->ra, o->args[0], 0);
        b = ra_use(&g->ra, o->args[1], 0);
        ra_release(&g->ra);
        dst = ra_def(&g->ra, o->dst, 0, a);
        v_rrr(&g->a, V_ANDN | w, dst, b, a);
        return;
    }
    a = ra_use(&g->ra, o->args[0], 0);
    b = ra_tmp(&g->ra, 0, 0);
    x_mov_rr(&g->a, X_W, b, ra_use(&g->ra, o->args[1], 0));
    x_f7(&g->a, w, F7_NOT, b);
    dst = ra_def_from(&g->ra, o->dst, o->args[0], 0);
    x_alu_rr(&g->a, w, ALU_AND, dst, b);
}

/* form: F7_NEG or F7_NOT */
void emit_neg(Gen *g, const IrOp *o)
{
    int dst = ra_def_from(&g->ra, o->dst, o->args[0], 0);

    x_f7(&g->a, wide(ir_dst_type(g->f, o)), row_of(o)->form, dst);
}

/* form: SH_*; aux: BMI2 form or 0 */
void emit_shift(Gen *g, const IrOp *o)
{
    IrType t = ir_dst_type(g->f, o);
    uint32_t w = wide(t), a = o->args[0], b = o->args[1];
    const EmitRow *row = row_of(o);
    int dst;

    if (ra_is_const(&g->ra, b)) {
        unsigned n = (unsigned)g->ra.vals[b].bits & (ir_type_bits(t) - 1);
        dst = ra_def_from(&g->ra, o->dst, a, 0);
        if (n) {
            x_shift_ri(&g->a, w, row->form, dst, n);
        } else if (!w) {
            x_mov_rr(&g->a, 0, dst, dst);
        }
    } else if (g->host.bmi2 && row->aux) {
        int n = ra_use(&g->ra, b, 0), x = ra_use(&g->ra, a, 0);
        ra_release(&g->ra);
        dst = ra_def(&g->ra, o->dst, 0, x);
        v_rrr(&g->a, row->aux | w, dst, n, x);
    } else {
        ra_take_with(&g->ra, RCX, b);
        dst = ra_def_from(&g->ra, o->dst, a, 0);
        x_shift_cl(&g->a, w, row->form, dst);
        if (!w) {
            x_mov_rr(&g->a, 0, dst, dst); /* a count of 0 leaves the upper half alone */
        }
    }
}

/* ---------------------------------------------------------------- bits and bytes */

void emit_clz(Gen *g, const IrOp *o)
{
    IrType t = ir_dst_type(g->f, o);
    uint32_t w = wide(t);
    Opnd p = gen_opnd(g, o->args[0], OPND_ALLOW_MEM);
    int dst, tmp;

    if (g->host.lzcnt) {
        ra_release(&g->ra);
        dst = ra_def(&g->ra, o->dst, 0, -1);
        gen_rm(g, X_LZCNT | w, dst, &p);
        return;
    }
    tmp = ra_tmp(&g->ra, 0, 0);
    ra_release(&g->ra);
    gen_rm(g, X_BSR | w, tmp, &p);
    dst = ra_def(&g->ra, o->dst, 0, -1);
    x_mov_ri(&g->a, dst, 2 * ir_type_bits(t) - 1);
    x_rr(&g->a, X_CMOV | CC_NE | w, dst, tmp);
    x_alu_ri(&g->a, 0, ALU_XOR, dst, (int32_t)ir_type_bits(t) - 1);
}

void emit_ctz(Gen *g, const IrOp *o)
{
    IrType t = ir_dst_type(g->f, o);
    uint32_t w = wide(t);
    Opnd p = gen_opnd(g, o->args[0], OPND_ALLOW_MEM);
    int dst, tmp;

    if (g->host.bmi1) {
        ra_release(&g->ra);
        dst = ra_def(&g->ra, o->dst, 0, -1);
        gen_rm(g, X_TZCNT | w, dst, &p);
        return;
    }
    tmp = ra_tmp(&g->ra, 0, 0);
    ra_release(&g->ra);
    gen_rm(g, X_BSF | w, tmp, &p);
    dst = ra_def(&g->ra, o->dst, 0, -1);
    x_mov_ri(&g->a, dst, ir_type_bits(t));
    x_rr(&g->a, X_CMOV | CC_NE | w, dst, tmp);
}

static uint64_t count_bits32(uint32_t a)
{
    return (unsigned)__builtin_popcount(a);
}

static uint64_t count_bits64(uint64_t a)
{
    return (unsigned)__builtin_popcountll(a);
}

void emit_popcnt(Gen *g, const IrOp *o)
{
    uint32_t w = wide(ir_dst_type(g->f, o));

    if (g->host.popcnt) {
        Opnd p = gen_opnd(g, o->args[0], OPND_ALLOW_MEM);
        ra_release(&g->ra);
        gen_rm(g, X_POPCNT | w, ra_def(&g->ra, o->dst, 0, -1), &p);
    } else {
        gen_libcall(g, o, w ? (void *)count_bits64 : (void *)count_bits32);
    }
}

void emit_bswap(Gen *g, const IrOp *o)
{
    int dst = ra_def_from(&g->ra, o->dst, o->args[0], 0);

    x_bswap(&g->a, wide(ir_dst_type(g->f, o)), dst);
}

void emit_bswap16(Gen *g, const IrOp *o)
{
    Opnd p = gen_opnd(g, o->args[0], OPND_ALLOW_MEM);
    int dst;

    ra_release(&g->ra);
    dst = ra_def(&g->ra, o->dst, 0, p.kind == OPND_REG ? p.reg : -1);
    gen_rm(g, X_MOVZX16, dst, &p);
    x_shift_ri(&g->a, X_66, SH_ROL, dst, 8);
}

/* form: the move with extension; aux: it sign-extends, so width matters */
void emit_ext(Gen *g, const IrOp *o)
{
    Opnd p = gen_opnd(g, o->args[0], OPND_ALLOW_MEM);
    uint32_t w = row_of(o)->aux ? wide(ir_dst_type(g->f, o)) : 0;

    ra_release(&g->ra);
    gen_rm(g, row_of(o)->form | w, ra_def(&g->ra, o->dst, 0, p.kind == OPND_REG ? p.reg : -1), &p);
}

void emit_trunc(Gen *g, const IrOp *o)
{
    if (ra_reg(&g->ra, o->args[0]) < 0 && !ra_is_const(&g->ra, o->args[0])) {
        emit_ext(g, o); /* reads the low half from memory */
    } else if (!ra_rename(&g->ra, o->dst, o->args[0])) {
        int dst, a = ra_use(&g->ra, o->args[0], 0);
        ra_release(&g->ra);
        dst = ra_def(&g->ra, o->dst, 0, -1);
        x_mov_rr(&g->a, 0, dst, a);
    } else {
        g->ra.vals[o->dst].zero_ext = false;
    }
}

void emit_zextq(Gen *g, const IrOp *o)
{
    uint32_t a = o->args[0];

    if (ra_reg(&g->ra, a) >= 0 && g->ra.vals[a].zero_ext && ra_rename(&g->ra, o->dst, a)) {
        return;
    }
    emit_ext(g, o);
}

void emit_concat(Gen *g, const IrOp *o)
{
    uint32_t lo = o->args[0], hi = o->args[1];
    int low = ra_tmp(&g->ra, 0, 0);
    Opnd p = gen_opnd(g, lo, OPND_ALLOW_MEM);
    int dst;

    gen_rm(g, X_MOV_RM, low, &p);
    dst = ra_def_from(&g->ra, o->dst, hi, 0);
    x_shift_ri(&g->a, X_W, SH_SHL, dst, 32);
    x_alu_rr(&g->a, X_W, ALU_OR, dst, low);
}

static unsigned size_of_bits(unsigned len)
{
    return len == 8 ? 0 : len == 16 ? 1 : len == 32 ? 2 : 3;
}

/* aux: sign-extends */
void emit_extract(Gen *g, const IrOp *o)
{
    IrType t = ir_dst_type(g->f, o);
    unsigned bits = ir_type_bits(t), pos = (unsigned)o->imm[0], len = (unsigned)o->imm[1];
    bool sign = row_of(o)->aux, whole = len == 8 || len == 16 || len == 32;
    uint32_t w = wide(t);
    int dst;

    if (pos == 0 && whole && len < bits) {
        int a = ra_use(&g->ra, o->args[0], 0);
        ra_release(&g->ra);
        gen_extend(g, t, size_of_bits(len), sign, ra_def(&g->ra, o->dst, 0, a), a);
        return;
    }
    dst = ra_def_from(&g->ra, o->dst, o->args[0], 0);
    if (!sign && pos + len == bits) {
        if (pos) {
            x_shift_ri(&g->a, w, SH_SHR, dst, pos);
        }
    } else if (whole && len < bits) {
        x_shift_ri(&g->a, w, SH_SHR, dst, pos);
        gen_extend(g, t, size_of_bits(len), sign, dst, dst);
    } else if (!sign && len < 31) {
        if (pos) {
            x_shift_ri(&g->a, w, SH_SHR, dst, pos);
        }
        x_alu_ri(&g->a, 0, ALU_AND, dst, (int32_t)((1u << len) - 1));
    } else {
        if (pos + len < bits) {
            x_shift_ri(&g->a, w, SH_SHL, dst, bits - pos - len);
        }
        if (len < bits) {
            x_shift_ri(&g->a, w, sign ? SH_SAR : SH_SHR, dst, bits - len);
        }
    }
}

/* Rotating the field to the bottom makes every position a plain move of a byte or word. */
static void rotate(Gen *g, uint32_t w, unsigned op, int reg, unsigned n)
{
    if (n) {
        x_shift_ri(&g->a, w, op, reg, n);
    }
}

void emit_deposit(Gen *g, const IrOp *o)
{
    IrType t = ir_dst_type(g->f, o);
    unsigned bits = ir_type_bits(t), pos = (unsigned)o->imm[0], len = (unsigned)o->imm[1];
    uint32_t w = wide(t);
    int dst, b = ra_use(&g->ra, o->args[1], 0);

    if (len == bits) {
        ra_release(&g->ra);
        dst = ra_def(&g->ra, o->dst, 0, -1);
        x_rr(&g->a, X_MOV_RM | w, dst, b);
        return;
    }
    if (len == 8 || len == 16) {
        dst = ra_def_from(&g->ra, o->dst, o->args[0], REG_BIT(b));
        rotate(g, w, SH_ROR, dst, pos);
        x_rr(&g->a, len == 8 ? X_MOV8_MR | X_M8 : X_MOV16_MR, b, dst);
        rotate(g, w, SH_ROL, dst, pos);
    } else {
        int tmp = ra_tmp(&g->ra, 0, 0);
        x_rr(&g->a, X_MOV_RM | w, tmp, b);
        x_shift_ri(&g->a, w, SH_SHL, tmp, bits - len);
        rotate(g, w, SH_SHR, tmp, bits - len - pos);
        dst = ra_def_from(&g->ra, o->dst, o->args[0], 0);
        rotate(g, w, SH_ROR, dst, pos);
        x_shift_ri(&g->a, w, SH_SHR, dst, len);
        x_shift_ri(&g->a, w, SH_SHL, dst, len);
        rotate(g, w, SH_ROL, dst, pos);
        x_alu_rr(&g->a, w, ALU_OR, dst, tmp);
    }
    g->ra.vals[o->dst].zero_ext = false;
}

void emit_funnel(Gen *g, const IrOp *o)
{
    uint32_t w = wide(ir_dst_type(g->f, o));
    unsigned n = (unsigned)o->imm[0];
    int b = ra_use(&g->ra, o->args[1], 0);
    int dst = ra_def_from(&g->ra, o->dst, o->args[0], o->args[0] == o->args[1] ? 0 : REG_BIT(b));

    if (o->args[0] == o->args[1]) {
        b = dst;
    }
    if (n) {
        x_rr(&g->a, X_SHRD_I | w, b, dst);
        x_u8(&g->a, n);
    } else if (!w) {
        x_mov_rr(&g->a, 0, dst, dst);
    }
}

static uint64_t deposit_bits(uint64_t a, uint64_t mask)
{
    uint64_t r = 0;

    for (; mask; mask &= mask - 1, a >>= 1) {
        r |= a & 1 ? mask & -mask : 0;
    }
    return r;
}

static uint64_t gather_bits(uint64_t a, uint64_t mask)
{
    uint64_t r = 0;

    for (unsigned n = 0; mask; mask &= mask - 1, n++) {
        r |= a & mask & -mask ? 1ull << n : 0;
    }
    return r;
}

static uint64_t deposit_bits32(uint32_t a, uint32_t mask)
{
    return deposit_bits(a, mask);
}

static uint64_t gather_bits32(uint32_t a, uint32_t mask)
{
    return gather_bits(a, mask);
}

/* form: BMI2 */
void emit_pdep(Gen *g, const IrOp *o)
{
    static void *const fn[2][2] = {{(void *)deposit_bits32, (void *)deposit_bits},
                                   {(void *)gather_bits32, (void *)gather_bits}};
    uint32_t w = wide(ir_dst_type(g->f, o));

    if (g->host.bmi2) {
        int a = ra_use(&g->ra, o->args[0], 0), b = ra_use(&g->ra, o->args[1], 0);
        ra_release(&g->ra);
        v_rrr(&g->a, row_of(o)->form | w, ra_def(&g->ra, o->dst, 0, a), a, b);
    } else {
        gen_libcall(g, o, fn[o->opcode == OP_PEXT][w != 0]);
    }
}

static uint64_t crc_bytes(uint32_t crc, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n * 8; i++, v >>= 1) {
        crc = crc >> 1 ^ ((crc ^ (uint32_t)v) & 1 ? 0x82f63b78u : 0);
    }
    return crc;
}

static uint64_t crc1(uint32_t crc, uint64_t v)
{
    return crc_bytes(crc, v, 1);
}

static uint64_t crc2(uint32_t crc, uint64_t v)
{
    return crc_bytes(crc, v, 2);
}

static uint64_t crc4(uint32_t crc, uint64_t v)
{
    return crc_bytes(crc, v, 4);
}

static uint64_t crc8(uint32_t crc, uint64_t v)
{
    return crc_bytes(crc, v, 8);
}

void emit_crc32c(Gen *g, const IrOp *o)
{
    static void *const fn[4] = {(void *)crc1, (void *)crc2, (void *)crc4, (void *)crc8};
    unsigned n = (unsigned)o->imm[0];

    if (g->host.sse42) {
        int b = ra_use(&g->ra, o->args[1], 0);
        int dst = ra_def_from(&g->ra, o->dst, o->args[0], REG_BIT(b));
        if (n == 2) {
            x_u8(&g->a, 0x66);
        }
        x_rr(&g->a, n == 1 ? X_CRC32_8 : X_CRC32 | (n == 8 ? X_W : 0), dst, b);
    } else {
        gen_libcall(g, o, fn[n == 1 ? 0 : n == 2 ? 1 : n == 4 ? 2 : 3]);
    }
}

/* ---------------------------------------------------------------- conditions */

static HostCond host_cond(IrCond c)
{
    static const uint8_t map[] = {
        [COND_EQ] = CC_E,   [COND_NE] = CC_NE, [COND_LT] = CC_L,   [COND_GE] = CC_GE,
        [COND_LE] = CC_LE,  [COND_GT] = CC_G,  [COND_LTU] = CC_B,  [COND_GEU] = CC_AE,
        [COND_LEU] = CC_BE, [COND_GTU] = CC_A, [COND_TSTZ] = CC_E, [COND_TSTNZ] = CC_NE,
    };

    return (HostCond)map[c];
}

HostCond gen_compare(Gen *g, IrType t, IrCond cond, uint32_t a, uint32_t b)
{
    uint32_t w = wide(t);
    int32_t imm;
    Opnd p;
    int ra;

    if (cond == COND_ALWAYS || cond == COND_NEVER) {
        x_alu_rr(&g->a, 0, ALU_CMP, RSP, RSP);
        return cond == COND_ALWAYS ? CC_E : CC_NE;
    }
    if (ra_is_const(&g->ra, a) && !ra_is_const(&g->ra, b)) {
        uint32_t x = a;
        a = b;
        b = x;
        cond = ir_cond_swap(cond);
    }
    if (cond == COND_TSTZ || cond == COND_TSTNZ) {
        ra = ra_use(&g->ra, a, 0);
        if (ra_is_const(&g->ra, b) && g->ra.vals[b].bits == UINT32_MAX) {
            x_rr(&g->a, X_TEST, ra, ra);
            return host_cond(cond);
        }
        p = gen_opnd(g, b, OPND_ALLOW_IMM);
        if (p.kind == OPND_IMM) {
            x_test_ri(&g->a, w, ra, p.imm);
        } else {
            x_rr(&g->a, X_TEST | w, p.reg, ra);
        }
        return host_cond(cond);
    }
    if (imm_fits(g, b, &imm)) {
        Opnd m = gen_opnd(g, a, OPND_ALLOW_MEM);
        if (m.kind == OPND_MEM) {
            x_alu_mi(&g->a, w, ALU_CMP, m.mem, imm);
        } else if (imm == 0) {
            x_rr(&g->a, X_TEST | w, m.reg, m.reg);
        } else {
            x_alu_ri(&g->a, w, ALU_CMP, m.reg, imm);
        }
        return host_cond(cond);
    }
    ra = ra_use(&g->ra, a, 0);
    p = gen_opnd(g, b, OPND_ALLOW_MEM);
    gen_alu(g, w, ALU_CMP, ra, &p);
    return host_cond(cond);
}

/* Clearing first is shorter than extending afterwards, but the register must not be an operand. */
void emit_setcond(Gen *g, const IrOp *o)
{
    IrType t = (IrType)g->ra.vals[o->args[0]].type;
    HostCond c;
    int dst;

    if (!ra_is_const(&g->ra, o->args[0])) {
        ra_use(&g->ra, o->args[0], 0);
    }
    if (!ra_is_const(&g->ra, o->args[1])) {
        ra_use(&g->ra, o->args[1], 0);
    }
    dst = ra_tmp(&g->ra, 0, 0);
    x_alu_rr(&g->a, 0, ALU_XOR, dst, dst);
    c = gen_compare(g, t, (IrCond)o->cc, o->args[0], o->args[1]);
    ra_release(&g->ra);
    x_rr(&g->a, X_SETCC | c, 0, dst);
    ra_def_fixed(&g->ra, o->dst, dst);
}

void emit_select(Gen *g, const IrOp *o)
{
    IrType t = ir_dst_type(g->f, o);
    HostCond c =
        gen_compare(g, (IrType)g->ra.vals[o->args[0]].type, (IrCond)o->cc, o->args[0], o->args[1]);
    uint32_t yes = o->args[2], no = o->args[3];
    Opnd p;
    int dst;

    if (ra_dies(&g->ra, yes) && !ra_dies(&g->ra, no)) {
        yes = o->args[3];
        no = o->args[2];
        c = x_cond_not(c);
    }
    if (ra_class(t) == 0) {
        p = gen_opnd(g, yes, OPND_ALLOW_MEM);
        dst = ra_def_from(&g->ra, o->dst, no, yes == no ? 0 : opnd_regs(&p));
        if (yes == no && p.kind == OPND_REG) {
            return;
        }
        gen_rm(g, X_CMOV | c | wide(t), dst, &p);
    } else {
        uint8_t *over;
        int from = ra_use(&g->ra, yes, 0);
        dst = ra_def_from(&g->ra, o->dst, no, REG_BIT(from));
        over = x_jcc8(&g->a, x_cond_not(c));
        g->ra.host->move(g, t, dst, from);
        x_here8(&g->a, over);
    }
}
