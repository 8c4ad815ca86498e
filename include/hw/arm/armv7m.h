// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An M-profile CPU with what belongs to it: interrupt controller, SysTick, private peripheral bus,
 * bit-band. Boards make it with armv7m_create; it takes interrupt lines at "irq" and is what
 * BoardSlot.irqs go to. Start-up, machine lock.
 */
#ifndef HW_ARM_ARMV7M_H
#define HW_ARM_ARMV7M_H

#include "exec/arm-cpu.h"
#include "hw/arm/board.h"

typedef struct Armv7mConfig {
    const char *cpu;                   /* NULL: -cpu or the machine's */
    const char *cpu_props;             /* "name=value,..." or NULL */
    unsigned irqs, prio_bits;          /* prio_bits 0: the CPU's default */
    uint64_t cpu_hz, ref_hz;           /* of SysTick; ref_hz 0: there is no reference clock */
    bool bitband;
    uint32_t vtor_secure, vtor;
    Region *memory;                    /* NULL: system memory */
    void (*idau)(void *opaque, uint32_t va, ArmIdau *out);
    void *idau_opaque;
} Armv7mConfig;

/*
 * The interrupt controller, a device with inputs "irq" and "nmi"; also b->intc if that is not set.
 * NULL: failed.
 */
Device *armv7m_create(Board *b, const Armv7mConfig *config, GError **error);
Cpu *armv7m_cpu(Device *intc);
/* The CPU has another clock now. */
void armv7m_set_cpu_hz(Device *intc, uint64_t hz);
/*
 * -kernel of M-profile boards into system memory: ELF, Intel HEX, or plain bytes, which go to
 * `base`; at most `size` of them.
 */
bool armv7m_load(Board *b, hwaddr base, uint64_t size, GError **error);
/* MachineType.done of boards: armv7m_load where armv7m_boot_at said. */
bool armv7m_done(Vm *vm, GError **error);
void armv7m_boot_at(Board *b, hwaddr base, uint64_t size);

/*
 * The type `tag` of a board with M-profile CPUs, whose tag_init builds it; ...: more members of
 * MachineType. ARMV7M_MACHINE has one CPU.
 */
#define ARMV7M_MACHINE(...) ARMV7M_MACHINE_SMP(1, __VA_ARGS__)
#define ARMV7M_MACHINE_SMP(cpus_, tag, name_, desc_, cpu_, ...) \
    static const MachineType tag = {                 \
        .name = name_ "-machine",                    \
        .machine_name = name_,                       \
        .desc = desc_,                               \
        .arches = "arm aarch64",                     \
        .size = sizeof(Machine),                     \
        .min_cpus = cpus_,                           \
        .max_cpus = cpus_,                           \
        .default_cpus = cpus_,                       \
        .default_cpu = cpu_,                         \
        .no_floppy = true,                           \
        .no_cdrom = true,                            \
        .no_parallel = true,                         \
        .init = tag##_init,                          \
        .done = armv7m_done,                         \
        __VA_ARGS__                                  \
    };                                               \
    MACHINE_TYPE(tag)

#endif
