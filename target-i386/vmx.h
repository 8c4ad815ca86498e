// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files of VMX share. */
#ifndef TARGET_I386_VMX_H
#define TARGET_I386_VMX_H

#include "target-i386/cpu.h"

#define VMX_NONE UINT64_MAX

static inline uint64_t vmx_get(const X86Cpu *c, unsigned field)
{
    return c->vmx.vmcs.slot[VMCS_SLOT(field)];
}

static inline void vmx_set(X86Cpu *c, unsigned field, uint64_t v)
{
    c->vmx.vmcs.slot[VMCS_SLOT(field)] = v;
}

/* Primary, secondary controls of the current VMCS. */
static inline bool vmx_proc(const X86Cpu *c, uint32_t bit)
{
    return vmx_get(c, VM_PROC) & bit;
}

static inline bool vmx_proc2(const X86Cpu *c, uint32_t bit)
{
    return vmx_proc(c, PROC_SECONDARY) && (vmx_get(c, VM_PROC2) & bit);
}

static inline MemAttrs vmx_attrs(const X86Cpu *c)
{
    return (MemAttrs){.is_cpu = 1, .cpu_index = c->cpu.index, .secure = c->smm};
}

static inline unsigned vmx_byte(X86Cpu *c, hwaddr pa)
{
    return address_space_load(c->cpu.as, pa, 1, DEV_LITTLE, vmx_attrs(c), NULL);
}

/* An address of a page within the processor's width. */
static inline bool vmx_address_ok(const X86Cpu *c, uint64_t pa)
{
    return !(pa & 0xfff) && !(pa >> c->phys_bits);
}

/* A page of RAM that can be written: control structures elsewhere are refused. */
bool vmx_page_ok(X86Cpu *c, hwaddr pa);
/* VMfail: invalid without a current VMCS. */
void vmx_fail(X86Cpu *c, unsigned error);
/* Whether a control field has the values that its MSR (48Bh, 48Dh to 490h) allows. */
bool vmx_control_ok(X86Cpu *c, uint32_t index, uint32_t v);
bool vmx_eptp_ok(const X86Cpu *c, uint64_t eptp);
/* VMLAUNCH and VMRESUME; returns when they fail. */
void vmx_enter(X86Cpu *c, bool launch, uint64_t next, uintptr_t host_pc);
/*
 * An exit: the fields beside the reason are set by the caller; see vmx-exit.c. State is complete.
 */
void vmx_exit(X86Cpu *c, uint32_t reason, uint64_t qualification);
_Noreturn void vmx_vmexit(X86Cpu *c, uint32_t reason, uint64_t qualification);
/* The second half of it: the hypervisor's state. */
void vmx_load_host(X86Cpu *c);
/* MSR areas: the number of the entry that failed, from 1; 0: none. */
unsigned vmx_load_msrs(X86Cpu *c, hwaddr area, unsigned count);
/* EPT: see X86VirtOps.translate. */
bool vmx_translate(X86Cpu *c, hwaddr gpa, const NestedUse *u, X86Page *page);
void vmx_translate_fault(X86Cpu *c);

/* The guest's VMREAD or VMWRITE (info: its operand), when it does not exit: the shadow VMCS. */
bool vmx_shadow_exits(X86Cpu *c, const VirtUse *u);

/* ---- vmx-apic.c ---- */
bool vmx_tpr_controls_ok(X86Cpu *c);
bool vmx_tpr_below(X86Cpu *c);
/* After an entry, by which an exit may be due. */
void vmx_tpr_enter(X86Cpu *c);
bool vmx_posted_controls_ok(X86Cpu *c);
/* Whether an exit is due since the virtual APIC was written: apic_exit, apic_vector. */
bool vmx_apic_due(X86Cpu *c);
/* Virtual-interrupt delivery: whether one is recognized; takes it. */
bool vmx_virtual_waits(X86Cpu *c);
void vmx_virtual_take(X86Cpu *c);
/* An external interrupt that was taken: whether it only told of posted ones. */
bool vmx_posted(X86Cpu *c, unsigned vector);
/* See x86_virtual_tpr. */
bool vmx_virtual_tpr(X86Cpu *c, uint64_t *value, bool write);
void vmx_x2apic_msr(X86Cpu *c, const VirtUse *u);
bool vmx_page(X86Cpu *c, uint64_t va, unsigned size, MmuAccess access, bool probe,
              uintptr_t host_pc, X86Page *page);

/* ---- vmx-time.c ---- */
void vmx_timer_start(X86Cpu *c);
void vmx_timer_save(X86Cpu *c);
bool vmx_timer_ended(X86Cpu *c);
bool vmx_pause_loop(X86Cpu *c);

extern const X86VirtOps vmx_ops;

#endif
