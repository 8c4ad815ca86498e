// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Coprocessor 15 (and 14) registers of AArch32: rows over the same fields as the AArch64 registers
 * (G8.2). What TrustZone banks is kept apart by a32-banks.c.
 */
#include "target-arm/sysreg.h"

#include "qom/vm.h"
#include "target-arm/helpers.h"
#include "target-arm/models.h"
#include "util/log.h"

#define F(f) offsetof(ArmCpu, f)
#define CP14 ARM_CP14

/* ---- hooks ---- */

static uint64_t low_read(ArmCpu *c, const ArmSysreg *r)
{
    return (uint32_t)*arm_sysreg_field(c, r);
}

static void low_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    uint64_t *f = arm_sysreg_field(c, r);

    *f = (*f & ~(uint64_t)UINT32_MAX) | (uint32_t)v;
}

static uint64_t high_read(ArmCpu *c, const ArmSysreg *r)
{
    return *arm_sysreg_field(c, r) >> 32;
}

static void high_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    uint64_t *f = arm_sysreg_field(c, r);

    *f = (uint32_t)*f | v << 32;
}

static void flush_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    uint64_t *f = arm_sysreg_field(c, r);

    if (*f != v) {
        *f = v;
        tlb_flush(&c->cpu);
    }
}

static void sctlr_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    flush_write(c, r, (uint32_t)v);
}

/* What pages that are not global depend on: ASID and, by short descriptors, access to domains. */
void arm_a32_space_changed(ArmCpu *c)
{
    if (c->tcr[1] >> 31 & 1) {
        tlb_flush_nonglobal(&c->cpu);       /* long descriptors: the ASID is in TTBR0 or TTBR1 */
    } else {
        tlb_switch_space(&c->cpu, 1ull << 62 | c->dacr << 8 | (c->contextidr[1] & 0xff));
    }
}

/*
 * Systems without PAN close the user's domain on each way into the kernel: what is global stays, if
 * no global page has been of a domain whose access changes.
 */
static void dacr_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    uint64_t changed = c->dacr ^ (uint32_t)v;

    (void)r;
    c->dacr = (uint32_t)v;
    if (changed & c->global_domains) {
        tlb_flush(&c->cpu);
    } else if (changed) {
        arm_a32_space_changed(c);
    }
}

static void asid_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    c->contextidr[1] = v;
    arm_a32_space_changed(c);
}

static uint64_t id32_read(ArmCpu *c, const ArmSysreg *r)
{
    return *(const uint32_t *)((const char *)c + r->aux);
}

static uint64_t midr_read(ArmCpu *c, const ArmSysreg *r)
{
    return (uint32_t)(arm_el(c) == 1 && arm_el2_enabled(c) ? c->vpidr : c->id.midr);
}

static uint64_t mpidr_read(ArmCpu *c, const ArmSysreg *r)
{
    return (uint32_t)(arm_el(c) == 1 && arm_el2_enabled(c) ? c->vmpidr : arm_mpidr(c));
}

static uint64_t ccsidr_read(ArmCpu *c, const ArmSysreg *r)
{
    return (c->csselr & 15) < 8 ? (uint32_t)c->id.ccsidr[c->csselr & 7] : 0;
}

static void nothing(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
}

static void flush_all(Cpu *cpu, uint64_t data)
{
    tlb_flush(cpu);
}

static void flush_page(Cpu *cpu, uint64_t va)
{
    tlb_flush_page(cpu, va);
}

static void everywhere(ArmCpu *c, CpuWorkFn *fn, uint64_t data)
{
    GPtrArray *cpus = c->cpu.dev.vm->cpus;

    for (unsigned i = 0; i < cpus->len; i++) {
        Cpu *other = cpus->pdata[i];

        if (other == &c->cpu) {
            fn(other, data);
        } else {
            cpu_run_on(other, fn, data);
        }
    }
}

static void tlbi_all(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    everywhere(c, flush_all, 0);
}

static void tlbi_va(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    everywhere(c, flush_page, (uint32_t)v & ~0xfffu);
}

static void at_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    c->par = arm_address_translate(c, (uint32_t)v, r->aux & 1 ? ACCESS_STORE : ACCESS_LOAD,
                                   r->aux & 2 ? MMU_EL0 : MMU_EL1, 1);
    if (!(c->tcr[1] >> 31 & 1)) {       /* the short format of PAR */
        c->par = c->par & 1 ? 1 | (c->par >> 1 & 0x3f) << 1 : (c->par & 0xfffff000);
    }
}

/* Hyp mode's translations, and both stages of Non-secure EL1's: PAR's long format. */
static void at_hyp_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    c->par = arm_address_translate(c, (uint32_t)v, r->aux & 1 ? ACCESS_STORE : ACCESS_LOAD, MMU_EL2,
                                   1);
}

static void at_both_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    c->par = arm_address_translate(c, (uint32_t)v, r->aux & 1 ? ACCESS_STORE : ACCESS_LOAD,
                                   r->aux & 2 ? MMU_EL0 : MMU_EL1, 2);
}

static void hcr_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    flush_write(c, r, r->aux ? (uint32_t)c->hcr | v << 32 : (c->hcr & ~(uint64_t)UINT32_MAX) | v);
    arm_el_changed(c);
}

static void cntvoff_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    c->cntvoff = v;
    arm_timer_update(c, GT_VIRT);
}

static void scr_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    flush_write(c, r, (uint32_t)v);
    arm_a32_world(c);
    arm_el_changed(c);
}

/* CNTP_*: Secure state of AArch32 has a timer of its own. */
static unsigned timer_of(const ArmCpu *c, const ArmSysreg *r)
{
    return r->aux == GT_PHYS && arm_a32_banked(c) && !(c->scr & SCR_NS) ? GT_SEC : r->aux;
}

static void timer_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                        uintptr_t host_pc)
{
    if (!arm_has(c, FEATURE_GENERIC_TIMER)) {
        arm_undefined(c, host_pc);
    }
    if (arm_el(c) == 0) {
        bool counter = r->aux >= 16, virt = (r->aux & 15) == GT_VIRT;
        unsigned bits = counter ? virt ? 2 : 1 : virt ? 1 << 8 : 1 << 9;

        if (!(c->cntkctl[1] & bits)) {
            arm_undefined(c, host_pc);
        }
    }
}

static uint64_t count_read(ArmCpu *c, const ArmSysreg *r)
{
    return arm_counter(c) - ((r->aux & 15) == GT_VIRT ? c->cntvoff : 0);
}

static uint64_t ctl_read(ArmCpu *c, const ArmSysreg *r)
{
    unsigned w = timer_of(c, r);

    arm_timer_update(c, w);
    return c->gt[w].ctl;
}

static void ctl_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    unsigned w = timer_of(c, r);

    c->gt[w].ctl = (c->gt[w].ctl & 4) | (v & 3);
    arm_timer_update(c, w);
}

static uint64_t tval_read(ArmCpu *c, const ArmSysreg *r)
{
    unsigned w = timer_of(c, r);

    return (uint32_t)(c->gt[w].cval - (arm_counter(c) - arm_timer_offset(c, w)));
}

static void tval_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    unsigned w = timer_of(c, r);

    c->gt[w].cval = arm_counter(c) - arm_timer_offset(c, w) + (uint64_t)(int64_t)(int32_t)v;
    arm_timer_update(c, w);
}

static uint64_t cval_read(ArmCpu *c, const ArmSysreg *r)
{
    return c->gt[timer_of(c, r)].cval;
}

static void cval_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    unsigned w = timer_of(c, r);

    c->gt[w].cval = v;
    arm_timer_update(c, w);
}

static uint64_t cbar_read(ArmCpu *c, const ArmSysreg *r)
{
    return c->reset_cbar;
}

static uint64_t isr_read(ArmCpu *c, const ArmSysreg *r)
{
    uint32_t p = atomic_load(&c->cpu.pending);

    return (p & CPU_PENDING_HARD ? 1 << 7 : 0) | (p & ARM_PENDING_FIQ ? 1 << 6 : 0);
}

static void lpae_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                       uintptr_t host_pc)
{
    if (!arm_has(c, FEATURE_LPAE)) {
        arm_undefined(c, host_pc);
    }
}

/* Test and clean of caches, which end at once: Z of the flags that the result goes to. */
static uint64_t clean_read(ArmCpu *c, const ArmSysreg *r)
{
    return 1u << 30;
}

static void no_v6_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                        uintptr_t host_pc)
{
    if (arm_has(c, FEATURE_V6)) {
        arm_undefined(c, host_pc);
    }
}

static void no_v7_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                        uintptr_t host_pc)
{
    if (arm_has(c, FEATURE_V7)) {
        arm_undefined(c, host_pc);
    }
}

/* Implementation defined registers of the cores before the virtualization extensions. */
static void no_lpae_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                          uintptr_t host_pc)
{
    if (arm_has(c, FEATURE_LPAE)) {
        arm_undefined(c, host_pc);
    }
}

#define P(op1, crn, crm, op2) ARM_CP15(0, op1, crn, crm, op2)
#define ROW(n, id_, el, f_, ...)                                                        \
    {                                                                                   \
        .name = n, .id = id_, .read_el = el, .write_el = el, .field = f_, ##__VA_ARGS__ \
    }
#define CONST(n, id_, ...)                                                                  \
    {                                                                                       \
        .name = n, .id = id_, .read_el = 1, .write_el = 4, .flags = SR_CONST, ##__VA_ARGS__ \
    }
#define IDR(n, crm, op2, f_) \
    CONST(n, P(0, 0, crm, op2), .read = id32_read, .aux = offsetof(ArmCpu, id.f_))
#define OP(n, op1, crn, crm, op2, el, fn, a)                                   \
    {                                                                          \
        .name = n, .id = P(op1, crn, crm, op2), .read_el = el, .write_el = el, \
        .flags = SR_WO | ((crn) == 7 ? SR_NO_EXIT : 0), .write = fn, .aux = a  \
    }
#define HOP(n, crn, crm, op2, fn, a)                                                      \
    {                                                                                     \
        .name = n, .id = P(4, crn, crm, op2), .read_el = 2, .write_el = 2,                \
        .flags = SR_WO | SR_EL2 | ((crn) == 7 ? SR_NO_EXIT : 0), .write = fn, .aux = a    \
    }
#define HYP(n, crn, crm, op2, f_, wr) \
    ROW(n, P(4, crn, crm, op2), 2, F(f_), .flags = SR_EL2 | SR_32, .write = wr)
#define LOW .read = low_read, .write = low_write

// clang-format off
const ArmSysreg arm_cp15_regs[] = {
    CONST("MIDR", P(0, 0, 0, 0), .read = midr_read), CONST("CTR", P(0, 0, 0, 1), .field = F(id.ctr), .read = low_read),
    CONST("TCMTR", P(0, 0, 0, 2)), CONST("TLBTR", P(0, 0, 0, 3)), CONST("MIDR4", P(0, 0, 0, 4), .read = midr_read),
    CONST("MPIDR", P(0, 0, 0, 5), .read = mpidr_read), CONST("REVIDR", P(0, 0, 0, 6), .field = F(id.revidr), .read = low_read), CONST("MIDR7", P(0, 0, 0, 7), .read = midr_read),
    IDR("ID_PFR0", 1, 0, a32_pfr0), IDR("ID_PFR1", 1, 1, a32_pfr1), IDR("ID_DFR0", 1, 2, a32_dfr0), IDR("ID_AFR0", 1, 3, a32_afr0),
    IDR("ID_MMFR0", 1, 4, a32_mmfr[0]), IDR("ID_MMFR1", 1, 5, a32_mmfr[1]), IDR("ID_MMFR2", 1, 6, a32_mmfr[2]), IDR("ID_MMFR3", 1, 7, a32_mmfr[3]),
    IDR("ID_ISAR0", 2, 0, a32_isar[0]), IDR("ID_ISAR1", 2, 1, a32_isar[1]), IDR("ID_ISAR2", 2, 2, a32_isar[2]), IDR("ID_ISAR3", 2, 3, a32_isar[3]),
    IDR("ID_ISAR4", 2, 4, a32_isar[4]), IDR("ID_ISAR5", 2, 5, a32_isar[5]), IDR("ID_MMFR4", 2, 6, a32_mmfr[4]), IDR("ID_ISAR6", 2, 7, a32_isar[6]),
    IDR("ID_PFR2", 3, 4, a32_pfr2), IDR("ID_DFR1", 3, 5, a32_dfr1), IDR("ID_MMFR5", 3, 6, a32_mmfr[5]),
    CONST("CCSIDR", P(1, 0, 0, 0), .read = ccsidr_read), CONST("CLIDR", P(1, 0, 0, 1), .field = F(id.clidr), .read = low_read),
    CONST("AIDR", P(1, 0, 0, 7)), ROW("CSSELR", P(2, 0, 0, 0), 1, F(csselr)),
    ROW("SCTLR", P(0, 1, 0, 0), 1, F(sctlr[1]), .write = sctlr_write), ROW("ACTLR", P(0, 1, 0, 1), 1, F(actlr[1]), LOW), ROW("CPACR", P(0, 1, 0, 2), 1, F(cpacr), .wmask = 0xf0f00000),
    ROW("SCR", P(0, 1, 1, 0), 3, F(scr), .flags = SR_EL3, .write = scr_write), ROW("SDER", P(0, 1, 1, 1), 3, F(sder), .flags = SR_EL3), ROW("NSACR", P(0, 1, 1, 2), 3, F(nsacr), .flags = SR_EL3),
    ROW("TTBR0", P(0, 2, 0, 0), 1, F(ttbr0[1]), .write = flush_write), ROW("TTBR1", P(0, 2, 0, 1), 1, F(ttbr1[1]), .write = flush_write), ROW("TTBCR", P(0, 2, 0, 2), 1, F(tcr[1]), .write = flush_write),
    ROW("TTBR0_64", ARM_CP15(1, 0, 0, 2, 0), 1, F(ttbr0[1]), .write = flush_write, .check = lpae_check), ROW("TTBR1_64", ARM_CP15(1, 1, 0, 2, 0), 1, F(ttbr1[1]), .write = flush_write, .check = lpae_check),
    ROW("DACR", P(0, 3, 0, 0), 1, F(dacr), .write = dacr_write), ROW("DFSR", P(0, 5, 0, 0), 1, F(esr[1]), LOW), ROW("IFSR", P(0, 5, 0, 1), 1, F(ifsr)),
    ROW("ADFSR", P(0, 5, 1, 0), 1, F(afsr0[1]), LOW), ROW("AIFSR", P(0, 5, 1, 1), 1, F(afsr1[1]), LOW),
    ROW("DFAR", P(0, 6, 0, 0), 1, F(far[1]), LOW), ROW("IFAR", P(0, 6, 0, 2), 1, F(far[1]), .read = high_read, .write = high_write),
    ROW("PAR", P(0, 7, 4, 0), 1, F(par), LOW), ROW("PAR_64", ARM_CP15(1, 0, 0, 7, 0), 1, F(par), .check = lpae_check),
    ROW("PRRR", P(0, 10, 2, 0), 1, F(mair[1]), LOW), ROW("NMRR", P(0, 10, 2, 1), 1, F(mair[1]), .read = high_read, .write = high_write),
    ROW("AMAIR0", P(0, 10, 3, 0), 1, F(amair[1]), LOW), ROW("AMAIR1", P(0, 10, 3, 1), 1, F(amair[1]), .read = high_read, .write = high_write),
    ROW("VBAR", P(0, 12, 0, 0), 1, F(vbar[1]), LOW), ROW("MVBAR", P(0, 12, 0, 1), 3, F(mvbar), .flags = SR_EL3), CONST("ISR", P(0, 12, 1, 0), .read = isr_read),
    ROW("FCSEIDR", P(0, 13, 0, 0), 1, 0, .flags = SR_IGNORE), ROW("CONTEXTIDR", P(0, 13, 0, 1), 1, F(contextidr[1]), .write = asid_write),
    ROW("TPIDRURW", P(0, 13, 0, 2), 0, F(tpidr_el0), LOW, .flags = SR_NO_EXIT | SR_DIRECT_READ), {.name = "TPIDRURO", .id = P(0, 13, 0, 3), .write_el = 1, .field = F(tpidrro_el0), LOW, .flags = SR_NO_EXIT | SR_DIRECT_READ},
    ROW("TPIDRPRW", P(0, 13, 0, 4), 1, F(tpidr[1]), LOW, .flags = SR_NO_EXIT | SR_DIRECT_READ),
    {.name = "CNTFRQ", .id = P(0, 14, 0, 0), .write_el = 1, .field = F(cntfrq), LOW}, ROW("CNTKCTL", P(0, 14, 1, 0), 1, F(cntkctl[1]), LOW),
    ROW("CNTP_TVAL", P(0, 14, 2, 0), 0, 0, .read = tval_read, .write = tval_write, .aux = GT_PHYS, .check = timer_check, .flags = SR_LOCK),
    ROW("CNTP_CTL", P(0, 14, 2, 1), 0, 0, .read = ctl_read, .write = ctl_write, .aux = GT_PHYS, .check = timer_check, .flags = SR_LOCK),
    ROW("CNTV_TVAL", P(0, 14, 3, 0), 0, 0, .read = tval_read, .write = tval_write, .aux = GT_VIRT, .check = timer_check, .flags = SR_LOCK),
    ROW("CNTV_CTL", P(0, 14, 3, 1), 0, 0, .read = ctl_read, .write = ctl_write, .aux = GT_VIRT, .check = timer_check, .flags = SR_LOCK),
    ROW("CNTPCT", ARM_CP15(1, 0, 0, 14, 0), 0, 0, .read = count_read, .aux = GT_PHYS | 16, .check = timer_check, .flags = SR_CONST),
    ROW("CNTVCT", ARM_CP15(1, 1, 0, 14, 0), 0, 0, .read = count_read, .aux = GT_VIRT | 16, .check = timer_check, .flags = SR_CONST),
    ROW("CNTP_CVAL", ARM_CP15(1, 2, 0, 14, 0), 0, 0, .read = cval_read, .write = cval_write, .aux = GT_PHYS, .check = timer_check, .flags = SR_LOCK),
    ROW("CNTV_CVAL", ARM_CP15(1, 3, 0, 14, 0), 0, 0, .read = cval_read, .write = cval_write, .aux = GT_VIRT, .check = timer_check, .flags = SR_LOCK),
    ROW("L2CTLR", P(1, 9, 0, 2), 1, 0, .flags = SR_IGNORE), ROW("L2ECTLR", P(1, 9, 0, 3), 1, 0, .flags = SR_IGNORE),
    CONST("TESTCLEAN", P(0, 7, 10, 3), .read = clean_read, .check = no_v6_check), CONST("TESTCLEANINV", P(0, 7, 14, 3), .read = clean_read, .check = no_v6_check),
    ROW("DLOCKDOWN", P(0, 9, 0, 0), 1, 0, .flags = SR_IGNORE, .check = no_v7_check), ROW("ILOCKDOWN", P(0, 9, 0, 1), 1, 0, .flags = SR_IGNORE, .check = no_v7_check),
    ROW("DTCM", P(0, 9, 1, 0), 1, 0, .flags = SR_IGNORE, .check = no_v7_check), ROW("ITCM", P(0, 9, 1, 1), 1, 0, .flags = SR_IGNORE, .check = no_v7_check),
    ROW("PCR", P(0, 15, 0, 0), 1, 0, .flags = SR_IGNORE, .check = no_lpae_check), ROW("DIAG", P(0, 15, 0, 1), 1, 0, .flags = SR_IGNORE, .check = no_lpae_check),
    CONST("CBAR", P(4, 15, 0, 0), .read = cbar_read),
    /* Hyp mode */
    HYP("VPIDR", 0, 0, 0, vpidr, NULL), HYP("VMPIDR", 0, 0, 5, vmpidr, NULL), HYP("HSCTLR", 1, 0, 0, sctlr[2], sctlr_write), HYP("HACTLR", 1, 0, 1, actlr[2], NULL),
    ROW("HCR", P(4, 1, 1, 0), 2, F(hcr), .flags = SR_EL2, .read = low_read, .write = hcr_write), HYP("HDCR", 1, 1, 1, mdcr_el2, NULL), HYP("HCPTR", 1, 1, 2, cptr_el2, NULL),
    HYP("HSTR", 1, 1, 3, hstr, NULL), ROW("HCR2", P(4, 1, 1, 4), 2, F(hcr), .flags = SR_EL2, .read = high_read, .write = hcr_write, .aux = 1), HYP("HACR", 1, 1, 7, hacr, NULL),
    HYP("HTCR", 2, 0, 2, tcr[2], flush_write), HYP("VTCR", 2, 1, 2, vtcr, flush_write), HYP("HADFSR", 5, 1, 0, afsr0[2], NULL), HYP("HAIFSR", 5, 1, 1, afsr1[2], NULL),
    HYP("HSR", 5, 2, 0, esr[2], NULL), ROW("HDFAR", P(4, 6, 0, 0), 2, F(far[2]), .flags = SR_EL2, LOW),
    ROW("HIFAR", P(4, 6, 0, 2), 2, F(far[2]), .flags = SR_EL2, .read = high_read, .write = high_write), HYP("HPFAR", 6, 0, 4, hpfar, NULL),
    ROW("HMAIR0", P(4, 10, 2, 0), 2, F(mair[2]), .flags = SR_EL2, LOW), ROW("HMAIR1", P(4, 10, 2, 1), 2, F(mair[2]), .flags = SR_EL2, .read = high_read, .write = high_write),
    ROW("HAMAIR0", P(4, 10, 3, 0), 2, F(amair[2]), .flags = SR_EL2, LOW), ROW("HAMAIR1", P(4, 10, 3, 1), 2, F(amair[2]), .flags = SR_EL2, .read = high_read, .write = high_write),
    HYP("HVBAR", 12, 0, 0, vbar[2], NULL), HYP("HTPIDR", 13, 0, 2, tpidr[2], NULL), HYP("CNTHCTL", 14, 1, 0, cnthctl, NULL),
    ROW("CNTHP_TVAL", P(4, 14, 2, 0), 2, 0, .read = tval_read, .write = tval_write, .aux = GT_HYP, .flags = SR_LOCK | SR_EL2),
    ROW("CNTHP_CTL", P(4, 14, 2, 1), 2, 0, .read = ctl_read, .write = ctl_write, .aux = GT_HYP, .flags = SR_LOCK | SR_EL2),
    ROW("CNTHP_CVAL", ARM_CP15(1, 6, 0, 14, 0), 2, 0, .read = cval_read, .write = cval_write, .aux = GT_HYP, .flags = SR_LOCK | SR_EL2),
    ROW("CNTVOFF", ARM_CP15(1, 4, 0, 14, 0), 2, F(cntvoff), .flags = SR_EL2 | SR_LOCK, .write = cntvoff_write),
    ROW("HTTBR", ARM_CP15(1, 4, 0, 2, 0), 2, F(ttbr0[2]), .flags = SR_EL2, .write = flush_write), ROW("VTTBR", ARM_CP15(1, 6, 0, 2, 0), 2, F(vttbr), .flags = SR_EL2, .write = flush_write),
    /* coprocessor 14: ThumbEE and Jazelle; debug has a table of its own */
    ROW("TEECR", CP14 | P(6, 0, 0, 0), 1, F(teecr)), ROW("TEEHBR", CP14 | P(6, 1, 0, 0), 0, F(teehbr)),
    CONST("JIDR", CP14 | P(7, 0, 0, 0), .read_el = 0), ROW("JMCR", CP14 | P(7, 2, 0, 0), 1, 0, .flags = SR_IGNORE), ROW("JOSCR", CP14 | P(7, 1, 0, 0), 1, 0, .flags = SR_IGNORE),
    {0},
};

const ArmSysreg arm_cp15_maint[] = {
    OP("ICIALLUIS", 0, 7, 1, 0, 1, nothing, 0), OP("BPIALLIS", 0, 7, 1, 6, 1, nothing, 0), OP("ICIALLU", 0, 7, 5, 0, 1, nothing, 0), OP("ICIMVAU", 0, 7, 5, 1, 1, nothing, 0),
    OP("CP15ISB", 0, 7, 5, 4, 0, nothing, 0), OP("BPIALL", 0, 7, 5, 6, 1, nothing, 0), OP("BPIMVA", 0, 7, 5, 7, 1, nothing, 0), OP("DCIMVAC", 0, 7, 6, 1, 1, nothing, 0),
    OP("DCISW", 0, 7, 6, 2, 1, nothing, 0), OP("DCCMVAC", 0, 7, 10, 1, 1, nothing, 0), OP("DCCSW", 0, 7, 10, 2, 1, nothing, 0), OP("CP15DSB", 0, 7, 10, 4, 0, nothing, 0),
    OP("CP15DMB", 0, 7, 10, 5, 0, nothing, 0), OP("DCCMVAU", 0, 7, 11, 1, 1, nothing, 0), OP("DCCIMVAC", 0, 7, 14, 1, 1, nothing, 0), OP("DCCISW", 0, 7, 14, 2, 1, nothing, 0),
    OP("WFI", 0, 7, 0, 4, 1, nothing, 0),
    /* of v6 */
    OP("INVBOTH", 0, 7, 7, 0, 1, nothing, 0), OP("INVDALL", 0, 7, 6, 0, 1, nothing, 0), OP("CLEANDALL", 0, 7, 10, 0, 1, nothing, 0),
    OP("CLEANINVDALL", 0, 7, 14, 0, 1, nothing, 0), OP("CLEANALL", 0, 7, 11, 0, 1, nothing, 0), OP("CLEANINVALL", 0, 7, 15, 0, 1, nothing, 0),
    OP("INVISW", 0, 7, 5, 2, 1, nothing, 0), OP("PREFETCH", 0, 7, 13, 1, 1, nothing, 0), OP("INVUMVA", 0, 7, 7, 1, 1, nothing, 0),
    OP("CLEANINVUMVA", 0, 7, 15, 1, 1, nothing, 0),
    {.name = "INVIRANGE", .id = ARM_CP15(1, 0, 0, 5, 0), .read_el = 1, .write_el = 1, .flags = SR_WO, .write = nothing},
    {.name = "INVDRANGE", .id = ARM_CP15(1, 0, 0, 6, 0), .read_el = 1, .write_el = 1, .flags = SR_WO, .write = nothing},
    OP("ATS1CPR", 0, 7, 8, 0, 1, at_write, 0), OP("ATS1CPW", 0, 7, 8, 1, 1, at_write, 1), OP("ATS1CUR", 0, 7, 8, 2, 1, at_write, 2), OP("ATS1CUW", 0, 7, 8, 3, 1, at_write, 3),
    OP("TLBIALLIS", 0, 8, 3, 0, 1, tlbi_all, 0), OP("TLBIMVAIS", 0, 8, 3, 1, 1, tlbi_va, 0), OP("TLBIASIDIS", 0, 8, 3, 2, 1, tlbi_all, 0), OP("TLBIMVAAIS", 0, 8, 3, 3, 1, tlbi_va, 0),
    OP("TLBIMVALIS", 0, 8, 3, 5, 1, tlbi_va, 0), OP("TLBIMVAALIS", 0, 8, 3, 7, 1, tlbi_va, 0), OP("ITLBIALL", 0, 8, 5, 0, 1, tlbi_all, 0), OP("ITLBIMVA", 0, 8, 5, 1, 1, tlbi_va, 0),
    OP("ITLBIASID", 0, 8, 5, 2, 1, tlbi_all, 0), OP("DTLBIALL", 0, 8, 6, 0, 1, tlbi_all, 0), OP("DTLBIMVA", 0, 8, 6, 1, 1, tlbi_va, 0), OP("DTLBIASID", 0, 8, 6, 2, 1, tlbi_all, 0),
    OP("TLBIALL", 0, 8, 7, 0, 1, tlbi_all, 0), OP("TLBIMVA", 0, 8, 7, 1, 1, tlbi_va, 0), OP("TLBIASID", 0, 8, 7, 2, 1, tlbi_all, 0), OP("TLBIMVAA", 0, 8, 7, 3, 1, tlbi_va, 0),
    OP("TLBIMVAL", 0, 8, 7, 5, 1, tlbi_va, 0), OP("TLBIMVAAL", 0, 8, 7, 7, 1, tlbi_va, 0),
    /* Hyp mode's, and stage 2 */
    HOP("TLBIALLHIS", 8, 3, 0, tlbi_all, 0), HOP("TLBIMVAHIS", 8, 3, 1, tlbi_va, 0), HOP("TLBIALLNSNHIS", 8, 3, 4, tlbi_all, 0), HOP("TLBIMVALHIS", 8, 3, 5, tlbi_va, 0),
    HOP("TLBIALLH", 8, 7, 0, tlbi_all, 0), HOP("TLBIMVAH", 8, 7, 1, tlbi_va, 0), HOP("TLBIALLNSNH", 8, 7, 4, tlbi_all, 0), HOP("TLBIMVALH", 8, 7, 5, tlbi_va, 0),
    HOP("TLBIIPAS2IS", 8, 0, 1, tlbi_all, 0), HOP("TLBIIPAS2LIS", 8, 0, 5, tlbi_all, 0), HOP("TLBIIPAS2", 8, 4, 1, tlbi_all, 0), HOP("TLBIIPAS2L", 8, 4, 5, tlbi_all, 0),
    HOP("ATS1HR", 7, 8, 0, at_hyp_write, 0), HOP("ATS1HW", 7, 8, 1, at_hyp_write, 1),
    OP("ATS12NSOPR", 0, 7, 8, 4, 2, at_both_write, 0), OP("ATS12NSOPW", 0, 7, 8, 5, 2, at_both_write, 1), OP("ATS12NSOUR", 0, 7, 8, 6, 2, at_both_write, 2), OP("ATS12NSOUW", 0, 7, 8, 7, 2, at_both_write, 3),
    {0},
};
// clang-format on

/* ---- access ---- */

static const ArmSysreg *checked(ArmCpu *c, uint32_t id, bool read, uintptr_t host_pc)
{
    const ArmSysreg *r = arm_cp15_find(id);
    unsigned el = arm_el(c);

    if (el == 1 && !c->aarch64_prop && c->has_el3 && !(c->scr & SCR_NS)) {
        el = 3;
    }
    if (r && r->flags & SR_EL2 && el == 3 && !((c->pstate & 31) == A32_MON && c->scr & SCR_NS)) {
        el = 1;         /* Hyp mode's: of Secure state only Monitor mode with NS set gets there */
    }
    if (!r || el < (read ? r->read_el : r->write_el) ||
        (read ? r->flags & SR_WO : r->flags & SR_CONST) || (r->flags & SR_EL3 && !c->has_el3) ||
        (r->flags & SR_EL2 && !c->has_el2)) {
        /* the rest of the ID space reads as 0, debug registers too */
        if (!r && read && el > 0 && (id & 0x7fff) >> 7 == 0 && !(id & 1u << 16) &&
            (id >> 3 & 15) < 8) {
            return NULL;
        }
        log_mask(
            LOG_UNIMP,
            "access to unknown coprocessor %u register %s opc1=%u crn=%u crm=%u opc2=%u (%s)\n",
            id >> 25 & 1 ? 14 : 15, id >> 16 & 1 ? "64" : "32", id >> 11 & 7, id >> 7 & 15,
            id >> 3 & 15, id & 7, read ? "read" : "write");
        arm_undefined(c, host_pc);
    }
    if (r->check) {
        r->check(c, r, !read, 0, host_pc);
    }
    return r;
}

uint64_t helper_cp15_read(Cpu *cpu, uint32_t id, uint32_t rt)
{
    ArmCpu *c = ARM(cpu);
    uintptr_t host_pc = HOST_PC();
    const ArmProvided *p = arm_provided_find(c, id);
    uint64_t v = 0;

    if (p && p->row->read && arm_el(c) >= p->row->min_el) {
        bool taken = arm_lock();
        ArmSysregResult r = p->row->read(cpu, p->opaque, p->row, &v);

        arm_unlock(taken);
        if (r != ARM_SYSREG_OK) {
            arm_undefined(c, host_pc);
        }
        return v;
    }
    const ArmSysreg *r = checked(c, id, true, host_pc);
    bool taken = r && r->flags & SR_LOCK && arm_lock();

    bool reach = r && arm_a32_reach(c, r);

    v = r ? arm_sysreg_get(c, r) : 0;
    if (reach) {
        arm_a32_reached(c);
    }
    arm_unlock(taken);
    return v;
}

void helper_cp15_write(Cpu *cpu, uint32_t id, uint32_t rt, uint64_t value)
{
    ArmCpu *c = ARM(cpu);
    uintptr_t host_pc = HOST_PC();
    const ArmProvided *p = arm_provided_find(c, id);

    if (p && p->row->write && arm_el(c) >= p->row->min_el) {
        bool taken = arm_lock();
        ArmSysregResult r = p->row->write(cpu, p->opaque, p->row, value);

        arm_unlock(taken);
        if (r != ARM_SYSREG_OK) {
            arm_undefined(c, host_pc);
        }
        return;
    }
    const ArmSysreg *r = checked(c, id, false, host_pc);
    bool taken = r->flags & SR_LOCK && arm_lock(), reach = arm_a32_reach(c, r);

    cpu->mem_host_pc = host_pc;     /* translations on demand may fault */
    arm_sysreg_set(c, r, value);
    cpu->mem_host_pc = 0;
    if (reach) {
        arm_a32_reached(c);
    }
    arm_unlock(taken);
}
