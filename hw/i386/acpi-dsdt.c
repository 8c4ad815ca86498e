// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The DSDT of the PC boards: host bridge with its windows and interrupt routing, link
 * devices, the ISA devices that cannot be enumerated, CPUs, sleep states.
 */
#include "acpi-internal.h"
#include "hw/acpi/aml.h"
#include "hw/acpi/cpu-hotplug.h"
#include "hw/acpi/memory-hotplug.h"
#include "hw/acpi/pci-hotplug.h"
#include "hw/acpi/pci-index.h"
#include "hw/acpi/pm.h"
#include "hw/acpi/tpm.h"
#include "hw/block/floppy.h"

#define FIELD_BYTE_PRESERVE 1
#define PCI_HOLE_END 0xfebfffffu

/* Names of link device i and of its routing register. */
static void link_name(char out[5], const char *prefix, unsigned i)
{
    memcpy(out, prefix, 3);
    out[3] = 'A' + i;
    out[4] = 0;
}

/* Link device i (PNP0C0F) over routing register PRQx of the ISA bridge. */
static void dsdt_link(Aml *a, unsigned i)
{
    static const uint32_t choices[] = {5, 10, 11};
    GByteArray *prs = g_byte_array_new(), *crs = g_byte_array_new();
    const uint32_t none = 0;
    char link[5], reg[5];

    link_name(link, "LNK", i);
    link_name(reg, "PRQ", i);
    aml_device(a, link);
    aml_name_eisaid(a, "_HID", "PNP0C0F");
    aml_name_int(a, "_UID", i);
    aml_res_interrupt(prs, true, false, true, choices, ARRAY_COUNT(choices));
    aml_res_end(prs);
    aml_name_buffer(a, "_PRS", prs);
    aml_res_interrupt(crs, true, false, true, &none, 1);
    aml_res_end(crs);
    aml_name_buffer(a, "CRSB", crs);
    g_byte_array_free(prs, TRUE);
    g_byte_array_free(crs, TRUE);

    aml_method(a, "_STA", 0, false);
    aml_if(a);
    aml_byte(a, AML_AND);
    aml_path(a, reg);
    aml_int(a, 0x80);
    aml_byte(a, AML_NULL);
    aml_byte(a, AML_RETURN);
    aml_int(a, 0x09);
    aml_end(a);
    aml_byte(a, AML_RETURN);
    aml_int(a, 0x0b);
    aml_end(a);

    aml_method(a, "_DIS", 0, false);
    aml_byte(a, AML_OR);
    aml_path(a, reg);
    aml_int(a, 0x80);
    aml_path(a, reg);
    aml_end(a);

    aml_method(a, "_CRS", 0, true);
    aml_byte(a, AML_CREATE_DWORD);
    aml_path(a, "CRSB");
    aml_int(a, 5);
    aml_path(a, "IRQN");
    aml_byte(a, AML_AND);
    aml_path(a, reg);
    aml_int(a, 0x0f);
    aml_path(a, "IRQN");
    aml_byte(a, AML_RETURN);
    aml_path(a, "CRSB");
    aml_end(a);

    aml_method(a, "_SRS", 1, true);
    aml_byte(a, AML_CREATE_DWORD);
    aml_byte(a, AML_ARG0);
    aml_int(a, 5);
    aml_path(a, "IRQN");
    aml_byte(a, AML_STORE);
    aml_path(a, "IRQN");
    aml_path(a, reg);
    aml_end(a);
    aml_end(a);
}

/* One routing package: 128 entries, slot by slot, pin by pin. */
static void dsdt_prt_rows(Aml *a, const char *name, PcBoard *b, bool apic)
{
    aml_name(a, name);
    aml_package(a, 128);
    for (unsigned slot = 0; slot < 32; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            unsigned pirq = b->pci->map_irq(b->pci, slot, pin);
            char link[] = "\\_SB.PCI0.ISA_.LNKx";

            link[sizeof(link) - 2] = 'A' + pirq;
            aml_package(a, 4);
            aml_int(a, slot << 16 | 0xffff);
            aml_int(a, pin);
            if (apic) {
                aml_int(a, 0);
                aml_int(a, 16 + pirq);
            } else {
                aml_path(a, link);
                aml_int(a, 0);
            }
            aml_end(a);
        }
    }
    aml_end(a);
}

/* PCs route to links; ICH9 with the I/O APIC in use (PICF set by _PIC) to fixed pins 16-23. */
static void dsdt_prt(Aml *a, PcBoard *b)
{
    dsdt_prt_rows(a, "PRTP", b, false);
    if (b->q35) {
        dsdt_prt_rows(a, "PRTA", b, true);
    }
    aml_method(a, "_PRT", 0, false);
    if (b->q35) {
        aml_if(a);
        aml_path(a, "\\PICF");
        aml_byte(a, AML_RETURN);
        aml_path(a, "PRTA");
        aml_end(a);
    }
    aml_byte(a, AML_RETURN);
    aml_path(a, "PRTP");
    aml_end(a);
}

static void dsdt_host_crs(Aml *a, PcBoard *b, const AcpiInfo *info)
{
    GByteArray *r = g_byte_array_new();

    aml_res_window16(r, 2, 0, 0xff);
    aml_res_io(r, 0xcf8, 8);
    aml_res_window16(r, 1, 0, 0xcf7);
    aml_res_window16(r, 1, 0xd00, 0xffff);
    aml_res_window32(r, 0xa0000, 0xbffff);
    if (info->mmcfg_base > b->low_size) {
        aml_res_window32(r, (uint32_t)b->low_size, (uint32_t)info->mmcfg_base - 1);
    }
    if (info->mmcfg_base) {
        aml_res_window32(r, (uint32_t)(info->mmcfg_base + info->mmcfg_size), PCI_HOLE_END);
    } else {
        aml_res_window32(r, (uint32_t)b->low_size, PCI_HOLE_END);
    }
    if (info->hole64_size) {
        aml_res_window64(r, info->hole64_base, info->hole64_base + info->hole64_size - 1);
    }
    aml_name_crs(a, r);
}

/* _OSC of a PCI Express host bridge (PCI Firmware 3.2, 4.5): the OS gets native control. */
static void dsdt_osc(Aml *a)
{
    aml_method(a, "_OSC", 4, true);
    aml_byte(a, AML_CREATE_DWORD);
    aml_byte(a, AML_ARG0 + 3);
    aml_int(a, 8);
    aml_path(a, "CTRL");
    aml_byte(a, AML_AND);
    aml_path(a, "CTRL");
    aml_int(a, 0x1f);
    aml_path(a, "CTRL");
    aml_byte(a, AML_RETURN);
    aml_byte(a, AML_ARG0 + 3);
    aml_end(a);
}

static void isa_device(Aml *a, const char *name, const char *hid, unsigned uid, unsigned port,
                       unsigned len, unsigned port2, int irq)
{
    GByteArray *r = g_byte_array_new();

    aml_device(a, name);
    aml_name_eisaid(a, "_HID", hid);
    if (uid) {
        aml_name_int(a, "_UID", uid);
    }
    aml_name_int(a, "_STA", 0x0f);
    if (len) {
        aml_res_io(r, port, len);
    }
    if (port2) {
        aml_res_io(r, port2, 1);
    }
    if (irq >= 0) {
        aml_res_irq(r, irq);
    }
    aml_name_crs(a, r);
    aml_end(a);
}

/* A drive (ACPI 6.3, 9.9.2): type and geometry as INT 13h tells them, then the usual timings. */
static void dsdt_floppy_drive(Aml *a, unsigned drive, uint8_t cmos_type)
{
    static const uint8_t sectors[] = {0, 9, 15, 9, 18, 36};
    static const uint8_t timings[] = {0xaf, 0x02, 0x25, 0x02, 0x12, 0x1b,
                                      0xff, 0x6c, 0xf6, 0x0f, 0x08};
    uint8_t type = cmos_type < ARRAY_COUNT(sectors) ? cmos_type : 4;
    char name[] = "FLPA";

    name[3] = (char)('A' + drive);
    aml_device(a, name);
    aml_name_int(a, "_ADR", drive);
    aml_name(a, "_FDI");
    aml_package(a, 16);
    aml_int(a, drive);
    aml_int(a, type);
    aml_int(a, type == 1 ? 39 : 79);
    aml_int(a, sectors[type]);
    aml_int(a, 1);
    for (unsigned i = 0; i < ARRAY_COUNT(timings); i++) {
        aml_int(a, timings[i]);
    }
    aml_end(a);
    aml_end(a);
}

static void dsdt_floppy(Aml *a, uint8_t types)
{
    GByteArray *r = g_byte_array_new(), *present = g_byte_array_new();
    const uint8_t drives[20] = {[0] = types >> 4 != 0, [4] = (types & 15) != 0, [16] = 2};

    aml_device(a, "FDC0");
    aml_name_eisaid(a, "_HID", "PNP0700");
    aml_name_int(a, "_STA", 0x0f);
    aml_res_io(r, 0x3f2, 4);
    aml_res_io(r, 0x3f7, 1);
    aml_res_irq(r, 6);
    aml_res_dma(r, 2);
    aml_name_crs(a, r);
    g_byte_array_append(present, drives, sizeof(drives));
    aml_name_buffer(a, "_FDE", present);
    g_byte_array_free(present, TRUE);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t type = i ? types & 15 : types >> 4;

        if (type) {
            dsdt_floppy_drive(a, i, type);
        }
    }
    aml_end(a);
}

/* Linux finds the port of pvpanic by this device alone. */
static void dsdt_pvpanic(Aml *a, Device *panic)
{
    GByteArray *r = g_byte_array_new();
    uint16_t port = device_region(panic, "io")->addr;

    aml_device(a, "PEVT");
    aml_name_string(a, "_HID", "QEMU0001");
    aml_name_int(a, "_STA", 0x0f);
    aml_res_io(r, port, 1);
    aml_name_crs(a, r);
    aml_region(a, "PEOR", AML_SYSTEM_IO, port, 1);
    aml_field(a, "PEOR", FIELD_BYTE_PRESERVE);
    aml_field_unit(a, "PEPT", 8);
    aml_end(a);
    aml_end(a);
}

/* The first two at their usual places: nothing says where the others are. */
static void dsdt_parallel(Aml *a, Device *d)
{
    static const uint16_t ports[] = {0x378, 0x278};
    static const char *const names[] = {"LPT1", "LPT2"};
    uint64_t base = device_region(d, "io")->addr;

    for (unsigned i = 0; i < ARRAY_COUNT(ports); i++) {
        if (base == ports[i]) {
            isa_device(a, names[i], "PNP0400", i + 1, ports[i], 8, 0, 7);
        }
    }
}

static void dsdt_isa(Aml *a, PcBoard *b)
{
    aml_device(a, "ISA_");
    aml_name_int(a, "_ADR", b->q35 ? 0x001f0000 : 0x00010000);
    aml_region(a, "PIRQ", AML_PCI_CONFIG, 0x60, b->q35 ? 12 : 4);
    aml_field(a, "PIRQ", FIELD_BYTE_PRESERVE);
    for (unsigned i = 0; i < (b->q35 ? 8 : 4); i++) {
        char reg[5];

        if (i == 4) {
            aml_field_unit(a, NULL, 32);
        }
        link_name(reg, "PRQ", i);
        aml_field_unit(a, reg, 8);
    }
    aml_end(a);
    for (unsigned i = 0; i < (b->q35 ? 8 : 4); i++) {
        dsdt_link(a, i);
    }
    isa_device(a, "RTC_", "PNP0B00", 0, 0x70, 8, 0, 8);
    isa_device(a, "KBD_", "PNP0303", 0, 0x60, 1, 0x64, 1);
    isa_device(a, "MOU_", "PNP0F13", 0, 0, 0, 0, 12);
    for (unsigned i = 0; b->vm->serials && i < MIN(b->vm->serials->len, 2); i++) {
        if (g_ptr_array_index(b->vm->serials, i)) {
            isa_device(a, i ? "COM2" : "COM1", "PNP0501", i + 1, i ? 0x2f8 : 0x3f8, 8, 0,
                       i ? 3 : 4);
        }
    }
    if (fdc_find(b->isa)) {
        dsdt_floppy(a, fdc_cmos_types(fdc_find(b->isa)));
    }
    for (guint i = 0; i < b->isa->devices->len; i++) {
        Device *d = b->isa->devices->pdata[i];

        if (!strcmp(d->obj.type->name, "pvpanic")) {
            dsdt_pvpanic(a, d);
        } else if (!strcmp(d->obj.type->name, "isa-parallel")) {
            dsdt_parallel(a, d);
        }
    }
    aml_end(a);
}

static void dsdt_hpet(Aml *a)
{
    GByteArray *r = g_byte_array_new();

    aml_device(a, "HPET");
    aml_name_eisaid(a, "_HID", "PNP0103");
    aml_name_int(a, "_UID", 0);
    aml_name_int(a, "_STA", 0x0f);
    aml_res_memory32(r, false, 0xfed00000, 0x400);
    aml_name_crs(a, r);
    aml_end(a);
}

/* The ECAM window must be reserved by a motherboard device (PCI Firmware 3.2, 4.1.2). */
static void dsdt_ecam(Aml *a, const AcpiInfo *info)
{
    GByteArray *r = g_byte_array_new();

    aml_device(a, "DRAC");
    aml_name_eisaid(a, "_HID", "PNP0C01");
    aml_res_memory32(r, true, (uint32_t)info->mmcfg_base, (uint32_t)info->mmcfg_size);
    aml_name_crs(a, r);
    aml_end(a);
}

static void dsdt_host(Aml *a, PcBoard *b, const AcpiInfo *info)
{
    aml_device(a, "PCI0");
    aml_name_eisaid(a, "_HID", b->q35 ? "PNP0A08" : "PNP0A03");
    if (b->q35) {
        aml_name_eisaid(a, "_CID", "PNP0A03");
    }
    aml_name_int(a, "_ADR", 0);
    aml_name_int(a, "_UID", 0);
    aml_name_int(a, "_BBN", 0);
    dsdt_host_crs(a, b, info);
    dsdt_isa(a, b);
    dsdt_prt(a, b);
    if (b->q35) {
        dsdt_osc(a);
    }
    if (b->pci_hotplug) {
        acpi_pcihp_dsdt(a, b->pci_hotplug);
    } else {
        acpi_pci_index_dsdt(a, b->pci);
    }
    aml_end(a);
}

static void dsdt_sleep(Aml *a, const AcpiPm *p)
{
    const struct {
        const char *name;
        uint8_t type, disabled;
    } states[] = {
        {"\\_S3", 1, p->disable_s3},
        {"\\_S4", p->s4_val, p->disable_s4},
        {"\\_S5", 0, 0},
    };

    for (unsigned i = 0; i < ARRAY_COUNT(states); i++) {
        if (states[i].disabled) {
            continue;
        }
        aml_name(a, states[i].name);
        aml_package(a, 4);
        aml_int(a, states[i].type);
        aml_int(a, states[i].type);
        aml_int(a, 0);
        aml_int(a, 0);
        aml_end(a);
    }
}

static void dsdt_memory_event(Aml *a)
{
    aml_method(a, "_E03", 0, false);
    aml_path(a, "\\_SB.MHPC.MSCN");
    aml_end(a);
}

GByteArray *acpi_dsdt(PcBoard *b, const AcpiInfo *info)
{
    Aml a;

    aml_init(&a);
    aml_name_int(&a, "\\PICF", 0);
    aml_method(&a, "\\_PIC", 1, false);
    aml_byte(&a, AML_STORE);
    aml_byte(&a, AML_ARG0);
    aml_path(&a, "\\PICF");
    aml_end(&a);
    aml_scope(&a, "\\_SB");
    dsdt_host(&a, b, info);
    if (b->hpet) {
        dsdt_hpet(&a);
    }
    if (info->mmcfg_base) {
        dsdt_ecam(&a, info);
    }
    acpi_cpus_dsdt(&a, b->vm, b->q35 ? ACPI_CPU_PORT_Q35 : ACPI_CPU_PORT_PC);
    if (b->vm->ram_slots) {
        acpi_memory_dsdt(&a, b->vm, AML_SYSTEM_IO, ACPI_MEMORY_PORT);
    }
    if (tpm_of(b->vm)) {
        acpi_dsdt_tpm(&a, tpm_of(b->vm));
    }
    aml_end(&a);
    aml_scope(&a, "\\_GPE");
    aml_name_string(&a, "_HID", "ACPI0006");
    if (b->pci_hotplug) {
        acpi_pcihp_dsdt_event(&a);
    }
    acpi_cpus_dsdt_event(&a);
    if (b->vm->ram_slots) {
        dsdt_memory_event(&a);
    }
    aml_end(&a);
    dsdt_sleep(&a, b->acpi_pm);
    return aml_steal(&a);
}
