// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The DSDT of the board virt: processors, UART, flash, fw_cfg, virtio transports, host bridge with
 * windows and interrupt links, GPIO, event device, power button.
 */
#include "hw/acpi/aml.h"
#include "hw/acpi/ged.h"
#include "hw/arm/virt-acpi.h"

#define DWORD_PRESERVE 3
#define SPI(n) ((n) + 32u)

static void name_crs(Aml *a, GByteArray *r)
{
    aml_res_end(r);
    aml_name_buffer(a, "_CRS", r);
    g_byte_array_free(r, TRUE);
}

static void put_le(GByteArray *r, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint8_t b = v >> 8 * i;

        g_byte_array_append(r, &b, 1);
    }
}

/* A device with memory and, unless irq is 0, an interrupt. */
static void dsdt_device(Aml *a, const char *name, const char *hid, unsigned uid, VirtRange r, uint32_t irq, bool level)
{
    GByteArray *crs = g_byte_array_new();

    aml_device(a, name);
    aml_name_string(a, "_HID", hid);
    aml_name_int(a, "_UID", uid);
    aml_res_memory32(crs, true, r.base, r.size);
    if (irq) {
        aml_res_interrupt(crs, level, false, false, &irq, 1);
    }
    name_crs(a, crs);
}

static void dsdt_cpus(Aml *a, VirtBoard *b)
{
    for (unsigned i = 0; i < b->vm->smp.cpus; i++) {
        char name[8];

        g_snprintf(name, sizeof(name), "C%03X", i);
        aml_device(a, name);
        aml_name_string(a, "_HID", "ACPI0007");
        aml_name_int(a, "_UID", i);
        aml_end(a);
    }
}

static void dsdt_platform(Aml *a, VirtBoard *b)
{
    VirtRange flash = virt_map[VIRT_FLASH];

    dsdt_device(a, "COM0", "ARMH0011", 0, virt_map[VIRT_UART], SPI(VIRT_IRQ_UART), true);
    aml_end(a);
    flash.size /= 2;
    dsdt_device(a, "FLS0", "LNRO0015", 0, flash, 0, false);
    aml_end(a);
    flash.base += flash.size;
    dsdt_device(a, "FLS1", "LNRO0015", 1, flash, 0, false);
    aml_end(a);
    dsdt_device(a, "FWCF", "QEMU0002", 0, virt_map[VIRT_FW_CFG], 0, false);
    aml_name_int(a, "_STA", 0x0b);
    aml_name_int(a, "_CCA", 1);
    aml_end(a);
}

static void dsdt_transports(Aml *a)
{
    VirtRange r = virt_map[VIRT_MMIO];

    for (unsigned i = 0; i < VIRT_TRANSPORTS; i++, r.base += r.size) {
        char name[8];

        g_snprintf(name, sizeof(name), "VR%02u", i);
        dsdt_device(a, name, "LNRO0005", i, r, SPI(VIRT_IRQ_MMIO + i), true);
        aml_name_int(a, "_CCA", 1);
        aml_end(a);
    }
}

/* ---- host bridge ---- */

static void dsdt_links(Aml *a)
{
    for (unsigned i = 0; i < 4; i++) {
        uint32_t irq = SPI(VIRT_IRQ_PCIE + i);
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

/* Ports 0 to FFFFh of the bus lie in memory (6.4.3.5.2 with translation). */
static void res_ports(GByteArray *r, VirtRange pio)
{
    put_le(r, 0x87, 1);
    put_le(r, 23, 2);
    put_le(r, 1, 1);
    put_le(r, 0x0c, 1);
    put_le(r, 0x13, 1);                 /* entire range, translated */
    put_le(r, 0, 4);
    put_le(r, 0, 4);
    put_le(r, pio.size - 1, 4);
    put_le(r, pio.base, 4);
    put_le(r, pio.size, 4);
}

static void dsdt_bridge_crs(Aml *a, VirtBoard *b)
{
    GByteArray *crs = g_byte_array_new();
    VirtRange mem = virt_map[VIRT_PCIE_MMIO];

    aml_res_window16(crs, 2, 0, (b->ecam.size >> 20) - 1);
    aml_res_window32(crs, mem.base, mem.base + mem.size - 1);
    res_ports(crs, virt_map[VIRT_PCIE_PIO]);
    if (b->mmio64.size) {
        aml_res_window64(crs, b->mmio64.base, b->mmio64.base + b->mmio64.size - 1);
    }
    name_crs(a, crs);
}

/* What the system and the bridge agree on (PCI Firmware 3.2, 4.5.1): everything but hot plug by SHPC. */
static void dsdt_osc(Aml *a)
{
    aml_method(a, "_OSC", 4, false);
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

static void dsdt_pci(Aml *a, VirtBoard *b)
{
    aml_device(a, "PCI0");
    aml_name_string(a, "_HID", "PNP0A08");
    aml_name_string(a, "_CID", "PNP0A03");
    aml_name_int(a, "_SEG", 0);
    aml_name_int(a, "_BBN", 0);
    aml_name_int(a, "_UID", 0);
    aml_name_int(a, "_CCA", 1);
    dsdt_links(a);
    dsdt_prt(a);
    aml_method(a, "_CBA", 0, false);
    aml_byte(a, AML_RETURN);
    aml_int(a, b->ecam.base);
    aml_end(a);
    dsdt_bridge_crs(a, b);
    dsdt_osc(a);
    aml_end(a);
    /* The configuration space belongs to the board. */
    GByteArray *crs = g_byte_array_new();

    aml_device(a, "RES0");
    aml_name_string(a, "_HID", "PNP0C02");
    aml_res_window64(crs, b->ecam.base, b->ecam.base + b->ecam.size - 1);
    name_crs(a, crs);
    aml_end(a);
}

/* ---- events ---- */

static void dsdt_ged(Aml *a)
{
    VirtRange r = virt_map[VIRT_GED];
    uint32_t irq = SPI(VIRT_IRQ_GED);
    GByteArray *crs = g_byte_array_new();

    aml_device(a, "GED_");
    aml_name_string(a, "_HID", "ACPI0013");
    aml_name_string(a, "_UID", "GED");
    aml_res_interrupt(crs, false, false, false, &irq, 1);
    name_crs(a, crs);
    aml_region(a, "EREG", AML_SYSTEM_MEMORY, r.base, 4);
    aml_field(a, "EREG", DWORD_PRESERVE);
    aml_field_unit(a, "ESEL", 32);
    aml_end(a);
    aml_method(a, "_EVT", 1, true);
    aml_byte(a, AML_STORE);
    aml_path(a, "ESEL");
    aml_byte(a, AML_LOCAL0);
    aml_if(a);
    aml_byte(a, AML_LEQUAL);
    aml_byte(a, AML_AND);
    aml_byte(a, AML_LOCAL0);
    aml_int(a, GED_EVENT_POWER);
    aml_byte(a, AML_NULL);
    aml_int(a, GED_EVENT_POWER);
    aml_byte(a, AML_NOTIFY);
    aml_path(a, "\\_SB.PWRB");
    aml_int(a, 0x80);
    aml_end(a);
    aml_end(a);
    aml_end(a);
}

static void dsdt_power_button(Aml *a)
{
    aml_device(a, "PWRB");
    aml_name_string(a, "_HID", "PNP0C0C");
    aml_name_int(a, "_UID", 0);
    aml_end(a);
}

GByteArray *virt_dsdt(VirtBoard *b)
{
    Aml a;

    aml_init(&a);
    aml_scope(&a, "\\_SB");
    dsdt_cpus(&a, b);
    dsdt_platform(&a, b);
    dsdt_transports(&a);
    dsdt_pci(&a, b);
    dsdt_power_button(&a);
    if (b->ged) {
        dsdt_ged(&a);
    }
    aml_end(&a);
    return aml_steal(&a);
}
