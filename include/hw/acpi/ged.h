// SPDX-License-Identifier: GPL-2.0-or-later
/* Events of "acpi-ged": bits of its register, which the board's DSDT turns into notifications. */
#ifndef HW_ACPI_GED_H
#define HW_ACPI_GED_H

enum {
    GED_EVENT_MEMORY = 1, /* modules came or shall go */
    GED_EVENT_POWER = 2
};
/* The bank "regs": sleep control, sleep status, reset; sleep type of S5, what resets. */
enum {
    GED_SLEEP_CONTROL = 0,
    GED_SLEEP_STATUS = 1,
    GED_RESET = 2,
    GED_SLEEP_S5 = 5,
    GED_RESET_VALUE = 0x42
};

#endif
