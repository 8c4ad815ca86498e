// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pieces of ACPI tables that boards without fixed ACPI hardware share (ACPI 6.3; PCI Firmware 3.2
 * for the host bridge).
 */
#include "hw/acpi/parts.h"
#include "hw/acpi/ged.h"

#define DWORD_PRESERVE 3
#define FADT_REDUCED (1u << 20)
#define FADT_RESET (1u << 10)

void acpi_dsdt_device(Aml *a, const char *name, const char *hid, unsigned uid, uint32_t base,
                      uint32_t size, uint32_t irq, bool level)
{
    GByteArray *crs = g_byte_array_new();

    aml_device(a, name);
    aml_name_string(a, "_HID", hid);
    aml_name_int(a, "_UID", uid);
    aml_res_memory32(crs, true, base, size);
    if (irq) {
        aml_res_interrupt(crs, level, false, false, &irq, 1);
    }
    aml_name_crs(a, crs);
}

void acpi_dsdt_transport(Aml *a, unsigned i, uint32_t base, uint32_t size, uint32_t irq)
{
    char name[8];

    g_snprintf(name, sizeof(name), "VR%02u", i);
    acpi_dsdt_device(a, name, "LNRO0005", i, base, size, irq, true);
    aml_name_int(a, "_CCA", 1);
    aml_end(a);
}

/* ---- host bridge ---- */

static void dsdt_links(Aml *a, uint32_t first_irq)
{
    for (unsigned i = 0; i < 4; i++) {
        uint32_t irq = first_irq + i;
        char name[8];

        g_snprintf(name, sizeof(name), "GSI%u", i);
        aml_device(a, name);
        aml_name_eisaid(a, "_HID", "PNP0C0F");
        aml_name_int(a, "_UID", i);
        for (unsigned k = 0; k < 2; k++) {
            GByteArray *r = g_byte_array_new();

            aml_res_interrupt(r, true, false, true, &irq, 1);
            aml_res_end(r);
            aml_name_buffer(a, k ? "_CRS" : "_PRS", r);
            g_byte_array_free(r, TRUE);
        }
        aml_method(a, "_SRS", 1, false);
        aml_end(a);
        aml_end(a);
    }
}

static void dsdt_prt(Aml *a)
{
    aml_name(a, "_PRT");
    aml_package(a, 128);
    for (unsigned slot = 0; slot < 32; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            char name[8];

            g_snprintf(name, sizeof(name), "GSI%u", (slot + pin) % 4);
            aml_package(a, 4);
            aml_int(a, slot << 16 | 0xffff);
            aml_int(a, pin);
            aml_path(a, name);
            aml_int(a, 0);
            aml_end(a);
        }
    }
    aml_end(a);
}

static void dsdt_bridge_crs(Aml *a, const AcpiGpex *g)
{
    GByteArray *crs = g_byte_array_new();

    aml_res_window16(crs, 2, 0, (g->ecam.size >> 20) - 1);
    aml_res_window32(crs, g->mem.base, g->mem.base + g->mem.size - 1);
    if (g->ports.size) {
        aml_res_ports_in_memory(crs, g->ports.base, g->ports.size);
    }
    if (g->mem64.size) {
        aml_res_window64(crs, g->mem64.base, g->mem64.base + g->mem64.size - 1);
    }
    aml_name_crs(a, crs);
}

/*
 * What the system and the bridge agree on (PCI Firmware 3.2, 4.5.1): everything but hot plug by
 * SHPC.
 */
static void dsdt_osc(Aml *a)
{
    aml_method(a, "_OSC", 4, true);
    aml_byte(a, AML_CREATE_DWORD);
    aml_byte(a, AML_ARG0 + 3);
    aml_int(a, 8);
    aml_path(a, "CDW3");
    aml_byte(a, AML_AND);
    aml_path(a, "CDW3");
    aml_int(a, 0x1d);
    aml_path(a, "CDW3");
    aml_byte(a, AML_RETURN);
    aml_byte(a, AML_ARG0 + 3);
    aml_end(a);
}

void acpi_dsdt_gpex(Aml *a, const AcpiGpex *g)
{
    aml_device(a, "PCI0");
    aml_name_string(a, "_HID", "PNP0A08");
    aml_name_string(a, "_CID", "PNP0A03");
    aml_name_int(a, "_SEG", 0);
    aml_name_int(a, "_BBN", 0);
    aml_name_int(a, "_UID", 0);
    aml_name_int(a, "_CCA", 1);
    dsdt_links(a, g->first_irq);
    dsdt_prt(a);
    aml_method(a, "_CBA", 0, false);
    aml_byte(a, AML_RETURN);
    aml_int(a, g->ecam.base);
    aml_end(a);
    dsdt_bridge_crs(a, g);
    dsdt_osc(a);
    aml_end(a);
    /* The configuration space belongs to the board. */
    GByteArray *crs = g_byte_array_new();

    aml_device(a, "RES0");
    aml_name_string(a, "_HID", "PNP0C02");
    aml_res_window64(crs, g->ecam.base, g->ecam.base + g->ecam.size - 1);
    aml_name_crs(a, crs);
    aml_end(a);
}

/* ---- events ---- */

/* If the event is among those in Local0. */
static void ged_if(Aml *a, uint32_t event)
{
    aml_if(a);
    aml_byte(a, AML_LEQUAL);
    aml_byte(a, AML_AND);
    aml_byte(a, AML_LOCAL0);
    aml_int(a, event);
    aml_byte(a, AML_NULL);
    aml_int(a, event);
}

void acpi_dsdt_ged(Aml *a, uint64_t registers, uint32_t irq, bool memory)
{
    GByteArray *crs = g_byte_array_new();

    aml_device(a, "GED_");
    aml_name_string(a, "_HID", "ACPI0013");
    aml_name_string(a, "_UID", "GED");
    aml_res_interrupt(crs, false, false, false, &irq, 1);
    aml_name_crs(a, crs);
    aml_region(a, "EREG", AML_SYSTEM_MEMORY, registers, 4);
    aml_field(a, "EREG", DWORD_PRESERVE);
    aml_field_unit(a, "ESEL", 32);
    aml_end(a);
    aml_method(a, "_EVT", 1, true);
    aml_byte(a, AML_STORE);
    aml_path(a, "ESEL");
    aml_byte(a, AML_LOCAL0);
    ged_if(a, GED_EVENT_POWER);
    aml_byte(a, AML_NOTIFY);
    aml_path(a, "\\_SB.PWRB");
    aml_int(a, 0x80);
    aml_end(a);
    if (memory) {
        ged_if(a, GED_EVENT_MEMORY);
        aml_path(a, "\\_SB.MHPC.MSCN");
        aml_end(a);
    }
    aml_end(a);
    aml_end(a);
}

void acpi_dsdt_power_button(Aml *a)
{
    aml_device(a, "PWRB");
    aml_name_string(a, "_HID", "PNP0C0C");
    aml_name_int(a, "_UID", 0);
    aml_end(a);
}

/* ---- FADT, 5.2.9 ---- */

static void fadt_register(AcpiTables *s, uint64_t address)
{
    if (address) {
        acpi_gas(s, AML_SYSTEM_MEMORY, 8, 0, address);
    } else {
        acpi_zero(s, 12);
    }
}

void acpi_fadt_reduced(AcpiTables *s, const AcpiReduced *r)
{
    uint32_t at = acpi_table_begin(s, "FACP", 6);

    acpi_zero(s, 4); /* no FACS */
    acpi_zero(s, 4); /* X_DSDT instead */
    acpi_zero(s, 112 - 44);
    acpi_put(s, FADT_REDUCED | (r->reset ? FADT_RESET : 0), 4);
    fadt_register(s, r->reset);
    acpi_put(s, r->reset_value, 1);
    acpi_put(s, r->arm_flags, 2);
    acpi_put(s, 3, 1); /* minor version */
    acpi_zero(s, 8);
    acpi_pointer(s, r->dsdt, 8);
    acpi_zero(s, 244 - 148);
    fadt_register(s, r->sleep_control);
    fadt_register(s, r->sleep_status);
    acpi_put(s, 0, 8); /* hypervisor vendor */
    acpi_table_end(s, at, true);
}
