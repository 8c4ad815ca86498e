// SPDX-License-Identifier: GPL-2.0-or-later
/* Debug registers (D17.3): breakpoints and watchpoints are stored, and not acted on. */
#include "target-arm/sysreg.h"

#define F(f) offsetof(ArmCpu, f)

static void oslar_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    c->oslsr = (c->oslsr & ~2ull) | (v & 1) << 1;
}

static uint64_t oslsr_read(ArmCpu *c, const ArmSysreg *r)
{
    return c->oslsr | 8;
}

static uint64_t claim_read(ArmCpu *c, const ArmSysreg *r)
{
    return r->aux ? c->dbgclaim : 0xff;
}

static void claim_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    c->dbgclaim = r->aux ? c->dbgclaim & ~v : c->dbgclaim | (v & 0xff);
}

#define D(n, op1, crn, crm, op2, el, ...)                                                  \
    {                                                                                      \
        .name = n, .id = ARM_SYSREG(2, op1, crn, crm, op2), .read_el = el, .write_el = el, \
        ##__VA_ARGS__                                                                      \
    }
#define BP(i)                                                                             \
    D("DBGBVR" #i "_EL1", 0, 0, i, 4, 1, .field = F(dbgbvr[i])),                          \
        D("DBGBCR" #i "_EL1", 0, 0, i, 5, 1, .field = F(dbgbcr[i]), .wmask = 0x00ffe1e6), \
        D("DBGWVR" #i "_EL1", 0, 0, i, 6, 1, .field = F(dbgwvr[i])),                      \
        D("DBGWCR" #i "_EL1", 0, 0, i, 7, 1, .field = F(dbgwcr[i]))

// clang-format off
const ArmSysreg arm_sysregs_debug[] = {
    D("MDSCR_EL1", 0, 0, 2, 2, 1, .field = F(mdscr)),
    D("MDCCINT_EL1", 0, 0, 2, 0, 1, .field = F(mdccint)),
    D("MDCCSR_EL0", 3, 0, 1, 0, 0, .flags = SR_CONST),
    D("MDRAR_EL1", 0, 1, 0, 0, 1, .flags = SR_CONST),
    D("OSLAR_EL1", 0, 1, 0, 4, 1, .write = oslar_write, .flags = SR_WO),
    D("OSLSR_EL1", 0, 1, 1, 4, 1, .read = oslsr_read, .flags = SR_CONST),
    D("OSDLR_EL1", 0, 1, 3, 4, 1, .field = F(osdlr)),
    D("OSECCR_EL1", 0, 0, 6, 2, 1, .flags = SR_IGNORE),
    D("DBGPRCR_EL1", 0, 1, 4, 4, 1, .flags = SR_IGNORE),
    D("DBGCLAIMSET_EL1", 0, 7, 8, 6, 1, .read = claim_read, .write = claim_write),
    D("DBGCLAIMCLR_EL1", 0, 7, 9, 6, 1, .read = claim_read, .write = claim_write, .aux = 1),
    D("DBGAUTHSTATUS_EL1", 0, 7, 14, 6, 1, .flags = SR_CONST),
    D("DBGVCR32_EL2", 4, 0, 7, 0, 2, .field = F(dbgvcr)),
    BP(0), BP(1), BP(2), BP(3), BP(4), BP(5), BP(6), BP(7), BP(8), BP(9), BP(10), BP(11), BP(12), BP(13), BP(14), BP(15),
    {0},
};
// clang-format on
