// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SD host controller of sdhci.c as a PCI function (class 0805, SD Host Controller
 * Specification, appendix of PCI).
 */
#include "sdhci.h"

static void sdhci_pci_irq(Device *d, unsigned pin, int level)
{
    pci_set_irq(PCI_DEVICE(d), level);
}

static bool sdhci_pci_realize(Device *d, GError **error)
{
    Sdhci *s = (Sdhci *)d;

    if (s->uhs || s->vendor) {
        return fail(error, "sdhci-pci: only 0 is supported for uhs and vendor");
    }
    if (!sdhci_realize(d, error)) {
        return false;
    }
    wire(d, "irq", 0, d, "intx", 0);
    return true;
}

static const Prop sdhci_pci_props[] = {
    PROP_U8(Sdhci, spec_version, "sd-spec-version", 2, .help = "2 or 3"),
    PROP_U8(Sdhci, uhs, "uhs", 0, .help = "ultra high speed modes: none"),
    PROP_U8(Sdhci, vendor, "vendor", 0, .help = "variants of vendors: none"),
    PROP_U64(Sdhci, capareg, "capareg", 0x057834b4, .help = "capabilities"),
    PROP_U64(Sdhci, maxcurr, "maxcurr", 0, .help = "maximum currents"),
    PROP_END,
};

static const PinRow sdhci_pci_pins[] = {PIN_OUT(Sdhci, irq, "irq"),
                                        PIN_IN("intx", 1, sdhci_pci_irq), PIN_END};

static const PciInfo sdhci_pci_info = {
    .vendor = 0x1b36, .device = 0x0007, .class_code = 0x080501, .pin = 1, .bar = {{.kind = PCI_BAR_MEM32, .bank = "mmio"}},
};

static const DeviceType sdhci_pci_type = {
    .name = "sdhci-pci", .parent = "pci-device", .bus = "PCI", .category = "storage", .desc = "SD host controller",
    .size = sizeof(Sdhci), .state_version = 1, .hotpluggable = true, .bus_info = &sdhci_pci_info, .props = sdhci_pci_props,
    .banks = sdhci_banks, .pins = sdhci_pci_pins, .state = sdhci_state, .realize = sdhci_pci_realize,
    .unrealize = sdhci_unrealize, .reset = sdhci_reset, .check_load = sdhci_check_load,
};
DEVICE_TYPE(sdhci_pci_type);
