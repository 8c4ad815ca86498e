// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * x87 instructions whose stack is known while they are translated. The first one of a block
 * compares TOP, tags, control and status word with what they were at translation (any other state
 * takes the general way, trans-x87.c, and leaves for the next instruction); from there on registers
 * are named by number (tcg/x87.h) and stack faults cannot happen. What this does not know goes the
 * general way, and so do control words other than FNINIT's and unmasked exceptions. SDM 1 chapter
 * 8.
 */
#include "target-i386/region.h"
#include "tcg/x87.h"

/* What an instruction asks of the stack. */
typedef struct Plan {
    uint8_t uses;               /* bits of ST(i) that must not be empty */
    bool push;                  /* ST(7) must be */
    uint8_t pops;
} Plan;

static unsigned st(const X86Ctx *s, unsigned i)
{
    return (s->x87.top + i) & 7;
}

static unsigned op_field(const X86Insn *i)
{
    return i->modrm >> 3 & 7;
}

static bool plan_d9(const X86Insn *i, Plan *p)
{
    if (i->modrm >= 0xe8 && i->modrm <= 0xee) {
        p->push = true;
        return true;
    }
    p->uses = 1;
    return i->modrm == 0xe0 || i->modrm == 0xe1 || i->modrm == 0xfa || i->modrm == 0xfc;
}

/* False: the general way. */
static bool plan_of(const X86Insn *i, Plan *p)
{
    X86TransFn *fn = i->row->trans;
    const uint8_t both = (uint8_t)(1 | 1 << (i->modrm & 7));
    const bool odd = op_field(i) & 1;

    *p = (Plan){.uses = 1};
    if (fn == trans_FARITH || fn == trans_FIARITH) {
        return true;
    }
    if (fn == trans_FCOM || fn == trans_FICOM || fn == trans_FST || fn == trans_FIST) {
        p->pops = odd;
        return true;
    }
    if (fn == trans_FISTTP) {
        p->pops = 1;
        return true;
    }
    if (fn == trans_FARITH_st0 || fn == trans_FARITH_sti || fn == trans_FXCH || fn == trans_FCMOV) {
        p->uses = both;
        return true;
    }
    if (fn == trans_FARITHP_sti || fn == trans_FCOMI) {
        p->uses = both;
        p->pops = fn == trans_FARITHP_sti || i->opcode == 0xdf;
        return true;
    }
    if (fn == trans_FCOM_st) {
        p->uses = both;
        p->pops = odd || i->opcode == 0xde;
        return true;
    }
    if (fn == trans_FCOMPP) {
        *p = (Plan){.uses = 3, .pops = 2};
        return true;
    }
    if (fn == trans_FST_st) {
        p->pops = odd || i->opcode == 0xdf;
        return true;
    }
    if (fn == trans_FLD_st) {
        *p = (Plan){.uses = (uint8_t)(1 << (i->modrm & 7)), .push = true};
        return true;
    }
    if (fn == trans_FLD || fn == trans_FILD || fn == trans_FLD_80) {
        *p = (Plan){.push = true};
        return true;
    }
    *p = (Plan){0};
    return fn == trans_FNSTSW || fn == trans_FNOP || fn == trans_FWAIT ||
           (fn == trans_F_D9 && plan_d9(i, p));
}

static bool stack_fits(const X86Ctx *s, const Plan *p)
{
    for (unsigned i = 0; i < 8; i++) {
        if (p->uses >> i & 1 && s->x87.empty >> st(s, i) & 1) {
            return false;
        }
    }
    return !p->push || s->x87.empty >> st(s, 7) & 1;
}

/* ---- the look at the state ---- */

static uint64_t tag_bytes(unsigned empty)
{
    uint64_t v = 0;

    for (unsigned k = 0; k < 8; k++) {
        v |= (uint64_t)(empty >> k & 1) << 8 * k;
    }
    return v;
}

static void guard(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    IrBlock *other = ir_cold_block(b), *fast = ir_block(b);
    const X86Ctx before = *s;
    IrVal top_cw = ir_env_load(b, IR_I64, offsetof(X86Cpu, fp_top), MEM_64);
    IrVal sw_clean = ir_env_load(b, IR_I64, offsetof(X86Cpu, fp_sw), MEM_64);
    IrVal tags = ir_env_load(b, IR_I64, offsetof(X86Cpu, fp_tag), MEM_64);
    uint64_t want = s->x87.top | (uint64_t)s->x87.cw << 32;

    IrVal wrong = ir_xor(b, top_cw, ir_i64(b, want));
    wrong = ir_or(b, wrong, ir_xor(b, tags, ir_i64(b, tag_bytes(s->x87.empty))));
    sw_clean = ir_and(b, sw_clean, ir_i64(b, 0x80 | 1ull << 32));
    wrong = ir_or(b, wrong, ir_xor(b, sw_clean, ir_i64(b, 1ull << 32)));
    ir_brcond(b, COND_NE, wrong, ir_i64(b, 0), other, fast);

    ir_place(b, other);
    x86_sync(s);
    ir_call_x87_ready(b);
    i->row->trans(s, i);
    if (ir_is_open(b)) {
        x86_sync(s);
        ir_set(b, V_RIP, x86_pc(s, s->next));
        ir_exit_lookup(b, s->anywhere
                              ? x86_pc(s, s->next)
                              : ir_i64(b, s->code64 ? s->next : (uint32_t)(s->next + s->base)));
    }
    *s = before;
    s->addr = x86_none;
    s->x87.known = true;
    ir_place(b, fast);
}

/* ---- what happens to the stack ---- */

static void set_top(X86Ctx *s, unsigned top)
{
    s->x87.top = top & 7;
    ir_env_store(s->b, ir_i32(s->b, s->x87.top), offsetof(X86Cpu, fp_top), MEM_32);
}

static void set_tag(X86Ctx *s, unsigned reg, bool empty)
{
    s->x87.empty = (uint8_t)((s->x87.empty & ~(1u << reg)) | (unsigned)empty << reg);
    ir_env_store(s->b, ir_i32(s->b, empty), (uint32_t)(offsetof(X86Cpu, fp_tag) + reg), MEM_8);
}

static void pushed(X86Ctx *s)
{
    set_tag(s, st(s, 7), false);
    set_top(s, s->x87.top - 1);
}

static void pop(X86Ctx *s, unsigned n)
{
    for (unsigned k = 0; k < n; k++) {
        set_tag(s, st(s, k), true);
    }
    if (n) {
        set_top(s, s->x87.top + n);
    }
}

static void run(X86Ctx *s, X87Kind kind, unsigned op, unsigned a, unsigned b)
{
    ir_call_x87_do(s->b, ir_i32(s->b, x87_code(kind, op, a, b)));
}

static void run_in(X86Ctx *s, X87Kind kind, unsigned op, unsigned a, unsigned b, IrVal v)
{
    ir_call_x87_in(s->b, ir_i32(s->b, x87_code(kind, op, a, b)), v);
}

static IrVal run_out(X86Ctx *s, X87Kind kind, unsigned op, unsigned a, unsigned b)
{
    return ir_call_x87_out(s->b, ir_i32(s->b, x87_code(kind, op, a, b)));
}

/* ---- instructions ---- */

/* The memory operand as 64 bits, and its format. */
static IrVal operand(X86Ctx *s, X86Insn *i, bool integer, unsigned *format)
{
    const unsigned size = i->op[0].size;
    IrVal v = x86_read(s, i, 0);

    *format = integer ? X87F_I64 : size == 3 ? X87F_F64 : X87F_F32;
    return integer ? x86_sext64(s, size, v) : x86_zext64(s, size, v);
}

static bool memory_form(X86Ctx *s, X86Insn *i)
{
    X86TransFn *fn = i->row->trans;
    unsigned format;
    IrVal v;

    if (fn == trans_FARITH || fn == trans_FIARITH) {
        v = operand(s, i, fn == trans_FIARITH, &format);
        run_in(s, X87K_ARITH_MEM, op_field(i) | format << 4, st(s, 0), 0, v);
        return true;
    }
    if (fn == trans_FCOM || fn == trans_FICOM) {
        v = operand(s, i, fn == trans_FICOM, &format);
        run_in(s, X87K_COM_MEM, format, st(s, 0), 0, v);
        return true;
    }
    if (fn == trans_FLD || fn == trans_FILD) {
        v = operand(s, i, fn == trans_FILD, &format);
        run_in(s, X87K_LOAD, format, st(s, 7), 0, v);
        return true;
    }
    if (fn == trans_FLD_80) {
        IrVal at = x86_addr(s, i);
        IrVal mant = x86_load(s, 3, at), exp = x86_load(s, 1, ir_addi(s->b, at, 8));
        ir_call_x87_in80(s->b, ir_i32(s->b, x87_code(X87K_LOAD_80, 0, st(s, 7), 0)), mant, exp);
        return true;
    }
    if (fn == trans_FST) {
        v = run_out(s, X87K_STORE, i->op[0].size == 3 ? X87F_F64 : X87F_F32, st(s, 0), 0);
        x86_write(s, i, 0, x86_narrow(s, i->op[0].size, v));
        return true;
    }
    if (fn == trans_FIST || fn == trans_FISTTP) {
        static const uint8_t formats[4] = {0, X87F_I16, X87F_I32, X87F_I64};
        unsigned cut = fn == trans_FISTTP ? X87F_TRUNCATE : 0;
        v = run_out(s, X87K_STORE, formats[i->op[0].size] | cut, st(s, 0), 0);
        x86_write(s, i, 0, x86_narrow(s, i->op[0].size, v));
        return true;
    }
    return false;
}

static void conditional(X86Ctx *s, X86Insn *i)
{
    static const uint8_t codes[4] = {2, 4, 6, 10};
    X86Cond c = x86_cond(s, codes[op_field(i) & 3] | (i->opcode & 1));
    IrVal on = ir_zextq(s->b, ir_setcond(s->b, c.cond, c.a, c.b));

    run_in(s, X87K_CMOV, 0, st(s, 0), st(s, i->modrm & 7), on);
}

static void register_form(X86Ctx *s, X86Insn *i)
{
    X86TransFn *fn = i->row->trans;
    const unsigned top = st(s, 0), other = st(s, i->modrm & 7), op = op_field(i);

    if (fn == trans_FARITH_st0) {
        run(s, X87K_ARITH, op, top, other);
    } else if (fn == trans_FARITH_sti || fn == trans_FARITHP_sti) {
        run(s, X87K_ARITH, op >= 4 ? op ^ 1 : op, other, top);
    } else if (fn == trans_FCOM_st) {
        run(s, X87K_COM, i->opcode == 0xdd, top, other);
    } else if (fn == trans_FCOMPP) {
        run(s, X87K_COM, i->opcode == 0xda, top, st(s, 1));
    } else if (fn == trans_FLD_st) {
        run(s, X87K_MOVE, 1, st(s, 7), other);
    } else if (fn == trans_FST_st) {
        if (other != top) {
            run(s, X87K_MOVE, 0, other, top);
        }
        set_tag(s, other, false);
    } else if (fn == trans_FXCH) {
        run(s, X87K_XCH, 0, top, other);
    } else if (fn == trans_FCMOV) {
        conditional(s, i);
    } else if (fn == trans_F_D9) {
        bool constant = i->modrm >= 0xe8 && i->modrm <= 0xee;
        run(s, constant ? X87K_CONST : X87K_UNARY, i->modrm, constant ? st(s, 7) : top, 0);
    } else if (fn == trans_FNSTSW) {
        run(s, X87K_SYNC, 0, 0, 0);
        IrVal sw = ir_env_load(s->b, IR_I32, offsetof(X86Cpu, fp_sw), MEM_32);
        x86_write(s, i, 0, ir_or(s->b, sw, ir_i32(s->b, (uint32_t)s->x87.top << FPSW_TOP_SHIFT)));
    }
}

static void emit(X86Ctx *s, X86Insn *i, const Plan *p)
{
    IrVal flags = x86_none;

    if (i->row->trans == trans_FCOMI) {
        flags = run_out(s, X87K_COMI, op_field(i) == 5, st(s, 0), st(s, i->modrm & 7));
    } else if (!memory_form(s, i)) {
        register_form(s, i);
    }
    if (p->push) {
        pushed(s);
    }
    pop(s, p->pops);
    if (flags.id) {
        x86_cc_eflags(s, flags);
    }
}

/* These leave stack and tags as they are. */
static bool is_neutral(const X86Insn *i)
{
    X86TransFn *fn = i->row->trans;

    return fn == trans_FNSTCW || fn == trans_FNCLEX || fn == trans_FNSTSW || fn == trans_FNOP ||
           fn == trans_FWAIT || (fn == trans_F_D9 && (i->modrm == 0xe4 || i->modrm == 0xe5));
}

bool x86_x87_fast(X86Ctx *s, X86Insn *i)
{
    Plan p;

    if (s->x87.off) {
        return false;
    }
    if (!plan_of(i, &p)) {
        s->x87.off = !is_neutral(i);
        s->x87.known = false;
        return false;
    }
    if (!stack_fits(s, &p)) {
        s->x87.off = true;
        return false;
    }
    if (!s->x87.known) {
        guard(s, i);
    }
    emit(s, i, &p);
    return true;
}

void x86_x87_guess(X86Ctx *s)
{
    const X86Cpu *c = s->cpu;

    s->x87 = (X86Stack){.top = (uint8_t)(c->fp_top & 7), .cw = (uint16_t)c->fp_cw,
                        .off = (c->fp_cw & 0xf3f) != 0x33f || c->fp_sw & FPSW_ES};
    for (unsigned k = 0; k < 8; k++) {
        s->x87.empty |= (uint8_t)(c->fp_tag[k] << k);
    }
}
