// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Paging: 32-bit, PAE, 4- and 5-level, with large pages, NX, WP, SMEP and SMAP; A20 and the
 * debugger's translation. SDM 3A chapter 4.
 */
#include "target-i386/seg.h"
#include "exec/memory.h"
#include "qom/vm.h"
#include "target-i386/paging.h"
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

/* An entry of a table and where it is. */
typedef struct Entry {
    hwaddr at;              /* as the tables name it */
    hwaddr pa;
    void *host;             /* NULL: not in RAM */
    uint64_t value;
    bool read_only;         /* the second walk does not allow writing it */
} Entry;

/* What a walk is for and what it found. */
typedef struct Walk {
    X86Cpu *c;
    X86Paging r;            /* that rules it */
    bool nested;            /* what the tables hold are guest-physical addresses, walked once more */
    bool nested_fault;      /* result: that walk failed; c->nested_fault */
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

uint64_t x86_entry_read(X86Cpu *c, hwaddr pa, unsigned size, void **host)
{
    *host = entry_host(c, pa);
    if (*host) {
        return size == 8 ? __atomic_load_n((uint64_t *)*host, __ATOMIC_RELAXED)
                         : __atomic_load_n((uint32_t *)*host, __ATOMIC_RELAXED);
    }
    return address_space_load(c->cpu.as, pa, size, DEV_LITTLE, cpu_attrs(c), NULL);
}

bool x86_entry_or(X86Cpu *c, hwaddr pa, unsigned size, void *host, uint64_t old, uint64_t bits)
{
    bool ok = true;

    if ((old & bits) == bits) {
        return true;
    }
    if (!host) {
        address_space_store(c->cpu.as, pa, old | bits, size, DEV_LITTLE, cpu_attrs(c));
    } else if (size == 8) {
        ok = __atomic_compare_exchange_n((uint64_t *)host, &old, old | bits, false,
                                         __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    } else {
        uint32_t e = old;

        ok = __atomic_compare_exchange_n((uint32_t *)host, &e, e | (uint32_t)bits, false,
                                         __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    }
    return ok;
}

static bool walk_fail(Walk *w, uint32_t error)
{
    w->error =
        error | (w->access == ACCESS_STORE ? PF_W : 0) | (w->user ? PF_U : 0) |
        (w->access == ACCESS_FETCH && ((w->r.efer & EFER_NXE) || (w->r.cr4 & CR4_SMEP)) ? PF_I : 0);
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
        prot |= wr || !(w->r.cr0 & CR0_WP) ? TLB_PROT_WRITE : 0;
        prot |= nx || (u && (w->r.cr4 & CR4_SMEP)) ? 0 : TLB_PROT_EXEC;
        if (u && w->smap) {
            prot &= TLB_PROT_EXEC;
        }
    }
    if (u && (w->r.cr4 & CR4_PKE)) {         /* SDM 3A 4.6.2 */
        unsigned rights = c->pkru >> (2 * key) & 3;

        denied = rights & 1 ? TLB_PROT_READ | TLB_PROT_WRITE
                 : rights & 2 && (w->user || (w->r.cr0 & CR0_WP)) ? TLB_PROT_WRITE : 0;
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
    if ((w->access == ACCESS_LOAD && denied & TLB_PROT_READ) ||
        (w->access == ACCESS_STORE && denied & TLB_PROT_WRITE)) {
        return walk_fail(w, PF_P | PF_PK);
    }
    return true;
}

static bool walk_table(Walk *w, hwaddr at, bool mark, X86Page *page)
{
    const NestedUse use = {
        .access = w->access,
        .table = true,
        .mark = mark,
        .debug = w->debug,
        .va_valid = true,
        .va = w->va,
    };

    if (!w->c->guest->translate(w->c, at, &use, page)) {
        w->nested_fault = true;
        return false;
    }
    page->pa |= at & 0xfff;
    return true;
}

/*
 * Sets bits of an entry; false: *again it changed under us, or the second walk does not allow it.
 */
static bool walk_mark(Walk *w, const Entry *e, unsigned size, uint64_t bits, bool *again)
{
    X86Page page;

    if (e->read_only && (e->value & bits) != bits && !walk_table(w, e->at, true, &page)) {
        return false;
    }
    *again = !x86_entry_or(w->c, e->pa, size, e->host, e->value, bits);
    return !*again;
}

/*
 * Accessed and dirty of the leaf; *again when it changed under us. A page not dirty is entered
 * read-only.
 */
static bool walk_leaf(Walk *w, const Entry *e, unsigned size, bool *again)
{
    uint64_t bits = PTE_A | (w->access == ACCESS_STORE ? PTE_D : 0);

    if (w->debug) {
        return true;
    }
    if (!walk_mark(w, e, size, bits, again)) {
        return false;
    }
    if (!((e->value | bits) & PTE_D)) {
        w->prot &= ~TLB_PROT_WRITE;
    }
    return true;
}

/* The entry that a table has at `at`; false: the second walk failed there. */
static bool walk_entry(Walk *w, hwaddr at, unsigned size, Entry *e)
{
    X86Page page = {.pa = at, .prot = TLB_PROT_WRITE};

    if (w->nested && !walk_table(w, at, false, &page)) {
        return false;
    }
    e->at = at;
    e->read_only = !(page.prot & TLB_PROT_WRITE);
    e->pa = a20(w->c, page.pa);
    e->value = x86_entry_read(w->c, e->pa, size, &e->host);
    return true;
}

static bool walk_32(Walk *w, bool *again)
{
    uint64_t pde, pte;
    Entry e;

    if (!walk_entry(w, (w->r.cr3 & 0xfffff000) + ((w->va >> 20) & 0xffc), 4, &e)) {
        return false;
    }
    pde = e.value;
    if (!(pde & PTE_P)) {
        return walk_fail(w, 0);
    }
    if ((pde & PTE_PS) && (w->r.cr4 & CR4_PSE)) {
        hwaddr base = (pde & 0xffc00000) | (pde & 0x1fe000) << 19;    /* PSE-36 */

        if (pde & (1u << 21)) {
            return walk_fail(w, PF_P | PF_RSVD);
        }
        w->page_bits = 22;
        w->global = (pde & PTE_G) && (w->r.cr4 & CR4_PGE);
        w->pa = base | (w->va & 0x3ff000);
        return walk_rights(w, pde & PTE_U, pde & PTE_W, false, 0) &&
               walk_leaf(w, &e, 4, again);
    }
    if (!w->debug && !walk_mark(w, &e, 4, PTE_A, again)) {
        return false;
    }
    if (!walk_entry(w, (pde & 0xfffff000) + ((w->va >> 10) & 0xffc), 4, &e)) {
        return false;
    }
    pte = e.value;
    if (!(pte & PTE_P)) {
        return walk_fail(w, 0);
    }
    w->page_bits = 12;
    w->global = (pte & PTE_G) && (w->r.cr4 & CR4_PGE);
    w->pa = pte & 0xfffff000;
    return walk_rights(w, pde & pte & PTE_U, pde & pte & PTE_W, false, 0) &&
           walk_leaf(w, &e, 4, again);
}

/* Bits that must be 0 in an entry of PAE and long mode. */
static uint64_t reserved_bits(const Walk *w)
{
    uint64_t r = PTE_ADDRESS & ~((1ull << w->c->phys_bits) - 1);

    if (!(w->r.efer & EFER_NXE)) {
        r |= PTE_NX;
    }
    return r;
}

static bool walk_64(Walk *w, hwaddr table, unsigned level, bool long_mode, bool *again)
{
    X86Cpu *c = w->c;
    uint64_t reserved = reserved_bits(w) | (long_mode ? 0 : 0x7ff0000000000000ull);
    bool u = true, wr = true, nx = false;

    for (;; level--) {
        unsigned shift = 12 + 9 * (level - 1);
        uint64_t e;
        Entry at;
        bool leaf;

        if (!walk_entry(w, table + ((w->va >> shift) & 0x1ff) * 8, 8, &at)) {
            return false;
        }
        e = at.value;
        leaf = level == 1 || ((e & PTE_PS) && level <= 3);
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
            w->global = (e & PTE_G) && (w->r.cr4 & CR4_PGE);
            w->pa = (e & PTE_ADDRESS & ~mask) | (w->va & mask & ~0xfffull);
            return walk_rights(w, u, wr, nx, long_mode ? e >> 59 & 15 : 0) &&
                   walk_leaf(w, &at, 8, again);
        }
        if (!w->debug && !walk_mark(w, &at, 8, PTE_A, again)) {
            return false;
        }
        table = e & PTE_ADDRESS;
    }
}

static bool walk_pae(Walk *w, bool *again)
{
    X86Cpu *c = w->c;
    uint64_t e;
    Entry at;

    if (!walk_entry(w, (w->r.cr3 & 0xffffffe0) + ((w->va >> 27) & 0x18), 8, &at)) {
        return false;
    }
    e = at.value;
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
    if (w->r.efer & EFER_LMA) {
        unsigned levels = w->r.cr4 & CR4_LA57 ? 5 : 4;

        return walk_64(w, w->r.cr3 & PTE_ADDRESS, levels, true, again);
    }
    w->va = (uint32_t)w->va;
    return w->r.cr4 & CR4_PAE ? walk_pae(w, again) : walk_32(w, again);
}

static bool walk_guest(Walk *w)
{
    bool again, ok;

    if (!(w->r.cr0 & CR0_PG)) {
        w->pa = (uint32_t)w->va & ~0xfffull;
        w->prot = TLB_PROT_READ | TLB_PROT_WRITE | TLB_PROT_EXEC;
        w->page_bits = 12;
        w->global = false;
        return true;
    }
    do {
        again = false;
        ok = walk_once(w, &again);
    } while (again);
    return ok;
}

/* The page itself is at a guest-physical address too. */
static bool walk_final(Walk *w, uint64_t va)
{
    const NestedUse use = {.access = w->access, .debug = w->debug, .va_valid = true, .va = va};
    X86Page page;

    if (!w->c->guest->translate(w->c, w->pa | (va & 0xfff), &use, &page)) {
        w->nested_fault = true;
        return false;
    }
    w->pa = page.pa;
    w->prot &= page.prot;
    if (w->page_bits > page.page_bits) {
        w->page_bits = page.page_bits;
        w->c->nested_split = true;
    }
    return true;
}

static bool walk(Walk *w)
{
    uint64_t va = w->va;
    bool ok;

    rcu_read_lock();
    ok = walk_guest(w) && (!w->nested || walk_final(w, va));
    rcu_read_unlock();
    w->pa = a20(w->c, w->pa);
    return ok;
}

bool x86_walk_tables(X86Cpu *c, const X86Paging *p, uint64_t address, MmuAccess access, bool debug,
                     X86Page *page)
{
    Walk w = {.c = c, .r = *p, .va = address, .access = access, .user = true, .debug = debug};
    bool ok = address >> ((p->efer & EFER_LMA) ? 48 : 32) == 0 ? walk_guest(&w) : walk_fail(&w, 0);

    *page = (X86Page){.pa = w.pa, .prot = w.prot, .page_bits = w.page_bits, .error = w.error};
    return ok;
}

static X86Paging present_paging(const X86Cpu *c)
{
    return (X86Paging){.cr0 = c->cr0, .cr3 = c->cr3, .cr4 = c->cr4, .efer = c->efer};
}

static bool canonical(const X86Cpu *c, uint64_t va)
{
    unsigned shift = c->cr4 & CR4_LA57 ? 7 : 16;

    return (uint64_t)((int64_t)(va << shift) >> shift) == va;
}

bool x86_page_walk(X86Cpu *c, uint64_t va, MmuAccess access, unsigned mmu_idx, X86Page *page)
{
    Walk w = {
        .c = c, .r = present_paging(c), .nested = c->nested,
        .va = va, .access = access, .user = mmu_idx == MMU_USER,
        .smap = mmu_idx == MMU_KERNEL_SMAP && access != ACCESS_FETCH,
    };
    bool ok = walk(&w);

    *page = (X86Page){
        .pa = w.pa, .prot = w.prot, .page_bits = w.page_bits, .global = w.global, .error = w.error,
        .nested_fault = w.nested_fault,
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
        if (c->guest && c->guest->page &&
            !c->guest->page(c, va, size, access, probe, host_pc, &page)) {
            return false;
        }
        attrs.user = mmu_idx == MMU_USER;
        tlb_set(cpu, mmu_idx, va & ~0xfffull, page.pa, attrs, page.prot, page.page_bits,
                page.global);
        return true;
    }
    if (probe) {
        return false;
    }
    if (page.nested_fault) {
        if (host_pc) {
            cpu_restore_state(cpu, host_pc);
        }
        c->guest->translate_fault(c);
        g_assert_not_reached();
    }
    /* an operand that is read and written is asked for as a write at once */
    if (access == ACCESS_LOAD && host_pc && cpu_restore_state(cpu, host_pc) &&
        x86_insn_modifies(c)) {
        page.error |= PF_W;
    }
    log_mask(LOG_MMU, "page fault at %#" PRIx64 " error %x\n", va, page.error);
    x86_raise_page_fault(c, va, page.error, host_pc);
}

bool x86_debug_translate(Cpu *cpu, uint64_t va, hwaddr *pa, MemAttrs *attrs)
{
    X86Cpu *c = X86(cpu);
    Walk w = {
        .c = c,
        .r = present_paging(c),
        .nested = c->nested,
        .va = va,
        .access = ACCESS_LOAD,
        .debug = true,
    };

    if (!walk(&w)) {
        return false;
    }
    *pa = w.pa | (va & 0xfff);
    *attrs = cpu_attrs(c);
    return true;
}
