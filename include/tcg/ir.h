// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The translator's IR: a function of basic blocks with explicit edges.
 *
 * - Values (IrVal) are typed, defined once, and live inside one block only.
 * - What crosses edges are variables: guest registers whose home is a field of the CPU struct
 *   (IrVarDecl), and locals of the function. `get` and `set` read and write them. A set writes no
 *   memory by itself: a variable's home need only be right where somebody can look (exits, helpers
 *   that read it, and the cold path of ops that fault). So within a region guest registers live in
 *   host registers across blocks and loop iterations.
 * - A guest instruction's own sets come after its last op that can fault, or undo nothing:
 *   at a fault the variables are as the last completed set left them.
 * - The builder folds constants, forwards set to get inside a block and reuses equal pure values
 *   as it goes; the passes see already lean code.
 *
 * One IrFunc at a time and thread; memory comes from the function's arena and is reused.
 */
#ifndef TCG_IR_H
#define TCG_IR_H

#include <glib.h>
#include "exec/cpu.h"
#include "util/types.h"
#include "util/vec128.h"
#include "util/vec128.h"

typedef enum IrType { IR_VOID, IR_I32, IR_I64, IR_F32, IR_F64, IR_V128, IR_V256, IR_TYPES } IrType;
typedef enum IrLane { LANE_I8, LANE_I16, LANE_I32, LANE_I64, LANE_F32, LANE_F64 } IrLane;
/* ALWAYS and NEVER are for the folder's use. TST*: (a & b) ==/!= 0. */
typedef enum IrCond {
    COND_NEVER, COND_ALWAYS, COND_EQ, COND_NE, COND_LT, COND_GE, COND_LE, COND_GT,
    COND_LTU, COND_GEU, COND_LEU, COND_GTU, COND_TSTZ, COND_TSTNZ,
} IrCond;
IrCond ir_cond_invert(IrCond c);
IrCond ir_cond_swap(IrCond c);

/* Size, sign, byte order, alignment of a guest access, in one number. */
typedef enum MemOp {
    MEM_8 = 0, MEM_16 = 1, MEM_32 = 2, MEM_64 = 3, MEM_128 = 4, MEM_256 = 5, MEM_SIZE = 7,
    MEM_SIGN = 8,               /* sign-extend to the op's type */
    MEM_BIG = 16,               /* the guest's bytes are big-endian */
    MEM_ALIGN = 32,             /* unaligned: CpuArch.unaligned */
    MEM_ATOMIC = 64,            /* single-copy atomic when aligned (default up to 8 bytes on 64-bit hosts) */
} MemOp;

enum {
    IR_FENCE_LD_LD = 1,
    IR_FENCE_LD_ST = 2,
    IR_FENCE_ST_LD = 4,
    IR_FENCE_ST_ST = 8,
    IR_FENCE_ALL = 15
};

/* Why generated code came back; the number of the exit op. */
enum {
    IR_EXIT_LOOP,               /* look for interrupts, find the next block by block_key() */
    IR_EXIT_LOOKUP,             /* find the next block by block_key() */
    IR_EXIT_ENTRY,              /* internal: cpu->attention at the block's entry; nothing of it ran */
    IR_EXIT_CHAIN0,             /* internal: this block's slot 0 wants to be chained; slot n: CHAIN0 + n */
};
/*
 * What fguard looks for: a NaN among a's lanes; that or a lane of the smallest normal magnitude
 * (guests that detect tininess before rounding raise underflow for it); lanes of b and c that do
 * not compare; an integer lane that is the most negative.
 */
typedef enum IrGuard { GUARD_NAN, GUARD_TINY, GUARD_ORDER, GUARD_MIN_INT } IrGuard;
enum { GUARD_LOWEST = 16 };     /* with one of them: of vectors the lowest lane alone */

/* What kind of jump an exit_lookup is: what is taken into regions later depends on it. */
typedef enum IrWay { WAY_ANY, WAY_JUMP, WAY_CALL, WAY_RETURN } IrWay;

enum { IR_TARGETS = 48 };       /* of ir_target in a function */
enum { IR_CHAINS = 32 };        /* slots of exit_chain that a function may have */

/* CpuArch.restore with this metadata sets the pc from the key and nothing else: everything else is
 * home. No ir_insn() may use it unless that is what it means. */
#define IR_META_ENTRY 0

/* A guest register. The declaration table is CpuArch.vars; an IrVar is an index into it. */
typedef struct IrVarDecl {
    const char *name;           /* "rax", unique */
    IrType type;
    uint32_t offset;            /* of the home in the CPU struct; homes do not overlap */
    /* v256: two other variables, plus 1, whose homes this one's halves have. Front ends use these; a pass puts this one in
     * their place. `offset` is the low one's. */
    uint16_t low, high;
} IrVarDecl;

typedef struct IrVal { uint32_t id; } IrVal;      /* 0: none */
typedef uint32_t IrVar;                           /* below num_vars: guest register; above: local */
typedef struct IrBlock IrBlock;
typedef struct IrFunc IrFunc;
typedef struct IrBuilder IrBuilder;

/* What a helper touches; decides what is written home before and reread after the call. */
enum {
    HELPER_PURE = 1,            /* a function of its arguments: may be removed or merged */
    HELPER_READS_VARS = 2,      /* reads guest registers' homes */
    HELPER_WRITES_VARS = 4,     /* changes them */
    HELPER_FAULTS = 8,          /* may cpu_raise() with its HOST_PC(): implies that homes are written back before
                                   the call, and that the side table covers it */
    HELPER_NORETURN = 16,
    HELPER_X87 = 64,            /* an operation of tcg/x87.h: a back end may emit it in line */
    HELPER_INSN = 128,          /* what the x86 instruction of its name does to its arguments: likewise */
    HELPER_FENV = 32,           /* uses the guest's float environment (runs with guest MXCSR) */
};

/* One row of a target's helpers.def, as the generator writes it. */
typedef struct IrHelper {
    const char *name;
    void *fn;
    unsigned flags;
    IrType ret;
    uint8_t num_args;           /* at most 6; `env` (Cpu *) counts and must be first */
    bool env;
    IrType args[6];             /* pointers are IR_I64 */
} IrHelper;

/* ---- building ---- */
IrBuilder *ir_builder_new(const IrVarDecl *vars, unsigned num_vars);
void ir_builder_free(IrBuilder *b);
/* Starts a function; the current block is its entry. Everything of the last one is gone. */
IrFunc *ir_begin(IrBuilder *b);
IrFunc *ir_func(IrBuilder *b);

IrVal ir_const(IrBuilder *b, IrType t, uint64_t value);
static inline IrVal ir_i32(IrBuilder *b, uint32_t v) { return ir_const(b, IR_I32, v); }
static inline IrVal ir_i64(IrBuilder *b, uint64_t v) { return ir_const(b, IR_I64, v); }
bool ir_is_const(IrBuilder *b, IrVal v, uint64_t *value);
IrType ir_type(IrBuilder *b, IrVal v);

/* A local variable of this function: lives in a host register or the frame; undefined until set. */
IrVar ir_local(IrBuilder *b, IrType t);

IrBlock *ir_block(IrBuilder *b);                  /* new and empty, not placed */
IrBlock *ir_cold_block(IrBuilder *b);             /* ... rarely reached: laid out at the end */
/* code goes there now; an open block falls into it */
void ir_place(IrBuilder *b, IrBlock *block);
IrBlock *ir_current(IrBuilder *b);
bool ir_is_open(IrBuilder *b);                    /* the current block has no end yet */

/*
 * One function per row of ops.def, generated (tcg/ir-ops.h, included below). Condition or lane
 * first, then operands, then immediates; where operands do not tell the result's type (v_zero,
 * v_from_i, v_splat, v_zext, i32_f, ...) the type comes before all. Examples:
 *   IrVal ir_add(IrBuilder *b, IrVal a, IrVal c);
 *   IrVal ir_extract(IrBuilder *b, IrVal a, unsigned pos, unsigned len);
 *   IrVal ir_setcond(IrBuilder *b, IrCond cond, IrVal a, IrVal c);
 *   IrVal ir_select(IrBuilder *b, IrCond cond, IrVal a, IrVal c, IrVal yes, IrVal no);
 *   IrVal ir_v_add(IrBuilder *b, IrLane lane, IrVal a, IrVal c);
 *   IrVal ir_i32_f(IrBuilder *b, IrType t, IrVal a);
 * and, written by hand because they take more:
 */
IrVal ir_get(IrBuilder *b, IrVar v);
void ir_set(IrBuilder *b, IrVar v, IrVal x);
/* What the variable has is of no use from here on, not even to those who look at homes. */
void ir_discard(IrBuilder *b, IrVar v);
void ir_insn(IrBuilder *b, uint64_t pc, uint64_t meta);
IrVal ir_load(IrBuilder *b, IrType t, IrVal addr, MemOp op, unsigned mmu_idx);
void ir_store(IrBuilder *b, IrVal value, IrVal addr, MemOp op, unsigned mmu_idx);
typedef enum IrAtomic { ATOMIC_XCHG, ATOMIC_ADD, ATOMIC_AND, ATOMIC_OR, ATOMIC_XOR } IrAtomic;
IrVal ir_atomic(IrBuilder *b, IrAtomic kind, IrVal value, IrVal addr, MemOp op, unsigned mmu_idx);
IrVal ir_cmpxchg(IrBuilder *b, IrVal expect, IrVal value, IrVal addr, MemOp op, unsigned mmu_idx);
IrVal ir_env_load(IrBuilder *b, IrType t, uint32_t offset, MemOp op);
void ir_env_store(IrBuilder *b, IrVal v, uint32_t offset, MemOp op);
/* args without env; n of them. IrVal 0 for void helpers. */
IrVal ir_call(IrBuilder *b, const IrHelper *h, const IrVal *args, unsigned n);
void ir_br(IrBuilder *b, IrBlock *to);
void ir_brcond(IrBuilder *b, IrCond c, IrVal x, IrVal y, IrBlock *yes, IrBlock *no);
void ir_exit_chain(IrBuilder *b, unsigned slot, uint64_t pc);
void ir_exit_lookup(IrBuilder *b, IrVal pc);
void ir_exit_jump(IrBuilder *b, IrVal pc, IrWay way);      /* the same, of a known kind */
/*
 * Whatever exit_lookup of the function finds that its pc is this one may go on there, if
 * cpu->attention is 0. The block is placed as others are and reads no local before it sets it.
 * False: there are too many targets.
 */
bool ir_target(IrBuilder *b, uint64_t pc, IrBlock *to);
/* `to` leaves for the very pc that it was to be a target for: it is none. */
void ir_no_target(IrBuilder *b, const IrBlock *to);
void ir_exit(IrBuilder *b, unsigned reason);
/* Adds an immediate; the usual front-end shorthand. */
/* An i64 whose low half is v, an i32; above it is whatever costs nothing. */
IrVal ir_widen(IrBuilder *b, IrVal v);
IrVal ir_addi(IrBuilder *b, IrVal a, int64_t i);
IrVal ir_andi(IrBuilder *b, IrVal a, uint64_t i);
IrVal ir_shli(IrBuilder *b, IrVal a, unsigned i);
IrVal ir_shri(IrBuilder *b, IrVal a, unsigned i);
IrVal ir_sari(IrBuilder *b, IrVal a, unsigned i);

/*
 * Facts about the function for the code generator and the execution loop.
 * insns: guest instructions; bytes: guest bytes from key.pc on that the translation read.
 */
void ir_set_extent(IrBuilder *b, unsigned insns, uint64_t bytes);
/* Code room in IR ops left before a function is too large; front ends end the block in time. */
bool ir_full(IrBuilder *b);
/* Whether front ends should use v256 for 256-bit operations: set by who knows the engine. */
void ir_set_v256(IrBuilder *b, bool on);
bool ir_has_v256(const IrBuilder *b);

/* ---- text ---- */
void ir_print(const IrFunc *f, GString *out);
/* Parses what ir_print writes (tests, fuzzing); NULL with a line number in *error. helpers: those
 * that calls may name, NULL-ended (a target's target_helpers[]). */
IrFunc *ir_parse(IrBuilder *b, const char *text, const IrHelper *const *helpers, GError **error);
/* Checks types, single definition, use inside the block, one end per block. */
bool ir_verify(const IrFunc *f, GError **error);

#include "tcg/ir-ops.h"         /* generated from tcg/ops.def */

#endif
