// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What A32 and T32 translations call: status registers, banks, returns, saturation, parallel
 * arithmetic. F5.1.
 */
#include "target-arm/debug.h"
#include "target-arm/helpers.h"
#include "target-arm/simd.h"

/* ---- status registers and banks ---- */

uint32_t helper_a32_get_cpsr(Cpu *cpu)
{
    /* execution state bits read as 0 */
    return (uint32_t)arm_get_spsr(ARM(cpu)) & ~(0x0600fc00u | PSTATE_IL | PSTATE_SS | PSTATE_T);
}

/* Modes that there are, and that the present state may change to. */
static bool mode_known(const ArmCpu *c, unsigned mode)
{
    switch (mode) {
    case A32_USR:
    case A32_FIQ:
    case A32_IRQ:
    case A32_SVC:
    case A32_ABT:
    case A32_UND:
    case A32_SYS:
        return true;
    case A32_MON:
        return !c->aarch64_prop && arm_secure(c);
    case A32_HYP:
        return (c->pstate & 31) == A32_HYP;
    default:
        return false;
    }
}

void helper_a32_set_cpsr(Cpu *cpu, uint32_t v, uint32_t mask)
{
    ArmCpu *c = ARM(cpu);
    bool user = (c->pstate & 31) == A32_USR;
    uint32_t allowed =
        user ? 0xf80f0200u : 0xf80f03dfu | (arm_has(c, FEATURE_PAN) ? PSTATE_PAN : 0);

    mask &= allowed;
    if (mask & 0xf0000000) {
        arm_set_nzcv(c, (arm_nzcv(c) & ~(mask >> 28)) | (v & mask) >> 28);
    }
    if (mask & 1u << 27) {
        c->q = v >> 27 & 1;
    }
    if (mask & 0xf0000) {
        c->ge = (c->ge & ~(mask >> 16 & 15)) | ((v & mask) >> 16 & 15);
    }
    uint32_t bits = mask & (0x3c0 | PSTATE_PAN);

    c->pstate = (c->pstate & ~bits) | (v & bits);
    if (mask & 31) {
        unsigned mode = v & 31;

        if (mode_known(c, mode)) {
            arm_set_a32_mode(c, mode);
            arm_el_changed(c);
        }
    }
}

uint32_t helper_a32_get_spsr(Cpu *cpu)
{
    ArmCpu *c = ARM(cpu);

    return (uint32_t)c->bank_spsr[arm_bank_of(c->pstate & 31)];
}

void helper_a32_set_spsr(Cpu *cpu, uint32_t v, uint32_t mask)
{
    ArmCpu *c = ARM(cpu);
    uint64_t *spsr = &c->bank_spsr[arm_bank_of(c->pstate & 31)];

    *spsr = (*spsr & ~(uint64_t)mask) | (v & mask);
}

uint32_t helper_a32_get_user(Cpu *cpu, uint32_t n)
{
    ArmCpu *c = ARM(cpu);
    unsigned mode = c->pstate & 31;

    if (n >= 13) {
        return (uint32_t)(arm_bank_of(mode) == BANK_USR ? c->x[n]
                          : n == 13                     ? c->bank_sp[BANK_USR]
                                                        : c->bank_lr[BANK_USR]);
    }
    return (uint32_t)(mode == A32_FIQ ? c->bank_r8_usr[n - 8] : c->x[n]);
}

void helper_a32_set_user(Cpu *cpu, uint32_t n, uint32_t v)
{
    ArmCpu *c = ARM(cpu);
    unsigned mode = c->pstate & 31;

    if (n >= 13 && arm_bank_of(mode) != BANK_USR) {
        *(n == 13 ? &c->bank_sp[BANK_USR] : &c->bank_lr[BANK_USR]) = v;
    } else if (n < 13 && mode == A32_FIQ) {
        c->bank_r8_usr[n - 8] = v;
    } else {
        c->x[n] = v;
    }
}

uint32_t helper_a32_banked_sp(Cpu *cpu, uint32_t mode)
{
    ArmCpu *c = ARM(cpu);

    return (uint32_t)(arm_bank_of(mode) == arm_bank_of(c->pstate & 31)
                          ? c->x[13]
                          : c->bank_sp[arm_bank_of(mode)]);
}

void helper_a32_set_banked_sp(Cpu *cpu, uint32_t mode, uint32_t v)
{
    ArmCpu *c = ARM(cpu);

    *(arm_bank_of(mode) == arm_bank_of(c->pstate & 31) ? &c->x[13]
                                                       : &c->bank_sp[arm_bank_of(mode)]) = v;
}

/* MRS and MSR (banked): where SYSm leads (F5.1.123); NULL: nowhere. */
static uint64_t *banked(ArmCpu *c, uint32_t sysm, uint32_t spsr)
{
    unsigned now = arm_bank_of(c->pstate & 31), bank;

    if (spsr) {
        bank = sysm == 14   ? BANK_FIQ
               : sysm == 16 ? BANK_IRQ
               : sysm == 18 ? BANK_SVC
               : sysm == 20 ? BANK_ABT
               : sysm == 22 ? BANK_UND
               : sysm == 28 ? BANK_MON
                            : BANK_HYP;
        return &c->bank_spsr[bank];
    }
    if (sysm < 5) {
        return now == BANK_FIQ ? &c->bank_r8_usr[sysm] : &c->x[8 + sysm];
    }
    if (sysm >= 8 && sysm < 13) {
        return now == BANK_FIQ ? &c->x[sysm] : &c->bank_r8_fiq[sysm - 8];
    }
    if (sysm == 30) {
        return &c->elr[2];
    }
    bool sp = sysm == 5 || sysm == 13 || (sysm >= 16 && sysm & 1);

    bank = sysm < 8    ? BANK_USR
           : sysm < 15 ? BANK_FIQ
           : sysm < 18 ? BANK_IRQ
           : sysm < 20 ? BANK_SVC
           : sysm < 22 ? BANK_ABT
           : sysm < 24 ? BANK_UND
           : sysm < 30 ? BANK_MON
                       : BANK_HYP;
    if (bank == now) {
        return sp ? &c->x[13] : &c->x[14];
    }
    return sp ? &c->bank_sp[bank] : &c->bank_lr[bank];
}

uint32_t helper_a32_get_banked(Cpu *cpu, uint32_t sysm, uint32_t spsr)
{
    return (uint32_t)*banked(ARM(cpu), sysm, spsr);
}

void helper_a32_set_banked(Cpu *cpu, uint32_t sysm, uint32_t spsr, uint32_t v)
{
    *banked(ARM(cpu), sysm, spsr) = v;
}

/* ---- exceptions ---- */

static void return_to(ArmCpu *c, uint32_t pc, uint64_t psr)
{
    bool to_hyp = (psr & 31) == A32_HYP && (c->pstate & 31) == A32_MON && c->scr & SCR_NS;

    if (!mode_known(c, psr & 31) && !to_hyp) {
        psr = (psr & ~31ull) | (c->pstate & 31) | PSTATE_IL;    /* G1.13.4 */
    }
    c->excl_addr = UINT64_MAX;
    c->event = true;
    arm_set_pstate(c, psr | PSTATE_A32);
    c->pstate &= arm_step_active(c, arm_el(c)) ? ~0u : ~PSTATE_SS;
    c->pc = pc & (c->pstate & PSTATE_T ? ~1u : ~3u);
    arm_el_changed(c);
}

void helper_a32_return(Cpu *cpu, uint32_t pc)
{
    ArmCpu *c = ARM(cpu);
    unsigned mode = c->pstate & 31;

    return_to(c, mode == A32_HYP ? (uint32_t)c->elr[2] : pc, c->bank_spsr[arm_bank_of(mode)]);
}

void helper_a32_rfe(Cpu *cpu, uint32_t pc, uint32_t psr)
{
    return_to(ARM(cpu), pc, psr);
}

/* ---- saturation ---- */

static uint32_t sat32(ArmCpu *c, int64_t v)
{
    if (v != (int32_t)v) {
        c->q = 1;
        return v < 0 ? 0x80000000u : 0x7fffffff;
    }
    return (uint32_t)v;
}

uint32_t helper_a32_qadd(Cpu *cpu, uint32_t m, uint32_t n, uint32_t how)
{
    ArmCpu *c = ARM(cpu);
    int64_t y = (int32_t)n;

    if (how & 2) {
        y = (int32_t)sat32(c, y * 2);
    }
    return sat32(c, how & 1 ? (int32_t)m - y : (int32_t)m + y);
}

static int32_t clip(ArmCpu *c, int32_t v, unsigned bits, bool u)
{
    int64_t max = u ? (1ll << bits) - 1 : (1ll << (bits - 1)) - 1, min = u ? 0 : -max - 1;

    if (v > max || v < min) {
        c->q = 1;
        return (int32_t)(v > max ? max : min);
    }
    return v;
}

/* how: bit 0 unsigned, bit 1 both halves */
uint32_t helper_a32_sat(Cpu *cpu, uint32_t v, uint32_t bits, uint32_t how)
{
    ArmCpu *c = ARM(cpu);

    if (how & 2) {
        return ((uint32_t)clip(c, (int16_t)v, bits, how & 1) & 0xffff) |
               (uint32_t)clip(c, (int16_t)(v >> 16), bits, how & 1) << 16;
    }
    return (uint32_t)clip(c, (int32_t)v, bits, how & 1);
}

/* ---- parallel arithmetic: kind S Q SH U UQ UH, operation ADD16 ASX SAX SUB16 ADD8 SUB8 ---- */

static int32_t lane_result(int32_t v, unsigned kind, unsigned bits)
{
    int32_t smax = (1 << (bits - 1)) - 1, umax = (1 << bits) - 1;

    switch (kind) {
    case 1:
        return v > smax ? smax : v < -smax - 1 ? -smax - 1 : v;
    case 4:
        return v > umax ? umax : v < 0 ? 0 : v;
    case 2:
    case 5:
        return v >> 1;
    default:
        return v;
    }
}

uint32_t helper_a32_parallel(Cpu *cpu, uint32_t n, uint32_t m, uint32_t how)
{
    ArmCpu *c = ARM(cpu);
    unsigned kind = how >> 4, op = how & 15, bits = op >= 4 ? 8 : 16, ge = 0;
    uint32_t r = 0;

    for (unsigned k = 0; k < 32 / bits; k++) {
        bool cross = op == 1 || op == 2,
             add = op == 0 || op == 4 || (op == 1 && k == 1) || (op == 2 && k == 0);
        unsigned from = cross ? 1 - k : k;
        uint32_t mask = bits == 8 ? 0xff : 0xffff, x = n >> (k * bits) & mask,
                 y = m >> (from * bits) & mask;
        int32_t a = kind < 3 ? bits == 8 ? (int8_t)x : (int16_t)x : (int32_t)x,
                b = kind < 3 ? bits == 8 ? (int8_t)y : (int16_t)y : (int32_t)y;
        int32_t v = add ? a + b : a - b;
        bool set = kind == 3 && add ? v > (int32_t)mask : v >= 0;

        r |= ((uint32_t)lane_result(v, kind, bits) & mask) << (k * bits);
        ge |= set ? (bits == 8 ? 1u : 3u) << (k * bits / 8) : 0;
    }
    if (kind == 0 || kind == 3) {
        c->ge = ge;
    }
    return r;
}

uint32_t helper_a32_usad8(uint32_t n, uint32_t m)
{
    uint32_t r = 0;

    for (unsigned k = 0; k < 32; k += 8) {
        int d = (int)(n >> k & 0xff) - (int)(m >> k & 0xff);

        r += (uint32_t)(d < 0 ? -d : d);
    }
    return r;
}

/* ---- VFP ---- */

uint64_t helper_vfp_fixed(Cpu *cpu, uint64_t v, uint32_t w)
{
    ArmCpu *c = ARM(cpu);
    unsigned bits = word_op(w) & 2 ? 32 : 16, size = word_size(w);

    if (word_op(w) & 1) {
        uint64_t r = fp_to_int(c, size, v, ROUND_Z, !word_u(w), bits, word_imm(w));

        /* the result is extended to the register's size */
        return word_u(w) ? r
                         : (uint64_t)((int64_t)(r << (64 - bits)) >> (64 - bits)) &
                               (size == 3 ? UINT64_MAX : UINT32_MAX);
    }
    /* F5.1: from fixed point always to nearest */
    uint32_t fpcr = c->fpcr;

    c->fpcr &= ~(3u << FPCR_RMODE_SHIFT);
    v = fp_from_int(c, size, v, !word_u(w), bits, word_imm(w));
    c->fpcr = fpcr;
    return v;
}

uint32_t helper_vmrs(Cpu *cpu, uint32_t reg)
{
    ArmCpu *c = ARM(cpu);

    switch (reg) {
    case 0:
        return c->id.fpsid;
    case 1:
        return arm_get_fpscr(c);
    case 5:
    case 6:
    case 7:
        return c->id.mvfr[7 - reg];
    case 8:
        return (uint32_t)c->fpexc;
    default:
        return 0;
    }
}

void helper_vmsr(Cpu *cpu, uint32_t reg, uint32_t v)
{
    ArmCpu *c = ARM(cpu);

    if (reg == 1) {
        arm_set_fpscr(c, v);
    } else if (reg == 8) {
        c->fpexc = v & 1u << 30;
    }
}

void helper_a32_misaligned(Cpu *cpu, uint64_t va, uint32_t load)
{
    arm_unaligned(cpu, va, load ? ACCESS_LOAD : ACCESS_STORE, arm_mmu_index(ARM(cpu)), HOST_PC());
    g_assert_not_reached();
}
