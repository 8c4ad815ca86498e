// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hot plug on conventional PCI buses by ACPI: a general purpose event says that something happened,
 * 24 ports which slots it concerns, and by which the guest lets a slot go. Buses are the root and
 * the bridges that are there at start.
 */
#ifndef HW_ACPI_PCI_HOTPLUG_H
#define HW_ACPI_PCI_HOTPLUG_H

#include "hw/acpi/aml.h"
#include "hw/acpi/pm.h"
#include "hw/pci/pci.h"
#include "util/main-loop.h"

#define ACPI_PCIHP_PORT 0xae00
#define ACPI_PCIHP_GPE 1
#define ACPI_PCIHP_BUSES 32

typedef struct AcpiPciBus {
    uint32_t up, down, eject;      /* slots: new ones, those asked to go, those that the guest let go */
} AcpiPciBus;
extern const StateField acpi_pci_bus_state[];

typedef struct AcpiPciHotplug {
    Device *owner;
    AcpiPm *pm;
    PciBus *bus[ACPI_PCIHP_BUSES]; /* by their numbers in the ports */
    uint32_t num_buses;
    Region region;
    uint32_t select;
    AcpiPciBus slots[ACPI_PCIHP_BUSES];
    Bh *eject_bh;
} AcpiPciHotplug;
extern const StateField acpi_pci_hotplug_state[];

void acpi_pcihp_init(AcpiPciHotplug *h, Device *owner, AcpiPm *pm, PciBus *root);
void acpi_pcihp_fini(AcpiPciHotplug *h);
void acpi_pcihp_reset(AcpiPciHotplug *h);
/* Once all devices of the command line are there: bridges' buses too. */
void acpi_pcihp_find_buses(AcpiPciHotplug *h);
/* In PCI0's scope: regions, slots, PCNT. _E01 of \_GPE is apart. */
void acpi_pcihp_dsdt(Aml *a, const AcpiPciHotplug *h);
void acpi_pcihp_dsdt_event(Aml *a);

#endif
