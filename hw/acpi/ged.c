// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Generic event device (ACPI 6.3, 5.6.9): one interrupt, and a register that says, once, which
 * events have happened. What they mean stands in the DSDT (hw/acpi/ged.h). A second bank, for
 * boards without fixed hardware of ACPI, has the sleep registers (4.8.3.7) and the reset register
 * (4.8.3.6).
 */
#include "hw/acpi/ged.h"
#include "exec/bank.h"
#include "qom/runstate.h"

#define SLEEP_ENABLE 0x20

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

static void ged_raise(Device *d, uint32_t event)
{
    Ged *s = (Ged *)d;

    s->events |= event;
    irq_pulse(&s->irq);
}

static void ged_power_button(Device *d, unsigned pin, int level)
{
    if (level) {
        ged_raise(d, GED_EVENT_POWER);
    }
}

static void ged_memory(Device *d, unsigned pin, int level)
{
    if (level) {
        ged_raise(d, GED_EVENT_MEMORY);
    }
}

static const Reg ged_regs[] = {
    REG(Ged, 0x0, events, .read = ged_read_events, .help = "events; reading clears"),
};

/* 4.8.3.7: SLP_EN with the type of S5 turns the machine off. */
static void ged_write_sleep(Device *d, const RegAccess *a)
{
    if ((a->value & SLEEP_ENABLE) && (a->value >> 2 & 7) == GED_SLEEP_S5) {
        request_shutdown(SHUTDOWN_GUEST_SHUTDOWN);
    }
}

static void ged_write_reset(Device *d, const RegAccess *a)
{
    if ((uint8_t)a->value == GED_RESET_VALUE) {
        request_reset(SHUTDOWN_GUEST_RESET);
    }
}

static const Reg ged_power_regs[] = {
    REG_HOOK(0x0, 1, "sleep_control", .wmask = 0xff, .write = ged_write_sleep,
             .help = "bit 5 enter, bits 2 to 4 type"),
    REG_HOOK(0x1, 1, "sleep_status", .help = "nothing wakes"),
    REG_HOOK(0x2, 1, "reset", .wmask = 0xff, .write = ged_write_reset,
             .help = "42h resets the machine"),
};

static const RegBank ged_banks[] = {
    {.name = "mmio", .size = 4, BANK_REGS(ged_regs), .help = "event register"},
    {.name = "regs", .size = 3, BANK_REGS(ged_power_regs), .help = "sleep and reset"},
    {0},
};

static const PinRow ged_pins[] = {
    PIN_OUT(Ged, irq, "irq"),
    PIN_IN("power-button", 1, ged_power_button),
    PIN_IN("memory", 1, ged_memory),
    PIN_END,
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
