// SPDX-License-Identifier: GPL-2.0-or-later
/* The generic PCI Express host bridge; boards make "gpex-pcihost", wire "irq" 0 to 3 and map it. */
#ifndef HW_PCI_HOST_GPEX_H
#define HW_PCI_HOST_GPEX_H

#include "hw/pci/pci.h"

typedef struct GpexHost {
    Device dev;
    PciBus bus;
    Irq irq[4];
    Region mem, mem_hole, io, ecam;
    Region window[2];
    unsigned num_windows;
} GpexHost;

/*
 * Configuration space (256 buses at most) and the ports' window into system memory, if there is
 * one.
 */
#define GPEX_NO_PORTS UINT64_MAX
void gpex_map(GpexHost *h, hwaddr ecam, uint64_t ecam_size, hwaddr io);
/* Memory of the bus shows at [base, base + size), at the same address; twice at most. */
void gpex_map_window(GpexHost *h, hwaddr base, uint64_t size);

#endif
