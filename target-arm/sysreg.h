// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System registers as rows: encoding, who may access, where the value lives, hooks for what a field
 * cannot say. System instructions (AT, DC, IC, TLBI) are rows with op0 = 1. D17, K11.
 */
#ifndef TARGET_ARM_SYSREG_H
#define TARGET_ARM_SYSREG_H

#include "target-arm/cpu.h"

enum {
    SR_DIRECT_READ = 1,                 /* reads may be inlined: never trapped, no hook */
    SR_DIRECT_WRITE = 2,
    SR_NO_EXIT = 4,                     /* a write does not end the translation */
    SR_CONST = 8,                       /* writes are undefined */
    SR_WO = 16,                         /* reads are undefined */
    SR_TVM = 32,                        /* HCR_EL2.TVM and TRVM trap it at EL1 */
    SR_EL2 = 64,                        /* needs EL2 (or is RAZ/WI from EL3 without) */
    SR_EL3 = 128,
    SR_FP = 256,                        /* the FP access check comes first */
    SR_TID3 = 512,                      /* HCR_EL2.TID3 traps reads at EL1 */
    SR_ALIAS12 = 1024,                  /* name_EL12, name_EL02: with E2H at EL2 and EL3 only */
    SR_E2H = 2048,                      /* at EL2 with E2H the EL1 name means the register of `redirect` */
    SR_32 = 4096,                       /* 32 significant bits */
    SR_LOCK = 8192,                     /* hooks run with the machine lock */
    SR_ID_EL0 = 16384,                  /* ID space: reads as 0 where nothing is */
    SR_IGNORE = 32768,                  /* reads as 0 or `reset`, writes are ignored */
    SR_HIGHEST = 65536,                 /* only of the highest level that there is */
};

/* Beside ARM_CP15(): a register of coprocessor 14. */
#define ARM_CP14 (1u << 25)

typedef struct ArmSysreg ArmSysreg;
struct ArmSysreg {
    const char *name;
    uint32_t id;                        /* ARM_SYSREG() with op0 1..3; in cp15 tables ARM_CP15() */
    uint8_t read_el, write_el;          /* lowest level; 4: nobody */
    uint8_t feature;                    /* FEATURE_* that it comes with; 0, FEATURE_AARCH64: none */
    uint32_t flags;
    uint32_t field;                     /* offset in ArmCpu of a uint64_t, 0: none */
    uint64_t wmask;                     /* writable bits; 0 stands for all */
    uint64_t reset;
    uint64_t (*read)(ArmCpu *c, const ArmSysreg *r);
    void (*write)(ArmCpu *c, const ArmSysreg *r, uint64_t value);
    /* More conditions on an access; raises. NULL: none. */
    void (*check)(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome, uintptr_t host_pc);
    uint32_t redirect;                  /* SR_E2H: encoding that is meant */
    uint32_t aux;
};

/*
 * Rows by encoding: AArch64 / coprocessor 15 and 14. NULL: none. Features are looked at by
 * sysreg_exists().
 */
const ArmSysreg *arm_sysreg_find(uint32_t id);
const ArmSysreg *arm_cp15_find(uint32_t id);
bool arm_sysreg_exists(const ArmCpu *c, const ArmSysreg *r);
uint64_t arm_sysreg_get(ArmCpu *c, const ArmSysreg *r);
void arm_sysreg_set(ArmCpu *c, const ArmSysreg *r, uint64_t v);
/* Reset values of all fields. */
void arm_sysregs_reset(ArmCpu *c);
static inline uint64_t *arm_sysreg_field(ArmCpu *c, const ArmSysreg *r)
{
    return (uint64_t *)((char *)c + r->field);
}

/*
 * Monitor mode's way to the Non-secure copy of a banked register: true, and until arm_a32_reached()
 * the fields are that state's.
 */
bool arm_a32_reach(ArmCpu *c, const ArmSysreg *r);
void arm_a32_reached(ArmCpu *c);

/* Devices' registers. */
typedef struct ArmProvided { const ArmSysregRow *row; void *opaque; } ArmProvided;
const ArmProvided *arm_provided_find(ArmCpu *c, uint32_t id);

/* The tables; each ends with a row without a name. */
extern const ArmSysreg arm_sysregs_el1[], arm_sysregs_id[], arm_sysregs_timer[],
    arm_sysregs_debug[], arm_sysregs_pmu[], arm_sysregs_maint[], arm_sysregs_el2[];
extern const ArmSysreg arm_cp15_regs[], arm_cp15_maint[], arm_cp14_debug[], arm_cp15_pmu[];

/* Undefined; with FEAT_IDST reads of the ID space are trapped instead. */
_Noreturn void arm_sysreg_refuse(ArmCpu *c, uint32_t id, uint32_t syndrome, uintptr_t host_pc);
/* Syndrome of a trapped MSR/MRS. */
uint32_t arm_sysreg_syndrome(uint32_t id, unsigned rt, bool read);

#endif
