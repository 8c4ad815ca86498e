// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PCI-to-PCI bridges (PCI-to-PCI Bridge Architecture 1.2): bus numbers, windows, secondary bus
 * reset. Left out: VGA and ISA modes.
 */
#include "hw/pci/pci-bridge.h"

#include "qom/vm.h"

enum {
    WINDOW_IO,
    WINDOW_MEM,
    WINDOW_PREFETCH
};
enum {
    SECONDARY_RESET = 0x40
};

#define ROW(name_, off, size_, ...)                              \
    {                                                            \
        .name = name_, .offset = off, .size = size_, __VA_ARGS__ \
    }

const PciConfigRow pci_bridge_rows[] = {
    ROW("primary_bus", 0x18, 1, .wmask = 0xff),
    ROW("secondary_bus", 0x19, 1, .wmask = 0xff),
    ROW("subordinate_bus", 0x1a, 1, .wmask = 0xff),
    ROW("secondary_latency", 0x1b, 1, .wmask = 0xff),
    ROW("io_base", 0x1c, 1, .reset = 1, .wmask = 0xf0, .help = "bits 15:12; 32-bit addresses"),
    ROW("io_limit", 0x1d, 1, .reset = 1, .wmask = 0xf0),
    ROW("secondary_status", 0x1e, 2, .w1c = 0xf900),
    ROW("memory_base", 0x20, 2, .wmask = 0xfff0, .help = "bits 31:20"),
    ROW("memory_limit", 0x22, 2, .wmask = 0xfff0),
    ROW("prefetch_base", 0x24, 2, .reset = 1, .wmask = 0xfff0, .help = "64-bit addresses"),
    ROW("prefetch_limit", 0x26, 2, .reset = 1, .wmask = 0xfff0),
    ROW("prefetch_base_high", 0x28, 4, .wmask = 0xffffffff),
    ROW("prefetch_limit_high", 0x2c, 4, .wmask = 0xffffffff),
    ROW("io_base_high", 0x30, 2, .wmask = 0xffff),
    ROW("io_limit_high", 0x32, 2, .wmask = 0xffff),
    ROW("bridge_control", 0x3e, 2, .wmask = 0x0f7f),
    {0},
};

/* [*base, *limit] of a window; false: it is closed. */
static bool window_range(const PciDevice *d, unsigned n, uint64_t *base, uint64_t *limit)
{
    uint8_t need = n == WINDOW_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;

    if (!(d->config[PCI_COMMAND] & need)) {
        return false;
    }
    if (n == WINDOW_IO) {
        *base = (d->config[0x1c] & 0xf0) << 8 | pci_config_get(d, 0x30, 2) << 16;
        *limit = (d->config[0x1d] & 0xf0) << 8 | pci_config_get(d, 0x32, 2) << 16 | 0xfff;
    } else if (n == WINDOW_MEM) {
        *base = (uint64_t)(pci_config_get(d, 0x20, 2) & 0xfff0) << 16;
        *limit = (uint64_t)(pci_config_get(d, 0x22, 2) & 0xfff0) << 16 | 0xfffff;
    } else {
        *base = (uint64_t)(pci_config_get(d, 0x24, 2) & 0xfff0) << 16 |
                (uint64_t)pci_config_get(d, 0x28, 4) << 32;
        *limit = (uint64_t)(pci_config_get(d, 0x26, 2) & 0xfff0) << 16 |
                 (uint64_t)pci_config_get(d, 0x2c, 4) << 32 | 0xfffff;
    }
    return *base <= *limit && (n != WINDOW_IO || *limit < 0x10000) && *limit != UINT64_MAX;
}

static void windows_update(PciBridge *b)
{
    memory_transaction_begin();
    for (unsigned n = 0; n < 3; n++) {
        uint64_t base = 0, limit = 0;
        bool open = window_range(&b->pci, n, &base, &limit);

        if (open) {
            region_set_size(&b->window[n], limit - base + 1);
            region_set_alias_offset(&b->window[n], base);
            region_set_address(&b->window[n], base);
        }
        region_set_enabled(&b->window[n], open);
    }
    memory_transaction_commit();
}

void pci_bridge_config_write(PciDevice *d, uint32_t offset, uint32_t value, unsigned size)
{
    PciBridge *b = (PciBridge *)d;

    b->sec.number = d->config[PCI_SECONDARY_BUS];
    if (offset < 0x40) {
        windows_update(b);
    }
    if (offset <= PCI_BRIDGE_CONTROL && offset + size > PCI_BRIDGE_CONTROL &&
        (d->config[PCI_BRIDGE_CONTROL] & SECONDARY_RESET)) {
        bus_reset(&b->sec.bus);
    }
}

void pci_bridge_loaded(Device *d)
{
    PciBridge *b = (PciBridge *)d;

    b->sec.number = b->pci.config[PCI_SECONDARY_BUS];
    windows_update(b);
}

void pci_bridge_reset(PciBridge *b)
{
    b->sec.number = 0;
    windows_update(b);
}

void pci_bridge_init(PciBridge *b, bool express)
{
    static const char *const names[] = {"pci-bridge-io", "pci-bridge-mem", "pci-bridge-prefetch"};
    PciDevice *d = &b->pci;
    g_autofree char *name = d->dev.id ? g_strdup(d->dev.id) : NULL;

    for (unsigned n = 1; !name || (!d->dev.id && bus_find(d->dev.vm, name)); n++) {
        g_free(name);
        name = g_strdup_printf("pci.%u", n);
    }
    region_init_container(&b->mem, &d->dev.obj, "pci-bridge-bus-mem", UINT64_MAX);
    region_init_container(&b->io, &d->dev.obj, "pci-bridge-bus-io", 0x10000);
    bus_init(&b->sec.bus, express ? &pcie_bus_type : &pci_bus_type, &d->dev, name);
    b->sec.parent = d->bus;
    b->sec.bridge = d;
    b->sec.express = express;
    b->sec.mem = &b->mem;
    b->sec.io = &b->io;
    b->sec.as = d->bus->as;
    for (unsigned n = 0; n < 3; n++) {
        region_init_alias(&b->window[n], &d->dev.obj, names[n], n == WINDOW_IO ? &b->io : &b->mem,
                          0, 4096);
        region_set_enabled(&b->window[n], false);
        region_add(n == WINDOW_IO ? d->bus->io : d->bus->mem, 0, &b->window[n], 1);
    }
}

void pci_bridge_fini(PciBridge *b)
{
    for (unsigned n = 0; n < 3; n++) {
        region_remove(&b->window[n]);
        region_fini(&b->window[n]);
    }
    bus_fini(&b->sec.bus);
    region_fini(&b->mem);
    region_fini(&b->io);
}

const StateField pci_bridge_state[] = {
    HOST_ONLY(PciBridge, sec, "devices on it keep their own"),
    HOST_ONLY(PciBridge, mem, "address space behind"),
    HOST_ONLY(PciBridge, io, "address space behind"),
    HOST_ONLY(PciBridge, window, "follow the registers"),
    STATE_END,
};

/* ---- pcie-pci-bridge: a PCI bus behind a PCI Express function ---- */

static void bridge_unrealize(Device *d)
{
    pci_bridge_fini((PciBridge *)d);
}

static void bridge_reset(Device *d)
{
    pci_bridge_reset((PciBridge *)d);
}

static bool express_to_pci_realize(Device *d, GError **error)
{
    pci_bridge_init((PciBridge *)d, false);
    return true;
}

static const PciInfo express_to_pci_info = {
    .vendor = 0x1b36,
    .device = 0x000e,
    .class_code = 0x060400,
    .pin = 1,
    .bridge = true,
    .express = true,
    .msi = 1,
    .config = pci_bridge_rows,
    .config_write = pci_bridge_config_write,
};

static const DeviceType express_to_pci_type = {
    .name = "pcie-pci-bridge",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "bridge",
    .desc = "PCIe to PCI bridge",
    .size = sizeof(PciBridge),
    .state_version = 1,
    .hotpluggable = true,
    .bus_info = &express_to_pci_info,
    .state = pci_bridge_state, .post_load = pci_bridge_loaded,
    .realize = express_to_pci_realize,
    .unrealize = bridge_unrealize,
    .reset = bridge_reset,
};
DEVICE_TYPE(express_to_pci_type);

/* ---- i82801b11-bridge: the ICH9's PCI bridge ---- */

static const PciInfo dmi_pci = {
    .vendor = 0x8086,
    .device = 0x244e,
    .class_code = 0x060401,
    .revision = 0x92,
    .bridge = true,
    .config = pci_bridge_rows,
    .config_write = pci_bridge_config_write,
};

static const DeviceType dmi_type = {
    .name = "i82801b11-bridge",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "bridge",
    .desc = "ICH9 PCI bridge",
    .size = sizeof(PciBridge),
    .state_version = 1,
    .bus_info = &dmi_pci,
    .state = pci_bridge_state, .post_load = pci_bridge_loaded,
    .realize = express_to_pci_realize,
    .unrealize = bridge_unrealize,
    .reset = bridge_reset,
};
DEVICE_TYPE(dmi_type);
