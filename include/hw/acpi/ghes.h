// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables of hardware errors (hw/acpi/ghes.c). */
#ifndef HW_ACPI_GHES_H
#define HW_ACPI_GHES_H

#include "hw/acpi/tables.h"

/* The files beside the tables; the table. Both or neither. */
void acpi_ghes_publish(FwCfg *f);
void acpi_build_hest(AcpiTables *s);

#endif
