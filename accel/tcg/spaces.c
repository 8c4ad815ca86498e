// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Address spaces that targets tell apart by name (ASID, PCID). When the guest changes to another
 * one, what is not global leaves the TLB, but translations stay in a store and blocks in a jump
 * cache of the space that was left, until it is entered again. What is kept is valid while it
 * carries the life of its space, or that of all global pages; a flush gives new lives.
 */
#include "accel/tcg/tcg.h"

/* ---- jump caches ---- */

static void cache_clear(Jumps *s)
{
    for (unsigned w = 0; s->any && w < ARRAY_COUNT(s->used); w++) {
        for (uint64_t m = s->used[w]; m; m &= m - 1) {
            s->cache.e[w * 64 + (unsigned)__builtin_ctzll(m)] = (JumpCacheEntry){0};
        }
        s->used[w] = s->local[w] = 0;
    }
    s->any = false;
}

/*
 * Of a jump cache's words [from, to): entries of blocks that begin in [va, va + size), or in the
 * page before.
 */
static void flush_words(Jumps *s, uint64_t va, uint64_t size, unsigned from, unsigned to)
{
    for (unsigned w = from; w < to; w++) {
        for (uint64_t m = s->used[w]; m; m &= m - 1) {
            JumpCacheEntry *e = &s->cache.e[w * 64 + (unsigned)__builtin_ctzll(m)];
            uint64_t page = e->pc & PAGE_MASK;
            if (page - va < size || va - page == PAGE_SIZE_MIN) {
                *e = (JumpCacheEntry){0};
            }
        }
    }
}

static void cache_flush_around(Jumps *s, uint64_t va, unsigned page_bits)
{
    const unsigned words = 1 << (PAGE_BITS_MIN - 6);       /* that the entries of one page lie in */
    uint64_t size = (uint64_t)1 << page_bits;

    va &= ~(size - 1);
    if (page_bits > PAGE_BITS_MIN) {
        flush_words(s, va, size, 0, ARRAY_COUNT(s->used));
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        unsigned first = jump_cache_index(va - i * PAGE_SIZE_MIN) >> PAGE_BITS_MIN
                                                                         << (PAGE_BITS_MIN - 6);
        flush_words(s, va, size, first, first + words);
    }
}

void jump_cache_flush_around(Cpu *cpu, uint64_t va, unsigned page_bits)
{
    for (unsigned i = 0; i < SPACES; i++) {
        if (tcg_cpu(cpu)->jump_caches[i].any) {
            cache_flush_around(&tcg_cpu(cpu)->jump_caches[i], va, page_bits);
        }
    }
}

/* Blocks of global pages stay. */
static void cache_clear_local(Jumps *s)
{
    for (unsigned w = 0; s->any && w < ARRAY_COUNT(s->used); w++) {
        for (uint64_t m = s->local[w]; m; m &= m - 1) {
            s->cache.e[w * 64 + (unsigned)__builtin_ctzll(m)] = (JumpCacheEntry){0};
        }
        s->used[w] &= ~s->local[w];
        s->local[w] = 0;
    }
}

/* Only what is of the present space and valid stays in it. */
static void jumps_use(Cpu *cpu, Jumps *j)
{
    TcgCpu *t = tcg_cpu(cpu);
    const uint64_t life = t->space[t->in].life;

    if (j->global_life != t->global_life) {
        cache_clear(j);
    } else if (j->life != life) {
        cache_clear_local(j);
    }
    j->global_life = t->global_life;
    j->life = life;
    t->jumps = j;
    cpu->block_cache = &j->cache;
}

void jump_cache_flush(Cpu *cpu)
{
    for (unsigned i = 0; i < SPACES; i++) {
        cache_clear(&tcg_cpu(cpu)->jump_caches[i]);
    }
}

/* ---- spaces ---- */

static void renew_spaces(TcgCpu *t)
{
    for (unsigned i = 0; i < SPACES; i++) {
        t->space[i].life = ++t->lives;
    }
}

void spaces_init(Cpu *cpu)
{
    TcgCpu *t = tcg_cpu(cpu);

    t->global_life = ++t->lives;
    renew_spaces(t);
    jumps_use(cpu, &t->jump_caches[0]);
}

void spaces_forget_local(Cpu *cpu)
{
    TcgCpu *t = tcg_cpu(cpu);

    renew_spaces(t);
    t->space[t->in].name = SPACE_UNNAMED;
    if (t->jumps) {
        jumps_use(cpu, t->jumps);
    }
}

void spaces_forget(Cpu *cpu)
{
    TcgCpu *t = tcg_cpu(cpu);

    t->global_life = ++t->lives;
    t->local_jumps = t->global_jumps = 0;
    spaces_forget_local(cpu);
}

void store_forget(Cpu *cpu)
{
    TcgCpu *t = tcg_cpu(cpu);

    t->global_life = ++t->lives;
    renew_spaces(t);
    t->jumps->global_life = t->global_life;     /* who forgets pages has seen to jumps */
    t->jumps->life = t->space[t->in].life;
}

bool space_is_current(const Cpu *cpu, uint64_t name)
{
    const TcgCpu *t = cpu->accel;

    return t->space[t->in].name == name + 1;
}

bool space_forget(Cpu *cpu, uint64_t name)
{
    TcgCpu *t = tcg_cpu(cpu);
    const uint64_t now = t->space[t->in].name;

    for (unsigned i = 0; i < SPACES; i++) {
        if (t->space[i].name == name + 1 || t->space[i].name == SPACE_UNNAMED) {
            t->space[i].life = ++t->lives;
        }
    }
    jumps_use(cpu, t->jumps);
    return now == name + 1 || now == SPACE_UNNAMED;
}

/* A system whose own code is global would look all of it up again for each space. */
static bool share_jumps(const TcgCpu *t)
{
    return t->global_jumps > t->local_jumps;
}

void space_enter(Cpu *cpu, uint64_t name)
{
    TcgCpu *t = tcg_cpu(cpu);
    unsigned to = 0;

    t->space[t->in].left = ++t->switches;
    while (to < SPACES && t->space[to].name != name + 1) {
        to++;
    }
    if (to == SPACES) {
        to = t->in == 0;
        for (unsigned i = 0; i < SPACES; i++) {
            if (i != t->in && t->space[i].left < t->space[to].left) {
                to = i;
            }
        }
        t->space[to] = (Space){.name = name + 1, .life = ++t->lives};
    }
    t->in = to;
    t->keeps = true;
    jumps_use(cpu, share_jumps(t) ? t->jumps : &t->jump_caches[to]);
}

/* ---- translations that are kept ---- */

static StoreSet *store_set(TcgCpu *t, uint64_t page)
{
    uint64_t h = (page >> PAGE_BITS_MIN) * 0x9e3779b97f4a7c15ull;

    return &t->store[h >> 55];
}

void store_put(Cpu *cpu, unsigned mmu, uint64_t page, const TlbEntry *e, const TlbFull *f)
{
    TcgCpu *t = tcg_cpu(cpu);
    StoreSet *s = store_set(t, page);
    unsigned way = 0;

    G_STATIC_ASSERT(STORE_SETS == 1 << (64 - 55));
    if (!t->keeps || f->page_bits < PAGE_BITS_MIN) {
        return;
    }
    while (way < STORE_WAYS && !(s->page[way] == (page | mmu) &&
                                 s->life[way] == (f->global ? t->global_life
                                                            : t->space[t->in].life))) {
        way++;
    }
    if (way == STORE_WAYS) {
        way = s->next++ % STORE_WAYS;
    }
    s->page[way] = page | mmu;
    s->life[way] = f->global ? t->global_life : t->space[t->in].life;
    s->kept[way] = (StoredPage){.entry = *e, .full = *f};
    /* Whether the page may be written to at once is looked at when it is entered. */
    s->kept[way].entry.write |= TLB_NOTDIRTY;
}

const StoredPage *store_find(Cpu *cpu, unsigned mmu, uint64_t va)
{
    TcgCpu *t = tcg_cpu(cpu);
    const uint64_t page = va & PAGE_MASK;

    if (!t || !t->keeps) {             /* tests of engines have but a TLB */
        return NULL;
    }
    const uint64_t mine = t->space[t->in].life;
    const StoreSet *s = store_set(t, page);
    for (unsigned way = 0; way < STORE_WAYS; way++) {
        if (s->page[way] == (page | mmu) &&
            (s->life[way] == mine || s->life[way] == t->global_life)) {
            t->counts.tlb_kept++;
            return &s->kept[way];
        }
    }
    return NULL;
}

void store_forget_page(Cpu *cpu, uint64_t page)
{
    TcgCpu *t = tcg_cpu(cpu);
    StoreSet *s = store_set(t, page);

    for (unsigned way = 0; t->keeps && way < STORE_WAYS; way++) {
        if ((s->page[way] & PAGE_MASK) == page) {
            s->life[way] = 0;
        }
    }
}
