// SPDX-License-Identifier: GPL-2.0-or-later
/* Events of "acpi-ged": bits of its register, which the board's DSDT turns into notifications. */
#ifndef HW_ACPI_GED_H
#define HW_ACPI_GED_H

enum { GED_EVENT_POWER = 2 };

#endif
