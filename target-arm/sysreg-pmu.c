// SPDX-License-Identifier: GPL-2.0-or-later
/* Registers of the performance monitors (D17.5, G8.4), of both instruction sets. See pmu.c. */
#include "target-arm/pmu.h"
#include "target-arm/sysreg.h"

#define F(f) offsetof(ArmCpu, f)

enum {
    USER_EN = 1,
    USER_SW = 2,
    USER_CR = 4,
    USER_ER = 8,
    MDCR_TPM = 1 << 6,
    MDCR_TPMCR = 1 << 5
};

/* ---- who may ---- */

/* A row's aux: the counter, and in bits 8.. what of PMUSERENR lets EL0 read, in 16.. write it. */
#define AUX(i, r, w) ((i) | (r) << 8 | (w) << 16)

static void check_level(ArmCpu *c, uint32_t aux, bool write, uint32_t syndrome, uintptr_t host_pc)
{
    unsigned el = arm_el(c), user = USER_EN | (write ? aux >> 16 & 15 : aux >> 8 & 15);

    if (!c->has_pmu) {
        arm_undefined(c, host_pc);
    }
    if (el == 0 && !(c->pmuserenr & user)) {
        if (arm_el_is_a64(c, 1) || c->aarch64_prop) {
            arm_raise(c, ARM_EXC_OTHER, syndrome, arm_default_el(c), host_pc);
        }
        arm_undefined(c, host_pc);
    }
    if (!c->aarch64_prop) {
        return;
    }
    if (el < 2 && arm_el2_enabled(c) && c->mdcr_el2 & MDCR_TPM) {
        arm_raise(c, ARM_EXC_HYP_TRAP, syndrome, 2, host_pc);
    }
    if (el < 3 && c->has_el3 && c->mdcr_el3 & MDCR_TPM) {
        arm_raise(c, ARM_EXC_MON_TRAP, syndrome, 3, host_pc);
    }
}

static void pm_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                     uintptr_t host_pc)
{
    check_level(c, r->aux, write, syndrome, host_pc);
}

static void pmcr_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                       uintptr_t host_pc)
{
    check_level(c, r->aux, write, syndrome, host_pc);
    if (arm_el(c) < 2 && c->aarch64_prop && arm_el2_enabled(c) && c->mdcr_el2 & MDCR_TPMCR) {
        arm_raise(c, ARM_EXC_HYP_TRAP, syndrome, 2, host_pc);
    }
}

/* ---- values ---- */

static uint64_t pmcr_read(ArmCpu *c, const ArmSysreg *r)
{
    return arm_pmu_pmcr(c);
}

static void pmcr_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    arm_pmu_control(c, v);
}

static uint64_t events_read(ArmCpu *c, const ArmSysreg *r)
{
    return arm_pmu_events(c, r->aux & 1);
}

/* PMCNTEN, PMOVS and PMINTEN have a register that sets bits and one that clears them. */
static void set_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    arm_pmu_sync(c);
    *arm_sysreg_field(c, r) |= v & arm_pmu_all(c);
    arm_pmu_sync(c);
}

static void clear_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    arm_pmu_sync(c);
    *arm_sysreg_field(c, r) &= ~v;
    arm_pmu_sync(c);
}

static uint64_t bits_read(ArmCpu *c, const ArmSysreg *r)
{
    arm_pmu_sync(c);
    return *arm_sysreg_field(c, r);
}

static void increment_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    arm_pmu_increment(c, v);
}

static uint64_t cycles_read(ArmCpu *c, const ArmSysreg *r)
{
    return arm_pmu_value(c, PMU_CYCLE_COUNTER);
}

static uint64_t cycles32_read(ArmCpu *c, const ArmSysreg *r)
{
    return (uint32_t)arm_pmu_value(c, PMU_CYCLE_COUNTER);
}

static void cycles_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    arm_pmu_set_value(c, PMU_CYCLE_COUNTER, v);
}

static void cycles32_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    uint64_t upper = arm_pmu_value(c, PMU_CYCLE_COUNTER) & ~(uint64_t)UINT32_MAX;

    arm_pmu_set_value(c, PMU_CYCLE_COUNTER, upper | (uint32_t)v);
}

/* The counter of a row: PMSELR's choice for PMX registers. */
static unsigned counter_of(const ArmCpu *c, const ArmSysreg *r)
{
    return (r->aux & 0xff) == 0xff ? c->pmselr & 31 : r->aux & 31;
}

static uint64_t type_read(ArmCpu *c, const ArmSysreg *r)
{
    unsigned i = counter_of(c, r);

    return i == PMU_CYCLE_COUNTER ? c->pmccfiltr : i < arm_pmu_counters(c) ? c->pmevtyper[i] : 0;
}

static void type_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    unsigned i = counter_of(c, r);

    arm_pmu_sync(c);
    if (i == PMU_CYCLE_COUNTER) {
        c->pmccfiltr = v & 0xfc000000;
    } else if (i < arm_pmu_counters(c)) {
        c->pmevtyper[i] = v & 0xfe00ffff;
    }
    arm_pmu_sync(c);
}

static uint64_t event_read(ArmCpu *c, const ArmSysreg *r)
{
    unsigned i = counter_of(c, r);

    return i < arm_pmu_counters(c) ? arm_pmu_value(c, i) : 0;
}

static void event_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    unsigned i = counter_of(c, r);

    if (i < arm_pmu_counters(c)) {
        arm_pmu_set_value(c, i, v);
    }
}

/* There from PMUv3p4 on. */
static void mmir_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                       uintptr_t host_pc)
{
    if ((c->id.dfr0 >> 8 & 15) < 5) {
        arm_undefined(c, host_pc);
    }
    pm_check(c, r, write, syndrome, host_pc);
}

// clang-format off
/* One row for A64, or for coprocessor 15 at the same place. */
#define PM64(n, op1, crn, crm, op2, el, ...) \
    {.name = n, .id = ARM_SYSREG(3, op1, crn, crm, op2), .read_el = el, .write_el = el, .check = pm_check, ##__VA_ARGS__}
#define PM32(n, crn, crm, op2, el, ...) \
    {.name = n, .id = ARM_CP15(0, 0, crn, crm, op2), .read_el = el, .write_el = el, .check = pm_check, ##__VA_ARGS__}
#define EV64(i) \
    PM64("PMEVCNTR" #i "_EL0", 3, 14, 8 + (i) / 8, (i) % 8, 0, .read = event_read, .write = event_write, .aux = AUX(i, USER_ER, 0)), \
    PM64("PMEVTYPER" #i "_EL0", 3, 14, 12 + (i) / 8, (i) % 8, 0, .read = type_read, .write = type_write, .aux = AUX(i, 0, 0))
#define EV32(i) \
    PM32("PMEVCNTR" #i, 14, 8 + (i) / 8, (i) % 8, 0, .read = event_read, .write = event_write, .aux = AUX(i, USER_ER, 0)), \
    PM32("PMEVTYPER" #i, 14, 12 + (i) / 8, (i) % 8, 0, .read = type_read, .write = type_write, .aux = AUX(i, 0, 0))

const ArmSysreg arm_sysregs_pmu[] = {
    {.name = "PMCR_EL0", .id = ARM_SYSREG(3, 3, 9, 12, 0), .read = pmcr_read, .write = pmcr_write, .check = pmcr_check},
    PM64("PMCNTENSET_EL0", 3, 9, 12, 1, 0, .field = F(pmcnten), .write = set_write), PM64("PMCNTENCLR_EL0", 3, 9, 12, 2, 0, .field = F(pmcnten), .write = clear_write),
    PM64("PMOVSCLR_EL0", 3, 9, 12, 3, 0, .field = F(pmovs), .read = bits_read, .write = clear_write), PM64("PMSWINC_EL0", 3, 9, 12, 4, 0, .write = increment_write, .flags = SR_WO, .aux = AUX(0, 0, USER_SW)),
    PM64("PMSELR_EL0", 3, 9, 12, 5, 0, .field = F(pmselr), .wmask = 31, .aux = AUX(0, USER_ER, USER_ER)),
    PM64("PMCEID0_EL0", 3, 9, 12, 6, 0, .read = events_read, .flags = SR_CONST), PM64("PMCEID1_EL0", 3, 9, 12, 7, 0, .read = events_read, .flags = SR_CONST, .aux = 1),
    PM64("PMCCNTR_EL0", 3, 9, 13, 0, 0, .read = cycles_read, .write = cycles_write, .aux = AUX(0, USER_CR, 0)),
    PM64("PMXEVTYPER_EL0", 3, 9, 13, 1, 0, .read = type_read, .write = type_write, .aux = AUX(0xff, 0, 0)),
    PM64("PMXEVCNTR_EL0", 3, 9, 13, 2, 0, .read = event_read, .write = event_write, .aux = AUX(0xff, USER_ER, 0)),
    {.name = "PMUSERENR_EL0", .id = ARM_SYSREG(3, 3, 9, 14, 0), .write_el = 1, .field = F(pmuserenr), .wmask = 15, .check = pm_check, .aux = AUX(0, 15, 0)},
    PM64("PMOVSSET_EL0", 3, 9, 14, 3, 0, .field = F(pmovs), .read = bits_read, .write = set_write),
    PM64("PMINTENSET_EL1", 0, 9, 14, 1, 1, .field = F(pminten), .write = set_write), PM64("PMINTENCLR_EL1", 0, 9, 14, 2, 1, .field = F(pminten), .write = clear_write),
    {.name = "PMMIR_EL1", .id = ARM_SYSREG(3, 0, 9, 14, 6), .read_el = 1, .write_el = 4, .flags = SR_CONST, .check = mmir_check}, PM64("PMCCFILTR_EL0", 3, 14, 15, 7, 0, .read = type_read, .write = type_write, .aux = AUX(31, 0, 0)),
    EV64(0), EV64(1), EV64(2), EV64(3), EV64(4), EV64(5), EV64(6), EV64(7), EV64(8), EV64(9), EV64(10), EV64(11), EV64(12), EV64(13), EV64(14), EV64(15), EV64(16), EV64(17), EV64(18),
    EV64(19), EV64(20), EV64(21), EV64(22), EV64(23), EV64(24), EV64(25), EV64(26), EV64(27), EV64(28), EV64(29), EV64(30),
    {0},
};

const ArmSysreg arm_cp15_pmu[] = {
    PM32("PMCR", 9, 12, 0, 0, .read = pmcr_read, .write = pmcr_write), PM32("PMCNTENSET", 9, 12, 1, 0, .field = F(pmcnten), .write = set_write),
    PM32("PMCNTENCLR", 9, 12, 2, 0, .field = F(pmcnten), .write = clear_write), PM32("PMOVSR", 9, 12, 3, 0, .field = F(pmovs), .read = bits_read, .write = clear_write),
    PM32("PMSWINC", 9, 12, 4, 0, .write = increment_write, .flags = SR_WO, .aux = AUX(0, 0, USER_SW)), PM32("PMSELR", 9, 12, 5, 0, .field = F(pmselr), .wmask = 31, .aux = AUX(0, USER_ER, USER_ER)),
    PM32("PMCEID0", 9, 12, 6, 0, .read = events_read, .flags = SR_CONST), PM32("PMCEID1", 9, 12, 7, 0, .read = events_read, .flags = SR_CONST, .aux = 1),
    PM32("PMCCNTR", 9, 13, 0, 0, .read = cycles32_read, .write = cycles32_write, .aux = AUX(0, USER_CR, 0)), PM32("PMXEVTYPER", 9, 13, 1, 0, .read = type_read, .write = type_write, .aux = AUX(0xff, 0, 0)),
    PM32("PMXEVCNTR", 9, 13, 2, 0, .read = event_read, .write = event_write, .aux = AUX(0xff, USER_ER, 0)),
    {.name = "PMUSERENR", .id = ARM_CP15(0, 0, 9, 14, 0), .write_el = 1, .field = F(pmuserenr), .wmask = 15, .check = pm_check, .aux = AUX(0, 15, 0)},
    PM32("PMINTENSET", 9, 14, 1, 1, .field = F(pminten), .write = set_write), PM32("PMINTENCLR", 9, 14, 2, 1, .field = F(pminten), .write = clear_write),
    PM32("PMOVSSET", 9, 14, 3, 0, .field = F(pmovs), .read = bits_read, .write = set_write), PM32("PMCCFILTR", 14, 15, 7, 0, .read = type_read, .write = type_write, .aux = AUX(31, 0, 0)),
    {.name = "PMCCNTR64", .id = ARM_CP15(1, 0, 0, 9, 0), .read = cycles_read, .write = cycles_write, .check = pm_check, .aux = AUX(0, USER_CR, 0)},
    EV32(0), EV32(1), EV32(2), EV32(3), EV32(4), EV32(5), EV32(6), EV32(7), EV32(8), EV32(9), EV32(10), EV32(11), EV32(12), EV32(13), EV32(14), EV32(15), EV32(16), EV32(17), EV32(18),
    EV32(19), EV32(20), EV32(21), EV32(22), EV32(23), EV32(24), EV32(25), EV32(26), EV32(27), EV32(28), EV32(29), EV32(30),
    {0},
};
// clang-format on
