// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System registers of EL0 and EL1: control, exceptions, translation, threads, pointer keys. D17.2.
 */
#include "target-arm/sysreg.h"

#define F(f) offsetof(ArmCpu, f)

/* ---- hooks ---- */

static void flush_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    uint64_t *f = arm_sysreg_field(c, r);

    if (*f != v) {
        *f = v;
        tlb_flush(&c->cpu);
    }
}

static void ttbr_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    uint64_t *f = arm_sysreg_field(c, r), old = *f;

    *f = v;
    if ((old ^ v) >> 48 == 0) {
        return;
    }
    if (arm_hcr(c) & (HCR_E2H | HCR_TGE) || (f != &c->ttbr0[1] && f != &c->ttbr1[1])) {
        tlb_flush_nonglobal(&c->cpu);       /* another ASID */
    } else if (f == (c->tcr[1] & TCR_A1 ? &c->ttbr1[1] : &c->ttbr0[1])) {
        tlb_switch_space(&c->cpu, arm_asid(c, v >> 48));
    }
}

static uint64_t currentel_read(ArmCpu *c, const ArmSysreg *r)
{
    return arm_el(c) << 2;
}

static uint64_t spsel_read(ArmCpu *c, const ArmSysreg *r)
{
    return c->pstate & PSTATE_SP;
}

static void spsel_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    arm_set_spsel(c, v & 1);
}

static uint64_t pstate_read(ArmCpu *c, const ArmSysreg *r)
{
    return c->pstate & r->aux;
}

static void pstate_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    c->pstate = (c->pstate & ~r->aux) | ((uint32_t)v & r->aux);
}

static void daif_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                       uintptr_t host_pc)
{
    if (arm_el(c) == 0 && !(c->sctlr[arm_regime_el(c, 0)] & SCTLR_UMA)) {
        arm_raise(c, ARM_EXC_OTHER, syndrome, arm_default_el(c), host_pc);
    }
}

static void feature_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                          uintptr_t host_pc)
{
    static const uint8_t features[] = {FEATURE_PAN, FEATURE_UAO, FEATURE_DIT, FEATURE_SSBS};

    for (unsigned i = 0; i < ARRAY_COUNT(features); i++) {
        static const uint32_t bits[] = {PSTATE_PAN, PSTATE_UAO, PSTATE_DIT, PSTATE_SSBS};

        if (r->aux == bits[i] && !arm_has(c, features[i])) {
            arm_undefined(c, host_pc);
        }
    }
}

/* SP_ELn: not of the level whose pointer is in use. */
static void sp_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                     uintptr_t host_pc)
{
    if (r->aux == 0 && !(c->pstate & PSTATE_SP)) {
        arm_undefined(c, host_pc);
    }
}

static void pauth_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                        uintptr_t host_pc)
{
    if (!arm_has(c, FEATURE_PAUTH)) {
        arm_undefined(c, host_pc);
    }
    if (arm_el(c) < 2 && arm_el2_enabled(c) && !(c->hcr & HCR_APK)) {
        arm_raise(c, ARM_EXC_HYP_TRAP, syndrome, 2, host_pc);
    }
    if (arm_el(c) < 3 && c->has_el3 && !(c->scr & 1ull << 16)) {
        arm_raise(c, ARM_EXC_MON_TRAP, syndrome, 3, host_pc);
    }
}

static void cpacr_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                        uintptr_t host_pc)
{
    if (arm_el(c) < 2 && arm_el2_enabled(c) && c->cptr_el2 & 1u << 31) {
        arm_raise(c, ARM_EXC_HYP_TRAP, syndrome, 2, host_pc);
    }
    if (arm_el(c) < 3 && c->has_el3 && c->cptr_el3 & 1u << 31) {
        arm_raise(c, ARM_EXC_MON_TRAP, syndrome, 3, host_pc);
    }
}

static uint64_t fpcr_read(ArmCpu *c, const ArmSysreg *r)
{
    return c->fpcr;
}

static void fpcr_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    arm_set_fpcr(c, (uint32_t)v);
}

static uint64_t fpsr_read(ArmCpu *c, const ArmSysreg *r)
{
    return arm_get_fpsr(c);
}

static void fpsr_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    arm_set_fpsr(c, (uint32_t)v);
}

/* Bits 5 and 4 are 1; where no lower level has AArch32, RW is too. */
static void scr_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    c->scr = v | 0x30 | (arm_has(c, FEATURE_A32_EL1) ? 0 : SCR_RW);
    tlb_flush(&c->cpu);
}

static void ras_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                      uintptr_t host_pc)
{
    if (!arm_has(c, FEATURE_RAS)) {
        arm_undefined(c, host_pc);
    }
}

static void scxtnum_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                          uintptr_t host_pc)
{
    if (!arm_has(c, FEATURE_CSV2_2)) {
        arm_undefined(c, host_pc);
    }
}

/* TCO at any level; the others by ATA of the levels above. */
static void mte_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                      uintptr_t host_pc)
{
    unsigned el = arm_el(c);

    if (!arm_has(c, FEATURE_MTE)) {
        arm_undefined(c, host_pc);
    }
    if (r->aux == PSTATE_TCO) {
        return;
    }
    if (el < 2 && arm_el2_enabled(c) && !(c->hcr & HCR_ATA)) {
        arm_raise(c, ARM_EXC_HYP_TRAP, syndrome, 2, host_pc);
    }
    if (el < 3 && c->has_el3 && !(c->scr & SCR_ATA)) {
        arm_raise(c, ARM_EXC_MON_TRAP, syndrome, 3, host_pc);
    }
}

static void zcr_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                      uintptr_t host_pc)
{
    unsigned trap;

    if (!arm_has(c, FEATURE_SVE)) {
        arm_undefined(c, host_pc);
    }
    trap = arm_sve_trap_el(c, arm_el(c));
    if (trap) {
        arm_raise(c, ARM_EXC_OTHER, esr(EC_SVE, 0), trap, host_pc);
    }
}

static void lor_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                      uintptr_t host_pc)
{
    if (!arm_has(c, FEATURE_LOR)) {
        arm_undefined(c, host_pc);
    }
    if (c->has_el3 && !(c->scr & SCR_NS) && (r->id & 7) != 7) {
        arm_undefined(c, host_pc);      /* there are none of Secure state */
    }
    if (arm_el(c) == 1 && arm_hcr(c) & HCR_TLOR) {
        arm_raise(c, ARM_EXC_HYP_TRAP, syndrome, 2, host_pc);
    }
}

static uint64_t rndr_read(ArmCpu *c, const ArmSysreg *r)
{
    arm_set_nzcv(c, 0);
    return (uint64_t)g_random_int() << 32 | g_random_int();
}

static void rndr_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                       uintptr_t host_pc)
{
    if (!arm_has(c, FEATURE_RNG)) {
        arm_undefined(c, host_pc);
    }
}

static uint64_t isr_read(ArmCpu *c, const ArmSysreg *r)
{
    uint32_t p = atomic_load(&c->cpu.pending);
    uint64_t hcr = arm_hcr(c), v = 0;

    if (arm_el(c) == 1 && hcr & HCR_IMO) {
        v |= p & ARM_PENDING_VIRQ || hcr & HCR_VI ? 1 << 7 : 0;
    } else {
        v |= p & CPU_PENDING_HARD ? 1 << 7 : 0;
    }
    if (arm_el(c) == 1 && hcr & HCR_FMO) {
        v |= p & ARM_PENDING_VFIQ || hcr & HCR_VF ? 1 << 6 : 0;
    } else {
        v |= p & ARM_PENDING_FIQ ? 1 << 6 : 0;
    }
    return v;
}

static uint64_t rvbar_read(ArmCpu *c, const ArmSysreg *r)
{
    return c->rvbar_cur;
}

static uint64_t cbar_read(ArmCpu *c, const ArmSysreg *r)
{
    return c->reset_cbar;
}

enum { RW1 = 1 };
#define EL12(n, op0, op1, crn, crm, op2, field_, wr)                                             \
    {                                                                                            \
        .name = n "_EL12", .id = ARM_SYSREG(op0, 5, crn, crm, op2), .read_el = 2, .write_el = 2, \
        .flags = SR_ALIAS12, .field = field_, .write = wr                                        \
    }
/* An EL1 register, its EL12 alias, and what its name means at EL2 with E2H. */
#define EL1(n, crn, crm, op2, f_, wr, fl)          \
    {.name = n "_EL1",                             \
     .id = ARM_SYSREG(3, 0, crn, crm, op2),        \
     .read_el = 1,                                 \
     .write_el = 1,                                \
     .flags = (fl) | SR_E2H,                       \
     .field = f_,                                  \
     .write = wr,                                  \
     .redirect = ARM_SYSREG(3, 4, crn, crm, op2)}, \
        EL12(n, 3, 0, crn, crm, op2, f_, wr)
#define EL23(n, crn, crm, op2, f_, wr)                                                        \
    {.name = n "_EL2",                                                                        \
     .id = ARM_SYSREG(3, 4, crn, crm, op2),                                                   \
     .read_el = 2,                                                                            \
     .write_el = 2,                                                                           \
     .flags = SR_EL2,                                                                         \
     .field = F(f_[2]),                                                                       \
     .write = wr},                                                                            \
    {                                                                                         \
        .name = n "_EL3", .id = ARM_SYSREG(3, 6, crn, crm, op2), .read_el = 3, .write_el = 3, \
        .flags = SR_EL3, .field = F(f_[3]), .write = wr                                       \
    }
#define ALL(n, crn, crm, op2, f_, wr, fl) \
    EL1(n, crn, crm, op2, F(f_[1]), wr, fl), EL23(n, crn, crm, op2, f_, wr)
#define KEY(n, crm, op2, k, half)                                                    \
    {                                                                                \
        .name = n, .id = ARM_SYSREG(3, 0, 2, crm, op2), .read_el = 1, .write_el = 1, \
        .field = F(apkey[k][half]), .check = pauth_check, .flags = SR_NO_EXIT        \
    }
#define PBIT(n, op1, crm, op2, el, bits, chk)                                            \
    {                                                                                    \
        .name = n, .id = ARM_SYSREG(3, op1, 4, crm, op2), .read_el = el, .write_el = el, \
        .read = pstate_read, .write = pstate_write, .check = chk, .aux = bits            \
    }

// clang-format off
const ArmSysreg arm_sysregs_el1[] = {
    ALL("SCTLR", 1, 0, 0, sctlr, flush_write, SR_TVM),
    ALL("ACTLR", 1, 0, 1, actlr, NULL, 0),
    {.name = "CPACR_EL1", .id = ARM_SYSREG(3, 0, 1, 0, 2), .read_el = 1, .write_el = 1, .field = F(cpacr), .wmask = 0xf0330000,
     .check = cpacr_check, .flags = SR_E2H, .redirect = ARM_SYSREG(3, 4, 1, 1, 2)},
    {.name = "CPACR_EL12", .id = ARM_SYSREG(3, 5, 1, 0, 2), .read_el = 2, .write_el = 2, .field = F(cpacr), .flags = SR_ALIAS12},
    ALL("TTBR0", 2, 0, 0, ttbr0, ttbr_write, SR_TVM),
    EL1("TTBR1", 2, 0, 1, F(ttbr1[1]), ttbr_write, SR_TVM),
    {.name = "TTBR1_EL2", .id = ARM_SYSREG(3, 4, 2, 0, 1), .read_el = 2, .write_el = 2, .flags = SR_EL2, .field = F(ttbr1[2]), .write = ttbr_write, .feature = FEATURE_VHE},
    ALL("TCR", 2, 0, 2, tcr, flush_write, SR_TVM),
    ALL("SPSR", 4, 0, 0, spsr, NULL, 0),
    ALL("ELR", 4, 0, 1, elr, NULL, 0),
    ALL("AFSR0", 5, 1, 0, afsr0, NULL, SR_TVM),
    ALL("AFSR1", 5, 1, 1, afsr1, NULL, SR_TVM),
    ALL("ESR", 5, 2, 0, esr, NULL, SR_TVM),
    ALL("FAR", 6, 0, 0, far, NULL, SR_TVM),
    ALL("MAIR", 10, 2, 0, mair, NULL, SR_TVM),
    ALL("AMAIR", 10, 3, 0, amair, NULL, SR_TVM),
    ALL("VBAR", 12, 0, 0, vbar, NULL, 0),
    EL1("CONTEXTIDR", 13, 0, 1, F(contextidr[1]), NULL, SR_TVM),
    {.name = "CONTEXTIDR_EL2", .id = ARM_SYSREG(3, 4, 13, 0, 1), .read_el = 2, .write_el = 2, .flags = SR_EL2, .field = F(contextidr[2]), .feature = FEATURE_VHE},
    {.name = "PAR_EL1", .id = ARM_SYSREG(3, 0, 7, 4, 0), .read_el = 1, .write_el = 1, .field = F(par), .flags = SR_NO_EXIT},
    {.name = "TPIDR_EL0", .id = ARM_SYSREG(3, 3, 13, 0, 2), .field = F(tpidr_el0), .flags = SR_DIRECT_READ | SR_DIRECT_WRITE},
    {.name = "TPIDRRO_EL0", .id = ARM_SYSREG(3, 3, 13, 0, 3), .write_el = 1, .field = F(tpidrro_el0), .flags = SR_DIRECT_READ | SR_DIRECT_WRITE},
    {.name = "TPIDR_EL1", .id = ARM_SYSREG(3, 0, 13, 0, 4), .read_el = 1, .write_el = 1, .field = F(tpidr[1]), .flags = SR_DIRECT_READ | SR_DIRECT_WRITE},
    {.name = "TPIDR_EL2", .id = ARM_SYSREG(3, 4, 13, 0, 2), .read_el = 2, .write_el = 2, .field = F(tpidr[2]), .flags = SR_EL2},
    {.name = "TPIDR_EL3", .id = ARM_SYSREG(3, 6, 13, 0, 2), .read_el = 3, .write_el = 3, .field = F(tpidr[3]), .flags = SR_EL3},
    {.name = "SP_EL0", .id = ARM_SYSREG(3, 0, 4, 1, 0), .read_el = 1, .write_el = 1, .field = F(sp_el[0]), .check = sp_check, .flags = SR_NO_EXIT},
    {.name = "SP_EL1", .id = ARM_SYSREG(3, 4, 4, 1, 0), .read_el = 2, .write_el = 2, .field = F(sp_el[1]), .check = sp_check, .aux = 1},
    {.name = "SP_EL2", .id = ARM_SYSREG(3, 6, 4, 1, 0), .read_el = 3, .write_el = 3, .field = F(sp_el[2]), .check = sp_check, .aux = 2},
    {.name = "SPSel", .id = ARM_SYSREG(3, 0, 4, 2, 0), .read_el = 1, .write_el = 1, .read = spsel_read, .write = spsel_write},
    {.name = "CurrentEL", .id = ARM_SYSREG(3, 0, 4, 2, 2), .read_el = 1, .write_el = 4, .read = currentel_read, .flags = SR_CONST},
    PBIT("PAN", 0, 2, 3, 1, PSTATE_PAN, feature_check),
    PBIT("UAO", 0, 2, 4, 1, PSTATE_UAO, feature_check),
    PBIT("DAIF", 3, 2, 1, 0, PSTATE_DAIF, daif_check),
    PBIT("DIT", 3, 2, 5, 0, PSTATE_DIT, feature_check),
    PBIT("SSBS", 3, 2, 6, 0, PSTATE_SSBS, feature_check),
    {.name = "FPCR", .id = ARM_SYSREG(3, 3, 4, 4, 0), .read = fpcr_read, .write = fpcr_write, .flags = SR_FP},
    {.name = "FPSR", .id = ARM_SYSREG(3, 3, 4, 4, 1), .read = fpsr_read, .write = fpsr_write, .flags = SR_FP},
    {.name = "ISR_EL1", .id = ARM_SYSREG(3, 0, 12, 1, 0), .read_el = 1, .write_el = 4, .read = isr_read, .flags = SR_CONST},
    {.name = "RVBAR_EL1", .id = ARM_SYSREG(3, 0, 12, 0, 1), .read_el = 1, .write_el = 4, .read = rvbar_read, .flags = SR_CONST | SR_HIGHEST},
    {.name = "RVBAR_EL2", .id = ARM_SYSREG(3, 4, 12, 0, 1), .read_el = 2, .write_el = 4, .read = rvbar_read, .flags = SR_CONST | SR_HIGHEST},
    {.name = "RVBAR_EL3", .id = ARM_SYSREG(3, 6, 12, 0, 1), .read_el = 3, .write_el = 4, .read = rvbar_read, .flags = SR_CONST | SR_HIGHEST},
    {.name = "RMR_EL1", .id = ARM_SYSREG(3, 0, 12, 0, 2), .read_el = 1, .write_el = 1, .field = F(rmr), .flags = SR_HIGHEST},
    {.name = "RMR_EL2", .id = ARM_SYSREG(3, 4, 12, 0, 2), .read_el = 2, .write_el = 2, .field = F(rmr), .flags = SR_EL2 | SR_HIGHEST},
    {.name = "RMR_EL3", .id = ARM_SYSREG(3, 6, 12, 0, 2), .read_el = 3, .write_el = 3, .field = F(rmr), .flags = SR_EL3},
    {.name = "DISR_EL1", .id = ARM_SYSREG(3, 0, 12, 1, 1), .read_el = 1, .write_el = 1, .field = F(disr), .check = ras_check},
    {.name = "ERRIDR_EL1", .id = ARM_SYSREG(3, 0, 5, 3, 0), .read_el = 1, .write_el = 4, .check = ras_check, .flags = SR_CONST},
    {.name = "ERRSELR_EL1", .id = ARM_SYSREG(3, 0, 5, 3, 1), .read_el = 1, .write_el = 1, .field = F(errselr), .check = ras_check, .flags = SR_IGNORE},
    {.name = "SCXTNUM_EL0", .id = ARM_SYSREG(3, 3, 13, 0, 7), .field = F(scxtnum_el0), .check = scxtnum_check},
    {.name = "SCXTNUM_EL1", .id = ARM_SYSREG(3, 0, 13, 0, 7), .read_el = 1, .write_el = 1, .field = F(scxtnum[1]), .check = scxtnum_check},
    PBIT("TCO", 3, 2, 7, 0, PSTATE_TCO, mte_check),
    {.name = "GCR_EL1", .id = ARM_SYSREG(3, 0, 1, 0, 6), .read_el = 1, .write_el = 1, .field = F(gcr), .wmask = 0x1ffff, .check = mte_check},
    {.name = "RGSR_EL1", .id = ARM_SYSREG(3, 0, 1, 0, 5), .read_el = 1, .write_el = 1, .field = F(rgsr), .wmask = 0xffff0f, .check = mte_check},
    {.name = "TFSRE0_EL1", .id = ARM_SYSREG(3, 0, 5, 6, 1), .read_el = 1, .write_el = 1, .field = F(tfsre0), .wmask = 3, .check = mte_check},
    {.name = "TFSR_EL1", .id = ARM_SYSREG(3, 0, 5, 6, 0), .read_el = 1, .write_el = 1, .field = F(tfsr[1]), .wmask = 3, .check = mte_check,
     .flags = SR_E2H, .redirect = ARM_SYSREG(3, 4, 5, 6, 0)},
    {.name = "TFSR_EL12", .id = ARM_SYSREG(3, 5, 5, 6, 0), .read_el = 2, .write_el = 2, .field = F(tfsr[1]), .wmask = 3, .check = mte_check,
     .flags = SR_ALIAS12},
    {.name = "TFSR_EL2", .id = ARM_SYSREG(3, 4, 5, 6, 0), .read_el = 2, .write_el = 2, .field = F(tfsr[2]), .wmask = 3, .check = mte_check,
     .flags = SR_EL2},
    {.name = "TFSR_EL3", .id = ARM_SYSREG(3, 6, 5, 6, 0), .read_el = 3, .write_el = 3, .field = F(tfsr[3]), .wmask = 3, .check = mte_check,
     .flags = SR_EL3},
    {.name = "ZCR_EL1", .id = ARM_SYSREG(3, 0, 1, 2, 0), .read_el = 1, .write_el = 1, .field = F(zcr[1]), .wmask = 15, .check = zcr_check,
     .flags = SR_E2H, .redirect = ARM_SYSREG(3, 4, 1, 2, 0)},
    {.name = "ZCR_EL12", .id = ARM_SYSREG(3, 5, 1, 2, 0), .read_el = 2, .write_el = 2, .field = F(zcr[1]), .wmask = 15, .check = zcr_check,
     .flags = SR_ALIAS12},
    {.name = "ZCR_EL2", .id = ARM_SYSREG(3, 4, 1, 2, 0), .read_el = 2, .write_el = 2, .field = F(zcr[2]), .wmask = 15, .check = zcr_check,
     .flags = SR_EL2},
    {.name = "ZCR_EL3", .id = ARM_SYSREG(3, 6, 1, 2, 0), .read_el = 3, .write_el = 3, .field = F(zcr[3]), .wmask = 15, .check = zcr_check,
     .flags = SR_EL3},
    /* limited ordering regions: there are none */
    {.name = "LORSA_EL1", .id = ARM_SYSREG(3, 0, 10, 4, 0), .read_el = 1, .write_el = 1, .flags = SR_IGNORE, .check = lor_check},
    {.name = "LOREA_EL1", .id = ARM_SYSREG(3, 0, 10, 4, 1), .read_el = 1, .write_el = 1, .flags = SR_IGNORE, .check = lor_check},
    {.name = "LORN_EL1", .id = ARM_SYSREG(3, 0, 10, 4, 2), .read_el = 1, .write_el = 1, .flags = SR_IGNORE, .check = lor_check},
    {.name = "LORC_EL1", .id = ARM_SYSREG(3, 0, 10, 4, 3), .read_el = 1, .write_el = 1, .flags = SR_IGNORE, .check = lor_check},
    {.name = "LORID_EL1", .id = ARM_SYSREG(3, 0, 10, 4, 7), .read_el = 1, .write_el = 4, .flags = SR_CONST, .check = lor_check},
    {.name = "RNDR", .id = ARM_SYSREG(3, 3, 2, 4, 0), .write_el = 4, .read = rndr_read, .check = rndr_check, .flags = SR_CONST},
    {.name = "RNDRRS", .id = ARM_SYSREG(3, 3, 2, 4, 1), .write_el = 4, .read = rndr_read, .check = rndr_check, .flags = SR_CONST},
    KEY("APIAKeyLo_EL1", 1, 0, 0, 0), KEY("APIAKeyHi_EL1", 1, 1, 0, 1), KEY("APIBKeyLo_EL1", 1, 2, 1, 0), KEY("APIBKeyHi_EL1", 1, 3, 1, 1),
    KEY("APDAKeyLo_EL1", 2, 0, 2, 0), KEY("APDAKeyHi_EL1", 2, 1, 2, 1), KEY("APDBKeyLo_EL1", 2, 2, 3, 0), KEY("APDBKeyHi_EL1", 2, 3, 3, 1),
    KEY("APGAKeyLo_EL1", 3, 0, 4, 0), KEY("APGAKeyHi_EL1", 3, 1, 4, 1),
    /* implementation defined: Cortex-A5x, A7x */
    {.name = "L2CTLR_EL1", .id = ARM_SYSREG(3, 1, 11, 0, 2), .read_el = 1, .write_el = 1, .flags = SR_IGNORE},
    {.name = "L2ECTLR_EL1", .id = ARM_SYSREG(3, 1, 11, 0, 3), .read_el = 1, .write_el = 1, .flags = SR_IGNORE},
    {.name = "L2ACTLR_EL1", .id = ARM_SYSREG(3, 1, 15, 0, 0), .read_el = 1, .write_el = 1, .flags = SR_IGNORE},
    {.name = "CPUACTLR_EL1", .id = ARM_SYSREG(3, 1, 15, 2, 0), .read_el = 1, .write_el = 1, .field = F(imp[0])},
    {.name = "CPUECTLR_EL1", .id = ARM_SYSREG(3, 1, 15, 2, 1), .read_el = 1, .write_el = 1, .field = F(imp[1])},
    {.name = "CPUMERRSR_EL1", .id = ARM_SYSREG(3, 1, 15, 2, 2), .read_el = 1, .write_el = 1, .flags = SR_IGNORE},
    {.name = "L2MERRSR_EL1", .id = ARM_SYSREG(3, 1, 15, 2, 3), .read_el = 1, .write_el = 1, .flags = SR_IGNORE},
    {.name = "CBAR_EL1", .id = ARM_SYSREG(3, 1, 15, 3, 0), .read_el = 1, .write_el = 4, .read = cbar_read, .flags = SR_CONST},
    {.name = "SCR_EL3", .id = ARM_SYSREG(3, 6, 1, 1, 0), .read_el = 3, .write_el = 3, .flags = SR_EL3, .field = F(scr), .write = scr_write},
    {.name = "SDER32_EL3", .id = ARM_SYSREG(3, 6, 1, 1, 1), .read_el = 3, .write_el = 3, .flags = SR_EL3, .field = F(sder)},
    {.name = "CPTR_EL3", .id = ARM_SYSREG(3, 6, 1, 1, 2), .read_el = 3, .write_el = 3, .flags = SR_EL3, .field = F(cptr_el3)},
    {.name = "MDCR_EL3", .id = ARM_SYSREG(3, 6, 1, 3, 1), .read_el = 3, .write_el = 3, .flags = SR_EL3, .field = F(mdcr_el3)},
    {0},
};
// clang-format on
