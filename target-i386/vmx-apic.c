// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The TPR of a VMX guest: its shadow in the virtual-APIC page, by CR8, by the APIC-access page and
 * by x2APIC's MSR; what else is done to the APIC-access page exits. SDM 3C chapter 30. Left out:
 * virtualization of the other registers, virtual-interrupt delivery, posted interrupts.
 */
#include "target-i386/seg.h"
#include "target-i386/vmx.h"

enum {
    VAPIC_TPR = 0x80,
    X2APIC_TPR = 0x808
};

static hwaddr tpr_address(const X86Cpu *c)
{
    return vmx_get(c, VM_VIRTUAL_APIC) + VAPIC_TPR;
}

/* Bits 7:4 of the shadow against the threshold. */
bool vmx_tpr_below(X86Cpu *c)
{
    return vmx_proc(c, PROC_TPR_SHADOW) &&
           vmx_byte(c, tpr_address(c)) >> 4 < (vmx_get(c, VM_TPR_THRESHOLD) & 15);
}

bool vmx_tpr_controls_ok(X86Cpu *c)
{
    bool page = vmx_proc2(c, PROC2_APIC);

    if (!vmx_proc(c, PROC_TPR_SHADOW)) {
        return !vmx_proc2(c, PROC2_X2APIC) &&
               (!page || vmx_address_ok(c, vmx_get(c, VM_APIC_ACCESS)));
    }
    if (!vmx_page_ok(c, vmx_get(c, VM_VIRTUAL_APIC)) || vmx_get(c, VM_TPR_THRESHOLD) > 15) {
        return false;
    }
    if (page) {
        return !vmx_proc2(c, PROC2_X2APIC) && vmx_address_ok(c, vmx_get(c, VM_APIC_ACCESS));
    }
    return !vmx_tpr_below(c);
}

/* 30.1.2: an exit follows the instruction when the TPR is now below its threshold. */
static void tpr_written(X86Cpu *c)
{
    bool taken = x86_lock_machine();

    c->vmx.tpr_written = true;
    cpu_interrupt(&c->cpu, X86_PENDING_VIRTUAL);
    x86_unlock_machine(taken);
}

/* TPR virtualization: only the low byte stays. */
static void tpr_write(X86Cpu *c, uint64_t value)
{
    address_space_store(c->cpu.as, tpr_address(c), value & 0xff, 4, DEV_LITTLE, vmx_attrs(c));
    tpr_written(c);
}

bool vmx_tpr_exits(X86Cpu *c)
{
    if (!c->vmx.tpr_written) {
        return false;
    }
    /* the page's access wrote all of its bytes */
    address_space_store(c->cpu.as, tpr_address(c), vmx_byte(c, tpr_address(c)), 4, DEV_LITTLE,
                        vmx_attrs(c));
    c->vmx.tpr_written = vmx_tpr_below(c); /* until the exit, which others may come before */
    return c->vmx.tpr_written;
}

void vmx_tpr_enter(X86Cpu *c)
{
    if (vmx_proc(c, PROC_TPR_SHADOW) && vmx_proc2(c, PROC2_APIC)) {
        tpr_written(c);
    }
}

bool vmx_virtual_tpr(X86Cpu *c, uint64_t *value, bool write)
{
    if (!vmx_proc(c, PROC_TPR_SHADOW)) {
        return false;
    }
    if (write) {
        tpr_write(c, *value << 4);
    } else {
        *value = vmx_byte(c, tpr_address(c)) >> 4;
    }
    return true;
}

/* 30.5: RDMSR and WRMSR of the TPR that do not exit. */
void vmx_x2apic_tpr(X86Cpu *c, const VirtUse *u)
{
    uint64_t value = (uint32_t)c->regs[R_AX] | c->regs[R_DX] << 32;

    if ((uint32_t)c->regs[R_CX] != X2APIC_TPR || !vmx_proc2(c, PROC2_X2APIC)) {
        return;
    }
    if (u->id == VI_WRMSR && value >> 8) {
        x86_raise_error(c, EXC_GP, 0, u->host_pc);
    }
    cpu_restore_state(&c->cpu, u->host_pc);
    if (u->id == VI_WRMSR) {
        tpr_write(c, value);
    } else {
        c->regs[R_AX] = vmx_byte(c, tpr_address(c));
        c->regs[R_DX] = 0;
    }
    c->rip = u->next;
    c->inhibit_irq = 0;
    cpu_leave(&c->cpu, 0);
}

/* 30.4: the APIC-access page. */
bool vmx_page(X86Cpu *c, uint64_t va, unsigned size, MmuAccess access, bool probe,
              uintptr_t host_pc, X86Page *page)
{
    unsigned offset = va & 0xfff, type;

    if (!vmx_proc2(c, PROC2_APIC) || page->pa != vmx_get(c, VM_APIC_ACCESS)) {
        return true;
    }
    if (vmx_proc(c, PROC_TPR_SHADOW) && access != ACCESS_FETCH && offset >= VAPIC_TPR &&
        offset + size <= VAPIC_TPR + 4) {
        page->pa = vmx_get(c, VM_VIRTUAL_APIC);
        page->page_bits = 0; /* for this access only */
        page->prot = access == ACCESS_STORE ? TLB_PROT_WRITE | TLB_PROT_READ : TLB_PROT_READ;
        if (access == ACCESS_STORE && !probe) {
            tpr_written(c);
        }
        return true;
    }
    if (probe) {
        return false;
    }
    if (host_pc) {
        cpu_restore_state(&c->cpu, host_pc);
    }
    type = c->event.valid ? 3 : access == ACCESS_FETCH ? 2 : access == ACCESS_STORE ? 1 : 0;
    if (type == 0 && x86_insn_modifies(c)) {
        type = 1; /* an operand that is read and written */
    }
    vmx_set(c, VM_GUEST_LINEAR, va);
    vmx_set(c, VM_EXIT_LENGTH, type < 2 ? x86_insn_length(c) : 0);
    vmx_vmexit(c, EXIT_APIC_ACCESS, offset | type << 12);
}
