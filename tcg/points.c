// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From host code back to guest instructions. Code of the first tier has a packed table, three
 * numbers of seven bits a byte for each instruction, each relative to the one before: where its
 * code begins; its pc (the sign in bit 0), from the block's on; its metadata (exclusive or).
 * All that may fault there is a call, so the place is a return address.
 */
#include "tcg/codegen.h"

static uint64_t get_varint(const uint8_t **p)
{
    uint64_t v = 0;

    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = *(*p)++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            return v;
        }
    }
}

/* Steps to the next instruction of the table. */
static void next_point(const uint8_t **p, uint32_t *host_offset, InsnPoint *at)
{
    *host_offset += (uint32_t)get_varint(p);
    uint64_t d = get_varint(p);
    at->pc += d >> 1 ^ -(d & 1);
    at->meta ^= get_varint(p);
}

bool code_find_insn(const CodeBlock *cb, uint32_t host_offset, uint32_t *insn)
{
    const GeneratedCode *c = &cb->code;
    uint32_t a = 0, z = c->num_side;

    if (c->packed) {
        const uint8_t *p = code_points(c);
        InsnPoint at = {.pc = cb->key.pc};
        uint32_t n = 0, offset = 0;
        for (; n < c->num_insns; n++) {
            next_point(&p, &offset, &at);
            if (offset >= host_offset) {
                break;
            }
        }
        *insn = n - 1;
        return n > 0;
    }
    const SidePoint *side = code_side(c);
    while (z - a > 1) {
        uint32_t mid = a + (z - a) / 2;
        if (side[mid].host_offset <= host_offset) {
            a = mid;
        } else {
            z = mid;
        }
    }
    if (z == 0) {
        return false;
    }
    *insn = side[a].insn;
    return true;
}

InsnPoint code_insn(const CodeBlock *cb, uint32_t insn)
{
    const GeneratedCode *c = &cb->code;

    if (!c->packed) {
        return code_insns(c)[insn];
    }
    const uint8_t *p = code_points(c);
    InsnPoint at = {.pc = cb->key.pc};
    uint32_t offset = 0;
    for (uint32_t n = 0; n <= insn; n++) {
        next_point(&p, &offset, &at);
    }
    return at;
}
