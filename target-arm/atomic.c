// SPDX-License-Identifier: GPL-2.0-or-later
/* Atomics that no single IR op does: 16-byte pairs, minimum and maximum. C6.2. */
#include "target-arm/helpers.h"
#include "target-arm/cpu.h"
#include "tcg/codegen.h"
#include "tcg/ir.h"

static bool big(const ArmCpu *c)
{
    BlockKey key;

    arm_block_key((Cpu *)&c->cpu, &key);
    return key.mode & MODE_BIG;
}

static void aligned(ArmCpu *c, uint64_t va, unsigned bytes, MmuAccess access, uintptr_t host_pc)
{
    if (va & (bytes - 1)) {
        arm_unaligned(&c->cpu, va, access, arm_mmu_index(c), host_pc);
    }
}

Vec128 helper_load_pair(Cpu *cpu, uint64_t va)
{
    ArmCpu *c = ARM(cpu);
    uintptr_t host_pc = HOST_PC();
    unsigned mmu = arm_mmu_index(c);
    Vec128Lanes v;

    aligned(c, va, 16, ACCESS_LOAD, host_pc);
    const uint64_t *p = cpu_probe(cpu, va, 16, ACCESS_LOAD, mmu, host_pc);

    if (!p) {
        v.q[0] = cpu_load(cpu, va, 3, mmu, host_pc);
        v.q[1] = cpu_load(cpu, va + 8, 3, mmu, host_pc);
        return v.v;
    }
    do {    /* two halves that stood together at some time */
        v.q[0] = __atomic_load_n(&p[0], __ATOMIC_SEQ_CST);
        v.q[1] = __atomic_load_n(&p[1], __ATOMIC_SEQ_CST);
    } while (v.q[0] != __atomic_load_n(&p[0], __ATOMIC_SEQ_CST));
    if (big(c)) {
        v.q[0] = __builtin_bswap64(v.q[0]);
        v.q[1] = __builtin_bswap64(v.q[1]);
    }
    return v.v;
}

static uint64_t swap_if(bool swap, uint64_t v)
{
    return swap ? __builtin_bswap64(v) : v;
}

uint32_t helper_store_pair_excl(Cpu *cpu, uint64_t va, uint64_t low, uint64_t high, uint32_t wide)
{
    ArmCpu *c = ARM(cpu);
    uintptr_t host_pc = HOST_PC();
    unsigned mmu = arm_mmu_index(c);
    bool ok, swap = big(c);

    if (c->excl_addr != va) {
        c->excl_addr = UINT64_MAX;
        return 1;
    }
    if (wide) {
        uint64_t expect[2] = {swap_if(swap, c->excl_val), swap_if(swap, c->excl_val2)};
        uint64_t value[2] = {swap_if(swap, low), swap_if(swap, high)};

        aligned(c, va, 16, ACCESS_STORE, host_pc);
        ok = cpu_cmpxchg128(cpu, va, expect, value, mmu, host_pc);
    } else {
        uint64_t v = swap ? low << 32 | (uint32_t)high : high << 32 | (uint32_t)low;
        uint32_t op = MEM_64 | MEM_ALIGN | (swap ? MEM_BIG : 0);

        ok = tcg_atomic(cpu, va, v, c->excl_val, MEM_KIND_OI(TCG_CMPXCHG, op, mmu), host_pc) ==
             c->excl_val;
    }
    c->excl_addr = UINT64_MAX;
    return !ok;
}

void helper_casp(Cpu *cpu, uint64_t va, uint32_t rs, uint32_t rt, uint32_t wide)
{
    ArmCpu *c = ARM(cpu);
    uintptr_t host_pc = HOST_PC();
    unsigned mmu = arm_mmu_index(c);
    bool swap = big(c);
    uint64_t rs2 = c->x[rs + 1], rt1 = rt == 31 ? 0 : c->x[rt],
             rt2 = rt + 1 == 31 ? 0 : c->x[rt + 1];

    if (rs + 1 == 31) {
        rs2 = 0;
    }
    if (wide) {
        uint64_t expect[2] = {swap_if(swap, c->x[rs]), swap_if(swap, rs2)};
        uint64_t value[2] = {swap_if(swap, rt1), swap_if(swap, rt2)};

        aligned(c, va, 16, ACCESS_STORE, host_pc);
        cpu_cmpxchg128(cpu, va, expect, value, mmu, host_pc);
        c->x[rs] = swap_if(swap, expect[0]);
        if (rs + 1 != 31) {
            c->x[rs + 1] = swap_if(swap, expect[1]);
        }
    } else {
        uint64_t e = swap ? c->x[rs] << 32 | (uint32_t)rs2 : rs2 << 32 | (uint32_t)c->x[rs];
        uint64_t v = swap ? rt1 << 32 | (uint32_t)rt2 : rt2 << 32 | (uint32_t)rt1;
        uint32_t op = MEM_64 | MEM_ALIGN | (swap ? MEM_BIG : 0);
        uint64_t old = tcg_atomic(cpu, va, v, e, MEM_KIND_OI(TCG_CMPXCHG, op, mmu), host_pc);

        c->x[rs] = swap ? old >> 32 : (uint32_t)old;
        if (rs + 1 != 31) {
            c->x[rs + 1] = swap ? (uint32_t)old : old >> 32;
        }
    }
}

uint64_t helper_atomic_minmax(Cpu *cpu, uint64_t va, uint64_t value, uint32_t kind, uint32_t size)
{
    ArmCpu *c = ARM(cpu);
    uintptr_t host_pc = HOST_PC();
    unsigned mmu = arm_mmu_index(c), shift = 64 - (8u << size);
    uint32_t op = size | MEM_ALIGN | (big(c) && size ? MEM_BIG : 0);

    aligned(c, va, 1u << size, ACCESS_STORE, host_pc);
    for (;;) {
        uint64_t old = cpu_load(cpu, va, size, mmu, host_pc), a = old << shift, b = value << shift;
        bool keep = kind == 0   ? (int64_t)a >= (int64_t)b
                    : kind == 1 ? (int64_t)a <= (int64_t)b
                    : kind == 2 ? a >= b
                                : a <= b;
        uint64_t new = keep ? old : value & (UINT64_MAX >> shift);
        uint64_t seen = tcg_atomic(cpu, va, new, old, MEM_KIND_OI(TCG_CMPXCHG, op, mmu), host_pc);

        if ((seen & (UINT64_MAX >> shift)) == old) {
            return old;
        }
    }
}
