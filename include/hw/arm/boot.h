// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Starting ARM machines: -kernel (Linux Image, zImage, uImage, gzip of those, ELF) with -initrd,
 * -append and -dtb, or firmware that finds all this by itself. No boot code is put into
 * memory: the first CPU is told where to start and with which registers.
 */
#ifndef HW_ARM_BOOT_H
#define HW_ARM_BOOT_H

#include "hw/nvram/fw_cfg.h"
#include "util/dt.h"

typedef struct ArmBoot {
    hwaddr ram_base;
    uint64_t ram_size;
    Dt *dt;                      /* the board's own tree, NULL: none but that of -dtb */
    bool firmware;               /* there is firmware: it starts at the CPUs' reset address */
    bool secure;                 /* the kernel is to start in secure state (no firmware below it) */
    unsigned psci_conduit;       /* a tree of -dtb without PSCI is told of it; PSCI_DISABLED: no */
    unsigned el;                 /* level that a non-secure kernel starts in; 0: the highest */
    FwCfg *fw_cfg;               /* firmware is given kernel, initrd and command line by it; may be NULL */
    uint32_t board_id;           /* ATAG machine number for kernels without device tree */
    /* Without PSCI the other CPUs wait in a few instructions at smp_loader (0: they need none) until a register is not 0. */
    hwaddr smp_loader, smp_flags;
    hwaddr gic_cpu;              /* with this: woken by interrupts of the GIC's CPU interface there; else by events */
    unsigned smp_stride;         /* bytes between the CPUs' registers at smp_flags; 0: one for all */
    unsigned smp_el;             /* level that they start in; 0: the first CPU's */
} ArmBoot;

/* The node /psci for CPUs that are started by calls; nothing with PSCI_DISABLED. */
void arm_boot_psci_node(Dt *dt, Vm *vm, unsigned conduit);
/*
 * MachineType.done's last step. The tree is completed (memory of -dtb, chosen) and laid out in RAM.
 */
bool arm_boot(Vm *vm, ArmBoot *b, GError **error);

#endif
