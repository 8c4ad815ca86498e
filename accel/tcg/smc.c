// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Self-modifying code: which pages of RAM hold translated code, and what happens when they are
 * written.
 *
 * A page's DIRTY_CODE bit is clear while blocks made from it exist; writes then come by the slow
 * path. A map of 8-byte units says which bytes blocks cover, so data beside code costs
 * no lock. `translating` and `version` close the gap between reading guest code and entering
 * the finished block.
 */
#include "accel/tcg/tcg.h"

#include <string.h>

enum { LEAF_BITS = 10, ROOT_BITS = 20 };
/*
 * A page whose code has been written to so often keeps its writes on the slow path, though it is
 * without code, until so many of them in a row have found none: searching TLBs each time that it is
 * translated from costs more.
 */
enum { MAX_HITS = 4, MAX_QUIET = 1000 };

/* Code pages by number: a root that is touched where there is RAM, and leaves. One per process. */
static CodePage *(*(*page_root))[1 << LEAF_BITS];

/* A bit for each page that may have a fast write path in some TLB. One per process. */
static _Atomic uint64_t *granted;

void smc_grant(ram_addr ram)
{
    uint64_t n = ram >> PAGE_BITS_MIN;

    if (n >> (LEAF_BITS + ROOT_BITS) == 0 && !(atomic_load(&granted[n / 64]) >> (n % 64) & 1)) {
        atomic_fetch_or(&granted[n / 64], 1ull << (n % 64));
    }
}

bool smc_revoke(ram_addr ram, uint64_t len)
{
    uint64_t n = ram >> PAGE_BITS_MIN, end = (ram + len - 1) >> PAGE_BITS_MIN;
    bool any = end >> (LEAF_BITS + ROOT_BITS) != 0;

    for (; n <= end && !any; n++) {
        if (n % 64 == 0 && end - n >= 64 && atomic_load(&granted[n / 64]) == 0) {
            n += 63;
        } else {
            any = atomic_load(&granted[n / 64]) >> (n % 64) & 1;
        }
    }
    for (n = ram >> PAGE_BITS_MIN; any && n <= end && n >> (LEAF_BITS + ROOT_BITS) == 0; n++) {
        if (atomic_load(&granted[n / 64]) >> (n % 64) & 1) {
            atomic_fetch_and(&granted[n / 64], ~(1ull << (n % 64)));
        }
    }
    return any;
}

static CodePage *page_find(ram_addr ram)
{
    uint64_t n = ram >> PAGE_BITS_MIN;

    if (n >> (LEAF_BITS + ROOT_BITS)) {
        return NULL;
    }
    CodePage *(*leaf)[1 << LEAF_BITS] = rcu_get(&page_root[n >> LEAF_BITS]);
    return leaf ? rcu_get(&(*leaf)[n & ((1 << LEAF_BITS) - 1)]) : NULL;
}

/* blocks_lock. NULL: beyond what the table covers. */
static CodePage *page_make(ram_addr ram)
{
    uint64_t n = ram >> PAGE_BITS_MIN;

    if (n >> (LEAF_BITS + ROOT_BITS)) {
        return NULL;
    }
    if (!page_root[n >> LEAF_BITS]) {
        rcu_set(&page_root[n >> LEAF_BITS], g_malloc0(sizeof(**page_root)));
    }
    CodePage **p = &(*page_root[n >> LEAF_BITS])[n & ((1 << LEAF_BITS) - 1)];
    if (!*p) {
        CodePage *page = g_new0(CodePage, 1);
        page->va = CODE_NOWHERE;
        rcu_set(p, page);
    }
    return *p;
}

static void code_bit(RamBlock *b, ram_addr ram, bool set)
{
    uint64_t page = (ram - b->offset) >> PAGE_BITS_MIN;
    uint64_t bit = 1ull << (page % 64);

    if (set) {
        __atomic_or_fetch(&b->dirty[DIRTY_CODE][page / 64], bit, __ATOMIC_SEQ_CST);
    } else {
        __atomic_and_fetch(&b->dirty[DIRTY_CODE][page / 64], ~bit, __ATOMIC_SEQ_CST);
    }
}

static bool code_bit_is_set(RamBlock *b, ram_addr ram)
{
    uint64_t page = (ram - b->offset) >> PAGE_BITS_MIN;

    return __atomic_load_n(&b->dirty[DIRTY_CODE][page / 64], __ATOMIC_SEQ_CST) >> (page % 64) & 1;
}

/* ---- the translator's side ---- */

void smc_read_begin(Cpu *cpu, RamBlock *b, ram_addr ram)
{
    TcgCpu *t = tcg_cpu(cpu);

    for (unsigned i = 0; i < t->num_reading; i++) {
        if (t->reading_ram[i] == ram) {
            return;
        }
    }
    if (t->num_reading == ARRAY_COUNT(t->reading)) {
        t->reading_more = true;
        return;
    }
    pthread_mutex_lock(&tcg->blocks_lock);
    CodePage *p = page_make(ram);
    bool was_set = false;
    if (p) {
        atomic_fetch_add(&p->translating, 1);
        was_set = code_bit_is_set(b, ram);
        code_bit(b, ram, false);
        t->reading[t->num_reading] = p;
        t->reading_ram[t->num_reading] = ram;
        t->reading_version[t->num_reading] = atomic_load(&p->version);
        t->num_reading++;
    } else {
        t->reading_more = true;
    }
    pthread_mutex_unlock(&tcg->blocks_lock);
    if (was_set && smc_revoke(ram, PAGE_SIZE_MIN)) {
        tlb_protect_host(b->host + (ram - b->offset), PAGE_SIZE_MIN);
    }
}

void smc_read_end(Cpu *cpu)
{
    TcgCpu *t = tcg_cpu(cpu);

    for (unsigned i = 0; i < t->num_reading; i++) {
        atomic_fetch_sub(&t->reading[i]->translating, 1);
    }
    t->num_reading = 0;
    t->reading_more = false;
}

bool smc_read_spoilt(Cpu *cpu)
{
    TcgCpu *t = tcg_cpu(cpu);

    for (unsigned i = 0; i < t->num_reading; i++) {
        if (atomic_load(&t->reading[i]->version) != t->reading_version[i]) {
            return true;
        }
    }
    return false;
}

/* ---- blocks of a page ---- */

static CodeBlock *untag(uint32_t tagged, unsigned *slot)
{
    *slot = tagged & 1;
    return block_at_number(tagged >> 1);
}

static uint32_t tag(const CodeBlock *cb, unsigned slot)
{
    return block_number(cb) << 1 | slot;
}

/* The bytes of the slot's page that the block covers. */
static void block_range(const CodeBlock *cb, unsigned slot, unsigned *from, unsigned *to)
{
    unsigned start = cb->key.pc & PAGE_OFFSET;
    unsigned end = start + MAX(cb->bytes, 1);

    if (slot == 0) {
        *from = start;
        *to = MIN(end, (unsigned)PAGE_SIZE_MIN);
    } else {
        *from = 0;
        *to = end > PAGE_SIZE_MIN ? end - (unsigned)PAGE_SIZE_MIN : 1;
    }
}

/* Whether [offset, offset + len) of the slot's page has something of the block. */
static bool block_has(const CodeBlock *cb, unsigned slot, unsigned offset, unsigned len)
{
    unsigned from, to;

    const uint64_t *cover = block_cover(cb);

    if (cover) {
        for (unsigned u = offset / 8; u <= (offset + len - 1) / 8; u++) {
            if (cover[u / 64] >> (u % 64) & 1) {
                return true;
            }
        }
        return false;
    }
    block_range(cb, slot, &from, &to);
    return offset < to && offset + len > from;
}

static void map_add(CodePage *p, const CodeBlock *cb, unsigned slot)
{
    const uint64_t *cover = block_cover(cb);
    unsigned from, to;

    for (unsigned w = 0; cover && w < ARRAY_COUNT(p->map); w++) {
        __atomic_or_fetch(&p->map[w], cover[w], __ATOMIC_RELAXED);
    }
    if (cover) {
        return;
    }
    block_range(cb, slot, &from, &to);
    for (unsigned u = from / 8; u <= (to - 1) / 8; u++) {
        __atomic_or_fetch(&p->map[u / 64], 1ull << (u % 64), __ATOMIC_RELAXED);
    }
}

static bool map_hit(const CodePage *p, unsigned offset, unsigned len)
{
    for (unsigned u = offset / 8; u <= (offset + len - 1) / 8; u++) {
        if (__atomic_load_n(&p->map[u / 64], __ATOMIC_RELAXED) >> (u % 64) & 1) {
            return true;
        }
    }
    return false;
}

static bool is_movable(const BlockKey *key)
{
    return tcg->arch->movable && key->flags == 0 && tcg->arch->movable(key);
}

void smc_add_block(CodeBlock *cb)
{
    for (unsigned slot = 0; slot < 2; slot++) {
        if (cb->page[slot] == NO_CODE_PAGE) {
            continue;
        }
        CodePage *p = page_find(block_ram(cb, slot));
        cb->page_next[slot] = p->blocks;
        p->blocks = tag(cb, slot);
        map_add(p, cb, slot);
        if (slot == 0 && is_movable(&cb->key)) {
            p->va = cb->key.pc & PAGE_MASK;
        }
    }
}

void smc_remove_block(CodeBlock *cb)
{
    for (unsigned slot = 0; slot < 2; slot++) {
        if (cb->page[slot] == NO_CODE_PAGE) {
            continue;
        }
        CodePage *p = page_find(block_ram(cb, slot));
        for (uint32_t *link = &p->blocks; *link;) {
            unsigned s;
            CodeBlock *b = untag(*link, &s);
            if (b == cb && s == slot) {
                *link = cb->page_next[slot];
                break;
            }
            link = &b->page_next[s];
        }
    }
}

CodeBlock *smc_first_block(ram_addr ram)
{
    const CodePage *p = page_find(ram);
    unsigned slot;

    return p ? untag(p->blocks, &slot) : NULL;
}

CodeBlock *smc_next_block(const CodeBlock *cb, ram_addr ram)
{
    unsigned slot;

    return untag(cb->page_next[block_ram(cb, 0) != ram], &slot);
}

bool smc_is_anywhere(ram_addr ram, uint64_t va)
{
    CodePage *p = page_find(ram);

    if (!p || p->anywhere || !p->blocks || p->va == CODE_NOWHERE || p->va == (va & PAGE_MASK)) {
        return p && p->anywhere;
    }
    p->anywhere = true;
    for (uint32_t at = p->blocks; at;) {
        unsigned slot;
        CodeBlock *cb = untag(at, &slot);
        at = cb->page_next[slot];
        if (slot == 0 && cb->page[1] != cb->page[0] && is_movable(&cb->key)) {
            cache_invalidate(cb);      /* chained jumps stay among blocks of one kind */
        }
    }
    return true;
}

bool smc_is_restless(ram_addr ram)
{
    enum { MAX_REGION_HITS = 16 };
    const CodePage *p = page_find(ram);

    return !p || p->region_hits >= MAX_REGION_HITS;
}

/* ---- the writers' side ---- */

bool smc_is_data(ram_addr ram, unsigned len)
{
    CodePage *p = page_find(ram);

    if (!p || atomic_load(&p->translating)) {
        return false;
    }
    if (p->blocks) {
        return !map_hit(p, ram & PAGE_OFFSET, len);
    }
    return p->hits >= MAX_HITS && atomic_fetch_add(&p->quiet, 1) < MAX_QUIET;
}

bool smc_written(RamBlock *b, ram_addr ram, unsigned len, const CodeBlock *current)
{
    unsigned offset = ram & PAGE_OFFSET;
    CodePage *p = page_find(ram);
    bool hit_current = false;

    if (p) {
        bool translating = atomic_load(&p->translating) > 0;
        if (translating) {
            atomic_fetch_add(&p->version, 1);
        } else if (p->blocks && !map_hit(p, offset, len)) {
            return false;
        }
    }
    pthread_mutex_lock(&tcg->blocks_lock);
    p = page_find(ram);
    if (!p) {
        code_bit(b, ram, true);
        pthread_mutex_unlock(&tcg->blocks_lock);
        return false;
    }
    bool hit = false;
    for (uint32_t at = p->blocks; at;) {
        unsigned slot;
        CodeBlock *cb = untag(at, &slot);
        at = cb->page_next[slot];
        if (!block_has(cb, slot, offset, len)) {
            continue;
        }
        hit = true;
        hit_current |= cb == current;
        p->region_hits += cb->cover != 0;
        if (at == tag(cb, slot ^ 1)) {
            at = cb->page_next[slot ^ 1];      /* the same block wraps into the same page */
        }
        cache_invalidate(cb);
        if (current && cb != current) {
            cache_take_back(cb);       /* the only vCPU is in `current` */
        }
    }
    if (hit) {
        tcg->stats.smc_writes++;
        p->hits++;
        atomic_store(&p->quiet, 0);
    }
    if (hit || map_hit(p, offset, len)) {      /* or it was, before those blocks were evicted */
        memset(p->map, 0, sizeof(p->map));
        for (uint32_t at = p->blocks; at;) {
            unsigned slot;
            CodeBlock *cb = untag(at, &slot);
            map_add(p, cb, slot);
            at = cb->page_next[slot];
        }
    }
    if (!p->blocks) {
        p->va = CODE_NOWHERE;
        p->anywhere = false;
    }
    if (!p->blocks && atomic_load(&p->translating) == 0 &&
        (p->hits < MAX_HITS || atomic_load(&p->quiet) >= MAX_QUIET)) {
        code_bit(b, ram, true);
    }
    pthread_mutex_unlock(&tcg->blocks_lock);
    return hit_current;
}

static void page_bytes_written(RamBlock *b, uint64_t offset, uint64_t len)
{
    while (len > 0) {
        uint64_t n = MIN(len, PAGE_SIZE_MIN - (offset & PAGE_OFFSET));
        if (!code_bit_is_set(b, b->offset + offset)) {
            smc_written(b, b->offset + offset, (unsigned)n, NULL);
        }
        offset += n;
        len -= n;
    }
}

static void page_bits_cleaned(RamBlock *b, uint64_t offset, uint64_t len)
{
    if (smc_revoke(b->offset + offset, len)) {
        tlb_protect_host(b->host + offset, len);
    }
}

static void kick_cpus(void)
{
    for (unsigned i = 0; i < tcg->cpus->len; i++) {
        cpu_interrupt(tcg->cpus->pdata[i], CPU_PENDING_EXIT);
    }
}

void smc_init(void)
{
    /* large: untouched pages cost nothing */
    page_root = g_malloc0(sizeof(*page_root) << ROOT_BITS);
    granted = g_malloc0((size_t)1 << (ROOT_BITS + LEAF_BITS - 3));
    ram_hooks = (RamHooks){.written = page_bytes_written, .cleaned = page_bits_cleaned,
                           .kick = kick_cpus};
}
