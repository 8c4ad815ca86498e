// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Register allocation, done while code is generated: the generator walks a block's ops forward and
 * asks for operands and results in registers; a backward scan of the block has told how far away
 * each value's next use is, and which variables somebody may look at before they are set again.
 *
 * - A register holds a value. A variable is bound to the value that is its present content, so
 *   `set` is a renaming. A variable is dirty while its home (CPU struct or frame) is not up to
 *   date.
 * - A value lives in a register, a frame slot, the home of a clean variable bound to it, or is a
 *   constant. Spilling a dirty variable's value writes the variable home.
 * - A block with one predecessor goes on with the registers as its predecessor left them. At the
 *   others all variables are home, but for those that own a host register for the whole function
 *   (the ones most used, weighted by loop depth).
 *
 * Host registers are numbers below 64: general ones from 0 on, vector ones from RA_VEC on.
 */
#ifndef TCG_REGALLOC_H
#define TCG_REGALLOC_H

#include "tcg/ir-internal.h"

typedef uint64_t RegSet;
enum { RA_VEC = 32, RA_REGS = 64 };
#define RA_NEVER UINT32_MAX
#define REG_BIT(r) (1ull << (r))

/* offset from the CPU struct's start; from the frame */
typedef enum RaBase { RA_ENV, RA_FRAME } RaBase;
typedef struct RaPlace { RaBase base; uint32_t offset; } RaPlace;

/* What the allocator asks of the code generator. None may change flags or other registers. */
typedef struct RaHost {
    RegSet pool[2];                     /* registers to hand out: general, vector */
    RegSet caller_saved;
    const uint8_t *order[2];            /* the pool, most welcome first; ends with 255 */
    void (*move)(void *gen, IrType t, int dst, int src);
    void (*load)(void *gen, IrType t, int dst, RaPlace from);
    void (*store)(void *gen, IrType t, int src, RaPlace to);
    void (*load_const)(void *gen, IrType t, int dst, uint64_t bits);
    void (*store_const)(void *gen, IrType t, uint64_t bits, RaPlace to);
} RaHost;

typedef struct RaVal {
    uint64_t bits;                      /* constants */
    uint32_t next_use;                  /* position, or RA_NEVER */
    uint32_t slot;                      /* frame offset that holds it; 0: none */
    uint32_t vars;                      /* first variable bound to it, plus 1 */
    uint32_t hint_var;                  /* variable that will be set to it, plus 1 */
    int8_t reg;                         /* -1: in none */
    uint8_t type;
    bool is_const;
    bool zero_ext;                      /* i32 in a register with upper half zero */
} RaVal;

typedef struct RaVar {
    uint32_t val;                       /* present content; 0: only the home knows */
    uint32_t next;                      /* next variable bound to val, plus 1 */
    uint32_t next_event;                /* position of the next get or set in the block */
    bool next_is_set, touched;
    int8_t own_reg;                     /* register for the whole function, or -1 */
    uint32_t frame;                     /* locals: frame offset of the home */
} RaVar;

/* State of the variables at the end of a block, for a successor that goes on with it. */
typedef struct RaBound {
    uint32_t var;
    int8_t reg;
    bool dirty, is_const, zero_ext;
    uint64_t bits;
} RaBound;
typedef struct RaSnapshot { uint32_t n; RaBound b[]; } RaSnapshot;

typedef struct RaMove { int dst; IrType type; uint32_t val, var; } RaMove;

typedef struct Ra {
    const RaHost *host;
    void *gen;
    IrFunc *f;
    RaVal *vals;                        /* IR values, then a pseudo value per variable */
    RaVar *vars;
    uint32_t *touched;                  /* variables that the block at hand deals with */
    uint32_t num_touched;
    uint32_t num_vars, words;
    uint32_t first_extra, num_extra;    /* values of the code generator's own, which it makes: kept in
                                           registers while nobody wants these, never saved */
    uint64_t *dirty;                    /* set of variables */
    uint32_t reg_val[RA_REGS];
    RegSet busy;                        /* registers whose reg_val is not 0 */
    RegSet pinned;                      /* not to be taken during this op */
    RegSet temps;                       /* of these: temporaries */
    bool released;                      /* ra_release() was called for this op */
    RegSet owned;                       /* registers that a variable owns */
    const uint32_t *weight;             /* how often blocks run, by id; NULL: no paths meet */
    uint32_t frame_start, frame_locals, frame, frame_max;       /* bump pointer of frame slots */
    /* the block at hand */
    IrBlock *block;
    bool to_targets;                    /* it ends with a jump to targets */
    uint32_t *ops;                      /* op index by position */
    uint32_t *next;                     /* next use of each argument, 6 a position */
    uint32_t *event;                    /* get and set: next event of the variable << 1 | is set */
    uint32_t *observe;                  /* first position from here on where homes are looked at */
    uint32_t *calls;                    /* first position from here on of a call */
    uint32_t num_ops, cap_ops;
    uint32_t pos;
    uint32_t observed;                  /* next look at homes, as far as this op is done */
    RaSnapshot **snapshots;             /* by block id */
    bool *emitted;                      /* by block id */
    uint32_t free_slot[3];              /* lists of slots of 8, 16, 32 bytes, linked in slot_next */
    uint32_t *slot_next;                /* by offset / 8 */
    IrBlock any_target;                 /* what all targets of exit_lookup together want; num_preds 0: there are none */
    bool frame_full;                    /* give up: the code is wrong */
} Ra;

static inline unsigned ra_class(IrType t)
{
    return t == IR_I32 || t == IR_I64 ? 0 : 1;
}
static inline bool ra_is_const(const Ra *r, uint32_t v)
{
    return r->vals[v].is_const;
}
static inline int ra_reg(const Ra *r, uint32_t v)
{
    return r->vals[v].reg;
}

/* All is home at its entry but for what variables own. */
static inline bool ra_canonical(const Ra *r, const IrBlock *b)
{
    return b->num_preds != 1 || b == r->f->entry;
}
/*
 * At b's entry var holds what another variable has in the register of its own that this returns;
 * or -1. Nobody stores it for b.
 */
static inline int ra_shares(const Ra *r, const IrBlock *b, uint32_t var)
{
    uint32_t as = b->same ? b->same[var] : 0;

    if (as == 0 || as == var + 1 || as > r->num_vars || r->vars[var].own_reg >= 0 ||
        !ir_set_has(b->live_in, as - 1)) {
        return -1;
    }
    return r->vars[as - 1].own_reg;
}
/* Gives the variables that it is worth most for registers of their own: regalloc-own.c. */
void ra_choose_owned(Ra *r);

void ra_init(Ra *r, const RaHost *host, void *gen, uint32_t frame_start, uint32_t frame_max,
             uint32_t num_extra);
void ra_fini(Ra *r);
/* A new function: analyses it, gives locals their homes and hot variables their registers. */
void ra_function(Ra *r, IrFunc *f);
/* Scans the block and sets up the state that its entry has. */
void ra_block_begin(Ra *r, IrBlock *b);

/* ---- an op: begin; uses and temporaries; release; definition; end ---- */
void ra_op_begin(Ra *r, uint32_t pos);
/*
 * The value in a register of `allowed` (0: any of its class), which stays as it is during the op.
 */
int ra_use(Ra *r, uint32_t v, RegSet allowed);
/* Where the value lies in memory if it is in no register and not constant. */
bool ra_place(const Ra *r, uint32_t v, RaPlace *place);
/* A register that the op may destroy. */
int ra_tmp(Ra *r, unsigned cls, RegSet allowed);
/* Makes reg such a one; with v: and puts a copy of v into it. */
void ra_take(Ra *r, int reg);
void ra_take_with(Ra *r, int reg, uint32_t v);
/* From here on arguments that die are gone: the result may lie where they lay. */
void ra_release(Ra *r);
/* Somebody needs the value after this op. */
bool ra_needed(const Ra *r, uint32_t v);
/* v's register may be the result's: nobody wants v, or not enough to leave a free register idle. */
bool ra_dies(const Ra *r, uint32_t v);
/* Register for the result; hint: a welcome one or -1. */
int ra_def(Ra *r, uint32_t v, RegSet allowed, int hint);
/* The result is in reg, which ra_take or a call has made free. */
void ra_def_fixed(Ra *r, uint32_t v, int reg);
/*
 * Result register that starts with the value of `a`, for two-operand instructions: a's own
 * register if it dies, else another one and a move. Calls ra_release. `avoid`: registers that
 * the instruction still reads.
 */
int ra_def_from(Ra *r, uint32_t v, uint32_t a, RegSet avoid);
void ra_op_end(Ra *r);

/* An extra value is in reg, a temporary of this op; or no longer anywhere. */
void ra_extra_def(Ra *r, uint32_t v, int reg);
void ra_extra_drop(Ra *r, uint32_t v);

/* ---- variables ---- */
void ra_get(Ra *r, uint32_t dst, uint32_t var);
void ra_set(Ra *r, uint32_t var, uint32_t v);
void ra_discard(Ra *r, uint32_t var);
/* Makes v an alias of a: same bits (trunc, zextq). True: done; else the caller makes a copy. */
bool ra_rename(Ra *r, uint32_t v, uint32_t a);
RaPlace ra_home(const Ra *r, uint32_t var);
/* Writes all dirty guest registers home. */
void ra_flush(Ra *r);
/* Dirty guest registers are in registers or constants from here on. */
void ra_settle(Ra *r);
void ra_flush_if(Ra *r, bool (*want)(const Ra *r, uint32_t var, const void *data),
                 const void *data);
/* Before a helper that changes homes: values used after it get a place of their own. */
void ra_unhome(Ra *r);
/* A helper changed the homes. */
void ra_forget_vars(Ra *r);

/* ---- calls ---- */
/* Saves what lives in caller-saved registers, moves arguments; then those registers are free. */
void ra_call_args(Ra *r, RaMove *moves, unsigned n);
/* All moves at once: each dst gets what its value was before any of them. */
void ra_parallel(Ra *r, RaMove *moves, unsigned n);

/* ---- block ends ---- */
/* Before the end op: homes are made right for successors that want them so. */
void ra_block_end(Ra *r);
/* After its operands are used: keeps the state for successors that go on with it. */
void ra_block_leave(Ra *r);
/* Registers as the successor's canonical state wants them: true if that takes moves. */
bool ra_edge_needs_moves(Ra *r, IrBlock *to);
/* a is thought to run less often than b. */
bool ra_is_rarer(const Ra *r, const IrBlock *a, const IrBlock *b);
void ra_edge_moves(Ra *r, IrBlock *to);
/*
 * exit_lookup in a function with targets. First: what these want home goes there, other dirty
 * registers are settled. Then the moves to where targets expect their variables; what is dirty
 * afterwards lies where ra_targets_dirty says, which is false for what is clean.
 */
void ra_targets_begin(Ra *r);
void ra_targets_moves(Ra *r);
bool ra_targets_dirty(const Ra *r, uint32_t var, int *reg);
/* From the function's entry, where all is home, into an entry block that is also branched to. */
void ra_entry_moves(Ra *r);
/* All is home: what `to` expects in registers that variables own. */
void ra_load_owned(Ra *r, const IrBlock *to);

#endif
