// SPDX-License-Identifier: GPL-2.0-or-later
/* ACPI tables of the board virt. */
#include "hw/arm/virt.h"

bool virt_build_acpi(VirtBoard *b, GError **error)
{
    return true;
}
