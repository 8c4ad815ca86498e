// SPDX-License-Identifier: GPL-2.0-or-later
/* x87 instructions: operands here, arithmetic in helpers (x87-*.c). SDM 1 chapter 8. */
#include "target-i386/translate.h"

static IrVal op_field(X86Ctx *s, X86Insn *i)
{
    return ir_i32(s->b, i->modrm >> 3 & 7);
}

static IrVal sti(X86Ctx *s, X86Insn *i)
{
    return ir_i32(s->b, i->modrm & 7);
}

static void pop_if(X86Ctx *s, bool pop)
{
    if (pop) {
        ir_call_f_pop(s->b);
    }
}

void trans_FARITH(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_read(s, i, 0);

    x86_sync(s);
    (i->op[0].size == 3 ? ir_call_farith_f64 : ir_call_farith_f32)(s->b, op_field(s, i), v);
}

void trans_FIARITH(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_sext64(s, i->op[0].size, x86_read(s, i, 0));

    x86_sync(s);
    ir_call_farith_int(s->b, op_field(s, i), v);
}

void trans_FCOM(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_read(s, i, 0);

    x86_sync(s);
    (i->op[0].size == 3 ? ir_call_fcom_f64 : ir_call_fcom_f32)(s->b, v);
    pop_if(s, i->modrm >> 3 & 1);
}

void trans_FICOM(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_sext64(s, i->op[0].size, x86_read(s, i, 0));

    x86_sync(s);
    ir_call_fcom_int(s->b, v);
    pop_if(s, i->modrm >> 3 & 1);
}

/* D8 /2 /3, DC /2 /3, DE /2; DD /4 /5 are the quiet ones. */
void trans_FCOM_st(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_fcom_st(s->b, sti(s, i), ir_i32(s->b, i->opcode == 0xdd));
    pop_if(s, i->modrm >> 3 & 1 || i->opcode == 0xde);
}

void trans_FCOMPP(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_fcom_st(s->b, ir_i32(s->b, 1), ir_i32(s->b, i->opcode == 0xda));
    ir_call_f_pop(s->b);
    ir_call_f_pop(s->b);
}

void trans_FARITH_st0(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_farith_st0(s->b, op_field(s, i), sti(s, i));
}

void trans_FARITH_sti(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_farith_sti(s->b, op_field(s, i), sti(s, i));
}

void trans_FARITHP_sti(X86Ctx *s, X86Insn *i)
{
    trans_FARITH_sti(s, i);
    ir_call_f_pop(s->b);
}

/* ---- loads and stores ---- */

void trans_FLD(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_read(s, i, 0);

    x86_sync(s);
    (i->op[0].size == 3 ? ir_call_fld_f64 : ir_call_fld_f32)(s->b, v);
}

/* Nothing of it after an unmasked exception other than precision (SDM 1 8.5.4 ff.). */
static void store_and_pop(X86Ctx *s, X86Insn *i, IrVal v, bool pop)
{
    IrBuilder *b = s->b;
    IrBlock *over = ir_block(b), *store = ir_block(b);
    IrVar value = ir_local(b, x86_type(i->op[0].size));
    IrVal flags = ir_env_load(b, IR_I32, offsetof(X86Cpu, fp_sw), MEM_32);
    IrVal masks = ir_env_load(b, IR_I32, offsetof(X86Cpu, fp_cw), MEM_32);

    ir_set(b, value, v);
    ir_brcond(b, COND_TSTNZ, ir_andc(b, flags, masks), ir_i32(b, 0x1f), over, store);
    ir_place(b, store);
    x86_write(s, i, 0, ir_get(b, value));
    pop_if(s, pop);
    ir_place(b, over);
}

void trans_FST(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    store_and_pop(s, i, i->op[0].size == 3 ? ir_call_fst_f64(s->b) : ir_call_fst_f32(s->b),
                  i->modrm >> 3 & 1);
}

void trans_FLD_80(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_fld_f80(s->b, x86_addr(s, i));
}

void trans_FSTP_80(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_fst_f80(s->b, x86_addr(s, i));
    ir_call_f_pop(s->b);
}

void trans_FILD(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_sext64(s, i->op[0].size, x86_read(s, i, 0));

    x86_sync(s);
    ir_call_fild(s->b, v);
}

static void store_int(X86Ctx *s, X86Insn *i, bool truncate, bool pop)
{
    unsigned size = i->op[0].size;

    x86_sync(s);
    IrVal v = ir_call_fist(s->b, ir_i32(s->b, size), ir_i32(s->b, truncate));
    store_and_pop(s, i, x86_narrow(s, size, v), pop);
}

void trans_FIST(X86Ctx *s, X86Insn *i)
{
    store_int(s, i, false, i->modrm >> 3 & 1);
}

void trans_FISTTP(X86Ctx *s, X86Insn *i)
{
    store_int(s, i, true, true);
}

void trans_FBLD(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_fbld(s->b, x86_addr(s, i));
}

void trans_FBSTP(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_fbst(s->b, x86_addr(s, i));
    ir_call_f_pop(s->b);
}

void trans_FLD_st(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_fld_st(s->b, sti(s, i));
}

void trans_FST_st(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_fst_st(s->b, sti(s, i));
    pop_if(s, i->modrm >> 3 & 1 || i->opcode == 0xdf);
}

void trans_FXCH(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_fxch(s->b, sti(s, i));
}

void trans_FFREE(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_ffree(s->b, sti(s, i));
}

void trans_FFREEP(X86Ctx *s, X86Insn *i)
{
    trans_FFREE(s, i);
    ir_call_f_pop(s->b);
}

/* DA: B E BE U; DB: their opposites */
void trans_FCMOV(X86Ctx *s, X86Insn *i)
{
    static const uint8_t codes[4] = {2, 4, 6, 10};
    X86Cond c = x86_cond(s, codes[i->modrm >> 3 & 3] | (i->opcode & 1));
    IrVal on = ir_setcond(s->b, c.cond, c.a, c.b);

    x86_sync(s);
    ir_call_fcmov(s->b, sti(s, i), on);
}

void trans_FCOMI(X86Ctx *s, X86Insn *i)
{
    IrVal quiet = ir_i32(s->b, (i->modrm >> 3 & 7) == 5);

    x86_sync(s);
    IrVal flags = ir_call_fcomi(s->b, sti(s, i), quiet);
    IrVar keep = ir_local(s->b, IR_I64);
    ir_set(s->b, keep, flags);
    pop_if(s, i->opcode == 0xdf);
    x86_cc_eflags(s, ir_get(s->b, keep));
}

void trans_F_D9(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_f_d9(s->b, ir_i32(s->b, i->modrm));
}

/* ---- control ---- */

void trans_FNOP(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_fwait(s->b);
}

void trans_FWAIT(X86Ctx *s, X86Insn *i)
{
    if ((s->mode & (MODE_TS | MODE_MP)) == (MODE_TS | MODE_MP)) {
        x86_raise_ir(s, EXC_NM);
        s->ended = true;
        return;
    }
    x86_sync(s);
    ir_call_fwait(s->b);
}

void trans_FNINIT(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_fninit(s->b);
}

void trans_FNCLEX(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_fnclex(s->b);
}

void trans_FLDCW(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_zext(s, 1, x86_read(s, i, 0));

    x86_sync(s);
    ir_call_fldcw(s->b, v);
}

void trans_FNSTCW(X86Ctx *s, X86Insn *i)
{
    x86_write(s, i, 0, ir_call_fnstcw(s->b));
}

void trans_FNSTSW(X86Ctx *s, X86Insn *i)
{
    x86_write(s, i, 0, ir_call_fnstsw(s->b));
}

static void image(X86Ctx *s, X86Insn *i, void (*fn)(IrBuilder *, IrVal, IrVal))
{
    x86_sync(s);
    fn(s->b, x86_addr(s, i), ir_i32(s->b, i->opsize == 1 ? 1 : 2));
}

void trans_FLDENV(X86Ctx *s, X86Insn *i)
{
    image(s, i, ir_call_fldenv);
}

void trans_FNSTENV(X86Ctx *s, X86Insn *i)
{
    image(s, i, ir_call_fnstenv);
}

void trans_FNSAVE(X86Ctx *s, X86Insn *i)
{
    image(s, i, ir_call_fnsave);
}

void trans_FRSTOR(X86Ctx *s, X86Insn *i)
{
    image(s, i, ir_call_frstor);
}
