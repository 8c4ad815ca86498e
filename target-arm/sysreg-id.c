// SPDX-License-Identifier: GPL-2.0-or-later
/* Identification registers: the model's values (D17.2.60 and on). */
#include "target-arm/sysreg.h"

#include "target-arm/models.h"

#define ID(f) offsetof(ArmCpu, id.f)

static uint64_t midr_read(ArmCpu *c, const ArmSysreg *r)
{
    return arm_el(c) == 1 && arm_el2_enabled(c) ? c->vpidr : c->id.midr;
}

uint64_t arm_mpidr(const ArmCpu *c)
{
    return c->mp_affinity | 1ull << 31;
}

static uint64_t mpidr_read(ArmCpu *c, const ArmSysreg *r)
{
    return arm_el(c) == 1 && arm_el2_enabled(c) ? c->vmpidr : arm_mpidr(c);
}

static uint64_t pfr0_read(ArmCpu *c, const ArmSysreg *r)
{
    return c->id.pfr0;
}

static uint64_t narrow_read(ArmCpu *c, const ArmSysreg *r)
{
    return *(const uint32_t *)((const char *)c + r->aux);
}

static uint64_t ccsidr_read(ArmCpu *c, const ArmSysreg *r)
{
    return (c->csselr & 15) < 8 ? c->id.ccsidr[c->csselr & 7] : 0;
}

/* Tags of 256 bytes at once. */
static uint64_t gmid_read(ArmCpu *c, const ArmSysreg *r)
{
    return arm_has(c, FEATURE_MTE) ? 6 : 0;
}

static void gmid_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                       uintptr_t host_pc)
{
    if (!arm_has(c, FEATURE_MTE)) {
        arm_sysreg_refuse(c, r->id, syndrome, host_pc);
    }
}

static void ctr_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                      uintptr_t host_pc)
{
    if (arm_el(c) == 0 && !(c->sctlr[arm_regime_el(c, 0)] & SCTLR_UCT)) {
        arm_raise(c, ARM_EXC_OTHER, syndrome, arm_default_el(c), host_pc);
    }
    if (arm_el(c) < 2 && arm_hcr(c) & HCR_TID2) {
        arm_raise(c, ARM_EXC_HYP_TRAP, syndrome, 2, host_pc);
    }
}

static void tid2_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                       uintptr_t host_pc)
{
    if (arm_el(c) < 2 && arm_hcr(c) & HCR_TID2) {
        arm_raise(c, ARM_EXC_HYP_TRAP, syndrome, 2, host_pc);
    }
}

static uint64_t dczid_read(ArmCpu *c, const ArmSysreg *r)
{
    unsigned el = arm_el(c);
    bool off = (el == 0 && !(c->sctlr[arm_regime_el(c, 0)] & SCTLR_DZE)) ||
               (el < 2 && arm_hcr(c) & HCR_TDZ);

    return c->id.dczid | (off ? 16 : 0);
}

#define IDREG(n, crm, op2, f)                                                        \
    {                                                                                \
        .name = n, .id = ARM_SYSREG(3, 0, 0, crm, op2), .read_el = 1, .write_el = 4, \
        .flags = SR_CONST | SR_TID3, .field = ID(f)                                  \
    }
#define IDREG32(n, crm, op2, f)                                                      \
    {                                                                                \
        .name = n, .id = ARM_SYSREG(3, 0, 0, crm, op2), .read_el = 1, .write_el = 4, \
        .flags = SR_CONST | SR_TID3, .read = narrow_read, .aux = ID(f)               \
    }

// clang-format off
const ArmSysreg arm_sysregs_id[] = {
    {.name = "MIDR_EL1", .id = ARM_SYSREG(3, 0, 0, 0, 0), .read_el = 1, .write_el = 4, .read = midr_read, .flags = SR_CONST},
    {.name = "MPIDR_EL1", .id = ARM_SYSREG(3, 0, 0, 0, 5), .read_el = 1, .write_el = 4, .read = mpidr_read, .flags = SR_CONST},
    {.name = "REVIDR_EL1", .id = ARM_SYSREG(3, 0, 0, 0, 6), .read_el = 1, .write_el = 4, .field = ID(revidr), .flags = SR_CONST},
    {.name = "CTR_EL0", .id = ARM_SYSREG(3, 3, 0, 0, 1), .write_el = 4, .field = ID(ctr), .flags = SR_CONST, .check = ctr_check},
    {.name = "DCZID_EL0", .id = ARM_SYSREG(3, 3, 0, 0, 7), .write_el = 4, .read = dczid_read, .flags = SR_CONST},
    {.name = "CLIDR_EL1", .id = ARM_SYSREG(3, 1, 0, 0, 1), .read_el = 1, .write_el = 4, .field = ID(clidr), .flags = SR_CONST, .check = tid2_check},
    {.name = "CCSIDR_EL1", .id = ARM_SYSREG(3, 1, 0, 0, 0), .read_el = 1, .write_el = 4, .read = ccsidr_read, .flags = SR_CONST, .check = tid2_check},
    {.name = "CSSELR_EL1", .id = ARM_SYSREG(3, 2, 0, 0, 0), .read_el = 1, .write_el = 1, .field = offsetof(ArmCpu, csselr), .wmask = 15, .check = tid2_check},
    {.name = "AIDR_EL1", .id = ARM_SYSREG(3, 1, 0, 0, 7), .read_el = 1, .write_el = 4, .flags = SR_CONST},
    {.name = "GMID_EL1", .id = ARM_SYSREG(3, 1, 0, 0, 4), .read_el = 1, .write_el = 4, .flags = SR_CONST, .read = gmid_read, .check = gmid_check},
    {.name = "ID_AA64PFR0_EL1", .id = ARM_SYSREG(3, 0, 0, 4, 0), .read_el = 1, .write_el = 4, .flags = SR_CONST | SR_TID3, .read = pfr0_read},
    IDREG("ID_AA64PFR1_EL1", 4, 1, pfr1),
    IDREG("ID_AA64ZFR0_EL1", 4, 4, zfr0),
    IDREG("ID_AA64SMFR0_EL1", 4, 5, smfr0),
    IDREG("ID_AA64DFR0_EL1", 5, 0, dfr0),
    IDREG("ID_AA64ISAR0_EL1", 6, 0, isar0),
    IDREG("ID_AA64ISAR1_EL1", 6, 1, isar1),
    IDREG("ID_AA64ISAR2_EL1", 6, 2, isar2),
    IDREG("ID_AA64MMFR0_EL1", 7, 0, mmfr0),
    IDREG("ID_AA64MMFR1_EL1", 7, 1, mmfr1),
    IDREG("ID_AA64MMFR2_EL1", 7, 2, mmfr2),
    IDREG32("ID_PFR0_EL1", 1, 0, a32_pfr0), IDREG32("ID_PFR1_EL1", 1, 1, a32_pfr1), IDREG32("ID_DFR0_EL1", 1, 2, a32_dfr0),
    IDREG32("ID_AFR0_EL1", 1, 3, a32_afr0), IDREG32("ID_MMFR0_EL1", 1, 4, a32_mmfr[0]), IDREG32("ID_MMFR1_EL1", 1, 5, a32_mmfr[1]),
    IDREG32("ID_MMFR2_EL1", 1, 6, a32_mmfr[2]), IDREG32("ID_MMFR3_EL1", 1, 7, a32_mmfr[3]), IDREG32("ID_ISAR0_EL1", 2, 0, a32_isar[0]),
    IDREG32("ID_ISAR1_EL1", 2, 1, a32_isar[1]), IDREG32("ID_ISAR2_EL1", 2, 2, a32_isar[2]), IDREG32("ID_ISAR3_EL1", 2, 3, a32_isar[3]),
    IDREG32("ID_ISAR4_EL1", 2, 4, a32_isar[4]), IDREG32("ID_ISAR5_EL1", 2, 5, a32_isar[5]), IDREG32("ID_MMFR4_EL1", 2, 6, a32_mmfr[4]),
    IDREG32("ID_ISAR6_EL1", 2, 7, a32_isar[6]), IDREG32("MVFR0_EL1", 3, 0, mvfr[0]), IDREG32("MVFR1_EL1", 3, 1, mvfr[1]),
    IDREG32("MVFR2_EL1", 3, 2, mvfr[2]), IDREG32("ID_PFR2_EL1", 3, 4, a32_pfr2), IDREG32("ID_DFR1_EL1", 3, 5, a32_dfr1),
    IDREG32("ID_MMFR5_EL1", 3, 6, a32_mmfr[5]),
    {0},
};
// clang-format on
