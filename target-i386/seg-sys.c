// SPDX-License-Identifier: GPL-2.0-or-later
/* SYSENTER, SYSEXIT, SYSCALL, SYSRET. SDM volume 2; APM 3 for their legacy-mode forms. */
#include "target-i386/helpers.h"
#include "target-i386/seg.h"

#define FLAT_CODE (SEG_G | SEG_P | SEG_S | SEG_CODE | SEG_R | SEG_A)
#define FLAT_DATA (SEG_G | SEG_B | SEG_P | SEG_S | SEG_W | SEG_A)

static void load_flat(X86Cpu *c, uint32_t cs, uint32_t ss, unsigned cpl, uint32_t size_bits)
{
    uint32_t dpl = cpl << SEG_DPL_SHIFT;

    x86_set_seg(c, S_CS, cs, 0, 0xffffffff, FLAT_CODE | dpl | size_bits);
    x86_set_seg(c, S_SS, ss, 0, 0xffffffff, FLAT_DATA | dpl);
    x86_set_cpl(c, cpl);
}

void helper_sysenter(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    uint32_t cs = c->sysenter_cs & 0xfffc;

    if (!(c->cr0 & CR0_PE) || cs == 0) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    c->eflags &= ~(FLAG_VM | FLAG_IF | FLAG_RF);
    load_flat(c, cs, cs + 8, 0, x86_long_mode(c) ? SEG_L : SEG_B);
    c->regs[R_SP] = x86_long_mode(c) ? c->sysenter_esp : (uint32_t)c->sysenter_esp;
    c->rip = x86_long_mode(c) ? c->sysenter_eip : (uint32_t)c->sysenter_eip;
}

void helper_sysexit(Cpu *cpu, uint32_t size)
{
    X86Cpu *c = X86(cpu);
    uint32_t cs = c->sysenter_cs & 0xfffc;

    if (!(c->cr0 & CR0_PE) || cs == 0 || c->cpl != 0) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    if (size == 3) {
        if (!x86_canonical(c, c->regs[R_CX]) || !x86_canonical(c, c->regs[R_DX])) {
            x86_raise_error(c, EXC_GP, 0, HOST_PC());
        }
        load_flat(c, (cs + 32) | 3, (cs + 40) | 3, 3, SEG_L);
        c->regs[R_SP] = c->regs[R_CX];
        c->rip = c->regs[R_DX];
    } else {
        load_flat(c, (cs + 16) | 3, (cs + 24) | 3, 3, SEG_B);
        c->regs[R_SP] = (uint32_t)c->regs[R_CX];
        c->rip = (uint32_t)c->regs[R_DX];
    }
}

void helper_syscall(Cpu *cpu, uint64_t next)
{
    X86Cpu *c = X86(cpu);
    uint32_t cs = (c->star >> 32) & 0xfffc;

    if (!(c->efer & EFER_SCE) || !(c->cr0 & CR0_PE)) {
        x86_raise(c, EXC_UD, HOST_PC());
    }
    if (x86_long_mode(c)) {
        uint64_t target = x86_code64(c) ? c->lstar : c->cstar;

        c->regs[R_CX] = next;
        c->regs[R_11] = x86_get_eflags(c) & ~FLAG_RF;
        load_flat(c, cs, cs + 8, 0, SEG_L);
        x86_set_eflags(c, 0, ((uint32_t)c->sfmask & ~FLAG_1) | FLAG_RF);
        c->rip = target;
    } else {
        c->regs[R_CX] = (uint32_t)next;
        load_flat(c, cs, cs + 8, 0, SEG_B);
        c->eflags &= ~(FLAG_IF | FLAG_RF | FLAG_VM);
        c->rip = (uint32_t)c->star;
    }
}

void helper_sysret(Cpu *cpu, uint32_t size)
{
    X86Cpu *c = X86(cpu);
    uint32_t cs = (c->star >> 48) & 0xfffc;

    if (!(c->efer & EFER_SCE)) {
        x86_raise(c, EXC_UD, HOST_PC());
    }
    if (!(c->cr0 & CR0_PE) || c->cpl != 0) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    if (x86_long_mode(c)) {
        if (size == 3 && !x86_canonical(c, c->regs[R_CX])) {
            x86_raise_error(c, EXC_GP, 0, HOST_PC());
        }
        x86_set_eflags(c, c->regs[R_11],
                       FLAGS_CC | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_AC |
                           FLAG_VIF | FLAG_VIP | FLAG_ID | FLAG_RF);
        c->eflags &= ~FLAG_RF;
        if (size == 3) {
            load_flat(c, (cs + 16) | 3, (cs + 8) | 3, 3, SEG_L);
            c->rip = c->regs[R_CX];
        } else {
            load_flat(c, cs | 3, (cs + 8) | 3, 3, SEG_B);
            c->rip = (uint32_t)c->regs[R_CX];
        }
    } else {
        c->eflags |= FLAG_IF;
        load_flat(c, cs | 3, (cs + 8) | 3, 3, SEG_B);
        c->rip = (uint32_t)c->regs[R_CX];
    }
}
