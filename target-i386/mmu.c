// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Paging: 32-bit, PAE, 4- and 5-level, with large pages, NX, WP, SMEP and SMAP; A20 and the
 * debugger's translation. SDM 3A chapter 4.
 */
#include "target-i386/seg.h"
#include "exec/memory.h"
#include "qom/vm.h"
#include "util/log.h"
#include "util/rcu.h"

#define PTE_P 1ull
#define PTE_W 2ull
#define PTE_U 4ull
#define PTE_A 0x20ull
#define PTE_D 0x40ull
#define PTE_PS 0x80ull
#define PTE_G 0x100ull
#define PTE_NX (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

#define PF_P 1u
#define PF_W 2u
#define PF_U 4u
#define PF_RSVD 8u
#define PF_I 16u
#define PF_PK 32u

/* What a walk is for and what it found. */
typedef struct Walk {
    X86Cpu *c;
    uint64_t va;
    MmuAccess access;
    bool user;              /* a user-mode access (CPL 3) */
    bool smap;              /* supervisor data access that may not touch user pages */
    bool debug;             /* no side effects */
    /* result */
    hwaddr pa;              /* of the page's 4 KiB part */
    unsigned prot, page_bits;
    bool global;
    uint32_t error;         /* #PF error code when the walk failed */
} Walk;

unsigned x86_mmu_index(const X86Cpu *c)
{
    if (c->cpl == 3) {
        return MMU_USER;
    }
    return (c->cr4 & CR4_SMAP) && !(c->eflags & FLAG_AC) ? MMU_KERNEL_SMAP : MMU_KERNEL;
}

unsigned x86_mmu_index_system(const X86Cpu *c)
{
    return c->cr4 & CR4_SMAP ? MMU_KERNEL_SMAP : MMU_KERNEL;
}

static MemAttrs cpu_attrs(const X86Cpu *c)
{
    return (MemAttrs){ .is_cpu = 1, .cpu_index = c->cpu.index, .secure = c->smm };
}

static inline hwaddr a20(const X86Cpu *c, hwaddr pa)
{
    return pa & ~(hwaddr)c->a20_mask_bit;
}

/* The entry's host address when it lies in writable RAM. Under rcu_read_lock. */
static void *entry_host(X86Cpu *c, hwaddr pa)
{
    Section s = address_space_lookup(c->cpu.as, pa, false, cpu_attrs(c));

    if (!s.region || s.region->kind != REGION_RAM || s.readonly || !s.region->ram || s.len < 8) {
        return NULL;
    }
    return s.region->ram->host + s.region->ram_offset + s.offset;
}

static uint64_t entry_read(X86Cpu *c, hwaddr pa, unsigned size, void **host)
{
    *host = entry_host(c, pa);
    if (*host) {
        return size == 8 ? __atomic_load_n((uint64_t *)*host, __ATOMIC_RELAXED)
                         : __atomic_load_n((uint32_t *)*host, __ATOMIC_RELAXED);
    }
    return address_space_load(c->cpu.as, pa, size, DEV_LITTLE, cpu_attrs(c), NULL);
}

/* Sets accessed/dirty bits; false when the entry changed meanwhile and the walk must start again. */
static bool entry_or(X86Cpu *c, hwaddr pa, unsigned size, void *host, uint64_t old, uint64_t bits)
{
    bool ok = true;

    if ((old & bits) == bits) {
        return true;
    }
    if (!host) {
        address_space_store(c->cpu.as, pa, old | bits, size, DEV_LITTLE, cpu_attrs(c));
    } else if (size == 8) {
        ok = __atomic_compare_exchange_n((uint64_t *)host, &old, old | bits, false, __ATOMIC_SEQ_CST,
                                         __ATOMIC_SEQ_CST);
    } else {
        uint32_t e = old;

        ok = __atomic_compare_exchange_n((uint32_t *)host, &e, e | (uint32_t)bits, false,
                                         __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    }
    return ok;
}

static bool walk_fail(Walk *w, uint32_t error)
{
    w->error = error | (w->access == ACCESS_STORE ? PF_W : 0) | (w->user ? PF_U : 0) |
               (w->access == ACCESS_FETCH && ((w->c->efer & EFER_NXE) || (w->c->cr4 & CR4_SMEP)) ? PF_I : 0);
    return false;
}

/* SDM 3A 4.6: rights of a page given the AND of U and W over the levels and the OR of NX. */
static bool walk_rights(Walk *w, bool u, bool wr, bool nx, unsigned key)
{
    X86Cpu *c = w->c;
    unsigned prot = TLB_PROT_READ, denied = 0;

    if (w->user) {
        if (!u) {
            return walk_fail(w, PF_P);
        }
        prot |= wr ? TLB_PROT_WRITE : 0;
        prot |= nx ? 0 : TLB_PROT_EXEC;
    } else {
        prot |= wr || !(c->cr0 & CR0_WP) ? TLB_PROT_WRITE : 0;
        prot |= nx || (u && (c->cr4 & CR4_SMEP)) ? 0 : TLB_PROT_EXEC;
        if (u && w->smap) {
            prot &= TLB_PROT_EXEC;
        }
    }
    if (u && (c->cr4 & CR4_PKE)) {         /* SDM 3A 4.6.2 */
        unsigned rights = c->pkru >> (2 * key) & 3;

        denied = rights & 1 ? TLB_PROT_READ | TLB_PROT_WRITE
                 : rights & 2 && (w->user || (c->cr0 & CR0_WP)) ? TLB_PROT_WRITE : 0;
    }
    w->prot = prot & ~denied;
    if (w->debug) {
        return true;
    }
    if ((w->access == ACCESS_LOAD && !(prot & TLB_PROT_READ)) ||
        (w->access == ACCESS_STORE && !(prot & TLB_PROT_WRITE)) ||
        (w->access == ACCESS_FETCH && !(prot & TLB_PROT_EXEC))) {
        return walk_fail(w, PF_P);
    }
    if ((w->access == ACCESS_LOAD && denied & TLB_PROT_READ) || (w->access == ACCESS_STORE && denied & TLB_PROT_WRITE)) {
        return walk_fail(w, PF_P | PF_PK);
    }
    return true;
}

/* Accessed and dirty of the leaf; *again when it changed under us. A page not dirty is entered read-only. */
static bool walk_leaf(Walk *w, hwaddr pte_pa, unsigned size, void *host, uint64_t pte, bool *again)
{
    uint64_t bits = PTE_A | (w->access == ACCESS_STORE ? PTE_D : 0);

    if (w->debug) {
        return true;
    }
    if (!entry_or(w->c, pte_pa, size, host, pte, bits)) {
        *again = true;
        return false;
    }
    if (!((pte | bits) & PTE_D)) {
        w->prot &= ~TLB_PROT_WRITE;
    }
    return true;
}

static bool walk_32(Walk *w, bool *again)
{
    X86Cpu *c = w->c;
    hwaddr pde_pa = a20(c, (c->cr3 & 0xfffff000) + ((w->va >> 20) & 0xffc)), pte_pa;
    void *host;
    uint64_t pde = entry_read(c, pde_pa, 4, &host), pte;

    if (!(pde & PTE_P)) {
        return walk_fail(w, 0);
    }
    if ((pde & PTE_PS) && (c->cr4 & CR4_PSE)) {
        hwaddr base = (pde & 0xffc00000) | (pde & 0x1fe000) << 19;    /* PSE-36 */

        if (pde & (1u << 21)) {
            return walk_fail(w, PF_P | PF_RSVD);
        }
        w->page_bits = 22;
        w->global = (pde & PTE_G) && (c->cr4 & CR4_PGE);
        w->pa = base | (w->va & 0x3ff000);
        return walk_rights(w, pde & PTE_U, pde & PTE_W, false, 0) &&
               walk_leaf(w, pde_pa, 4, host, pde, again);
    }
    if (!w->debug && !entry_or(c, pde_pa, 4, host, pde, PTE_A)) {
        *again = true;
        return false;
    }
    pte_pa = a20(c, (pde & 0xfffff000) + ((w->va >> 10) & 0xffc));
    pte = entry_read(c, pte_pa, 4, &host);
    if (!(pte & PTE_P)) {
        return walk_fail(w, 0);
    }
    w->page_bits = 12;
    w->global = (pte & PTE_G) && (c->cr4 & CR4_PGE);
    w->pa = pte & 0xfffff000;
    return walk_rights(w, pde & pte & PTE_U, pde & pte & PTE_W, false, 0) &&
           walk_leaf(w, pte_pa, 4, host, pte, again);
}

/* Bits that must be 0 in an entry of PAE and long mode. */
static uint64_t reserved_bits(const X86Cpu *c)
{
    uint64_t r = PTE_ADDRESS & ~((1ull << c->phys_bits) - 1);

    if (!(c->efer & EFER_NXE)) {
        r |= PTE_NX;
    }
    return r;
}

static bool walk_64(Walk *w, hwaddr table, unsigned level, bool long_mode, bool *again)
{
    X86Cpu *c = w->c;
    uint64_t reserved = reserved_bits(c) | (long_mode ? 0 : 0x7ff0000000000000ull);
    bool u = true, wr = true, nx = false;

    for (;; level--) {
        unsigned shift = 12 + 9 * (level - 1);
        hwaddr pa = a20(c, table + ((w->va >> shift) & 0x1ff) * 8);
        void *host;
        uint64_t e = entry_read(c, pa, 8, &host);
        bool leaf = level == 1 || ((e & PTE_PS) && level <= 3);

        if (!(e & PTE_P)) {
            return walk_fail(w, 0);
        }
        if ((e & reserved) || ((e & PTE_PS) && level > 1 &&
                               (level > 3 || (level == 3 && !x86_has_feature(c, FEAT_PDPE1GB))))) {
            return walk_fail(w, PF_P | PF_RSVD);
        }
        u = u && (e & PTE_U);
        wr = wr && (e & PTE_W);
        nx = nx || (e & PTE_NX);
        if (leaf) {
            uint64_t mask = (1ull << shift) - 1;

            if (level > 1 && (e & mask & PTE_ADDRESS & ~0x1000ull)) {
                return walk_fail(w, PF_P | PF_RSVD);
            }
            w->page_bits = shift;
            w->global = (e & PTE_G) && (c->cr4 & CR4_PGE);
            w->pa = (e & PTE_ADDRESS & ~mask) | (w->va & mask & ~0xfffull);
            return walk_rights(w, u, wr, nx, long_mode ? e >> 59 & 15 : 0) && walk_leaf(w, pa, 8, host, e, again);
        }
        if (!w->debug && !entry_or(c, pa, 8, host, e, PTE_A)) {
            *again = true;
            return false;
        }
        table = e & PTE_ADDRESS;
    }
}

static bool walk_pae(Walk *w, bool *again)
{
    X86Cpu *c = w->c;
    hwaddr pa = a20(c, (c->cr3 & 0xffffffe0) + ((w->va >> 27) & 0x18));
    void *host;
    uint64_t e = entry_read(c, pa, 8, &host);

    if (!(e & PTE_P)) {
        return walk_fail(w, 0);
    }
    if (e & (0x1e6 | (PTE_ADDRESS & ~((1ull << c->phys_bits) - 1)) | PTE_NX)) {
        return walk_fail(w, PF_P | PF_RSVD);
    }
    return walk_64(w, e & PTE_ADDRESS, 2, false, again);
}

static bool walk_once(Walk *w, bool *again)
{
    X86Cpu *c = w->c;

    if (c->efer & EFER_LMA) {
        unsigned levels = c->cr4 & CR4_LA57 ? 5 : 4;

        return walk_64(w, c->cr3 & PTE_ADDRESS, levels, true, again);
    }
    w->va = (uint32_t)w->va;
    return c->cr4 & CR4_PAE ? walk_pae(w, again) : walk_32(w, again);
}

static bool walk(Walk *w)
{
    X86Cpu *c = w->c;
    bool again, ok;

    if (!(c->cr0 & CR0_PG)) {
        w->pa = a20(c, (uint32_t)w->va & ~0xfffull);
        w->prot = TLB_PROT_READ | TLB_PROT_WRITE | TLB_PROT_EXEC;
        w->page_bits = 12;
        w->global = false;
        return true;
    }
    rcu_read_lock();
    do {
        again = false;
        ok = walk_once(w, &again);
    } while (again);
    rcu_read_unlock();
    w->pa = a20(c, w->pa);
    return ok;
}

static bool canonical(const X86Cpu *c, uint64_t va)
{
    unsigned shift = c->cr4 & CR4_LA57 ? 7 : 16;

    return (uint64_t)((int64_t)(va << shift) >> shift) == va;
}

bool x86_page_walk(X86Cpu *c, uint64_t va, MmuAccess access, unsigned mmu_idx, X86Page *page)
{
    Walk w = {
        .c = c, .va = va, .access = access, .user = mmu_idx == MMU_USER,
        .smap = mmu_idx == MMU_KERNEL_SMAP && access != ACCESS_FETCH,
    };
    bool ok = walk(&w);

    *page = (X86Page){
        .pa = w.pa, .prot = w.prot, .page_bits = w.page_bits, .global = w.global, .error = w.error,
    };
    return ok;
}

/* #SS through the stack segment, else #GP; pushes of an exception's frame have no host_pc. */
static _Noreturn void noncanonical(X86Cpu *c, uint64_t va, MmuAccess access, uintptr_t host_pc)
{
    bool stack = !host_pc && access == ACCESS_STORE;

    if (host_pc && access != ACCESS_FETCH && x86_code64(c)) {
        cpu_restore_state(&c->cpu, host_pc);
        stack = x86_access_is_stack(c, va);
    }
    x86_raise_error(c, stack ? EXC_SS : EXC_GP, 0, host_pc);
}

bool x86_tlb_fill(Cpu *cpu, uint64_t va, unsigned size, MmuAccess access, unsigned mmu_idx,
                  bool probe, uintptr_t host_pc)
{
    X86Cpu *c = X86(cpu);
    MemAttrs attrs = cpu_attrs(c);
    X86Page page;

    if (mmu_idx == MMU_PHYS) {
        tlb_set(cpu, mmu_idx, va & ~0xfffull, a20(c, va & ~0xfffull), attrs,
                TLB_PROT_READ | TLB_PROT_WRITE, 12, false);
        return true;
    }
    if (x86_is_bad_address(va) && !x86_code64(c)) {
        if (probe) {
            return false;
        }
        x86_bad_address_fault(c, va, host_pc);
    }
    if ((c->efer & EFER_LMA) && (c->cr0 & CR0_PG) && !canonical(c, va)) {
        if (probe) {
            return false;
        }
        noncanonical(c, va, access, host_pc);
    }
    if (x86_page_walk(c, va, access, mmu_idx, &page)) {
        attrs.user = mmu_idx == MMU_USER;
        tlb_set(cpu, mmu_idx, va & ~0xfffull, page.pa, attrs, page.prot, page.page_bits, page.global);
        return true;
    }
    if (probe) {
        return false;
    }
    /* an operand that is read and written is asked for as a write at once */
    if (access == ACCESS_LOAD && host_pc && cpu_restore_state(cpu, host_pc) && x86_insn_modifies(c)) {
        page.error |= PF_W;
    }
    log_mask(LOG_MMU, "page fault at %#" PRIx64 " error %x\n", va, page.error);
    c->cr2 = va;
    x86_raise_error(c, EXC_PF, page.error, host_pc);
}

bool x86_debug_translate(Cpu *cpu, uint64_t va, hwaddr *pa, MemAttrs *attrs)
{
    Walk w = {.c = X86(cpu), .va = va, .access = ACCESS_LOAD, .debug = true};

    if (!walk(&w)) {
        return false;
    }
    *pa = w.pa | (va & 0xfff);
    *attrs = cpu_attrs(X86(cpu));
    return true;
}
