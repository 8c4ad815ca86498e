// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System instructions: cache maintenance (nothing to do but the permission checks; translated code
 * follows guest writes by itself), TLB maintenance here and on all CPUs, address translation. C5.3
 * to C5.5.
 */
#include "target-arm/sysreg.h"

#include <string.h>
#include "qom/vm.h"
#include "target-arm/helpers.h"

/* ---- cache ---- */

/* EL0 needs SCTLR.UCI; the address must be readable there. */
static void uci_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                      uintptr_t host_pc)
{
    if (arm_el(c) == 0 && !(c->sctlr[arm_regime_el(c, 0)] & SCTLR_UCI)) {
        arm_raise(c, ARM_EXC_OTHER, syndrome, arm_default_el(c), host_pc);
    }
}

static void tsw_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                      uintptr_t host_pc)
{
    if (arm_el(c) == 1 && arm_hcr(c) & HCR_TSW) {
        arm_raise(c, ARM_EXC_HYP_TRAP, syndrome, 2, host_pc);
    }
}

static void dpb_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                      uintptr_t host_pc)
{
    if (!arm_has(c, r->aux)) {
        arm_undefined(c, host_pc);
    }
    uci_check(c, r, write, syndrome, host_pc);
}

static void nothing(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
}

void helper_dc_zva(Cpu *cpu, uint64_t va)
{
    ArmCpu *c = ARM(cpu);
    uintptr_t host_pc = HOST_PC();
    unsigned el = arm_el(c), mmu = arm_mmu_index(c), bytes = 4u << (c->id.dczid & 15);
    static const uint8_t zeros[2048];

    if (el == 0 && !(c->sctlr[arm_regime_el(c, 0)] & SCTLR_DZE)) {
        arm_raise(c, ARM_EXC_OTHER, arm_sysreg_syndrome(ARM_SYSREG(1, 3, 7, 4, 1), 0, false),
                  arm_default_el(c), host_pc);
    }
    if (el < 2 && arm_hcr(c) & HCR_TDZ) {
        arm_raise(c, ARM_EXC_HYP_TRAP, arm_sysreg_syndrome(ARM_SYSREG(1, 3, 7, 4, 1), 0, false), 2,
                  host_pc);
    }
    cpu_store_bytes(cpu, va & ~(uint64_t)(bytes - 1), zeros, bytes, mmu, host_pc);
}

/* ---- TLB ---- */

enum {
    TLBI_ALL,
    TLBI_VA,
    TLBI_ASID,
    TLBI_LOCAL = 0,
    TLBI_SHARED = 16,
    TLBI_EL1 = 0,
    TLBI_EL2 = 32,
    TLBI_EL3 = 64,
    TLBI_RANGE = 128
};

static void flush_all(Cpu *cpu, uint64_t data)
{
    tlb_flush(cpu);
}

static void flush_asid(Cpu *cpu, uint64_t asid)
{
    ArmCpu *c = ARM(cpu);

    if (arm_el_is_a64(c, 1) && !(arm_hcr(c) & (HCR_E2H | HCR_TGE))) {
        tlb_flush_space(cpu, arm_asid(c, asid));
    } else {
        tlb_flush_nonglobal(cpu);
    }
}

static void flush_page(Cpu *cpu, uint64_t va)
{
    ArmCpu *c = ARM(cpu);

    if (c->tagged_seen) {       /* the page may be there under other tags */
        c->tagged_seen = false;
        tlb_flush(cpu);
        return;
    }
    tlb_flush_page(cpu, va);
}

/* fn(cpu, data) on every CPU; on others before they run guest code again. */
static void everywhere(ArmCpu *c, CpuWorkFn *fn, uint64_t data)
{
    GPtrArray *cpus = c->cpu.dev.vm->cpus;

    fn(&c->cpu, data);
    if (cpus->len == 1) {
        return;
    }
    for (unsigned i = 0; i < cpus->len; i++) {
        Cpu *other = cpus->pdata[i];

        if (other != &c->cpu) {
            cpu_run_on(other, fn, data);
        }
    }
}

static void tlbi_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    unsigned what = r->aux & 15;
    bool shared = r->aux & TLBI_SHARED || arm_hcr(c) & HCR_FB;
    CpuWorkFn *fn = what == TLBI_VA ? flush_page : what == TLBI_ASID ? flush_asid : flush_all;
    uint64_t data = what == TLBI_VA ? (uint64_t)((int64_t)(v << 20) >> 8) : v >> 48;

    if (r->aux & TLBI_RANGE) {
        fn = flush_all;
    }
    if (shared) {
        everywhere(c, fn, data);
    } else {
        fn(&c->cpu, data);
    }
}

static void ttlb_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                       uintptr_t host_pc)
{
    if (arm_el(c) == 1 && arm_hcr(c) & 1ull << 25) {
        arm_raise(c, ARM_EXC_HYP_TRAP, syndrome, 2, host_pc);
    }
}

static void range_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                        uintptr_t host_pc)
{
    if (!arm_has(c, r->aux & TLBI_RANGE ? FEATURE_TLBIRANGE : FEATURE_TLBIOS)) {
        arm_undefined(c, host_pc);
    }
    ttlb_check(c, r, write, syndrome, host_pc);
}

/* ---- AT ---- */

enum { AT_WRITE = 1, AT_USER = 2, AT_S12 = 4, AT_EL2 = 8, AT_EL3 = 16, AT_PAN = 32 };

static void at_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    bool e20 = (arm_hcr(c) & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE) && !(r->aux & AT_S12);
    unsigned mmu = r->aux & AT_EL3                                   ? MMU_EL3
                   : r->aux & AT_EL2 || (e20 && !(r->aux & AT_USER)) ? MMU_EL2
                   : r->aux & AT_USER                                ? MMU_EL0
                   : r->aux & AT_PAN && c->pstate & PSTATE_PAN       ? MMU_EL1_PAN
                                                                     : MMU_EL1;

    c->par = arm_address_translate(c, v, r->aux & AT_WRITE ? ACCESS_STORE : ACCESS_LOAD, mmu,
                                   r->aux & AT_S12 ? 2 : 1);
}

#define DC(n, op1, crm, op2, el, chk, ...)                                               \
    {                                                                                    \
        .name = n, .id = ARM_SYSREG(1, op1, 7, crm, op2), .read_el = el, .write_el = el, \
        .flags = SR_WO | SR_NO_EXIT, .write = nothing, .check = chk, ##__VA_ARGS__       \
    }
#define TI(n, op1, crm, op2, el, what)                                                           \
    {                                                                                            \
        .name = "TLBI " n, .id = ARM_SYSREG(1, op1, 8, crm, op2), .read_el = el, .write_el = el, \
        .flags = SR_WO, .write = tlbi_write, .aux = what, .check = ttlb_check                    \
    }
#define TIR(n, op1, crm, op2, el, what)                                                          \
    {                                                                                            \
        .name = "TLBI " n, .id = ARM_SYSREG(1, op1, 8, crm, op2), .read_el = el, .write_el = el, \
        .flags = SR_WO, .write = tlbi_write, .aux = what, .check = range_check                   \
    }
#define AT(n, op1, crm, op2, el, bits)                                                         \
    {                                                                                          \
        .name = "AT " n, .id = ARM_SYSREG(1, op1, 7, crm, op2), .read_el = el, .write_el = el, \
        .flags = SR_WO, .write = at_write, .aux = bits                                         \
    }
/* EL1's operations, local (crm 7), inner shareable (3), outer shareable (1). */
#define TI_EL1(sfx, crm, M, sh)                                                                   \
    M("VMALLE1" sfx, 0, crm, 0, 1, TLBI_ALL | (sh)), M("VAE1" sfx, 0, crm, 1, 1, TLBI_VA | (sh)), \
        M("ASIDE1" sfx, 0, crm, 2, 1, TLBI_ASID | (sh)),                                          \
        M("VAAE1" sfx, 0, crm, 3, 1, TLBI_VA | (sh)),                                             \
        M("VALE1" sfx, 0, crm, 5, 1, TLBI_VA | (sh)),                                             \
        M("VAALE1" sfx, 0, crm, 7, 1, TLBI_VA | (sh)),                                            \
        M("ALLE2" sfx, 4, crm, 0, 2, TLBI_ALL | (sh)),                                            \
        M("VAE2" sfx, 4, crm, 1, 2, TLBI_VA | (sh)),                                              \
        M("ALLE1" sfx, 4, crm, 4, 2, TLBI_ALL | (sh)),                                            \
        M("VALE2" sfx, 4, crm, 5, 2, TLBI_VA | (sh)),                                             \
        M("VMALLS12E1" sfx, 4, crm, 6, 2, TLBI_ALL | (sh)),                                       \
        M("ALLE3" sfx, 6, crm, 0, 3, TLBI_ALL | (sh)),                                            \
        M("VAE3" sfx, 6, crm, 1, 3, TLBI_VA | (sh)), M("VALE3" sfx, 6, crm, 5, 3, TLBI_VA | (sh))
#define TI_RANGE(sfx, crm, sh)                               \
    TIR("RVAE1" sfx, 0, crm, 1, 1, TLBI_RANGE | (sh)),       \
        TIR("RVAAE1" sfx, 0, crm, 3, 1, TLBI_RANGE | (sh)),  \
        TIR("RVALE1" sfx, 0, crm, 5, 1, TLBI_RANGE | (sh)),  \
        TIR("RVAALE1" sfx, 0, crm, 7, 1, TLBI_RANGE | (sh)), \
        TIR("RVAE2" sfx, 4, crm, 1, 2, TLBI_RANGE | (sh)),   \
        TIR("RVALE2" sfx, 4, crm, 5, 2, TLBI_RANGE | (sh)),  \
        TIR("RVAE3" sfx, 6, crm, 1, 3, TLBI_RANGE | (sh)),   \
        TIR("RVALE3" sfx, 6, crm, 5, 3, TLBI_RANGE | (sh))

// clang-format off
const ArmSysreg arm_sysregs_maint[] = {
    DC("IC IALLUIS", 0, 1, 0, 1, NULL), DC("IC IALLU", 0, 5, 0, 1, NULL), DC("IC IVAU", 3, 5, 1, 0, uci_check),
    DC("DC IVAC", 0, 6, 1, 1, NULL), DC("DC ISW", 0, 6, 2, 1, tsw_check), DC("DC CVAC", 3, 10, 1, 0, uci_check),
    DC("DC CSW", 0, 10, 2, 1, tsw_check), DC("DC CVAU", 3, 11, 1, 0, uci_check), DC("DC CIVAC", 3, 14, 1, 0, uci_check),
    DC("DC CISW", 0, 14, 2, 1, tsw_check), DC("DC CVAP", 3, 12, 1, 0, dpb_check, .aux = FEATURE_DPB),
    DC("DC CVADP", 3, 13, 1, 0, dpb_check, .aux = FEATURE_DPB2),
    DC("DC IGVAC", 0, 6, 3, 1, dpb_check, .aux = FEATURE_MTE), DC("DC IGDVAC", 0, 6, 5, 1, dpb_check, .aux = FEATURE_MTE),
    DC("DC IGSW", 0, 6, 4, 1, tsw_check), DC("DC IGDSW", 0, 6, 6, 1, tsw_check), DC("DC CGSW", 0, 10, 4, 1, tsw_check),
    DC("DC CGDSW", 0, 10, 6, 1, tsw_check), DC("DC CIGSW", 0, 14, 4, 1, tsw_check), DC("DC CIGDSW", 0, 14, 6, 1, tsw_check),
    DC("DC CGVAC", 3, 10, 3, 0, dpb_check, .aux = FEATURE_MTE), DC("DC CGDVAC", 3, 10, 5, 0, dpb_check, .aux = FEATURE_MTE),
    DC("DC CGVAP", 3, 12, 3, 0, dpb_check, .aux = FEATURE_MTE), DC("DC CGDVAP", 3, 12, 5, 0, dpb_check, .aux = FEATURE_MTE),
    DC("DC CGVADP", 3, 13, 3, 0, dpb_check, .aux = FEATURE_MTE), DC("DC CGDVADP", 3, 13, 5, 0, dpb_check, .aux = FEATURE_MTE),
    DC("DC CIGVAC", 3, 14, 3, 0, dpb_check, .aux = FEATURE_MTE), DC("DC CIGDVAC", 3, 14, 5, 0, dpb_check, .aux = FEATURE_MTE),
    DC("CFP RCTX", 3, 3, 4, 0, dpb_check, .aux = FEATURE_PREDRES), DC("DVP RCTX", 3, 3, 5, 0, dpb_check, .aux = FEATURE_PREDRES),
    DC("CPP RCTX", 3, 3, 7, 0, dpb_check, .aux = FEATURE_PREDRES),
    TI_EL1("", 7, TI, 0), TI_EL1("IS", 3, TI, TLBI_SHARED), TI_EL1("OS", 1, TIR, TLBI_SHARED),
    TI_RANGE("", 6, 0), TI_RANGE("IS", 2, TLBI_SHARED), TI_RANGE("OS", 5, TLBI_SHARED),
    TI("IPAS2E1IS", 4, 0, 1, 2, TLBI_ALL | TLBI_SHARED), TI("IPAS2LE1IS", 4, 0, 5, 2, TLBI_ALL | TLBI_SHARED),
    TI("IPAS2E1", 4, 4, 1, 2, TLBI_ALL), TI("IPAS2LE1", 4, 4, 5, 2, TLBI_ALL),
    TIR("RIPAS2E1IS", 4, 0, 2, 2, TLBI_RANGE | TLBI_SHARED), TIR("RIPAS2LE1IS", 4, 0, 6, 2, TLBI_RANGE | TLBI_SHARED),
    TIR("RIPAS2E1", 4, 4, 2, 2, TLBI_RANGE), TIR("RIPAS2LE1", 4, 4, 6, 2, TLBI_RANGE),
    AT("S1E1R", 0, 8, 0, 1, 0), AT("S1E1W", 0, 8, 1, 1, AT_WRITE), AT("S1E0R", 0, 8, 2, 1, AT_USER), AT("S1E0W", 0, 8, 3, 1, AT_USER | AT_WRITE),
    AT("S1E1RP", 0, 9, 0, 1, AT_PAN), AT("S1E1WP", 0, 9, 1, 1, AT_PAN | AT_WRITE),
    AT("S1E2R", 4, 8, 0, 2, AT_EL2), AT("S1E2W", 4, 8, 1, 2, AT_EL2 | AT_WRITE), AT("S12E1R", 4, 8, 4, 2, AT_S12),
    AT("S12E1W", 4, 8, 5, 2, AT_S12 | AT_WRITE), AT("S12E0R", 4, 8, 6, 2, AT_S12 | AT_USER),
    AT("S12E0W", 4, 8, 7, 2, AT_S12 | AT_USER | AT_WRITE), AT("S1E3R", 6, 8, 0, 3, AT_EL3), AT("S1E3W", 6, 8, 1, 3, AT_EL3 | AT_WRITE),
    {0},
};
// clang-format on
