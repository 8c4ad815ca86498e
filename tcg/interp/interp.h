// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The IR interpreter: an IrFunc is decoded once into an array of Insn in the code buffer, then run
 * handler by handler. Every set goes straight to the variable's home, so that guest state is
 * complete wherever something can fault. It is the oracle for the host back ends and shares no
 * arithmetic with the folder.
 */
#ifndef TCG_INTERP_H
#define TCG_INTERP_H

#include "tcg/codegen.h"
#include "tcg/ir-internal.h"

typedef struct Run Run;
typedef struct Insn Insn;
/* Does one op; the next one, or NULL to leave run(). */
typedef const Insn *InsnFn(const Insn *i, Run *r);

struct Insn {
    InsnFn *fn;
    uint8_t opcode, type, cc, dst_type, num_args;
    uint8_t arg_type[2];
    uint32_t dst;               /* place of the result */
    uint32_t arg[6];            /* places; bit 0: in the constants instead of the frame */
    uint64_t imm[2];            /* memory: MEM_OI; variables and env: offset in the CPU struct, MemOp */
    union {
        const Insn *to[2];
        const IrHelper *helper;
    };
};

/* Where GeneratedCode.entry points. */
typedef struct InterpCode {
    CodeBlock *cb;
    const uint8_t *consts;
    const Insn *start;
    const struct InterpTarget *targets;     /* of exit_lookup */
    uint32_t num_targets;
} InterpCode;
typedef struct InterpTarget { uint64_t pc; const Insn *to; } InterpTarget;

enum { FRAME_BYTES = 128 * 1024 };

struct Run {
    uint8_t *base[2];           /* frame, constants */
    Cpu *cpu;
    CodeBlock *cb;
    unsigned exit;              /* IR_EXIT_* */
    _Alignas(32) uint8_t frame[FRAME_BYTES];
};

static inline void *place(Run *r, uint32_t at) { return r->base[at & 1] + (at & ~1u); }
/* An integer or float operand: i32 and f32 have zeros above. */
static inline uint64_t arg64(const Insn *i, Run *r, unsigned n)
{
    return *(uint64_t *)place(r, i->arg[n]);
}
static inline void *arg_at(const Insn *i, Run *r, unsigned n) { return place(r, i->arg[n]); }
static inline void *dst_at(const Insn *i, Run *r) { return r->base[0] + i->dst; }
static inline void put64(const Insn *i, Run *r, uint64_t v)
{
    *(uint64_t *)dst_at(i, r) = i->dst_type == IR_I32 || i->dst_type == IR_F32 ? (uint32_t)v : v;
}

/*
 * For back ends: an op without effects, its operands ONE_OPERAND bytes apart in the frame (i32 and
 * f32 with zeros above), the result at ONE_RESULT. The descriptor is kept for good.
 */
enum { ONE_OPERAND = 32, ONE_RESULT = 128, ONE_FRAME = 160 };
const Insn *interp_describe(const IrFunc *f, const IrOp *o);
void interp_run_one(const Insn *i, uint8_t *frame);

/* The handler of an op. */
InsnFn *interp_handler(const IrOp *o);

const Insn *interp_int(const Insn *i, Run *r);
const Insn *interp_compare(const Insn *i, Run *r);
const Insn *interp_float(const Insn *i, Run *r);
const Insn *interp_vector(const Insn *i, Run *r);
const Insn *interp_call(const Insn *i, Run *r);
const Insn *interp_guard(const Insn *i, Run *r);
const Insn *interp_load(const Insn *i, Run *r);
const Insn *interp_store(const Insn *i, Run *r);
const Insn *interp_atomic(const Insn *i, Run *r);
const Insn *interp_env_load(const Insn *i, Run *r);
const Insn *interp_env_store(const Insn *i, Run *r);

/* ---- arithmetic, without a CPU: tests use it directly ---- */
uint64_t interp_int_value(IrOpcode opcode, IrType type, uint64_t x, uint64_t y,
                          const uint64_t *imm);
bool interp_cond(IrCond c, IrType type, uint64_t x, uint64_t y);
/* k: always three operands; those the operation does not take are not looked at. */
uint64_t interp_float_value(IrOpcode opcode, IrType type, const uint64_t *k, uint64_t imm);
/* One 128-bit part of a vector op. */
void interp_vector_part(const Insn *i, const Vec128Lanes *a, const Vec128Lanes *b,
                        const Vec128Lanes *c, Vec128Lanes *out);
/* The s_ ops. */
const Insn *interp_lowest(const Insn *i, Run *r);
void interp_vector_float(const Insn *i, const Vec128Lanes *a, const Vec128Lanes *b,
                         const Vec128Lanes *c, Vec128Lanes *out);
static inline uint64_t interp_lane(const Vec128Lanes *v, unsigned bytes, unsigned n)
{
    switch (bytes) {
    case 1: return v->b[n];
    case 2: return v->w[n];
    case 4: return v->l[n];
    default: return v->q[n];
    }
}
static inline void interp_set_lane(Vec128Lanes *v, unsigned bytes, unsigned n, uint64_t x)
{
    switch (bytes) {
    case 1: v->b[n] = (uint8_t)x; break;
    case 2: v->w[n] = (uint16_t)x; break;
    case 4: v->l[n] = (uint32_t)x; break;
    default: v->q[n] = x; break;
    }
}
static inline unsigned interp_lane_bytes(uint8_t lane)
{
    static const uint8_t bytes[] = {1, 2, 4, 8, 4, 8};

    return bytes[lane];
}

#endif
