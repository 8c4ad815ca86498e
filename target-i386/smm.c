// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System management mode: entry on SMI and RSM, with the state save maps of 64-bit CPUs (SDM 3C
 * table 31-3's AMD form, APM 2 table 10-1) and of 32-bit ones (SDM 3C table 31-1).
 */
#include "qom/vm.h"
#include "target-i386/helpers.h"
#include "target-i386/seg.h"
#include "util/log.h"

#define SMM_REVISION_64 0x00020064u
#define SMM_REVISION_32 0x00020000u
#define SMM_SAVE 0x8000u

static void put(X86Cpu *c, unsigned offset, uint64_t v, unsigned size)
{
    address_space_store(c->cpu.as, (hwaddr)c->smbase + SMM_SAVE + offset, v, size, DEV_LITTLE,
                        (MemAttrs){.is_cpu = 1, .secure = 1, .cpu_index = c->cpu.index});
}

static uint64_t get(X86Cpu *c, unsigned offset, unsigned size)
{
    return address_space_load(c->cpu.as, (hwaddr)c->smbase + SMM_SAVE + offset, size, DEV_LITTLE,
                              (MemAttrs){.is_cpu = 1, .secure = 1, .cpu_index = c->cpu.index},
                              NULL);
}

/* Offsets of descriptors in the 64-bit map: es cs ss ds fs gs, then gdtr ldtr idtr tr. */
static void put_seg64(X86Cpu *c, unsigned offset, const X86Seg *s)
{
    put(c, offset, s->selector, 2);
    put(c, offset + 2, (s->flags >> 8) & 0xf0ff, 2);
    put(c, offset + 4, s->limit, 4);
    put(c, offset + 8, s->base, 8);
}

static X86Seg get_seg64(X86Cpu *c, unsigned offset)
{
    return (X86Seg){
        .selector = get(c, offset, 2),
        .flags = (get(c, offset + 2, 2) & 0xf0ff) << 8,
        .limit = get(c, offset + 4, 4),
        .base = get(c, offset + 8, 8),
    };
}

static void save64(X86Cpu *c)
{
    static const uint8_t order[] = {R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI};

    for (unsigned i = 0; i < 6; i++) {
        put_seg64(c, 0x7e00 + 16 * i, &c->segs[i]);
    }
    put(c, 0x7ec9, c->cpu.halted, 1);
    put(c, 0x7e64, c->gdt.limit, 4);
    put(c, 0x7e68, c->gdt.base, 8);
    put_seg64(c, 0x7e70, &c->ldt);
    put(c, 0x7e84, c->idt.limit, 4);
    put(c, 0x7e88, c->idt.base, 8);
    put_seg64(c, 0x7e90, &c->tr);
    put(c, 0x7ed0, c->efer, 8);
    for (unsigned i = 0; i < 8; i++) {
        put(c, 0x7ff8 - 8 * i, c->regs[order[i]], 8);
        put(c, 0x7fb8 - 8 * i, c->regs[8 + i], 8);
    }
    put(c, 0x7f78, c->rip, 8);
    put(c, 0x7f70, x86_get_eflags(c), 4);
    put(c, 0x7f68, c->dr[6], 4);
    put(c, 0x7f60, c->dr[7], 4);
    put(c, 0x7f48, c->cr4, 4);
    put(c, 0x7f50, c->cr3, 8);
    put(c, 0x7f58, c->cr0, 4);
    put(c, 0x7ec9, c->cpu.halted, 1);
    put(c, 0x7efc, SMM_REVISION_64, 4);
    put(c, 0x7f00, c->smbase, 4);
}

static void put_seg32(X86Cpu *c, unsigned selector, unsigned rest, const X86Seg *s)
{
    put(c, selector, s->selector, 4);
    put(c, rest + 8, s->base, 4);
    put(c, rest + 4, s->limit, 4);
    put(c, rest, (s->flags >> 8) & 0xf0ff, 4);
}

static X86Seg get_seg32(X86Cpu *c, unsigned selector, unsigned rest)
{
    return (X86Seg){
        .selector = get(c, selector, 4) & 0xffff,
        .base = get(c, rest + 8, 4),
        .limit = get(c, rest + 4, 4),
        .flags = (get(c, rest, 4) & 0xf0ff) << 8,
    };
}

static const uint8_t order32[] = {R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI};

static unsigned seg32_offset(unsigned i)
{
    return i < 3 ? 0x7f84 + i * 12 : 0x7f2c + (i - 3) * 12;
}

static void save32(X86Cpu *c)
{
    put(c, 0x7ffc, c->cr0, 4);
    put(c, 0x7ff8, c->cr3, 4);
    put(c, 0x7ff4, x86_get_eflags(c), 4);
    put(c, 0x7ff0, c->rip, 4);
    for (unsigned i = 0; i < 8; i++) {
        put(c, 0x7fd0 + 4 * (7 - i), c->regs[order32[7 - i]], 4);
    }
    put(c, 0x7fcc, c->dr[6], 4);
    put(c, 0x7fc8, c->dr[7], 4);
    put_seg32(c, 0x7fc4, 0x7f5c, &c->tr);
    put_seg32(c, 0x7fc0, 0x7f78, &c->ldt);
    put(c, 0x7f74, c->gdt.base, 4);
    put(c, 0x7f70, c->gdt.limit, 4);
    put(c, 0x7f58, c->idt.base, 4);
    put(c, 0x7f54, c->idt.limit, 4);
    for (unsigned i = 0; i < 6; i++) {
        put_seg32(c, 0x7fa8 + i * 4, seg32_offset(i), &c->segs[i]);
    }
    put(c, 0x7f14, c->cr4, 4);
    put(c, 0x7f02, c->cpu.halted, 1);
    put(c, 0x7efc, SMM_REVISION_32, 4);
    put(c, 0x7ef8, c->smbase, 4);
}

void x86_set_smm(X86Cpu *c, bool on)
{
    Vm *vm = c->cpu.dev.vm;

    c->smm = on;
    c->cpu.as = on && vm->smm_as ? vm->smm_as : vm->memory_as;
}

static void log_smm(X86Cpu *c, const char *what)
{
    if (log_enabled(LOG_INT)) {
        g_autoptr(GString) text = g_string_new(NULL);

        c->cpu.arch->dump(&c->cpu, text, 0);
        log_mask(LOG_INT, "SMM: %s\n%s", what, text->str);
    }
}

void x86_smi_enter(X86Cpu *c)
{
    log_smm(c, "enter");
    c->smi_masked_nmi = c->nmi_masked;
    c->nmi_masked = true;
    c->smm_guest = c->guest;        /* APM 15.23: SMM runs outside of guest mode */
    c->smm_nested = c->nested;
    c->guest = NULL;
    c->nested = c->nested_split = false;
    x86_set_smm(c, true);
    if (x86_has_feature(c, FEAT_LM)) {
        save64(c);
    } else {
        save32(c);
    }
    c->cpu.halted = false;
    x86_set_efer(c, 0);
    x86_set_eflags(c, FLAG_1, UINT32_MAX);
    c->rip = 0x8000;
    x86_write_cr0(c, c->cr0 & ~(uint64_t)(CR0_PE | CR0_EM | CR0_TS | CR0_PG));
    x86_write_cr4(c, 0);
    c->dr[7] = DR7_FIXED;
    x86_update_breakpoints(c);
    for (unsigned i = 0; i < 6; i++) {
        x86_set_seg(c, i, 0, 0, 0xffffffff, SEG_G | SEG_P | SEG_S | SEG_W | SEG_A);
    }
    x86_set_seg(c, S_CS, (c->smbase >> 4) & 0xffff, c->smbase, 0xffffffff,
                SEG_G | SEG_P | SEG_S | SEG_CODE | SEG_R | SEG_A);
    x86_set_cpl(c, 0);
    c->inhibit_irq = 0;
    tlb_flush(&c->cpu);
}

static void restore_control(X86Cpu *c, uint64_t cr0, uint64_t cr3, uint64_t cr4, uint64_t efer)
{
    x86_write_cr4(c, cr4);
    c->cr3 = cr3;
    x86_write_cr0(c, cr0);
    /* Paging may have been on in SMM too: LMA follows what is there now. */
    x86_set_efer(c, efer);
}

static void restore64(X86Cpu *c)
{
    static const uint8_t order[] = {R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI};
    uint64_t efer = get(c, 0x7ed0, 8), cr0 = get(c, 0x7f58, 4), cr3 = get(c, 0x7f50, 8),
             cr4 = get(c, 0x7f48, 4);

    c->gdt = (X86TableReg){.limit = get(c, 0x7e64, 4), .base = get(c, 0x7e68, 8)};
    c->ldt = get_seg64(c, 0x7e70);
    c->idt = (X86TableReg){.limit = get(c, 0x7e84, 4), .base = get(c, 0x7e88, 8)};
    c->tr = get_seg64(c, 0x7e90);
    for (unsigned i = 0; i < 8; i++) {
        c->regs[order[i]] = get(c, 0x7ff8 - 8 * i, 8);
        c->regs[8 + i] = get(c, 0x7fb8 - 8 * i, 8);
    }
    c->rip = get(c, 0x7f78, 8);
    c->dr[6] = get(c, 0x7f68, 4);
    c->dr[7] = get(c, 0x7f60, 4);
    c->cpu.halted = get(c, 0x7ec9, 1) & 1;
    restore_control(c, cr0, cr3, cr4, efer);
    x86_set_eflags(c, get(c, 0x7f70, 4), UINT32_MAX);
    for (unsigned i = 0; i < 6; i++) {
        c->segs[i] = get_seg64(c, 0x7e00 + 16 * i);
    }
    x86_seg_derive(c);
    if (get(c, 0x7efc, 4) & 0x20000) {
        c->smbase = get(c, 0x7f00, 4);
    }
}

static void restore32(X86Cpu *c)
{
    uint64_t cr0 = get(c, 0x7ffc, 4), cr3 = get(c, 0x7ff8, 4), cr4 = get(c, 0x7f14, 4);

    c->rip = get(c, 0x7ff0, 4);
    c->cpu.halted = get(c, 0x7f02, 1) & 1;
    for (unsigned i = 0; i < 8; i++) {
        c->regs[order32[i]] = get(c, 0x7fd0 + 4 * i, 4);
    }
    c->dr[6] = get(c, 0x7fcc, 4);
    c->dr[7] = get(c, 0x7fc8, 4);
    c->tr = get_seg32(c, 0x7fc4, 0x7f5c);
    c->ldt = get_seg32(c, 0x7fc0, 0x7f78);
    c->gdt = (X86TableReg){.base = get(c, 0x7f74, 4), .limit = get(c, 0x7f70, 4)};
    c->idt = (X86TableReg){.base = get(c, 0x7f58, 4), .limit = get(c, 0x7f54, 4)};
    restore_control(c, cr0, cr3, cr4, 0);
    x86_set_eflags(c, get(c, 0x7ff4, 4), UINT32_MAX);
    for (unsigned i = 0; i < 6; i++) {
        c->segs[i] = get_seg32(c, 0x7fa8 + i * 4, seg32_offset(i));
    }
    x86_seg_derive(c);
    if (get(c, 0x7efc, 4) & 0x20000) {
        c->smbase = get(c, 0x7ef8, 4);
    }
}

void helper_rsm(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    if (!c->smm) {
        x86_raise(c, EXC_UD, HOST_PC());
    }
    if (x86_has_feature(c, FEAT_LM)) {
        restore64(c);
    } else {
        restore32(c);
    }
    x86_set_cpl(c,
                (c->cr0 & CR0_PE)
                    ? (c->eflags & FLAG_VM ? 3 : (c->segs[S_SS].flags & SEG_DPL) >> SEG_DPL_SHIFT)
                    : 0);
    x86_update_breakpoints(c);
    x86_set_smm(c, false);
    c->nmi_masked = c->smi_masked_nmi;
    c->guest = c->smm_guest;
    c->nested = c->smm_nested;
    c->smm_guest = NULL;
    tlb_flush(cpu);
    log_smm(c, "after RSM");
}
