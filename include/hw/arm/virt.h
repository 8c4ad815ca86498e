// SPDX-License-Identifier: GPL-2.0-or-later
/* The parts of the board virt: memory map, device tree, ACPI tables. */
#ifndef HW_ARM_VIRT_H
#define HW_ARM_VIRT_H

#include "exec/memory.h"
#include "hw/arm/boot.h"
#include "hw/pci-host/gpex.h"
#include "qom/vm.h"

enum VirtPlace {
    VIRT_FLASH, VIRT_GIC_DIST, VIRT_GIC_CPU, VIRT_GIC_V2M, VIRT_GIC_HYP, VIRT_GIC_VCPU, VIRT_GIC_ITS,
    VIRT_GIC_REDIST, VIRT_UART, VIRT_RTC, VIRT_FW_CFG, VIRT_GPIO, VIRT_SECURE_UART, VIRT_SMMU,
    VIRT_GED, VIRT_MEMORY_SLOTS, VIRT_NVDIMM, VIRT_SECURE_GPIO, VIRT_MMIO, VIRT_PLATFORM_BUS, VIRT_SECURE_MEM, VIRT_PCIE_MMIO,
    VIRT_PCIE_PIO, VIRT_PCIE_ECAM, VIRT_MEM, VIRT_PLACES,
};

typedef struct VirtRange { hwaddr base; uint64_t size; } VirtRange;
extern const VirtRange virt_map[VIRT_PLACES];

/* Shared interrupts, without the 32 of each CPU. */
enum {
    VIRT_IRQ_UART = 1,
    VIRT_IRQ_RTC = 2,
    VIRT_IRQ_PCIE = 3,
    VIRT_IRQ_GPIO = 7,
    VIRT_IRQ_SECURE_UART = 8,
    VIRT_IRQ_GED = 9,
    VIRT_IRQ_MMIO = 16,
    VIRT_IRQ_V2M = 48,
    VIRT_IRQ_SMMU = 74,
    VIRT_IRQ_PLATFORM = 112
};
/* Interrupts of each CPU. */
enum { VIRT_PPI_MAINTENANCE = 25, VIRT_PPI_HYP = 26, VIRT_PPI_VIRT = 27, VIRT_PPI_HYPVIRT = 28,
       VIRT_PPI_SEC = 29, VIRT_PPI_PHYS = 30, VIRT_PPI_PMU = 23 };
#define VIRT_IRQS 256
#define VIRT_TRANSPORTS 32
#define VIRT_V2M_IRQS 64

/* What older versions of the board lack. */
typedef struct VirtCompat {
    bool no_its, no_highmem_ecam, no_cpu_map, no_secure_gpio, no_pmu, no_ged, edge_timers;
} VirtCompat;

typedef struct VirtMachine {
    Machine machine;
    char *gic_version, *iommu, *dumpdtb, *dt_compatible, *oem_id, *oem_table_id;
    bool secure, virtualization, highmem, its, mte, ras, dtb_randomness, dtb_kaslr_seed;
    char *pflash0, *pflash1;
} VirtMachine;

typedef enum VirtMsi { VIRT_MSI_NONE, VIRT_MSI_V2M, VIRT_MSI_ITS } VirtMsi;

/* Everything that the board's init builds up; lives as long as the Vm (board["virt"]). */
typedef struct VirtBoard {
    Vm *vm;
    VirtMachine *machine;
    VirtCompat compat;
    unsigned gic_version;            /* 2 or 3 */
    bool kernel_gic;                 /* the accelerator's kernel has it */
    VirtMsi msi;
    bool smmu, highmem_ecam, high_mmio, has_pmu, acpi;
    VirtRange high_redist, ecam, mmio64;
    Region secure_ram, secure_root, secure_gate[3];
    AddressSpace secure_as;
    Device *gic, *v2m, *its, *smmu_dev, *power_key, *ged;
    GpexHost *pcie;
    FwCfg *fw_cfg;
    Device *flash[2];
    bool firmware;                   /* -bios, or a drive behind the first flash */
    uint32_t psci_conduit;
    Dt *dt;
    uint32_t clock_phandle, gic_phandle, msi_phandle, smmu_phandle;
} VirtBoard;

/* virt-dt.c: the whole tree; then virt-acpi.c: tables into fw_cfg. */
void virt_build_tree(VirtBoard *b);
bool virt_build_acpi(VirtBoard *b, GError **error);
/* MPIDR affinity of CPU i. */
uint64_t virt_affinity(const VirtBoard *b, unsigned i);

#endif
