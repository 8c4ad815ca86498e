// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The machine's memory in a state stream: runs of pages, those of zeroes without their bytes. A
 * machine that runs meanwhile is followed by dirty bits: pages are sent again until few are left.
 */
#include "migration/stream.h"

#include <string.h>
#include <sys/mman.h>

#include "util/error.h"
#include "util/iov.h"
#include "util/main-loop.h"
#include "util/rcu.h"

#define PAGE 4096u
#define WORD_BITS (8 * sizeof(unsigned long))
/* Runs with bytes, and those without. */
#define MAX_RUN_PAGES 64u
#define MAX_ZERO_PAGES 0x2000u
/* In the length of a run: its pages are zero. */
#define RUN_ZERO 0x80000000u
/* Of a run and the one before it that has to be ended first, without pages. */
#define RUN_HEADERS 64u
/* Zeroes from which on the host gets its memory back. */
#define DISCARD_BYTES (64 * KIB)

static bool page_is_zero(const uint8_t *p, uint64_t len)
{
    return iov_is_zero(&(struct iovec){(void *)p, len}, 1);
}

/*
 * Several blocks may have the same id (expansion ROMs): the older ones, which lie lower, come
 * first. New string.
 */
static char *block_name(const RamBlock *b)
{
    unsigned older = 0;

    for (const RamBlock *o = ram_blocks(); o; o = o->next) {
        older += o->offset < b->offset && strcmp(o->id, b->id) == 0;
    }
    return older ? g_strdup_printf("%s#%u", b->id, older) : g_strdup(b->id);
}

/* ---- what is to be sent ---- */

static uint64_t page_count(uint64_t size)
{
    return (size + PAGE - 1) / PAGE;
}

static bool has_page(const RamSend *r, uint64_t page)
{
    return r->pages[page / WORD_BITS] >> page % WORD_BITS & 1;
}

static void clear_page(RamSend *r, uint64_t page)
{
    r->pages[page / WORD_BITS] &= ~(1ul << page % WORD_BITS);
}

static void ram_send_free(gpointer p)
{
    RamSend *r = p;

    g_free(r->name);
    g_free(r->pages);
    g_free(r);
}

GPtrArray *ram_send_new(void)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(ram_send_free);

    for (const RamBlock *b = ram_blocks(); b; b = b->next) {
        uint64_t pages = page_count(b->size), words = (pages + WORD_BITS - 1) / WORD_BITS;
        RamSend *r = g_new0(RamSend, 1);

        r->id = b->offset;
        r->size = b->size;
        r->name = block_name(b);
        r->pages = g_new(unsigned long, words);
        memset(r->pages, 0xff, words * sizeof(unsigned long));
        if (pages % WORD_BITS) {
            r->pages[words - 1] = (1ul << pages % WORD_BITS) - 1;
        }
        g_ptr_array_add(list, r);
    }
    return list;
}

uint64_t ram_send_left(GPtrArray *list)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < list->len; i++) {
        const RamSend *r = g_ptr_array_index(list, i);
        uint64_t words = (page_count(r->size) + WORD_BITS - 1) / WORD_BITS;

        for (uint64_t w = 0; w < words; w++) {
            sum += (unsigned)__builtin_popcountl(r->pages[w]) * PAGE;
        }
    }
    return sum;
}

static void collect_run(uint64_t offset, uint64_t len, void *opaque)
{
    RamSend *r = opaque;

    for (uint64_t page = offset / PAGE; page * PAGE < offset + len; page++) {
        r->pages[page / WORD_BITS] |= 1ul << page % WORD_BITS;
    }
}

void ram_send_collect(GPtrArray *list)
{
    for (unsigned i = 0; i < list->len; i++) {
        RamSend *r = g_ptr_array_index(list, i);
        RamBlock *b;

        rcu_read_lock();
        b = ram_block_find(r->id);
        if (b && b->offset == r->id) {
            ram_dirty_take(b, DIRTY_MIGRATION, collect_run, r);
        }
        rcu_read_unlock();
    }
    /* a store may be between its look at the page's state and memory */
    machine_lock();
    memory_wait_for_readers();
    machine_unlock();
}

/* ---- sending ---- */

/* A run from page `at` on of pages that are wanted and all zero, or all not; *zero says which. */
static uint64_t find_run(const RamSend *r, const uint8_t *host, uint64_t at, bool *zero)
{
    uint64_t end = at, pages = page_count(r->size);

    *zero = true;
    while (end < pages && has_page(r, end) && end - at < (*zero ? MAX_ZERO_PAGES : MAX_RUN_PAGES)) {
        bool z = page_is_zero(host + end * PAGE, MIN(PAGE, r->size - end * PAGE));

        if (end == at) {
            *zero = z;
        } else if (z != *zero) {
            break;
        }
        end++;
    }
    return end;
}

/* Runs until the buffer has no room for another; *at is the next page. */
static bool send_some(StateStream *s, RamSend *r, uint64_t *at, RamCounts *counts, GError **error)
{
    const RamBlock *b = ram_block_find(r->id);
    uint64_t pages = page_count(r->size);

    if (!b || b->offset != r->id) {
        *at = pages; /* its device has gone */
        return true;
    }
    while (*at < pages && STATE_BUFFER_BYTES - s->used > MAX_RUN_PAGES * PAGE + RUN_HEADERS) {
        uint64_t end, from = *at * PAGE, len;
        bool zero;

        if (!has_page(r, *at)) {
            *at += r->pages[*at / WORD_BITS] >> *at % WORD_BITS ? 1 : WORD_BITS - *at % WORD_BITS;
            continue;
        }
        end = find_run(r, b->host, *at, &zero);
        len = MIN(end * PAGE, r->size) - from;
        if (!stream_put_u64(s, from, error) ||
            !stream_put_u32(s, (uint32_t)len | (zero ? RUN_ZERO : 0), error) ||
            !(zero || stream_put(s, b->host + from, len, error))) {
            return false;
        }
        *(zero ? &counts->zero : &counts->normal) += end - *at;
        for (; *at < end; ++*at) {
            clear_page(r, *at);
        }
        if (zero) {
            break; /* a long one took its time */
        }
    }
    return true;
}

static bool send_block(StateStream *s, RamSend *r, RamCounts *counts, bool (*stop)(void *opaque),
                       void *opaque, GError **error)
{
    uint64_t at = 0, pages = page_count(r->size);
    bool good;

    if (!stream_put_u8(s, SECTION_RAM, error) || !stream_put_text(s, r->name, error) ||
        !stream_put_u64(s, r->size, error)) {
        return false;
    }
    while (at < pages && !(stop && stop(opaque))) {
        /* writing may take long: not within the reader's section */
        if (!stream_room(s, MAX_RUN_PAGES * PAGE + RUN_HEADERS, error)) {
            return false;
        }
        rcu_read_lock();
        good = send_some(s, r, &at, counts, error);
        rcu_read_unlock();
        if (!good) {
            return false;
        }
    }
    return stream_put_u64(s, 0, error) && stream_put_u32(s, 0, error);
}

bool ram_send(StateStream *s, GPtrArray *list, RamCounts *counts, bool (*stop)(void *opaque),
              void *opaque, GError **error)
{
    for (unsigned i = 0; i < list->len && !(stop && stop(opaque)); i++) {
        if (!send_block(s, g_ptr_array_index(list, i), counts, stop, opaque, error)) {
            return false;
        }
    }
    return true;
}

/* ---- receiving ---- */

static RamBlock *find_block(const char *id)
{
    for (RamBlock *b = ram_blocks(); b; b = b->next) {
        g_autofree char *name = block_name(b);

        if (strcmp(name, id) == 0) {
            return b;
        }
    }
    return NULL;
}

/* Pages that were never touched are left alone: to look at them would make the host map them. */
static void clear_bytes(RamBlock *b, uint64_t from, uint64_t to)
{
    if (b->fd < 0 && to - from >= DISCARD_BYTES && from % PAGE == 0 && to % PAGE == 0 &&
        madvise(b->host + from, to - from, MADV_DONTNEED) == 0) {
        ram_written(b, from, to - from);
        return;
    }
    while (from < to) {
        uint64_t step = MIN(PAGE - from % PAGE, to - from);

        if (!page_is_zero(b->host + from, step)) {
            memset(b->host + from, 0, step);
            ram_written(b, from, step);
        }
        from += step;
    }
}

bool ram_receive(StateStream *s, GError **error)
{
    g_autofree char *id = stream_get_text(s, error);
    RamBlock *b = id ? find_block(id) : NULL;
    uint64_t size, offset;
    uint32_t len, bytes;

    if (!id || !stream_get_u64(s, &size, error)) {
        return false;
    }
    if (!b || b->size != size) {
        return fail(error, "the machine has no memory '%s' of %" G_GUINT64_FORMAT " bytes", id,
                    size);
    }
    for (;;) {
        if (!stream_get_u64(s, &offset, error) || !stream_get_u32(s, &len, error)) {
            return false;
        }
        if (len == 0) {
            return true;
        }
        bytes = len & ~RUN_ZERO;
        if (offset > size || bytes > size - offset) {
            return fail(error, "the state of memory '%s' has pages out of place", id);
        }
        if (len & RUN_ZERO) {
            clear_bytes(b, offset, offset + bytes);
        } else if (!stream_get(s, b->host + offset, bytes, error)) {
            return false;
        } else {
            ram_written(b, offset, bytes);
        }
    }
}
