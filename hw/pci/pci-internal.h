// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files of the PCI core share. */
#ifndef HW_PCI_INTERNAL_H
#define HW_PCI_INTERNAL_H

#include "hw/pci/pci.h"

/* Maps and unmaps BARs as the command register and the BARs now say. */
/* The root bus above a device. */
PciBus *pci_root_of(const PciDevice *d);
void pci_update_mappings(PciDevice *d);
void pci_bars_init(PciDevice *d);
void pci_bars_reset(PciDevice *d);
void pci_bars_fini(PciDevice *d);
bool pci_rom_init(PciDevice *d, GError **error);
/* MSI and MSI-X follow a configuration write of [off, off + size). */
void pci_msi_config_written(PciDevice *d, uint32_t off, unsigned size);
void pci_msi_reset(PciDevice *d);
void pci_msi_fini(PciDevice *d);
/* A write may reset the function; device reset of the Express, PM, AER and ATS registers. */
void pcie_config_written(PciDevice *d, uint32_t offset, unsigned size);
void pcie_reset(PciDevice *d);
/* INTx disable changed. */
void pci_intx_update(PciDevice *d);
/* After a state was loaded into a function that held no wire up. */
void pci_intx_loaded(PciDevice *d);
size_t pci_msix_table_len(Device *d);
size_t pci_msix_pending_len(Device *d);
static inline bool pci_is_bar_offset(uint32_t off, unsigned size, uint32_t first, unsigned len)
{
    return off < first + len && off + size > first;
}

#endif
