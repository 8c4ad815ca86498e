// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RAM blocks and their dirty bitmaps. Memory is mapped, not touched: what the guest never
 * writes costs nothing. Bits begin set for every client, so that nobody pays for tracking that
 * nobody has asked for. Contract: include/exec/memory.h.
 */
#include "exec/view.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/rcu.h"

#define DIRTY_PAGE_BITS 12
#define WORD_BITS (8 * sizeof(unsigned long))
#define HUGE_PAGE (2 * MIB)

/* Blocks are found by any thread (RCU), made and freed under the machine lock. */
static RamBlock *blocks;
static ram_addr next_addr;

RamHooks ram_hooks;    /* set once by the translator, before vCPUs run */

static uint64_t page_up(uint64_t size)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    return (size + page - 1) & ~(page - 1);
}

/* Anonymous memory at a multiple of 2 MiB when it is large enough for huge pages to matter. */
static void *map_anonymous(uint64_t size, RamFlags flags)
{
    uint64_t slack = size >= HUGE_PAGE ? HUGE_PAGE : 0;
    uint8_t *p, *aligned;

    if (size > SIZE_MAX - slack) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    p = mmap(NULL, size + slack, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | (flags & RAM_NO_RESERVE ? MAP_NORESERVE : 0), -1, 0);
    if (p == MAP_FAILED || slack == 0) {
        return p;
    }
    aligned = (uint8_t *)(((uintptr_t)p + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
    if (aligned > p) {
        munmap(p, aligned - p);
    }
    if (p + slack > aligned) {
        munmap(aligned + size, p + slack - aligned);
    }
    madvise(aligned, size, MADV_HUGEPAGE);
    return aligned;
}

static size_t bitmap_words(const RamBlock *b)
{
    uint64_t pages = (b->size + (1ull << DIRTY_PAGE_BITS) - 1) >> DIRTY_PAGE_BITS;

    return (pages + WORD_BITS - 1) / WORD_BITS;
}

RamBlock *ram_block_new(const char *id, uint64_t size, int fd, RamFlags flags, GError **error)
{
    uint64_t mapped = page_up(size);
    RamBlock *b;
    void *host;

    if (size == 0 || mapped < size) {
        return fail_null(error, "cannot set up guest memory '%s': size is %s", id,
                         size == 0 ? "0" : "too large");
    }
    host = fd < 0 ? map_anonymous(mapped, flags)
                  : mmap(NULL, mapped, PROT_READ | PROT_WRITE,
                         (flags & RAM_SHARED ? MAP_SHARED : MAP_PRIVATE) |
                             (flags & RAM_NO_RESERVE ? MAP_NORESERVE : 0), fd, 0);
    if (host == MAP_FAILED) {
        fail_errno(error, errno, "cannot set up guest memory '%s'", id);
        return NULL;
    }
    b = g_new0(RamBlock, 1);
    b->host = host;
    b->size = size;
    b->id = g_strdup(id);
    b->fd = fd;
    b->shared = fd >= 0 && (flags & RAM_SHARED);
    b->offset = next_addr;
    next_addr += (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    for (unsigned c = 0; c < DIRTY_CLIENTS; c++) {
        b->dirty[c] = g_malloc(bitmap_words(b) * sizeof(unsigned long));
        for (size_t i = 0; i < bitmap_words(b); i++) {
            b->dirty[c][i] = ~0ul;
        }
    }
    b->next = blocks;
    rcu_set(&blocks, b);
    return b;
}

static void free_block(void *opaque)
{
    RamBlock *b = opaque;

    munmap(b->host, page_up(b->size));
    if (b->fd >= 0) {
        close(b->fd);
    }
    for (unsigned c = 0; c < DIRTY_CLIENTS; c++) {
        g_free(b->dirty[c]);
    }
    g_free(b->id);
    g_free(b);
}

void ram_block_free(RamBlock *b)
{
    RamBlock **link = &blocks;

    while (*link != b) {
        link = &(*link)->next;
    }
    rcu_set(link, b->next);
    rcu_call(free_block, b);
}

RamBlock *ram_blocks(void)
{
    return rcu_get(&blocks);
}

RamBlock *ram_block_find(ram_addr addr)
{
    for (RamBlock *b = rcu_get(&blocks); b != NULL; b = rcu_get(&b->next)) {
        if (addr - b->offset < b->size) {
            return b;
        }
    }
    return NULL;
}

void *ram_host(ram_addr addr)
{
    RamBlock *b = ram_block_find(addr);

    return b != NULL ? b->host + (addr - b->offset) : NULL;
}

void *region_host(Region *r)
{
    return r->ram != NULL ? r->ram->host + r->ram_offset : NULL;
}

RamBlock *region_ram_block(Region *r)
{
    return r->ram;
}

/* ---- dirty bits ---- */

static bool test_bit(const unsigned long *map, uint64_t page)
{
    return __atomic_load_n(&map[page / WORD_BITS], __ATOMIC_RELAXED) >> page % WORD_BITS & 1;
}

static void set_bit(unsigned long *map, uint64_t page)
{
    __atomic_fetch_or(&map[page / WORD_BITS], 1ul << page % WORD_BITS, __ATOMIC_SEQ_CST);
}

bool ram_page_all_dirty(const RamBlock *b, uint64_t offset)
{
    uint64_t page = offset >> DIRTY_PAGE_BITS;

    return test_bit(b->dirty[DIRTY_DISPLAY], page) && test_bit(b->dirty[DIRTY_MIGRATION], page) &&
           test_bit(b->dirty[DIRTY_CODE], page);
}

void ram_written(RamBlock *b, uint64_t offset, uint64_t len)
{
    uint64_t page = offset >> DIRTY_PAGE_BITS;
    uint64_t last = (offset + len - 1) >> DIRTY_PAGE_BITS;
    bool code = false;

    if (len == 0) {
        return;
    }
    for (; page <= last; page++) {
        if (!test_bit(b->dirty[DIRTY_DISPLAY], page)) {
            set_bit(b->dirty[DIRTY_DISPLAY], page);
        }
        if (!test_bit(b->dirty[DIRTY_MIGRATION], page)) {
            set_bit(b->dirty[DIRTY_MIGRATION], page);
        }
        code |= !test_bit(b->dirty[DIRTY_CODE], page);
    }
    if (code && ram_hooks.written != NULL) {
        ram_hooks.written(b, offset, len);
    }
}

void region_dirty_set(Region *r, hwaddr offset, uint64_t len)
{
    ram_written(r->ram, r->ram_offset + offset, len);
}

void region_track_display(Region *r, bool on)
{
    r->dirty_display = on;
    if (ram_hooks.tracked != NULL) {
        ram_hooks.tracked();
    }
}

typedef struct DirtyRun {
    RamBlock *block;
    uint64_t zero;            /* the region's first byte in the block */
    uint64_t base, end;       /* of the request, in the block */
    uint64_t start, stop;     /* pages of the run so far; equal: none */
    void (*fn)(hwaddr offset, uint64_t len, void *opaque);
    void *opaque;
} DirtyRun;

static void flush_run(DirtyRun *d)
{
    uint64_t from, to;

    if (d->start == d->stop) {
        return;
    }
    from = MAX(d->start << DIRTY_PAGE_BITS, d->base);
    to = MIN(d->stop << DIRTY_PAGE_BITS, d->end);
    if (ram_hooks.cleaned != NULL) {
        ram_hooks.cleaned(d->block, d->start << DIRTY_PAGE_BITS,
                          (d->stop - d->start) << DIRTY_PAGE_BITS);
    }
    d->fn(from - d->zero, to - from, d->opaque);
    d->start = d->stop;
}

/* Bits [lo, hi) of a word. */
static unsigned long word_mask(unsigned lo, unsigned hi)
{
    return (hi == WORD_BITS ? ~0ul : (1ul << hi) - 1) & ~((1ul << lo) - 1);
}

static void dirty_take(DirtyRun *d, DirtyClient c, uint64_t len)
{
    RamBlock *b = d->block;
    uint64_t page = d->base >> DIRTY_PAGE_BITS, stop;

    if (len == 0) {
        return;
    }
    if (ram_hooks.sync != NULL) {
        ram_hooks.sync(b);
    }
    d->end = d->base + len;
    stop = ((d->end - 1) >> DIRTY_PAGE_BITS) + 1;
    while (page < stop) {
        uint64_t word = page / WORD_BITS;
        unsigned lo = page % WORD_BITS, hi = MIN(stop - word * WORD_BITS, WORD_BITS);
        unsigned long mask = word_mask(lo, hi), got = 0;

        if (__atomic_load_n(&b->dirty[c][word], __ATOMIC_RELAXED) & mask) {
            got = __atomic_fetch_and(&b->dirty[c][word], ~mask, __ATOMIC_SEQ_CST) & mask;
        }
        for (unsigned i = lo; got != 0 && i < hi; i++) {
            if (!(got >> i & 1)) {
                continue;
            }
            if (d->stop != word * WORD_BITS + i || d->start == d->stop) {
                flush_run(d);
                d->start = word * WORD_BITS + i;
            }
            d->stop = word * WORD_BITS + i + 1;
        }
        page = (word + 1) * WORD_BITS;
    }
    flush_run(d);
}

void region_dirty_take(Region *r, DirtyClient c, hwaddr offset, uint64_t len,
                       void (*fn)(hwaddr offset, uint64_t len, void *opaque), void *opaque)
{
    DirtyRun d = {.block = r->ram, .zero = r->ram_offset, .base = r->ram_offset + offset,
                  .fn = fn, .opaque = opaque};

    dirty_take(&d, c, len);
}

void ram_dirty_take(RamBlock *b, DirtyClient c,
                    void (*fn)(hwaddr offset, uint64_t len, void *opaque), void *opaque)
{
    DirtyRun d = {.block = b, .fn = fn, .opaque = opaque};

    dirty_take(&d, c, b->size);
}

void ram_dirty_fill(DirtyClient c)
{
    for (RamBlock *b = ram_blocks(); b != NULL; b = b->next) {
        for (size_t i = 0; i < bitmap_words(b); i++) {
            __atomic_store_n(&b->dirty[c][i], ~0ul, __ATOMIC_SEQ_CST);
        }
    }
}
