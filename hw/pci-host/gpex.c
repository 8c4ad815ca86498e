// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Generic PCI Express host bridge: configuration space in memory (ECAM; PCI Firmware 3.2, 4.1),
 * one window for ports, windows for memory laid by the board, four interrupt lines, swizzled
 * by slot. PCI addresses are the CPU's, save for ports. Device 0 of the bus is the host bridge
 * function that a system expects there.
 */
#include "hw/pci-host/gpex.h"
#include "exec/bank.h"
#include "qom/vm.h"

#define ECAM_MAX (256 * MIB)

static uint64_t gpex_ecam_read(void *opaque, hwaddr offset, unsigned size)
{
    return pci_config_cycle_read(&((GpexHost *)opaque)->bus, offset >> 12, offset & 0xfff, size);
}

static void gpex_ecam_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    pci_config_cycle_write(&((GpexHost *)opaque)->bus, offset >> 12, offset & 0xfff, value, size);
}

static const RegionOps gpex_ecam_ops = {
    .read = gpex_ecam_read,
    .write = gpex_ecam_write,
    .min_size = 1,
    .max_size = 4,
    .max_valid = 8,
};

/* What no function decodes: reads as ones, writes go nowhere; no bus error on this bridge. */
static uint64_t gpex_hole_read(void *opaque, hwaddr offset, unsigned size)
{
    return UINT64_MAX;
}

static void gpex_hole_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const RegionOps gpex_hole_ops = {
    .read = gpex_hole_read,
    .write = gpex_hole_write,
    .min_size = 1,
    .max_size = 8,
};

static unsigned gpex_map_irq(PciBus *root, unsigned slot, unsigned pin)
{
    return (slot + pin) & 3;
}

static void gpex_set_irq(void *opaque, unsigned pirq, int level)
{
    irq_set(&((GpexHost *)opaque)->irq[pirq], level);
}

static bool gpex_realize(Device *d, GError **error)
{
    GpexHost *h = (GpexHost *)d;

    region_init_container(&h->mem, &d->obj, "gpex_mmio", UINT64_MAX);
    region_init_io(&h->mem_hole, &d->obj, "gpex_mmio_hole", UINT64_MAX, &gpex_hole_ops, h);
    region_add(&h->mem, 0, &h->mem_hole, -1);
    region_init_io(&h->io, &d->obj, "gpex_ioport", 64 * KIB, &gpex_hole_ops, h);
    region_init_io(&h->ecam, &d->obj, "pcie-mmcfg-mmio", ECAM_MAX, &gpex_ecam_ops, h);
    pci_root_bus_init(&h->bus, d, "pcie.0", true, &h->mem, &h->io);
    h->bus.bar_at_zero = true;
    h->bus.map_irq = gpex_map_irq;
    h->bus.set_irq = gpex_set_irq;
    h->bus.irq_opaque = h;
    return pci_create(&h->bus, 0, "gpex-root", NULL, error, NULL) != NULL;
}

void gpex_map_window(GpexHost *h, hwaddr base, uint64_t size)
{
    g_assert(h->num_windows < ARRAY_COUNT(h->window));
    Region *w = &h->window[h->num_windows++];

    region_init_alias(w, &h->dev.obj, "gpex_mmio_window", &h->mem, base, size);
    region_add(h->dev.vm->memory, base, w, 0);
}

void gpex_map(GpexHost *h, hwaddr ecam, uint64_t ecam_size, hwaddr io)
{
    region_set_size(&h->ecam, ecam_size);
    region_add(h->dev.vm->memory, ecam, &h->ecam, 0);
    if (io != GPEX_NO_PORTS) {
        region_add(h->dev.vm->memory, io, &h->io, 0);
    }
}

static const PinRow gpex_pins[] = {PIN_OUT_ARRAY(GpexHost, irq, "irq"), PIN_END};

static const StateField gpex_state[] = {
    HOST_ONLY(GpexHost, bus, "its devices have state of their own"),
    HOST_ONLY(GpexHost, mem, "region"),
    HOST_ONLY(GpexHost, mem_hole, "region"),
    HOST_ONLY(GpexHost, io, "region"),
    HOST_ONLY(GpexHost, ecam, "region"),
    HOST_ONLY(GpexHost, window, "regions"),
    HOST_ONLY(GpexHost, num_windows, "made by the board"),
    STATE_END,
};

static const DeviceType gpex_type = {
    .name = "gpex-pcihost",
    .category = "bridge",
    .desc = "Generic PCI Express host bridge",
    .internal = true,
    .size = sizeof(GpexHost),
    .state_version = 1,
    .pins = gpex_pins,
    .state = gpex_state,
    .realize = gpex_realize,
};
DEVICE_TYPE(gpex_type);

static const PciInfo gpex_root_pci = {
    .vendor = 0x1b36,
    .device = 0x0008,
    .class_code = 0x060000,
};

static const DeviceType gpex_root_type = {
    .name = "gpex-root",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "bridge",
    .desc = "Host bridge",
    .internal = true,
    .bus_info = &gpex_root_pci,
    .size = sizeof(PciDevice),
    .state_version = 1,
};
DEVICE_TYPE(gpex_root_type);
