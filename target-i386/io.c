// SPDX-License-Identifier: GPL-2.0-or-later
/* IN, OUT, INS, OUTS and the I/O permission bitmap (SDM 1 chapter 19). */
#include "target-i386/helpers.h"
#include "target-i386/seg.h"

void x86_io_permission(X86Cpu *c, uint32_t port, unsigned size, uintptr_t host_pc)
{
    unsigned iopl = (c->eflags & FLAG_IOPL) >> FLAG_IOPL_SHIFT, mmu = x86_mmu_index_system(c);
    uint32_t map, bits;

    if (!(c->cr0 & CR0_PE) || (!(c->eflags & FLAG_VM) && c->cpl <= iopl)) {
        return;
    }
    /* SDM 1 19.5.2: a 32- or 64-bit TSS whose bitmap, and the byte behind it, are inside */
    if (!(c->tr.flags & SEG_P) || !((c->tr.flags >> SEG_TYPE_SHIFT) & 8) || c->tr.limit < 103) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
    map = cpu_load(&c->cpu, c->tr.base + 0x66, 1, mmu, host_pc) + (port >> 3);
    if (map + 1 > c->tr.limit) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
    bits = cpu_load(&c->cpu, c->tr.base + map, 1, mmu, host_pc) >> (port & 7);
    if (bits & ((1u << (1u << size)) - 1)) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
}

static uint64_t port_read(X86Cpu *c, uint32_t port, unsigned size)
{
    MemAttrs attrs = {.is_cpu = 1, .cpu_index = c->cpu.index};

    return c->cpu.io ? address_space_load(c->cpu.io, port, 1u << size, DEV_LITTLE, attrs, NULL)
                     : UINT64_MAX;
}

static void port_write(X86Cpu *c, uint32_t port, uint64_t value, unsigned size)
{
    MemAttrs attrs = {.is_cpu = 1, .cpu_index = c->cpu.index};

    if (c->cpu.io) {
        address_space_store(c->cpu.io, port, value, 1u << size, DEV_LITTLE, attrs);
    }
}

bool x86_port_breaks(const X86Cpu *c)
{
    return (c->cr4 & CR4_DE) && (c->dr[7] & 0xff);
}

uint64_t helper_in(Cpu *cpu, uint32_t port, uint32_t size)
{
    X86Cpu *c = X86(cpu);
    uint64_t mask = (1ull << (8u << size)) - 1, v;

    port &= 0xffff;
    x86_io_permission(c, port, size, HOST_PC());
    v = port_read(c, port, size) & mask;
    if (x86_port_breaks(c)) {            /* the trap is behind IN: RAX has the value then */
        uint64_t old = c->regs[R_AX];

        c->regs[R_AX] = size == 2 ? v : (old & ~mask) | v;
        x86_port_break(c, port, size, false, HOST_PC());
        c->regs[R_AX] = old;
    }
    return v;
}

void helper_out(Cpu *cpu, uint32_t port, uint64_t value, uint32_t size)
{
    X86Cpu *c = X86(cpu);

    port &= 0xffff;
    x86_io_permission(c, port, size, HOST_PC());
    port_write(c, port, value & ((1ull << (8u << size)) - 1), size);
    if (x86_port_breaks(c)) {
        x86_port_break(c, port, size, false, HOST_PC());
    }
}

static uint64_t address_mask(unsigned address_size)
{
    return address_size == 1 ? 0xffff : address_size == 2 ? 0xffffffff : UINT64_MAX;
}

static void advance(X86Cpu *c, unsigned reg, int64_t by, unsigned address_size)
{
    uint64_t m = address_mask(address_size), v = c->regs[reg] + by;

    c->regs[reg] = address_size == 1 ? (c->regs[reg] & ~m) | (v & m) : v & m;
}

/* One access of INS or OUTS has been done. True: so has the instruction, or it traps here. */
static bool round_ends(X86Cpu *c, uint32_t port, unsigned size, unsigned address_size, bool rep,
                       uintptr_t host_pc)
{
    if (rep) {
        advance(c, R_CX, -1, address_size);
    }
    if (x86_port_breaks(c)) {
        bool again = rep && (c->regs[R_CX] & address_mask(address_size));

        x86_port_break(c, port, size, again, host_pc);
    }
    return !rep || c->eflags & FLAG_TF || c->guest_step;
}

/* Iterations done before interrupts are looked at again; the instruction is then restarted. */
#define STRING_CHUNK 4096

void x86_ins(X86Cpu *c, unsigned size, unsigned address_size, bool rep, uintptr_t host_pc)
{
    Cpu *cpu = &c->cpu;
    uint32_t port = c->regs[R_DX] & 0xffff;
    unsigned mmu = x86_mmu_index(c), left = STRING_CHUNK;

    x86_io_permission(c, port, size, host_pc);
    while (!rep || (c->regs[R_CX] & address_mask(address_size))) {
        uint64_t va = x86_seg_linear(c, S_ES, c->regs[R_DI] & address_mask(address_size),
                                     1u << size, true, host_pc),
                 v;

        if (rep && left-- == 0) {
            cpu_leave(cpu, host_pc);
        }
        if (((va & 0xfff) + (1u << size)) <= 0x1000) {
            cpu_probe(cpu, va, 1u << size, ACCESS_STORE, mmu, host_pc);
        }
        v = port_read(c, port, size);
        cpu_store(cpu, va, v, size, mmu, host_pc);
        advance(c, R_DI, c->df * (1 << size), address_size);
        if (round_ends(c, port, size, address_size, rep, host_pc)) {
            break;
        }
    }
}

void x86_outs(X86Cpu *c, unsigned size, unsigned address_size, unsigned seg, bool rep,
              uintptr_t host_pc)
{
    Cpu *cpu = &c->cpu;
    uint32_t port = c->regs[R_DX] & 0xffff;
    unsigned mmu = x86_mmu_index(c), left = STRING_CHUNK;

    x86_io_permission(c, port, size, host_pc);
    while (!rep || (c->regs[R_CX] & address_mask(address_size))) {
        uint64_t va = x86_seg_linear(c, seg, c->regs[R_SI] & address_mask(address_size), 1u << size,
                                     false, host_pc);

        if (rep && left-- == 0) {
            cpu_leave(cpu, host_pc);
        }
        port_write(c, port, cpu_load(cpu, va, size, mmu, host_pc), size);
        advance(c, R_SI, c->df * (1 << size), address_size);
        if (round_ends(c, port, size, address_size, rep, host_pc)) {
            break;
        }
    }
}

void helper_ins(Cpu *cpu, uint32_t size, uint32_t address_size)
{
    x86_ins(X86(cpu), size, address_size, false, HOST_PC());
}

void helper_outs(Cpu *cpu, uint32_t size, uint32_t address_size, uint32_t seg)
{
    x86_outs(X86(cpu), size, address_size, seg, false, HOST_PC());
}
