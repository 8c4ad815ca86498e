// SPDX-License-Identifier: GPL-2.0-or-later
/* Between virt-acpi.c and virt-dsdt.c. */
#ifndef HW_ARM_VIRT_ACPI_H
#define HW_ARM_VIRT_ACPI_H

#include "hw/arm/virt.h"

/* The definition block's body; the caller frees it. */
GByteArray *virt_dsdt(VirtBoard *b);

#endif
