// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files that make the PC's ACPI tables share. */
#ifndef HW_I386_ACPI_INTERNAL_H
#define HW_I386_ACPI_INTERNAL_H

#include "hw/acpi/tables.h"
#include "hw/i386/pc.h"

/* Facts that firmware has settled by the time it reads the tables. */
typedef struct AcpiInfo {
    uint64_t mmcfg_base, mmcfg_size;      /* 0: none */
    uint64_t hole64_base, hole64_size;    /* 0: none */
} AcpiInfo;

/* The body of the DSDT, without header; g_byte_array_free. */
GByteArray *acpi_dsdt(PcBoard *b, const AcpiInfo *info);

/* The SRAT, if there are NUMA nodes: acpi-srat.c. */
void acpi_build_srat(AcpiTables *s, PcBoard *b);

#endif
