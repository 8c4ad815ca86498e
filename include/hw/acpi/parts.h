// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What boards without fixed ACPI hardware have in common: pieces of the DSDT for the event device,
 * the generic PCI Express host bridge and virtio transports, and the hardware-reduced FADT.
 */
#ifndef HW_ACPI_PARTS_H
#define HW_ACPI_PARTS_H

#include "hw/acpi/aml.h"
#include "hw/acpi/tables.h"

/*
 * GED_ over the register at that address; the power button is \_SB.PWRB; memory: modules are
 * \_SB.MHPC's.
 */
void acpi_dsdt_ged(Aml *a, uint64_t registers, uint32_t irq, bool memory);
void acpi_dsdt_power_button(Aml *a);

/* A device with memory and, unless irq is 0, an interrupt; left open for aml_end. */
void acpi_dsdt_device(Aml *a, const char *name, const char *hid, unsigned uid, uint32_t base,
                      uint32_t size, uint32_t irq, bool level);
/* VRnn, LNRO0005 */
void acpi_dsdt_transport(Aml *a, unsigned i, uint32_t base, uint32_t size, uint32_t irq);

typedef struct AcpiRange {
    uint64_t base, size;
} AcpiRange;
/* PCI0 and RES0, which reserves configuration space. A size of 0: there is no such window. */
typedef struct AcpiGpex {
    AcpiRange ecam, mem, ports, mem64;
    uint32_t first_irq; /* of four */
} AcpiGpex;
void acpi_dsdt_gpex(Aml *a, const AcpiGpex *g);

/* FADT of revision 6 with the hardware-reduced flag. */
typedef struct AcpiReduced {
    uint32_t dsdt; /* its place */
    uint16_t arm_flags;
    uint64_t reset, sleep_control, sleep_status; /* addresses of registers; 0: none */
    uint8_t reset_value;
} AcpiReduced;
void acpi_fadt_reduced(AcpiTables *s, const AcpiReduced *r);

#endif
