// SPDX-License-Identifier: GPL-2.0-or-later
/* Data transfer, conversion, exchange, conditional moves, bits and bytes. SDM 1 5.1.1, 5.1.6. */
#include "target-i386/translate.h"

void trans_MOV(X86Ctx *s, X86Insn *i)
{
    x86_write(s, i, 0, x86_read(s, i, 1));
}

/* Memory gets 16 bits whatever the operand size is, a register is zero-extended. */
void trans_MOV_from_seg(X86Ctx *s, X86Insn *i)
{
    unsigned seg = i->op[1].reg;

    if (seg > S_GS) {
        x86_ud(s);
        return;
    }
    IrVal v = ir_env_load(s->b, IR_I32, offsetof(X86Cpu, segs) + seg * sizeof(X86Seg) +
                          offsetof(X86Seg, selector), MEM_32);
    if (i->op[0].kind == X86_MEM) {
        x86_store(s, 1, v, x86_addr(s, i));
    } else {
        x86_write(s, i, 0, i->op[0].size == 3 ? ir_zextq(s->b, v) : v);
    }
}

void trans_XCHG(X86Ctx *s, X86Insn *i)
{
    IrVal c = x86_read(s, i, 1);

    if (i->op[0].kind == X86_MEM) {         /* always locked, SDM 2 "XCHG" */
        x86_write(s, i, 1,
                  ir_atomic(s->b, ATOMIC_XCHG, c, x86_addr(s, i), (MemOp)i->op[0].size, s->mmu));
        return;
    }
    IrVal a = x86_read(s, i, 0);
    x86_write(s, i, 0, c);
    x86_write(s, i, 1, a);
}

void trans_NOP(X86Ctx *s, X86Insn *i)
{
}

void trans_MOVSXD(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_read(s, i, 1);

    x86_write(s, i, 0, i->op[0].size == 3 ? ir_sextq(s->b, v) : v);
}

void trans_MOVZX(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_zext(s, i->op[1].size, x86_read(s, i, 1));

    x86_write(s, i, 0, i->op[0].size == 3 ? ir_zextq(s->b, v) : v);
}

void trans_MOVSX(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_sext(s, i->op[1].size, x86_read(s, i, 1));

    x86_write(s, i, 0, i->op[0].size == 3 ? ir_sextq(s->b, v) : v);
}

void trans_LEA(X86Ctx *s, X86Insn *i)
{
    x86_write(s, i, 0, x86_narrow(s, i->op[0].size, x86_lea(s, i)));
}

void trans_CBW(X86Ctx *s, X86Insn *i)
{
    unsigned size = i->opsize;

    x86_set_reg(s, size, R_AX, size == 3 ? x86_sext64(s, 2, x86_get_reg(s, 2, R_AX))
                                         : x86_sext(s, size - 1, x86_get_reg(s, size, R_AX)));
}

void trans_CWD(X86Ctx *s, X86Insn *i)
{
    unsigned size = i->opsize;
    IrVal v = x86_sext(s, size, x86_get_reg(s, size, R_AX));

    x86_set_reg(s, size, R_DX, ir_sari(s->b, v, size == 3 ? 63 : 31));
}

void trans_XLAT(X86Ctx *s, X86Insn *i)
{
    IrVal index = ir_andi(s->b, ir_get(s->b, V_RAX), 0xff);
    IrVal ea = x86_mask_addr(s, i->addrsize, ir_add(s->b, ir_get(s->b, V_RBX), index));

    x86_set_reg(s, 0, R_AX,
                x86_load(s, 0, x86_linear(s, ea, i->seg < 0 ? S_DS : (unsigned)i->seg, 1, false)));
}

void trans_BSWAP(X86Ctx *s, X86Insn *i)
{
    if (i->opsize == 1) {       /* undefined; processors give 0 */
        x86_set_reg(s, 1, i->op[0].reg, ir_i32(s->b, 0));
        return;
    }
    x86_write(s, i, 0, ir_bswap(s->b, x86_read(s, i, 0)));
}

void trans_MOVBE(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_read(s, i, 1);

    x86_write(s, i, 0, i->op[0].size == 1 ? ir_bswap16(s->b, v) : ir_bswap(s->b, v));
}

void trans_MOVNTI(X86Ctx *s, X86Insn *i)
{
    trans_MOV(s, i);
}

void trans_CMPXCHG(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size;
    IrVal acc = x86_get_reg(s, size, R_AX), src = x86_read(s, i, 1), old;
    IrVal wide_acc = x86_zext(s, size, acc);

    if (i->op[0].kind == X86_MEM && i->lock) {
        old = ir_cmpxchg(b, wide_acc, src, x86_addr(s, i), (MemOp)size, s->mmu);
    } else {
        old = x86_zext(s, size, x86_read(s, i, 0));
        if (i->op[0].kind == X86_REG && size == 2) {
            /* not even zero-extended when the comparison fails */
            IrVal dst = ir_get(b, V_RAX + i->op[0].reg);
            ir_set(b, V_RAX + i->op[0].reg,
                   ir_select(b, COND_EQ, old, wide_acc, ir_zextq(b, src), dst));
        } else {
            /* memory is written in any case, SDM 2A "CMPXCHG" */
            x86_write(s, i, 0, ir_select(b, COND_EQ, old, wide_acc, src, old));
        }
    }
    old = x86_zext(s, size, old);
    /* EAX is only written (and zero-extended) when the comparison fails */
    IrVal rax = ir_get(b, V_RAX), new;
    new = size == 3 ? old : ir_zextq(b, old);
    if (size < 2) {
        new = ir_deposit(b, rax, new, 0, 8u << size);
    }
    if (i->op[0].kind == X86_REG && i->op[0].reg == R_AX && !i->op[0].high) {
        new = rax;      /* the comparison cannot fail */
    }
    ir_set(b, V_RAX, ir_select(b, COND_EQ, old, wide_acc, rax, new));
    x86_cc(s, CCG_SUB, size, ir_sub(b, acc, old), old, x86_none);
    x86_cc_minuend(s, acc);
}

static void cmpxchg_wide(X86Ctx *s, X86Insn *i, IrVal (*fn)(IrBuilder *, IrVal))
{
    IrBuilder *b = s->b;

    x86_sync(s);
    IrVal z = fn(b, x86_addr(s, i));
    IrVal flags = ir_andi(b, x86_flags(s), ~(uint64_t)FLAG_Z);
    x86_cc_eflags(s, ir_or(b, flags, ir_shli(b, ir_zextq(b, z), 6)));
}

void trans_CMPXCHG8B(X86Ctx *s, X86Insn *i)
{
    cmpxchg_wide(s, i, ir_call_cmpxchg8b);
}

void trans_CMPXCHG16B(X86Ctx *s, X86Insn *i)
{
    cmpxchg_wide(s, i, ir_call_cmpxchg16b);
}

void trans_XADD(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size;
    IrVal src = x86_read(s, i, 1), old, sum;

    if (i->lock) {
        old = ir_atomic(b, ATOMIC_ADD, src, x86_addr(s, i), (MemOp)size, s->mmu);
        sum = ir_add(b, old, src);
        x86_write(s, i, 1, old);
    } else {
        old = x86_read(s, i, 0);
        sum = ir_add(b, old, src);
        if (i->op[0].kind == X86_MEM) {
            x86_write(s, i, 0, sum);
            x86_write(s, i, 1, old);
        } else {
            x86_write(s, i, 1, old);
            x86_write(s, i, 0, sum);
        }
    }
    x86_cc(s, CCG_ADD, size, sum, src, x86_none);
}

void trans_CMOVcc(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_read(s, i, 1), old = x86_read(s, i, 0);
    X86Cond c = x86_cond(s, i->opcode & 15);

    x86_write(s, i, 0, ir_select(s->b, c.cond, c.a, c.b, v, old));
}

void trans_SETcc(X86Ctx *s, X86Insn *i)
{
    X86Cond c = x86_cond(s, i->opcode & 15);

    x86_write(s, i, 0, ir_setcond(s->b, c.cond, c.a, c.b));
}

/* ---- bits ---- */

/*
 * The bit number modulo the operand's size; with a register as number and memory as base the
 * whole number counts, SDM 2A "BT". Returns the linear address then.
 */
static IrVal bit_address(X86Ctx *s, X86Insn *i, IrVal number)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size;

    if (i->op[1].kind == X86_IMM) {
        return x86_addr(s, i);
    }
    IrVal unit = ir_shli(b, ir_sari(b, x86_sext64(s, size, number), 3 + size), size);
    IrVal ea = x86_mask_addr(s, i->addrsize, ir_add(b, x86_lea(s, i), unit));
    return x86_linear(s, ea, x86_data_seg(i), 1u << size, i->row->trans != trans_BT);
}

static void bit_flags(X86Ctx *s, IrVal bit64)
{
    /* O S A P are undefined, Z is kept */
    IrVal flags = ir_andi(s->b, x86_flags(s), ~(uint64_t)FLAG_C);

    x86_cc_eflags(s, ir_or(s->b, flags, bit64));
}

enum { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

static IrVal bit_apply(X86Ctx *s, unsigned kind, IrVal v, IrVal mask)
{
    return kind == BIT_SET ? ir_or(s->b, v, mask) : kind == BIT_RESET ? ir_andc(s->b, v, mask)
           : ir_xor(s->b, v, mask);
}

static void bit(X86Ctx *s, X86Insn *i, unsigned kind)
{
    static const IrAtomic atomics[4] = {ATOMIC_OR, ATOMIC_OR, ATOMIC_AND, ATOMIC_XOR};
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size;
    IrVal number = i->op[1].kind == X86_IMM ? x86_const(s, size, i->op[1].imm) : x86_read(s, i, 1);
    IrVal n = ir_andi(b, number, (8u << size) - 1);
    IrVal mask = kind == BIT_TEST ? x86_none : ir_shl(b, x86_const(s, size, 1), n);
    IrVal v;

    if (i->op[0].kind == X86_REG) {
        v = x86_read(s, i, 0);
        if (kind != BIT_TEST) {
            x86_write(s, i, 0, bit_apply(s, kind, v, mask));
        }
    } else {
        IrVal addr = bit_address(s, i, number);
        if (i->lock) {
            IrVal m = kind == BIT_RESET ? ir_not(b, mask) : mask;
            v = ir_atomic(b, atomics[kind], m, addr, (MemOp)size, s->mmu);
        } else {
            v = x86_load(s, size, addr);
            if (kind != BIT_TEST) {
                x86_store(s, size, bit_apply(s, kind, v, mask), addr);
            }
        }
    }
    IrVal got = ir_andi(b, ir_shr(b, v, n), 1);
    bit_flags(s, size == 3 ? got : ir_zextq(b, got));
}

void trans_BT(X86Ctx *s, X86Insn *i)
{
    bit(s, i, BIT_TEST);
}

void trans_BTS(X86Ctx *s, X86Insn *i)
{
    bit(s, i, BIT_SET);
}

void trans_BTR(X86Ctx *s, X86Insn *i)
{
    bit(s, i, BIT_RESET);
}

void trans_BTC(X86Ctx *s, X86Insn *i)
{
    bit(s, i, BIT_COMPLEMENT);
}

/* Source 0: Z is set and the destination stays (zero-extension of 32-bit writes included). */
static void bit_scan(X86Ctx *s, X86Insn *i, bool reverse)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size, top = size == 3 ? 63 : 31;
    IrVal v = x86_zext(s, size, x86_read(s, i, 1)), zero = x86_const(s, size, 0);
    IrVal n = reverse ? ir_sub(b, x86_const(s, size, top), ir_clz(b, v)) : ir_ctz(b, v);
    IrVal old = ir_get(b, V_RAX + i->op[0].reg);
    IrVal new = size == 3 ? n : ir_zextq(b, n);

    if (size == 1) {
        new = ir_deposit(b, old, new, 0, 16);
    }
    ir_set(b, V_RAX + i->op[0].reg, ir_select(b, COND_EQ, v, zero, old, new));
    x86_cc(s, CCG_LOGIC, size, v, x86_none, x86_none);
}

void trans_BSF(X86Ctx *s, X86Insn *i)
{
    bit_scan(s, i, false);
}

void trans_BSR(X86Ctx *s, X86Insn *i)
{
    bit_scan(s, i, true);
}

/* Without the feature the prefix is ignored: BSF and BSR. SDM 2B TZCNT. */
void trans_TZCNT(X86Ctx *s, X86Insn *i)
{
    if (!x86_has_feature(s->cpu, FEAT_BMI1)) {
        bit_scan(s, i, false);
        return;
    }
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size;
    IrVal v = x86_zext(s, size, x86_read(s, i, 1));
    IrVal n = ir_ctz(b, size == 1 ? ir_or(b, v, ir_i32(b, 0x10000)) : v);

    x86_write(s, i, 0, n);
    x86_cc(s, CCG_BMI, size, n, v, x86_none);
}

void trans_LZCNT(X86Ctx *s, X86Insn *i)
{
    if (!x86_has_feature(s->cpu, FEAT_ABM)) {
        bit_scan(s, i, true);
        return;
    }
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size;
    IrVal v = x86_zext(s, size, x86_read(s, i, 1));
    IrVal n = ir_clz(b, v);

    n = size == 1 ? ir_addi(b, n, -16) : n;
    x86_write(s, i, 0, n);
    x86_cc(s, CCG_BMI, size, n, v, x86_none);
}

void trans_POPCNT(X86Ctx *s, X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrVal n = ir_popcnt(s->b, x86_zext(s, size, x86_read(s, i, 1)));

    x86_write(s, i, 0, n);
    ir_set(s->b, V_CC_DST, size == 3 ? n : ir_zextq(s->b, n));
    s->cc_block = NULL;
    s->cc_op = CC_POPCNT;
    s->cc_stale = true;
}

void trans_CRC32(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[1].size;
    IrVal v = x86_zext64(s, size, x86_read(s, i, 1));
    IrVal crc = ir_crc32c(b, x86_get_reg(s, 2, i->op[0].reg), v, 1u << size);

    ir_set(b, V_RAX + i->op[0].reg, ir_zextq(b, crc));
}

/* Add with one of two independent carries, SDM 2A "ADCX", "ADOX". */
static void add_carry_x(X86Ctx *s, X86Insn *i, uint32_t flag)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size;
    IrVal flags = x86_flags(s);
    IrVal carry = x86_narrow(s, size, ir_extract(b, flags, flag == FLAG_C ? 0 : 11, 1));
    IrVal src = x86_read(s, i, 1), a = x86_read(s, i, 0);
    IrVal part = ir_add(b, a, src), sum = ir_add(b, part, carry);
    IrVal out = ir_or(b, ir_setcond(b, COND_LTU, part, a), ir_setcond(b, COND_LTU, sum, carry));

    x86_write(s, i, 0, sum);
    out = ir_shli(b, ir_zextq(b, out), flag == FLAG_C ? 0 : 11);
    x86_cc_eflags(s, ir_or(b, ir_andi(b, flags, ~(uint64_t)flag), out));
}

void trans_ADCX(X86Ctx *s, X86Insn *i)
{
    add_carry_x(s, i, FLAG_C);
}

void trans_ADOX(X86Ctx *s, X86Insn *i)
{
    add_carry_x(s, i, FLAG_O);
}

/* ---- flag control ---- */

void trans_LAHF(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    IrVal flags = ir_andi(b, ir_or(b, x86_flags(s), ir_i64(b, FLAG_1)), 0xff);

    ir_set(b, V_RAX, ir_deposit(b, ir_get(b, V_RAX), flags, 8, 8));
}

void trans_SAHF(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    IrVal low = ir_andi(b, ir_extract(b, ir_get(b, V_RAX), 8, 8), FLAGS_CC & 0xff);

    x86_cc_eflags(s, ir_or(b, low, ir_andi(b, x86_flags(s), FLAG_O)));
}

void trans_CMC(X86Ctx *s, X86Insn *i)
{
    x86_cc_eflags(s, ir_xor(s->b, x86_flags(s), ir_i64(s->b, FLAG_C)));
}

void trans_CLC(X86Ctx *s, X86Insn *i)
{
    x86_cc_eflags(s, ir_andi(s->b, x86_flags(s), ~(uint64_t)FLAG_C));
}

void trans_STC(X86Ctx *s, X86Insn *i)
{
    x86_cc_eflags(s, ir_or(s->b, x86_flags(s), ir_i64(s->b, FLAG_C)));
}

void trans_CLD(X86Ctx *s, X86Insn *i)
{
    ir_set(s->b, V_DF, ir_i64(s->b, 1));
}

void trans_STD(X86Ctx *s, X86Insn *i)
{
    ir_set(s->b, V_DF, ir_i64(s->b, UINT64_MAX));
}

void trans_SALC(X86Ctx *s, X86Insn *i)
{
    x86_set_reg(s, 0, R_AX, ir_trunc(s->b, ir_neg(s->b, x86_carry(s))));
}
