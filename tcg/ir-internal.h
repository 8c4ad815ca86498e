// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How an IR function is stored: what passes, verifier, printer, interpreter and back ends walk.
 *
 * Ops, values and locals lie in arrays that grow and are reused from function to function; index 0
 * of each means "none". A block's ops are a doubly linked list of op indices, so that passes can
 * take out and put in. Pointers into f->ops are valid until an op is added.
 */
#ifndef TCG_IR_INTERNAL_H
#define TCG_IR_INTERNAL_H

#include "tcg/ir.h"

/* ---- rows of ops.def ---- */
/* Kinds of operand and result beside the IrTypes themselves. */
enum { IRK_T = IR_TYPES, IRK_I, IRK_F, IRK_V, IRK_A, IRK_LIST };
enum {
    IRF_PURE = 1, IRF_COMM = 2, IRF_COND = 4, IRF_LANE = 8, IRF_MEM = 16, IRF_FAULT = 32,
    IRF_EFFECT = 64, IRF_END = 128, IRF_FENV = 256,
    /* operands do not tell the result's type: the builder is given it */
    IRF_TYPED = 512,
};
enum { IR_NO_OWN = 255 };
typedef struct IrOpDesc {
    const char *name;
    uint8_t result, operands[4], num_operands, num_imms;
    uint8_t own;                /* the operand whose type is the op's own; IR_NO_OWN: none */
    uint16_t flags;
} IrOpDesc;
extern const IrOpDesc ir_op_desc[OP_COUNT];

/* ---- ops: one cache line each ---- */
typedef struct IrOp {
    uint8_t opcode;             /* IrOpcode */
    uint8_t type;               /* of the T operand; else of the first operand of class I, F, V or A;
                                   else of the result. A result's type is in the value table. */
    uint8_t cc;                 /* IrCond or IrLane */
    uint8_t num_args;
    uint32_t dst;               /* value; 0: none */
    uint32_t args[6];           /* values; calls: without env, num_args of them */
    union {
        uint64_t imm[2];
        struct { uint32_t var; } var;                               /* get, set */
        /* flag `mem`: MemOp, mmu index */
        struct { uint16_t op; uint8_t mmu; } mem;
        struct { uint64_t offset; uint16_t op; } env;               /* env_load, env_store */
        struct { const IrHelper *helper; } call;
        struct { uint64_t pc; uint64_t meta; } insn;
        struct { uint64_t slot; uint64_t pc; } chain;               /* exit_chain */
    };
    uint32_t prev, next;        /* in the block; 0: none */
} IrOp;

/* ---- values ---- */
typedef struct IrValue {
    /* constants: the bits; f32: low 32. Other integers: bits that are 0 */
    uint64_t k;
    uint32_t def;               /* op that defines it; constants: 0 */
    uint8_t type;
    bool used;                  /* pass_dead's own */
    bool is_const;              /* constants are no ops and may be used in every block */
} IrValue;

/* ---- blocks ---- */
struct IrBlock {
    uint32_t id;                /* index in f->blocks */
    uint32_t first, last;       /* ops; the last is the one marked end */
    IrBlock *succ[2];           /* taken from br and brcond */
    IrBlock *next;              /* in layout order; cold ones last after ir_optimize or ir_finish */
    IrBlock **preds;            /* by ir_compute_preds(); of a target the entry, twice, stands for all exit_lookups */
    uint32_t num_preds;
    bool cold, placed, reachable;
    bool again;                 /* it grew: fold once more */
    /*
     * By pass_same() where there are loops, else NULL. By variable: the lowest one that holds the
     * same at the entry, plus 1, or more than all of them: a constant.
     */
    uint32_t *same;
    /* By ir_analyze_vars(): sets of variables, f->var_words words each. */
    /* read later before they are overwritten (locals and registers) */
    uint64_t *live_in, *live_out;
    /* registers that some path here has set and no path wrote home */
    uint64_t *dirty_in, *dirty_out;
};

/* A block that exit_lookup may go to. */
typedef struct IrTarget { uint64_t pc; IrBlock *block; } IrTarget;

struct IrFunc {
    IrOp *ops;
    IrValue *values;
    uint32_t num_ops, cap_ops, num_values, cap_values;
    IrBlock **blocks;
    uint32_t num_blocks, cap_blocks;
    /* first in layout order; nothing branches to it unless front ends loop */
    IrBlock *entry;
    IrBlock *layout_tail;
    const IrVarDecl *vars;      /* guest registers */
    uint32_t num_vars;          /* of these; locals follow */
    uint8_t *locals;            /* their types */
    uint32_t num_locals, cap_locals;
    uint32_t var_words;         /* words of a variable set */
    bool live_known;            /* the last pass has left live_in and live_out; too large at most */
    IrTarget targets[IR_TARGETS];
    uint32_t num_targets;
    uint32_t num_insns;
    uint64_t bytes;
    bool join_halves;           /* wanted by the engine: pass_join */
    bool any_v256;              /* there has been a value of that type */
    struct { char *mem; size_t used, size; GPtrArray *old; } arena;
    IrBuilder *builder;
};

static inline IrType ir_var_type(const IrFunc *f, IrVar v)
{
    return v < f->num_vars ? f->vars[v].type : (IrType)f->locals[v - f->num_vars];
}
static inline bool ir_var_is_local(const IrFunc *f, IrVar v) { return v >= f->num_vars; }
static inline uint32_t ir_all_vars(const IrFunc *f) { return f->num_vars + f->num_locals; }
static inline bool ir_set_has(const uint64_t *set, uint32_t v)
{
    return set[v >> 6] >> (v & 63) & 1;
}
static inline void ir_set_add(uint64_t *set, uint32_t v) { set[v >> 6] |= 1ull << (v & 63); }
static inline void ir_set_remove(uint64_t *set, uint32_t v) { set[v >> 6] &= ~(1ull << (v & 63)); }
static inline const IrOpDesc *ir_desc(const IrOp *o) { return &ir_op_desc[o->opcode]; }
static inline IrType ir_dst_type(const IrFunc *f, const IrOp *o)
{
    return (IrType)f->values[o->dst].type;
}
static inline unsigned ir_type_bits(IrType t)
{
    static const uint16_t bits[IR_TYPES] = {0, 32, 64, 32, 64, 128, 256};
    return bits[t];
}

static inline bool ir_op_names_var(const IrOp *o)
{
    return o->opcode == OP_GET || o->opcode == OP_SET || o->opcode == OP_DISCARD;
}
/* May leave for the execution loop in the middle: homes must be recoverable there. */
static inline bool ir_op_faults(const IrOp *o)
{
    return ir_desc(o)->flags & IRF_FAULT ||
           (o->opcode == OP_CALL && o->call.helper->flags & (HELPER_FAULTS | HELPER_NORETURN));
}
/* Reads homes of guest registers in the hot path. */
static inline bool ir_op_reads_homes(const IrOp *o)
{
    return o->opcode == OP_CALL && o->call.helper->flags & (HELPER_READS_VARS | HELPER_WRITES_VARS |
                                                            HELPER_FAULTS | HELPER_NORETURN);
}
/* A call that destroys registers: not one that the back end emits in line. */
static inline bool ir_op_is_call(const IrOp *o)
{
    return o->opcode == OP_CALL && !(o->call.helper->flags & HELPER_X87);
}

static inline bool ir_op_writes_homes(const IrOp *o)
{
    return o->opcode == OP_CALL && o->call.helper->flags & HELPER_WRITES_VARS;
}

/* Memory that lives as long as the function; not zeroed. Aligned to 16. */
void *ir_arena(IrFunc *f, size_t size);
/* Closes open blocks, drops blocks never placed or reached, orders the layout (cold last). Every
 * engine calls it or ir_optimize (which does) before it walks a function. */
void ir_finish(IrFunc *f);
void ir_compute_preds(IrFunc *f);
/* Sets of variables for each block, empty. */
void ir_new_sets(IrFunc *f);
void ir_merge_live_out(const IrFunc *f, IrBlock *b);
/* No way in from a block with a higher or the same number: one sweep backwards is enough. */
bool ir_is_acyclic(const IrFunc *f);
void ir_op_remove(IrFunc *f, IrBlock *b, uint32_t op);
/* A new op, linked in before op `before` (0: at the end); its index. Grows f->ops. */
uint32_t ir_op_insert(IrFunc *f, IrBlock *b, uint32_t before);
/* The op's own type by its row and its operands; IR_VOID: only the result tells. */
static inline IrType ir_own_type(const IrFunc *f, const IrOp *o)
{
    const uint8_t own = ir_op_desc[o->opcode].own;

    return own == IR_NO_OWN ? IR_VOID : (IrType)f->values[o->args[own]].type;
}
uint32_t ir_value_new(IrFunc *f, IrType t, uint32_t def);

/*
 * Liveness of variables and which registers may be dirty, per block. Within a block walk on with
 * the step functions: live backwards from live_out, dirty forwards from dirty_in. Everything that
 * can look at homes (faults, such helpers, exits) reads all registers that are dirty there; what a
 * fault needs is thus the dirty set before the op.
 */
void ir_analyze_vars(IrFunc *f);
void ir_analyze_live(IrFunc *f);            /* only live_in and live_out */
void ir_live_step(const IrFunc *f, const IrOp *o, uint64_t *live);
/* Assumes that the engine writes all dirty registers home at ops that read homes. */
void ir_dirty_step(const IrFunc *f, const IrOp *o, uint64_t *dirty);

/* Run-time switch: verify after each pass; on in debug builds. */
extern bool ir_verify_passes;

#endif
