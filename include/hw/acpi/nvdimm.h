// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NVDIMMs for the guest: NFIT and SSDT (ACPI 6.3, 5.2.25 and 9.20), and the device "acpi-nvdimm"
 * that answers the methods.
 */
#ifndef HW_ACPI_NVDIMM_H
#define HW_ACPI_NVDIMM_H

#include "hw/acpi/tables.h"
#include "qom/vm.h"

#define ACPI_NVDIMM_PORT 0x0a18 /* of PC boards, 4 bytes */
#define ACPI_NVDIMM_GPE 4

/* Makes it, if the machine has nvdimm=on; its bank "regs" is for the board to map. */
bool acpi_nvdimm_create(Vm *vm, Device **d, GError **error);
/* The page of the methods, for firmware to place; NFIT and SSDT. Nothing without nvdimm=on. */
void acpi_nvdimm_publish(Vm *vm, FwCfg *fw_cfg);
/* Part of acpi_build_nvdimm: the NFIT, if there are modules. */
void acpi_nvdimm_put_nfit(AcpiTables *s, Vm *vm);
/* space: AML_SYSTEM_IO or AML_SYSTEM_MEMORY; gpe: events are those of GPE blocks. */
void acpi_build_nvdimm(AcpiTables *s, Vm *vm, uint8_t space, uint64_t base, bool gpe);

#endif
