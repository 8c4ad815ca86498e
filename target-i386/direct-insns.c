// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the direct translation makes of each kind of instruction. Flags go home as translations do
 * it (cc.c) where somebody may look at them before they change; conditions behind the instruction
 * that set them use the host's own flags. SDM 2.
 */
#include "target-i386/direct.h"

enum { KIND_O, KIND_B, KIND_Z, KIND_BE, KIND_S, KIND_P, KIND_L, KIND_LE };
enum {
    LIVE_ALL = 0xff,
    LIVE_RESULT = 1 << KIND_Z | 1 << KIND_S | 1 << KIND_P,
    LIVE_SHIFT = LIVE_RESULT | 1 << KIND_B | 1 << KIND_BE,
};

/* ---- homes ---- */

static uint32_t home(unsigned var)
{
    return x86_vars[var].offset;
}

static uint32_t reg_home(unsigned reg)
{
    return home(V_RAX + reg);
}

static uint64_t truncated(uint64_t v, unsigned size)
{
    return size == 3 ? v : v & ((1ull << (8u << size)) - 1);
}

static void flags_home(Dx *x)
{
    if (x->cc_stale) {
        x->o->put_imm(x->d, home(V_CC_OP), x->cc_op, 2);
        x->cc_stale = false;
    }
}

/* An address in the code. */
static void code_address(Dx *x, DirectReg r, uint64_t rip)
{
    if (x->anywhere) {
        x->o->get(x->d, r, home(V_CODE_PAGE), 3);
        x->o->add(x->d, r, (int32_t)(rip - x->page));
    } else {
        x->o->imm(x->d, r, rip);
    }
}

/* ---- memory ---- */

/* Without its segment. */
static void effective(Dx *x, const X86Insn *i)
{
    if (i->base == 16) {
        code_address(x, D_ADDR, x->next + (uint64_t)i->disp);
    } else if (i->base < 0 && i->index < 0) {
        x->o->imm(x->d, D_ADDR, (uint64_t)i->disp);
    } else {
        x->o->address(x->d, i->base < 0 ? 0 : reg_home((unsigned)i->base),
                      i->index < 0 ? 0 : reg_home((unsigned)i->index), i->scale,
                      (int32_t)i->disp);
    }
}

static void linear(Dx *x, const X86Insn *i)
{
    effective(x, i);
    if (i->seg >= S_FS) {
        x->o->add_home(x->d, D_ADDR, home(V_ES_BASE + (unsigned)i->seg));
    }
}

static void load_at(Dx *x, unsigned size)
{
    x->o->load(x->d, size, x->mmu);
    x->live = 0;
}

static void store_at(Dx *x, unsigned size)
{
    x->o->store(x->d, size, x->mmu);
    x->live = 0;
}

static bool is_mem(const X86Insn *i, unsigned n)
{
    return i->op[n].kind == X86_MEM;
}

/* Operand n, zero-extended; one in memory comes by RES. */
static void read_operand(Dx *x, const X86Insn *i, unsigned n, DirectReg r)
{
    const X86Operand *p = &i->op[n];

    if (p->kind == X86_MEM) {
        linear(x, i);
        load_at(x, p->size);
        if (r != D_RES) {
            x->o->move(x->d, r, D_RES);
        }
    } else if (p->kind == X86_REG) {
        x->o->get(x->d, r, reg_home(p->reg), p->size);
    } else {
        x->o->imm(x->d, r, truncated(p->imm, p->size));
    }
}

/* What is in VALUE. */
static void store_operand(Dx *x, const X86Insn *i)
{
    linear(x, i);
    store_at(x, i->op[0].size);
}

/* ---- flags ---- */

static bool may_fault(const X86Insn *i, unsigned flags)
{
    return flags & DX_FAULTS || ((is_mem(i, 0) || is_mem(i, 1)) && i->row->trans != trans_LEA &&
                              i->row->trans != trans_NOP);
}

/* Somebody may look at the flags of the instruction at hand. */
static bool needed(const Dx *x)
{
    for (unsigned k = x->at + 1; k < x->n; k++) {
        const unsigned f = x->flags[k];
        if (f & (DX_READS | DX_ENDS) || may_fault(&x->insn[k], f)) {
            return true;
        }
        if (f & DX_SETS) {
            return false;
        }
    }
    return true;
}

static void set_cc(Dx *x, unsigned op)
{
    x->cc_op = op;
    x->cc_stale = true;
}

static unsigned group_of(const Dx *x)
{
    return x->cc_op >= CC_ADDB && x->cc_op < CC_COUNT ? x->cc_op & ~3u : 0;
}

/* Conditions that remake() can bring back. */
static unsigned remakes(const Dx *x)
{
    switch (group_of(x)) {
    case CCG_ADD:
    case CCG_SUB:
    case CCG_LOGIC:
        return LIVE_ALL;
    case CCG_INC:
    case CCG_DEC:
    case CCG_SHL:
    case CCG_SAR:
        return LIVE_RESULT;
    default:
        return x->cc_op == CC_CLR ? LIVE_ALL : 0;
    }
}

static void remake(Dx *x)
{
    const DirectOps *o = x->o;
    const unsigned group = group_of(x), size = x->cc_op & 3;

    if (x->cc_op == CC_CLR) {
        o->imm(x->d, D_RES, 0);
        o->test(x->d, 2, D_RES, D_RES);
    } else {
        o->get(x->d, D_RES, home(V_CC_DST), size);
        if (group == CCG_ADD || group == CCG_SUB) {
            const bool sub = group == CCG_SUB;
            o->get(x->d, D_OTHER, home(V_CC_SRC), size);
            o->alu(x->d, sub ? D_ADD : D_SUB, size, D_RES, D_OTHER);
            o->alu(x->d, sub ? D_SUB : D_ADD, size, D_RES, D_OTHER);
        } else {
            o->test(x->d, size, D_RES, D_RES);
        }
    }
    x->live = remakes(x);
}

/* The host's flags hold the condition; RES and OTHER may be lost. Only after can_have(). */
static void have(Dx *x, unsigned code)
{
    if (!(x->live >> (code >> 1) & 1)) {
        remake(x);
    }
}

/* after_memory: the host's flags will be lost before. */
static bool can_have(const Dx *x, unsigned code, bool after_memory)
{
    return ((after_memory ? 0 : x->live) | remakes(x)) >> (code >> 1) & 1;
}

/* ---- arithmetic ---- */

/*
 * RES op= OTHER and its flags. What goes to memory goes there before anything changes; the host's
 * flags are those of the operation otherwise.
 */
static void arithmetic(Dx *x, const X86Insn *i, unsigned op, unsigned group, bool write)
{
    const DirectOps *o = x->o;
    const unsigned size = i->op[0].size;
    const bool keep = needed(x);

    if (is_mem(i, 1)) {
        read_operand(x, i, 1, D_OTHER);
        read_operand(x, i, 0, D_RES);
    } else {
        read_operand(x, i, 0, D_RES);
        read_operand(x, i, 1, D_OTHER);
    }
    o->alu(x->d, op, size, D_RES, D_OTHER);
    x->live = LIVE_ALL;
    DirectReg result = D_RES;
    if (write && is_mem(i, 0)) {
        result = D_VALUE;
        o->move(x->d, D_VALUE, D_RES);
        store_operand(x, i);
    } else if (write) {
        o->put(x->d, reg_home(i->op[0].reg), D_RES, size);
    }
    if (keep) {
        o->put(x->d, home(V_CC_DST), result, 3);
        if (group != CCG_LOGIC) {
            o->put(x->d, home(V_CC_SRC), D_OTHER, 3);
        }
        set_cc(x, group + size);
    }
}

static bool d_ADD(Dx *x, const X86Insn *i)
{
    arithmetic(x, i, D_ADD, CCG_ADD, true);
    return true;
}

static bool d_SUB(Dx *x, const X86Insn *i)
{
    arithmetic(x, i, D_SUB, CCG_SUB, true);
    return true;
}

static bool d_CMP(Dx *x, const X86Insn *i)
{
    arithmetic(x, i, D_SUB, CCG_SUB, false);
    return true;
}

static bool d_AND(Dx *x, const X86Insn *i)
{
    arithmetic(x, i, D_AND, CCG_LOGIC, true);
    return true;
}

static bool d_OR(Dx *x, const X86Insn *i)
{
    arithmetic(x, i, D_OR, CCG_LOGIC, true);
    return true;
}

static bool d_TEST(Dx *x, const X86Insn *i)
{
    arithmetic(x, i, D_AND, CCG_LOGIC, false);
    return true;
}

static bool d_XOR(Dx *x, const X86Insn *i)
{
    const X86Operand *p = i->op;

    if (p[0].kind == X86_REG && p[1].kind == X86_REG && p[0].reg == p[1].reg && p[0].size >= 2) {
        x->o->put_imm(x->d, reg_home(p[0].reg), 0, 3);
        set_cc(x, CC_CLR);
        x->live = 0;
        return true;
    }
    arithmetic(x, i, D_XOR, CCG_LOGIC, true);
    return true;
}

static bool d_NEG(Dx *x, const X86Insn *i)
{
    const DirectOps *o = x->o;
    const unsigned size = i->op[0].size;

    o->get(x->d, D_OTHER, reg_home(i->op[0].reg), size);
    o->imm(x->d, D_RES, 0);
    o->alu(x->d, D_SUB, size, D_RES, D_OTHER);
    o->put(x->d, reg_home(i->op[0].reg), D_RES, size);
    o->put(x->d, home(V_CC_DST), D_RES, 3);
    o->put(x->d, home(V_CC_SRC), D_OTHER, 3);
    set_cc(x, CCG_SUB + size);
    x->live = LIVE_ALL;
    return true;
}

static bool d_NOT(Dx *x, const X86Insn *i)
{
    const unsigned size = i->op[0].size;

    if (size < 2) {
        return false;
    }
    x->o->get(x->d, D_RES, reg_home(i->op[0].reg), size);
    x->o->not(x->d, size, D_RES);
    x->o->put(x->d, reg_home(i->op[0].reg), D_RES, size);
    return true;
}

/* C stays, as a number in cc_src. */
static bool inc_dec(Dx *x, const X86Insn *i, bool inc)
{
    const DirectOps *o = x->o;
    const unsigned size = i->op[0].size;
    const bool keep = needed(x);

    if (keep && !can_have(x, KIND_B << 1, false)) {
        return false;
    }
    if (keep) {
        have(x, KIND_B << 1);
        o->set_cond(x->d, KIND_B << 1, D_VALUE);
    }
    o->get(x->d, D_RES, reg_home(i->op[0].reg), size);
    o->imm(x->d, D_OTHER, 1);
    o->alu(x->d, inc ? D_ADD : D_SUB, size, D_RES, D_OTHER);
    o->put(x->d, reg_home(i->op[0].reg), D_RES, size);
    x->live = 0;
    if (keep) {
        o->put(x->d, home(V_CC_DST), D_RES, 3);
        o->put(x->d, home(V_CC_SRC), D_VALUE, 3);
        set_cc(x, (inc ? CCG_INC : CCG_DEC) + size);
        x->live = LIVE_ALL & ~(1u << KIND_B | 1u << KIND_BE);
    }
    return true;
}

static bool d_INC(Dx *x, const X86Insn *i)
{
    return inc_dec(x, i, true);
}

static bool d_DEC(Dx *x, const X86Insn *i)
{
    return inc_dec(x, i, false);
}

static bool multiply(Dx *x, const X86Insn *i, unsigned a, unsigned b)
{
    const DirectOps *o = x->o;
    const unsigned size = i->op[0].size;
    const bool keep = needed(x);

    if (size < 2) {
        return false;
    }
    if (is_mem(i, b)) {
        read_operand(x, i, b, D_OTHER);
        read_operand(x, i, a, D_RES);
    } else {
        read_operand(x, i, a, D_RES);
        read_operand(x, i, b, D_OTHER);
    }
    o->mul(x->d, size, D_RES, D_OTHER);
    o->put(x->d, reg_home(i->op[0].reg), D_RES, 3);
    x->live = 1 << KIND_O | 1 << KIND_B;
    if (keep) {
        o->set_cond(x->d, KIND_O << 1, D_OTHER);
        o->put(x->d, home(V_CC_DST), D_RES, 3);
        o->put(x->d, home(V_CC_SRC), D_OTHER, 3);
        set_cc(x, CCG_MUL + size);
    }
    return true;
}

static bool d_IMUL2(Dx *x, const X86Insn *i)
{
    return multiply(x, i, 0, 1);
}

static bool d_IMUL3(Dx *x, const X86Insn *i)
{
    return multiply(x, i, 1, 2);
}

/* By a count that is known and not 0, of 4 or 8 bytes: see fits(). */
static bool shift(Dx *x, const X86Insn *i, unsigned op, unsigned group)
{
    const DirectOps *o = x->o;
    const unsigned size = i->op[0].size, n = (unsigned)i->op[1].imm & (size == 3 ? 63 : 31);
    const uint32_t reg = reg_home(i->op[0].reg);
    const bool keep = needed(x);

    o->get(x->d, D_RES, reg, size);
    if (keep && n > 1) {
        o->shift(x->d, op, size, D_RES, n - 1);
    }
    if (keep) {
        o->put(x->d, home(V_CC_SRC), D_RES, 3);
    }
    o->shift(x->d, op, size, D_RES, keep ? 1 : n);
    o->put(x->d, reg, D_RES, 3);
    x->live = n == 1 ? LIVE_ALL : LIVE_SHIFT;
    if (keep) {
        o->put(x->d, home(V_CC_DST), D_RES, 3);
        set_cc(x, group + size);
    }
    return true;
}

static bool d_SHL(Dx *x, const X86Insn *i)
{
    return shift(x, i, D_SHL, CCG_SHL);
}

static bool d_SHR(Dx *x, const X86Insn *i)
{
    return shift(x, i, D_SHR, CCG_SAR);
}

static bool d_SAR(Dx *x, const X86Insn *i)
{
    return shift(x, i, D_SAR, CCG_SAR);
}

/* Flags that nobody looks at; they are merged with what was there otherwise. */
static bool rotate(Dx *x, const X86Insn *i, unsigned op)
{
    const unsigned size = i->op[0].size, n = (unsigned)i->op[1].imm & (size == 3 ? 63 : 31);

    if (needed(x)) {
        return false;
    }
    x->o->get(x->d, D_RES, reg_home(i->op[0].reg), size);
    x->o->shift(x->d, op, size, D_RES, n);
    x->o->put(x->d, reg_home(i->op[0].reg), D_RES, 3);
    x->live = 0;
    return true;
}

static bool d_ROL(Dx *x, const X86Insn *i)
{
    return rotate(x, i, D_ROL);
}

static bool d_ROR(Dx *x, const X86Insn *i)
{
    return rotate(x, i, D_ROR);
}

/* ---- moves ---- */

static bool d_MOV(Dx *x, const X86Insn *i)
{
    const X86Operand *p = i->op;

    if (is_mem(i, 0)) {
        read_operand(x, i, 1, D_VALUE);
        store_operand(x, i);
    } else if (p[1].kind == X86_IMM && p[0].size >= 2) {
        x->o->put_imm(x->d, reg_home(p[0].reg), truncated(p[1].imm, p[0].size), 3);
    } else {
        read_operand(x, i, 1, D_RES);
        x->o->put(x->d, reg_home(p[0].reg), D_RES, p[0].size);
    }
    return true;
}

static bool extend(Dx *x, const X86Insn *i, bool sign)
{
    const X86Operand *p = i->op;

    read_operand(x, i, 1, D_RES);
    if (sign && p[1].size < p[0].size) {
        x->o->extend(x->d, D_RES, D_RES, p[1].size, true, p[0].size == 3);
    }
    x->o->put(x->d, reg_home(p[0].reg), D_RES, p[0].size);
    return true;
}

static bool d_MOVZX(Dx *x, const X86Insn *i)
{
    return extend(x, i, false);
}

static bool d_MOVSX(Dx *x, const X86Insn *i)
{
    return extend(x, i, true);
}

static bool d_LEA(Dx *x, const X86Insn *i)
{
    if (i->op[0].size < 2) {
        return false;
    }
    effective(x, i);
    if (i->op[0].size == 2) {
        x->o->extend(x->d, D_ADDR, D_ADDR, 2, false, false);
    }
    x->o->put(x->d, reg_home(i->op[0].reg), D_ADDR, 3);
    return true;
}

static bool d_XCHG(Dx *x, const X86Insn *i)
{
    read_operand(x, i, 0, D_RES);
    read_operand(x, i, 1, D_OTHER);
    x->o->put(x->d, reg_home(i->op[0].reg), D_OTHER, i->op[0].size);
    x->o->put(x->d, reg_home(i->op[1].reg), D_RES, i->op[1].size);
    return true;
}

static bool d_BSWAP(Dx *x, const X86Insn *i)
{
    if (i->opsize < 2) {
        return false;
    }
    x->o->get(x->d, D_RES, reg_home(i->op[0].reg), i->opsize);
    x->o->bswap(x->d, i->opsize, D_RES);
    x->o->put(x->d, reg_home(i->op[0].reg), D_RES, 3);
    return true;
}

static bool d_CBW(Dx *x, const X86Insn *i)
{
    if (i->opsize < 2) {
        return false;
    }
    x->o->get(x->d, D_RES, reg_home(R_AX), i->opsize);
    x->o->extend(x->d, D_RES, D_RES, i->opsize - 1, true, i->opsize == 3);
    x->o->put(x->d, reg_home(R_AX), D_RES, 3);
    return true;
}

static bool d_CWD(Dx *x, const X86Insn *i)
{
    if (i->opsize < 2) {
        return false;
    }
    x->o->get(x->d, D_RES, reg_home(R_AX), i->opsize);
    x->o->shift(x->d, D_SAR, i->opsize, D_RES, i->opsize == 3 ? 63 : 31);
    x->o->put(x->d, reg_home(R_DX), D_RES, 3);
    x->live = 0;
    return true;
}

static bool d_NOP(Dx *x, const X86Insn *i)
{
    return true;
}

/* ---- conditions ---- */

static bool d_SETcc(Dx *x, const X86Insn *i)
{
    const unsigned code = i->opcode & 15;

    if (!can_have(x, code, false)) {
        return false;
    }
    have(x, code);
    x->o->set_cond(x->d, code, D_VALUE);
    if (is_mem(i, 0)) {
        store_operand(x, i);
    } else {
        x->o->put(x->d, reg_home(i->op[0].reg), D_VALUE, 0);
    }
    return true;
}

static bool d_CMOVcc(Dx *x, const X86Insn *i)
{
    const DirectOps *o = x->o;
    const unsigned code = i->opcode & 15, size = i->op[0].size;
    const bool memory = is_mem(i, 1);

    if (size < 2 || !can_have(x, code, memory)) {
        return false;
    }
    if (memory) {
        read_operand(x, i, 1, D_VALUE);
    }
    have(x, code);
    if (!memory) {
        o->get(x->d, D_VALUE, reg_home(i->op[1].reg), size);
    }
    o->get(x->d, D_RES, reg_home(i->op[0].reg), size);
    o->move_cond(x->d, code, size, D_RES, D_VALUE);
    o->put(x->d, reg_home(i->op[0].reg), D_RES, 3);
    return true;
}

/* ---- stack ---- */

/* VALUE, which is the last thing that can fault. */
static void push(Dx *x)
{
    x->o->address(x->d, reg_home(R_SP), 0, 0, -8);
    store_at(x, 3);
    x->o->add_to_home(x->d, reg_home(R_SP), -8);
}

static bool d_PUSH(Dx *x, const X86Insn *i)
{
    if (i->op[0].size != 3) {
        return false;
    }
    read_operand(x, i, 0, D_VALUE);
    push(x);
    return true;
}

static void pop(Dx *x, uint64_t more)
{
    x->o->address(x->d, reg_home(R_SP), 0, 0, 0);
    load_at(x, 3);
    x->o->add_to_home(x->d, reg_home(R_SP), (int32_t)(8 + more));
}

static bool d_POP(Dx *x, const X86Insn *i)
{
    if (i->op[0].size != 3) {
        return false;
    }
    pop(x, 0);
    x->o->put(x->d, reg_home(i->op[0].reg), D_RES, 3);
    return true;
}

static bool d_LEAVE(Dx *x, const X86Insn *i)
{
    if (i->opsize != 3) {
        return false;
    }
    x->o->address(x->d, reg_home(R_BP), 0, 0, 0);
    load_at(x, 3);
    x->o->get(x->d, D_OTHER, reg_home(R_BP), 3);
    x->o->add(x->d, D_OTHER, 8);
    x->o->put(x->d, reg_home(R_SP), D_OTHER, 3);
    x->o->put(x->d, reg_home(R_BP), D_RES, 3);
    return true;
}

/* ---- ways out ---- */

void direct_jump(Dx *x, unsigned slot, uint64_t rip)
{
    flags_home(x);
    if ((rip ^ x->page) < 4096) {
        x->o->exit_chain(x->d, slot, rip);
        return;
    }
    code_address(x, D_ADDR, rip);
    x->o->put(x->d, home(V_RIP), D_ADDR, 3);
    x->o->exit_lookup(x->d, WAY_ANY);
}

static void jump_to(Dx *x, DirectReg r, IrWay way)
{
    flags_home(x);
    x->o->move(x->d, D_ADDR, r);
    x->o->put(x->d, home(V_RIP), D_ADDR, 3);
    x->o->exit_lookup(x->d, way);
}

static bool d_Jcc(Dx *x, const X86Insn *i)
{
    const unsigned code = i->opcode & 15;

    if (i->opsize != 3 || !can_have(x, code, false)) {
        return false;
    }
    have(x, code);
    flags_home(x);
    x->o->branch(x->d, code);
    direct_jump(x, 0, x->next);
    x->o->branch_here(x->d);
    direct_jump(x, 1, x->next + i->op[0].imm);
    return true;
}

static bool d_JMP(Dx *x, const X86Insn *i)
{
    if (i->opsize != 3) {
        return false;
    }
    direct_jump(x, 0, x->next + i->op[0].imm);
    return true;
}

static bool d_CALL(Dx *x, const X86Insn *i)
{
    if (i->opsize != 3) {
        return false;
    }
    code_address(x, D_VALUE, x->next);
    push(x);
    direct_jump(x, 0, x->next + i->op[0].imm);
    return true;
}

static bool d_JMP_ind(Dx *x, const X86Insn *i)
{
    if (i->op[0].size != 3) {
        return false;
    }
    read_operand(x, i, 0, D_RES);
    jump_to(x, D_RES, WAY_JUMP);
    return true;
}

static bool d_CALL_ind(Dx *x, const X86Insn *i)
{
    if (i->op[0].size != 3) {
        return false;
    }
    read_operand(x, i, 0, D_OTHER);
    code_address(x, D_VALUE, x->next);
    push(x);
    jump_to(x, D_OTHER, WAY_CALL);
    return true;
}

static bool d_RET(Dx *x, const X86Insn *i)
{
    if (i->opsize != 3) {
        return false;
    }
    pop(x, i->op[0].kind == X86_IMM ? i->op[0].imm : 0);
    jump_to(x, D_RES, WAY_RETURN);
    return true;
}

/* ---- which instructions ---- */

const DirectKind direct_kinds[] = {
    {0},
    {trans_MOV, d_MOV, DX_RMW},
    {trans_LEA, d_LEA, 0},
    {trans_ADD, d_ADD, DX_SETS | DX_RMW},
    {trans_SUB, d_SUB, DX_SETS | DX_RMW},
    {trans_CMP, d_CMP, DX_SETS | DX_RMW},
    {trans_TEST, d_TEST, DX_SETS | DX_RMW},
    {trans_AND, d_AND, DX_SETS | DX_RMW},
    {trans_OR, d_OR, DX_SETS | DX_RMW},
    {trans_XOR, d_XOR, DX_SETS | DX_RMW},
    {trans_Jcc, d_Jcc, DX_READS | DX_ENDS},
    {trans_JMP, d_JMP, DX_ENDS},
    {trans_CALL, d_CALL, DX_FAULTS | DX_ENDS},
    {trans_RET, d_RET, DX_FAULTS | DX_ENDS},
    {trans_PUSH, d_PUSH, DX_FAULTS | DX_RMW},
    {trans_POP, d_POP, DX_FAULTS},
    {trans_MOVZX, d_MOVZX, 0},
    {trans_MOVSX, d_MOVSX, 0},
    {trans_MOVSXD, d_MOVSX, 0},
    {trans_SHL, d_SHL, DX_SETS},
    {trans_SHR, d_SHR, DX_SETS},
    {trans_SAR, d_SAR, DX_SETS},
    {trans_ROL, d_ROL, 0},
    {trans_ROR, d_ROR, 0},
    {trans_IMUL2, d_IMUL2, DX_SETS},
    {trans_IMUL3, d_IMUL3, DX_SETS},
    {trans_SETcc, d_SETcc, DX_READS | DX_RMW},
    {trans_CMOVcc, d_CMOVcc, DX_READS},
    {trans_INC, d_INC, DX_READS},
    {trans_DEC, d_DEC, DX_READS},
    {trans_NEG, d_NEG, DX_SETS},
    {trans_NOT, d_NOT, 0},
    {trans_NOP, d_NOP, DX_RMW},
    {trans_CALL_ind, d_CALL_ind, DX_FAULTS | DX_ENDS | DX_RMW},
    {trans_JMP_ind, d_JMP_ind, DX_ENDS | DX_RMW},
    {trans_LEAVE, d_LEAVE, DX_FAULTS},
    {trans_CBW, d_CBW, 0},
    {trans_CWD, d_CWD, 0},
    {trans_XCHG, d_XCHG, 0},
    {trans_BSWAP, d_BSWAP, 0},
};
const unsigned direct_num_kinds = ARRAY_COUNT(direct_kinds);
