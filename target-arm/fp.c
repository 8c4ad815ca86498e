// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * FPCR and FPSR. While guest code runs the host's control register has the guest's rounding mode,
 * all exceptions masked; its sticky flags are the guest's and are read out when the guest looks.
 * Flush to zero is not the host's: with it every operation goes to an exact helper.
 */
#include <string.h>
#include <xmmintrin.h>
#include "target-arm/cpu.h"

enum {
    MXCSR_MASKS = 0x1f80,
    MXCSR_IE = 1,
    MXCSR_DE = 2,
    MXCSR_ZE = 4,
    MXCSR_OE = 8,
    MXCSR_UE = 16,
    MXCSR_PE = 32
};

/* RN RP RM RZ to the host's numbering. */
static uint32_t host_rounding(uint32_t fpcr)
{
    static const uint32_t rc[4] = {0x0000, 0x4000, 0x2000, 0x6000};

    return rc[fpcr >> FPCR_RMODE_SHIFT & 3];
}

void arm_exec_enter(Cpu *cpu)
{
    ArmCpu *c = ARM(cpu);

    c->in_exec = true;
    _mm_setcsr(c->host_mxcsr);
}

/* Moves the host's flags into fpsr. */
static void gather(ArmCpu *c)
{
    uint32_t m = _mm_getcsr();

    c->fpsr |= (m & MXCSR_IE ? FPSR_IOC : 0) | (m & MXCSR_ZE ? FPSR_DZC : 0) |
               (m & MXCSR_OE ? FPSR_OFC : 0) | (m & MXCSR_UE ? FPSR_UFC : 0) |
               (m & MXCSR_PE ? FPSR_IXC : 0);
    _mm_setcsr(m & ~0x3fu);
}

void arm_exec_leave(Cpu *cpu)
{
    ArmCpu *c = ARM(cpu);

    gather(c);
    c->in_exec = false;
    _mm_setcsr(MXCSR_MASKS);
}

void arm_set_fpcr(ArmCpu *c, uint32_t v)
{
    if (!arm_has(c, FEATURE_FP16)) {
        v &= ~FPCR_FZ16;
    }
    c->fpcr = v & FPCR_MASK & ~0x9f00u & ~0x370000u;
    c->host_mxcsr = MXCSR_MASKS | host_rounding(c->fpcr);
    if (c->in_exec) {
        _mm_setcsr((_mm_getcsr() & 0x3f) | c->host_mxcsr);
    }
}

uint32_t arm_get_fpsr(ArmCpu *c)
{
    if (c->in_exec) {
        gather(c);
    }
    return c->fpsr | (c->fpsr_qc ? FPSR_QC : 0);
}

void arm_set_fpsr(ArmCpu *c, uint32_t v)
{
    c->fpsr = v & 0x9f;
    c->fpsr_qc = v & FPSR_QC;
    if (c->in_exec) {
        _mm_setcsr(_mm_getcsr() & ~0x3fu);
    }
}

/* FPSCR: both in one, with the AArch32 flags, which live in fpscr_nzcv. */
uint32_t arm_get_fpscr(ArmCpu *c)
{
    return c->fpscr_nzcv | c->fpcr | c->vfp_len_stride | arm_get_fpsr(c);
}

void arm_set_fpscr(ArmCpu *c, uint32_t v)
{
    c->fpscr_nzcv = v & 0xf0000000;
    c->vfp_len_stride = arm_has(c, FEATURE_V8) || arm_has(c, FEATURE_VFP3) ? 0 : v & 0x370000;
    arm_set_fpcr(c, v);
    arm_set_fpsr(c, v);
}
