// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * _DSM of PCI functions with a number of their own (acpi-index): PCI Firmware 3.2, 4.6.7,
 * function 7 gives the number and a name, which is empty here.
 */
#include "hw/acpi/pci-index.h"

#define DSM_UUID "E5C937D0-3553-4D7A-9117-EA4D19C3434D"

enum {
    DSM_QUERY = 0,
    DSM_NAME = 7,
};

static const PciBus *bus_behind(const PciDevice *d)
{
    const GPtrArray *buses = d->dev.buses;

    return pci_info((PciDevice *)d)->bridge && buses && buses->len ? buses->pdata[0] : NULL;
}

static bool leads_to_index(const PciBus *b)
{
    for (unsigned i = 0; b && i < 256; i++) {
        const PciDevice *d = b->slots[i];

        if (d && (d->acpi_index || leads_to_index(bus_behind(d)))) {
            return true;
        }
    }
    return false;
}

void acpi_pci_index_dsm(Aml *a, const PciDevice *d)
{
    static const uint8_t known[] = {1u << DSM_QUERY | 1u << DSM_NAME}, nothing[1];

    if (!d || !d->acpi_index) {
        return;
    }
    aml_method(a, "_DSM", 4, true);
    aml_if(a);
    aml_byte(a, AML_LEQUAL);
    aml_byte(a, AML_ARG0);
    aml_uuid(a, DSM_UUID);
    aml_if_equal(a, AML_ARG0 + 2, DSM_QUERY);
    aml_byte(a, AML_RETURN);
    aml_buffer(a, known, sizeof(known));
    aml_end(a);
    aml_if_equal(a, AML_ARG0 + 2, DSM_NAME);
    aml_byte(a, AML_RETURN);
    aml_package(a, 2);
    aml_int(a, d->acpi_index);
    aml_string(a, "");
    aml_end(a);
    aml_end(a);
    aml_end(a);
    aml_byte(a, AML_RETURN);
    aml_buffer(a, nothing, sizeof(nothing));
    aml_end(a);
}

static void open_device(Aml *a, const PciDevice *d)
{
    char name[8];

    g_snprintf(name, sizeof(name), "S%02X_", (unsigned)d->devfn & 0xff);
    aml_device(a, name);
    aml_name_int(a, "_ADR", PCI_SLOT(d->devfn) << 16 | PCI_FUNC(d->devfn));
}

void acpi_pci_index_device(Aml *a, const PciDevice *d)
{
    if (d && d->acpi_index) {
        open_device(a, d);
        acpi_pci_index_dsm(a, d);
        aml_end(a);
    }
}

void acpi_pci_index_dsdt(Aml *a, const PciBus *b)
{
    for (unsigned i = 0; b && i < 256; i++) {
        const PciDevice *d = b->slots[i];
        const PciBus *behind = d ? bus_behind(d) : NULL;

        if (leads_to_index(behind)) {
            open_device(a, d);
            acpi_pci_index_dsm(a, d);
            acpi_pci_index_dsdt(a, behind);
            aml_end(a);
        } else {
            acpi_pci_index_device(a, d);
        }
    }
}
