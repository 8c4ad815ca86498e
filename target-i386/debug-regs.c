// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Debug registers and the breakpoints that they set (SDM 3B 17.2): on code, data, and with CR4.DE
 * on ports.
 */
#include "target-i386/arch.h"
#include "target-i386/helpers.h"

enum { DR7_EXEC, DR7_WRITE, DR7_IO, DR7_ACCESS };

static bool dr_enabled(const X86Cpu *c, unsigned i)
{
    return c->dr[7] >> (2 * i) & 3;
}

static unsigned dr_type(const X86Cpu *c, unsigned i)
{
    return c->dr[7] >> (16 + 4 * i) & 3;
}

static uint64_t dr_len(const X86Cpu *c, unsigned i)
{
    static const uint8_t lens[] = {1, 2, 8, 4};

    return dr_type(c, i) == DR7_EXEC ? 1 : lens[c->dr[7] >> (18 + 4 * i) & 3];
}

static unsigned dr_flags(const X86Cpu *c, unsigned i)
{
    switch (dr_type(c, i)) {
    case DR7_EXEC:
        return BP_GUEST | BP_EXEC;
    case DR7_WRITE:
        return BP_GUEST | BP_WRITE;
    default:
        return BP_GUEST | BP_READ | BP_WRITE;
    }
}

void x86_update_breakpoints(X86Cpu *c)
{
    if (c->guest_breakpoints) {
        cpu_breakpoints_clear(&c->cpu, BP_GUEST);
        c->guest_breakpoints = false;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (dr_enabled(c, i) && dr_type(c, i) != DR7_IO) {
            uint64_t len = dr_len(c, i);

            cpu_breakpoint_insert(&c->cpu, c->dr[i] & ~(len - 1), len, dr_flags(c, i));
            c->guest_breakpoints = true;
        }
    }
}

/* One that update_breakpoints set was hit: before the instruction, or after the access. */
void x86_debug_exception(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    const Breakpoint *hit = cpu->watchpoint_hit;
    uint32_t which = 0;

    if (!hit || ((hit->flags & BP_EXEC) && (c->eflags & FLAG_RF))) {
        return;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (dr_enabled(c, i) && dr_flags(c, i) == hit->flags &&
            (c->dr[i] & ~(dr_len(c, i) - 1)) == hit->va) {
            which |= 1u << i;
        }
    }
    if (which) {
        c->dr[6] &= ~15ull;
        cpu->watchpoint_hit = NULL;
        x86_raise_debug(c, which, EVENT_EXCEPTION, 0);
    }
}

void x86_port_break(X86Cpu *c, uint32_t port, unsigned size, bool again, uintptr_t host_pc)
{
    uint32_t which = 0;

    for (unsigned i = 0; i < 4; i++) {
        uint64_t len = dr_len(c, i), first = c->dr[i] & ~(len - 1);

        if (dr_enabled(c, i) && dr_type(c, i) == DR7_IO && port < first + len &&
            first < port + (1u << size)) {
            which |= 1u << i;
        }
    }
    if (which) {
        cpu_restore_state(&c->cpu, host_pc);
        c->rip += again ? 0 : x86_insn_length(c);
        c->dr[6] &= ~15ull;
        x86_raise_debug(c, which | (c->eflags & FLAG_TF ? DR6_BS : 0), EVENT_EXCEPTION, 0);
    }
}

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE; DR7.GD traps (SDM 3A 17.2.2). */
static unsigned debug_register(X86Cpu *c, uint32_t n, uintptr_t host_pc)
{
    if (c->cpl != 0) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
    if (n == 4 || n == 5) {
        if (c->cr4 & CR4_DE) {
            x86_raise(c, EXC_UD, host_pc);
        }
        n += 2;
    }
    if (n > 7) {
        x86_raise(c, EXC_UD, host_pc);
    }
    if (c->dr[7] & DR7_GD) {
        x86_raise_debug(c, DR6_BD, EVENT_EXCEPTION, host_pc);
    }
    return n & 7;
}

uint64_t helper_read_dr(Cpu *cpu, uint32_t n)
{
    X86Cpu *c = X86(cpu);

    return c->dr[debug_register(c, n, HOST_PC())];
}

void helper_write_dr(Cpu *cpu, uint32_t n, uint64_t value)
{
    X86Cpu *c = X86(cpu);

    n = debug_register(c, n, HOST_PC()) & 7;
    if (n >= 6 && value >> 32) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    if (n == 6) {
        value = (value & 0xe00f) | DR6_FIXED;
    } else if (n == 7) {
        value = (value & 0xffff2bff) | DR7_FIXED;
    }
    c->dr[n] = value;
    if (n != 6) {
        x86_update_breakpoints(c);
    }
}
