// SPDX-License-Identifier: GPL-2.0-or-later
/* Guest memory in the interpreter: soft TLB hits inline, all else by accel/tcg's slow paths. */
#include "tcg/interp/interp.h"

#include <string.h>

#define PAGE_OFFSET_MASK ((1ull << PAGE_BITS_MIN) - 1)
/* A return address for slow paths: any but 0, the interpreter's place is in the Cpu. */
#define HERE ((uintptr_t)1)

static MemOp memop(const Insn *i)
{
    return (MemOp)(i->imm[0] & 0xff);
}

static unsigned access_size(MemOp op)
{
    return 1u << (op & MEM_SIZE);
}

static uint64_t extend(MemOp op, uint64_t v)
{
    switch ((op & MEM_SIZE) | (op & MEM_SIGN)) {
    case MEM_8: return (uint8_t)v;
    case MEM_16: return (uint16_t)v;
    case MEM_32: return (uint32_t)v;
    case MEM_8 | MEM_SIGN: return (uint64_t)(int8_t)v;
    case MEM_16 | MEM_SIGN: return (uint64_t)(int16_t)v;
    case MEM_32 | MEM_SIGN: return (uint64_t)(int32_t)v;
    default: return v;
    }
}

static uint64_t swap_if(bool swap, MemOp op, uint64_t v)
{
    unsigned size = access_size(op);

    return swap ? __builtin_bswap64(v) >> (64 - 8 * size) : v;
}

static bool foreign(MemOp op)
{
    return ((op & MEM_BIG) != 0) == (G_BYTE_ORDER == G_LITTLE_ENDIAN);
}

/* Host address of an access that the TLB maps plainly, or NULL. */
static void *tlb_hit(const Insn *i, Run *r, uint64_t va, bool write)
{
    const MemOp op = memop(i);
    const unsigned size = access_size(op), mmu = (unsigned)(i->imm[0] >> 8) & 0xff;
    const TlbEntry *e = &r->cpu->tlb.table[mmu][(va >> PAGE_BITS_MIN) & (TLB_SIZE - 1)];

    if ((write ? e->write : e->read) != (va & ~PAGE_OFFSET_MASK) ||
        (va & PAGE_OFFSET_MASK) + size > PAGE_OFFSET_MASK + 1 || va & (size - 1)) {
        return NULL;
    }
    return (void *)(uintptr_t)(va + e->addend);
}

static uint64_t load_host(const void *p, unsigned size)
{
    switch (size) {
    case 1: return __atomic_load_n((const uint8_t *)p, __ATOMIC_RELAXED);
    case 2: return __atomic_load_n((const uint16_t *)p, __ATOMIC_RELAXED);
    case 4: return __atomic_load_n((const uint32_t *)p, __ATOMIC_RELAXED);
    default: return __atomic_load_n((const uint64_t *)p, __ATOMIC_RELAXED);
    }
}

static void store_host(void *p, unsigned size, uint64_t v)
{
    switch (size) {
    case 1: __atomic_store_n((uint8_t *)p, (uint8_t)v, __ATOMIC_RELAXED); break;
    case 2: __atomic_store_n((uint16_t *)p, (uint16_t)v, __ATOMIC_RELAXED); break;
    case 4: __atomic_store_n((uint32_t *)p, (uint32_t)v, __ATOMIC_RELAXED); break;
    default: __atomic_store_n((uint64_t *)p, v, __ATOMIC_RELAXED); break;
    }
}

static const Insn *load_wide(const Insn *i, Run *r, uint64_t va)
{
    const unsigned parts = access_size(memop(i)) / 16;
    const void *host = tlb_hit(i, r, va, false);
    Vec128 *to = dst_at(i, r);
    uint32_t oi = (uint32_t)i->imm[0];
    Vec128 got[2];

    for (unsigned n = 0; n < parts; n++, oi = (oi & ~(uint32_t)MEM_SIZE) | MEM_128) {
        if (host) {
            memcpy(&got[n], (const uint8_t *)host + 16 * n, 16);
        } else {
            got[n] = tcg_load128_slow(r->cpu, va + 16 * n, oi, HERE);
        }
    }
    memcpy(to, got, 16 * parts);
    return i + 1;
}

const Insn *interp_load(const Insn *i, Run *r)
{
    const uint64_t va = arg64(i, r, 0);
    const MemOp op = memop(i);

    if ((op & MEM_SIZE) >= MEM_128) {
        return load_wide(i, r, va);
    }
    const void *host = tlb_hit(i, r, va, false);
    uint64_t v = host ? swap_if(foreign(op), op, load_host(host, access_size(op)))
                      : tcg_load_slow(r->cpu, va, (uint32_t)i->imm[0], HERE);
    if (i->dst_type >= IR_V128) {
        memset(dst_at(i, r), 0, ir_type_bits((IrType)i->dst_type) / 8);
        memcpy(dst_at(i, r), &v, 8);
    } else {
        put64(i, r, extend(op, v));
    }
    return i + 1;
}

static const Insn *store_wide(const Insn *i, Run *r, uint64_t va)
{
    const unsigned parts = access_size(memop(i)) / 16;
    void *host = tlb_hit(i, r, va, true);
    const Vec128 *from = arg_at(i, r, 0);
    uint32_t oi = (uint32_t)i->imm[0];

    for (unsigned n = 0; n < parts; n++, oi = (oi & ~(uint32_t)MEM_SIZE) | MEM_128) {
        if (host) {
            memcpy((uint8_t *)host + 16 * n, &from[n], 16);
        } else {
            tcg_store128_slow(r->cpu, va + 16 * n, from[n], oi, HERE);
        }
    }
    return i + 1;
}

const Insn *interp_store(const Insn *i, Run *r)
{
    const uint64_t va = arg64(i, r, 1);
    const MemOp op = memop(i);

    if ((op & MEM_SIZE) >= MEM_128) {
        return store_wide(i, r, va);
    }
    void *host = tlb_hit(i, r, va, true);
    const uint64_t v = extend(op & ~MEM_SIGN, arg64(i, r, 0));
    if (host) {
        store_host(host, access_size(op), swap_if(foreign(op), op, v));
    } else {
        tcg_store_slow(r->cpu, va, v, (uint32_t)i->imm[0], HERE);
    }
    return i + 1;
}

const Insn *interp_atomic(const Insn *i, Run *r)
{
    const MemOp op = memop(i);
    const unsigned mmu = (unsigned)(i->imm[0] >> 8) & 0xff;
    uint64_t old;

    if (i->opcode == OP_CMPXCHG) {
        old = tcg_atomic(r->cpu, arg64(i, r, 2), extend(op & ~MEM_SIGN, arg64(i, r, 1)),
                         extend(op & ~MEM_SIGN, arg64(i, r, 0)), MEM_KIND_OI(TCG_CMPXCHG, op, mmu),
                         HERE);
    } else {
        old = tcg_atomic(r->cpu, arg64(i, r, 1), extend(op & ~MEM_SIGN, arg64(i, r, 0)), 0,
                         MEM_KIND_OI(ATOMIC_XCHG + (i->opcode - OP_XCHG), op, mmu), HERE);
    }
    put64(i, r, extend(op, old));
    return i + 1;
}

/* ---- fields of the CPU struct, in host byte order ---- */

const Insn *interp_env_load(const Insn *i, Run *r)
{
    const uint8_t *p = (const uint8_t *)r->cpu + i->imm[0];
    const MemOp op = (MemOp)i->imm[1];

    put64(i, r, extend(op, load_host(p, access_size(op))));
    return i + 1;
}

const Insn *interp_env_store(const Insn *i, Run *r)
{
    store_host((uint8_t *)r->cpu + i->imm[0], access_size((MemOp)i->imm[1]), arg64(i, r, 0));
    return i + 1;
}
