// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Debug registers (D17.3), of AArch64 and, in coprocessor 14, of AArch32. What they do is in
 * debug.c.
 */
#include "target-arm/debug.h"
#include "target-arm/sysreg.h"

#define F(f) offsetof(ArmCpu, f)

enum {
    OS_LOCK_KEY = 0xc5acce55
};

/* ---- traps: MDCR_ELx.TDA, TDOSA, TDRA are bits 9, 10, 11, and TDE is all of them ---- */

static void check_trap(ArmCpu *c, const ArmSysreg *r, unsigned bit, uint32_t syndrome,
                       uintptr_t host_pc)
{
    unsigned el = arm_el(c);

    if (!c->aarch64_prop) {
        return;
    }
    if (el < 2 && arm_el2_enabled(c) &&
        (c->mdcr_el2 & (1u << bit | 1u << 8) || arm_hcr(c) & HCR_TGE)) {
        arm_raise(c, ARM_EXC_HYP_TRAP, syndrome, 2, host_pc);
    }
    if (el < 3 && c->has_el3 && c->mdcr_el3 & 1u << bit && bit != 11) {
        arm_raise(c, ARM_EXC_MON_TRAP, syndrome, 3, host_pc);
    }
}

static void da_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                     uintptr_t host_pc)
{
    check_trap(c, r, 9, syndrome, host_pc);
}

static void os_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                     uintptr_t host_pc)
{
    check_trap(c, r, 10, syndrome, host_pc);
}

static void ra_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                     uintptr_t host_pc)
{
    check_trap(c, r, 11, syndrome, host_pc);
}

static void bp_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                     uintptr_t host_pc)
{
    if (r->aux >= arm_num_breakpoints(c)) {
        arm_undefined(c, host_pc);
    }
    check_trap(c, r, 9, syndrome, host_pc);
}

static void wp_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                     uintptr_t host_pc)
{
    if (r->aux >= arm_num_watchpoints(c)) {
        arm_undefined(c, host_pc);
    }
    check_trap(c, r, 9, syndrome, host_pc);
}

/* ---- values ---- */

static void oslar_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    bool locked = r->aux ? (uint32_t)v == OS_LOCK_KEY : v & 1; /* aux: AArch32's */

    c->oslsr = (c->oslsr & ~2ull) | (locked ? 2 : 0);
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

static void point_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    uint64_t *f = arm_sysreg_field(c, r);
    uint64_t new = (*f & ~r->wmask) | (v & r->wmask);

    if (*f != new) {
        *f = new;
        arm_debug_update(c);
    }
}

/* DBGBXVR: the upper half of a breakpoint's value. */
static uint64_t upper_read(ArmCpu *c, const ArmSysreg *r)
{
    return c->dbgbvr[r->aux] >> 32;
}

static void upper_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    c->dbgbvr[r->aux] = (uint32_t)c->dbgbvr[r->aux] | v << 32;
}

static uint64_t low_read(ArmCpu *c, const ArmSysreg *r)
{
    return (uint32_t)*arm_sysreg_field(c, r);
}

/* Version 6 is ARMv8's, 5 that of v7.1, 3 of v7. */
static uint64_t didr_read(ArmCpu *c, const ArmSysreg *r)
{
    if (c->aarch64_prop) {
        return (uint64_t)(arm_num_watchpoints(c) - 1) << 28 |
               (uint64_t)(arm_num_breakpoints(c) - 1) << 24 | (c->id.dfr0 >> 28 & 15) << 20 |
               0x6d000;
    }
    switch (c->id.midr >> 4 & 0xfff) {
    case 0xc09:
        return 0x35141000;
    case 0xc08:
        return 0x15141000;
    case 0xb76:
        return 0;
    default:
        return 0x3515f000 | (c->id.midr >> 16 & 0xf0) | (c->id.midr & 15);
    }
}

// clang-format off
#define D(n, op1, crn, crm, op2, el, ...)                                                  \
    {                                                                                      \
        .name = n, .id = ARM_SYSREG(2, op1, crn, crm, op2), .read_el = el, .write_el = el, \
        ##__VA_ARGS__                                                                      \
    }
#define BP(i) \
    D("DBGBVR" #i "_EL1", 0, 0, i, 4, 1, .field = F(dbgbvr[i]), .wmask = ~0ull, .write = point_write, .check = bp_check, .aux = i), \
    D("DBGBCR" #i "_EL1", 0, 0, i, 5, 1, .field = F(dbgbcr[i]), .wmask = 0x00ffe1e7, .write = point_write, .check = bp_check, .aux = i), \
    D("DBGWVR" #i "_EL1", 0, 0, i, 6, 1, .field = F(dbgwvr[i]), .wmask = ~3ull, .write = point_write, .check = wp_check, .aux = i), \
    D("DBGWCR" #i "_EL1", 0, 0, i, 7, 1, .field = F(dbgwcr[i]), .wmask = 0x1f1fffff, .write = point_write, .check = wp_check, .aux = i)

/* A context's number uses all bits of a breakpoint's value: no mask there. */
const ArmSysreg arm_sysregs_debug[] = {
    D("MDSCR_EL1", 0, 0, 2, 2, 1, .field = F(mdscr), .wmask = 0x6c88f041, .write = point_write, .check = da_check),
    D("MDCCINT_EL1", 0, 0, 2, 0, 1, .field = F(mdccint), .check = da_check),
    D("MDCCSR_EL0", 3, 0, 1, 0, 0, .flags = SR_CONST, .check = da_check),
    D("MDRAR_EL1", 0, 1, 0, 0, 1, .flags = SR_CONST, .check = ra_check),
    D("OSLAR_EL1", 0, 1, 0, 4, 1, .write = oslar_write, .flags = SR_WO, .check = os_check),
    D("OSLSR_EL1", 0, 1, 1, 4, 1, .read = oslsr_read, .flags = SR_CONST, .check = os_check),
    D("OSDLR_EL1", 0, 1, 3, 4, 1, .field = F(osdlr), .check = os_check),
    D("OSECCR_EL1", 0, 0, 6, 2, 1, .flags = SR_IGNORE, .check = da_check),
    D("DBGPRCR_EL1", 0, 1, 4, 4, 1, .flags = SR_IGNORE, .check = os_check),
    D("DBGCLAIMSET_EL1", 0, 7, 8, 6, 1, .read = claim_read, .write = claim_write, .check = da_check),
    D("DBGCLAIMCLR_EL1", 0, 7, 9, 6, 1, .read = claim_read, .write = claim_write, .aux = 1, .check = da_check),
    D("DBGAUTHSTATUS_EL1", 0, 7, 14, 6, 1, .flags = SR_CONST, .check = da_check),
    D("DBGVCR32_EL2", 4, 0, 7, 0, 2, .field = F(dbgvcr)),
    BP(0), BP(1), BP(2), BP(3), BP(4), BP(5), BP(6), BP(7), BP(8), BP(9), BP(10), BP(11), BP(12), BP(13), BP(14), BP(15),
    {0},
};

#define C(n, op1, crn, crm, op2, el, ...) \
    {.name = n, .id = ARM_CP14 | ARM_CP15(0, op1, crn, crm, op2), .read_el = el, .write_el = el, ##__VA_ARGS__}
#define CP(i) \
    C("DBGBVR" #i, 0, 0, i, 4, 1, .field = F(dbgbvr[i]), .wmask = 0xffffffff, .read = low_read, .write = point_write, .check = bp_check, .aux = i), \
    C("DBGBCR" #i, 0, 0, i, 5, 1, .field = F(dbgbcr[i]), .wmask = 0x00ffe1e7, .write = point_write, .check = bp_check, .aux = i), \
    C("DBGWVR" #i, 0, 0, i, 6, 1, .field = F(dbgwvr[i]), .wmask = 0xfffffffc, .read = low_read, .write = point_write, .check = wp_check, .aux = i), \
    C("DBGWCR" #i, 0, 0, i, 7, 1, .field = F(dbgwcr[i]), .wmask = 0x1f1fffff, .write = point_write, .check = wp_check, .aux = i), \
    C("DBGBXVR" #i, 0, 1, i, 1, 1, .read = upper_read, .write = upper_write, .check = bp_check, .aux = i)

const ArmSysreg arm_cp14_debug[] = {
    C("DBGDIDR", 0, 0, 0, 0, 0, .read = didr_read, .flags = SR_CONST),
    C("DBGDSCRint", 0, 0, 1, 0, 0, .field = F(mdscr), .read = low_read, .flags = SR_CONST),
    C("DBGDSCRext", 0, 0, 2, 2, 1, .field = F(mdscr), .wmask = 0x6c88f07c, .write = point_write),
    C("DBGVCR", 0, 0, 7, 0, 1, .field = F(dbgvcr)),
    C("DBGDRAR", 0, 1, 0, 0, 1, .flags = SR_CONST), C("DBGDSAR", 0, 2, 0, 0, 1, .flags = SR_CONST),
    C("DBGOSLAR", 0, 1, 0, 4, 1, .write = oslar_write, .flags = SR_WO, .aux = 1),
    C("DBGOSLSR", 0, 1, 1, 4, 1, .read = oslsr_read, .flags = SR_CONST),
    C("DBGOSDLR", 0, 1, 3, 4, 1, .field = F(osdlr)), C("DBGPRCR", 0, 1, 4, 4, 1, .flags = SR_IGNORE),
    C("DBGCLAIMSET", 0, 7, 8, 6, 1, .read = claim_read, .write = claim_write),
    C("DBGCLAIMCLR", 0, 7, 9, 6, 1, .read = claim_read, .write = claim_write, .aux = 1),
    C("DBGAUTHSTATUS", 0, 7, 14, 6, 1, .flags = SR_CONST), C("DBGDEVID", 0, 7, 2, 7, 1, .flags = SR_CONST),
    CP(0), CP(1), CP(2), CP(3), CP(4), CP(5), CP(6), CP(7), CP(8), CP(9), CP(10), CP(11), CP(12), CP(13), CP(14), CP(15),
    {0},
};
// clang-format on
