// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The soft TLB: entering translations, victims, flushes, and taking away fast write paths.
 *
 * Only the owner fills and flushes. Another thread does one thing to a TLB: it ORs TLB_NOTDIRTY
 * into write comparators (tlb_protect_host). The page's dirty bit is cleared before that, and the
 * owner looks at the bit again after it has entered a comparator: one of the two sees the other.
 */
#include "accel/tcg/tcg.h"

#include "util/main-loop.h"

/* ---- flushes ---- */

static const TlbEntry empty_entry = {.read = UINT64_MAX, .write = UINT64_MAX, .code = UINT64_MAX};

static void flush_victims(CpuTlb *tlb, unsigned mmu, bool keep_global)
{
    for (unsigned v = 0; v < TLB_VICTIMS; v++) {
        if (!keep_global || !tlb->victim_full[mmu][v].global) {
            tlb->victim[mmu][v] = empty_entry;
        }
    }
}

static void flush_large(Cpu *cpu, unsigned mmu, bool keep_global)
{
    uint64_t *used = &tcg_cpu(cpu)->large_used[mmu];

    G_STATIC_ASSERT(LARGE_PAGES == 64);
    for (uint64_t m = *used; m; m &= m - 1) {
        LargePage *p = &cpu->tlb.large[mmu][__builtin_ctzll(m)];
        if (!keep_global || !p->full.global) {
            p->full.prot = 0;
            *used &= ~(m & -m);
        }
    }
}

/* Anybody's; other threads after the change to comparators that it is about. */
static void forget_streams(CpuTlb *tlb)
{
    for (unsigned i = 0; i < TLB_STREAMS; i++) {
        __atomic_store_n(&tlb->streams[i].limit, 0, __ATOMIC_RELEASE);
    }
}

static void flush_mode(Cpu *cpu, unsigned mmu, bool keep_global)
{
    CpuTlb *tlb = &cpu->tlb;
    uint64_t *filled = tcg_cpu(cpu)->tlb_filled[mmu], *local = tcg_cpu(cpu)->tlb_local[mmu];

    if (tlb->used[mmu] == 0 || (keep_global && !tcg_cpu(cpu)->any_local[mmu])) {
        return;
    }
    tcg_cpu(cpu)->any_local[mmu] = false;
    for (unsigned w = 0; w < TLB_SIZE / 64; w++) {
        uint64_t go = keep_global ? local[w] : filled[w];
        for (uint64_t m = go; m; m &= m - 1) {
            tlb->table[mmu][w * 64 + (unsigned)__builtin_ctzll(m)] = empty_entry;
        }
        if (go) {
            filled[w] &= ~go;
            local[w] = 0;
        }
    }
    flush_victims(tlb, mmu, keep_global);
    flush_large(cpu, mmu, keep_global);
    if (!keep_global) {
        tlb->large_va[mmu] = UINT64_MAX;
        tlb->large_mask[mmu] = 0;
        memset(tcg_cpu(cpu)->large_units[mmu], 0, sizeof(tcg_cpu(cpu)->large_units[mmu]));
    }
    tlb->used[mmu] = keep_global;
}

void tlb_flush_now(Cpu *cpu)
{
    tcg_cpu(cpu)->counts.tlb_flushes++;
    cpu->tlb.flushes++;
    forget_streams(&cpu->tlb);
    for (unsigned mmu = 0; mmu < MMU_MODES; mmu++) {
        flush_mode(cpu, mmu, false);
    }
    jump_cache_flush(cpu);
    spaces_forget(cpu);
}

void tlb_flush(Cpu *cpu)
{
    if (cpu->block_cache) {
        tlb_flush_now(cpu);
    }
}

void tlb_flush_modes(Cpu *cpu, uint32_t mode_mask)
{
    if (!cpu->block_cache) {
        return;
    }
    tcg_cpu(cpu)->counts.tlb_flushes++;
    cpu->tlb.flushes++;
    forget_streams(&cpu->tlb);
    for (unsigned mmu = 0; mmu < MMU_MODES; mmu++) {
        if (mode_mask >> mmu & 1) {
            flush_mode(cpu, mmu, false);
        }
    }
    jump_cache_flush(cpu);
    spaces_forget(cpu);
}

static void flush_local(Cpu *cpu)
{
    cpu->tlb.flushes++;
    forget_streams(&cpu->tlb);
    for (unsigned mmu = 0; mmu < MMU_MODES; mmu++) {
        flush_mode(cpu, mmu, true);
    }
}

void tlb_flush_nonglobal(Cpu *cpu)
{
    if (!cpu->block_cache) {
        return;
    }
    tcg_cpu(cpu)->counts.tlb_flushes++;
    flush_local(cpu);
    spaces_forget_local(cpu);
}

void tlb_switch_space(Cpu *cpu, uint64_t name)
{
    if (cpu->block_cache && !space_is_current(cpu, name)) {
        flush_local(cpu);
        space_enter(cpu, name);
    }
}

void tlb_flush_space(Cpu *cpu, uint64_t name)
{
    if (cpu->block_cache && space_forget(cpu, name)) {
        tcg_cpu(cpu)->counts.tlb_flushes++;
        flush_local(cpu);
    }
}

static bool entry_is_page(const TlbEntry *e, uint64_t page)
{
    uint64_t mask = PAGE_MASK | TLB_INVALID;

    return (e->read & mask) == page || (e->write & mask) == page || (e->code & mask) == page;
}

static bool entry_in_large_page(const TlbEntry *e, const TlbFull *f, uint64_t va)
{
    uint64_t page = !(e->read & TLB_INVALID)    ? e->read
                    : !(e->write & TLB_INVALID) ? e->write
                                                : e->code;

    return f->page_bits > PAGE_BITS_MIN && ((page ^ va) >> f->page_bits) == 0;
}

/* Whether large pages may lie in va's MiB: few flushed pages are near one. */
static bool near_large_page(Cpu *cpu, unsigned mmu, uint64_t va)
{
    unsigned unit = (unsigned)(va >> 20) & 1023;

    return tcg_cpu(cpu)->large_units[mmu][unit / 64] >> (unit % 64) & 1;
}

/* All entries of a large page that va is in. */
static void flush_large_page(Cpu *cpu, unsigned mmu, uint64_t va)
{
    CpuTlb *tlb = &cpu->tlb;
    uint64_t *filled = tcg_cpu(cpu)->tlb_filled[mmu];

    for (unsigned i = 0; i < LARGE_PAGES; i++) {
        LargePage *p = &cpu->tlb.large[mmu][i];
        if (((p->va ^ va) >> p->full.page_bits) == 0) {
            p->full.prot = 0;
        }
    }
    for (unsigned w = 0; w < TLB_SIZE / 64; w++) {
        for (uint64_t m = filled[w]; m; m &= m - 1) {
            unsigned i = w * 64 + (unsigned)__builtin_ctzll(m);
            if (entry_in_large_page(&tlb->table[mmu][i], &tlb->full[mmu][i], va)) {
                tlb->table[mmu][i] = empty_entry;
            }
        }
    }
    for (unsigned v = 0; v < TLB_VICTIMS; v++) {
        if (entry_in_large_page(&tlb->victim[mmu][v], &tlb->victim_full[mmu][v], va)) {
            tlb->victim[mmu][v] = empty_entry;
        }
    }
}

void tlb_flush_page(Cpu *cpu, uint64_t va)
{
    CpuTlb *tlb = &cpu->tlb;
    uint64_t page = va & PAGE_MASK;
    unsigned bits = PAGE_BITS_MIN;

    if (!cpu->block_cache) {
        return;
    }
    tcg_cpu(cpu)->counts.tlb_page_flushes++;
    tlb->flushes++;
    forget_streams(tlb);
    for (unsigned mmu = 0; mmu < MMU_MODES; mmu++) {
        if (tlb->used[mmu] == 0) {
            continue;
        }
        /* One range stands for all large pages: only inside it are they looked for. */
        if ((va & tlb->large_mask[mmu]) == tlb->large_va[mmu] && near_large_page(cpu, mmu, va)) {
            flush_large_page(cpu, mmu, va);
            store_forget(cpu);
            bits = MAX(bits, tcg_cpu(cpu)->large_bits);
        }
        unsigned i = tlb_index(va);
        if (entry_is_page(&tlb->table[mmu][i], page)) {
            tlb->table[mmu][i] = empty_entry;
        }
        for (unsigned v = 0; v < TLB_VICTIMS; v++) {
            if (entry_is_page(&tlb->victim[mmu][v], page)) {
                tlb->victim[mmu][v] = empty_entry;
            }
        }
    }
    store_forget_page(cpu, page);
    jump_cache_flush_around(cpu, va, bits);
}

static void flush_work(Cpu *cpu, uint64_t data)
{
    tlb_flush_now(cpu);
}

void tlb_flush_all_cpus(Vm *vm)
{
    for (unsigned i = 0; vm->cpus && i < vm->cpus->len; i++) {
        Cpu *cpu = vm->cpus->pdata[i];
        if (!cpu->block_cache) {
            continue;
        }
        if (cpu == current_cpu()) {
            tlb_flush_now(cpu);
            atomic_store(&cpu->attention, 1);
        } else {
            cpu_run_on(cpu, flush_work, 0);
        }
    }
}

void tlb_init(Cpu *cpu)
{
    CpuTlb *tlb = &cpu->tlb;

    for (unsigned mmu = 0; mmu < MMU_MODES; mmu++) {
        for (unsigned i = 0; i < TLB_SIZE; i++) {
            tlb->table[mmu][i] = empty_entry;
        }
        flush_victims(tlb, mmu, false);
        flush_large(cpu, mmu, false);
        tlb->large_va[mmu] = UINT64_MAX;
        tlb->large_mask[mmu] = 0;
        tlb->used[mmu] = 0;
    }
}

/* ---- dirty pages ---- */

static bool bit_is_set(const unsigned long *map, uint64_t page)
{
    return __atomic_load_n(&map[page / 64], __ATOMIC_RELAXED) >> (page % 64) & 1;
}

/* Whether the first write to the page has nothing to do any more. */
static bool page_is_dirty(const TlbFull *f)
{
    RamBlock *b = f->region->ram;
    uint64_t page = (f->ram - b->offset) >> PAGE_BITS_MIN;

    return bit_is_set(b->dirty[DIRTY_CODE], page) && bit_is_set(b->dirty[DIRTY_MIGRATION], page) &&
           (!f->region->dirty_display || bit_is_set(b->dirty[DIRTY_DISPLAY], page));
}

void tlb_recheck_dirty(Cpu *cpu, unsigned mmu_idx, TlbEntry *e, const TlbFull *f)
{
    if (f->ram == RAM_NONE || (e->write & (TLB_INVALID | TLB_MMIO | TLB_READONLY))) {
        return;
    }
    if (page_is_dirty(f)) {
        smc_grant(f->ram);
        __atomic_and_fetch(&e->write, ~(uint64_t)TLB_NOTDIRTY, __ATOMIC_SEQ_CST);
    } else {
        __atomic_or_fetch(&e->write, TLB_NOTDIRTY, __ATOMIC_SEQ_CST);
        return;
    }
    if (!page_is_dirty(f)) {           /* cleared between: see the head of the file */
        __atomic_or_fetch(&e->write, TLB_NOTDIRTY, __ATOMIC_SEQ_CST);
    }
}

static void protect_entry(TlbEntry *e, const uint8_t *host, uint64_t len)
{
    uint64_t w = __atomic_load_n(&e->write, __ATOMIC_RELAXED);

    if (w & (TLB_INVALID | TLB_MMIO | TLB_READONLY | TLB_NOTDIRTY)) {
        return;
    }
    if ((uintptr_t)((w & PAGE_MASK) + e->addend) - (uintptr_t)host < len) {
        __atomic_or_fetch(&e->write, TLB_NOTDIRTY, __ATOMIC_SEQ_CST);
    }
}

void tlb_protect_host(const uint8_t *host, uint64_t len)
{
    pthread_mutex_lock(&tcg->blocks_lock);
    for (unsigned c = 0; c < tcg->cpus->len; c++) {
        Cpu *cpu = tcg->cpus->pdata[c];
        for (unsigned mmu = 0; mmu < MMU_MODES; mmu++) {
            if (__atomic_load_n(&cpu->tlb.used[mmu], __ATOMIC_SEQ_CST) == 0) {
                continue;
            }
            /* The owner looks at the page once more after it has marked an entry as filled. */
            for (unsigned w = 0; w < TLB_SIZE / 64; w++) {
                uint64_t m = __atomic_load_n(&tcg_cpu(cpu)->tlb_filled[mmu][w], __ATOMIC_RELAXED);
                for (; m; m &= m - 1) {
                    protect_entry(&cpu->tlb.table[mmu][w * 64 + (unsigned)__builtin_ctzll(m)], host,
                                  len);
                }
            }
            for (unsigned v = 0; v < TLB_VICTIMS; v++) {
                protect_entry(&cpu->tlb.victim[mmu][v], host, len);
            }
        }
        forget_streams(&cpu->tlb);
    }
    pthread_mutex_unlock(&tcg->blocks_lock);
}

/* ---- filling ---- */

static uint64_t watch_flag(const Cpu *cpu, uint64_t page, unsigned kind)
{
    page = tlb_untagged(page);
    for (unsigned i = 0; cpu->watchpoints && i < cpu->watchpoints->len; i++) {
        const Breakpoint *w = &g_array_index(cpu->watchpoints, Breakpoint, i);
        uint64_t first = tlb_untagged(w->va);
        if ((w->flags & kind) && first < page + PAGE_SIZE_MIN && first + w->len > page) {
            return TLB_WATCH;
        }
    }
    return 0;
}

static void note_large_units(Cpu *cpu, unsigned mmu, uint64_t va, unsigned page_bits)
{
    uint64_t *units = tcg_cpu(cpu)->large_units[mmu];
    unsigned count = page_bits >= 30 ? 1024 : page_bits > 20 ? 1u << (page_bits - 20) : 1;
    unsigned first = (unsigned)((va & ~(((uint64_t)1 << page_bits) - 1)) >> 20);

    for (unsigned i = 0; i < count; i++) {
        unsigned unit = (first + i) & 1023;

        units[unit / 64] |= 1ull << (unit % 64);
    }
}

static void note_large_page(CpuTlb *tlb, unsigned mmu, uint64_t va, unsigned page_bits)
{
    uint64_t mask = ~(((uint64_t)1 << page_bits) - 1);

    if (tlb->large_va[mmu] != UINT64_MAX) {
        mask &= tlb->large_mask[mmu];
        while ((tlb->large_va[mmu] ^ va) & mask) {
            mask <<= 1;
        }
    }
    tlb->large_mask[mmu] = mask;
    tlb->large_va[mmu] = va & mask;
}

/* Keeps 2 MiB of a large page if they are ordinary RAM. */
static void note_large_ram(Cpu *cpu, unsigned mmu, uint64_t va, const TlbFull *f)
{
    const uint64_t inside = ((uint64_t)1 << LARGE_BITS) - 1;
    LargePage *p = &cpu->tlb.large[mmu][va >> LARGE_BITS & (LARGE_PAGES - 1)];
    Section s = address_space_lookup(cpu->as, f->pa & ~inside, false, f->attrs);

    if (!s.region || s.len <= inside || s.region->kind != REGION_RAM || s.readonly) {
        return;
    }
    tcg_cpu(cpu)->large_used[mmu] |= 1ull << (p - cpu->tlb.large[mmu]);
    *p = (LargePage){.va = va & ~inside, .full = *f};
    p->full.pa &= ~inside;
    p->full.region = s.region;
    p->full.offset = s.offset;
    p->full.ram = s.region->ram->offset + s.region->ram_offset + s.offset;
    p->addend = (uintptr_t)region_host(s.region) + s.offset - p->va;
}

/* What lies behind the page and which flags follow from it. */
static void describe_page(Cpu *cpu, TlbFull *f, TlbEntry *e, uint64_t va)
{
    Section s = address_space_lookup(cpu->as, f->pa, false, f->attrs);
    uint64_t read = va, write = va, code = va;

    f->ram = RAM_NONE;
    if (!s.region || s.len < PAGE_SIZE_MIN) {
        f->region = NULL;              /* nothing, or several things: each access asks again */
        f->offset = 0;
        read |= TLB_MMIO;
        write |= TLB_MMIO;
        code |= TLB_MMIO;
    } else {
        Region *r = s.region;
        bool direct = r->kind == REGION_RAM || r->kind == REGION_ROM ||
                      (r->kind == REGION_ROMD && r->romd);
        f->region = r;
        f->offset = s.offset;
        if (direct) {
            f->ram = r->ram->offset + r->ram_offset + s.offset;
            e->addend = (uintptr_t)region_host(r) + s.offset - va;
        } else {
            read |= TLB_MMIO;
            code |= TLB_MMIO;
        }
        if (r->kind == REGION_IO || r->kind == REGION_ROMD) {
            write |= TLB_MMIO;
        } else if (s.readonly || r->kind == REGION_ROM) {
            write |= TLB_READONLY;
        }
    }
    if (f->page_bits < PAGE_BITS_MIN) {
        read |= TLB_CHECK;
        write |= TLB_CHECK;
        code |= TLB_CHECK;
    }
    e->read = f->prot & TLB_PROT_READ ? read | watch_flag(cpu, va, BP_READ) : UINT64_MAX;
    e->write = f->prot & TLB_PROT_WRITE ? write | watch_flag(cpu, va, BP_WRITE) : UINT64_MAX;
    e->code = f->prot & TLB_PROT_EXEC ? code : UINT64_MAX;
}

static void note_filled(Cpu *cpu, unsigned mmu, unsigned i)
{
    TcgCpu *t = tcg_cpu(cpu);
    uint64_t bit = 1ull << (i % 64);

    __atomic_store_n(&t->tlb_filled[mmu][i / 64], t->tlb_filled[mmu][i / 64] | bit,
                     __ATOMIC_RELAXED);
    if (cpu->tlb.full[mmu][i].global) {
        t->tlb_local[mmu][i / 64] &= ~bit;
    } else {
        t->tlb_local[mmu][i / 64] |= bit;
        t->any_local[mmu] = true;
    }
}

static void enter(Cpu *cpu, unsigned mmu_idx, uint64_t va, const TlbEntry *new, const TlbFull *f)
{
    CpuTlb *tlb = &cpu->tlb;
    unsigned i = tlb_index(va);
    TlbEntry *e = &tlb->table[mmu_idx][i];

    for (unsigned s = 0; s < TLB_STREAMS; s++) {
        if (tlb->streams[s].page == va) {       /* it may be another one now */
            tlb->streams[s].limit = 0;
        }
    }
    /* Whoever protects a page now must find this mode in use. */
    __atomic_store_n(&tlb->used[mmu_idx], tlb->used[mmu_idx] + 1, __ATOMIC_SEQ_CST);
    if (!entry_is_page(e, va) &&
        !((e->read & TLB_INVALID) && (e->write & TLB_INVALID) && (e->code & TLB_INVALID))) {
        unsigned v = tlb->victim_next[mmu_idx]++ % TLB_VICTIMS;
        tlb->victim[mmu_idx][v] = *e;
        tlb->victim_full[mmu_idx][v] = tlb->full[mmu_idx][i];
        tlb_recheck_dirty(cpu, mmu_idx, &tlb->victim[mmu_idx][v], &tlb->victim_full[mmu_idx][v]);
    }
    tlb->full[mmu_idx][i] = *f;
    *e = *new;
    note_filled(cpu, mmu_idx, i);
    tlb_recheck_dirty(cpu, mmu_idx, e, &tlb->full[mmu_idx][i]);
}

void tlb_set(Cpu *cpu, unsigned mmu_idx, uint64_t va, hwaddr pa, MemAttrs attrs, unsigned prot,
             unsigned page_bits, bool global)
{
    TcgCpu *t = tcg_cpu(cpu);
    TlbEntry new = {0};
    TlbFull f = {
        .pa = pa & PAGE_MASK,
        .attrs = attrs,
        .prot = (uint8_t)prot,
        .page_bits = (uint8_t)page_bits,
        .global = global,
    };

    va &= PAGE_MASK;
    f.attrs.is_cpu = 1;
    f.attrs.cpu_index = cpu->index & 0x1fff;
    if (page_bits > PAGE_BITS_MIN) {
        note_large_page(&cpu->tlb, mmu_idx, va, page_bits);
        note_large_units(cpu, mmu_idx, va, page_bits);
        t->large_bits = MAX(t->large_bits, page_bits);
    }
    if (page_bits >= LARGE_BITS) {
        note_large_ram(cpu, mmu_idx, va, &f);
    }
    describe_page(cpu, &f, &new, va);
    t->counts.tlb_fills++;
    store_put(cpu, mmu_idx, va, &new, &f);
    enter(cpu, mmu_idx, va, &new, &f);
}

/* True: a large page that has been looked up before allows the access, and the page is entered. */
static bool fill_from_large(Cpu *cpu, uint64_t va, MmuAccess access, unsigned mmu)
{
    static const uint8_t need[] = {
        [ACCESS_LOAD] = TLB_PROT_READ,
        [ACCESS_STORE] = TLB_PROT_WRITE,
        [ACCESS_FETCH] = TLB_PROT_EXEC,
    };
    const LargePage *p = &cpu->tlb.large[mmu][va >> LARGE_BITS & (LARGE_PAGES - 1)];
    uint64_t offset = (va & PAGE_MASK) - p->va;

    if (offset >> LARGE_BITS || !(p->full.prot & need[access]) ||
        (cpu->watchpoints && cpu->watchpoints->len)) {
        return false;
    }
    va &= PAGE_MASK;
    TlbFull f = p->full;
    TlbEntry new = {
        .read = f.prot & TLB_PROT_READ ? va : UINT64_MAX,
        .write = f.prot & TLB_PROT_WRITE ? va : UINT64_MAX,
        .code = f.prot & TLB_PROT_EXEC ? va : UINT64_MAX,
        .addend = p->addend,
    };
    f.pa += offset;
    f.offset += offset;
    f.ram += offset;
    tcg_cpu(cpu)->counts.tlb_large_fills++;
    store_put(cpu, mmu, va, &new, &f);
    enter(cpu, mmu, va, &new, &f);
    return true;
}

/* ---- looking up ---- */

static bool comparator_hits(uint64_t cmp, uint64_t va)
{
    return (cmp & (PAGE_MASK | TLB_INVALID | TLB_CHECK)) == (va & PAGE_MASK);
}

static bool take_victim(Cpu *cpu, uint64_t va, MmuAccess access, unsigned mmu, unsigned i)
{
    CpuTlb *tlb = &cpu->tlb;

    for (unsigned v = 0; v < TLB_VICTIMS; v++) {
        if (!comparator_hits(tlb_comparator(&tlb->victim[mmu][v], access), va)) {
            continue;
        }
        TlbEntry e = tlb->table[mmu][i];
        TlbFull f = tlb->full[mmu][i];
        tlb->table[mmu][i] = tlb->victim[mmu][v];
        tlb->full[mmu][i] = tlb->victim_full[mmu][v];
        tlb->victim[mmu][v] = e;
        tlb->victim_full[mmu][v] = f;
        tlb_recheck_dirty(cpu, mmu, &tlb->table[mmu][i], &tlb->full[mmu][i]);
        tlb_recheck_dirty(cpu, mmu, &tlb->victim[mmu][v], &tlb->victim_full[mmu][v]);
        note_filled(cpu, mmu, i);
        return true;
    }
    return false;
}

static bool lookup(Cpu *cpu, uint64_t va, unsigned size, MmuAccess access, unsigned mmu,
                   bool probe, uintptr_t host_pc, unsigned *index)
{
    unsigned i = tlb_index(va);

    *index = i;
    if (comparator_hits(tlb_comparator(&cpu->tlb.table[mmu][i], access), va) ||
        take_victim(cpu, va, access, mmu, i)) {
        return true;
    }
    const StoredPage *kept = store_find(cpu, mmu, va);
    if (kept && comparator_hits(tlb_comparator(&kept->entry, access), va)) {
        enter(cpu, mmu, va & PAGE_MASK, &kept->entry, &kept->full);
        return true;
    }
    if (fill_from_large(cpu, va, access, mmu)) {
        return true;
    }
    if (!cpu->arch->tlb_fill(cpu, va, size, access, mmu, probe, host_pc)) {
        return false;
    }
    return comparator_hits(tlb_comparator(&cpu->tlb.table[mmu][i], access) & ~(uint64_t)TLB_CHECK,
                           va);
}

unsigned tlb_resolve(Cpu *cpu, uint64_t va, unsigned size, MmuAccess access, unsigned mmu_idx,
                     uintptr_t host_pc)
{
    unsigned i;
    bool ok = lookup(cpu, va, size, access, mmu_idx, false, host_pc, &i);

    g_assert(ok);                      /* tlb_fill's promise: it enters the page or raises */
    return i;
}

bool tlb_try(Cpu *cpu, uint64_t va, MmuAccess access, unsigned mmu_idx, unsigned *index)
{
    return lookup(cpu, va, 1, access, mmu_idx, true, 0, index);
}
