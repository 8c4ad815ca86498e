// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Numbers of PCI functions that the user chose (acpi-index), as guests read them to name network
 * interfaces (PCI Firmware 3.2, 4.6.7). They are those of the moment in which tables are built.
 */
#ifndef HW_ACPI_PCI_INDEX_H
#define HW_ACPI_PCI_INDEX_H

#include "hw/acpi/aml.h"
#include "hw/pci/pci.h"

/* The method in the function's open device; nothing when it has no number. d may be NULL. */
void acpi_pci_index_dsm(Aml *a, const PciDevice *d);
/* A device of its own with that method; nothing when it has no number. */
void acpi_pci_index_device(Aml *a, const PciDevice *d);
/* Devices of the functions of a bus and behind its bridges that have one, or lead to one. */
void acpi_pci_index_dsdt(Aml *a, const PciBus *b);

#endif
