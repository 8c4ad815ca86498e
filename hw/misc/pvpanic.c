// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pvpanic: one byte through which a guest tells its host that it has panicked (bit 0) or that
 * it is about to run its crash kernel (bit 1). Reading gives what the host listens to. On ISA
 * at a port, on PCI (1b36:0011) in a memory BAR.
 */
#include "hw/isa/isa.h"
#include "hw/pci/pci.h"
#include "util/log.h"
#include "qom/runstate.h"

enum { PVPANIC_PANICKED = 1, PVPANIC_CRASHLOADED = 2 };

static void pvpanic_event(uint8_t listens, uint64_t value)
{
    if (value & ~(uint64_t)(PVPANIC_PANICKED | PVPANIC_CRASHLOADED)) {
        guest_error("pvpanic: unknown event %#x", (unsigned)value);
    }
    if (value & listens & PVPANIC_PANICKED) {
        guest_panicked();
    } else if (value & listens & PVPANIC_CRASHLOADED) {
        guest_crashloaded();
    }
}

/* ---- ISA ---- */

typedef struct PvpanicIsa {
    Device dev;
    uint32_t ioport;
    uint8_t events;
} PvpanicIsa;

static uint64_t isa_read(void *opaque, hwaddr offset, unsigned size)
{
    return ((PvpanicIsa *)opaque)->events;
}

static void isa_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    pvpanic_event(((PvpanicIsa *)opaque)->events, value);
}

static const RegionOps isa_ops = {
    .read = isa_read, .write = isa_write, .min_size = 1, .max_size = 1};
static const RegBank isa_banks[] = {{.name = "io", .size = 1, .ops = &isa_ops, .pio = true}, {0}};
static const Prop isa_props[] = {
    PROP_U32(PvpanicIsa, ioport, "ioport", 0x505, .max = 0xffff),
    PROP_U8(PvpanicIsa, events, "events", PVPANIC_PANICKED | PVPANIC_CRASHLOADED, .help = "events that are listened to"),
    PROP_END,
};
static const IsaInfo isa_info = { .ports = { { .bank = "io", .base_prop = "ioport" } } };

static const DeviceType pvpanic_isa_type = {
    .name = "pvpanic", .bus = "ISA", .category = "misc", .desc = "Port for reports of guest panics",
    .size = sizeof(PvpanicIsa), .state_version = 1, .bus_info = &isa_info, .props = isa_props, .banks = isa_banks,
};
DEVICE_TYPE(pvpanic_isa_type);

/* ---- PCI ---- */

typedef struct PvpanicPci {
    PciDevice pci;
    uint8_t events;
} PvpanicPci;

static uint64_t bar_read(void *opaque, hwaddr offset, unsigned size)
{
    return offset ? 0 : ((PvpanicPci *)opaque)->events;
}

static void bar_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    if (!offset) {
        pvpanic_event(((PvpanicPci *)opaque)->events, value);
    }
}

static const RegionOps bar_ops = {
    .read = bar_read, .write = bar_write, .min_size = 1, .max_size = 1};
static const RegBank pci_banks[] = { { .name = "mmio", .size = 16, .ops = &bar_ops }, { 0 } };
static const Prop pci_props[] = {
    PROP_U8(PvpanicPci, events, "events", PVPANIC_PANICKED | PVPANIC_CRASHLOADED, .help = "events that are listened to"),
    PROP_END,
};
static const PciInfo pvpanic_pci_info = {
    .vendor = 0x1b36, .device = 0x0011, .class_code = 0x088000, .revision = 1,
    .bar = { { .kind = PCI_BAR_MEM32, .bank = "mmio" } },
};

static const DeviceType pvpanic_pci_type = {
    .name = "pvpanic-pci", .parent = "pci-device", .bus = "PCI", .category = "misc",
    .desc = "PCI device for reports of guest panics", .size = sizeof(PvpanicPci), .state_version = 1,
    .bus_info = &pvpanic_pci_info, .props = pci_props, .banks = pci_banks,
};
DEVICE_TYPE(pvpanic_pci_type);
