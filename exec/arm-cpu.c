// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The way from devices to an ARM vCPU without a link-time tie: every binary has this file, only
 * those of target-arm have the hooks. exec/arm-cpu.h has the contracts.
 */
#include "exec/arm-cpu.h"

#include "qom/vm.h"

static const ArmCpuHooks *hooks(const Cpu *cpu)
{
    return cpu->arch->arm;
}

void arm_cpu_provide_sysregs(Cpu *cpu, const ArmSysregRow *rows, void *opaque)
{
    hooks(cpu)->provide_sysregs(cpu, rows, opaque);
}

void arm_cpu_set_gic_sysregs(Cpu *cpu, bool there)
{
    hooks(cpu)->set_gic_sysregs(cpu, there);
}

void arm_cpu_view(Cpu *cpu, ArmCpuView *view)
{
    hooks(cpu)->view(cpu, view);
}

void arm_cpu_on_el_change(Cpu *cpu, void (*fn)(void *opaque), void *opaque)
{
    hooks(cpu)->on_el_change(cpu, fn, opaque);
}

void arm_cpu_set_entry(Cpu *cpu, const ArmEntry *entry)
{
    hooks(cpu)->set_entry(cpu, entry);
}

void arm_cpu_power_on(Cpu *cpu, const ArmEntry *entry)
{
    hooks(cpu)->power_on(cpu, entry);
}

void arm_cpu_power_off(Cpu *cpu)
{
    hooks(cpu)->power_off(cpu);
}

bool arm_cpu_powered(Cpu *cpu)
{
    return hooks(cpu)->powered(cpu);
}

bool arm_cpu_is_aarch64(Cpu *cpu)
{
    ArmCpuView v;

    arm_cpu_view(cpu, &v);
    return v.el1_aarch64;
}

Cpu *arm_cpu_by_affinity(Vm *vm, uint64_t affinity)
{
    for (unsigned i = 0; vm->cpus && i < vm->cpus->len; i++) {
        Cpu *cpu = vm->cpus->pdata[i];

        if (cpu->arch->arm && hooks(cpu)->affinity(cpu) == affinity) {
            return cpu;
        }
    }
    return NULL;
}
