// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VM exits: the guest's state into the VMCS, the hypervisor's out of it, MSR areas. SDM 3C chapter
 * 28.
 */
#include "target-i386/seg.h"
#include "target-i386/vmx.h"
#include "util/log.h"

/* ---- MSR areas: 28.4, 28.6, 27.4 ---- */

typedef struct MsrEntry {
    uint32_t index, reserved;
    uint64_t value;
} MsrEntry;

static bool area_msr_ok(const MsrEntry *e)
{
    return !e->reserved && e->index >> 8 != 8 && e->index != 0xc0000100 && e->index != 0xc0000101 &&
           e->index != 0x9e;
}

unsigned vmx_load_msrs(X86Cpu *c, hwaddr area, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        MsrEntry e = {0};

        if (i == VM_MAX_MSRS ||
            address_space_read(c->cpu.as, area + i * 16ull, vmx_attrs(c), &e, 16) != MEM_OK ||
            !area_msr_ok(&e) || !x86_msr_write(c, e.index, e.value)) {
            return i + 1;
        }
    }
    return 0;
}

static bool store_msrs(X86Cpu *c, hwaddr area, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        MsrEntry e = {0};

        if (i == VM_MAX_MSRS ||
            address_space_read(c->cpu.as, area + i * 16ull, vmx_attrs(c), &e, 16) != MEM_OK ||
            e.reserved || e.index >> 8 == 8 || !x86_msr_read(c, e.index, &e.value)) {
            return false;
        }
        address_space_write(c->cpu.as, area + i * 16ull, vmx_attrs(c), &e, 16);
    }
    return true;
}

/* ---- the guest's state: 28.3 ---- */

static void seg_out(X86Cpu *c, unsigned seg, const X86Seg *s)
{
    uint32_t ar = s->flags >> 8 & 0xf0ff;

    vmx_set(c, VM_G_SEL + 2 * seg, s->selector & 0xffff);
    vmx_set(c, VM_G_BASE + 2 * seg, s->base);
    vmx_set(c, VM_G_LIMIT + 2 * seg, s->limit);
    if (!(s->flags & SEG_P)) {
        ar |= VM_AR_UNUSABLE;
    }
    if (seg == S_SS) {
        ar = (ar & ~0x60u) | c->cpl << 5;
    }
    vmx_set(c, VM_G_AR + 2 * seg, ar);
}

static void save_guest(X86Cpu *c)
{
    uint32_t ctl = vmx_get(c, VM_EXIT_CTL), entry = vmx_get(c, VM_ENTRY_CTL), blocked = 0;

    vmx_set(c, VM_G_CR0, c->cr0);
    vmx_set(c, VM_G_CR3, c->cr3);
    vmx_set(c, VM_G_CR4, c->cr4);
    for (unsigned i = 0; i < 6; i++) {
        seg_out(c, i, &c->segs[i]);
    }
    seg_out(c, VM_SEG_LDTR, &c->ldt);
    seg_out(c, VM_SEG_TR, &c->tr);
    vmx_set(c, VM_G_GDTR_BASE, c->gdt.base);
    vmx_set(c, VM_G_GDTR_LIMIT, c->gdt.limit & 0xffff);
    vmx_set(c, VM_G_IDTR_BASE, c->idt.base);
    vmx_set(c, VM_G_IDTR_LIMIT, c->idt.limit & 0xffff);
    vmx_set(c, VM_G_RIP, c->rip);
    vmx_set(c, VM_G_RSP, c->regs[R_SP]);
    vmx_set(c, VM_G_RFLAGS, x86_get_eflags(c));
    vmx_set(c, VM_G_SYSENTER_CS, c->sysenter_cs);
    vmx_set(c, VM_G_SYSENTER_ESP, c->sysenter_esp);
    vmx_set(c, VM_G_SYSENTER_EIP, c->sysenter_eip);
    if (ctl & EXIT_SAVE_DEBUG) {
        vmx_set(c, VM_G_DR7, c->dr[7]);
        vmx_set(c, VM_G_DEBUGCTL, c->debugctl);
    }
    if (ctl & EXIT_SAVE_PAT) {
        vmx_set(c, VM_G_PAT, c->pat);
    }
    if (ctl & EXIT_SAVE_EFER) {
        vmx_set(c, VM_G_EFER, c->efer);
    }
    vmx_set(c, VM_ENTRY_CTL, (entry & ~ENTRY_IA32E) | (x86_long_mode(c) ? ENTRY_IA32E : 0));
    if (c->inhibit_irq) { /* the two kinds are not told apart here */
        blocked = c->eflags & FLAG_IF ? VM_BLOCK_STI : VM_BLOCK_MOV_SS;
    }
    vmx_set(c, VM_G_INTERRUPTIBILITY, blocked | (c->nmi_masked ? VM_BLOCK_NMI : 0));
    vmx_set(c, VM_G_ACTIVITY, c->cpu.halted ? VM_HALTED : VM_ACTIVE);
    vmx_set(c, VM_G_PENDING_DEBUG, c->vmx.pending_debug);
    vmx_timer_save(c);
    for (unsigned i = 0;
         c->nested && i < 4 && (c->cr0 & CR0_PG) && (c->cr4 & CR4_PAE) && !x86_long_mode(c); i++) {
        hwaddr pa;
        MemAttrs attrs = vmx_attrs(c);
        const NestedUse use = {.access = ACCESS_LOAD, .table = true, .debug = true};
        X86Page page;

        pa = (c->cr3 & 0xffffffe0) + i * 8;
        if (c->guest->translate(c, pa, &use, &page)) {
            vmx_set(
                c, VM_G_PDPTE + 2 * i,
                address_space_load(c->cpu.as, page.pa | (pa & 0xfff), 8, DEV_LITTLE, attrs, NULL));
        }
    }
}

/* ---- the hypervisor's state: 28.5 ---- */

static void host_data_seg(X86Cpu *c, unsigned seg, uint64_t base)
{
    uint32_t selector = vmx_get(c, VM_H_SEL + 2 * seg);

    c->segs[seg] = (X86Seg){
        .selector = selector, .base = base, .limit = 0xffffffff,
        .flags = selector ? SEG_G | SEG_B | SEG_P | SEG_S | SEG_W | SEG_A : 0,
    };
}

static void host_segs(X86Cpu *c, bool host64)
{
    host_data_seg(c, S_ES, 0);
    host_data_seg(c, S_SS, 0);
    host_data_seg(c, S_DS, 0);
    host_data_seg(c, S_FS, vmx_get(c, VM_H_FS_BASE));
    host_data_seg(c, S_GS, vmx_get(c, VM_H_GS_BASE));
    c->segs[S_CS] = (X86Seg){
        .selector = vmx_get(c, VM_H_SEL + 2 * S_CS), .limit = 0xffffffff,
        .flags = SEG_G | SEG_P | SEG_S | SEG_CODE | SEG_R | SEG_A | (host64 ? SEG_L : SEG_B),
    };
    c->tr = (X86Seg){
        .selector = vmx_get(c, VM_H_TR_SEL), .base = vmx_get(c, VM_H_TR_BASE), .limit = 0x67,
        .flags = SEG_P | SYS_TSS32_BUSY << SEG_TYPE_SHIFT,
    };
    c->ldt = (X86Seg){0};
    c->gdt = (X86TableReg){.base = vmx_get(c, VM_H_GDTR_BASE), .limit = 0xffff};
    c->idt = (X86TableReg){.base = vmx_get(c, VM_H_IDTR_BASE), .limit = 0xffff};
    x86_set_cpl(c, 0);
    x86_seg_derive(c);
}

void vmx_load_host(X86Cpu *c)
{
    uint32_t ctl = vmx_get(c, VM_EXIT_CTL);
    uint64_t keep = CR0_CD | CR0_NW | CR0_ET, bits = EFER_LMA | EFER_LME;
    bool host64 = ctl & EXIT_HOST64, held = x86_lock_machine();

    cpu_interrupt_clear(&c->cpu, X86_PENDING_VIRTUAL);
    timer_cancel(&c->vmx_timer);
    x86_unlock_machine(held);
    c->vmx.apic_written = c->vmx.apic_exit = 0;
    c->vmx.step_done = c->guest_step = false;
    c->vmx.pending_debug = 0;
    c->guest_tsc_scale = 0;
    c->guest = NULL;
    c->nested = c->nested_split = false;
    c->guest_tsc_offset = 0;
    c->event.valid = false;
    c->old_exception = -1;
    c->inhibit_irq = 0;
    c->cpu.halted = false;
    c->cr0 = (vmx_get(c, VM_H_CR0) & ~keep) | (c->cr0 & keep);
    c->cr3 = vmx_get(c, VM_H_CR3) & ~(1ull << 63);
    c->cr4 = vmx_get(c, VM_H_CR4);
    c->efer = ctl & EXIT_LOAD_EFER ? vmx_get(c, VM_H_EFER)
              : host64             ? c->efer | bits
                                   : c->efer & ~bits;
    x86_set_eflags(c, FLAG_1, UINT32_MAX);
    host_segs(c, host64);
    c->rip = vmx_get(c, VM_H_RIP);
    c->regs[R_SP] = vmx_get(c, VM_H_RSP);
    c->sysenter_cs = vmx_get(c, VM_H_SYSENTER_CS);
    c->sysenter_esp = vmx_get(c, VM_H_SYSENTER_ESP);
    c->sysenter_eip = vmx_get(c, VM_H_SYSENTER_EIP);
    if (ctl & EXIT_LOAD_PAT) {
        c->pat = vmx_get(c, VM_H_PAT);
    }
    c->dr[7] = DR7_FIXED;
    c->debugctl = 0;
    x86_update_breakpoints(c);
    tlb_flush(&c->cpu);
    if (vmx_load_msrs(c, vmx_get(c, VM_EXIT_LOAD), vmx_get(c, VM_EXIT_LOAD_COUNT))) {
        guest_error("VMX abort: MSRs of the hypervisor cannot be loaded");
        x86_virt_reset(c);
        cpu_raise(&c->cpu, CPU_EXC_TRIPLE, 0);
    }
}

/* The event that was being delivered: 28.2.4. */
static void record_event(X86Cpu *c)
{
    const X86Event *e = &c->event;

    vmx_set(c, VM_IDT_EVENT, 0);
    if (e->valid) {
        vmx_set(c, VM_IDT_EVENT,
                e->vector | (uint32_t)e->type << 8 | (e->has_error ? VM_EVENT_ERROR : 0) |
                    VM_EVENT_VALID);
        vmx_set(c, VM_IDT_ERROR, e->error);
        if (e->type >= EVENT_SOFT_INT) {
            vmx_set(c, VM_EXIT_LENGTH, e->insn_len);
        }
    }
}

void vmx_exit(X86Cpu *c, uint32_t reason, uint64_t qualification)
{
    bool nmi = reason == EXIT_EXCEPTION && (vmx_get(c, VM_EXIT_EVENT) >> 8 & 7) == EVENT_NMI;

    vmx_set(c, VM_REASON, reason);
    vmx_set(c, VM_QUALIFICATION, qualification);
    if (reason != EXIT_EXCEPTION && reason != EXIT_INTR) {
        vmx_set(c, VM_EXIT_EVENT, 0);
    }
    record_event(c);
    vmx_set(c, VM_ENTRY_EVENT, vmx_get(c, VM_ENTRY_EVENT) & ~(uint64_t)VM_EVENT_VALID);
    if (log_enabled(LOG_INT)) {
        log_mask(LOG_INT,
                 "VMX: exit %u qualification %#" PRIx64 " rip %#" PRIx64 " event %#" PRIx64 "\n",
                 reason, qualification, c->rip, vmx_get(c, VM_IDT_EVENT));
    }
    save_guest(c);
    if (!store_msrs(c, vmx_get(c, VM_EXIT_STORE), vmx_get(c, VM_EXIT_STORE_COUNT))) {
        guest_error("VMX abort: MSRs of the guest cannot be stored");
        x86_virt_reset(c);
        cpu_raise(&c->cpu, CPU_EXC_TRIPLE, 0);
    }
    c->nmi_masked = nmi || c->vmx.host_nmi_masked;
    vmx_load_host(c);
}

void vmx_vmexit(X86Cpu *c, uint32_t reason, uint64_t qualification)
{
    vmx_exit(c, reason, qualification);
    c->cpu.exception = CPU_EXC_NONE;
    cpu_leave(&c->cpu, 0);
}
