// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The caches of qcow2's metadata: slices of L2 tables, and refcount blocks. A fixed number of
 * tables each, least recently used ones go first, found by a hash of their offsets. What is dirty
 * is written when its place is needed, at a flush and at the end, after what it depends on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "block/qcow2.h"

typedef struct Slot {
    uint64_t offset;            /* 0: empty */
    uint64_t used;              /* when it was put back last */
    unsigned refs;
    int next;                   /* in its hash chain, -1: last */
    bool dirty;
} Slot;

struct Qcow2Cache {
    const char *what;
    uint32_t size;
    unsigned count, filled;
    Slot *slots;
    uint8_t *tables;
    int *heads;                 /* of hash chains */
    unsigned head_mask;
    uint64_t clock, cleaned;    /* cleaned: the clock when unused tables were dropped last */
    unsigned dirty;             /* number of dirty tables */
    Qcow2Cache *depends;
    bool needs_data;
    int last;                   /* slot that was found last */
};

Qcow2Cache *qcow2_cache_new(unsigned count, uint32_t size, const char *what)
{
    Qcow2Cache *c = g_new0(Qcow2Cache, 1);
    unsigned heads = 16;

    c->what = what;
    c->size = size;
    c->count = MAX(count, 4);
    while (heads < c->count) {
        heads *= 2;
    }
    c->slots = g_new0(Slot, c->count);
    c->heads = g_new(int, heads);
    c->head_mask = heads - 1;
    for (unsigned i = 0; i < heads; i++) {
        c->heads[i] = -1;
    }
    c->tables = mmap(NULL, (size_t)c->count * size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    c->last = -1;
    if (c->tables == MAP_FAILED) {
        g_free(c->slots);
        g_free(c->heads);
        g_free(c);
        return NULL;
    }
    return c;
}

void qcow2_cache_free(Qcow2Cache *c)
{
    if (c) {
        munmap(c->tables, (size_t)c->count * c->size);
        g_free(c->slots);
        g_free(c->heads);
        g_free(c);
    }
}

static unsigned hash_of(const Qcow2Cache *c, uint64_t offset)
{
    return (unsigned)((offset / c->size) * 0x9e3779b97f4a7c15ull >> 40) & c->head_mask;
}

static int find(Qcow2Cache *c, uint64_t offset)
{
    int i;

    if (c->last >= 0 && c->slots[c->last].offset == offset) {
        return c->last;
    }
    for (i = c->heads[hash_of(c, offset)]; i >= 0 && c->slots[i].offset != offset;
         i = c->slots[i].next) {
    }
    if (i >= 0) {
        c->last = i;
    }
    return i;
}

static void unhash(Qcow2Cache *c, int i)
{
    int *at = &c->heads[hash_of(c, c->slots[i].offset)];

    while (*at != i) {
        at = &c->slots[*at].next;
    }
    *at = c->slots[i].next;
    c->slots[i].offset = 0;
}

static void enhash(Qcow2Cache *c, int i, uint64_t offset)
{
    unsigned h = hash_of(c, offset);

    c->slots[i].offset = offset;
    c->slots[i].next = c->heads[h];
    c->heads[h] = i;
}

static int slot_of(const Qcow2Cache *c, const void *table)
{
    return (int)(((const uint8_t *)table - c->tables) / c->size);
}

/* ---- writing ---- */

static int co_flush_dependencies(Qcow2 *q, Qcow2Cache *c)
{
    int ret = 0;

    if (c->depends) {
        ret = co_qcow2_cache_flush(q, c->depends);
        if (ret == 0) {
            c->depends = NULL;
            c->needs_data &= q->external;
        }
    }
    if (ret == 0 && c->needs_data) {
        ret = co_block_flush(q->data);
        if (ret == 0) {
            c->needs_data = false;
        }
    }
    return ret;
}

static int co_write_slot(Qcow2 *q, Qcow2Cache *c, int i)
{
    unsigned kind = c == q->l2_cache ? OVERLAP_L2 : OVERLAP_REFBLOCK;
    int ret;

    if (!c->slots[i].dirty || !c->slots[i].offset) {
        return 0;
    }
    ret = co_flush_dependencies(q, c);
    if (ret == 0) {
        ret = co_qcow2_check_overlap(q, kind, c->slots[i].offset, c->size);
    }
    if (ret == 0) {
        qcow2_event(q, kind == OVERLAP_L2 ? "l2_update" : "refblock_update_part");
        ret = co_block_pwrite(q->n->file, c->slots[i].offset, c->tables + (size_t)i * c->size,
                              c->size, 0);
    }
    if (ret == 0) {
        c->slots[i].dirty = false;
        c->dirty--;
    }
    return ret;
}

static int compare_offsets(const void *a, const void *b, void *opaque)
{
    const Qcow2Cache *c = opaque;
    uint64_t x = c->slots[*(const int *)a].offset, y = c->slots[*(const int *)b].offset;

    return x < y ? -1 : x > y;
}

int co_qcow2_cache_write(Qcow2 *q, Qcow2Cache *c)
{
    g_autofree int *order = NULL;
    unsigned count = 0;
    int ret = 0;

    if (!c->dirty) {
        return co_flush_dependencies(q, c);
    }
    order = g_new(int, c->count);
    for (unsigned i = 0; i < c->filled; i++) {
        if (c->slots[i].dirty) {
            order[count++] = (int)i;
        }
    }
    g_qsort_with_data(order, (int)count, sizeof(int), compare_offsets, c);
    for (unsigned i = 0; i < count; i++) {
        int one = co_write_slot(q, c, order[i]);

        ret = ret < 0 ? ret : one;
    }
    return ret;
}

int co_qcow2_cache_flush(Qcow2 *q, Qcow2Cache *c)
{
    int ret = co_qcow2_cache_write(q, c);

    return ret < 0 ? ret : co_block_flush(q->n->file);
}

int co_qcow2_cache_depend(Qcow2 *q, Qcow2Cache *c, Qcow2Cache *on)
{
    int ret = 0;

    if (c->depends == on) {
        return 0;
    }
    if (on->depends) {
        ret = co_flush_dependencies(q, on);
    }
    if (ret == 0 && c->depends) {
        ret = co_flush_dependencies(q, c);
    }
    if (ret == 0) {
        c->depends = on;
    }
    return ret;
}

void qcow2_cache_needs_data(Qcow2Cache *c)
{
    c->needs_data = true;
}

/* ---- reading ---- */

static int pick_victim(Qcow2Cache *c)
{
    uint64_t oldest = UINT64_MAX;
    int victim = -1;

    if (c->filled < c->count) {
        return (int)c->filled++;
    }
    for (unsigned i = 0; i < c->count; i++) {
        if (c->slots[i].refs == 0 && c->slots[i].used < oldest) {
            oldest = c->slots[i].used;
            victim = (int)i;
        }
    }
    return victim;
}

int co_qcow2_cache_get(Qcow2 *q, Qcow2Cache *c, uint64_t offset, bool fresh, void **table)
{
    int i = find(c, offset);
    int ret;

    if (i < 0) {
        i = pick_victim(c);
        if (i < 0) {
            return -EBUSY;
        }
        c->slots[i].refs++;     /* nobody else takes it while we write it */
        ret = co_write_slot(q, c, i);
        c->slots[i].refs--;
        if (ret < 0) {
            return ret;
        }
        if (c->slots[i].offset) {
            unhash(c, i);
        }
        c->last = -1;
        if (!fresh) {
            qcow2_event(q, c == q->l2_cache ? "l2_load" : "refblock_load");
            ret = co_block_pread(q->n->file, offset, c->tables + (size_t)i * c->size, c->size);
            if (ret < 0) {
                return ret;
            }
        }
        enhash(c, i, offset);
        c->last = i;
    }
    c->slots[i].refs++;
    *table = c->tables + (size_t)i * c->size;
    return 0;
}

void qcow2_cache_clean(Qcow2Cache *c)
{
    unsigned page = (unsigned)sysconf(_SC_PAGESIZE);

    for (unsigned i = 0; i < c->filled; i++) {
        Slot *s = &c->slots[i];
        uint8_t *table = c->tables + (size_t)i * c->size;

        if (s->offset && s->refs == 0 && !s->dirty && s->used <= c->cleaned) {
            unhash(c, (int)i);
            s->used = 0;
            if (c->size % page == 0) {
                madvise(table, c->size, MADV_DONTNEED);
            }
        }
    }
    c->last = -1;
    c->cleaned = c->clock;
}

void qcow2_cache_put(Qcow2Cache *c, void *table)
{
    Slot *s = &c->slots[slot_of(c, table)];

    if (--s->refs == 0) {
        s->used = ++c->clock;
    }
}

void qcow2_cache_dirty(Qcow2Cache *c, void *table)
{
    Slot *s = &c->slots[slot_of(c, table)];

    if (!s->dirty) {
        s->dirty = true;
        c->dirty++;
    }
}

void qcow2_cache_forget(Qcow2Cache *c, uint64_t offset, uint64_t len)
{
    if (!c || !c->filled) {
        return;
    }
    for (uint64_t at = offset; at < offset + len; at += c->size) {
        int i = find(c, at);

        if (i >= 0 && c->slots[i].refs == 0) {
            if (c->slots[i].dirty) {
                c->slots[i].dirty = false;
                c->dirty--;
            }
            unhash(c, i);
            c->slots[i].used = 0;
            c->last = -1;
        }
    }
}

void qcow2_cache_empty(Qcow2Cache *c)
{
    for (unsigned i = 0; i < c->filled; i++) {
        if (c->slots[i].offset && c->slots[i].refs == 0) {
            unhash(c, (int)i);
        }
        c->slots[i].dirty = false;
        c->slots[i].used = 0;
    }
    c->dirty = 0;
    c->depends = NULL;
    c->needs_data = false;
    c->last = -1;
}
