// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest atomic operations: host atomics on guest RAM. What the host cannot do in one step (over a
 * page's end, unaligned, devices) is done with all other vCPUs stopped: CPU_EXC_ATOMIC runs the
 * instruction once more in an exclusive section, and there plain loads and stores will do.
 */
#include "accel/tcg/tcg.h"

#include <string.h>

static uint64_t combine(unsigned kind, uint64_t old, uint64_t value)
{
    switch (kind) {
    case ATOMIC_ADD:
        return old + value;
    case ATOMIC_AND:
        return old & value;
    case ATOMIC_OR:
        return old | value;
    case ATOMIC_XOR:
        return old ^ value;
    default:
        return value;
    }
}

static uint64_t cut_to(uint64_t v, unsigned size)
{
    return size == 8 ? v : v & ((1ull << 8 * size) - 1);
}

static uint64_t atomic8(uint8_t *p, uint8_t value, uint8_t expect, unsigned kind)
{
    switch (kind) {
    case ATOMIC_XCHG:
        return __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST);
    case ATOMIC_ADD:
        return __atomic_fetch_add(p, value, __ATOMIC_SEQ_CST);
    case ATOMIC_AND:
        return __atomic_fetch_and(p, value, __ATOMIC_SEQ_CST);
    case ATOMIC_OR:
        return __atomic_fetch_or(p, value, __ATOMIC_SEQ_CST);
    case ATOMIC_XOR:
        return __atomic_fetch_xor(p, value, __ATOMIC_SEQ_CST);
    default:
        __atomic_compare_exchange_n(p, &expect, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        return expect;
    }
}

static uint64_t atomic16(uint16_t *p, uint16_t value, uint16_t expect, unsigned kind)
{
    switch (kind) {
    case ATOMIC_XCHG:
        return __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST);
    case ATOMIC_ADD:
        return __atomic_fetch_add(p, value, __ATOMIC_SEQ_CST);
    case ATOMIC_AND:
        return __atomic_fetch_and(p, value, __ATOMIC_SEQ_CST);
    case ATOMIC_OR:
        return __atomic_fetch_or(p, value, __ATOMIC_SEQ_CST);
    case ATOMIC_XOR:
        return __atomic_fetch_xor(p, value, __ATOMIC_SEQ_CST);
    default:
        __atomic_compare_exchange_n(p, &expect, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        return expect;
    }
}

static uint64_t atomic32(uint32_t *p, uint32_t value, uint32_t expect, unsigned kind)
{
    switch (kind) {
    case ATOMIC_XCHG:
        return __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST);
    case ATOMIC_ADD:
        return __atomic_fetch_add(p, value, __ATOMIC_SEQ_CST);
    case ATOMIC_AND:
        return __atomic_fetch_and(p, value, __ATOMIC_SEQ_CST);
    case ATOMIC_OR:
        return __atomic_fetch_or(p, value, __ATOMIC_SEQ_CST);
    case ATOMIC_XOR:
        return __atomic_fetch_xor(p, value, __ATOMIC_SEQ_CST);
    default:
        __atomic_compare_exchange_n(p, &expect, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        return expect;
    }
}

static uint64_t atomic64(uint64_t *p, uint64_t value, uint64_t expect, unsigned kind)
{
    switch (kind) {
    case ATOMIC_XCHG:
        return __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST);
    case ATOMIC_ADD:
        return __atomic_fetch_add(p, value, __ATOMIC_SEQ_CST);
    case ATOMIC_AND:
        return __atomic_fetch_and(p, value, __ATOMIC_SEQ_CST);
    case ATOMIC_OR:
        return __atomic_fetch_or(p, value, __ATOMIC_SEQ_CST);
    case ATOMIC_XOR:
        return __atomic_fetch_xor(p, value, __ATOMIC_SEQ_CST);
    default:
        __atomic_compare_exchange_n(p, &expect, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        return expect;
    }
}

/* Host memory in host byte order. */
static uint64_t host_atomic(void *p, uint64_t value, uint64_t expect, unsigned size, unsigned kind)
{
    switch (size) {
    case 1:
        return atomic8(p, (uint8_t)value, (uint8_t)expect, kind);
    case 2:
        return atomic16(p, (uint16_t)value, (uint16_t)expect, kind);
    case 4:
        return atomic32(p, (uint32_t)value, (uint32_t)expect, kind);
    default:
        return atomic64(p, value, expect, kind);
    }
}

/* Addition in the other byte order: a loop around compare and exchange. */
static uint64_t swapped_add(void *p, uint64_t value, unsigned size)
{
    unsigned shift = 64 - 8 * size;

    for (;;) {
        uint64_t raw = host_atomic(p, 0, 0, size, ATOMIC_OR);
        uint64_t old = __builtin_bswap64(raw) >> shift;
        uint64_t sum = cut_to(old + value, size);
        if (host_atomic(p, __builtin_bswap64(sum) >> shift, raw, size, TCG_CMPXCHG) == raw) {
            return old;
        }
    }
}

static uint64_t plain_atomic(Cpu *cpu, uint64_t va, uint64_t value, uint64_t expect, unsigned kind,
                             uint32_t oi, uintptr_t host_pc)
{
    unsigned size = 1u << (oi & MEM_SIZE);
    uint32_t plain_oi = oi & ~(uint32_t)(MEM_SIGN | MEM_ALIGN);

    /* Writable first: a fault is reported as that of a write. */
    unsigned first = (unsigned)MIN(size, PAGE_SIZE_MIN - (va & PAGE_OFFSET));
    tlb_resolve(cpu, va, first, ACCESS_STORE, oi >> 8 & 0xff, host_pc);
    uint64_t old = tcg_load_slow(cpu, va, plain_oi, host_pc);
    uint64_t new = combine(kind, old, value);
    if (kind == TCG_CMPXCHG) {
        new = old == cut_to(expect, size) ? value : old;
    }
    tcg_store_slow(cpu, va, new, plain_oi, host_pc);
    return old;
}

uint64_t tcg_atomic(Cpu *cpu, uint64_t va, uint64_t value, uint64_t expect, uint32_t kind_oi,
                    uintptr_t host_pc)
{
    uint32_t oi = kind_oi & 0xffff;
    unsigned kind = kind_oi >> 16;
    unsigned mmu = oi >> 8 & 0xff;
    unsigned size = 1u << (oi & MEM_SIZE);
    bool swap = !!(oi & MEM_BIG) != (G_BYTE_ORDER == G_BIG_ENDIAN);
    uint64_t old;

    if ((oi & MEM_ALIGN) && (va & (size - 1)) && cpu->arch->unaligned) {
        cpu->arch->unaligned(cpu, va, ACCESS_STORE, mmu, host_pc);
    }
    void *p = NULL;
    if ((va & (size - 1)) == 0) {
        p = cpu_probe(cpu, va, size, ACCESS_STORE, mmu, host_pc);
    }
    if (!p) {
        if (!cpu->in_exclusive) {
            cpu_raise(cpu, CPU_EXC_ATOMIC, host_pc);
        }
        old = plain_atomic(cpu, va, value, expect, kind, oi, host_pc);
    } else if (!swap || size == 1) {
        old = host_atomic(p, value, expect, size, kind);
    } else if (kind == ATOMIC_ADD) {
        old = swapped_add(p, value, size);
    } else {
        unsigned shift = 64 - 8 * size;
        old = host_atomic(p, __builtin_bswap64(value) >> shift, __builtin_bswap64(expect) >> shift,
                          size, kind);
        old = __builtin_bswap64(old) >> shift;
    }
    if (oi & MEM_SIGN) {
        unsigned unused_bits = 64 - 8 * size;
        old = (uint64_t)((int64_t)(old << unused_bits) >> unused_bits);
    }
    return old;
}

#if defined(__x86_64__)
static bool host_cmpxchg128(void *p, uint64_t expect[2], const uint64_t value[2])
{
    bool ok;

    __asm__ volatile("lock cmpxchg16b %1\n\tsete %0"
                     : "=q"(ok), "+m"(*(uint64_t(*)[2])p), "+a"(expect[0]), "+d"(expect[1])
                     : "b"(value[0]), "c"(value[1])
                     : "memory", "cc");
    return ok;
}
enum { HOST_CMPXCHG128 = 1 };
#else
static bool host_cmpxchg128(void *p, uint64_t expect[2], const uint64_t value[2])
{
    return false;
}
enum { HOST_CMPXCHG128 = 0 };
#endif

bool cpu_cmpxchg128(Cpu *cpu, uint64_t va, uint64_t expect[2], const uint64_t value[2],
                    unsigned mmu_idx, uintptr_t host_pc)
{
    void *p = va & 15 ? NULL : cpu_probe(cpu, va, 16, ACCESS_STORE, mmu_idx, host_pc);

    if (p && HOST_CMPXCHG128 && cpu->arch->endian == DEV_LITTLE) {
        return host_cmpxchg128(p, expect, value);
    }
    if (!cpu->in_exclusive) {
        cpu_raise(cpu, CPU_EXC_ATOMIC, host_pc);
    }
    uint64_t old[2] = {cpu_load(cpu, va, 3, mmu_idx, host_pc),
                       cpu_load(cpu, va + 8, 3, mmu_idx, host_pc)};
    bool same = old[0] == expect[0] && old[1] == expect[1];
    cpu_store(cpu, va, same ? value[0] : old[0], 3, mmu_idx, host_pc);
    cpu_store(cpu, va + 8, same ? value[1] : old[1], 3, mmu_idx, host_pc);
    expect[0] = old[0];
    expect[1] = old[1];
    return same;
}
