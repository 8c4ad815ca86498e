// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first tier: code for what has not run yet, made in one walk over the IR as the front end left
 * it. Every `set` goes home at once, so nothing is kept for faults, exits and joins; a value lives
 * in a register, in the home of a variable that has it, or in a frame slot, and only within its
 * block. Guest memory is reached by calls of common stubs. What runs often is made anew by the
 * other tier (engine.c): see CodeBlock.trips.
 */
#ifndef TCG_I386_FIRST_H
#define TCG_I386_FIRST_H

#include "tcg/i386/gen.h"

typedef struct FirstVal {
    uint64_t bits; /* constants */
    uint32_t last; /* op of its last use; 0: none */
    uint32_t slot; /* frame offset that holds it; 0: none */
    uint32_t home; /* variable whose home holds it, plus 1; 0: none */
    int8_t reg; /* -1: in none */
    uint8_t type;
    bool is_const;
    /* a sum with a constant that is only an address: made when it is used */
    bool folded;
} FirstVal;

/* i32 values have zeros in the upper halves of registers and slots. */
typedef struct First {
    Gen *g;
    const IrFunc *f;
    FirstVal *vals;
    bool *skip; /* by op: nobody needs it */
    uint32_t *var_val; /* by variable: the value whose `home` it is; 0: none */
    uint32_t *local_at; /* by local: its home in the frame */
    uint32_t cap_vals, cap_ops, cap_vars;
    uint32_t reg_val[16];
    uint32_t busy, pinned; /* sets of registers */
    uint32_t pos; /* op at hand */
    uint32_t frame, frame_locals;
    bool full; /* no slot left: give up */
    IrBlock *block;
    uint8_t *points, *points_end; /* table of instructions: see code_point() */
    uint32_t point_offset;
    uint64_t point_pc, point_meta;
    uint32_t num_points;
    struct {
        uint8_t *jump;
        uint32_t slot;
        int32_t pc; /* from the block's own */
    } exits[IR_CHAINS];
    unsigned num_exits;
    uint8_t *entry_jump[2]; /* of the checks at its beginning */
} First;

/* General registers: those that values live in, and those of them that C destroys. */
enum {
    FIRST_POOL = 1 << RBX | 1 << RCX | 0xff00,
    FIRST_KEPT = 1 << RBX | 0xf000,
    FIRST_CALLED = 1 << RAX | 1 << RCX | 0x0f00,
};

/* rax may hold a result; rdx, rsi and rdi are free between ops. */
typedef void FirstEmit(First *q, const IrOp *o);
typedef struct FirstRow {
    FirstEmit *emit; /* NULL: the function is not for this tier */
    uint32_t form, aux;
} FirstRow;
extern const FirstRow first_rows[OP_COUNT];

/* ---- first.c: values and registers ---- */
int first_use(First *q, uint32_t v);
/* Copies v into a register that no value is in. */
void first_use_in(First *q, uint32_t v, int reg);
int first_def(First *q, uint32_t v);
/* The same, in a register that starts with a's content. */
int first_def_from(First *q, uint32_t v, uint32_t a);
void first_def_fixed(First *q, uint32_t v, int reg);
/* v is now what a was, which dies here in a register. */
bool first_rename(First *q, uint32_t v, uint32_t a);
/* Nothing that is needed after the op (or, with `args`, by it) stays in reg. */
void first_clear(First *q, int reg, bool args);
/* The value in reg has a place in memory, too. */
void first_save(First *q, uint32_t v);
/* Variable var's home changes: whoever relies on it moves. */
void first_leave_home(First *q, uint32_t var);
Mem first_home(const First *q, uint32_t var);
bool first_place(const First *q, uint32_t v, Mem *m);
Opnd first_opnd(First *q, uint32_t v, unsigned allow);
void first_pin(First *q, uint32_t v);
void first_point(First *q, uint64_t pc, uint64_t meta);
/*
 * A function's beginning, and its end. points: a table of instructions of that size. NULL: no
 * room.
 */
First *first_begin(Gen *g, CodeBuffer *c, CodeBlock *cb, uint8_t *points, size_t size,
                   int32_t *trips);
CodeFirst first_end(First *q, uint8_t *points);

/* ---- first-ops.c ---- */
void first_chain(First *q, unsigned slot, uint64_t pc);
/* The pc is in rsi. */
void first_lookup(First *q, IrWay way);

#endif
