// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ACPI tables of the PC boards (ACPI 6.3; MCFG: PCI Firmware 3.2; HPET 1.0a). They are built when
 * firmware first reads them: by then it has programmed the PM base and the ECAM window.
 */
#include "acpi-internal.h"
#include "exec/x86-apic.h"
#include "hw/acpi/aml.h"
#include "hw/acpi/cpu-hotplug.h"
#include "hw/acpi/numa.h"
#include "hw/acpi/nvdimm.h"
#include "hw/acpi/pci-hotplug.h"
#include "hw/acpi/tables.h"
#include "hw/acpi/tpm.h"
#include "hw/acpi/vmgenid.h"
#include "hw/mem/memory-device.h"

/* Table 5.34, revision 3. */
static void build_fadt(AcpiTables *s, PcBoard *b, uint32_t facs, uint32_t dsdt)
{
    uint32_t pm = b->pm_base ? b->pm_base : 0x600;
    uint32_t gpe = b->q35 ? pm + 0x20 : 0xafe0;
    uint8_t gpe_len = b->q35 ? 16 : 4;
    uint32_t at = acpi_table_begin(s, "FACP", 3);

    acpi_pointer(s, facs, 4);
    acpi_pointer(s, dsdt, 4);
    acpi_put(s, 0, 1);
    acpi_put(s, 0, 1);                       /* profile: unspecified */
    acpi_put(s, 9, 2);                       /* SCI */
    acpi_put(s, 0xb2, 4);                    /* SMI command port */
    acpi_put(s, b->q35 ? 2 : 0xf1, 1);
    acpi_put(s, b->q35 ? 3 : 0xf0, 1);
    acpi_put(s, 0, 2);
    acpi_put(s, pm, 4);
    acpi_put(s, 0, 4);
    acpi_put(s, pm + 4, 4);
    acpi_put(s, 0, 4);
    acpi_put(s, 0, 4);
    acpi_put(s, pm + 8, 4);
    acpi_put(s, gpe, 4);
    acpi_put(s, 0, 4);
    acpi_put(s, 4, 1);
    acpi_put(s, 2, 1);
    acpi_put(s, 0, 1);
    acpi_put(s, 4, 1);
    acpi_put(s, gpe_len, 1);
    acpi_put(s, 0, 3);
    acpi_put(s, 0xfff, 2);                   /* no C2, no C3 */
    acpi_put(s, 0xfff, 2);
    acpi_zero(s, 8);                     /* flush, duty cycle, alarms */
    acpi_put(s, 0x32, 1);                    /* century in CMOS */
    acpi_put(s, b->q35 ? 3 : 2, 2);          /* 8042, legacy devices */
    acpi_put(s, 0, 1);
    /* WBINVD, C1, sleep button is a control method (none), reset register. */
    acpi_put(s, 1u << 0 | 1u << 2 | 1u << 5 | 1u << 10, 4);
    acpi_gas(s, 1, 8, 0, 0xcf9);
    acpi_put(s, 0x0f, 1);
    acpi_zero(s, 3);
    acpi_zero(s, 16);
    acpi_gas(s, 1, 32, 0, pm);
    acpi_zero(s, 12);
    acpi_gas(s, 1, 16, 0, pm + 4);
    acpi_zero(s, 12);
    acpi_zero(s, 12);
    acpi_gas(s, 1, 32, 0, pm + 8);
    acpi_gas(s, 1, gpe_len * 8, 0, gpe);
    acpi_zero(s, 12);
    acpi_table_end(s, at, true);
}

/* Table 5.43 and its structures. */
static void build_madt(AcpiTables *s, PcBoard *b)
{
    static const uint8_t level_lines[] = { 5, 9, 10, 11 };
    g_autoptr(GByteArray) cpus = g_byte_array_new();
    uint32_t at = acpi_table_begin(s, "APIC", 1);

    acpi_put(s, 0xfee00000, 4);
    acpi_put(s, 1, 4);
    for (unsigned i = 0; i < MAX(b->vm->smp.max_cpus, b->vm->smp.cpus); i++) {
        acpi_madt_cpu(cpus, b->vm, i, cpu_by_index(b->vm, i) != NULL);
    }
    for (unsigned i = 0; i < cpus->len; i++) {
        acpi_put(s, cpus->data[i], 1);
    }
    acpi_put(s, 1 | 12 << 8, 2);
    acpi_put(s, 0, 2);
    acpi_put(s, 0xfec00000, 4);
    acpi_put(s, 0, 4);
    acpi_put(s, 2 | 10 << 8, 2);             /* timer: line 0 is pin 2 */
    acpi_put(s, 0, 2);
    acpi_put(s, 2, 4);
    acpi_put(s, 0, 2);
    for (unsigned i = 0; i < ARRAY_COUNT(level_lines); i++) {
        acpi_put(s, 2 | 10 << 8, 2);
        acpi_put(s, 0, 1);
        acpi_put(s, level_lines[i], 1);
        acpi_put(s, level_lines[i], 4);
        acpi_put(s, 0x0d, 2);                /* active high, level */
    }
    acpi_put(s, 4 | 6 << 8, 2);              /* NMI on LINT1 of all */
    acpi_put(s, 0xff, 1);
    acpi_put(s, 0, 2);
    acpi_put(s, 1, 1);
    acpi_table_end(s, at, true);
}

static void build_hpet(AcpiTables *s)
{
    uint32_t at = acpi_table_begin(s, "HPET", 1);

    acpi_put(s, 0x8086a201, 4);
    acpi_gas(s, 0, 0, 0, 0xfed00000);
    acpi_put(s, 0, 1);
    acpi_put(s, 0, 2);
    acpi_put(s, 0, 1);
    acpi_table_end(s, at, true);
}

static void build_mcfg(AcpiTables *s, const AcpiInfo *info)
{
    uint32_t at = acpi_table_begin(s, "MCFG", 1);

    acpi_zero(s, 8);
    acpi_put(s, info->mmcfg_base, 8);
    acpi_put(s, 0, 2);
    acpi_put(s, 0, 1);
    acpi_put(s, (info->mmcfg_size >> 20) - 1, 1);
    acpi_put(s, 0, 4);
    acpi_table_end(s, at, true);
}

/* ACPI 6.4, 5.2.35: the functions of bus 0 are behind the virtio IOMMU, when there is one. */
static void build_viot(AcpiTables *s, const PcBoard *b)
{
    for (guint i = 0; b->pci && i < b->pci->bus.devices->len; i++) {
        const PciDevice *d = b->pci->bus.devices->pdata[i];

        if (!g_str_has_prefix(d->dev.obj.type->name, "virtio-iommu-pci")) {
            continue;
        }
        uint32_t at = acpi_table_begin(s, "VIOT", 0);

        acpi_put(s, 2, 2); /* nodes, from here on */
        acpi_put(s, 48, 2);
        acpi_zero(s, 8);
        acpi_put(s, 3, 2); /* the IOMMU: segment 0, its function */
        acpi_put(s, 16, 2);
        acpi_put(s, 0, 2);
        acpi_put(s, d->devfn, 2);
        acpi_zero(s, 8);
        acpi_put(s, 1, 2); /* endpoints 0 to 255: the functions of bus 0, by the node at 48 */
        acpi_put(s, 24, 2);
        acpi_put(s, 0, 4);
        acpi_put(s, 0, 4);
        acpi_put(s, 0, 2);
        acpi_put(s, 0xff, 2);
        acpi_put(s, 48, 2);
        acpi_zero(s, 6);
        acpi_table_end(s, at, true);
        return;
    }
}

/* VT-d 3.4, chapter 8: one unit for all of PCI, and for the I/O APIC. */
static void build_dmar(AcpiTables *s, const PcIommu *u)
{
    uint32_t at = acpi_table_begin(s, "DMAR", 1);

    acpi_put(s, u->address_bits - 1, 1);
    acpi_put(s, u->remaps, 1);
    acpi_zero(s, 10);
    acpi_put(s, 0, 2);
    acpi_put(s, 16 + 8, 2);
    acpi_put(s, 1, 1);                       /* INCLUDE_PCI_ALL */
    acpi_put(s, 0, 1);
    acpi_put(s, 0, 2);
    acpi_put(s, u->base, 8);
    acpi_put(s, 3, 1);                       /* the I/O APIC */
    acpi_put(s, 8, 1);
    acpi_put(s, 0, 3);
    acpi_put(s, X86_IOAPIC_SOURCE >> 8, 1);
    acpi_put(s, X86_IOAPIC_SOURCE & 0xff, 2);
    if (u->device_tlb) {
        acpi_put(s, 2, 2);                   /* ATSR, all ports */
        acpi_put(s, 8, 2);
        acpi_put(s, 1, 4);
    }
    acpi_table_end(s, at, true);
}

/*
 * AMD 48882, 5.2: one unit for the functions that there may be on bus 0 and for all other buses,
 * and for the I/O APIC, which drivers know by its requester.
 */
static void build_ivrs(AcpiTables *s, const PcBoard *b)
{
    uint32_t at = acpi_table_begin(s, "IVRS", 1);

    acpi_put(s, 40 << 8, 4);                 /* bits of physical addresses */
    acpi_zero(s, 8);
    uint32_t block = s->tables->len;

    acpi_put(s, 0x10, 1);
    acpi_put(s, 0xd1, 1);                    /* what it can do */
    acpi_put(s, 0, 2);                       /* the block's length, below */
    acpi_put(s, b->iommu.function, 2);
    acpi_put(s, 0x40, 2);
    acpi_put(s, b->iommu.base, 8);
    acpi_put(s, 0, 4);
    acpi_put(s, 0x44, 4);                    /* guest translation, wide interrupt entries */
    acpi_put(s, 3, 4);                       /* from function 0 */
    acpi_put(s, 4 | 0xffff << 8, 4);         /* to the last one */
    acpi_put(s, 0x48, 4);
    acpi_put(s, 0 | X86_AMD_IOAPIC_SOURCE << 8 | 1 << 24, 4);
    s->tables->data[block + 2] = (uint8_t)(s->tables->len - block);
    acpi_table_end(s, at, true);
}

static uint32_t build_facs(AcpiTables *s)
{
    acpi_zero(s, -s->tables->len & 63);
    uint32_t at = s->tables->len;

    acpi_bytes(s, "FACS", 4);
    acpi_put(s, 64, 4);
    acpi_zero(s, 56);
    return at;
}

static uint32_t build_dsdt(AcpiTables *s, PcBoard *b, const AcpiInfo *info)
{
    GByteArray *body = acpi_dsdt(b, info);
    uint32_t at = acpi_table_begin(s, "DSDT", 1);

    acpi_bytes(s, body->data, body->len);
    g_byte_array_free(body, TRUE);
    acpi_table_end(s, at, false);
    return at;
}

static void build_all(AcpiTables *s, void *opaque)
{
    PcBoard *b = opaque;
    AcpiInfo info = {
        .mmcfg_base = b->mmcfg_base, .mmcfg_size = b->mmcfg_size,
        .hole64_base = device_memory_end(b->vm, 4 * GIB + b->high_size), .hole64_size = 32 * GIB,
    };
    uint32_t facs = build_facs(s);
    uint32_t dsdt = build_dsdt(s, b, &info);

    build_fadt(s, b, facs, dsdt);
    build_madt(s, b);
    if (b->hpet) {
        build_hpet(s);
    }
    if (info.mmcfg_base) {
        build_mcfg(s, &info);
    }
    acpi_build_srat(s, b);
    acpi_build_slit(s, b->vm);
    acpi_build_hmat(s, b->vm);
    build_viot(s, b);
    if (b->iommu.kind == PC_IOMMU_INTEL) {
        build_dmar(s, &b->iommu);
    } else if (b->iommu.kind == PC_IOMMU_AMD) {
        build_ivrs(s, b);
    }
    if (tpm_of(b->vm)) {
        acpi_build_tpm2(s, tpm_of(b->vm));
    }
    acpi_build_nvdimm(s, b->vm, AML_SYSTEM_IO, ACPI_NVDIMM_PORT, true);
    vmgenid_build(s, b->vm);
    acpi_root(s, 0);
}

bool acpi_build(PcBoard *b, GError **error)
{
    if (b->pci_hotplug) {
        acpi_pcihp_find_buses(b->pci_hotplug);
    }
    vmgenid_publish(b->vm, b->fw_cfg);
    acpi_nvdimm_publish(b->vm, b->fw_cfg);
    if (tpm_of(b->vm)) {
        tpm_publish(tpm_of(b->vm), b->fw_cfg);
    }
    return acpi_publish(b->fw_cfg, build_all, b, error);
}
