// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Debug console: what a guest writes to one port goes to a character device; reading the
 * port gives a value by which firmware knows that it is there.
 */
#include "chardev/chardev.h"
#include "exec/bank.h"
#include "hw/isa/isa.h"

typedef struct DebugCon {
    Device dev;
    uint32_t iobase, readback;
    Chardev *chardev;
    ChardevFe fe;
} DebugCon;

static uint64_t debugcon_read(void *opaque, hwaddr offset, unsigned size)
{
    return ((DebugCon *)opaque)->readback;
}

static void debugcon_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    uint8_t b = value;

    /* The port has no way to say "full": the chardev's ring is what there is. */
    chardev_write(&((DebugCon *)opaque)->fe, &b, 1);
}

static bool debugcon_realize(Device *d, GError **error)
{
    DebugCon *s = (DebugCon *)d;

    if (!s->chardev) {
        return fail(error, "isa-debugcon: property 'chardev' is missing");
    }
    return chardev_fe_attach(&s->fe, s->chardev, NULL, s, error);
}

static void debugcon_unrealize(Device *d)
{
    chardev_fe_detach(&((DebugCon *)d)->fe);
}

static const RegionOps debugcon_ops = {
    .read = debugcon_read, .write = debugcon_write, .min_size = 1, .max_size = 1,
};

static const RegBank debugcon_banks[] = {
    { .name = "io", .size = 1, .ops = &debugcon_ops, .pio = true },
    { 0 },
};

static const Prop debugcon_props[] = {
    PROP_U32(DebugCon, iobase, "iobase", 0xe9, .max = 0xffff),
    PROP_U32(DebugCon, readback, "readback", 0xe9),
    PROP_CHARDEV(DebugCon, chardev),
    PROP_END,
};

static const StateField debugcon_state[] = {
    HOST_ONLY(DebugCon, fe, "connection to the back end"),
    STATE_END,
};

static const IsaInfo debugcon_isa = { .ports = { { .bank = "io", .base_prop = "iobase" } } };

static const DeviceType debugcon_type = {
    .name = "isa-debugcon",
    .bus = "ISA",
    .category = "misc",
    .desc = "Debug console port",
    .bus_info = &debugcon_isa,
    .size = sizeof(DebugCon),
    .state_version = 1,
    .props = debugcon_props,
    .banks = debugcon_banks,
    .state = debugcon_state,
    .realize = debugcon_realize,
    .unrealize = debugcon_unrealize,
};
DEVICE_TYPE(debugcon_type);
