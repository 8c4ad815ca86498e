// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Between an ARM vCPU (target-arm) and the devices and boards around it (hw/arm, hw/intc,
 * hw/timer). Machine lock for all, unless stated.
 *
 * CPU types are "<model>-arm-cpu" in both binaries. Properties, set before realize: "has_el2",
 * "has_el3", "start-powered-off", "pmu", "aarch64" (bool), "mp-affinity" (u64, MPIDR_EL1 without
 * the RES1 bit; by index if not given), "rvbar" (u64), "psci-conduit" (u32, PSCI_*), "cntfrq" (u64,
 * Hz), "cfgend", "reset-hivecs" (bool), "reset-cbar" (u64).
 *
 * Input pins: "irq", "fiq", "virq", "vfiq", one line each. Output pins, one line each: "gt-phys",
 * "gt-virt", "gt-hyp", "gt-sec" (generic timers; PPIs 30, 27, 26, 29), "gt-hypvirt" (PPI 28), "pmu"
 * (PPI 23), "gicv3-maintenance" belongs to the GIC.
 */
#ifndef EXEC_ARM_CPU_H
#define EXEC_ARM_CPU_H

#include "exec/cpu.h"

/* ARM bits of Cpu.pending beside CPU_PENDING_HARD, which is the IRQ line. */
enum {
    ARM_PENDING_FIQ = CPU_PENDING_TARGET,
    ARM_PENDING_VIRQ = CPU_PENDING_TARGET << 1,
    ARM_PENDING_VFIQ = CPU_PENDING_TARGET << 2,
    ARM_PENDING_EVENT = CPU_PENDING_TARGET << 3,     /* SEV for a CPU in WFE */
    ARM_PENDING_SERROR = CPU_PENDING_TARGET << 4,
};

/* How PSCI calls arrive; "psci-conduit". */
enum { PSCI_DISABLED = 0, PSCI_SMC = 1, PSCI_HVC = 2 };

/* ---- system registers that a device provides (GICv3 CPU interface, M-profile aside) ---- */

/*
 * A register's encoding as in MRS: op0 is 2 or 3. AArch32 forms are found by the same rows when
 * cp15 is set.
 */
#define ARM_SYSREG(op0, op1, crn, crm, op2) \
    ((uint32_t)(op0) << 14 | (uint32_t)(op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

typedef enum ArmSysregResult {
    ARM_SYSREG_OK,
    ARM_SYSREG_UNDEF,                   /* the instruction is undefined */
    ARM_SYSREG_TRAP_EL1,                /* trapped system register access (EC 0x18) to that level */
    ARM_SYSREG_TRAP_EL2,
    ARM_SYSREG_TRAP_EL3,
} ArmSysregResult;

typedef struct ArmSysregRow ArmSysregRow;
struct ArmSysregRow {
    const char *name;                   /* "ICC_IAR1_EL1"; NULL ends a table */
    uint32_t id;                        /* ARM_SYSREG() */
    uint32_t cp15;                      /* ARM_CP15(), 0: no AArch32 form */
    uint8_t min_el;                     /* accesses from below are undefined */
    /* NULL: undefined in that direction. On the CPU's own thread, machine lock held. The CPU's interrupt lines may change. */
    ArmSysregResult (*read)(Cpu *cpu, void *opaque, const ArmSysregRow *row, uint64_t *value);
    ArmSysregResult (*write)(Cpu *cpu, void *opaque, const ArmSysregRow *row, uint64_t value);
    uint32_t aux;                       /* the provider's own */
};

/* MRC/MCR p15, or MRRC/MCRR with is64 (crn 0, op2 0). */
#define ARM_CP15(is64, op1, crn, crm, op2) \
    (1u << 24 | (uint32_t)(is64) << 16 | (uint32_t)(op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

/*
 * Adds a NULL-terminated constant table to cpu; after it is realized, before it runs. A later row
 * for the same encoding hides an earlier one.
 */
void arm_cpu_provide_sysregs(Cpu *cpu, const ArmSysregRow *rows, void *opaque);
/*
 * Sets bits of an ID register: the GIC says that it has a system register interface
 * (ID_AA64PFR0_EL1.GIC).
 */
void arm_cpu_set_gic_sysregs(Cpu *cpu, bool there);

/* ---- what an interrupt controller's CPU interface asks ---- */
typedef struct ArmCpuView {
    unsigned el;                        /* 0..3; AArch32 modes count as their level */
    bool aarch64, secure;               /* secure: of the present state (EL3 is secure) */
    bool has_el2, has_el3;
    bool el1_aarch64, el3_aarch64;
    uint64_t hcr_el2;                   /* effective: 0 when EL2 is off in this security state */
    uint64_t scr_el3;
    uint64_t mpidr;                     /* with the RES1 bit */
} ArmCpuView;
void arm_cpu_view(Cpu *cpu, ArmCpuView *view);
/*
 * fn(opaque) when the level, security state, HCR_EL2 or SCR_EL3 have changed; own thread, lock
 * held. One only.
 */
void arm_cpu_on_el_change(Cpu *cpu, void (*fn)(void *opaque), void *opaque);

/* ---- start, stop ---- */
typedef struct ArmEntry {
    uint64_t pc;                        /* AArch32: bit 0 is Thumb */
    uint64_t x[4];                      /* x0..x3 or r0..r3 */
    unsigned el;                        /* level to start in; 3 is clipped to what the CPU has */
    bool aarch64;
    bool secure;                        /* of EL1/EL2 where EL3 exists */
} ArmEntry;
/*
 * The CPU will start there after its reset; for -kernel: call from a vm_reset_add() hook or the
 * board's done().
 */
void arm_cpu_set_entry(Cpu *cpu, const ArmEntry *entry);
/* A power controller's or PSCI's doing: the CPU starts at entry / stops. */
void arm_cpu_power_on(Cpu *cpu, const ArmEntry *entry);
void arm_cpu_power_off(Cpu *cpu);
bool arm_cpu_powered(Cpu *cpu);
/* The CPU whose MPIDR affinity is this; NULL: none. */
Cpu *arm_cpu_by_affinity(Vm *vm, uint64_t affinity);
/* Whether CPUs of this model exist / have AArch64, for boards that choose images by it. */
bool arm_cpu_is_aarch64(Cpu *cpu);

/* ---- M profile ---- */

/* What the implementation defined attribution unit says of an address. */
typedef struct ArmIdau {
    bool exempt;                        /* from checks */
    bool ns, nsc;
    bool has_region;
    uint8_t region;
} ArmIdau;

/* How a board wants an M-profile CPU; set between creation and realize. */
typedef struct ArmMConfig {
    AddressSpace *memory;               /* as the CPU sees it, with its private peripherals */
    uint32_t vtor_secure, vtor;         /* VTOR at reset; a CPU without the Security Extension uses `vtor` */
    unsigned num_irqs, prio_bits;       /* 0: 8 bits, or 2 where the profile says so */
    void (*idau)(void *opaque, uint32_t va, ArmIdau *out);     /* NULL: none */
    void *idau_opaque;
} ArmMConfig;

/* An interrupt controller's side; machine lock. Exceptions are numbered as in IPSR. */
typedef struct ArmMOps {
    bool (*is_m)(Cpu *cpu);
    bool (*has_security)(Cpu *cpu);     /* the Security Extension */
    void (*configure)(Cpu *cpu, const ArmMConfig *config);
    /* Secure VTOR from the next reset on. */
    void (*set_vtor_secure)(Cpu *cpu, uint32_t vtor);
    /* External lines, NMI, SysTick (secure: of which timer). */
    void (*irq)(Cpu *cpu, unsigned n, int level);
    void (*nmi)(Cpu *cpu, int level);
    void (*systick)(Cpu *cpu, bool secure);
    /* System Control Space; secure: as which the access counts. False: refused (bus error). */
    bool (*scs)(Cpu *cpu, uint32_t offset, uint32_t *value, unsigned size, bool write, bool secure, bool user);
} ArmMOps;

/* ---- what target-arm gives for these; CpuArch.arm ---- */
typedef struct ArmCpuHooks {
    void (*provide_sysregs)(Cpu *cpu, const ArmSysregRow *rows, void *opaque);
    void (*set_gic_sysregs)(Cpu *cpu, bool there);
    void (*view)(Cpu *cpu, ArmCpuView *view);
    void (*on_el_change)(Cpu *cpu, void (*fn)(void *opaque), void *opaque);
    void (*set_entry)(Cpu *cpu, const ArmEntry *entry);
    void (*power_on)(Cpu *cpu, const ArmEntry *entry);
    void (*power_off)(Cpu *cpu);
    bool (*powered)(Cpu *cpu);
    uint64_t (*affinity)(Cpu *cpu);
    ArmMOps m;
} ArmCpuHooks;

#endif
