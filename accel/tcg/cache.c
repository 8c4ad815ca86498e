// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Translated blocks: making them, finding them by jump cache and hash, chaining, invalidating, and
 * making room when the code buffer is full.
 */
#include "accel/tcg/tcg.h"

#include <string.h>
#include <sys/mman.h>
#include "util/log.h"

enum { HASH_BITS = 18, MAX_INSNS = 256, RETRIES = 4 };

/* ---- keys ---- */

/*
 * A valid context has bit 63 set; one with bit 62 stands for "does not fit" and is never entered
 * into a jump cache, so that such code goes by the hash. An unused entry has 0.
 */
uint64_t block_context(const BlockKey *key)
{
    if (key->base >> 32 || key->mode >> 28 || key->flags) {
        return 1ull << 62;
    }
    return 1ull << 63 | (uint64_t)(key->base != 0) << 60 | (uint64_t)key->mode << 32 | key->base;
}

static bool has_key(const CodeBlock *cb, const BlockKey *key)
{
    const BlockKey *k = &cb->key;

    return ((k->pc ^ key->pc) & (cb->anywhere ? PAGE_OFFSET : UINT64_MAX)) == 0 &&
           k->base == key->base && k->mode == key->mode && k->flags == key->flags;
}

/* The same for all virtual addresses of the place. */
static unsigned hash_of(const BlockKey *key, ram_addr ram)
{
    uint64_t h = ram ^ (uint64_t)key->mode << 32 ^ (uint64_t)key->flags << 60 ^ key->base << 16;

    h *= 0x9e3779b97f4a7c15ull;
    return (unsigned)(h >> (64 - HASH_BITS));
}

/* ---- start ---- */

static void *reserve(size_t size, GError **error)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);

    if (p == MAP_FAILED) {
        return fail_null(error, "cannot reserve %zu bytes for translated blocks", size);
    }
    madvise(p, size, MADV_HUGEPAGE);       /* filled in order, or at random: fewer page faults */
    return p;
}

bool cache_reserve(GError **error)
{
    /* With 230 of code and tables, on average. */
    enum { BYTES_PER_BLOCK = 400, SLOTS_PER_2_BLOCKS = 3 };
    CodeBuffer *b = &tcg->buffer;

    tcg->max_blocks = (uint32_t)(b->size / BYTES_PER_BLOCK);
    const size_t slots = tcg->max_blocks / 2 * SLOTS_PER_2_BLOCKS;
    tcg->blocks = code_buffer_reserve(b, tcg->max_blocks * sizeof(CodeBlock));
    tcg->slots = code_buffer_reserve(b, slots * sizeof(ChainSlot));
    if (!tcg->blocks || !tcg->slots) {
        return fail(error, "code buffer of %zu bytes is too small", b->size);
    }
    b->slots = tcg->slots + 1;
    b->slots_end = tcg->slots + slots;
    tcg->hash = reserve(sizeof(*tcg->hash) << HASH_BITS, error);
    if (!tcg->hash) {
        return false;
    }
    return true;
}

static CodeBlock *hash_first(const BlockKey *key, ram_addr ram)
{
    return block_at_number(__atomic_load_n(&tcg->hash[hash_of(key, ram)], __ATOMIC_ACQUIRE));
}

static CodeBlock *hash_next(const CodeBlock *cb)
{
    return block_at_number(atomic_load_explicit(&cb->hash_next, memory_order_acquire));
}

void cache_init(void)
{
    segments_init();
}

/* The block of this key that lies in the page wholly. */
static CodeBlock *block_in_page(const BlockKey *key, ram_addr page)
{
    for (CodeBlock *cb = hash_first(key, page | (key->pc & PAGE_OFFSET)); cb; cb = hash_next(cb)) {
        if (block_ram(cb, 0) == page && cb->page[1] == NO_CODE_PAGE && has_key(cb, key)) {
            return cb;
        }
    }
    return NULL;
}

/* ---- chaining; blocks_lock ---- */

static void link_slot(CodeBlock *from, unsigned slot, CodeBlock *to, bool counted)
{
    ChainSlot *s = &from->code.chains[slot];

    /* A block over two pages is entered only after a look at both mappings. */
    if (to->page[1] != NO_CODE_PAGE || !from->valid || !to->valid || s->to ||
        from->anywhere != to->anywhere) {
        return;
    }
    if (!counted || !tcg->engine->chain_counted(&segment_of(from)->room, from, slot, to)) {
        tcg->engine->chain(from, slot, to);
    }
    s->from = block_number(from);
    s->to = block_number(to);
    s->next = to->incoming;
    to->incoming = (uint32_t)(s - tcg->slots);
}

void cache_chain(CodeBlock *from, unsigned slot, CodeBlock *to)
{
    pthread_mutex_lock(&tcg->blocks_lock);
    link_slot(from, slot, to, false);
    pthread_mutex_unlock(&tcg->blocks_lock);
}

/* Jumps to a block before a region is made. */
enum { HOT = 1500 };

void cache_chain_counted(CodeBlock *from, unsigned slot, CodeBlock *to)
{

    pthread_mutex_lock(&tcg->translate_lock);
    pthread_mutex_lock(&tcg->blocks_lock);
    if (!to->incoming) {
        to->heat = HOT;
    }
    link_slot(from, slot, to, true);
    pthread_mutex_unlock(&tcg->blocks_lock);
    pthread_mutex_unlock(&tcg->translate_lock);
}

static void unchain(ChainSlot *s)
{
    CodeBlock *from = block_at_number(s->from);

    s->to = 0;
    tcg->engine->chain(from, (unsigned)(s - from->code.chains), NULL);
}

static void unchain_out(CodeBlock *from)
{
    for (uint32_t i = 0; i < from->code.num_chains; i++) {
        ChainSlot *s = &from->code.chains[i];
        if (!s->to) {
            continue;
        }
        uint32_t *link = &block_at_number(s->to)->incoming;
        while (&tcg->slots[*link] != s) {
            link = &tcg->slots[*link].next;
        }
        *link = s->next;
        unchain(s);
    }
}

static void unchain_in(CodeBlock *to)
{
    while (to->incoming) {
        ChainSlot *s = &tcg->slots[to->incoming];
        to->incoming = s->next;
        unchain(s);
    }
}

/* ---- invalidation ---- */

static void forget_jumps_in(struct BlockCache *cache, const CodeBlock *cb, unsigned n)
{
    JumpCacheEntry *places[2] = {&cache->e[n], &cache->e[jump_cache_other(n)]};

    for (unsigned i = 0; i < 2; i++) {
        if (__atomic_load_n(&places[i]->block, __ATOMIC_RELAXED) == cb) {
            __atomic_store_n(&places[i]->context, 0, __ATOMIC_SEQ_CST);
        }
    }
}

static void forget_jumps_at(CodeBlock *cb, unsigned n)
{
    for (unsigned c = 0; c < tcg->cpus->len; c++) {
        TcgCpu *t = tcg_cpu(tcg->cpus->pdata[c]);
        for (unsigned i = 0; i < SPACES; i++) {
            if (atomic_load(&t->jump_caches[i].any)) {
                forget_jumps_in(&t->jump_caches[i].cache, cb, n);
            }
        }
    }
}

static void forget_jumps(CodeBlock *cb)
{
    G_STATIC_ASSERT(JUMP_CACHE_BITS >= PAGE_BITS_MIN);
    if (!cb->anywhere) {
        forget_jumps_at(cb, jump_cache_index(cb->key.pc));
        return;
    }
    for (unsigned page = 0; page < 1u << (JUMP_CACHE_BITS - PAGE_BITS_MIN); page++) {
        forget_jumps_at(cb, jump_cache_index((cb->key.pc & PAGE_OFFSET) | page << PAGE_BITS_MIN));
    }
}

/* How exit_lookup enters cb from now on. */
static void set_lookup_entry(CodeBlock *cb, const void *entry, bool counted)
{
    cb->counted = counted;
    atomic_store(&cb->lookup_entry, entry);
    forget_jumps(cb);
}

/* The region is no more: its targets' blocks are entered as such. */
static void close_ways_in(const CodeBlock *region)
{
    const uint8_t *cold = code_cold(&region->code);
    const ram_addr page = block_ram(region, 0);

    for (CodeBlock *cb = smc_first_block(page); cb; cb = smc_next_block(cb, page)) {
        const uint8_t *entry = atomic_load(&cb->lookup_entry);
        if (entry >= cold && entry < cold + region->code.cold_size) {
            set_lookup_entry(cb, NULL, false);
        }
    }
}

/* blocks_lock. */
static void open_ways_in(const CodeBlock *region)
{
    const WayIn *w = code_ways_in(&region->code);
    BlockKey key = region->key;

    for (uint32_t i = 0; i < region->code.num_ways_in; i++) {
        key.pc = w[i].pc;
        CodeBlock *cb = block_in_page(&key, block_ram(region, 0));
        if (cb) {
            set_lookup_entry(cb, w[i].entry, false);
        }
    }
}

void cache_count_entry(CodeBlock *cb)
{
    pthread_mutex_lock(&tcg->translate_lock);
    pthread_mutex_lock(&tcg->blocks_lock);
    if (atomic_load(&cb->valid) && !atomic_load(&cb->lookup_entry)) {
        const void *entry = tcg->engine->count_entry(&segment_of(cb)->room, cb);
        if (entry) {
            cb->heat = HOT;
            set_lookup_entry(cb, entry, true);
        }
    }
    pthread_mutex_unlock(&tcg->blocks_lock);
    pthread_mutex_unlock(&tcg->translate_lock);
}

void cache_remove(CodeBlock *cb)
{
    const unsigned h = hash_of(&cb->key, block_ram(cb, 0) | (cb->key.pc & PAGE_OFFSET));
    CodeBlock *before = NULL, *at = block_at_number(tcg->hash[h]);

    atomic_store(&cb->valid, false);
    while (at && at != cb) {
        before = at;
        at = hash_next(at);
    }
    /* cb's own link stays for readers that stand on it */
    if (at && before) {
        atomic_store(&before->hash_next, atomic_load(&cb->hash_next));
    } else if (at) {
        __atomic_store_n(&tcg->hash[h], atomic_load(&cb->hash_next), __ATOMIC_RELEASE);
    }
    smc_remove_block(cb);
    if (cb->code.num_ways_in) {
        close_ways_in(cb);
    }
    unchain_out(cb);
    unchain_in(cb);
}

void cache_invalidate(CodeBlock *cb)
{
    cache_remove(cb);
    forget_jumps(cb);
    tcg->stats.invalidated++;
}

void cache_take_back(CodeBlock *cb)
{
    CodeSegment *s = segment_of(cb);
    uint32_t n = atomic_load(&s->num_blocks);

    if (tcg->buffer.alone && n > 0 && cb == &tcg->blocks[s->first_block + n - 1] &&
        cb->buffer_end == s->room.ptr - s->room.base) {
        code_buffer_release(&s->room,
                            (CodeMark){(uint8_t *)(uintptr_t)cb->code.entry,
                                       cb->code.cold ? (uint8_t *)(uintptr_t)code_cold(&cb->code)
                                                     : NULL,
                                       cb->code.chains});
        tcg->stats.blocks--;
        tcg->stats.guest_bytes -= cb->bytes;
        atomic_store(&s->num_blocks, n - 1);
    }
}

void cache_make_room(Cpu *cpu, uint32_t generation, bool best)
{
    cpu_exclusive_begin(cpu);
    pthread_mutex_lock(&tcg->blocks_lock);
    if (atomic_load(&tcg->generation) == generation) {
        const bool gone = segments_next(best);
        for (unsigned c = 0; gone && c < tcg->cpus->len; c++) {
            jump_cache_flush(tcg->cpus->pdata[c]);
        }
        atomic_store(&tcg->wants_room, false);
        atomic_fetch_add(&tcg->generation, 1);
    }
    pthread_mutex_unlock(&tcg->blocks_lock);
    cpu_exclusive_end(cpu);
}

/* ---- translating ---- */

/* Libraries calculate in floating point (GLib when a table grows): not with the guest's flags. */
static void translation_begin(Cpu *cpu)
{
    pthread_mutex_lock(&tcg->translate_lock);
    host_float_save(&tcg_cpu(cpu)->guest_float);
    tcg_cpu(cpu)->translating = true;
}

static void translation_end(Cpu *cpu)
{
    smc_read_end(cpu);
    tcg_cpu(cpu)->translating = false;
    host_float_restore(&tcg_cpu(cpu)->guest_float);
    pthread_mutex_unlock(&tcg->translate_lock);
}

void cache_abort_translation(Cpu *cpu)
{
    if (tcg_cpu(cpu)->translating) {
        translation_end(cpu);
    }
}

/*
 * Enters a finished block, in the place of `old` (or NULL). False: its pages were written
 * meanwhile.
 */
static bool block_enter(Cpu *cpu, CodeBlock *cb, ram_addr ram, CodeBlock *old)
{
    TcgCpu *t = tcg_cpu(cpu);
    const bool two_pages = !cb->cover && (cb->key.pc & PAGE_OFFSET) + cb->bytes > PAGE_SIZE_MIN;
    bool ok;

    if (ram == RAM_NONE || t->reading_more || t->num_reading != 1 + two_pages ||
        t->reading_ram[0] != (ram & PAGE_MASK)) {
        return true;                   /* runs once: part of it is no RAM */
    }
    pthread_mutex_lock(&tcg->blocks_lock);
    ok = !smc_read_spoilt(cpu) && (!old || atomic_load(&old->valid));
    if (ok && old) {
        cache_invalidate(old);
    }
    if (ok) {
        unsigned h = hash_of(&cb->key, ram);
        cb->page[0] = (uint32_t)(ram >> PAGE_BITS_MIN);
        cb->page[1] =
            two_pages ? (uint32_t)(t->reading_ram[1] >> PAGE_BITS_MIN) : NO_CODE_PAGE;
        atomic_store(&cb->valid, true);
        smc_add_block(cb);
        atomic_store(&cb->hash_next, tcg->hash[h]);
        __atomic_store_n(&tcg->hash[h], block_number(cb), __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&tcg->blocks_lock);
    return ok;
}

static CodeBlock *hash_find(Cpu *cpu, const BlockKey *key, ram_addr ram)
{
    for (CodeBlock *cb = hash_first(key, ram); cb; cb = hash_next(cb)) {
        if (cb->page[0] != ram >> PAGE_BITS_MIN || !has_key(cb, key)) {
            continue;
        }
        if (cb->page[1] != NO_CODE_PAGE) {
            unsigned mmu = cpu->arch->mmu_index(cpu, true);
            unsigned i;
            if (!tlb_try(cpu, (key->pc & PAGE_MASK) + PAGE_SIZE_MIN, ACCESS_FETCH, mmu, &i) ||
                cpu->tlb.full[mmu][i].ram != block_ram(cb, 1)) {
                continue;
            }
        }
        return cb;
    }
    return NULL;
}

static void block_begin(CodeBlock *cb, const BlockKey *key)
{
    memset(cb, 0, sizeof(*cb));
    cb->key = *key;
    cb->key.flags &= ~(uint32_t)KEY_ANYWHERE;
    cb->anywhere = key->flags & KEY_ANYWHERE;
    cb->page[0] = cb->page[1] = NO_CODE_PAGE;
}

/* Runs of a block before it is made anew. */
enum { TRIPS = 500 };

/*
 * Code for a block, by the tier that is meant for it: the first one until the block has run
 * often. False: no room.
 */
static bool generate(CodeBuffer *room, CodeBlock *cb, bool best)
{
    IrFunc *f = ir_func(tcg->builder);

    if (!best && tcg->tier != TIER_BEST && tcg->engine->generate_first) {
        int32_t *trips = tcg->tier == TIER_AUTO ? &cb->trips : NULL;
        cb->trips = TRIPS;
        CodeFirst r = tcg->engine->generate_first(room, f, cb, trips);
        if (r != FIRST_UNFIT) {
            tcg->stats.first += r == FIRST_DONE;
            return r == FIRST_DONE;
        }
    }
    return tcg->engine->generate(room, f, cb, true);
}

/* The shortest way: without IR. Not where somebody wants to see that. */
static CodeFirst generate_directly(Cpu *cpu, CodeBuffer *room, const BlockKey *key, CodeBlock *cb,
                                   unsigned max_insns)
{
    if (!tcg->arch->translate_direct || !tcg->engine->generate_direct || tcg->tier == TIER_BEST ||
        key->flags & ~(uint32_t)KEY_ANYWHERE || log_enabled(LOG_OP | LOG_OP_OPT)) {
        return FIRST_UNFIT;
    }
    cb->trips = TRIPS;
    CodeFirst r = tcg->engine->generate_direct(room, cpu, key, cb, max_insns,
                                               tcg->tier == TIER_AUTO ? &cb->trips : NULL);
    tcg->stats.first += r == FIRST_DONE;
    tcg->stats.direct += r == FIRST_DONE;
    return r;
}

/* The block that is made next, NULL: no room. */
static CodeBlock *block_next(const CodeSegment *s)
{
    uint32_t n = atomic_load(&s->num_blocks);

    return n < s->max_blocks ? &tcg->blocks[s->first_block + n] : NULL;
}

static void block_made(CodeSegment *s, CodeBlock *cb)
{
    cb->buffer_end = (uint32_t)(s->room.ptr - s->room.base);
    atomic_store(&s->num_blocks, atomic_load(&s->num_blocks) + 1);
    tcg->stats.blocks++;
    tcg->stats.guest_bytes += cb->bytes;
}

static bool translate_by_ir(Cpu *cpu, CodeBuffer *room, const BlockKey *key, CodeBlock *cb,
                            unsigned max_insns, bool best)
{
    ir_begin(tcg->builder);
    tcg->arch->translate(cpu, tcg->builder, key, max_insns);
    if (log_enabled(LOG_OP)) {
        log_ir(key, ir_func(tcg->builder));
    }
    return generate(room, cb, best || key->flags & ~(uint32_t)KEY_ANYWHERE);
}

/*
 * One attempt; translate_lock. NULL: no room. best: anew, by the best tier.
 */
static CodeBlock *translate_locked(Cpu *cpu, const BlockKey *key, unsigned max_insns, bool best)
{
    CodeSegment *s = segment_now(best);
    CodeBlock *cb = block_next(s);

    if (!cb) {
        return NULL;
    }
    block_begin(cb, key);
    CodeFirst direct =
        best ? FIRST_UNFIT : generate_directly(cpu, &s->room, key, cb, max_insns);
    cb->code = direct == FIRST_UNFIT ? (GeneratedCode){0} : cb->code;
    if (direct == FIRST_UNFIT && !translate_by_ir(cpu, &s->room, key, cb, max_insns, best)) {
        direct = FIRST_FULL;
    }
    if (direct == FIRST_FULL) {
        return NULL;
    }
    if (log_enabled(LOG_IN_ASM | LOG_OUT_ASM)) {
        log_translation(cpu, cb);
    }
    block_made(s, cb);
    return cb;
}

/* The key with KEY_ANYWHERE if such a block is to be made; translate_lock. */
static BlockKey key_to_make(const BlockKey *key, ram_addr ram)
{
    BlockKey k = *key;

    if (tcg->arch->movable && ram != RAM_NONE && key->flags == 0 && tcg->arch->movable(key)) {
        pthread_mutex_lock(&tcg->blocks_lock);
        k.flags |= smc_is_anywhere(ram, key->pc) ? KEY_ANYWHERE : 0;
        pthread_mutex_unlock(&tcg->blocks_lock);
    }
    return k;
}

/* A new block, entered into the tables where that is possible. May fault. */
static CodeBlock *translate(Cpu *cpu, const BlockKey *key, ram_addr ram)
{
    unsigned max_insns = key->flags & KEY_SINGLE ? 1 : MAX_INSNS;

    for (unsigned try = 0;; try++) {
        translation_begin(cpu);
        uint32_t generation = atomic_load(&tcg->generation);
        CodeBlock *cb = ram == RAM_NONE || tcg->buffer.alone ? NULL : hash_find(cpu, key, ram);
        if (cb) {
            translation_end(cpu);      /* another vCPU was faster */
            return cb;
        }
        const BlockKey k = key_to_make(key, ram);
        cb = translate_locked(cpu, &k, max_insns, false);
        bool done = cb && (block_enter(cpu, cb, ram, NULL) || try >= RETRIES);
        translation_end(cpu);
        if (done) {
            return cb;
        }
        if (!cb) {
            cache_make_room(cpu, generation, false);
            max_insns = try ? MAX(max_insns / 2, 1) : max_insns;
        }
    }
}

CodeBlock *cache_make_best(Cpu *cpu, const BlockKey *found, CodeBlock *old)
{
    BlockKey key = *found;
    CodeBlock *cb = NULL;

    translation_begin(cpu);
    old->trips = INT32_MAX;
    if (atomic_load(&old->valid) && old->page[1] == NO_CODE_PAGE) {
        key.flags |= old->anywhere ? KEY_ANYWHERE : 0;
        cb = translate_locked(cpu, &key, MAX_INSNS, true);
        if (cb) {
            cb->ways = old->ways;
            tcg->stats.anew++;
        } else if (segment_is_half_full(segment_now(true))) {
            old->trips = TRIPS;
            atomic_store(&tcg->wants_room, true);
        }
        if (cb && !block_enter(cpu, cb, block_ram(old, 0) | (old->key.pc & PAGE_OFFSET), old)) {
            cb = NULL;
        }
    }
    translation_end(cpu);
    return cb ? cb : old;
}

/* ---- regions ---- */

typedef struct Ground {
    BlockKey key;
    const CodeBlock *head;
} Ground;

static bool has_run(void *opaque, uint64_t pc)
{
    const Ground *g = opaque;
    BlockKey key = g->key;

    key.pc = pc;
    return block_in_page(&key, block_ram(g->head, 0)) != NULL;
}

/* Blocks of the page are few; the lock, so that none goes meanwhile. */
static unsigned reached(void *opaque, unsigned way, uint64_t *pc, unsigned max)
{
    const Ground *g = opaque;
    const BlockKey *key = &g->key;
    unsigned n = 0;

    pthread_mutex_lock(&tcg->blocks_lock);
    for (const CodeBlock *cb = smc_first_block(block_ram(g->head, 0)); cb && n < max;
         cb = smc_next_block(cb, block_ram(g->head, 0))) {
        if (cb->ways >> way & 1 && cb->page[0] == g->head->page[0] &&
            cb->page[1] == NO_CODE_PAGE &&
            !cb->key.flags && cb->key.mode == key->mode && cb->key.base == key->base &&
            (cb->anywhere || (cb->key.pc & PAGE_MASK) == (key->pc & PAGE_MASK))) {
            pc[n++] = (key->pc & PAGE_MASK) | (cb->key.pc & PAGE_OFFSET);
        }
    }
    pthread_mutex_unlock(&tcg->blocks_lock);
    return n;
}

/* translate_lock. NULL: no room, or too much for one function. */
static CodeBlock *region_locked(Cpu *cpu, const BlockKey *found, CodeBlock *head)
{
    CodeSegment *s = segment_now(true);
    CodeBlock *cb = block_next(s);
    Ground ground = {.key = *found, .head = head};
    BlockKey key = *found;
    RegionGuide guide = {.has_run = has_run, .reached = reached, .opaque = &ground};

    if (!cb) {
        return NULL;
    }
    key.flags |= head->anywhere ? KEY_ANYWHERE : 0;
    block_begin(cb, &key);
    cb->no_region = true;
    cb->ways = head->ways;
    ir_begin(tcg->builder);
    tcg->arch->translate_region(cpu, tcg->builder, &key, &guide);
    if (log_enabled(LOG_OP)) {
        log_ir(&key, ir_func(tcg->builder));
    }
    if (!tcg->engine->generate(&s->room, ir_func(tcg->builder), cb, true)) {
        return NULL;
    }
    uint64_t *cover = code_buffer_table(&s->room, sizeof(guide.cover));
    if (!cover) {
        return NULL;
    }
    memcpy(cover, guide.cover, sizeof(guide.cover));
    cb->cover = (uint32_t)((uint8_t *)cover - (const uint8_t *)cb->code.entry);
    if (log_enabled(LOG_OUT_ASM)) {
        log_translation(cpu, cb);
    }
    block_made(s, cb);
    tcg->stats.regions++;
    return cb;
}

CodeBlock *cache_make_region(Cpu *cpu, const BlockKey *key, CodeBlock *head)
{
    CodeBlock *cb = NULL;

    translation_begin(cpu);
    if (!head->no_region && atomic_load(&head->valid)) {
        head->no_region = true;
        pthread_mutex_lock(&tcg->blocks_lock);
        bool restless = smc_is_restless(block_ram(head, 0));
        pthread_mutex_unlock(&tcg->blocks_lock);
        cb = restless ? NULL : region_locked(cpu, key, head);
        if (!cb && !restless && segment_is_half_full(segment_now(true))) {
            head->no_region = false;
            head->heat = 0;
            atomic_store(&tcg->wants_room, true);
        }
        if (cb && !block_enter(cpu, cb, block_ram(head, 0) | (head->key.pc & PAGE_OFFSET), head)) {
            cb = NULL;
        }
    }
    pthread_mutex_lock(&tcg->blocks_lock);
    if (cb && atomic_load(&cb->valid)) {
        open_ways_in(cb);
    } else if (!cb && head->counted && head->no_region) {
        set_lookup_entry(head, NULL, false);
    }
    pthread_mutex_unlock(&tcg->blocks_lock);
    translation_end(cpu);
    return cb ? cb : head;
}

/* ---- finding ---- */

static void assign_bit(uint64_t *set, unsigned n, bool on)
{
    set[n / 64] = (set[n / 64] & ~(1ull << (n % 64))) | (uint64_t)on << (n % 64);
}

/* Entry n becomes that of cb, unless cb is invalidated meanwhile. */
static void jump_cache_put(Jumps *s, unsigned n, uint64_t context, uint64_t pc, CodeBlock *cb,
                           bool local)
{
    JumpCacheEntry *e = &s->cache.e[n];

    atomic_store(&s->any, true);       /* before cb's validity is looked at: see forget_jumps_at */
    e->context = 0;
    e->pc = pc;
    e->entry = cache_entry(cb);
    __atomic_store_n(&e->block, cb, __ATOMIC_SEQ_CST);
    __atomic_store_n(&e->context, context, __ATOMIC_SEQ_CST);
    assign_bit(s->used, n, true);
    assign_bit(s->local, n, local);
    if (!atomic_load(&cb->valid) || e->entry != cache_entry(cb)) {
        __atomic_store_n(&e->context, 0, __ATOMIC_SEQ_CST);
    }
}

/* A good entry that is in the way moves to its other place. */
static void jump_cache_enter(Jumps *s, unsigned n, uint64_t context, uint64_t pc, CodeBlock *cb,
                             bool local)
{
    const JumpCacheEntry old = s->cache.e[n];

    if (old.context && jump_cache_index(old.pc) == n && old.pc != pc) {
        jump_cache_put(s, jump_cache_other(n), old.context, old.pc, old.block,
                       s->local[n / 64] >> (n % 64) & 1);
    }
    jump_cache_put(s, n, context, pc, cb, local);
}

static CodeBlock *find(Cpu *cpu, const BlockKey *key, bool make)
{
    TcgCpu *t = tcg_cpu(cpu);
    uint64_t context = block_context(key);
    unsigned n = jump_cache_index(key->pc);
    JumpCacheEntry *e = &t->jumps->cache.e[n];

    if (e->pc == key->pc && e->context == context && key->flags == 0) {
        return e->block;
    }
    t->counts.lookups++;
    unsigned mmu = cpu->arch->mmu_index(cpu, true);
    unsigned i = tlb_resolve(cpu, key->pc, 1, ACCESS_FETCH, mmu, 0);
    ram_addr ram = cpu->tlb.full[mmu][i].ram;
    bool global = cpu->tlb.full[mmu][i].global;
    if (ram != RAM_NONE) {
        ram |= key->pc & PAGE_OFFSET;
    }
    CodeBlock *cb = ram == RAM_NONE ? NULL : hash_find(cpu, key, ram);
    if (!cb) {
        if (!make) {
            return NULL;
        }
        cb = translate(cpu, key, ram);
    }
    if (key->flags == 0 && !(context >> 62 & 1) && atomic_load(&cb->valid)) {
        bool local = !global || cb->page[1] != NO_CODE_PAGE;
        if (key->pc >> 63 || key->pc >> 31 == 1) {      /* the system's: programs come and go */
            t->local_jumps += local;
            t->global_jumps += !local;
        }
        jump_cache_enter(t->jumps, n, context, key->pc, cb, local);
    }
    return cb;
}

CodeBlock *cache_find(Cpu *cpu, const BlockKey *key)
{
    return find(cpu, key, true);
}

CodeBlock *cache_find_ready(Cpu *cpu, const BlockKey *key)
{
    return find(cpu, key, false);
}

/* ---- by host address ---- */

/* Blocks lie in the order of their code, and of their cold code. NULL: host_pc is before all. */
static CodeBlock *block_at(const CodeSegment *s, uintptr_t host_pc, bool cold)
{
    uint32_t lo = s->first_block, hi = lo + atomic_load(&s->num_blocks);

    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        const GeneratedCode *c = &tcg->blocks[mid].code;
        if ((uintptr_t)(cold ? code_cold(c) : c->entry) <= host_pc) {
            lo = mid;
        } else {
            hi = mid;
        }
    }
    return hi == lo ? NULL : &tcg->blocks[lo];
}

CodeBlock *cache_locate(Cpu *cpu, uintptr_t host_pc, uint32_t *insn)
{
    CodeBlock *cb;

    if (host_pc == 0) {
        return NULL;
    }
    if (tcg->engine->locate) {
        return tcg->engine->locate(cpu, host_pc, &cb, insn) ? cb : NULL;
    }
    bool is_cold;
    const CodeSegment *s = segment_at(host_pc, &is_cold);
    cb = s ? block_at(s, host_pc, is_cold) : NULL;
    if (!cb) {
        return NULL;
    }
    uintptr_t offset = host_pc - (uintptr_t)cb->code.entry;
    if (host_pc - (uintptr_t)(is_cold ? code_cold(&cb->code) : cb->code.entry) >
        (is_cold ? cb->code.cold_size : cb->code.size)) {
        return NULL;
    }
    if (!code_find_insn(cb, (uint32_t)offset, insn)) {
        return NULL;
    }
    return cb;
}
