// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device "acpi-memory-hotplug": registers through which ACPI methods learn of memory modules,
 * and the methods.
 */
#ifndef HW_ACPI_MEMORY_HOTPLUG_H
#define HW_ACPI_MEMORY_HOTPLUG_H

#include "hw/acpi/aml.h"
#include "qom/vm.h"

#define ACPI_MEMORY_PORT 0x0a00 /* of PC boards */
#define ACPI_MEMORY_LEN 24
#define ACPI_MEMORY_GPE 3

/* Raise the board's events: of modules in slots, and of NVDIMMs (NULL: it has no such event). */
typedef struct AcpiMemoryEvents {
    void (*modules)(void *opaque);
    void (*nvdimms)(void *opaque);
} AcpiMemoryEvents;

/* Makes it, with room for vm->ram_slots modules. */
Device *acpi_memory_create(Vm *vm, const AcpiMemoryEvents *events, void *opaque, GError **error);
/* A machine that takes no modules: why. */
void acpi_memory_refuse(Vm *vm, const char *missing);

/*
 * \_SB.MHPC with its modules; registers lie at `base` of `space` (AML_SYSTEM_IO or
 * AML_SYSTEM_MEMORY). The board's event handler calls \_SB.MHPC.MSCN, which looks for changes.
 */
void acpi_memory_dsdt(Aml *a, const Vm *vm, uint8_t space, uint64_t base);

#endif
