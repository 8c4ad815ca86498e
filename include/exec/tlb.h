// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The soft TLB: per vCPU and MMU index, read by generated code at a fixed offset from the CPU
 * pointer. Only the owning vCPU's thread writes it; others ask by cpu_run_on.
 */
#ifndef EXEC_TLB_H
#define EXEC_TLB_H

#include "exec/memory.h"

#define PAGE_BITS_MIN 12               /* the TLB works in 4 KiB pages whatever the guest uses */
#define TLB_BITS 13
#define TLB_SIZE (1u << TLB_BITS)
#define TLB_VICTIMS 8
#define MMU_MODES 6

/*
 * A comparator holds the page's va plus flag bits in its low 12 bits; generated code compares
 * it with (va & (page mask | alignment bits)), so that any flag sends the access to the slow path.
 */
#define TLB_INVALID   (1u << 11)       /* no such entry; an all-ones comparator is invalid too */
#define TLB_MMIO      (1u << 10)       /* not RAM: go through the region */
/* first write to a clean page: dirty bits, translated code */
#define TLB_NOTDIRTY  (1u << 9)
#define TLB_WATCH     (1u << 8)        /* a watchpoint is in the page */
#define TLB_READONLY  (1u << 7)        /* ROM: ignore the write */
/* rights differ within the page: every access asks the target again */
#define TLB_CHECK     (1u << 6)

typedef struct TlbEntry {
    uint64_t read, write, code;        /* comparators */
    uintptr_t addend;                  /* host address = va + addend */
} TlbEntry;                            /* 32 bytes: an index is a shift */

/* What the slow path needs to know beside it. */
typedef struct TlbFull {
    hwaddr pa;                         /* of the page's first byte */
    Region *region;                    /* leaf; valid while the view that it came from is */
    hwaddr offset;                     /* of the page in the region */
    ram_addr ram;                      /* RAM pages: ram address of the page, else UINT64_MAX */
    MemAttrs attrs;
    uint8_t prot;                      /* PROT_R/W/X of the guest's tables */
    uint8_t page_bits;                 /* log2 of the guest's page: large pages flush together */
    bool global;
} TlbFull;

enum {
    TLB_PROT_READ = 1,
    TLB_PROT_WRITE = 2,
    TLB_PROT_EXEC = 4,
    TLB_PROT_TARGET = 128 /* the target's own */
};
typedef enum MmuAccess { ACCESS_LOAD, ACCESS_STORE, ACCESS_FETCH } MmuAccess;

static inline unsigned tlb_index(uint64_t va)
{
    return (unsigned)(va >> PAGE_BITS_MIN) & (TLB_SIZE - 1);
}

/*
 * What a loop remembers of the page that a variable of its own points into: an access hits if its
 * va - page is below limit, 0: none. Generated code fills it (tcg/i386/streams.c), and a function
 * that finds the set to be another one's clears it; so does whatever takes translations away. Other
 * threads only clear limits.
 */
enum { TLB_STREAM_SETS = 4, TLB_SET_STREAMS = 8 };
enum { TLB_STREAMS = TLB_STREAM_SETS * TLB_SET_STREAMS };
typedef struct TlbStream {
    uint64_t page, limit;
    uintptr_t addend;                  /* as in TlbEntry */
    uint64_t unused;
} TlbStream;

/* 2 MiB of RAM inside a large page of the guest's, from which the TLB is filled without a walk. */
enum { LARGE_BITS = 21, LARGE_PAGES = 64 };
typedef struct LargePage {
    uint64_t va;
    uintptr_t addend;
    TlbFull full;                      /* of its first 4 KiB; prot 0: not in use */
} LargePage;

typedef struct CpuTlb {
    TlbEntry table[MMU_MODES][TLB_SIZE];
    TlbEntry victim[MMU_MODES][TLB_VICTIMS];
    TlbStream streams[TLB_STREAMS];
    uint32_t stream_owner[TLB_STREAM_SETS];     /* number of the function that uses the set */
    TlbFull full[MMU_MODES][TLB_SIZE];
    TlbFull victim_full[MMU_MODES][TLB_VICTIMS];
    LargePage large[MMU_MODES][LARGE_PAGES];
    unsigned victim_next[MMU_MODES];
    uint32_t flushes;                  /* of whatever kind; what targets remember of their tables goes with it */
    unsigned used[MMU_MODES];          /* entries filled since the last flush: an empty table costs nothing to flush */
    uint64_t large_va[MMU_MODES], large_mask[MMU_MODES];   /* range covered by large pages */
} CpuTlb;

#endif
