// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The register block through which firmware and ACPI methods ask which CPUs there are. All are
 * there from the start: events never happen.
 */
#ifndef HW_ACPI_CPU_HOTPLUG_H
#define HW_ACPI_CPU_HOTPLUG_H

#include "exec/memory.h"

typedef struct AcpiCpus {
    Device *owner;
    Region region;
    uint32_t selector;
    uint8_t command;
    bool modern; /* the guest left the old interface, a bitmap of APIC IDs */
} AcpiCpus;
extern const StateField acpi_cpus_state[];

/* Maps it at `port` of the owner's port space. */
void acpi_cpus_init(AcpiCpus *c, Device *owner, uint16_t port);
void acpi_cpus_reset(AcpiCpus *c);

/* The APIC ID of a CPU; its index where it has none. */
uint32_t acpi_cpu_apic_id(Vm *vm, unsigned i);

#endif
