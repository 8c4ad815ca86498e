// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What trans_* functions work with: the translation's context, operands, lazy flags, exits.
 *
 * Integer values: 64-bit operands are i64; smaller ones are i32 whose bits above the operand's
 * size are arbitrary unless x86_zext/x86_sext made them. Addresses and whole registers are i64.
 */
#ifndef TARGET_I386_TRANSLATE_H
#define TARGET_I386_TRANSLATE_H

#include "target-i386/cpu.h"
#include "target-i386/decode.h"
#include "target-i386/trans.h"
#include "target-i386/helpers.h"
#include "tcg/ir.h"

/* Guest registers as IR variables; the order of x86_vars. */
enum {
    V_RAX, V_RCX, V_RDX, V_RBX, V_RSP, V_RBP, V_RSI, V_RDI, V_R15 = 15,
    V_RIP, V_CC_OP, V_CC_DST, V_CC_SRC, V_CC_SRC2, V_DF,
    V_ES_BASE, V_CS_BASE, V_SS_BASE, V_DS_BASE, V_FS_BASE, V_GS_BASE,
    V_XMM0, V_XMM15 = V_XMM0 + 15, V_YMMH0, V_YMMH15 = V_YMMH0 + 15, V_YMM0, V_YMM15 = V_YMM0 + 15,
    V_CODE_PAGE,
    /* AVX-512: upper halves, both halves of registers 16 to 31, masks */
    V_ZMMH0, V_ZMMH15 = V_ZMMH0 + 15, V_ZLO16, V_ZLO31 = V_ZLO16 + 15, V_ZHI16, V_ZHI31 = V_ZHI16 + 15,
    V_K0, V_K7 = V_K0 + 7,
    V_COUNT,
};

extern const IrVarDecl x86_vars[];
extern const unsigned x86_num_vars;

enum { CC_DYNAMIC = 0xff };     /* cc_op is only known at run time */

typedef struct X86Region X86Region;

/* The x87 stack as far as it is known while instructions are translated (x87-fast.c). */
typedef struct X86Stack {
    bool off;                   /* not at all: the general way */
    bool known;                 /* code has looked; else a guess */
    uint8_t top, empty;         /* empty: a bit a register */
    uint16_t cw;
} X86Stack;

typedef struct X86Ctx {
    IrBuilder *b;
    const X86Cpu *cpu;          /* its model only */
    uint32_t mode;
    bool code64;
    unsigned mmu;
    uint64_t base;              /* of CS */
    uint32_t cs_limit;          /* MODE_CSLIMIT: the last offset of code */
    uint64_t pc, rip, next;     /* of the instruction: linear, in CS; next one in CS */
    uint64_t page;              /* linear page the block began in */
    bool anywhere;              /* ... for the time being: addresses in the code are relative to V_CODE_PAGE */
    const uint8_t *code;        /* its bytes; NULL: device memory */
    X86Region *region;          /* NULL: a single block is made */
    unsigned insns;             /* taken in so far, and their bytes */
    uint64_t bytes;
    bool ended;                 /* the block is complete */
    bool cc_stale;              /* cc_op is static and the variable does not have it */
    unsigned cc_op;             /* CcOp or CC_DYNAMIC */
    unsigned cc_size;           /* of the cached values */
    IrBlock *cc_block;          /* where these are valid: typed dst, src, src2; minuend of SUB/SBB */
    IrVal cc_val[3], cc_min;
    unsigned cc_dead;           /* bits of cc_dst, cc_src, cc_src2 discarded in cc_dead_block */
    IrBlock *cc_dead_block;
    IrVal addr;                 /* linear address of the memory operand, once computed */
    IrBlock *addr_block;
    X86Stack x87;
    int64_t rsp_bias;           /* POP: what an address with RSP as base adds */
} X86Ctx;

/* ---- values and operands (operand.c) ---- */
static inline IrType x86_type(unsigned size) { return size == 3 ? IR_I64 : IR_I32; }
IrVal x86_const(X86Ctx *s, unsigned size, uint64_t v);
IrVal x86_zext(X86Ctx *s, unsigned size, IrVal v);
IrVal x86_sext(X86Ctx *s, unsigned size, IrVal v);
IrVal x86_zext64(X86Ctx *s, unsigned size, IrVal v);      /* to i64 */
IrVal x86_sext64(X86Ctx *s, unsigned size, IrVal v);
IrVal x86_narrow(X86Ctx *s, unsigned size, IrVal v64);    /* i64 to the operand's type */
IrVal x86_get_reg(X86Ctx *s, unsigned size, unsigned reg);
void x86_set_reg(X86Ctx *s, unsigned size, unsigned reg, IrVal v);
/* Effective address of the memory operand without segment; linear address. */
IrVal x86_lea(X86Ctx *s, const X86Insn *i);
IrVal x86_addr(X86Ctx *s, const X86Insn *i);
/*
 * Of an access of so many bytes; what the segment does not allow faults when the address is used.
 */
IrVal x86_linear(X86Ctx *s, IrVal offset, unsigned seg, unsigned bytes, bool write);
IrVal x86_load(X86Ctx *s, unsigned size, IrVal addr);      /* zero-extended to the operand's type */
void x86_store(X86Ctx *s, unsigned size, IrVal v, IrVal addr);
IrVal x86_read(X86Ctx *s, const X86Insn *i, unsigned n);  /* operand n */
void x86_write(X86Ctx *s, const X86Insn *i, unsigned n, IrVal v);
IrVal x86_mask_addr(X86Ctx *s, unsigned addrsize, IrVal v);

/* ---- stack ---- */
unsigned x86_stack_size(const X86Ctx *s);
void x86_push(X86Ctx *s, unsigned size, IrVal v);
IrVal x86_pop_peek(X86Ctx *s, unsigned size);             /* the value; RSP stays */
void x86_pop_done(X86Ctx *s, unsigned size, uint64_t extra);

/* ---- flags (cc.c) ---- */
typedef struct X86Cond { IrCond cond; IrVal a, b; } X86Cond;
enum {
    CCG_ADD = CC_ADDB,
    CCG_ADC = CC_ADCB,
    CCG_SUB = CC_SUBB,
    CCG_SBB = CC_SBBB,
    CCG_LOGIC = CC_LOGICB,
    CCG_INC = CC_INCB,
    CCG_DEC = CC_DECB,
    CCG_SHL = CC_SHLB,
    CCG_SAR = CC_SARB,
    CCG_MUL = CC_MULB,
    CCG_BMI = CC_BMIB,
    CCG_CMP = CC_CMPB };
extern const IrVal x86_none;
/* Flags from now on: group + size, typed values; x86_none for what the group does not use. */
void x86_cc(X86Ctx *s, unsigned group, unsigned size, IrVal dst, IrVal src, IrVal src2);
void x86_cc_minuend(X86Ctx *s, IrVal v);
void x86_cc_eflags(X86Ctx *s, IrVal flags64);
void x86_cc_clr(X86Ctx *s);
IrVal x86_flags(X86Ctx *s);                               /* O S Z A P C as i64 */
IrVal x86_carry(X86Ctx *s);                               /* 0 or 1, i64 */
X86Cond x86_cond(X86Ctx *s, unsigned code);               /* the low four bits of Jcc */
/* cc_op goes home: before exits, before helpers that look at flags, where paths join. */
void x86_sync(X86Ctx *s);
/* A helper has set the flags to CC_EFLAGS. */
void x86_cc_by_helper(X86Ctx *s);
void x86_cc_dynamic(X86Ctx *s);

/* ---- x87 with a known stack (x87-fast.c) ---- */
/* True: done. False: the instruction takes the general way. */
bool x86_x87_fast(X86Ctx *s, X86Insn *i);
/*
 * The stack is as the CPU has it now: true of the first x87 instruction of what is being
 * translated.
 */
void x86_x87_guess(X86Ctx *s);

/* ---- exits and exceptions ---- */
/* cold or not, the current IR block ends */
void x86_raise_ir(X86Ctx *s, unsigned vector);
void x86_raise_gp(X86Ctx *s);
void x86_ud(X86Ctx *s);                                   /* the instruction is #UD */
void x86_jump(X86Ctx *s, unsigned slot, uint64_t rip);    /* ends the IR block */
void x86_jump_val(X86Ctx *s, IrVal rip, IrWay way);
void x86_end_jump(X86Ctx *s, uint64_t rip);               /* ends the translation */
/* After a helper that may have changed modes or interrupts: rip is home (or made next). */
void x86_end_exit(X86Ctx *s, bool set_rip, unsigned reason);
/* #GP(0) unless CPL is 0; false: raised. */
bool x86_cpl0(X86Ctx *s);
/* An address in the code, as an i64: a constant, unless the code is to work anywhere. */
IrVal x86_pc(X86Ctx *s, uint64_t rip);
uint64_t x86_mask_rip(const X86Ctx *s, unsigned opsize, uint64_t rip);
bool x86_in_vm86(const X86Ctx *s);
/* In guest mode: the call before an instruction that may be intercepted (intercept.c). */
void x86_virt_before(X86Ctx *s, X86Insn *i);
/* VirtUse.info of an instruction. */
uint32_t x86_operand_info(const X86Insn *i);

#endif
