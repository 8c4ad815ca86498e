// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * FPCR and FPSR. While guest code runs the host's control register has the guest's rounding mode,
 * all exceptions masked; its sticky flags are the guest's and are read out when the guest looks.
 * Flush to zero is not the host's: with it every operation goes to an exact helper.
 */
#include <string.h>
#include "target-arm/cpu.h"
#include "util/host-float.h"

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
static uint32_t rounding_bits(uint32_t fpcr)
{
    static const uint32_t rc[4] = {0x0000, 0x4000, 0x2000, 0x6000};

    return rc[fpcr >> FPCR_RMODE_SHIFT & 3];
}

void arm_exec_enter(Cpu *cpu)
{
    ArmCpu *c = ARM(cpu);

    c->in_exec = true;
    host_set_mxcsr(c->host_mxcsr);
}

/* Moves the host's flags into fpsr. */
static void gather(ArmCpu *c)
{
    uint32_t m = host_mxcsr();

    c->fpsr |= (m & MXCSR_IE ? FPSR_IOC : 0) | (m & MXCSR_ZE ? FPSR_DZC : 0) |
               (m & MXCSR_OE ? FPSR_OFC : 0) | (m & MXCSR_UE ? FPSR_UFC : 0) |
               (m & MXCSR_PE ? FPSR_IXC : 0);
    host_set_mxcsr(m & ~0x3fu);
}

void arm_exec_leave(Cpu *cpu)
{
    ArmCpu *c = ARM(cpu);

    gather(c);
    c->in_exec = false;
    host_set_mxcsr(MXCSR_MASKS);
}

void arm_set_fpcr(ArmCpu *c, uint32_t v)
{
    if (!arm_has(c, FEATURE_FP16)) {
        v &= ~FPCR_FZ16;
    }
    c->fpcr = v & FPCR_MASK & ~0x9f00u & ~0x370000u;
    c->host_mxcsr = MXCSR_MASKS | rounding_bits(c->fpcr);
    if (c->in_exec) {
        host_set_mxcsr((host_mxcsr() & 0x3f) | c->host_mxcsr);
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
        host_set_mxcsr(host_mxcsr() & ~0x3fu);
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
