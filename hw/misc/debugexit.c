// SPDX-License-Identifier: GPL-2.0-or-later
/* Debug exit: writing v to the port ends the emulator with status v * 2 + 1. For test guests. */
#include "exec/bank.h"
#include "hw/isa/isa.h"
#include "qom/runstate.h"

typedef struct DebugExit {
    Device dev;
    uint32_t iobase, iosize;
} DebugExit;

static uint64_t debugexit_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void debugexit_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    request_shutdown_with_code(SHUTDOWN_GUEST_SHUTDOWN, (int)(value << 1 | 1));
}

static const RegionOps debugexit_ops = {
    .read = debugexit_read, .write = debugexit_write, .min_size = 1, .max_size = 4, .unaligned = true,
};

static const RegBank debugexit_banks[] = {
    { .name = "io", .size = 8, .ops = &debugexit_ops, .pio = true },
    { 0 },
};

static bool debugexit_realize(Device *d, GError **error)
{
    DebugExit *s = (DebugExit *)d;

    region_set_size(device_region(d, "io"), s->iosize);
    return true;
}

static const Prop debugexit_props[] = {
    PROP_U32(DebugExit, iobase, "iobase", 0x501, .max = 0xffff),
    PROP_U32(DebugExit, iosize, "iosize", 2, .min = 1, .max = 8),
    PROP_END,
};

static const IsaInfo debugexit_isa = { .ports = { { .bank = "io", .base_prop = "iobase" } } };

static const DeviceType debugexit_type = {
    .name = "isa-debug-exit",
    .bus = "ISA",
    .category = "misc",
    .desc = "Port that ends the emulator",
    .bus_info = &debugexit_isa,
    .size = sizeof(DebugExit),
    .state_version = 1,
    .props = debugexit_props,
    .banks = debugexit_banks,
    .realize = debugexit_realize,
};
DEVICE_TYPE(debugexit_type);
