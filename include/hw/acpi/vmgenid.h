// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine's generation ID (device vmgenid) and its table. */
#ifndef HW_ACPI_VMGENID_H
#define HW_ACPI_VMGENID_H

#include "hw/acpi/tables.h"
#include "qom/vm.h"

/*
 * fw_cfg files and an SSDT, if the machine has the device. Its device signals changes by this
 * event.
 */
#define VMGENID_GPE 5
void vmgenid_publish(Vm *vm, FwCfg *fw_cfg);
void vmgenid_build(AcpiTables *s, Vm *vm);

#endif
