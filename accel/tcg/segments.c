// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The code buffer in segments: each has a part of hot and of cold code, of blocks and of chain
 * slots. One is filled after the other; when all are in use, the one that was begun first goes,
 * with the blocks in it, while all others stay. From then on what is made by the best tier fills
 * segments of its own, up to a quarter: what runs once does not push out what runs often.
 */
#include "accel/tcg/tcg.h"

enum {
    YOUNG,
    BEST,
    MIN_SEGMENTS = 4,
    MAX_SEGMENTS = 8,
    STUBS_PART = 32,                   /* of the hot part: for counters that are wanted once it is full */
};

static size_t bytes_between(const uint8_t *from, const uint8_t *to)
{
    return (size_t)(to - from);
}

void segments_init(void)
{
    const CodeBuffer *b = &tcg->buffer;
    const unsigned n = (unsigned)CLAMP(b->size / (2 * MIB), MIN_SEGMENTS, MAX_SEGMENTS);
    const size_t hot = (bytes_between(b->ptr, b->end) / n) & ~(size_t)63;
    const size_t cold = b->cold ? (bytes_between(b->cold, b->cold_end) / n) & ~(size_t)63 : 0;
    const size_t slots = (size_t)(b->slots_end - b->slots) / n;
    const uint32_t blocks = (tcg->max_blocks - 1) / n;

    tcg->num_segments = n;
    for (unsigned i = 0; i < n; i++) {
        CodeSegment *s = &tcg->segments[i];
        s->room = *b;
        s->room.ptr = b->ptr + i * hot;
        s->room.end = s->room.ptr + hot;
        s->room.cold = b->cold ? b->cold + i * cold : NULL;
        s->room.cold_end = b->cold ? s->room.cold + cold : NULL;
        s->room.slots = b->slots + i * slots;
        s->room.slots_end = s->room.slots + slots;
        s->start = code_buffer_mark(&s->room);
        s->hot_end = s->room.end;
        s->first_block = 1 + i * blocks;
        s->max_blocks = blocks;
    }
    segments_next(false);
}

CodeSegment *segment_now(bool best)
{
    return best && tcg->segment_now[BEST] ? tcg->segment_now[BEST] : tcg->segment_now[YOUNG];
}

CodeSegment *segment_of(const CodeBlock *cb)
{
    return &tcg->segments[(block_number(cb) - 1) / tcg->segments[0].max_blocks];
}

bool segment_is_half_full(const CodeSegment *s)
{
    const CodeBuffer *r = &s->room;

    return bytes_between(s->start.ptr, r->ptr) > bytes_between(r->ptr, r->end) ||
           bytes_between(s->start.cold, r->cold) > bytes_between(r->cold, r->cold_end) ||
           r->slots - s->start.slots > r->slots_end - r->slots ||
           atomic_load(&s->num_blocks) > s->max_blocks / 2;
}

/* What lies in it is no more; exclusive section, blocks_lock. */
static void evict(CodeSegment *s)
{
    const uint32_t n = atomic_load(&s->num_blocks);

    for (uint32_t i = 0; i < n; i++) {
        CodeBlock *cb = &tcg->blocks[s->first_block + i];
        if (atomic_load(&cb->valid)) {
            cache_remove(cb);
        }
        tcg->stats.blocks--;
        tcg->stats.guest_bytes -= cb->bytes;
    }
    atomic_store(&s->num_blocks, 0);
    code_buffer_release(&s->room, s->start);
    tcg->stats.flushes++;
}

static CodeSegment *oldest(bool best)
{
    CodeSegment *found = NULL;

    for (unsigned i = 0; i < tcg->num_segments; i++) {
        CodeSegment *s = &tcg->segments[i];
        if (s->since && s->best == best && (!found || s->since < found->since)) {
            found = s;
        }
    }
    return found;
}

static CodeSegment *unused(void)
{
    for (unsigned i = 0; i < tcg->num_segments; i++) {
        if (!tcg->segments[i].since) {
            return &tcg->segments[i];
        }
    }
    return NULL;
}

bool segments_next(bool best)
{
    CodeSegment *s = unused();
    const unsigned kind = best && !s ? BEST : YOUNG;
    CodeSegment *full = tcg->segment_now[kind];
    unsigned num_best = 0;

    if (full) {
        full->room.end = full->hot_end;
    }
    for (unsigned i = 0; i < tcg->num_segments; i++) {
        num_best += tcg->segments[i].best;
    }
    const bool evicted = !s;
    if (!s) {
        const unsigned quarter = tcg->num_segments / 4;
        s = oldest(kind == BEST ? num_best >= quarter : num_best > quarter);
        evict(s);
    }
    s->best = kind == BEST;
    s->since = ++tcg->segments_begun;
    s->room.end = s->hot_end - bytes_between(s->start.ptr, s->hot_end) / STUBS_PART;
    tcg->segment_now[kind] = s;
    return evicted;
}

CodeSegment *segment_at(uintptr_t host_pc, bool *cold)
{
    for (unsigned i = 0; i < tcg->num_segments; i++) {
        CodeSegment *s = &tcg->segments[i];
        *cold = s->start.cold && host_pc >= (uintptr_t)s->start.cold &&
                host_pc < (uintptr_t)s->room.cold_end;
        if (*cold || (host_pc >= (uintptr_t)s->start.ptr && host_pc < (uintptr_t)s->hot_end)) {
            return s;
        }
    }
    return NULL;
}
