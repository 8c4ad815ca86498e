// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The AArch64 code generator's own state and what its files share. Generated code keeps the guest
 * CPU struct (plus Gen.bias) in x28 and its frame at sp; x16, x17, x30, v30 and v31 are scratch of
 * single operations, x18 is the platform's, everything else is the allocator's. A function lies in
 * one piece, its cold paths behind its code, so that conditional branches reach them. An op is a
 * row of the table in emit-table.c: a function and the instruction form it uses.
 */
#ifndef TCG_AARCH64_GEN_H
#define TCG_AARCH64_GEN_H

#include "tcg/aarch64/asm.h"
#include "tcg/interp/interp.h"
#include "tcg/native.h"

enum {
    FRAME_SAVE = 768, /* registers that a cold path saves: 32 * 8 + 32 * 16 bytes */
    FRAME_MAX = 16384, /* end of spill slots */
    FRAME_CALL = FRAME_MAX + 64, /* operands and result of gen_fallback() */
    FRAME_SIZE = FRAME_CALL + ONE_FRAME,
    ROOM_PER_OP = 4096, /* bytes of code that no op exceeds */
    FUNCTION_MAX = 900 * 1024, /* what conditional branches reach */
};
enum {
    VEC = RA_VEC,
    V_TMP = 30,
    V_TMP2 = 31
};
#define GPR_ALL 0x0ff8ffffull /* x0..x15, x19..x27 */
#define VEC_ALL (0x3fffffffull << VEC)
G_STATIC_ASSERT(FRAME_SIZE % 16 == 0);

/* The cold path of a memory access or float operation: laid out behind the function's code. */
typedef struct Stub {
    uint8_t *jump[2]; /* branches that lead here; NULL: none */
    uint8_t *back; /* where the hot path goes on */
    const IrOp *op;
    uint32_t insn;
    int8_t args[4], dst; /* registers; -1: none */
    RegSet live; /* registers to keep */
    uint32_t first_var, num_vars; /* in Gen.stub_vars */
} Stub;

typedef struct Fixup {
    uint8_t *at;
    uint32_t block;
} Fixup;
typedef struct ChainExit {
    uint8_t *jump;
    uint32_t slot;
} ChainExit;
/* A look-up in the jump cache, which missed: the pc is in x1. */
typedef struct LookupMiss {
    IrWay way;
    uint8_t *jump[2];
} LookupMiss;
/* An exit_lookup that found no target: the pc is in x17; then variables go home. */
typedef struct TargetMiss {
    uint8_t *jump[2], *table; /* table: an ADR */
    uint32_t first_var, num_vars; /* in Gen.stub_vars */
    IrWay way;
} TargetMiss;

typedef struct Gen {
    Asm a;
    Ra ra;
    const CpuArch *arch;
    int64_t bias; /* x28 is this far behind the Cpu's start */
    bool ordered; /* guest accesses are as on x86: no order but store-load is lost */
    uint8_t *enter, *leave, *look, *give_up, *attend; /* common stubs */
    uint8_t *lookup[WAY_RETURN + 1]; /* x1: the pc that missed, x3: the block that looked */
    /* the function at hand */
    CodeBuffer *buffer;
    CodeBlock *cb;
    IrFunc *f;
    uint8_t *start, *end;
    uint32_t insn; /* index of the guest instruction at hand */
    int operand[4]; /* registers, as gen_def_apart left them */
    uint8_t **block_at; /* by block id; NULL: not yet */
    GArray *fixups, *stubs, *stub_vars, *side, *insns, *chains, *chain_exits, *misses,
        *target_misses, *ways_in;
    TargetIndex targets; /* of the table of targets */
} Gen;

typedef struct EmitRow {
    void (*emit)(Gen *g, const IrOp *o);
    uint32_t form, aux;
} EmitRow;
extern const EmitRow emit_rows[OP_COUNT];
static inline const EmitRow *row_of(const IrOp *o)
{
    return &emit_rows[o->opcode];
}
static inline int vec(int reg)
{
    return reg - VEC;
}
static inline uint32_t wide(IrType t)
{
    return t == IR_I64 ? W64 : 0;
}
static inline bool gen_has_room(const Gen *g)
{
    return g->end - g->a.p >= ROOM_PER_OP && g->a.p - g->start < FUNCTION_MAX;
}

/* ---- operands ---- */
/* A field of the CPU struct, by its offset from the Cpu's start. */
void gen_env(Gen *g, uint32_t form, int rt, uint32_t offset);
/* rd = env + offset (from the Cpu's start) */
void gen_env_addr(Gen *g, int rd, int64_t offset);
/* a COND b into the flags; the host's condition. */
HostCond gen_compare(Gen *g, IrType t, IrCond cond, uint32_t a, uint32_t b);
/* Zero- or sign-extends the low `size_log2` bytes of src into dst. */
void gen_extend(Gen *g, IrType t, unsigned size_log2, bool sign, int dst, int src);
/* The result's register: none of the operands', which are in Gen.operand. */
int gen_def_apart(Gen *g, const IrOp *o);
/* The result's register after the operands'. */
static inline int gen_def(Gen *g, const IrOp *o)
{
    ra_release(&g->ra);
    return ra_def(&g->ra, o->dst, 0, -1);
}
static inline int gen_use(Gen *g, const IrOp *o, unsigned n)
{
    return ra_use(&g->ra, o->args[n], 0);
}

/* ---- calls ---- */
/* Any op without effects, by the interpreter's function for it. */
void gen_fallback(Gen *g, const IrOp *o);
/* The same in a cold path, to which the jumps lead (NULL: none), behind gen_def_apart. */
void gen_cold_fallback(Gen *g, const IrOp *o, int dst, uint8_t *jump, uint8_t *jump2);
void gen_fallback_stub(Gen *g, const Stub *s);
void gen_side_point(Gen *g);
void gen_cpu_arg(Gen *g);
/* A cold path saves, or takes back, the registers of a set. */
void gen_keep_registers(Gen *g, RegSet live, bool restore);

/* ---- files' interfaces ---- */
void gen_stubs(Gen *g); /* emit-mem.c: the cold paths */
void gen_write_home(Gen *g, const StubVar *v);
void gen_guard_stub(Gen *g, const Stub *s);
void gen_chain_exits(Gen *g);
void gen_lookup_misses(Gen *g);
void gen_jump_cache(Gen *g, IrWay way); /* x1: the pc; all is home */
void gen_targets_begin(Gen *g);
void gen_target_misses(Gen *g);
void gen_ways_in(Gen *g);
void gen_target_table(Gen *g);
void gen_note_page(Gen *g);
void gen_common_stubs(Gen *g);
void gen_exit(Gen *g, unsigned reason);
extern const RaHost gen_ra_host;

/* ---- op functions (rows of emit-table.c) ---- */
typedef void Emit(Gen *g, const IrOp *o);
Emit emit_get, emit_set, emit_discard, emit_insn, emit_env_load, emit_env_store, emit_env_ptr;
Emit emit_add, emit_add_shl, emit_mul, emit_mulh, emit_div, emit_logic, emit_neg, emit_shift,
    emit_rotl, emit_clz, emit_ctz;
Emit emit_popcnt, emit_bswap, emit_bswap16, emit_ext, emit_trunc, emit_zextq, emit_concat;
Emit emit_extract, emit_deposit, emit_funnel, emit_setcond, emit_select;
Emit emit_load, emit_store, emit_atomic, emit_fence;
Emit emit_call, emit_br, emit_brcond, emit_exit_chain, emit_exit_lookup, emit_exit;
Emit emit_f2, emit_fsqrt, emit_fma, emit_fminmax, emit_fcmp, emit_fcvt, emit_i_f, emit_f_i,
    emit_fguard, emit_bits;
Emit emit_fround, emit_s2, emit_s_fma, emit_s_cvt, emit_s_from_i, emit_s_merge, emit_v_fminmax,
    emit_v_fcmp;
Emit emit_v_zero, emit_v2, emit_v_lane2, emit_v_lane1, emit_v_andn, emit_v_shift_i, emit_v_bytes,
    emit_v_align, emit_v_shuf;
Emit emit_v_shufb, emit_v_pack, emit_v_blendv, emit_v_movmask, emit_v_test, emit_v_extract,
    emit_v_insert, emit_v_from_i;
Emit emit_v_low64, emit_v_splat, emit_v_bcast, emit_v_ext, emit_v_getf, emit_v_setf, emit_v_f2,
    emit_v_fma;
Emit emit_v_mul_even, emit_v_madd16, emit_v_i32_f32;

#endif
