// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Generic event device (ACPI 6.3, 5.6.9): one interrupt, and a register that says, once, which events
 * have happened. What they mean stands in the DSDT (hw/acpi/ged.h).
 */
#include "hw/acpi/ged.h"
#include "exec/bank.h"

typedef struct Ged {
    Device dev;
    uint32_t events;
    Irq irq;
} Ged;

static uint64_t ged_read_events(Device *d, const RegAccess *a)
{
    Ged *s = (Ged *)d;
    uint32_t v = s->events;

    s->events = 0;
    return v;
}

static void ged_power_button(Device *d, unsigned pin, int level)
{
    Ged *s = (Ged *)d;

    if (level) {
        s->events |= GED_EVENT_POWER;
        irq_pulse(&s->irq);
    }
}

static const Reg ged_regs[] = {
    REG(Ged, 0x0, events, .read = ged_read_events, .help = "events; reading clears"),
};

static const RegBank ged_banks[] = {
    { .name = "mmio", .size = 4, BANK_REGS(ged_regs), .help = "event register" },
    { 0 },
};

static const PinRow ged_pins[] = {
    PIN_OUT(Ged, irq, "irq"), PIN_IN("power-button", 1, ged_power_button), PIN_END,
};

static const DeviceType ged_type = {
    .name = "acpi-ged",
    .category = "misc",
    .desc = "ACPI generic event device",
    .internal = true,
    .size = sizeof(Ged),
    .state_version = 1,
    .banks = ged_banks,
    .pins = ged_pins,
};
DEVICE_TYPE(ged_type);
