// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ACPI tables of microvm (ACPI 6.3): hardware-reduced, with an event device for the power button
 * and sleep and reset registers in memory.
 */
#include "hw/acpi/ged.h"
#include "hw/acpi/parts.h"
#include "microvm.h"

#define TABLES_BASE 0xf0000u
#define TABLES_ROOM 0x10000u
#define LAPIC_BASE 0xfee00000u

/* Ends a device that has ports. */
static void dsdt_ports(Aml *a, uint16_t port, uint8_t len, int irq)
{
    GByteArray *r = g_byte_array_new();

    aml_res_io(r, port, len);
    if (irq >= 0) {
        aml_res_irq(r, irq);
    }
    aml_name_crs(a, r);
    aml_end(a);
}

static void dsdt_isa(Aml *a, const MicroVm *m)
{
    const GPtrArray *serials = m->machine.vm->serials;

    aml_device(a, "FWCF");
    aml_name_string(a, "_HID", "QEMU0002");
    aml_name_int(a, "_STA", 0x0b);
    dsdt_ports(a, 0x510, 12, -1);
    if (m->isa_serial && serials && serials->len && serials->pdata[0]) {
        aml_device(a, "COM1");
        aml_name_eisaid(a, "_HID", "PNP0501");
        aml_name_int(a, "_UID", 1);
        aml_name_int(a, "_STA", 0x0f);
        dsdt_ports(a, 0x3f8, 8, 4);
    }
    if (m->board->rtc) {
        aml_device(a, "RTC_");
        aml_name_eisaid(a, "_HID", "PNP0B00");
        dsdt_ports(a, 0x70, 8, 8);
    }
}

static void dsdt_xhci(Aml *a)
{
    const uint32_t line = MICROVM_XHCI_LINE;
    GByteArray *r = g_byte_array_new();

    aml_device(a, "XHCI");
    aml_name_eisaid(a, "_HID", "PNP0D10");
    aml_res_memory32(r, true, MICROVM_XHCI, MICROVM_XHCI_SIZE);
    aml_res_interrupt(r, true, false, false, &line, 1);
    aml_name_crs(a, r);
    aml_end(a);
}

static GByteArray *dsdt(const MicroVm *m)
{
    const AcpiGpex bridge = {
        .ecam = {MICROVM_ECAM, MICROVM_ECAM_SIZE},
        .mem = {MICROVM_PCI_MEM, MICROVM_PCI_MEM_SIZE},
        .mem64 = {MICROVM_PCI_MEM64, MICROVM_PCI_MEM64_SIZE},
        .first_irq = m->pci_line,
    };
    Aml a;

    aml_init(&a);
    aml_scope(&a, "\\_SB");
    dsdt_isa(&a, m);
    acpi_dsdt_power_button(&a);
    acpi_dsdt_ged(&a, MICROVM_GED, MICROVM_GED_LINE, false);
    if (m->xhci) {
        dsdt_xhci(&a);
    }
    for (unsigned i = m->num_transports; i-- > 0;) {
        if (microvm_has_device(m, i)) {
            acpi_dsdt_transport(&a, i, MICROVM_VIRTIO + i * MICROVM_VIRTIO_STRIDE,
                                MICROVM_VIRTIO_STRIDE, m->first_line + i);
        }
    }
    if (m->pci) {
        acpi_dsdt_gpex(&a, &bridge);
    }
    aml_end(&a);
    aml_name(&a, "\\_S5");
    aml_package(&a, 4);
    aml_int(&a, GED_SLEEP_S5);
    aml_int(&a, 0);
    aml_int(&a, 0);
    aml_int(&a, 0);
    aml_end(&a);
    return aml_steal(&a);
}

static void put_ioapic(AcpiTables *s, uint8_t id, uint32_t base, uint32_t first)
{
    acpi_put(s, 1 | 12 << 8, 2);
    acpi_put(s, id, 2);
    acpi_put(s, base, 4);
    acpi_put(s, first, 4);
}

/* 5.2.12; lines are pins, line 0 too. */
static void build_madt(AcpiTables *s, const MicroVm *m)
{
    uint32_t at = acpi_table_begin(s, "APIC", 1);

    acpi_put(s, LAPIC_BASE, 4);
    acpi_put(s, 1, 4);
    for (unsigned i = 0; i < m->machine.vm->smp.cpus; i++) {
        acpi_put(s, 0 | 8 << 8, 2);
        acpi_put(s, i, 1);
        acpi_put(s, i, 1);
        acpi_put(s, 1, 4);
    }
    put_ioapic(s, 0, MICROVM_IOAPIC, 0);
    if (m->second_ioapic) {
        put_ioapic(s, 1, MICROVM_IOAPIC2, MICROVM_IOAPIC_PINS);
    }
    acpi_put(s, 4 | 6 << 8, 2); /* NMI on LINT1 of all */
    acpi_put(s, 0xff, 1);
    acpi_put(s, 0, 2);
    acpi_put(s, 1, 1);
    acpi_table_end(s, at, true);
}

static void build_all(AcpiTables *s, void *opaque)
{
    const MicroVm *m = opaque;
    GByteArray *body = dsdt(m);
    uint32_t at = acpi_table_begin(s, "DSDT", 2);

    acpi_bytes(s, body->data, body->len);
    g_byte_array_free(body, TRUE);
    acpi_table_end(s, at, false);
    acpi_fadt_reduced(s, &(AcpiReduced){
                             .dsdt = at,
                             .reset = MICROVM_GED_REGS + GED_RESET,
                             .reset_value = GED_RESET_VALUE,
                             .sleep_control = MICROVM_GED_REGS + GED_SLEEP_CONTROL,
                             .sleep_status = MICROVM_GED_REGS + GED_SLEEP_STATUS,
                         });
    build_madt(s, m);
    acpi_root(s, 2);
}

bool microvm_install_acpi(MicroVm *m, uint64_t *rsdp, GError **error)
{
    *rsdp = TABLES_BASE;
    return acpi_install(build_all, m, TABLES_BASE, TABLES_ROOM, error);
}

bool microvm_publish_acpi(MicroVm *m, GError **error)
{
    return acpi_publish(m->board->fw_cfg, build_all, m, error);
}
