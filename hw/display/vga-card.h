// SPDX-License-Identifier: GPL-2.0-or-later
/* The parts of a VGA on PCI, for the standard adapter and those that are compatible with it. */
#ifndef HW_DISPLAY_VGA_CARD_H
#define HW_DISPLAY_VGA_CARD_H

#include "hw/display/vga.h"
#include "hw/pci/pci.h"
#include "ui/edid.h"

#define VGA_CARD_MMIO 4096

typedef struct VgaCard {
    Vga vga;
    bool legacy, vga_regs, edid_on; /* set by the owner: legacy addresses; ports and EDID in memory */
    uint8_t edid[EDID_BYTES];
    Region vram, mmio, ports, dispi_ports, window; /* the owner makes BARs of the first two */
} VgaCard;

/* The owner makes vga.console, and undoes it by vga_card_fini. */
bool vga_card_init(VgaCard *c, PciDevice *pci, uint64_t size, GError **error);
/* The ports 3B0h to 3DFh and the window alone. */
void vga_card_legacy(VgaCard *c, PciDevice *pci, const RegionOps *ports, void *ports_opaque,
                     const RegionOps *window, void *window_opaque);
void vga_card_fini(VgaCard *c);
extern const StateField vga_card_state[];

#endif
