// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System registers of EL2: virtualization controls, stage 2, AArch32 banks as seen from AArch64.
 * D17.2.
 */
#include "target-arm/pmu.h"
#include "target-arm/sysreg.h"

#define F(f) offsetof(ArmCpu, f)

static void flush_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    uint64_t *f = arm_sysreg_field(c, r);

    if (*f != v) {
        *f = v;
        tlb_flush(&c->cpu);
    }
}

static void hcr_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    uint64_t valid = 0x3ffffffffull | (arm_has(c, FEATURE_VHE) ? HCR_E2H : 0) |
                     (arm_has(c, FEATURE_PAUTH) ? HCR_API | HCR_APK : 0) | 7ull << 35 | 1ull << 55 |
                     1ull << 49 | 1ull << 50 | 1ull << 54 | (arm_has(c, FEATURE_MTE) ? HCR_ATA : 0);
    uint64_t changed;

    if (!c->has_el3) {
        valid &= ~0ull;
    }
    v &= valid;
    if (!arm_has(c, FEATURE_A32_EL1)) {
        v |= HCR_RW;
    }
    changed = c->hcr ^ v;
    c->hcr = v;
    if (changed & (HCR_VM | HCR_PTW | HCR_DC | HCR_E2H | HCR_TGE | HCR_CD | HCR_ID)) {
        tlb_flush(&c->cpu);
    }
    arm_el_changed(c);
}

static void vttbr_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    uint64_t old = c->vttbr;

    c->vttbr = v;
    if (old != v) {     /* another VMID or table: EL1&0's translations, global ones too */
        tlb_flush_modes(&c->cpu, 1u << MMU_EL0 | 1u << MMU_EL1 | 1u << MMU_EL1_PAN);
    }
}

static uint64_t vpidr_read(ArmCpu *c, const ArmSysreg *r)
{
    return r->aux ? c->vmpidr : c->vpidr;
}

static uint64_t spsr_bank_read(ArmCpu *c, const ArmSysreg *r)
{
    return c->bank_spsr[r->aux];
}

static void spsr_bank_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    c->bank_spsr[r->aux] = (uint32_t)v;
}

static void hcx_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                      uintptr_t host_pc)
{
    if (!arm_has(c, FEATURE_HCX)) {
        arm_undefined(c, host_pc);
    }
}

/* It says whose the performance monitors are. */
static void mdcr_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    arm_pmu_sync(c);
    c->mdcr_el2 = v;
    arm_pmu_sync(c);
}

#define E2(n, crn, crm, op2, f_, wr)                                                   \
    {                                                                                  \
        .name = n, .id = ARM_SYSREG(3, 4, crn, crm, op2), .read_el = 2, .write_el = 2, \
        .flags = SR_EL2, .field = F(f_), .write = wr                                   \
    }
#define E2F(n, crn, crm, op2, f_, wr, feat)                                            \
    {                                                                                  \
        .name = n, .id = ARM_SYSREG(3, 4, crn, crm, op2), .read_el = 2, .write_el = 2, \
        .flags = SR_EL2, .field = F(f_), .write = wr, .feature = feat                  \
    }
#define BANK(n, op2, b)                                                            \
    {                                                                              \
        .name = n, .id = ARM_SYSREG(3, 4, 4, 3, op2), .read_el = 2, .write_el = 2, \
        .read = spsr_bank_read, .write = spsr_bank_write, .aux = b                 \
    }

// clang-format off
const ArmSysreg arm_sysregs_el2[] = {
    E2("HCR_EL2", 1, 1, 0, hcr, hcr_write),
    E2("MDCR_EL2", 1, 1, 1, mdcr_el2, mdcr_write),
    E2("CPTR_EL2", 1, 1, 2, cptr_el2, NULL),
    E2("HSTR_EL2", 1, 1, 3, hstr, NULL),
    {.name = "HCRX_EL2", .id = ARM_SYSREG(3, 4, 1, 2, 2), .read_el = 2, .write_el = 2, .flags = SR_EL2, .field = F(hcrx), .check = hcx_check},
    E2("HACR_EL2", 1, 1, 7, hacr, NULL),
    E2("VTTBR_EL2", 2, 1, 0, vttbr, vttbr_write),
    E2("VTCR_EL2", 2, 1, 2, vtcr, flush_write),
    E2F("VSTTBR_EL2", 2, 6, 0, vsttbr, flush_write, FEATURE_SEL2),
    E2F("VSTCR_EL2", 2, 6, 2, vstcr, flush_write, FEATURE_SEL2),
    E2("DACR32_EL2", 3, 0, 0, dacr, flush_write),
    E2("IFSR32_EL2", 5, 0, 1, ifsr, NULL),
    E2("FPEXC32_EL2", 5, 3, 0, fpexc, NULL),
    E2F("VSESR_EL2", 5, 2, 3, vsesr, NULL, FEATURE_RAS),
    E2F("VDISR_EL2", 12, 1, 1, vdisr, NULL, FEATURE_RAS),
    E2("HPFAR_EL2", 6, 0, 4, hpfar, NULL),
    {.name = "VPIDR_EL2", .id = ARM_SYSREG(3, 4, 0, 0, 0), .read_el = 2, .write_el = 2, .flags = SR_EL2, .field = F(vpidr), .read = vpidr_read},
    {.name = "VMPIDR_EL2", .id = ARM_SYSREG(3, 4, 0, 0, 5), .read_el = 2, .write_el = 2, .flags = SR_EL2, .field = F(vmpidr), .read = vpidr_read, .aux = 1},
    BANK("SPSR_irq", 0, BANK_IRQ), BANK("SPSR_abt", 1, BANK_ABT), BANK("SPSR_und", 2, BANK_UND), BANK("SPSR_fiq", 3, BANK_FIQ),
    {0},
};
// clang-format on
