// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the host bridges of PCs have in common: PCI configuration mechanism #1 at ports CF8h and
 * CFCh, with the reset control register that chipsets put at CF9h, and the root bus. A type says
 * parent "pci-host-bridge" and initialises `bus` in its realize.
 */
#ifndef HW_PCI_PCI_HOST_H
#define HW_PCI_PCI_HOST_H

#include "hw/pci/pci.h"

typedef struct PciHost {
    Device dev;
    PciBus bus;
    uint32_t address;
    uint8_t reset_control;
} PciHost;

#endif
