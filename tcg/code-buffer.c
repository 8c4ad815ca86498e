// SPDX-License-Identifier: GPL-2.0-or-later
/* The code buffer: one executable mapping, whose pages cost memory once they are used. */
#include "tcg/codegen.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "util/error.h"

/* Below the program itself, where calls from generated code reach it with 32 bits. */
static void *near_program(size_t size)
{
    const uintptr_t align = 2 * 1024 * 1024;
    uintptr_t here = (uintptr_t)&code_buffer_init;

    return here > 4 * size + align ? (void *)((here - size - 64 * align) & ~(align - 1)) : NULL;
}

bool code_buffer_init(CodeBuffer *c, size_t size, GError **error)
{
    void *p = mmap(near_program(size), size, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        return fail_errno(error, errno, "cannot map a code buffer of %zu bytes", size);
    }
    madvise(p, size, MADV_HUGEPAGE);       /* fewer instruction TLB misses; refusal does no harm */
    *c = (CodeBuffer){ .base = p, .ptr = p, .size = size, .end = (uint8_t *)p + size };
    return true;
}

void code_buffer_split(CodeBuffer *c, size_t cold_size)
{
    c->cold_end = c->end;
    c->cold = c->end = c->end - cold_size;
}

void *code_buffer_table(CodeBuffer *c, size_t size)
{
    uint8_t **p = c->cold ? &c->cold : &c->ptr, *end = c->cold ? c->cold_end : c->end;
    uint8_t *at = (uint8_t *)(((uintptr_t)*p + 7) & ~(uintptr_t)7);

    if (at > end || (size_t)(end - at) < size) {
        return NULL;
    }
    *p = at + size;
    return at;
}

void *code_buffer_reserve(CodeBuffer *c, size_t size)
{
    if (size > (size_t)(c->end - c->ptr)) {
        return NULL;
    }
    c->end = (uint8_t *)((uintptr_t)(c->end - size) & ~(uintptr_t)63);
    return c->end;
}

ChainSlot *code_buffer_slots(CodeBuffer *c, uint32_t n)
{
    ChainSlot *at = c->slots;

    if (!at) {
        at = code_buffer_table(c, n * sizeof(ChainSlot));
    } else if ((size_t)(c->slots_end - at) >= n) {
        c->slots += n;
    } else {
        return NULL;
    }
    if (at && n) {
        memset(at, 0, n * sizeof(ChainSlot));
    }
    return at;
}

void code_buffer_fini(CodeBuffer *c)
{
    munmap(c->base, c->size);
    *c = (CodeBuffer){0};
}
