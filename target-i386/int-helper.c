// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Integer instructions that take more than a few IR operations: division, decimal
 * adjustment, rotation through carry, PDEP, PEXT, CRC32, CMPXCHG8B and 16B. SDM volume 2.
 */
#include "target-i386/helpers.h"
#include "util/atomic128.h"
#include "target-i386/cpu.h"

static inline uint64_t set_low(uint64_t reg, uint64_t value, unsigned size)
{
    switch (size) {
    case 0:
        return (reg & ~0xffull) | (value & 0xff);
    case 1:
        return (reg & ~0xffffull) | (value & 0xffff);
    case 2:
        return (uint32_t)value;
    default:
        return value;
    }
}

static void set_flags(X86Cpu *c, uint32_t flags)
{
    c->cc_op = CC_EFLAGS;
    c->cc_src = flags;
}

static uint32_t all_flags(const X86Cpu *c)
{
    return x86_cc_all(c->cc_dst, c->cc_src, c->cc_src2, c->cc_op);
}

void helper_divu(Cpu *cpu, uint64_t divisor, uint32_t size)
{
    X86Cpu *c = X86(cpu);
    unsigned bits = 8u << size;
    unsigned __int128 n;
    uint64_t m = size == 3 ? UINT64_MAX : (1ull << bits) - 1, d = divisor & m, q, r;

    if (size == 0) {
        n = c->regs[R_AX] & 0xffff;
    } else {
        n = (unsigned __int128)(c->regs[R_DX] & m) << bits | (c->regs[R_AX] & m);
    }
    if (d == 0 || n / d > m) {
        x86_raise(c, EXC_DE, HOST_PC());
    }
    q = n / d;
    r = n % d;
    if (size == 0) {
        c->regs[R_AX] = set_low(c->regs[R_AX], q | r << 8, 1);
    } else {
        c->regs[R_AX] = set_low(c->regs[R_AX], q, size);
        c->regs[R_DX] = set_low(c->regs[R_DX], r, size);
    }
}

void helper_divs(Cpu *cpu, uint64_t divisor, uint32_t size)
{
    X86Cpu *c = X86(cpu);
    unsigned bits = 8u << size;
    uint64_t m = size == 3 ? UINT64_MAX : (1ull << bits) - 1;
    int64_t d = (int64_t)(divisor << (64 - bits)) >> (64 - bits);
    __int128 n, q, r, top = (__int128)1 << (bits - 1);

    if (size == 0) {
        n = (int16_t)c->regs[R_AX];
    } else {
        n = (__int128)((unsigned __int128)(c->regs[R_DX] & m) << bits | (c->regs[R_AX] & m));
        if (size < 3) {
            n = (__int128)((unsigned __int128)n << (128 - 2 * bits)) >> (128 - 2 * bits);
        }
    }
    if (d == 0 || (d == -1 && n == (__int128)1 << 127)) {
        x86_raise(c, EXC_DE, HOST_PC());
    }
    q = n / d;
    r = n % d;
    if (q >= top || q < -top) {
        x86_raise(c, EXC_DE, HOST_PC());
    }
    if (size == 0) {
        c->regs[R_AX] = set_low(c->regs[R_AX], ((uint64_t)q & 0xff) | ((uint64_t)r & 0xff) << 8, 1);
    } else {
        c->regs[R_AX] = set_low(c->regs[R_AX], (uint64_t)q, size);
        c->regs[R_DX] = set_low(c->regs[R_DX], (uint64_t)r, size);
    }
}

static uint32_t szp8(uint8_t v)
{
    return x86_cc_all(v, 0, 0, CC_LOGICB);
}

void helper_aam(Cpu *cpu, uint32_t base)
{
    X86Cpu *c = X86(cpu);
    uint8_t al = c->regs[R_AX], b = base;

    if (b == 0) {
        x86_raise(c, EXC_DE, HOST_PC());
    }
    c->regs[R_AX] = set_low(c->regs[R_AX], (uint64_t)(al / b) << 8 | al % b, 1);
    set_flags(c, szp8(al % b));
}

void helper_aad(Cpu *cpu, uint32_t base)
{
    X86Cpu *c = X86(cpu);
    uint8_t al = c->regs[R_AX], ah = c->regs[R_AX] >> 8, r = al + ah * (base & 0xff);

    c->regs[R_AX] = set_low(c->regs[R_AX], r, 1);
    set_flags(c, szp8(r));
}

static void ascii_adjust(X86Cpu *c, int sign)
{
    uint32_t f = all_flags(c);
    uint16_t ax = c->regs[R_AX];

    if ((ax & 15) > 9 || (f & FLAG_A)) {
        ax += sign * 0x106;
        f |= FLAG_A | FLAG_C;
    } else {
        f &= ~(FLAG_A | FLAG_C);
    }
    c->regs[R_AX] = set_low(c->regs[R_AX], ax & 0xff0f, 1);
    set_flags(c, f);
}

void helper_aaa(Cpu *cpu)
{
    ascii_adjust(X86(cpu), 1);
}

void helper_aas(Cpu *cpu)
{
    ascii_adjust(X86(cpu), -1);
}

void helper_daa(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    uint32_t f = all_flags(c), out = 0;
    uint8_t al = c->regs[R_AX], old = al;

    if ((al & 15) > 9 || (f & FLAG_A)) {
        al += 6;
        out |= FLAG_A;
    }
    if (old > 0x99 || (f & FLAG_C)) {
        al += 0x60;
        out |= FLAG_C;
    }
    c->regs[R_AX] = set_low(c->regs[R_AX], al, 0);
    set_flags(c, out | szp8(al));
}

void helper_das(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    uint32_t f = all_flags(c), out = 0;
    uint8_t al = c->regs[R_AX], old = al;

    if ((al & 15) > 9 || (f & FLAG_A)) {
        out |= FLAG_A | (old < 6 || (f & FLAG_C) ? FLAG_C : 0);
        al -= 6;
    }
    if (old > 0x99 || (f & FLAG_C)) {
        al -= 0x60;
        out |= FLAG_C;
    }
    c->regs[R_AX] = set_low(c->regs[R_AX], al, 0);
    set_flags(c, out | szp8(al));
}

uint64_t helper_rcl(Cpu *cpu, uint64_t value, uint32_t count, uint32_t size)
{
    X86Cpu *c = X86(cpu);
    unsigned bits = 8u << size;
    uint64_t m = size == 3 ? UINT64_MAX : (1ull << bits) - 1, v = value & m;
    uint32_t f = all_flags(c), carry = f & FLAG_C;

    count = (count & (size == 3 ? 63 : 31)) % (bits + 1);
    if (count == 0) {
        return value;
    }
    for (; count; count--) {
        uint32_t top = v >> (bits - 1) & 1;

        v = (v << 1 | carry) & m;
        carry = top;
    }
    f = (f & ~(FLAG_C | FLAG_O)) | carry;
    f |= (v >> (bits - 1) & 1) != carry ? FLAG_O : 0;
    set_flags(c, f);
    return v;
}

uint64_t helper_rcr(Cpu *cpu, uint64_t value, uint32_t count, uint32_t size)
{
    X86Cpu *c = X86(cpu);
    unsigned bits = 8u << size;
    uint64_t m = size == 3 ? UINT64_MAX : (1ull << bits) - 1, v = value & m;
    uint32_t f = all_flags(c), carry = f & FLAG_C;

    count = (count & (size == 3 ? 63 : 31)) % (bits + 1);
    if (count == 0) {
        return value;
    }
    for (; count; count--) {
        uint32_t low = v & 1;

        v = v >> 1 | (uint64_t)carry << (bits - 1);
        carry = low;
    }
    f = (f & ~(FLAG_C | FLAG_O)) | carry;
    f |= ((v >> (bits - 1)) ^ (v >> (bits - 2))) & 1 ? FLAG_O : 0;
    set_flags(c, f);
    return v;
}

uint64_t helper_pdep(uint64_t value, uint64_t mask)
{
    uint64_t r = 0;

    for (; mask; mask &= mask - 1, value >>= 1) {
        r |= value & 1 ? mask & -mask : 0;
    }
    return r;
}

uint64_t helper_pext(uint64_t value, uint64_t mask)
{
    uint64_t r = 0;

    for (unsigned i = 0; mask; mask &= mask - 1, i++) {
        r |= (value & mask & -mask ? 1ull : 0) << i;
    }
    return r;
}

uint64_t helper_crc32(uint64_t crc, uint64_t value, uint32_t size)
{
    uint32_t r = crc;

    for (unsigned i = 0; i < 1u << size; i++) {
        r ^= (value >> (8 * i)) & 0xff;
        for (unsigned k = 0; k < 8; k++) {
            r = r >> 1 ^ (r & 1 ? 0x82f63b78 : 0);
        }
    }
    return r;
}

uint32_t helper_cmpxchg8b(Cpu *cpu, uint64_t va)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    uint64_t expect = (uint32_t)c->regs[R_AX] | c->regs[R_DX] << 32;
    uint64_t value = (uint32_t)c->regs[R_BX] | c->regs[R_CX] << 32;
    unsigned mmu = x86_mmu_index(c);
    uint64_t *host =
        (va & 0xfff) <= 0xff8 ? cpu_probe(cpu, va, 8, ACCESS_STORE, mmu, host_pc) : NULL;
    bool ok;

    if (host) {
        ok = __atomic_compare_exchange_n(host, &expect, value, false, __ATOMIC_SEQ_CST,
                                         __ATOMIC_SEQ_CST);
    } else {
        uint64_t old = cpu_load(cpu, va, 3, mmu, host_pc);

        ok = old == expect;
        cpu_store(cpu, va, ok ? value : old, 3, mmu, host_pc);
        expect = old;
    }
    if (!ok) {
        c->regs[R_AX] = (uint32_t)expect;
        c->regs[R_DX] = expect >> 32;
    }
    return ok;
}

uint32_t helper_cmpxchg16b(Cpu *cpu, uint64_t va)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    uint64_t old[2], want[2] = {c->regs[R_AX], c->regs[R_DX]};
    uint64_t value[2] = {c->regs[R_BX], c->regs[R_CX]};
    unsigned mmu = x86_mmu_index(c);
    uint64_t *host;
    bool ok;

    if (va & 15) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
    host = cpu_probe(cpu, va, 16, ACCESS_STORE, mmu, host_pc);
    if (host && atomic128_supported()) {
        old[0] = want[0];
        old[1] = want[1];
        ok = atomic128_cmpxchg(host, old, value);
    } else if (host) {
        /* no other vCPU runs meanwhile; plain accesses suffice */
        cpu_exclusive_begin(cpu);
        old[0] = want[0];
        old[1] = want[1];
        ok = atomic128_cmpxchg(host, old, value);
        cpu_exclusive_end(cpu);
    } else {
        old[0] = cpu_load(cpu, va, 3, mmu, host_pc);
        old[1] = cpu_load(cpu, va + 8, 3, mmu, host_pc);
        ok = old[0] == want[0] && old[1] == want[1];
        cpu_store(cpu, va, ok ? value[0] : old[0], 3, mmu, host_pc);
        cpu_store(cpu, va + 8, ok ? value[1] : old[1], 3, mmu, host_pc);
    }
    if (!ok) {
        c->regs[R_AX] = old[0];
        c->regs[R_DX] = old[1];
    }
    return ok;
}
