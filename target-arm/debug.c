// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Self-hosted debug (D2, G2): what breakpoint and watchpoint registers match, where the
 * exceptions go, software step. Addresses are put into the CPU's lists of break- and watchpoints,
 * which the gdb stub uses too; what else a register asks for is looked at when one is hit.
 * Breakpoints of contexts alone and those that match every address but one (AArch32) have blocks
 * of one instruction, with a look before each. Left out: vector catch.
 */
#include "target-arm/debug.h"
#include "target-arm/helpers.h"

#define MDSCR_SS (1u << 0)
#define MDSCR_KDE (1u << 13)
#define MDSCR_MDE (1u << 15)
#define MDCR_TDE (1u << 8)
#define OSLSR_LOCKED 2

enum {
    MOE_BREAKPOINT = 1,
    MOE_BKPT = 3,
    MOE_WATCHPOINT = 10,
    IFSC_DEBUG = 0x22
};

/* ---- where to, and whether ---- */

unsigned arm_debug_target(const ArmCpu *c)
{
    return arm_el2_enabled(c) && (arm_hcr(c) & HCR_TGE || c->mdcr_el2 & MDCR_TDE) ? 2 : 1;
}

/* D2.4: breakpoint, watchpoint and step exceptions from this level; they go to level `target`. */
static bool enabled_from(const ArmCpu *c, unsigned el, unsigned target)
{
    if (c->oslsr & OSLSR_LOCKED || el == 3 || el > target) {
        return false;
    }
    if (c->has_el3 && arm_secure_below_el3(c) && c->mdcr_el3 >> 16 & 1) {
        return false; /* SDD: not in Secure state */
    }
    if (!arm_el_is_a64(c, target)) {
        return true;
    }
    return el < target || (c->mdscr & MDSCR_KDE && !(c->pstate & PSTATE_D));
}

bool arm_step_active(const ArmCpu *c, unsigned el)
{
    unsigned target = arm_debug_target(c);

    return c->mdscr & MDSCR_SS && arm_el_is_a64(c, target) && enabled_from(c, el, target);
}

/* ---- conditions ---- */

/* HMC, SSC and PMC (PAC) as in D2.8.3: which levels and states are meant. */
static bool state_matches(const ArmCpu *c, uint64_t cr, bool breakpoint)
{
    unsigned el = arm_el(c), ssc = cr >> 14 & 3, privilege = cr >> 1 & 3;
    bool hmc = cr >> 13 & 1, secure = arm_secure(c);

    if ((ssc == 1 && secure) || (ssc == 2 && !secure)) {
        return false;
    }
    switch (el) {
    case 3:
        return hmc && ssc != 3;
    case 2:
        return hmc && ssc != 2;
    case 1:
        if (breakpoint && privilege == 0 && !hmc && ssc == 0 && arm_is_a32(c)) {
            unsigned mode = c->pstate & 31;

            return mode == A32_SVC || mode == A32_SYS;
        }
        return privilege & 1;
    default:
        return privilege & 2 ||
               (breakpoint && privilege == 0 && !hmc && ssc == 0 && !arm_el_is_a64(c, 1));
    }
}

/* A context-aware breakpoint's context, its own or what others are linked to. */
static bool context_matches(const ArmCpu *c, unsigned n)
{
    unsigned count = arm_num_breakpoints(c), aware = (c->id.dfr0 >> 28 & 15) + 1;
    uint64_t cr = n < count ? c->dbgbcr[n] : 0, value = n < count ? c->dbgbvr[n] : 0;
    bool host =
        (arm_hcr(c) & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE) || (arm_e2h(c) && arm_el(c) == 2);
    uint32_t context = (uint32_t)c->contextidr[host ? 2 : 1];
    bool vmid =
        (value >> 32 & 0xff) == (c->vttbr >> 48 & 0xff) && arm_el2_enabled(c) && arm_el(c) < 2;

    if (n >= count || (c->aarch64_prop && n + aware < count) || !(cr & 1)) {
        return false;
    }
    switch ((cr >> 20 & 15) | 1) {
    case 3:
        return context == (uint32_t)value;
    case 7:
        return (uint32_t)c->contextidr[1] == (uint32_t)value && arm_el(c) < 2;
    case 9:
        return vmid;
    case 11:
        return vmid && (uint32_t)c->contextidr[1] == (uint32_t)value;
    case 13:
        return (uint32_t)c->contextidr[2] == value >> 32;
    case 15:
        return (uint32_t)c->contextidr[2] == value >> 32 &&
               (uint32_t)c->contextidr[1] == (uint32_t)value;
    default:
        return false;
    }
}

/* ---- addresses ---- */

unsigned arm_num_breakpoints(const ArmCpu *c)
{
    return c->aarch64_prop ? (c->id.dfr0 >> 12 & 15) + 1 : 6;
}

unsigned arm_num_watchpoints(const ArmCpu *c)
{
    return c->aarch64_prop ? (c->id.dfr0 >> 20 & 15) + 1 : 4;
}

/* Which of a word's halves breakpoint n means; its address in *va. 0: none. */
static unsigned break_halves(const ArmCpu *c, unsigned n, uint64_t *va)
{
    uint64_t cr = c->dbgbcr[n];
    unsigned bas = cr >> 5 & 15;

    *va = c->dbgbvr[n] & ~3ull;
    if (!(cr & 1) || (cr >> 20 & 15) > 1) {
        return 0;
    }
    return (bas & 3 ? 1 : 0) | (bas & 12 ? 2 : 0);
}

/* A breakpoint that no address stands for: of a context alone, or of all addresses but one. */
static bool wants_every(const ArmCpu *c, unsigned n)
{
    uint64_t cr = c->dbgbcr[n];
    unsigned type = cr >> 20 & 15;

    if (!(cr & 1)) {
        return false;
    }
    return type == 4 || type == 5 ? !arm_el_is_a64(c, 1) : type && !(type & 1);
}

static bool every_matches(const ArmCpu *c, unsigned n)
{
    uint64_t cr = c->dbgbcr[n];
    unsigned type = cr >> 20 & 15, bas = cr >> 5 & 15;

    if (!wants_every(c, n) || !state_matches(c, cr, true)) {
        return false;
    }
    if (type != 4 && type != 5) {
        return context_matches(c, n);
    }
    bool there = (uint32_t)c->pc >> 2 == (uint32_t)c->dbgbvr[n] >> 2 &&
                 bas & (c->pc & 2 ? 12 : 3);

    return !there && (type == 4 || context_matches(c, cr >> 16 & 15));
}

bool arm_breaks_everywhere(const ArmCpu *c, unsigned el)
{
    if (!c->debug_every || !enabled_from(c, el, arm_debug_target(c))) {
        return false;
    }
    for (unsigned n = 0; n < arm_num_breakpoints(c); n++) {
        if (wants_every(c, n) && state_matches(c, c->dbgbcr[n], true)) {
            return true;
        }
    }
    return false;
}

/* The bytes that watchpoint n means: from *va on, a bit each in *bytes, or as many as *len. */
static bool watch_range(const ArmCpu *c, unsigned n, uint64_t *va, uint64_t *len, unsigned *bytes)
{
    uint64_t cr = c->dbgwcr[n], base = c->dbgwvr[n] & ~3ull;
    unsigned mask = cr >> 24 & 31, bas = cr >> 5 & 255;

    if (!(cr & 1) || !(cr >> 3 & 3) || mask == 1 || mask == 2) {
        return false;
    }
    if (mask) {
        *len = 1ull << mask;
        *va = base & ~(*len - 1);
        *bytes = 0;
        return bas == 255;
    }
    *va = base;
    *bytes = base & 4 ? bas & 15 : bas;
    *len = 0;
    return *bytes != 0;
}

static unsigned watch_flags(const ArmCpu *c, unsigned n)
{
    unsigned lsc = c->dbgwcr[n] >> 3 & 3;

    return BP_GUEST | BP_HIT_STOPS_BEFORE | (lsc & 1 ? BP_READ : 0) | (lsc & 2 ? BP_WRITE : 0);
}

static void insert_watch(ArmCpu *c, unsigned n)
{
    uint64_t va, len;
    unsigned bytes, flags = watch_flags(c, n);

    if (!watch_range(c, n, &va, &len, &bytes)) {
        return;
    }
    if (len) {
        c->debug_points |= cpu_breakpoint_insert(&c->cpu, va, len, flags);
    }
    while (bytes) {
        unsigned first = (unsigned)__builtin_ctz(bytes),
                 run = (unsigned)__builtin_ctz(~(bytes >> first));

        c->debug_points |= cpu_breakpoint_insert(&c->cpu, va + first, run, flags);
        bytes &= ~(((1u << run) - 1) << first);
    }
}

void arm_debug_update(ArmCpu *c)
{
    if (c->debug_points) {
        cpu_breakpoints_clear(&c->cpu, BP_GUEST);
        c->debug_points = false;
    }
    c->debug_every = false;
    if (!(c->mdscr & MDSCR_MDE)) {
        return;
    }
    for (unsigned n = 0; n < arm_num_breakpoints(c); n++) {
        uint64_t va;
        unsigned halves = break_halves(c, n, &va);

        c->debug_every |= wants_every(c, n);
        for (unsigned i = 0; i < 2; i++) {
            if (halves >> i & 1) {
                c->debug_points |=
                    cpu_breakpoint_insert(&c->cpu, va + 2 * i, 2, BP_GUEST | BP_EXEC);
            }
        }
    }
    for (unsigned n = 0; n < arm_num_watchpoints(c); n++) {
        insert_watch(c, n);
    }
}

/* ---- hits ---- */

static void set_moe(ArmCpu *c, unsigned moe)
{
    c->mdscr = (c->mdscr & ~0x3cull) | moe << 2;
}

static uint32_t debug_fsr(const ArmCpu *c)
{
    return arm_has(c, FEATURE_LPAE) && c->tcr[1] >> 31 & 1 ? 0x222 : 2;
}

void arm_debug_exception(Cpu *cpu)
{
    ArmCpu *c = ARM(cpu);
    unsigned el = arm_el(c), target = arm_debug_target(c);

    if (!enabled_from(c, el, target)) {
        return;
    }
    for (unsigned n = 0; n < arm_num_breakpoints(c); n++) {
        uint64_t va, cr = c->dbgbcr[n];
        unsigned halves = break_halves(c, n, &va);

        if ((!(halves & 1) || c->pc != va) && (!(halves & 2) || c->pc != va + 2)) {
            continue;
        }
        if (!state_matches(c, cr, true) || (cr >> 20 & 1 && !context_matches(c, cr >> 16 & 15))) {
            continue;
        }
        cpu->watchpoint_hit = NULL;
        set_moe(c, MOE_BREAKPOINT);
        arm_raise(c, ARM_EXC_BKPT, esr(el < target ? EC_BREAK_LOW : EC_BREAK, IFSC_DEBUG), target,
                  0);
    }
}

/* Whether the access touches watchpoint n. */
static bool watch_covers(const ArmCpu *c, unsigned n, uint64_t va, unsigned size, MmuAccess access)
{
    uint64_t base, len;
    unsigned bytes;

    if (!watch_range(c, n, &base, &len, &bytes) ||
        !(watch_flags(c, n) & (access == ACCESS_STORE ? BP_WRITE : BP_READ))) {
        return false;
    }
    va = (uint64_t)((int64_t)(va << 8) >> 8); /* without a tag */
    base = (uint64_t)((int64_t)(base << 8) >> 8);
    if (len) {
        return va < base + len && base < va + size;
    }
    for (unsigned i = 0; i < 8; i++) {
        if (bytes >> i & 1 && base + i >= va && base + i < va + size) {
            return true;
        }
    }
    return false;
}

void arm_watch_hit(Cpu *cpu, const Breakpoint *w, uint64_t va, unsigned size, MmuAccess access,
                   uintptr_t host_pc)
{
    ArmCpu *c = ARM(cpu);
    unsigned el = arm_el(c), target = arm_debug_target(c);
    bool write = access == ACCESS_STORE;

    if (!enabled_from(c, el, target)) {
        return;
    }
    for (unsigned n = 0; n < arm_num_watchpoints(c); n++) {
        uint64_t cr = c->dbgwcr[n];

        if (!watch_covers(c, n, va, size, access) || !state_matches(c, cr, false) ||
            (cr >> 20 & 1 && !context_matches(c, cr >> 16 & 15))) {
            continue;
        }
        cpu->watchpoint_hit = NULL;
        cpu_restore_state(cpu, host_pc);
        set_moe(c, MOE_WATCHPOINT);
        c->exc.va = MAX(va, w->va);
        c->exc.has_va = true;
        c->exc.has_ipa = false;
        c->exc.fsr = debug_fsr(c) | (write ? 1u << 11 : 0);
        arm_raise(c, ARM_EXC_DATA,
                  esr(el < target ? EC_WATCH_LOW : EC_WATCH, IFSC_DEBUG | (write ? 1u << 6 : 0)),
                  target, 0);
    }
}

/* ---- software step (D2.12), and breakpoints without an address ---- */

static void break_everywhere(ArmCpu *c, uintptr_t host_pc)
{
    unsigned el = arm_el(c), target = arm_debug_target(c);

    for (unsigned n = 0; n < arm_num_breakpoints(c); n++) {
        if (every_matches(c, n)) {
            set_moe(c, MOE_BREAKPOINT);
            arm_raise(c, ARM_EXC_BKPT, esr(el < target ? EC_BREAK_LOW : EC_BREAK, IFSC_DEBUG),
                      target, host_pc);
        }
    }
}

/* Before the instruction: with PSTATE.SS clear it is not to run, its step is due. */
void helper_step_begin(Cpu *cpu)
{
    ArmCpu *c = ARM(cpu);
    unsigned target = arm_debug_target(c);

    if (c->debug_every && arm_breaks_everywhere(c, arm_el(c))) {
        break_everywhere(c, HOST_PC());
    }
    if (arm_step_active(c, arm_el(c)) && !(c->pstate & PSTATE_SS)) {
        arm_raise(c, ARM_EXC_BKPT, esr(arm_el(c) < target ? EC_STEP_LOW : EC_STEP, IFSC_DEBUG),
                  target, HOST_PC());
    }
}

void helper_step_done(Cpu *cpu)
{
    ArmCpu *c = ARM(cpu);
    unsigned target = arm_debug_target(c);

    if (!arm_step_active(c, arm_el(c))) {
        return;
    }
    c->pstate &= ~PSTATE_SS;
    arm_raise(c, ARM_EXC_BKPT,
              esr(arm_el(c) < target ? EC_STEP_LOW : EC_STEP, IFSC_DEBUG | 1u << 24), target, 0);
}
