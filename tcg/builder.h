// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The builder's state. Passes borrow it: with an insertion point set, the same code that folds and
 * simplifies while a front end emits does so again over existing ops.
 */
#ifndef TCG_BUILDER_H
#define TCG_BUILDER_H

#include "tcg/ir-internal.h"

#define CONST_SLOTS 256
#define CSE_SLOTS 256
/* ir_full() says so from here on; one guest instruction adds far less than the room left. */
#define IR_OPS_FULL 3000

typedef struct KnownVar { uint32_t value, epoch; } KnownVar;

struct IrBuilder {
    IrFunc f;
    bool v256;
    IrBlock *cur;
    uint64_t insn_pc, insn_meta;    /* the guest instruction at hand, if in_insn */
    bool in_insn;
    uint32_t before;            /* new ops go before this one; 0: at the end */
    uint32_t epoch;             /* of the current block's known values; never 0 */
    uint32_t func_epoch;
    struct { uint32_t epoch, value; } consts[CONST_SLOTS];
    struct { uint32_t epoch, op; } cse[CSE_SLOTS];
    KnownVar *known;            /* what each variable holds now, when epoch matches */
    uint32_t cap_known;
};

/* ir_is_open() */
static inline bool builder_is_open(const IrBuilder *b)
{
    return b->cur && (!b->cur->last || !(ir_desc(&b->f.ops[b->cur->last])->flags & IRF_END));
}

/* Nothing is known of variables and values any more: a block begins. */
void builder_forget(IrBuilder *b);
void builder_forget_vars(IrBuilder *b);            /* guest registers only */
KnownVar *builder_known(IrBuilder *b, IrVar v);
static inline uint32_t builder_var_value(IrBuilder *b, IrVar v)
{
    const KnownVar *k = builder_known(b, v);

    return k->epoch == b->epoch ? k->value : 0;
}
static inline void builder_var_is(IrBuilder *b, IrVar v, uint32_t value)
{
    KnownVar *k = builder_known(b, v);

    k->value = value;
    k->epoch = b->epoch;
}
/*
 * A pure op equal to o in this block, or 0; o (at index op, when not 0) is entered if there is
 * none.
 */
uint32_t builder_cse_find(IrBuilder *b, const IrOp *o, IrType dst_type);
void builder_cse_enter(IrBuilder *b, const IrOp *o, uint32_t op);
/* Appends a copy of *o at the insertion point without looking at it; its index. */
uint32_t builder_append(IrBuilder *b, const IrOp *o);
/* Which bits of an op's integer result are always 0. */
uint64_t builder_zero_bits(const IrFunc *f, const IrOp *o, IrType dst_type);

/*
 * Looks for something simpler than *o. Not 0: the value to use instead (ops may have been added
 * before the insertion point). 0: emit *o, which may have been changed.
 */
IrVal ir_simplify(IrBuilder *b, IrOp *o, IrType dst_type);
IrVal ir_simplify_vector(IrBuilder *b, IrOp *o, IrType dst_type);
/* Brings a comparison into its plainest form: cc and args[0], args[1] of o. COND_ALWAYS or
 * COND_NEVER when the outcome is known. */
void ir_simplify_cond(IrBuilder *b, IrOp *o);
/* Value of an integer op on constants, normalised to the result type. False: not foldable. */
bool ir_fold(IrOpcode opcode, IrType type, const uint64_t *k, const uint64_t *imm, uint64_t *out);
bool ir_fold_cond(IrCond c, IrType type, uint64_t x, uint64_t y);

static inline uint64_t ir_mask(IrType t)
{
    return t == IR_I32 || t == IR_F32 ? UINT32_MAX : UINT64_MAX;
}
static inline uint64_t ir_low_mask(unsigned bits)
{
    return bits >= 64 ? UINT64_MAX : (1ull << bits) - 1;
}
static inline bool ir_known_const(const IrFunc *f, uint32_t v, uint64_t *k)
{
    *k = f->values[v].k;
    return f->values[v].is_const;
}
/* Bits that are 0 for sure; all above the type's width count as 0. */
static inline uint64_t ir_zeros(const IrFunc *f, uint32_t v)
{
    return f->values[v].is_const ? ~f->values[v].k : f->values[v].k;
}
static inline IrOp *ir_def(const IrFunc *f, uint32_t v) { return &f->ops[f->values[v].def]; }

#endif
