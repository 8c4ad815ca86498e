// SPDX-License-Identifier: GPL-2.0-or-later
/* Local APIC IDs: see the header. */
#include "exec/x86-topology.h"

static unsigned bits_for(unsigned n)
{
    unsigned bits = 0;

    while (1u << bits < n) {
        bits++;
    }
    return bits;
}

X86IdShifts x86_id_shifts(const Vm *vm)
{
    const SmpConfig *s = &vm->smp;
    X86IdShifts shifts;

    shifts.core = bits_for(MAX(s->threads, 1u));
    shifts.die = shifts.core + bits_for(MAX(s->cores, 1u));
    shifts.socket = shifts.die + bits_for(MAX(s->dies, 1u));
    return shifts;
}

uint32_t x86_apic_id(const Vm *vm, unsigned index)
{
    const CpuPlace p = cpu_place(vm, index);
    const X86IdShifts s = x86_id_shifts(vm);

    return (uint32_t)p.thread | (uint32_t)p.core << s.core | (uint32_t)MAX(p.die, 0) << s.die |
           (uint32_t)p.socket << s.socket;
}

int x86_index_of_apic_id(const Vm *vm, uint32_t id)
{
    for (unsigned i = 0; i < MAX(vm->smp.max_cpus, vm->smp.cpus); i++) {
        if (x86_apic_id(vm, i) == id) {
            return (int)i;
        }
    }
    return -1;
}
