// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PCI configuration mechanism #1 (PCI Local Bus 3.0, 3.2.2.3.2) and the reset control register at
 * CF9h (82371SB 2.5.5.1, ICH9 13.7.5), which only a byte access reaches.
 */
#include "hw/pci/pci-host.h"
#include "qom/vm.h"

#define RESET_CONTROL 1
enum {
    RCR_SYSTEM = 2,
    RCR_RESET = 4,
    RCR_FULL = 8
};

static uint64_t pci_host_read(void *opaque, hwaddr offset, unsigned size)
{
    PciHost *h = opaque;

    if (offset == RESET_CONTROL && size == 1) {
        return h->reset_control;
    }
    if (offset < 4) {
        return size == 4 ? h->address : 0xffffffff;
    }
    if (!(h->address & 1u << 31)) {
        return 0xffffffff;
    }
    return pci_config_cycle_read(&h->bus, h->address >> 8 & 0xffff,
                                 (h->address & 0xfc) | (offset & 3), size);
}

static void reset_control_write(PciHost *h, uint8_t value)
{
    if (value & RCR_RESET) {
        request_reset(SHUTDOWN_GUEST_RESET);
    }
    h->reset_control = value & (RCR_SYSTEM | RCR_FULL);
}

static void pci_host_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    PciHost *h = opaque;

    if (offset == RESET_CONTROL && size == 1) {
        reset_control_write(h, value);
    } else if (offset < 4) {
        if (offset == 0 && size == 4) {
            h->address = value;
        }
    } else if (h->address & 1u << 31) {
        pci_config_cycle_write(&h->bus, h->address >> 8 & 0xffff,
                               (h->address & 0xfc) | (offset & 3), value, size);
    }
}

static const RegionOps pci_host_ops = {
    .read = pci_host_read,
    .write = pci_host_write,
    .min_size = 1,
    .max_size = 4,
    .max_valid = 4,
};

static const RegBank pci_host_banks[] = {
    {.name = "config", .size = 8, .ops = &pci_host_ops, .pio = true, .help = "mechanism #1"},
    {0},
};

static void pci_host_reset(Device *d)
{
    PciHost *h = (PciHost *)d;

    h->address = 0;
    h->reset_control = 0;
}

static const StateField pci_host_state[] = {
    STATE(PciHost, address),
    STATE(PciHost, reset_control),
    HOST_ONLY(PciHost, bus, "its devices have state of their own"),
    STATE_END,
};

static const DeviceType pci_host_type = {
    .name = "pci-host-bridge",
    .abstract = true,
    .category = "bridge",
    .desc = "PCI host bridge",
    .fw_name = "pci@i0cf8",
    .internal = true,
    .size = sizeof(PciHost),
    .state_version = 1,
    .banks = pci_host_banks,
    .state = pci_host_state,
    .reset = pci_host_reset,
};
DEVICE_TYPE(pci_host_type);
