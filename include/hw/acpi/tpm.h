// SPDX-License-Identifier: GPL-2.0-or-later
/* The TPM in ACPI tables (TCG ACPI Specification 1.2, Physical Presence Interface 1.30). */
#ifndef HW_ACPI_TPM_H
#define HW_ACPI_TPM_H

#include "hw/acpi/aml.h"
#include "hw/acpi/tables.h"
#include "hw/tpm/tpm.h"

/* Device TPM_, wherever the writer stands. */
void acpi_dsdt_tpm(Aml *a, const TpmFront *f);
void acpi_build_tpm2(AcpiTables *s, const TpmFront *f);

#endif
