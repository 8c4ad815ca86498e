// SPDX-License-Identifier: GPL-2.0-or-later
/* What PCI-to-PCI bridges and PCI Express ports share. Machine lock held throughout. */
#ifndef HW_PCI_BRIDGE_H
#define HW_PCI_BRIDGE_H

#include "hw/pci/pci.h"

typedef struct PciBridge {
    PciDevice pci;
    PciBus sec; /* the bus behind it */
    Region mem, io; /* address space of the bus behind it */
    Region window[3]; /* aliases of these in the bus before it: I/O, memory, prefetchable */
} PciBridge;

/* Header registers 18h to 3fh of type 1; PciInfo.config of a bridge. */
extern const PciConfigRow pci_bridge_rows[];
/* Makes the bus behind; named like the bridge's id, or by type and number. */
void pci_bridge_init(PciBridge *b, bool express);
void pci_bridge_fini(PciBridge *b);
/* PciInfo.config_write of a bridge. */
void pci_bridge_config_write(PciDevice *d, uint32_t offset, uint32_t value, unsigned size);
/* To be called by reset, after the registers' own. */
void pci_bridge_reset(PciBridge *b);
/* DeviceType.post_load of what begins with a PciBridge. */
void pci_bridge_loaded(Device *d);
extern const StateField pci_bridge_state[];

#endif
