// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From IR to something that runs: the passes, the host back ends and the interpreter behind
 * one interface, and what accel/tcg needs to know of generated code.
 */
#ifndef TCG_CODEGEN_H
#define TCG_CODEGEN_H

#include "tcg/ir.h"

/* A place in generated code that may fault: host return address or pc -> guest instruction. */
/* ascending host_offset */
typedef struct SidePoint { uint32_t host_offset; uint32_t insn; } SidePoint;
typedef struct InsnPoint { uint64_t pc; uint64_t meta; } InsnPoint;

/*
 * A direct exit: a jump that is patched to go to another block. from, to and next are accel/tcg's:
 * blocks and slots by number, 0: none.
 */
typedef struct ChainSlot {
    uint32_t site;                  /* offset of the patchable jump; 0: none */
    uint32_t reset;                 /* where the jump goes while it is not chained */
    int32_t pc;                     /* that exit_chain named, from the block's own; see chain_pc() */
    uint32_t from, to;
    uint32_t next;                  /* the next one that leads to `to` */
} ChainSlot;

/*
 * What the code generator makes of an IrFunc. Most blocks run a few times, so this is small: tables
 * lie in the code buffer, above the code, and are named by their distance from it.
 */
typedef struct GeneratedCode {
    const void *entry;
    ChainSlot *chains;              /* by slot */
    uint32_t size;                  /* bytes of code there */
    uint32_t cold_size;             /* and of what is rarely run, at cold; offsets count from entry in both */
    uint32_t cold;                  /* where that is, from entry; 0: the engine keeps all in one place */
    uint32_t tables;                /* from entry: see code_side() and those behind it */
    uint32_t num_side;
    uint16_t num_insns, num_ways_in;
    uint16_t chained;               /* where chained jumps enter: offset from entry */
    uint8_t num_chains;
    bool packed;                    /* first tier: side and insns in one table, see points.c */
} GeneratedCode;

static inline const uint8_t *code_cold(const GeneratedCode *c)
{
    return (const uint8_t *)c->entry + c->cold;
}
/* First tier: points where state may be recovered and guest instructions. */
static inline const uint8_t *code_points(const GeneratedCode *c)
{
    return (const uint8_t *)c->entry + c->tables;
}
/* Points where state may be recovered. */
static inline const SidePoint *code_side(const GeneratedCode *c)
{
    return (const SidePoint *)(const void *)code_points(c);
}
/* Guest instructions of the block in order. */
static inline const InsnPoint *code_insns(const GeneratedCode *c)
{
    return (const InsnPoint *)(const void *)(code_side(c) + c->num_side);
}

/* The guest instruction at a place where state may be recovered: its index; false: none. */
bool code_find_insn(const CodeBlock *cb, uint32_t host_offset, uint32_t *insn);
InsnPoint code_insn(const CodeBlock *cb, uint32_t insn);

/*
 * An entry for a target of the function, for those who come by exit_lookup: all is home, pc
 * included.
 */
typedef struct WayIn { uint64_t pc; const void *entry; } WayIn;
static inline const WayIn *code_ways_in(const GeneratedCode *c)
{
    return (const WayIn *)(const void *)(code_insns(c) + c->num_insns);
}

/*
 * A translated block. Made under the translator's lock, then read without one. The generator
 * embeds its address in the exits. Owned by accel/tcg, which names blocks and chain slots by number
 * (0: none); lives until its code buffer is flushed.
 */
#define NO_CODE_PAGE UINT32_MAX
struct CodeBlock {
    /* What a look-up reads: the first cache line. */
    BlockKey key;
    uint32_t page[2];               /* code pages it was made from, by number; NO_CODE_PAGE: none */
    _Atomic uint32_t hash_next;
    uint8_t ways;                   /* a bit for each IrWay in which code of the same page has jumped here */
    bool no_region;                 /* one was made from here, or is not wanted */
    /* Works in any virtual page: all addresses in it are as if key.pc were where it runs. See block_moved(). */
    bool anywhere;
    _Atomic bool valid;             /* cleared by invalidation */
    /* Where exit_lookup enters: NULL: code.entry; a region that has this place among its targets; code that counts. */
    _Atomic(const void *) lookup_entry;
    GeneratedCode code;             /* its entry is the last of the line */
    uint16_t bytes;                 /* of the guest's; regions: see cover */
    uint8_t insns;                  /* at most 255 are counted */
    bool counted;                   /* lookup_entry counts */
    int32_t heat;                   /* branches back that may yet lead here before a region is made */
    int32_t trips;                  /* first tier: entries before it is made anew */
    uint32_t incoming;              /* slot that chains to me */
    uint32_t page_next[2];
    uint32_t cover;                 /* regions: see block_cover() */
    uint32_t buffer_end;            /* what of the code buffer was in use when it was finished */
} __attribute__((aligned(64)));
G_STATIC_ASSERT(sizeof(CodeBlock) == 128);

/* Where slot's exit_chain goes. */
static inline uint64_t chain_pc(const CodeBlock *cb, unsigned slot)
{
    return cb->key.pc + (uint64_t)(int64_t)cb->code.chains[slot].pc;
}

/*
 * Regions: a bit for each 8 bytes of page[0] that they were made from. NULL: [key.pc, key.pc +
 * bytes).
 */
static inline const uint64_t *block_cover(const CodeBlock *cb)
{
    return cb->cover ? (const uint64_t *)(const void *)((const uint8_t *)cb->code.entry + cb->cover)
                     : NULL;
}

/* What to add to addresses that the block (and its tables) names, while it runs. */
static inline uint64_t block_moved(const Cpu *cpu, const CodeBlock *cb)
{
    return cb->anywhere ? cpu->code_page - (cb->key.pc & ~(uint64_t)0xfff) : 0;
}

/*
 * Jump cache, one per vCPU, read by generated code for exit_lookup: the entry of the pc's low bits;
 * a hit when pc and mode (key.base, key.mode, key.flags folded by accel/tcg into `context`) match
 * those compiled into the exit.
 */
#define JUMP_CACHE_BITS 16
typedef struct JumpCacheEntry {
    uint64_t pc;
    uint64_t context;
    const void *entry;
    CodeBlock *block;
} JumpCacheEntry;
struct BlockCache { JumpCacheEntry e[1 << JUMP_CACHE_BITS]; };
static inline unsigned jump_cache_index(uint64_t pc)
{
    return (unsigned)(pc & ((1u << JUMP_CACHE_BITS) - 1));
}
/* Where an entry goes when another one wants its place. */
static inline unsigned jump_cache_other(unsigned index)
{
    return index ^ 1;
}
/*
 * base, mode and flags of a key in 64 bits; equal keys give equal contexts, and the TLB's flush
 * keeps entries whose pages changed out of the cache.
 */
uint64_t block_context(const BlockKey *key);
/* The upper 32 bits alone tell contexts apart where base is 0. */

/*
 * The code buffer: one mapping, bump-allocated; flushed as a whole when full. An engine may give
 * its upper part to slow paths, exits and tables, so that what runs lies close together
 * (code_buffer_split). Blocks and chain slots lie at its end, in reach of code
 * (code_buffer_reserve).
 */
typedef struct CodeBuffer {
    uint8_t *base, *ptr, *end;
    uint8_t *cold, *cold_end;       /* NULL: not split */
    ChainSlot *slots, *slots_end;   /* NULL: slots lie among the tables */
    size_t size;
    /* One vCPU runs what is in it: its atomics need not be the host's (barriers still are). Set before init. */
    bool alone;
} CodeBuffer;
bool code_buffer_init(CodeBuffer *c, size_t size, GError **error);
/* cold_size of what is left for cold code and tables. */
void code_buffer_split(CodeBuffer *c, size_t cold_size);
/* Bytes for a table, aligned to 8. NULL: full. */
void *code_buffer_table(CodeBuffer *c, size_t size);
/*
 * size bytes, aligned to 64, are taken from its end for good. Before the engine's init; NULL: there
 * is not so much.
 */
void *code_buffer_reserve(CodeBuffer *c, size_t size);
/* Room for the chain slots of a block, cleared. NULL: full. */
ChainSlot *code_buffer_slots(CodeBuffer *c, uint32_t n);
/* How far it is filled; and back to there. */
typedef struct CodeMark { uint8_t *ptr, *cold; ChainSlot *slots; } CodeMark;
static inline CodeMark code_buffer_mark(const CodeBuffer *c)
{
    return (CodeMark){c->ptr, c->cold, c->slots};
}
static inline void code_buffer_release(CodeBuffer *c, CodeMark to)
{
    c->ptr = to.ptr;
    c->cold = to.cold;
    c->slots = to.slots;
}
void code_buffer_fini(CodeBuffer *c);

/* generate_first: what became of the function. UNFIT: nothing, and generate may have it. */
typedef enum CodeFirst { FIRST_DONE, FIRST_FULL, FIRST_UNFIT } CodeFirst;

/* An engine. */
typedef struct CodeEngine {
    const char *name;                               /* "x86-64", "interp" */
    /* Writes common stubs (entry, exit, slow paths) at the start of the buffer. */
    bool (*init)(CodeBuffer *c, const CpuArch *arch, GError **error);
    /* After init: 256 bits at once are no slower than two halves. NULL: they are. */
    bool (*has_v256)(void);
    /*
     * Generates code for f into c for block cb (whose key is set); fills cb->code, insns and bytes
     * (from ir_set_extent). False: the buffer is full.
     * f is consumed. opt: run the passes (else only what correctness needs).
     */
    bool (*generate)(CodeBuffer *c, IrFunc *f, CodeBlock *cb, bool opt);
    /*
     * The same for code that has not run yet: fast, in one walk, no passes. trips (in reach of c; or NULL):
     * each entry takes 1 from it and leaves with IR_EXIT_ENTRY once it is below 0. NULL: the engine has but one way.
     */
    CodeFirst (*generate_first)(CodeBuffer *c, IrFunc *f, CodeBlock *cb, int32_t *trips);
    /*
     * The same without IR: cpu->arch->translate_direct is called. UNFIT: the target has no such way for what
     * is at key, whose flags are 0 but for KEY_ANYWHERE. NULL: the engine has none.
     */
    CodeFirst (*generate_direct)(CodeBuffer *c, Cpu *cpu, const BlockKey *key, CodeBlock *cb, unsigned max_insns,
                                 int32_t *trips);
    /* Functions of such ops are fit for it, but for types and rare attributes. */
    bool (*first_has)(IrOpcode opcode);
    /*
     * Runs from cb until an exit; returns the block that exited in *last and IR_EXIT_*.
     * Leaves by siglongjmp(cpu->jump) when a helper raises. Guest state by reason:
     *   LOOP, LOOKUP    complete. *last is NULL when tcg_lookup or tcg_look asked to leave.
     *   CHAIN0 + slot   all but the pc, which need not be home (chained jumps do not store it). The
     *                   next block has *last's key but for pc = chain_pc(*last, slot); to leave for
     *                   anything else the caller first calls arch->restore(cpu, &next_key,
     *                   next_key.pc, IR_META_ENTRY).
     *   ENTRY           nothing of *last has run: cpu->attention was set on its entry, which
     *                   generated code polls once per function. Again all but the pc:
     *                   arch->restore(cpu, &last->key, last->key.pc, IR_META_ENTRY).
     */
    unsigned (*run)(Cpu *cpu, CodeBlock *cb, CodeBlock **last);
    /*
     * Makes from's slot jump to `to`, or back to its exit (to == NULL). Safe while others run it.
     */
    void (*chain)(CodeBlock *from, unsigned slot, CodeBlock *to);
    /*
     * The same with a count: each jump takes 1 from to->heat, and takes the exit once that is below 0. Makes
     * code in c. False: no room. NULL: the engine cannot.
     */
    bool (*chain_counted)(CodeBuffer *c, CodeBlock *from, unsigned slot, CodeBlock *to);
    /*
     * Code for exit_lookup to enter `to` by: it takes 1 from to->heat, and leaves with IR_EXIT_LOOKUP and no last block once
     * that is below 0. NULL: no room.
     */
    const void *(*count_entry)(CodeBuffer *c, CodeBlock *to);
    /* Disassembly of generated code for -d out_asm; may print bytes only. */
    void (*dump)(const CodeBlock *cb, GString *out);
    /*
     * The block and instruction (index into code_insns()) that host_pc belongs to; false: none.
     * NULL: accel/tcg finds the block by address and its side table says the rest. The interpreter
     * answers from cpu->running and running_insn for any host_pc but 0.
     */
    bool (*locate)(Cpu *cpu, uintptr_t host_pc, CodeBlock **cb, uint32_t *insn);
} CodeEngine;
extern const CodeEngine engine_interp;
/* The host's back end, or NULL on a host without one (link-time by folder tcg/<host>). */
const CodeEngine *engine_native(void);
/*
 * For tests, before init: the back end uses no more of the host than an older one has; level 0 is
 * the oldest.
 * False: there is no such level (any more), all of the host is used again.
 */
bool engine_native_limit(unsigned level);

/* Names generated code for the host's perf in /tmp/perf-PID.map; call before code is generated. */
bool perf_map_open(GError **error);
/*
 * Writes all generated code to jit-PID.dump in the current folder, for perf inject --jit; likewise.
 */
bool jit_dump_open(GError **error);
/*
 * For engines: `size` bytes of code from `start` on are `what`-pc. Nothing unless one of these is
 * open.
 */
void perf_map_add(const void *start, size_t size, const char *what, uint64_t pc);

/*
 * The passes in order, listed in one function (tcg/passes.c). Verified in between in debug builds.
 */
void ir_optimize(IrFunc *f);

/*
 * Slow paths that generated code and the interpreter call (accel/tcg). env is the Cpu, host_pc the
 * return address in generated code; `oi` packs MemOp | mmu_idx << 8. Variables are home by then.
 */
#define MEM_OI(op, mmu) ((uint32_t)(op) | (uint32_t)(mmu) << 8)
uint64_t tcg_load_slow(Cpu *cpu, uint64_t va, uint32_t oi, uintptr_t host_pc);
void tcg_store_slow(Cpu *cpu, uint64_t va, uint64_t value, uint32_t oi, uintptr_t host_pc);
Vec128 tcg_load128_slow(Cpu *cpu, uint64_t va, uint32_t oi, uintptr_t host_pc);
void tcg_store128_slow(Cpu *cpu, uint64_t va, Vec128 value, uint32_t oi, uintptr_t host_pc);
/* kind: IrAtomic, or TCG_CMPXCHG with `expect`. The old value. */
enum { TCG_CMPXCHG = 8 };
uint64_t tcg_atomic(Cpu *cpu, uint64_t va, uint64_t value, uint64_t expect, uint32_t kind_oi,
                    uintptr_t host_pc);
#define MEM_KIND_OI(kind, op, mmu) (MEM_OI(op, mmu) | (uint32_t)(kind) << 16)
/*
 * exit_lookup missed the jump cache: the `entry` to go on with, or NULL to leave with
 * IR_EXIT_LOOKUP and no last block. Guest state is complete, pc included (front ends set it before
 * exit_lookup). way: the IrWay in which `from` got here; from is not looked at for WAY_ANY.
 */
const void *tcg_lookup(Cpu *cpu, uint64_t pc, unsigned way, CodeBlock *from);
/* exit LOOP: the same, unless there is something to look at. */
const void *tcg_look(Cpu *cpu);

#endif
