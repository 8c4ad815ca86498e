// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The DSDT of the board virt: processors, UART, flash, fw_cfg, virtio transports, host bridge with
 * windows and interrupt links, GPIO, event device, power button.
 */
#include "hw/acpi/memory-hotplug.h"
#include "hw/acpi/parts.h"
#include "hw/arm/virt-acpi.h"

#define SPI(n) ((n) + 32u)

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

static void dsdt_device(Aml *a, const char *name, const char *hid, unsigned uid, VirtRange r,
                        uint32_t irq)
{
    acpi_dsdt_device(a, name, hid, uid, r.base, r.size, irq, true);
}

static void dsdt_platform(Aml *a, VirtBoard *b)
{
    VirtRange flash = virt_map[VIRT_FLASH];

    dsdt_device(a, "COM0", "ARMH0011", 0, virt_map[VIRT_UART], SPI(VIRT_IRQ_UART));
    aml_end(a);
    flash.size /= 2;
    dsdt_device(a, "FLS0", "LNRO0015", 0, flash, 0);
    aml_end(a);
    flash.base += flash.size;
    dsdt_device(a, "FLS1", "LNRO0015", 1, flash, 0);
    aml_end(a);
    dsdt_device(a, "FWCF", "QEMU0002", 0, virt_map[VIRT_FW_CFG], 0);
    aml_name_int(a, "_STA", 0x0b);
    aml_name_int(a, "_CCA", 1);
    aml_end(a);
}

static void dsdt_transports(Aml *a)
{
    VirtRange r = virt_map[VIRT_MMIO];

    for (unsigned i = 0; i < VIRT_TRANSPORTS; i++) {
        acpi_dsdt_transport(a, i, r.base + i * r.size, r.size, SPI(VIRT_IRQ_MMIO + i));
    }
}

static void dsdt_pci(Aml *a, VirtBoard *b)
{
    const VirtRange mem = virt_map[VIRT_PCIE_MMIO], ports = virt_map[VIRT_PCIE_PIO];
    const AcpiGpex bridge = {
        .ecam = {b->ecam.base, b->ecam.size},
        .mem = {mem.base, mem.size},
        .ports = {ports.base, ports.size},
        .mem64 = {b->mmio64.base, b->mmio64.size},
        .first_irq = SPI(VIRT_IRQ_PCIE),
    };

    acpi_dsdt_gpex(a, &bridge);
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
    acpi_dsdt_power_button(&a);
    if (b->ged) {
        if (b->vm->ram_slots) {
            acpi_memory_dsdt(&a, b->vm, AML_SYSTEM_MEMORY, virt_map[VIRT_MEMORY_SLOTS].base);
        }
        acpi_dsdt_ged(&a, virt_map[VIRT_GED].base, SPI(VIRT_IRQ_GED), b->vm->ram_slots != 0);
    }
    aml_end(&a);
    return aml_steal(&a);
}
