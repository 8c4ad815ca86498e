// SPDX-License-Identifier: GPL-2.0-or-later
/* x87 control, environment and state; MXCSR and the host's floating-point environment. */
#include "target-i386/x87.h"

#include <string.h>
#include "target-i386/helpers.h"
#include "target-i386/x87-host.h"
#include "util/host-float.h"

uint32_t x87_status(const X86Cpu *c)
{
    return (c->fp_sw & ~(7u << FPSW_TOP_SHIFT)) | c->fp_top << FPSW_TOP_SHIFT;
}

void x87_set_status(X86Cpu *c, uint32_t sw)
{
    c->fp_top = sw >> FPSW_TOP_SHIFT & 7;
    c->fp_host_clean = 0;
    c->fp_sw = sw & 0xffff & ~(7u << FPSW_TOP_SHIFT);
    x87_update_summary(c);
}

uint32_t x87_tag_word(const X86Cpu *c)
{
    uint32_t tw = 0;

    for (unsigned i = 0; i < 8; i++) {
        const X87Reg *r = &c->fpr[i];
        unsigned exp = r->sign_exp & 0x7fff, tag = 0;

        if (c->fp_tag[i]) {
            tag = 3;
        } else if (exp == 0 && r->mant == 0) {
            tag = 1;
        } else if (exp == 0 || exp == 0x7fff || !(r->mant >> 63)) {
            tag = 2;
        }
        tw |= tag << 2 * i;
    }
    return tw;
}

void x87_set_tag_word(X86Cpu *c, uint32_t tw)
{
    for (unsigned i = 0; i < 8; i++) {
        c->fp_tag[i] = (tw >> 2 * i & 3) == 3;
    }
}

static void init(X86Cpu *c)
{
    c->fp_cw = 0x37f;
    c->fp_sw = c->fp_host_clean = 0;
    c->fp_top = 0;
    memset(c->fp_tag, 1, sizeof(c->fp_tag));
    c->fp_ip = c->fp_dp = 0;
    c->fp_cs = c->fp_ds = c->fp_op = 0;
}

void x86_fpu_reset(X86Cpu *c)
{
    init(c);
    memset(c->fpr, 0, sizeof(c->fpr));
    x86_set_mxcsr(c, MXCSR_DEFAULT);
}

void helper_fninit(Cpu *cpu)
{
    x87_enter(X86(cpu), false, HOST_PC());
    init(X86(cpu));
}

void helper_fnclex(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    x87_enter(c, false, HOST_PC());
    c->fp_host_clean = 0;
    c->fp_sw &= ~(FPSW_EXCEPTIONS | FPSW_SF | FPSW_ES | FPSW_B);
}

void helper_fldcw(Cpu *cpu, uint32_t cw)
{
    X86Cpu *c = X86(cpu);

    x87_enter(c, true, HOST_PC());
    c->fp_cw = (cw & 0x1f7f) | 0x40;
    x87_update_summary(c);
}

uint32_t helper_fnstcw(Cpu *cpu)
{
    x87_enter(X86(cpu), false, HOST_PC());
    return X86(cpu)->fp_cw;
}

uint32_t helper_fnstsw(Cpu *cpu)
{
    x87_enter(X86(cpu), false, HOST_PC());
    return x87_status(X86(cpu));
}

/* ---- environment: SDM 1 figures 8-9 to 8-12 ---- */

/* Real and virtual-8086 mode have linear addresses in place of selectors. */
static bool linear_form(const X86Cpu *c)
{
    return !(c->cr0 & CR0_PE) || (c->eflags & FLAG_VM);
}

static unsigned env_pack(X86Cpu *c, unsigned size, uint8_t *p)
{
    uint32_t ip = c->fp_ip, dp = c->fp_dp;
    uint32_t w[7] = {c->fp_cw, x87_status(c), x87_tag_word(c), ip, c->fp_cs | c->fp_op << 16,
                     dp,       c->fp_ds};

    if (linear_form(c)) {
        ip += c->fp_cs << 4;
        dp += c->fp_ds << 4;
        w[3] = ip & 0xffff;
        w[4] = size == 2 ? (ip >> 16) << 12 | c->fp_op : (ip >> 16 & 15) << 12 | c->fp_op;
        w[5] = dp & 0xffff;
        w[6] = (size == 2 ? dp >> 16 : dp >> 16 & 15) << 12;
    }
    for (unsigned i = 0; i < 7; i++) {
        if (size == 2) {
            uint32_t v = i < 3                       ? w[i] | 0xffff0000
                         : i == 6 && !linear_form(c) ? w[i] | 0xffff0000
                                                     : w[i];

            memcpy(p + 4 * i, &v, 4);
        } else {
            uint16_t v = i == 4 && !linear_form(c) ? c->fp_cs : w[i];

            memcpy(p + 2 * i, &v, 2);
        }
    }
    return size == 2 ? 28 : 14;
}

static unsigned env_unpack(X86Cpu *c, unsigned size, const uint8_t *p)
{
    uint32_t w[7] = {0};

    for (unsigned i = 0; i < 7; i++) {
        memcpy(&w[i], p + (i << size), 1u << size);
    }
    c->fp_cw = (w[0] & 0x1f7f) | 0x40;
    x87_set_tag_word(c, w[2]);
    x87_set_status(c, w[1] & 0xffff);
    if (linear_form(c)) {
        c->fp_ip = (w[3] & 0xffff) | (w[4] & 0x0ffff000) << 4;
        c->fp_dp = (w[5] & 0xffff) | (w[6] & 0x0ffff000) << 4;
        c->fp_cs = c->fp_ds = 0;
        c->fp_op = w[4] & 0x7ff;
    } else {
        c->fp_ip = w[3];
        c->fp_cs = w[4] & 0xffff;
        c->fp_op = w[4] >> 16 & 0x7ff;
        c->fp_dp = w[5];
        c->fp_ds = w[6] & 0xffff;
    }
    return size == 2 ? 28 : 14;
}

void helper_fldenv(Cpu *cpu, uint64_t va, uint32_t size)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    uint8_t p[28];

    x87_enter(c, true, host_pc);
    cpu_load_bytes(cpu, va, p, size == 2 ? 28 : 14, x86_mmu_index(c), host_pc);
    env_unpack(c, size, p);
}

void helper_fnstenv(Cpu *cpu, uint64_t va, uint32_t size)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    uint8_t p[28];
    unsigned n;

    x87_enter(c, false, host_pc);
    n = env_pack(c, size, p);
    cpu_store_bytes(cpu, va, p, n, x86_mmu_index(c), host_pc);
    c->fp_cw |= FPSW_EXCEPTIONS;
    x87_update_summary(c);
}

void helper_fnsave(Cpu *cpu, uint64_t va, uint32_t size)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    uint8_t p[108];
    unsigned n;

    x87_enter(c, false, host_pc);
    n = env_pack(c, size, p);
    for (unsigned i = 0; i < 8; i++) {
        memcpy(p + n + 10 * i, x87_st(c, i), 10);
    }
    cpu_store_bytes(cpu, va, p, n + 80, x86_mmu_index(c), host_pc);
    init(c);
}

void helper_frstor(Cpu *cpu, uint64_t va, uint32_t size)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    uint8_t p[108];
    unsigned n;

    x87_enter(c, true, host_pc);
    cpu_load_bytes(cpu, va, p, size == 2 ? 108 : 94, x86_mmu_index(c), host_pc);
    n = env_unpack(c, size, p);
    for (unsigned i = 0; i < 8; i++) {
        memcpy(x87_st(c, i), p + n + 10 * i, 10);
    }
}

void helper_fwait(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    if ((c->cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS)) {
        x86_raise(c, EXC_NM, HOST_PC());
    }
    if (c->fp_sw & FPSW_ES) {
        x86_raise(c, EXC_MF, HOST_PC());
    }
}

static void mmx_check(X86Cpu *c, uintptr_t host_pc)
{
    if (c->cr0 & CR0_EM) {
        x86_raise(c, EXC_UD, host_pc);
    }
    x87_enter(c, true, host_pc);
}

void helper_x87_check(Cpu *cpu)
{
    mmx_check(X86(cpu), HOST_PC());
}

void helper_mmx_enter(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    mmx_check(c, HOST_PC());
    c->fp_top = 0;
    memset(c->fp_tag, 0, sizeof(c->fp_tag));
}

void helper_emms(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    mmx_check(c, HOST_PC());
    c->fp_top = 0;
    memset(c->fp_tag, 1, sizeof(c->fp_tag));
}

void helper_fpu_note(Cpu *cpu, uint32_t opcode, uint64_t rip, uint32_t selector, uint64_t offset)
{
    X86Cpu *c = X86(cpu);

    c->fp_op = opcode;
    c->fp_ip = rip;
    c->fp_cs = c->segs[S_CS].selector;
    c->fp_ds = selector;
    c->fp_dp = offset;
}

/*
 * ---- MXCSR. Generated code runs with the guest's rounding, FTZ and DAZ, all exceptions masked.
 * ----
 */

static uint32_t running_mxcsr(const X86Cpu *c)
{
    return (c->mxcsr & (3u << MXCSR_RC_SHIFT | MXCSR_DAZ | MXCSR_FTZ)) | 0x1f80;
}

void x86_exec_enter(Cpu *cpu)
{
    host_set_mxcsr(running_mxcsr(X86(cpu)));
    host_x87_clear();                   /* other code ran on this thread */
    X86(cpu)->fp_host_clean = 1;
    X86(cpu)->in_exec = true;
}

void x86_exec_leave(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    c->mxcsr |= host_mxcsr() & MXCSR_STICKY;
    c->in_exec = false;
    host_set_mxcsr(MXCSR_DEFAULT);
}

uint32_t x86_get_mxcsr(X86Cpu *c)
{
    if (c->in_exec) {
        c->mxcsr |= host_mxcsr() & MXCSR_STICKY;
    }
    return c->mxcsr;
}

uint32_t x86_mxcsr_mask(const X86Cpu *c)
{
    return 0xffff | (x86_has_feature(c, FEAT_MISALIGNSSE) ? MXCSR_MM : 0);
}

void x86_set_mxcsr(X86Cpu *c, uint32_t mxcsr)
{
    c->mxcsr = mxcsr & x86_mxcsr_mask(c);
    if (c->in_exec) {
        host_set_mxcsr(running_mxcsr(c));
    }
}
