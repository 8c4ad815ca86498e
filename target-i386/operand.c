// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operands of x86 instructions as IR: registers and their parts, effective and linear addresses,
 * memory, the stack. SDM 1 chapter 3.7 (operands), 3A chapter 3 (segments).
 */
#include "target-i386/translate.h"

IrVal x86_const(X86Ctx *s, unsigned size, uint64_t v)
{
    static const uint64_t mask[4] = {0xff, 0xffff, 0xffffffff, UINT64_MAX};

    return ir_const(s->b, x86_type(size), v & mask[size]);
}

IrVal x86_zext(X86Ctx *s, unsigned size, IrVal v)
{
    return size == 0 ? ir_zext8(s->b, v) : size == 1 ? ir_zext16(s->b, v) : v;
}

IrVal x86_sext(X86Ctx *s, unsigned size, IrVal v)
{
    return size == 0 ? ir_sext8(s->b, v) : size == 1 ? ir_sext16(s->b, v) : v;
}

IrVal x86_zext64(X86Ctx *s, unsigned size, IrVal v)
{
    return size == 3 ? v : ir_zextq(s->b, x86_zext(s, size, v));
}

IrVal x86_sext64(X86Ctx *s, unsigned size, IrVal v)
{
    return size == 3 ? v : ir_sextq(s->b, x86_sext(s, size, v));
}

IrVal x86_narrow(X86Ctx *s, unsigned size, IrVal v64)
{
    return size == 3 ? v64 : ir_trunc(s->b, v64);
}

IrVal x86_get_reg(X86Ctx *s, unsigned size, unsigned reg)
{
    return x86_narrow(s, size, ir_get(s->b, V_RAX + reg));
}

void x86_set_reg(X86Ctx *s, unsigned size, unsigned reg, IrVal v)
{
    IrVar var = V_RAX + reg;

    if (size < 3) {
        v = ir_zextq(s->b, v);
    }
    if (size < 2) {
        v = ir_deposit(s->b, ir_get(s->b, var), v, 0, 8u << size);
    }
    ir_set(s->b, var, v);
}

static IrVal get_high(X86Ctx *s, unsigned reg)
{
    return ir_extract(s->b, ir_trunc(s->b, ir_get(s->b, V_RAX + reg)), 8, 8);
}

static void set_high(X86Ctx *s, unsigned reg, IrVal v)
{
    IrVal old = ir_get(s->b, V_RAX + reg);

    ir_set(s->b, V_RAX + reg, ir_deposit(s->b, old, ir_zextq(s->b, v), 8, 8));
}

IrVal x86_mask_addr(X86Ctx *s, unsigned addrsize, IrVal v)
{
    return addrsize == 1 ? ir_zext16(s->b, v) : addrsize == 2 ? ir_zext32(s->b, v) : v;
}

IrVal x86_lea(X86Ctx *s, const X86Insn *i)
{
    if (i->base == 16) {
        uint64_t rip = s->next + (uint64_t)i->disp;
        return i->addrsize == 2 ? ir_zext32(s->b, x86_pc(s, rip)) : x86_pc(s, rip);
    }
    IrVal sum = x86_none;
    int64_t disp = i->disp;
    if (i->base >= 0) {
        sum = ir_get(s->b, V_RAX + (unsigned)i->base);
        disp += i->base == R_SP ? s->rsp_bias : 0;
    }
    if (i->index >= 0) {
        IrVal index = ir_shli(s->b, ir_get(s->b, V_RAX + (unsigned)i->index), i->scale);
        sum = sum.id ? ir_add(s->b, sum, index) : index;
    }
    if (!sum.id) {
        uint64_t at = i->addrsize == 1   ? (uint16_t)disp
                      : i->addrsize == 2 ? (uint32_t)disp
                                         : (uint64_t)disp;
        return ir_i64(s->b, at);
    }
    if (disp) {
        sum = ir_addi(s->b, sum, disp);
    }
    return x86_mask_addr(s, i->addrsize, sum);
}

unsigned x86_data_seg(const X86Insn *i)
{
    if (i->seg >= 0) {
        return (unsigned)i->seg;
    }
    return i->base == R_SP || i->base == R_BP ? S_SS : S_DS;
}

/* Instructions that only read their first operand, where the tables do not show it. */
static bool only_reads(const X86Row *r)
{
    static X86TransFn *const fns[] = {
        trans_BT,     trans_CALLF_ind, trans_CALL_ind, trans_CLFLUSH, trans_CMP,
        trans_DIV,    trans_FARITH,    trans_FBLD,     trans_FCOM,    trans_FIARITH,
        trans_FICOM,  trans_FILD,      trans_FLD,      trans_FLDCW,   trans_FLDENV,
        trans_FLD_80, trans_FRSTOR,    trans_FXRSTOR,  trans_IDIV,    trans_IMUL1,
        trans_INVLPG, trans_JMPF_ind,  trans_JMP_ind,  trans_LDMXCSR, trans_LGDT,
        trans_LIDT,   trans_LLDT,      trans_LMSW,     trans_LTR,     trans_MUL,
        trans_NOP,    trans_PUSH,      trans_TEST,     trans_VERR,    trans_VERW,
        trans_XRSTOR, trans_XRSTORS,
    };

    for (unsigned n = 0; n < ARRAY_COUNT(fns); n++) {
        if (r->trans == fns[n]) {
            return true;
        }
    }
    return false;
}

unsigned x86_operand_extent(const X86Insn *i, bool *write)
{
    unsigned k = 0;

    while (k < 3 && i->op[k].kind != X86_MEM && i->row->ops[k].op != X86_OP_M) {
        k++;
    }
    *write = k == 0 && !only_reads(i->row);
    switch (i->row->ops[k].size) {
    case X86_SZ_P:
        return (1u << i->opsize) + 2;
    case X86_SZ_S:
        return 6;
    case X86_SZ_A:
        return 2u << i->opsize;
    case X86_SZ_T:
        return 10;
    case X86_SZ_NONE:           /* images; their ends are not looked at */
        return 1;
    default:
        return 1u << i->op[k].size;
    }
}

/* Segments are only looked at outside of 64-bit mode; see seg-check.c. */
static IrVal check_access(X86Ctx *s, IrVal offset, IrVal linear, unsigned seg, unsigned bytes,
                          bool write)
{
    IrBuilder *b = s->b;

    if (s->mode & MODE_EXPDOWN) {
        return ir_call_seg_linear(b, offset, ir_i32(b, seg | (unsigned)write << 3 | bytes << 4));
    }
    if (!(s->mode & MODE_NOFLAT) && seg != S_CS && seg < S_FS) {
        return linear;
    }
    IrVal last = bytes > 1 ? ir_addi(b, offset, bytes - 1) : offset;
    IrVal limit = ir_env_load(b, IR_I64, (uint32_t)offsetof(X86Cpu, seg_last[write][seg]), MEM_64);
    return ir_select(b, COND_GT, last, limit, ir_i64(b, (int64_t)x86_bad_address(seg)), linear);
}

IrVal x86_linear(X86Ctx *s, IrVal offset, unsigned seg, unsigned bytes, bool write)
{
    IrBuilder *b = s->b;
    IrVal linear = offset;

    if (s->code64) {
        return seg >= S_FS ? ir_add(b, offset, ir_get(b, V_ES_BASE + seg)) : offset;
    }
    if (seg == S_CS) {
        linear = s->base ? ir_zext32(b, ir_addi(b, offset, (int64_t)s->base)) : offset;
    } else if (seg >= S_FS || s->mode & MODE_ADDSEG) {
        linear = ir_zext32(b, ir_add(b, offset, ir_get(b, V_ES_BASE + seg)));
    }
    return check_access(s, offset, linear, seg, bytes, write);
}

IrVal x86_addr(X86Ctx *s, const X86Insn *i)
{
    bool write;
    unsigned bytes = x86_operand_extent(i, &write);

    if (s->addr.id && s->addr_block == ir_current(s->b)) {
        return s->addr;
    }
    s->addr = x86_linear(s, x86_lea(s, i), x86_data_seg(i), bytes, write);
    s->addr_block = ir_current(s->b);
    return s->addr;
}

IrVal x86_load(X86Ctx *s, unsigned size, IrVal addr)
{
    return ir_load(s->b, x86_type(size), addr, (MemOp)(s->mode & MODE_AC ? size | MEM_ALIGN : size),
                   s->mmu);
}

void x86_store(X86Ctx *s, unsigned size, IrVal v, IrVal addr)
{
    ir_store(s->b, v, addr, (MemOp)(s->mode & MODE_AC ? size | MEM_ALIGN : size), s->mmu);
}

IrVal x86_read(X86Ctx *s, const X86Insn *i, unsigned n)
{
    const X86Operand *o = &i->op[n];

    switch (o->kind) {
    case X86_REG:
        return o->high ? get_high(s, o->reg) : x86_get_reg(s, o->size, o->reg);
    case X86_MEM:
        return x86_load(s, o->size, x86_addr(s, i));
    default:
        return x86_const(s, o->size, o->imm);
    }
}

void x86_write(X86Ctx *s, const X86Insn *i, unsigned n, IrVal v)
{
    const X86Operand *o = &i->op[n];

    if (o->kind == X86_MEM) {
        x86_store(s, o->size, v, x86_addr(s, i));
    } else if (o->high) {
        set_high(s, o->reg, v);
    } else {
        x86_set_reg(s, o->size, o->reg, v);
    }
}

/* ---- stack; SDM 1 6.2.3: its address size is that of SS ---- */

unsigned x86_stack_size(const X86Ctx *s)
{
    return s->code64 ? 3 : s->mode & MODE_SS32 ? 2 : 1;
}

static void set_sp(X86Ctx *s, IrVal sp)
{
    unsigned size = x86_stack_size(s);

    if (size == 1) {
        sp = ir_deposit(s->b, ir_get(s->b, V_RSP), sp, 0, 16);
    }
    ir_set(s->b, V_RSP, sp);
}

void x86_push(X86Ctx *s, unsigned size, IrVal v)
{
    IrVal sp = ir_addi(s->b, ir_get(s->b, V_RSP), -(int64_t)(1 << size));

    sp = x86_mask_addr(s, x86_stack_size(s), sp);
    x86_store(s, size, v, x86_linear(s, sp, S_SS, 1u << size, true));
    set_sp(s, sp);
}

IrVal x86_pop_peek(X86Ctx *s, unsigned size)
{
    IrVal sp = x86_mask_addr(s, x86_stack_size(s), ir_get(s->b, V_RSP));

    return x86_load(s, size, x86_linear(s, sp, S_SS, 1u << size, false));
}

void x86_pop_done(X86Ctx *s, unsigned size, uint64_t extra)
{
    IrVal sp = ir_addi(s->b, ir_get(s->b, V_RSP), (int64_t)((1ull << size) + extra));

    set_sp(s, x86_mask_addr(s, x86_stack_size(s), sp));
}
