// SPDX-License-Identifier: GPL-2.0-or-later
/* RTL8029: an NE2000 on PCI, its 32 ports in BAR 0 (of 256, as the known one has it). */
#include "hw/pci/pci.h"
#include "ne2000.h"

typedef struct Ne2kPci {
    PciDevice pci;
    NetPeer *peer;
    uint8_t mac[6];
    int32_t bootindex;
    Ne2k core;
} Ne2kPci;

static uint64_t io_read(void *opaque, hwaddr offset, unsigned size)
{
    return ne2k_read(&((Ne2kPci *)opaque)->core, offset, size);
}

static void io_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    ne2k_write(&((Ne2kPci *)opaque)->core, offset, value, size);
}

static const RegionOps io_ops = {.read = io_read, .write = io_write, .min_size = 1, .max_size = 4};

static void set_irq(Device *d, int level)
{
    pci_set_irq(PCI_DEVICE(d), level);
}

static bool ne2k_pci_realize(Device *d, GError **error)
{
    Ne2kPci *s = (Ne2kPci *)d;

    nic_settle_mac(s->mac);
    memcpy(s->core.mac, s->mac, 6);
    s->core.irq = set_irq;
    ne2k_realize(&s->core, d, s->peer);
    return true;
}

static void ne2k_pci_unrealize(Device *d)
{
    ne2k_unrealize(&((Ne2kPci *)d)->core);
}

static void ne2k_pci_reset(Device *d)
{
    ne2k_reset(&((Ne2kPci *)d)->core);
}

static const Prop ne2k_pci_props[] = { NIC_PROPS(Ne2kPci), PROP_END };

static const RegBank ne2k_pci_banks[] = {
    { .name = "io", .size = 0x100, .ops = &io_ops, .pio = true, .help = "DP8390, data port, reset port" },
    { 0 },
};

static const StateField ne2k_pci_state[] = { STATE_STRUCT(Ne2kPci, core, ne2k_state), STATE_END };

static const PciInfo ne2k_pci_info = {
    .vendor = 0x10ec, .device = 0x8029, .class_code = 0x020000, .pin = 1,
    .bar = { [0] = { PCI_BAR_IO, false, "io" } },
    .romfile = "efi-ne2k_pci.rom",
};

static const DeviceType ne2k_pci_type = {
    .name = "ne2k_pci",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "network",
    .hotpluggable = true,
    .bus_info = &ne2k_pci_info,
    .size = sizeof(Ne2kPci),
    .state_version = 1,
    .props = ne2k_pci_props,
    .banks = ne2k_pci_banks,
    .state = ne2k_pci_state,
    .realize = ne2k_pci_realize,
    .unrealize = ne2k_pci_unrealize,
    .reset = ne2k_pci_reset,
};
DEVICE_TYPE(ne2k_pci_type);
