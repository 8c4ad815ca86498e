// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the files of accel/tcg share: the translator's state, what it keeps for each vCPU, code
 * pages, and who may touch what.
 *
 * Locks, in order:
 *   translate_lock   one translation at a time: builder, code buffer, array of blocks. Its holder
 *                    may take the machine lock (page tables or code in device memory).
 *   blocks_lock      hash chains (readers take none), code pages, chaining, list of vCPUs. Leaf.
 * The holder of the machine lock may take blocks_lock, never translate_lock.
 *
 * Blocks are freed only when their segment is emptied, in an exclusive section; what a vCPU that is
 * in guest code has found therefore stays.
 */
#ifndef ACCEL_TCG_TCG_H
#define ACCEL_TCG_TCG_H

#include "accel/accel.h"
#include "exec/cpu.h"
#include "tcg/codegen.h"
#include "util/host-float.h"
#include "util/rcu.h"

#define PAGE_SIZE_MIN ((uint64_t)1 << PAGE_BITS_MIN)
#define PAGE_OFFSET (PAGE_SIZE_MIN - 1)
#define PAGE_MASK (~PAGE_OFFSET)
#define RAM_NONE UINT64_MAX
#define CODE_NOWHERE UINT64_MAX

/* A page of RAM with translated code. Made once, stays. */
typedef struct CodePage {
    uint32_t blocks;                   /* first of them: its number with the slot in bit 0; blocks_lock */
    _Atomic uint32_t translating;      /* being read by the translator right now */
    _Atomic uint32_t version;          /* raised by writes meanwhile */
    uint64_t map[8];                   /* a bit for 8 bytes: some block covers them */
    uint64_t va;                       /* virtual page of the blocks that could be movable; CODE_NOWHERE: unknown; blocks_lock */
    bool anywhere;                     /* it has been run at several: such blocks are made for anywhere; blocks_lock */
    uint32_t region_hits;              /* regions that writes have invalidated; blocks_lock */
    uint32_t hits;                     /* writes that have invalidated something; blocks_lock */
    _Atomic uint32_t quiet;            /* writes since then while there was no code */
} CodePage;

typedef struct TcgStats {
    uint64_t blocks, first, direct, anew, regions, invalidated, flushes, code_bytes, guest_bytes, smc_writes;
} TcgStats;

/* What a vCPU counts, for `info jit`. */
typedef struct TcgCounts {
    uint64_t tlb_fills, tlb_large_fills, tlb_kept, tlb_flushes, tlb_page_flushes, lookups;
} TcgCounts;

/*
 * How generated code wanted to get to pc; page: of the block that it came from, NO_CODE_PAGE: no
 * matter.
 */
typedef struct Came { uint64_t pc; uint32_t page; unsigned way; } Came;

/* Jump caches; address spaces of the guest's: see spaces.c. */
typedef struct Jumps {
    struct BlockCache cache;
    uint64_t used[(1 << JUMP_CACHE_BITS) / 64];
    uint64_t local[(1 << JUMP_CACHE_BITS) / 64];       /* of these: not in global pages */
    uint64_t life, global_life;        /* what the entries belong to: cleared when they are not those any more */
    _Atomic bool any;                  /* there are entries */
} Jumps;
enum { SPACES = 8, SPACE_UNNAMED = 0 };
typedef struct Space {
    uint64_t name;                     /* the target's plus 1 */
    uint64_t life;                     /* of its own pages that are kept */
    uint64_t left;                     /* when it was the current one for the last time */
} Space;

/* Translations that are not in the TLB for the time being. */
typedef struct StoredPage { TlbEntry entry; TlbFull full; } StoredPage;
enum { STORE_SETS = 512, STORE_WAYS = 8 };
typedef struct StoreSet {
    uint64_t page[STORE_WAYS];         /* with the MMU index in the low bits */
    uint64_t life[STORE_WAYS];         /* 0: none */
    unsigned next;
    StoredPage kept[STORE_WAYS];
} StoreSet;

typedef struct TcgCpu {
    Jumps jump_caches[SPACES];
    Jumps *jumps;                      /* the one in use */
    Space space[SPACES];
    unsigned in;                       /* the current one */
    uint64_t local_jumps, global_jumps;        /* entered since the last flush of everything */
    bool keeps;                        /* the target names spaces */
    uint64_t lives, global_life, switches;
    StoreSet store[STORE_SETS];
    bool any_local[MMU_MODES];         /* there may be entries that are not global */
    uint64_t large_used[MMU_MODES];
    uint64_t large_units[MMU_MODES][16];   /* MiB of addresses, modulo 1024, in which large pages were entered */
    uint64_t tlb_filled[MMU_MODES][TLB_SIZE / 64];     /* entries in use: a flush visits only them */
    uint64_t tlb_local[MMU_MODES][TLB_SIZE / 64];      /* of these: not of global pages */
    bool single_next;                  /* the next block has one instruction, once */
    bool watch_armed;                  /* ... and then cpu->watchpoint_hit is reported */
    bool translating;                  /* holds translate_lock */
    HostFloat guest_float;             /* meanwhile: the guest's rounding and flags */
    CodePage *reading[2];              /* pages of the translation at hand */
    ram_addr reading_ram[2];
    uint32_t reading_version[2];
    bool reading_more;                 /* ... and others: the result is not kept */
    unsigned num_reading;
    unsigned yields;
    unsigned large_bits;               /* of the largest page entered so far */
    Came came;
    TcgCounts counts;
} TcgCpu;

/* What code is made by: blocks that run often anew, after the first tier; one of the two alone. */
enum { TIER_AUTO, TIER_FIRST, TIER_BEST };

/*
 * A part of the code buffer that is filled, and emptied, as a whole; see segments.c. Its blocks lie
 * in the order of their code.
 */
typedef struct CodeSegment {
    CodeBuffer room;                   /* what is left of it */
    CodeMark start;
    uint8_t *hot_end;                  /* room.end stays below while it is being filled */
    uint32_t first_block, max_blocks;
    _Atomic uint32_t num_blocks;
    uint64_t since;                    /* when it was begun; 0: never */
    bool best;                         /* for what the best tier makes */
} CodeSegment;

typedef struct TcgAccel {
    Accel accel;
    int thread;                        /* property: 0 multi, 1 single */
    int tier;                          /* property: TIER_* */
    uint32_t tb_size;                  /* property: code buffer in MiB, 0: default */
    bool interp, one_insn, split_wx, perfmap, jitdump;
    const CodeEngine *engine;
    CodeBuffer buffer;
    IrBuilder *builder;
    const CpuArch *arch;
    pthread_mutex_t translate_lock, blocks_lock;
    uint32_t *hash;                    /* chains, by block number; read without a lock */
    CodeBlock *blocks;                 /* [0] is none */
    uint32_t max_blocks;
    ChainSlot *slots;                  /* of all blocks; [0] is none */
    CodeSegment segments[8];
    unsigned num_segments;
    CodeSegment *segment_now[2];       /* that are being filled: all code; the best tier's, NULL: the former */
    uint64_t segments_begun;
    _Atomic bool wants_room;           /* there was none for code of the best tier */
    _Atomic uint32_t generation;       /* raised when blocks go */
    GPtrArray *cpus;                   /* Cpu *; blocks_lock */
    TcgCounts gone;                    /* of vCPUs that are no more */
    TcgStats stats;
} TcgAccel;

/* One translator for the process: slow paths reach it without a Vm at hand. Set once. */
extern TcgAccel *tcg;

static inline TcgCpu *tcg_cpu(Cpu *cpu)
{
    return cpu->accel;
}

/* Blocks by number, and what they say of pages. */
static inline CodeBlock *block_at_number(uint32_t n)
{
    return n ? &tcg->blocks[n] : NULL;
}
static inline uint32_t block_number(const CodeBlock *cb)
{
    return cb ? (uint32_t)(cb - tcg->blocks) : 0;
}
static inline ram_addr block_ram(const CodeBlock *cb, unsigned slot)
{
    return (ram_addr)cb->page[slot] << PAGE_BITS_MIN;
}

/* ---- tlb.c ---- */
/* Index of the entry that maps va for this access, filled if need be; faults do not return. */
unsigned tlb_resolve(Cpu *cpu, uint64_t va, unsigned size, MmuAccess access, unsigned mmu_idx,
                     uintptr_t host_pc);
/* The same without a fault: false when it is not mapped. */
bool tlb_try(Cpu *cpu, uint64_t va, MmuAccess access, unsigned mmu_idx, unsigned *index);
static inline uint64_t tlb_comparator(const TlbEntry *e, MmuAccess access)
{
    return access == ACCESS_LOAD ? e->read : access == ACCESS_STORE ? e->write : e->code;
}
/* Every vCPU's fast write path to [host, host + len) goes. blocks_lock not held. */
void tlb_protect_host(const uint8_t *host, uint64_t len);
/* The page behind entry `index` is wholly dirty again, or not. */
void tlb_recheck_dirty(Cpu *cpu, unsigned mmu_idx, TlbEntry *e, const TlbFull *f);
void tlb_init(Cpu *cpu);
/* Watchpoints changed. Own thread or vCPU stopped. */
void tlb_flush_now(Cpu *cpu);

/* ---- spaces.c ---- */
void spaces_init(Cpu *cpu);
void jump_cache_flush(Cpu *cpu);
/*
 * Blocks that begin in the page of va, which has at most 1 << page_bits bytes, or run over into it.
 */
void jump_cache_flush_around(Cpu *cpu, uint64_t va, unsigned page_bits);
/* The TLB has been flushed, wholly or but for global pages: nothing else is kept, either. */
void spaces_forget(Cpu *cpu);
void spaces_forget_local(Cpu *cpu);
bool space_is_current(const Cpu *cpu, uint64_t name);
/* The TLB has no pages of the former space any more. */
void space_enter(Cpu *cpu, uint64_t name);
/* Nothing is kept of it; true: its pages may be in the TLB. */
bool space_forget(Cpu *cpu, uint64_t name);
/* Translations, of the current space or global. */
void store_put(Cpu *cpu, unsigned mmu, uint64_t page, const TlbEntry *e, const TlbFull *f);
const StoredPage *store_find(Cpu *cpu, unsigned mmu, uint64_t va);
void store_forget_page(Cpu *cpu, uint64_t page);
void store_forget(Cpu *cpu);

/* ---- ldst.c ---- */
/* Before a store to RAM through entry e whose comparator has TLB_NOTDIRTY. */
void ldst_not_dirty(Cpu *cpu, unsigned mmu_idx, unsigned index, uint64_t va, unsigned size,
                    uintptr_t host_pc);
/* An address without what targets allow in its upper byte, for comparison with watchpoints. */
static inline uint64_t tlb_untagged(uint64_t va)
{
    return (uint64_t)((int64_t)(va << 8) >> 8);
}
/* Flags of the entry besides those handled: watchpoints hit. May not return. */
void ldst_watch(Cpu *cpu, uint64_t va, unsigned size, MmuAccess access, uintptr_t host_pc);

/* ---- smc.c ---- */
void smc_init(void);
/*
 * The translator is about to read code of the page at ram (host: its first byte). translate_lock.
 */
void smc_read_begin(Cpu *cpu, RamBlock *b, ram_addr ram);
/* Translation is over, finished or not. */
void smc_read_end(Cpu *cpu);
/* Whether pages read for the translation at hand were written meanwhile. blocks_lock. */
bool smc_read_spoilt(Cpu *cpu);
/*
 * A page's fast write path is opened: told before that is done, so that who protects the page knows
 * whether TLBs must be searched. smc_revoke: and whether, for [ram, ram + len); then nobody has one
 * any more.
 */
void smc_grant(ram_addr ram);
bool smc_revoke(ram_addr ram, uint64_t len);
/* blocks_lock. */
void smc_add_block(CodeBlock *cb);
void smc_remove_block(CodeBlock *cb);
/* The blocks made from a page, also those that reach into it. blocks_lock. */
CodeBlock *smc_first_block(ram_addr ram);
CodeBlock *smc_next_block(const CodeBlock *cb, ram_addr ram);
/*
 * Whether a new block of a key that is movable is to be made for anywhere: the page has been run at
 * another virtual address, as libraries and programs are that the guest loads at random ones. Drops
 * the page's other blocks when that is new. blocks_lock.
 */
bool smc_is_anywhere(ram_addr ram, uint64_t va);
/* Code in this page is written to so often that regions do not pay. blocks_lock. */
bool smc_is_restless(ram_addr ram);
/*
 * No translated code lies in [ram, ram + len) of a page that holds some elsewhere, or may soon
 * again.
 */
bool smc_is_data(ram_addr ram, unsigned len);
/*
 * [ram, ram + len) of one page without its DIRTY_CODE bit is written. Invalidates what lies there.
 * True if `current` (may be NULL) was among it.
 */
bool smc_written(RamBlock *b, ram_addr ram, unsigned len, const CodeBlock *current);

/* ---- cache.c ---- */
/* Tables; blocks and slots in the buffer, before the engine's init. And when that is done. */
bool cache_reserve(GError **error);
void cache_init(void);
/* The block of this key, translated if need be; faults do not return. */
CodeBlock *cache_find(Cpu *cpu, const BlockKey *key);
/* The same, NULL when there is none yet. May fault. */
CodeBlock *cache_find_ready(Cpu *cpu, const BlockKey *key);
/*
 * cb, found by key, is of the first tier and has run often: what takes its place, from now on or
 * for good cb itself.
 */
CodeBlock *cache_make_best(Cpu *cpu, const BlockKey *key, CodeBlock *cb);
static inline bool cache_is_worn(const CodeBlock *cb)
{
    return cb->code.packed && cb->trips < 0;
}
/* head, found by key, is hot: a region from there on, which takes its place; or head itself. */
CodeBlock *cache_make_region(Cpu *cpu, const BlockKey *key, CodeBlock *head);
/* from's slot will jump to `to`. */
void cache_chain(CodeBlock *from, unsigned slot, CodeBlock *to);
/* Look-ups that find cb are counted from now on: see cb->heat. */
void cache_count_entry(CodeBlock *cb);
/* Where exit_lookup enters cb. */
static inline const void *cache_entry(const CodeBlock *cb)
{
    const void *entry = atomic_load(&cb->lookup_entry);

    return entry ? entry : cb->code.entry;
}
/* The same for a branch back, whose trips are counted: see to->heat. */
void cache_chain_counted(CodeBlock *from, unsigned slot, CodeBlock *to);
/* blocks_lock. */
void cache_invalidate(CodeBlock *cb);
/*
 * An invalid block that no vCPU is in; its own thread. Room is used again if it was the last one
 * made.
 */
void cache_take_back(CodeBlock *cb);
/*
 * Room for code, where some of the oldest may have to go; nothing if that has been done since
 * `generation`. Own thread, without locks, out of generated code.
 */
void cache_make_room(Cpu *cpu, uint32_t generation, bool best);
/* cb is no more, but for jump caches. blocks_lock. */
void cache_remove(CodeBlock *cb);
/* The block and instruction of host_pc, NULL: none. */
CodeBlock *cache_locate(Cpu *cpu, uintptr_t host_pc, uint32_t *insn);
/* Lock that a longjmp out of a translation left behind. */
void cache_abort_translation(Cpu *cpu);

/* ---- segments.c ---- */
void segments_init(void);
/* Where code is made. translate_lock. */
CodeSegment *segment_now(bool best);
CodeSegment *segment_of(const CodeBlock *cb);
/* The segment that host_pc is in, NULL: none; and in which of its two parts. */
CodeSegment *segment_at(uintptr_t host_pc, bool *cold);
/* So that what did not fit may well fit into the next one. */
bool segment_is_half_full(const CodeSegment *s);
/*
 * The present one is full: the next. True: there were blocks in it. Exclusive section, blocks_lock.
 */
bool segments_next(bool best);

/* ---- log.c: -d in_asm, op, out_asm, each behind a test of log_enabled ---- */
void log_ir(const BlockKey *key, const IrFunc *f);
void log_translation(Cpu *cpu, const CodeBlock *cb);

/* ---- exec.c ---- */
CpuExecResult tcg_cpu_exec(Cpu *cpu);
void tcg_cpu_exec_atomic(Cpu *cpu);
void tcg_debug_changed(Cpu *cpu);

#endif
