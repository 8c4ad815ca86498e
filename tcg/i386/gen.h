// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The x86-64 code generator's own state and what its files share. Generated code keeps the guest
 * CPU struct (plus CpuArch.env_offset) in rbp and its frame at rsp; everything else is the
 * allocator's. An op is a row of the table in emit-table.c: a function and the instruction form
 * it uses.
 */
#ifndef TCG_I386_GEN_H
#define TCG_I386_GEN_H

#include "tcg/i386/asm.h"
#include "tcg/native.h"

enum {
    FRAME_SAVE = 640,                   /* registers that a slow path saves: 16 * 8 + 16 * 32 bytes */
    FRAME_MAX = 16384,                  /* end of spill slots; room for two values behind it */
    FRAME_CALL = FRAME_MAX + 64,        /* operands (32 bytes each) and result of gen_fallback() */
    FRAME_SIZE = FRAME_CALL + 160 + 8,  /* with the pushes of the entry stub: a multiple of 16 */
    ROOM_PER_OP = 4096,                 /* bytes of code that no op exceeds */
};
enum { XMM = RA_VEC };                  /* allocator's number of xmm0 */
#define GPR_ALL 0xffcfu                 /* without rsp and rbp */
#define XMM_ALL (0xffffull << XMM)

/* What the host's x87 has of the guest's; see emit-x87.c. */
typedef struct X87Cache {
    uint8_t n, reg[8];                  /* from the bottom up: the guest's registers */
    uint8_t dirty;                      /* registers that are not home */
    bool flags;                         /* exception flags may be new */
    uint8_t c1;
} X87Cache;

/* The cold path of a memory access: laid out behind the function's code. */
typedef struct Stub {
    uint8_t *jump[2];                   /* rel32 fields that lead here; NULL: none */
    uint8_t *back;                      /* where the hot path goes on */
    const IrOp *op;
    uint32_t insn;
    int8_t va, value, expect, dst;      /* registers; value: or -1 and value_bits */
    int8_t entry;                       /* of an access that shares its check: the page's addend; else -1 */
    int8_t tmp;                         /* with entry: a free register, or -1 */
    int8_t stream;                      /* -1: none; see streams.c */
    uint8_t *resume;                    /* with stream: where its addend is there */
    int8_t base;                        /* of a table that may lie in two pages; else -1 */
    int32_t first, last;
    bool value_const;
    uint64_t value_bits;
    RegSet live;                        /* registers to keep */
    RegSet clear;                       /* registers with addends of pages: cleared */
    uint32_t first_var, num_vars;       /* in Gen.stub_vars */
    X87Cache x87;
} Stub;

typedef struct Fixup { uint8_t *at; uint32_t block; } Fixup;

/* A chained exit's jump, whose way out lies in the cold part. */
typedef struct ChainExit { uint8_t *jump; uint32_t slot; } ChainExit;

/* A look-up in the jump cache, which missed: rax has the entry; the pc is in rsi, or const_pc. */
typedef struct LookupMiss {
    IrWay way;
    uint8_t *jump[2];
    bool is_const;
    uint64_t const_pc;
} LookupMiss;

/*
 * An exit_lookup that found no target: the pc is in rsi; then variables go home and the jump cache
 * is asked.
 */
typedef struct TargetMiss {
    uint8_t *jump[2];
    uint8_t *table;                     /* displacement of the table's address */
    uint32_t first_var, num_vars;       /* in Gen.stub_vars */
    IrWay way;
} TargetMiss;

/* Accesses that share a TLB check; see pages.c. */
typedef struct PageGroup {
    uint32_t base;                      /* value */
    uint8_t mmu;
    bool read, write;                   /* what is checked for: all that the group does */
    bool indexed;                       /* base and something more: the base is checked */
    int64_t known;                      /* then, without base: what the base is */
    int64_t lo, hi;                     /* range of offsets, hi is behind it */
    uint32_t last;                      /* position of the last access */
    uint32_t val;                       /* the allocator's value for the page's addend; 0: slow path ran */
} PageGroup;
/* What a stream's accesses want of its page, of those that are emitted so far. */
typedef struct StreamUse {
    bool read, write;
    int32_t span;                       /* at most so many bytes from an access's first to its last */
} StreamUse;
/* An access that goes by a stream: bytes first to last from va on; see streams.c. */
typedef struct StreamAccess {
    int stream, va, entry, tmp;         /* registers; entry becomes the addend */
    int32_t first, last;
    bool read, write;
} StreamAccess;
enum { MAX_GROUPS = 24, NO_GROUP = 0xffff };

/* Slow paths, by a stub that supplies the Cpu and the return address. */
enum { SLOW_LOAD, SLOW_STORE, SLOW_LOAD128, SLOW_STORE128, SLOW_ATOMIC, SLOWS };
/*
 * Integer accesses, the most frequent ones: arguments are pushed (MEM_OI, a store's value, address)
 * and all registers stay but rax of a load.
 */
enum { SHORT_LOAD, SHORT_STORE, SHORTS };
enum { EXITS = IR_EXIT_CHAIN0 + IR_CHAINS };

typedef struct Gen {
    Asm a;
    Ra ra;
    HostFeatures host;
    unsigned level;                     /* 0: all that the host has; else see host_features_limit */
    const CpuArch *arch;
    int32_t bias;                       /* arch->env_offset */
    uint32_t halves_at, halves_size;    /* homes whose upper halves lie elsewhere */
    uint32_t high_gap;                  /* from a 256-bit register's low half to the high one */
    uint8_t *enter, *leave, *look;      /* common stubs */
    uint8_t *give_up;                   /* leaves with IR_EXIT_LOOKUP, no block */
    uint8_t *attend;                    /* the same with IR_EXIT_LOOP */
    /* rsi: the pc that missed, rcx: the block that looked for it */
    uint8_t *lookup[WAY_RETURN + 1];
    /* rax, rsi, edx, rcx: an entry that missed, the pc, its context's upper half, the block */
    uint8_t *lookup_other[WAY_RETURN + 1];
    uint8_t *exits[EXITS];              /* by IR_EXIT_*: called, the block's address follows the call */
    uint8_t *slow[SLOWS], *slow_short[SHORTS];
    /* the first tier's: of accesses by [store][aligned][mmu index][log2 of size] */
    uint8_t *first_mem[2][2][MMU_MODES][4], *first_lookup[WAY_RETURN + 1], *first_exit;
    /* the function at hand */
    CodeBuffer *buffer;
    CodeBlock *cb;
    IrFunc *f;
    uint8_t *start, *end;               /* end: of the part that is being written */
    uint8_t *hot_end;                   /* NULL: still in the hot part */
    uint8_t *cold;                      /* till then: end of what is in the cold part already */
    uint32_t insn;                      /* index of the guest instruction at hand */
    uint8_t **block_at;                 /* by block id; NULL: not yet */
    bool uses_ymm;
    const IrOp *compared;               /* env_load that the next op, a branch, compares in memory; NULL: none */
    X87Cache x87;
    uint32_t first_page_val;            /* allocator's values of page addends, MAX_GROUPS of them */
    GArray *fixups, *stubs, *stub_vars, *side, *insns, *groups, *group_at, *chains, *chain_exits, *misses, *target_misses, *ways_in;
    StreamUse streams[TLB_SET_STREAMS];
    unsigned num_streams;
    uint32_t stream_owner;              /* this function's number; UINT32_MAX: no more streams */
    uint8_t *stream_at;                 /* by op: its stream, plus 1; NULL: there are none */
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

/* ---- operands ---- */
typedef struct Opnd {
    enum { OPND_REG, OPND_IMM, OPND_MEM } kind;
    int reg;
    int32_t imm;
    Mem mem;
} Opnd;
enum { OPND_ALLOW_IMM = 1, OPND_ALLOW_MEM = 2, OPND_ANY = 3 };
/* The value as an operand; in a register if nothing else is allowed or possible. */
Opnd gen_opnd(Gen *g, uint32_t v, unsigned allow);
static inline RegSet opnd_regs(const Opnd *p)
{
    return p->kind == OPND_REG ? REG_BIT(p->reg) : 0;
}
void gen_alu(Gen *g, uint32_t w, unsigned op, int dst, const Opnd *b);
/* form dst, operand (register or memory). */
void gen_rm(Gen *g, uint32_t form, int dst, const Opnd *b);
Mem gen_place(const Gen *g, RaPlace p);
Mem gen_env(const Gen *g, uint32_t offset);
static inline int xmm(int reg)
{
    return reg - XMM;
}
static inline uint32_t wide(IrType t)
{
    return t == IR_I64 ? X_W : 0;
}
/* a COND b into the flags; the host's condition. */
HostCond gen_compare(Gen *g, IrType t, IrCond cond, uint32_t a, uint32_t b);
/* Zero- or sign-extends the low `size_log2` bytes of src into dst. */
void gen_extend(Gen *g, IrType t, unsigned size_log2, bool sign, int dst, int src);

/* ---- calls ---- */
/* Calls a C function that touches nothing but its arguments (op's args in order); result: op's. */
void gen_libcall(Gen *g, const IrOp *o, void *fn);
/* The same for any op without effects, by the interpreter's function for it. */
void gen_fallback(Gen *g, const IrOp *o);
void gen_side_point(Gen *g);
/* op's result: bits C, P and Z of the flags that `mask` has. RAX has been taken. */
void gen_flags(Gen *g, const IrOp *o, int32_t mask);
/* Before code that uses legacy SSE forms, if upper halves may be in use. */
void gen_clean_ymm(Gen *g);
/*
 * x87: an op of a helper with HELPER_X87; all goes home; whether it must before o; around the call
 * of a cold path.
 */
void emit_x87(Gen *g, const IrOp *o);
void gen_x87_flush(Gen *g);
bool gen_x87_flush_before(const Gen *g, const IrOp *o);
void gen_x87_stub_save(Gen *g, const X87Cache *x);
void gen_x87_stub_restore(Gen *g, const X87Cache *x);
/* A helper with HELPER_INSN by the host's instruction. False: the host has none. */
bool gen_host_insn(Gen *g, const IrOp *o);
/* lea rdi, Cpu */
void gen_cpu_arg(Gen *g);

/* ---- files' interfaces ---- */
void gen_init(Gen *g, const CpuArch *arch);
void gen_stubs(Gen *g);                 /* emit-mem.c: the cold paths */
void gen_write_home(Gen *g, const StubVar *v);
void gen_guard_stub(Gen *g, const Stub *s);     /* emit-guard.c */
/* A slow path saves, or takes back, the registers of a set. */
void gen_keep_registers(Gen *g, RegSet live, bool restore);
void gen_chain_exits(Gen *g);           /* emit-ctl.c: these two as well */
void gen_lookup_misses(Gen *g);
/* rsi: the pc; all is home. */
void gen_jump_cache(Gen *g, IrWay way);
/*
 * emit-targets.c: an exit_lookup of a function with targets; what it needs behind the code, and the
 * table.
 */
void gen_targets_begin(Gen *g);
void gen_to_target(Gen *g, const IrOp *o);
void gen_target_misses(Gen *g);
void gen_ways_in(Gen *g);
void gen_note_page(Gen *g);               /* blocks for anywhere: after a look-up */
void gen_target_table(Gen *g);
size_t gen_target_table_size(const Gen *g);
static inline bool gen_has_room(const Gen *g)
{
    return g->end - g->a.p >= ROOM_PER_OP;
}
void gen_common_stubs(Gen *g);          /* emit-ctl.c */
/* first.c: CodeEngine.generate_first and first_has; first-ops.c: its stubs, behind the others. */
CodeFirst gen_first(Gen *g, CodeBuffer *c, IrFunc *f, CodeBlock *cb, int32_t *trips);
bool gen_first_has(IrOpcode opcode);
/* direct.c: CodeEngine.generate_direct */
CodeFirst gen_direct(Gen *g, CodeBuffer *c, Cpu *cpu, const BlockKey *key, CodeBlock *cb,
                     unsigned max_insns, int32_t *trips);
void gen_first_stubs(Gen *g);
void gen_exit(Gen *g, unsigned reason);
void gen_pages_begin(Gen *g);           /* pages.c: finds the block's groups */
/* The group of the access at hand and the access's offset, or NULL. */
PageGroup *gen_page_group(Gen *g, const IrOp *o, int64_t *offset);
/* The address is a table's that is looked up by its base. */
bool gen_is_table(const IrFunc *f, uint32_t address);
/* streams.c: finds the function's; at each way into it; the access's one or -1. */
void gen_streams_begin(Gen *g);
void gen_streams_enter(Gen *g);
int gen_stream_of(const Gen *g, const IrOp *o);
/* The check; returns the jump of a miss, for which the other one makes the cold path. */
uint8_t *gen_stream_check(Gen *g, const StreamAccess *x);
void gen_stream_refill(Gen *g, const StreamAccess *x, uint32_t table, uint8_t *resume);
/* entry = offset of the entry for va + first in a table of the TLB. */
void gen_tlb_entry(Gen *g, int entry, int va, int32_t first);
RegSet gen_page_regs(const Gen *g);     /* that hold addends now */
extern const RaHost gen_ra_host;
void gen_disassemble(const uint8_t *p, size_t size, GString *out);

/* ---- op functions (rows of emit-table.c) ---- */
typedef void Emit(Gen *g, const IrOp *o);
Emit emit_get, emit_set, emit_discard, emit_insn, emit_env_load, emit_env_store, emit_env_ptr;
Emit emit_add_shl;
Emit emit_div_any;
Emit emit_alu, emit_mul, emit_mulh, emit_div, emit_andc, emit_neg, emit_shift, emit_clz, emit_ctz;
Emit emit_popcnt, emit_bswap, emit_bswap16, emit_ext, emit_trunc, emit_zextq, emit_concat;
Emit emit_extract, emit_deposit, emit_funnel, emit_setcond, emit_select, emit_pdep, emit_crc32c;
Emit emit_load, emit_store, emit_xchg, emit_fetch_op, emit_cmpxchg, emit_fence;
Emit emit_call, emit_br, emit_brcond, emit_exit_chain, emit_exit_lookup, emit_exit;
Emit emit_f2, emit_f1, emit_fma, emit_fcmp, emit_fcvt, emit_i_f, emit_f_i, emit_fround, emit_f_bits;
Emit emit_f_from_bits, emit_fcmp_mask, emit_fguard, emit_v_fma;
Emit emit_s2, emit_s_fma, emit_s_mask, emit_s_round, emit_s_merge, emit_s_from_i, emit_s_to_i,
    emit_s_fcmp;
Emit emit_v_zero, emit_v2, emit_v1, emit_v_shift_i, emit_v_bytes, emit_v1_imm, emit_v2_imm;
Emit emit_v_blendv, emit_v_movmask, emit_v_test, emit_v_extract, emit_v_insert, emit_v_from_i;
Emit emit_v_concat, emit_v_low, emit_v_high;
Emit emit_v_low64, emit_v_splat, emit_v_ext, emit_v_getf, emit_v_setf, emit_v_cvt;

#endif
