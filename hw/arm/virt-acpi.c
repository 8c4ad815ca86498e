// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ACPI tables of the board virt (ACPI 6.3; IORT: ARM DEN 0049D; SPCR 2; MCFG: PCI Firmware 3.2):
 * hardware-reduced, with PSCI and the GIC in the MADT.
 */
#include "hw/arm/virt-acpi.h"
#include "exec/arm-cpu.h"
#include "exec/numa.h"
#include "hw/acpi/ghes.h"
#include "hw/acpi/numa.h"
#include "hw/acpi/nvdimm.h"
#include "hw/acpi/parts.h"

#define SPI(n) ((n) + 32u)
enum {
    TIMER_LEVEL = 0,
    TIMER_ALWAYS_ON = 4
};
enum {
    MADT_GICC = 11,
    MADT_GICD = 12,
    MADT_MSI_FRAME = 13,
    MADT_GICR = 14,
    MADT_ITS = 15
};
enum {
    SRAT_GICC = 3
};
enum {
    IORT_ITS_GROUP = 0,
    IORT_ROOT_COMPLEX = 2,
    IORT_SMMU3 = 4
};

static void build_fadt(AcpiTables *s, VirtBoard *b, uint32_t dsdt)
{
    uint16_t psci = b->psci_conduit == PSCI_DISABLED ? 0 : b->psci_conduit == PSCI_HVC ? 3 : 1;

    acpi_fadt_reduced(s, &(AcpiReduced){.dsdt = dsdt, .arm_flags = psci});
}

static void put_gicc(AcpiTables *s, VirtBoard *b, unsigned i)
{
    bool v2 = b->gic_version == 2;

    acpi_put(s, MADT_GICC, 1);
    acpi_put(s, 80, 1);
    acpi_put(s, 0, 2);
    acpi_put(s, i, 4); /* interface number */
    acpi_put(s, i, 4); /* UID */
    acpi_put(s, 1, 4); /* enabled */
    acpi_put(s, 0, 4);
    acpi_put(s, b->has_pmu ? VIRT_PPI_PMU : 0, 4);
    acpi_put(s, 0, 8);
    acpi_put(s, v2 ? virt_map[VIRT_GIC_CPU].base : 0, 8);
    acpi_put(s, v2 && b->machine->virtualization ? virt_map[VIRT_GIC_VCPU].base : 0, 8);
    acpi_put(s, v2 && b->machine->virtualization ? virt_map[VIRT_GIC_HYP].base : 0, 8);
    acpi_put(s, b->machine->virtualization ? VIRT_PPI_MAINTENANCE : 0, 4);
    acpi_put(s, 0, 8);
    acpi_put(s, virt_affinity(b, i), 8);
    acpi_put(s, 0, 1);
    acpi_zero(s, 3);
}

static void put_gicr(AcpiTables *s, VirtRange r)
{
    acpi_put(s, MADT_GICR, 1);
    acpi_put(s, 16, 1);
    acpi_zero(s, 2);
    acpi_put(s, r.base, 8);
    acpi_put(s, r.size, 4);
}

static void put_msi(AcpiTables *s, VirtBoard *b)
{
    if (b->msi == VIRT_MSI_ITS) {
        acpi_put(s, MADT_ITS, 1);
        acpi_put(s, 20, 1);
        acpi_zero(s, 2);
        acpi_put(s, 0, 4);
        acpi_put(s, virt_map[VIRT_GIC_ITS].base, 8);
        acpi_zero(s, 4);
    } else if (b->msi == VIRT_MSI_V2M) {
        acpi_put(s, MADT_MSI_FRAME, 1);
        acpi_put(s, 24, 1);
        acpi_zero(s, 2);
        acpi_put(s, 0, 4);
        acpi_put(s, virt_map[VIRT_GIC_V2M].base, 8);
        acpi_put(s, 1, 4); /* count and base below, not in the frame */
        acpi_put(s, VIRT_V2M_IRQS, 2);
        acpi_put(s, SPI(VIRT_IRQ_V2M), 2);
    }
}

/* 5.2.12 */
static void build_madt(AcpiTables *s, VirtBoard *b)
{
    uint32_t at = acpi_table_begin(s, "APIC", 4);

    acpi_zero(s, 8);
    acpi_put(s, MADT_GICD, 1);
    acpi_put(s, 24, 1);
    acpi_zero(s, 2);
    acpi_put(s, 0, 4);
    acpi_put(s, virt_map[VIRT_GIC_DIST].base, 8);
    acpi_put(s, 0, 4);
    acpi_put(s, b->gic_version, 1);
    acpi_zero(s, 3);
    for (unsigned i = 0; i < b->vm->smp.cpus; i++) {
        put_gicc(s, b, i);
    }
    if (b->gic_version == 3) {
        put_gicr(s, virt_map[VIRT_GIC_REDIST]);
        if (b->high_redist.size) {
            put_gicr(s, b->high_redist);
        }
    }
    put_msi(s, b);
    acpi_table_end(s, at, true);
}

/* 5.2.24 */
static void build_gtdt(AcpiTables *s)
{
    static const struct {
        uint32_t ppi, flags;
    } timers[] = {
        {VIRT_PPI_SEC, TIMER_LEVEL},
        {VIRT_PPI_PHYS, TIMER_LEVEL | TIMER_ALWAYS_ON},
        {VIRT_PPI_VIRT, TIMER_LEVEL},
        {VIRT_PPI_HYP, TIMER_LEVEL},
    };
    uint32_t at = acpi_table_begin(s, "GTDT", 2);

    acpi_put(s, UINT64_MAX, 8);
    acpi_put(s, 0, 4);
    for (unsigned i = 0; i < ARRAY_COUNT(timers); i++) {
        acpi_put(s, timers[i].ppi, 4);
        acpi_put(s, timers[i].flags, 4);
    }
    acpi_put(s, UINT64_MAX, 8);
    acpi_put(s, 0, 4);
    acpi_put(s, 0, 4);
    acpi_table_end(s, at, true);
}

/* 5.2.16: GICC affinity of CPUs, and the parts of memory. */
static void put_srat_memory(unsigned node, uint64_t offset, uint64_t size, void *opaque)
{
    acpi_srat_memory(opaque, node, virt_map[VIRT_MEM].base + offset, size, SRAT_ENABLED);
}

static void build_srat(AcpiTables *s, Vm *vm)
{
    if (numa_count(vm) == 0) {
        return;
    }
    uint32_t at = acpi_srat_begin(s, 3);

    for (unsigned i = 0; i < vm->smp.cpus; i++) {
        acpi_put(s, SRAT_GICC, 1);
        acpi_put(s, 18, 1);
        acpi_put(s, (uint32_t)numa_cpu_node(vm, i), 4);
        acpi_put(s, i, 4);
        acpi_put(s, SRAT_ENABLED, 4);
        acpi_zero(s, 4);
    }
    numa_foreach_ram(vm, put_srat_memory, s);
    acpi_srat_devices(s, vm);
    acpi_table_end(s, at, true);
}

static void build_mcfg(AcpiTables *s, VirtBoard *b)
{
    uint32_t at = acpi_table_begin(s, "MCFG", 1);

    acpi_zero(s, 8);
    acpi_put(s, b->ecam.base, 8);
    acpi_put(s, 0, 2);
    acpi_put(s, 0, 1);
    acpi_put(s, (b->ecam.size >> 20) - 1, 1);
    acpi_zero(s, 4);
    acpi_table_end(s, at, true);
}

static void build_spcr(AcpiTables *s)
{
    uint32_t at = acpi_table_begin(s, "SPCR", 2);

    acpi_put(s, 3, 1); /* PL011 */
    acpi_zero(s, 3);
    acpi_gas(s, 0, 32, 3, virt_map[VIRT_UART].base);
    acpi_put(s, 8, 1); /* interrupt of a GIC */
    acpi_put(s, 0, 1);
    acpi_put(s, SPI(VIRT_IRQ_UART), 4);
    acpi_put(s, 3, 1); /* 9600 baud */
    acpi_put(s, 0, 1);
    acpi_put(s, 1, 1); /* one stop bit */
    acpi_put(s, 2, 1); /* RTS/CTS */
    acpi_put(s, 0, 1); /* VT100 */
    acpi_put(s, 0, 1);
    acpi_put(s, 0xffff, 2); /* not on PCI */
    acpi_put(s, 0xffff, 2);
    acpi_zero(s, 3 + 4 + 1 + 4);
    acpi_table_end(s, at, true);
}

/* ---- IORT: PCI functions, SMMU and ITS ---- */

static void iort_mapping(AcpiTables *s, uint32_t reference)
{
    acpi_put(s, 0, 4);
    acpi_put(s, 0xffff, 4);
    acpi_put(s, 0, 4);
    acpi_put(s, reference, 4);
    acpi_put(s, 0, 4);
}

static void iort_smmu(AcpiTables *s, uint32_t its)
{
    acpi_put(s, IORT_SMMU3, 1);
    acpi_put(s, 68 + 20, 2);
    acpi_put(s, 0, 1);
    acpi_put(s, 0, 4);
    acpi_put(s, 1, 4);
    acpi_put(s, 68, 4);
    acpi_put(s, virt_map[VIRT_SMMU].base, 8);
    acpi_put(s, 1, 4); /* COHACC override */
    acpi_zero(s, 4 + 8 + 4);
    for (unsigned i = 0; i < 4; i++) {
        acpi_put(s, SPI(VIRT_IRQ_SMMU) + (i == 3 ? 2 : i == 2 ? 3 : i), 4);
    }
    acpi_zero(s, 4 + 4);
    iort_mapping(s, its);
}

static void build_iort(AcpiTables *s, VirtBoard *b)
{
    uint32_t at = acpi_table_begin(s, "IORT", 0);
    uint32_t its = 48, smmu = its + 24, root = b->smmu ? smmu + 88 : smmu;

    acpi_put(s, b->smmu ? 3 : 2, 4);
    acpi_put(s, its, 4);
    acpi_put(s, 0, 4);
    acpi_put(s, IORT_ITS_GROUP, 1);
    acpi_put(s, 24, 2);
    acpi_put(s, 0, 1);
    acpi_zero(s, 12);
    acpi_put(s, 1, 4);
    acpi_put(s, 0, 4); /* MADT's ITS 0 */
    if (b->smmu) {
        iort_smmu(s, its);
    }
    g_assert(s->tables->len - at == root);
    acpi_put(s, IORT_ROOT_COMPLEX, 1);
    acpi_put(s, 36 + 20, 2);
    acpi_put(s, 0, 1);
    acpi_put(s, 0, 4);
    acpi_put(s, 1, 4);
    acpi_put(s, 36, 4);
    acpi_put(s, 1, 4); /* fully coherent */
    acpi_put(s, 0, 1);
    acpi_put(s, 0, 2);
    acpi_put(s, 3, 1);
    acpi_put(s, 0, 4);
    acpi_put(s, 0, 4);
    acpi_put(s, 64, 1);
    acpi_zero(s, 3);
    iort_mapping(s, b->smmu ? smmu : its);
    acpi_table_end(s, at, true);
}

static void build_all(AcpiTables *s, void *opaque)
{
    VirtBoard *b = opaque;
    GByteArray *body = virt_dsdt(b);
    uint32_t dsdt = acpi_table_begin(s, "DSDT", 2);

    acpi_bytes(s, body->data, body->len);
    g_byte_array_free(body, TRUE);
    acpi_table_end(s, dsdt, false);
    build_fadt(s, b, dsdt);
    build_madt(s, b);
    build_gtdt(s);
    build_mcfg(s, b);
    build_spcr(s);
    if (b->machine->ras) {
        acpi_build_hest(s);
    }
    build_srat(s, b->vm);
    acpi_build_slit(s, b->vm);
    acpi_build_hmat(s, b->vm);
    acpi_build_nvdimm(s, b->vm, AML_SYSTEM_MEMORY, virt_map[VIRT_NVDIMM].base, false);
    if (b->msi == VIRT_MSI_ITS) {
        build_iort(s, b);
    }
    acpi_root(s, 2);
}

bool virt_build_acpi(VirtBoard *b, GError **error)
{
    acpi_nvdimm_publish(b->vm, b->fw_cfg);
    if (b->machine->ras) {
        acpi_ghes_publish(b->fw_cfg);
    }
    return acpi_publish(b->fw_cfg, build_all, b, error);
}
