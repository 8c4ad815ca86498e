// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest memory accesses that the inline path does not take: TLB misses, accesses over a page's end,
 * devices, first writes to clean pages, watchpoints, ROM; and the loads and stores of helpers.
 *
 * A store over a page's end resolves both pages before its first byte, so that a fault leaves
 * memory as it was.
 */
#include "accel/tcg/tcg.h"

#include <string.h>
#include "util/main-loop.h"

static bool crosses_page(uint64_t va, unsigned size)
{
    return (va & PAGE_OFFSET) + size > PAGE_SIZE_MIN;
}

static void *host_of(const TlbEntry *e, uint64_t va)
{
    return (void *)(uintptr_t)(va + e->addend);
}

static uint64_t swap_bytes(uint64_t v, unsigned size)
{
    return size == 8   ? __builtin_bswap64(v)
           : size == 4 ? __builtin_bswap32((uint32_t)v)
           : size == 2 ? __builtin_bswap16((uint16_t)v)
                       : v;
}

/* Host memory in host order. Aligned accesses are single ones, as the guest may rely on. */
static uint64_t host_load(const void *p, unsigned size)
{
    uint64_t v = 0;

    if (((uintptr_t)p & (size - 1)) == 0) {
        switch (size) {
        case 1:
            return __atomic_load_n((const uint8_t *)p, __ATOMIC_RELAXED);
        case 2:
            return __atomic_load_n((const uint16_t *)p, __ATOMIC_RELAXED);
        case 4:
            return __atomic_load_n((const uint32_t *)p, __ATOMIC_RELAXED);
        default:
            return __atomic_load_n((const uint64_t *)p, __ATOMIC_RELAXED);
        }
    }
    memcpy(&v, p, size);
    return G_BYTE_ORDER == G_BIG_ENDIAN ? v >> (64 - 8 * size) : v;
}

static void host_store(void *p, uint64_t v, unsigned size)
{
    if (((uintptr_t)p & (size - 1)) == 0) {
        switch (size) {
        case 1:
            __atomic_store_n((uint8_t *)p, (uint8_t)v, __ATOMIC_RELAXED);
            return;
        case 2:
            __atomic_store_n((uint16_t *)p, (uint16_t)v, __ATOMIC_RELAXED);
            return;
        case 4:
            __atomic_store_n((uint32_t *)p, (uint32_t)v, __ATOMIC_RELAXED);
            return;
        default:
            __atomic_store_n((uint64_t *)p, v, __ATOMIC_RELAXED);
            return;
        }
    }
    if (G_BYTE_ORDER == G_BIG_ENDIAN) {
        v <<= 64 - 8 * size;
    }
    memcpy(p, &v, size);
}

static uint64_t to_host_order(uint64_t v, unsigned size, bool big)
{
    return big == (G_BYTE_ORDER == G_BIG_ENDIAN) ? v : swap_bytes(v, size);
}

/* ---- watchpoints, clean pages ---- */

void ldst_watch(Cpu *cpu, uint64_t va, unsigned size, MmuAccess access, uintptr_t host_pc)
{
    unsigned kind = access == ACCESS_STORE ? BP_WRITE : BP_READ;
    TcgCpu *t = tcg_cpu(cpu);

    if (t->watch_armed) {
        return;                        /* the access that was hit, now let through */
    }
    for (unsigned i = 0; cpu->watchpoints && i < cpu->watchpoints->len; i++) {
        Breakpoint *w = &g_array_index(cpu->watchpoints, Breakpoint, i);
        uint64_t at = tlb_untagged(va), first = tlb_untagged(w->va);
        if (!(w->flags & kind) || at + size <= first || first + w->len <= at) {
            continue;
        }
        if ((w->flags & BP_GUEST) && (w->flags & BP_HIT_STOPS_BEFORE)) {
            cpu->arch->watch_hit(cpu, w, va, size, access, host_pc);
            continue;
        }
        cpu->watchpoint_hit = w;
        if (w->flags & BP_HIT_STOPS_BEFORE) {
            cpu_raise(cpu, CPU_EXC_DEBUG, host_pc);
        }
        /* The instruction runs once more, alone and to its end; then it is reported. */
        t->watch_armed = true;
        t->single_next = true;
        cpu_leave(cpu, host_pc);
    }
}

static void set_dirty(RamBlock *b, DirtyClient c, uint64_t page)
{
    uint64_t bit = 1ull << (page % 64);

    if (!(__atomic_load_n(&b->dirty[c][page / 64], __ATOMIC_RELAXED) & bit)) {
        __atomic_or_fetch(&b->dirty[c][page / 64], bit, __ATOMIC_SEQ_CST);
    }
}

void ldst_not_dirty(Cpu *cpu, unsigned mmu_idx, unsigned index, uint64_t va, unsigned size,
                    uintptr_t host_pc)
{
    TlbFull *f = &cpu->tlb.full[mmu_idx][index];
    RamBlock *b = f->region->ram;
    uint64_t page = (f->ram - b->offset) >> PAGE_BITS_MIN;

    if (!(__atomic_load_n(&b->dirty[DIRTY_CODE][page / 64], __ATOMIC_SEQ_CST) >> (page % 64) & 1) &&
        !smc_is_data(f->ram + (va & PAGE_OFFSET), size)) {
        uint32_t insn;
        CodeBlock *current = host_pc ? cache_locate(cpu, host_pc, &insn) : NULL;
        if (smc_written(b, f->ram + (va & PAGE_OFFSET), size, current) && current &&
            current->insns > 1) {
            /* What follows in the running block is stale: this instruction again, alone. */
            tcg_cpu(cpu)->single_next = true;
            cpu_leave(cpu, host_pc);
        }
    }
    set_dirty(b, DIRTY_DISPLAY, page);
    set_dirty(b, DIRTY_MIGRATION, page);
    tlb_recheck_dirty(cpu, mmu_idx, &cpu->tlb.table[mmu_idx][index], f);
}

/* ---- devices ---- */

static void device_result(Cpu *cpu, MemResult r, hwaddr pa, uint64_t va, MmuAccess access,
                          uintptr_t host_pc)
{
    if (r != MEM_OK && cpu->arch->bus_error) {
        cpu->arch->bus_error(cpu, pa, va, access, host_pc);
    }
}

static uint64_t device_load(Cpu *cpu, const TlbFull *full, uint64_t va, unsigned size, bool big,
                            uintptr_t host_pc)
{
    TlbFull f = *full;                 /* a device may change the map and so the TLB */
    hwaddr pa = f.pa + (va & PAGE_OFFSET);
    uint64_t v = 0;
    MemResult r;

    cpu->mem_host_pc = host_pc;
    if (f.region && f.ram == RAM_NONE && (va & (size - 1)) == 0) {
        r = region_read(f.region, f.offset + (va & PAGE_OFFSET), &v, size,
                        big ? DEV_BIG : DEV_LITTLE, f.attrs);
    } else {
        uint8_t bytes[8];
        r = address_space_read(cpu->as, pa, f.attrs, bytes, size);
        for (unsigned i = 0; i < size; i++) {
            v |= (uint64_t)bytes[i] << 8 * (big ? size - 1 - i : i);
        }
    }
    cpu->mem_host_pc = 0;
    device_result(cpu, r, pa, va, ACCESS_LOAD, host_pc);
    return v;
}

static void device_store(Cpu *cpu, const TlbFull *full, uint64_t va, uint64_t v, unsigned size,
                         bool big, uintptr_t host_pc)
{
    TlbFull f = *full;
    hwaddr pa = f.pa + (va & PAGE_OFFSET);
    MemResult r;

    cpu->mem_host_pc = host_pc;
    if (f.region && (va & (size - 1)) == 0) {
        r = region_write(f.region, f.offset + (va & PAGE_OFFSET), v, size,
                         big ? DEV_BIG : DEV_LITTLE, f.attrs);
    } else {
        uint8_t bytes[8];
        for (unsigned i = 0; i < size; i++) {
            bytes[i] = (uint8_t)(v >> 8 * (big ? size - 1 - i : i));
        }
        r = address_space_write(cpu->as, pa, f.attrs, bytes, size);
    }
    cpu->mem_host_pc = 0;
    device_result(cpu, r, pa, va, ACCESS_STORE, host_pc);
}

/* ---- within a page, resolved ---- */

static uint64_t load_page(Cpu *cpu, unsigned mmu, unsigned i, uint64_t va, unsigned size, bool big,
                          uintptr_t host_pc)
{
    const TlbEntry *e = &cpu->tlb.table[mmu][i];

    if (e->read & TLB_WATCH) {
        ldst_watch(cpu, va, size, ACCESS_LOAD, host_pc);
    }
    if (e->read & TLB_MMIO) {
        return device_load(cpu, &cpu->tlb.full[mmu][i], va, size, big, host_pc);
    }
    return to_host_order(host_load(host_of(e, va), size), size, big);
}

static void store_page(Cpu *cpu, unsigned mmu, unsigned i, uint64_t va, uint64_t v, unsigned size,
                       bool big, uintptr_t host_pc)
{
    const TlbEntry *e = &cpu->tlb.table[mmu][i];

    if (e->write & TLB_WATCH) {
        ldst_watch(cpu, va, size, ACCESS_STORE, host_pc);
    }
    if (e->write & TLB_MMIO) {
        device_store(cpu, &cpu->tlb.full[mmu][i], va, v, size, big, host_pc);
        return;
    }
    if (e->write & TLB_READONLY) {
        return;
    }
    if (e->write & TLB_NOTDIRTY) {
        ldst_not_dirty(cpu, mmu, i, va, size, host_pc);
    }
    host_store(host_of(e, va), to_host_order(v, size, big), size);
}

/* ---- any place ---- */

static uint64_t load_any(Cpu *cpu, uint64_t va, unsigned size, bool big, unsigned mmu,
                         uintptr_t host_pc)
{
    if (!crosses_page(va, size)) {
        unsigned i = tlb_resolve(cpu, va, size, ACCESS_LOAD, mmu, host_pc);
        return load_page(cpu, mmu, i, va, size, big, host_pc);
    }
    unsigned first = (unsigned)(PAGE_SIZE_MIN - (va & PAGE_OFFSET));
    tlb_resolve(cpu, va, first, ACCESS_LOAD, mmu, host_pc);
    tlb_resolve(cpu, va + first, size - first, ACCESS_LOAD, mmu, host_pc);
    uint64_t v = 0;
    for (unsigned n = 0; n < size; n++) {
        unsigned i = tlb_resolve(cpu, va + n, 1, ACCESS_LOAD, mmu, host_pc);
        uint64_t b = load_page(cpu, mmu, i, va + n, 1, big, host_pc);
        v |= b << 8 * (big ? size - 1 - n : n);
    }
    return v;
}

/* Both pages of [va, va + size) are writable, and nothing about them may make us leave later. */
static void store_prepare(Cpu *cpu, uint64_t va, unsigned size, unsigned mmu, uintptr_t host_pc)
{
    unsigned first = (unsigned)(PAGE_SIZE_MIN - (va & PAGE_OFFSET));

    tlb_resolve(cpu, va, first, ACCESS_STORE, mmu, host_pc);
    tlb_resolve(cpu, va + first, size - first, ACCESS_STORE, mmu, host_pc);
    for (unsigned part = 0; part < 2; part++) {
        uint64_t at = part ? va + first : va;
        unsigned len = part ? size - first : first;
        unsigned i = tlb_resolve(cpu, at, len, ACCESS_STORE, mmu, host_pc);
        uint64_t flags = cpu->tlb.table[mmu][i].write;
        if (flags & TLB_WATCH) {
            ldst_watch(cpu, at, len, ACCESS_STORE, host_pc);
        }
        if ((flags & TLB_NOTDIRTY) && !(flags & (TLB_MMIO | TLB_READONLY))) {
            ldst_not_dirty(cpu, mmu, i, at, len, host_pc);
        }
    }
}

static void store_any(Cpu *cpu, uint64_t va, uint64_t v, unsigned size, bool big, unsigned mmu,
                      uintptr_t host_pc)
{
    if (!crosses_page(va, size)) {
        unsigned i = tlb_resolve(cpu, va, size, ACCESS_STORE, mmu, host_pc);
        store_page(cpu, mmu, i, va, v, size, big, host_pc);
        return;
    }
    store_prepare(cpu, va, size, mmu, host_pc);
    for (unsigned n = 0; n < size; n++) {
        unsigned i = tlb_resolve(cpu, va + n, 1, ACCESS_STORE, mmu, host_pc);
        store_page(cpu, mmu, i, va + n, v >> 8 * (big ? size - 1 - n : n) & 0xff, 1, big, host_pc);
    }
}

static void check_alignment(Cpu *cpu, uint64_t va, uint32_t oi, MmuAccess access,
                            uintptr_t host_pc)
{
    unsigned size = 1u << (oi & MEM_SIZE);

    if ((oi & MEM_ALIGN) && (va & (size - 1)) && cpu->arch->unaligned) {
        cpu->arch->unaligned(cpu, va, access, oi >> 8 & 0xff, host_pc);
    }
}

static uint64_t extend(uint64_t v, uint32_t oi)
{
    unsigned unused_bits = 64 - (8u << (oi & MEM_SIZE));

    return oi & MEM_SIGN ? (uint64_t)((int64_t)(v << unused_bits) >> unused_bits) : v;
}

/* ---- from generated code ---- */

uint64_t tcg_load_slow(Cpu *cpu, uint64_t va, uint32_t oi, uintptr_t host_pc)
{
    check_alignment(cpu, va, oi, ACCESS_LOAD, host_pc);
    return extend(load_any(cpu, va, 1u << (oi & MEM_SIZE), oi & MEM_BIG, oi >> 8 & 0xff, host_pc),
                  oi);
}

void tcg_store_slow(Cpu *cpu, uint64_t va, uint64_t value, uint32_t oi, uintptr_t host_pc)
{
    check_alignment(cpu, va, oi, ACCESS_STORE, host_pc);
    store_any(cpu, va, value, 1u << (oi & MEM_SIZE), oi & MEM_BIG, oi >> 8 & 0xff, host_pc);
}

Vec128 tcg_load128_slow(Cpu *cpu, uint64_t va, uint32_t oi, uintptr_t host_pc)
{
    unsigned mmu = oi >> 8 & 0xff;
    bool big = oi & MEM_BIG;

    check_alignment(cpu, va, oi, ACCESS_LOAD, host_pc);
    uint64_t a = load_any(cpu, va, 8, big, mmu, host_pc);
    uint64_t b = load_any(cpu, va + 8, 8, big, mmu, host_pc);
    return big ? (Vec128){(long long)b, (long long)a} : (Vec128){(long long)a, (long long)b};
}

void tcg_store128_slow(Cpu *cpu, uint64_t va, Vec128 value, uint32_t oi, uintptr_t host_pc)
{
    unsigned mmu = oi >> 8 & 0xff;
    bool big = oi & MEM_BIG;

    const unsigned whole = MAX(16u, 1u << (oi & MEM_SIZE));

    check_alignment(cpu, va, oi, ACCESS_STORE, host_pc);
    if (crosses_page(va, whole)) {
        store_prepare(cpu, va, whole, mmu, host_pc);
    } else {
        tlb_resolve(cpu, va, 16, ACCESS_STORE, mmu, host_pc);
    }
    store_any(cpu, va, (uint64_t)value[big ? 1 : 0], 8, big, mmu, host_pc);
    store_any(cpu, va + 8, (uint64_t)value[big ? 0 : 1], 8, big, mmu, host_pc);
}

/* ---- from helpers ---- */

uint64_t cpu_load(Cpu *cpu, uint64_t va, unsigned size_log2, unsigned mmu_idx, uintptr_t host_pc)
{
    unsigned size = 1u << size_log2;
    const TlbEntry *e = &cpu->tlb.table[mmu_idx][tlb_index(va)];
    bool big = cpu->arch->endian == DEV_BIG;

    if (e->read == (va & (PAGE_MASK | (size - 1)))) {
        return to_host_order(host_load(host_of(e, va), size), size, big);
    }
    return load_any(cpu, va, size, big, mmu_idx, host_pc);
}

void cpu_store(Cpu *cpu, uint64_t va, uint64_t value, unsigned size_log2, unsigned mmu_idx,
               uintptr_t host_pc)
{
    unsigned size = 1u << size_log2;
    const TlbEntry *e = &cpu->tlb.table[mmu_idx][tlb_index(va)];
    bool big = cpu->arch->endian == DEV_BIG;

    if (e->write == (va & (PAGE_MASK | (size - 1)))) {
        host_store(host_of(e, va), to_host_order(value, size, big), size);
        return;
    }
    store_any(cpu, va, value, size, big, mmu_idx, host_pc);
}

static size_t page_rest(uint64_t va, size_t len)
{
    return MIN(len, PAGE_SIZE_MIN - (va & PAGE_OFFSET));
}

static void resolve_range(Cpu *cpu, uint64_t va, size_t len, MmuAccess access, unsigned mmu,
                          uintptr_t host_pc)
{
    while (len > 0) {
        size_t n = page_rest(va, len);
        tlb_resolve(cpu, va, (unsigned)n, access, mmu, host_pc);
        va += n;
        len -= n;
    }
}

void cpu_load_bytes(Cpu *cpu, uint64_t va, void *buf, size_t len, unsigned mmu_idx,
                    uintptr_t host_pc)
{
    uint8_t *p = buf;

    resolve_range(cpu, va, len, ACCESS_LOAD, mmu_idx, host_pc);
    while (len > 0) {
        size_t n = page_rest(va, len);
        unsigned i = tlb_resolve(cpu, va, (unsigned)n, ACCESS_LOAD, mmu_idx, host_pc);
        const TlbEntry *e = &cpu->tlb.table[mmu_idx][i];
        if (e->read & TLB_WATCH) {
            ldst_watch(cpu, va, (unsigned)n, ACCESS_LOAD, host_pc);
        }
        if (e->read & TLB_MMIO) {
            TlbFull f = cpu->tlb.full[mmu_idx][i];
            hwaddr pa = f.pa + (va & PAGE_OFFSET);
            MemResult r = address_space_read(cpu->as, pa, f.attrs, p, n);
            device_result(cpu, r, pa, va, ACCESS_LOAD, host_pc);
        } else {
            memcpy(p, host_of(e, va), n);
        }
        va += n;
        p += n;
        len -= n;
    }
}

void cpu_store_bytes(Cpu *cpu, uint64_t va, const void *buf, size_t len, unsigned mmu_idx,
                     uintptr_t host_pc)
{
    const uint8_t *p = buf;

    resolve_range(cpu, va, len, ACCESS_STORE, mmu_idx, host_pc);
    while (len > 0) {
        size_t n = page_rest(va, len);
        unsigned i = tlb_resolve(cpu, va, (unsigned)n, ACCESS_STORE, mmu_idx, host_pc);
        const TlbEntry *e = &cpu->tlb.table[mmu_idx][i];
        uint64_t flags = e->write & PAGE_OFFSET;
        if (flags & TLB_WATCH) {
            ldst_watch(cpu, va, (unsigned)n, ACCESS_STORE, host_pc);
        }
        if (flags & TLB_MMIO) {
            TlbFull f = cpu->tlb.full[mmu_idx][i];
            hwaddr pa = f.pa + (va & PAGE_OFFSET);
            MemResult r = address_space_write(cpu->as, pa, f.attrs, p, n);
            device_result(cpu, r, pa, va, ACCESS_STORE, host_pc);
        } else if (!(flags & TLB_READONLY)) {
            if (flags & TLB_NOTDIRTY) {
                ldst_not_dirty(cpu, mmu_idx, i, va, (unsigned)n, host_pc);
            }
            memcpy(host_of(e, va), p, n);
        }
        va += n;
        p += n;
        len -= n;
    }
}

void *cpu_probe(Cpu *cpu, uint64_t va, size_t size, MmuAccess access, unsigned mmu_idx,
                uintptr_t host_pc)
{
    unsigned i = tlb_resolve(cpu, va, (unsigned)size, access, mmu_idx, host_pc);
    const TlbEntry *e = &cpu->tlb.table[mmu_idx][i];
    uint64_t flags = tlb_comparator(e, access) & PAGE_OFFSET;

    if (flags & TLB_WATCH) {
        ldst_watch(cpu, va, (unsigned)size, access, host_pc);
    }
    if (flags & (TLB_MMIO | TLB_READONLY)) {
        return NULL;
    }
    if ((flags & TLB_NOTDIRTY) && access == ACCESS_STORE) {
        ldst_not_dirty(cpu, mmu_idx, i, va, (unsigned)size, host_pc);
    }
    return host_of(e, va);
}
