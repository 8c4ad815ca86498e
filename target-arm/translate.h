// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What trans_* functions of all instruction sets work with: the translation's context, registers,
 * lazy flags, memory, exits. A trans_* function returns false when its encoding is unallocated; it
 * must have emitted nothing by then.
 */
#ifndef TARGET_ARM_TRANSLATE_H
#define TARGET_ARM_TRANSLATE_H

#include "target-arm/cpu.h"
#include "target-arm/a64-decode.h"
#include "target-arm/a32.h"
#include "target-arm/simd.h"
#include "target-arm/sve.h"
#include "target-arm/helpers.h"
#include "tcg/ir.h"

/* Guest registers as IR variables; the order of arm_vars. */
enum {
    V_X0, V_X30 = 30, V_SP = 31, V_PC, V_CC_A, V_CC_B, V_CC_OP, V_EXCL_ADDR, V_EXCL_VAL, V_EXCL_VAL2,
    V_V0, V_V31 = V_V0 + 31, V_CODE_PAGE, V_COUNT,
};

extern const IrVarDecl arm_vars[];

enum { CC_DYNAMIC = 0xff };             /* cc_op is only known at run time */

typedef struct ArmRegion ArmRegion;

typedef struct ArmCtx {
    IrBuilder *b;
    ArmRegion *region;                  /* NULL: a single block */
    const ArmCpu *cpu;                  /* its model only */
    uint32_t mode;
    unsigned el;
    unsigned mmu, mmu_user;             /* of plain and of unprivileged accesses */
    unsigned mem;                       /* MemOp bits of all accesses: byte order, alignment */
    uint64_t pc, next, page;
    bool anywhere;                      /* page is one for the time being: addresses in the code are relative to V_CODE_PAGE */
    bool ended;                         /* the block is complete */
    unsigned cc_op;                     /* CcOp or CC_DYNAMIC */
    IrBlock *cc_block;                  /* where cc_a and cc_b are valid */
    IrVal cc_a, cc_b;
    bool tag_checked;                   /* accesses of this instruction are, where tags are checked */
    bool zlive;                         /* Z registers may have bits above V's */
    uint32_t zcleared;                  /* those that have not, for certain */
    bool cc_touched;                    /* the instruction at hand has set flags */
    /* AArch32 */
    bool thumb;
    unsigned it, cond;                  /* IT state behind, condition of the instruction at hand */
    bool in_it;
    IrBlock *skip;                      /* where a conditional instruction's end is; NULL: unconditional */
    unsigned insn_len;
} ArmCtx;

extern const IrVal arm_none;

/* ---- integer registers, A64 ---- */
/* Register n (31: zero) in its full width / as i64 zero-extended from 32 bits when !sf. */
IrVal arm_x(ArmCtx *s, unsigned n);
IrVal arm_xsp(ArmCtx *s, unsigned n);               /* 31 is SP */
void arm_set_x(ArmCtx *s, unsigned n, IrVal v);     /* 31: dropped */
void arm_set_xsp(ArmCtx *s, unsigned n, IrVal v);
IrVal arm_r(ArmCtx *s, bool sf, unsigned n);        /* i64 or i32 by sf */
void arm_set_r(ArmCtx *s, bool sf, unsigned n, IrVal v);
static inline IrType arm_type(bool sf) { return sf ? IR_I64 : IR_I32; }
static inline IrVal arm_const(ArmCtx *s, bool sf, uint64_t v)
{
    return ir_const(s->b, arm_type(sf), sf ? v : (uint32_t)v);
}
/* v shifted by type 0..3 (LSL LSR ASR ROR) and constant amount. */
IrVal arm_shift(ArmCtx *s, bool sf, IrVal v, unsigned type, unsigned amount);
/* v extended as `option` says (UXTB .. SXTX), then shifted left; i64. */
IrVal arm_extend(ArmCtx *s, IrVal v, unsigned option, unsigned shift);
/* The mask that N:immr:imms stand for; false: reserved. */
bool arm_bitmask(unsigned n, unsigned immr, unsigned imms, bool sf, uint64_t *mask);

/* ---- flags (cc.c) ---- */
typedef struct ArmCond { IrCond cond; IrVal a, b; } ArmCond;
void arm_cc(ArmCtx *s, unsigned op, IrVal a, IrVal b);      /* operands i64 or i32 by op */
void arm_cc_nzcv(ArmCtx *s, IrVal nzcv32);
IrVal arm_nzcv_ir(ArmCtx *s);                       /* N Z C V in bits 3..0, i32 */
ArmCond arm_cond(ArmCtx *s, unsigned code);
IrVal arm_carry(ArmCtx *s);                         /* 0 or 1, i32 */
/* where IR paths join, or after helpers that set flags */
void arm_cc_dynamic(ArmCtx *s);
/* if cond then flags = op(a, b) else nzcv. */
void arm_ccmp(ArmCtx *s, unsigned cond, bool sf, bool sub, IrVal a, IrVal b, unsigned nzcv);
/* N Z C V of an IR fcmp result. */
IrVal arm_fcmp_nzcv(ArmCtx *s, IrVal r);

/* ---- memory ---- */
static inline MemOp arm_memop(const ArmCtx *s, unsigned size)
{
    return (MemOp)(size | (size ? s->mem : 0));
}
IrVal arm_load(ArmCtx *s, IrType t, IrVal addr, unsigned op, unsigned mmu);
void arm_store(ArmCtx *s, IrVal v, IrVal addr, unsigned op, unsigned mmu);

/* Before an access that arm_load and arm_store do not make: its tag (a64-mte.c). */
void arm_mte_check(ArmCtx *s, IrVal addr, unsigned bytes, bool write, unsigned mmu);
bool arm_mte_checked_row(uint32_t word);

/* ---- exits and exceptions ---- */
void arm_raise_ir(ArmCtx *s, unsigned kind, uint32_t syndrome);     /* pc of this instruction */
void arm_undef(ArmCtx *s);
void arm_semihost(ArmCtx *s);           /* a call of the host, and the end of the translation */
/* An address in the code, as an i64: a constant, unless the code is to work anywhere. */
IrVal arm_pc(ArmCtx *s, uint64_t pc);
void arm_jump(ArmCtx *s, unsigned slot, uint64_t pc);   /* ends the IR block */
void arm_jump_val(ArmCtx *s, IrVal pc, IrWay way);
void arm_end_jump(ArmCtx *s, uint64_t pc);          /* ends the translation */
/* After a helper that may have changed modes or interrupts; set_pc: to the next instruction. */
void arm_end_exit(ArmCtx *s, bool set_pc, unsigned reason);
/* The vector length in bytes. */
static inline unsigned arm_vl(const ArmCtx *s)
{
    return (((s->mode & MODE_SVE_VL) >> MODE_SVE_SHIFT) + 1) * 16;
}
/* Whether SVE may be used here; raises the trap and returns false otherwise. */
bool arm_sve_ok(ArmCtx *s);
/* Whether FP and SIMD may be used here; raises the trap and returns false otherwise. */
bool arm_fp_ok(ArmCtx *s);

/* ---- vector registers ---- */
IrVal arm_v(ArmCtx *s, unsigned n);
/* the rest of the Z register is 0 then */
void arm_put_v(ArmCtx *s, unsigned n, IrVal v);
void arm_set_v(ArmCtx *s, unsigned n, bool q, IrVal v);     /* !q: upper half cleared */

/* ---- the loop (translate.c), regions (region.c) ---- */
ArmCtx arm_context(Cpu *cpu, IrBuilder *b, const BlockKey *key);
/* Instructions from s->pc on until the block ends; their count. */
unsigned arm_translate_run(ArmCtx *s, Cpu *cpu, const uint8_t *page, unsigned max_insns);
/* At a block's head, with MODE_BTI: looks at PSTATE.BTYPE, which then is 0. */
void arm_check_landing(ArmCtx *s, Cpu *cpu, const uint8_t *page);
/* To a place in the page, from a region: a branch, or out by a chained exit. Ends the IR block. */
void arm_region_jump(ArmCtx *s, uint64_t pc);
/* Jumps to values in the region find the places where others in the page have led in this way. */
void arm_region_targets(ArmCtx *s, IrWay way);
/* A call of pc, or of a value (ARM_NOWHERE): its return finds s->next. */
enum { ARM_NOWHERE = 1 };
void arm_region_call(ArmCtx *s, uint64_t pc);
/*
 * Whether the block ends before the instruction at s->pc: there is a node for it already, or enough
 * of them.
 */
bool arm_region_meets(ArmCtx *s);
void arm_region_covers(ArmCtx *s);                  /* the instruction at s->pc is taken in */

/* Metadata of an instruction: never 0; IT state in bits 8..15 (AArch32). */
enum { META_INSN = 1, META_IT_SHIFT = 8 };
/*
 * One A32 or T32 instruction at s->pc; false: it reaches into the next page, where a block of its
 * own begins.
 */
bool arm_translate_a32(ArmCtx *s, Cpu *cpu, const uint8_t *page, bool first);

#endif
