// SPDX-License-Identifier: GPL-2.0-or-later
/* A walk of page tables in the architecture's format under given control registers; mmu.c. */
#ifndef TARGET_I386_PAGING_H
#define TARGET_I386_PAGING_H

#include "target-i386/cpu.h"

#define PF_P 1u
#define PF_W 2u
#define PF_U 4u
#define PF_RSVD 8u
#define PF_I 16u
#define PF_PK 32u

/* What rules a walk. */
typedef struct X86Paging {
    uint64_t cr0, cr3, cr4, efer;
} X86Paging;

/* SVM's nested tables: an access as a user, physical tables. False: page->error says why. */
bool x86_walk_tables(X86Cpu *c, const X86Paging *p, uint64_t address, MmuAccess access, bool debug,
                     X86Page *page);

/* ---- for walks of tables in other formats ---- */
/* The 8 bytes at pa; *host: where they lie when in RAM that can be written. Under rcu_read_lock. */
uint64_t x86_entry_read(X86Cpu *c, hwaddr pa, unsigned size, void **host);
/* Sets bits in it; false: it changed meanwhile and the walk must start again. */
bool x86_entry_or(X86Cpu *c, hwaddr pa, unsigned size, void *host, uint64_t old, uint64_t bits);

#endif
