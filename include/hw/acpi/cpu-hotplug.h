// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The register block through which firmware and ACPI methods ask which CPUs there are, learn of
 * those that come and shall go, and eject them.
 */
#ifndef HW_ACPI_CPU_HOTPLUG_H
#define HW_ACPI_CPU_HOTPLUG_H

#include "exec/cpu.h"
#include "exec/memory.h"
#include "hw/acpi/aml.h"
#include "hw/acpi/pm.h"

#define ACPI_CPU_GPE 2
#define ACPI_CPU_PORT_Q35 0x0cd8
#define ACPI_CPU_PORT_PC 0xaf00
#define ACPI_CPU_BLOCK 12

enum {
    ACPI_MAX_CPUS = 288
};

typedef struct AcpiCpus {
    Device *owner;
    AcpiPm *pm; /* whose event says that there is news */
    Region region;
    struct Bh *eject_bh;
    CpuSlots slots;
    uint32_t selector;
    uint8_t command;
    bool modern; /* the guest left the old interface, a bitmap of APIC IDs */
    uint8_t flags[ACPI_MAX_CPUS]; /* by index: CPU_INSERTED, CPU_REMOVE, CPU_EJECT */
    uint32_t ost_event[ACPI_MAX_CPUS], ost_status[ACPI_MAX_CPUS];
} AcpiCpus;
extern const StateField acpi_cpus_state[];

/* Maps it at `port` of the owner's port space. From then on CPUs may come and go. */
void acpi_cpus_init(AcpiCpus *c, Device *owner, AcpiPm *pm, uint16_t port);
void acpi_cpus_reset(AcpiCpus *c);
/* After the owner's state was loaded: what was being ejected still is. */
void acpi_cpus_loaded(AcpiCpus *c);
/* Appends to an array of ACPIOSTInfo what a guest that uses the modern interface said of each. */
void acpi_cpus_describe_osts(Vm *vm, GPtrArray *list);

/* \_SB.CPUS: the devices of all CPUs that may ever be there, over the registers at port. */
void acpi_cpus_dsdt(Aml *a, Vm *vm, uint16_t port);
/* The methods of its general purpose event, in \_GPE. */
void acpi_cpus_dsdt_event(Aml *a);
/* A MADT entry for a CPU: present ones are enabled. Local APIC or x2APIC, as its ID demands. */
void acpi_madt_cpu(GByteArray *out, Vm *vm, unsigned index, bool enabled);

#endif
