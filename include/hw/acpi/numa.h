// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables of NUMA nodes (ACPI 6.3): affinity of CPUs and memory, distances, speed of memory. */
#ifndef HW_ACPI_NUMA_H
#define HW_ACPI_NUMA_H

#include "hw/acpi/tables.h"

/* SRAT, 5.2.16: opened by a board, which puts its CPUs first; acpi_table_end closes it. */
uint32_t acpi_srat_begin(AcpiTables *s, uint8_t revision);
enum {
    SRAT_ENABLED = 1,
    SRAT_HOT_PLUGGABLE = 2,
    SRAT_NON_VOLATILE = 4
};
void acpi_srat_memory(AcpiTables *s, uint32_t node, uint64_t base, uint64_t size, uint32_t flags);
/* Ranges of memory devices: modules that keep their contents, and room for others. */
void acpi_srat_devices(AcpiTables *s, Vm *vm);
/* SLIT, 5.2.17, if distances are known; HMAT, 5.2.27, if the machine has hmat=on. */
void acpi_build_slit(AcpiTables *s, const Vm *vm);
void acpi_build_hmat(AcpiTables *s, const Vm *vm);

#endif
