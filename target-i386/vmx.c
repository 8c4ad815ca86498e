// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Intel VMX: its instructions, the current VMCS and the capability MSRs. SDM 3C chapters 24, 25,
 * 31; 3D appendix A. Entry is in vmx-entry.c, exits in vmx-exit.c, what causes them in
 * vmx-intercept.c, EPT in vmx-ept.c.
 *
 * The TPR shadow is in vmx-apic.c, timer and monitor trap flag in vmx-time.c. Left out:
 * dual-monitor SMM, VMFUNC, posted interrupts, APIC virtualization beyond the TPR; none is
 * advertised.
 */
#include "target-i386/helpers.h"
#include "target-i386/seg.h"
#include "target-i386/vmx.h"

/* Bits of existing fields by width, type (SDM 3D appendix B). */
static const uint32_t existing[16] = {
    [0 * 4 + 0] = 0x3, [0 * 4 + 2] = 0x3ff, [0 * 4 + 3] = 0x7f,
    [1 * 4 + 0] = 0x25befbf, [1 * 4 + 1] = 0x1, [1 * 4 + 2] = 0x1ef, [1 * 4 + 3] = 0x3,
    [2 * 4 + 0] = 0x3ffff, [2 * 4 + 1] = 0xff, [2 * 4 + 2] = 0xbfffff, [2 * 4 + 3] = 0x1,
    [3 * 4 + 0] = 0xff, [3 * 4 + 1] = 0x3f, [3 * 4 + 2] = 0xfffff, [3 * 4 + 3] = 0xfff,
};

static bool field_exists(uint64_t field)
{
    unsigned group = (field >> 13 & 3) * 4 + (field >> 10 & 3), index = field >> 1 & 0x1ff;

    return !(field & ~0x6fffull) && index < 32 && (existing[group] >> index & 1) &&
           (!(field & 1) || (field >> 13 & 3) == 1);
}

/* ---- memory ---- */

bool vmx_page_ok(X86Cpu *c, hwaddr pa)
{
    Section s;

    if ((pa & 0xfff) || pa >> c->phys_bits) {
        return false;
    }
    s = address_space_lookup(c->cpu.as, pa, true, vmx_attrs(c));
    return s.region && s.region->kind == REGION_RAM && !s.readonly && s.len >= 0x1000;
}

/* ---- the fields: of the current VMCS, or of the guest's shadow in memory ---- */

static bool have_fields(X86Cpu *c)
{
    return (c->guest ? vmx_get(c, VM_G_LINK) : c->vmx.current) != VMX_NONE;
}

static hwaddr shadow_slot(const X86Cpu *c, unsigned field)
{
    return vmx_get(c, VM_G_LINK) + offsetof(Vmcs, slot) + 8ull * VMCS_SLOT(field);
}

static uint64_t field_get(X86Cpu *c, unsigned field)
{
    uint64_t v = 0;

    if (!c->guest) {
        return vmx_get(c, field);
    }
    address_space_read(c->cpu.as, shadow_slot(c, field), vmx_attrs(c), &v, 8);
    return v;
}

static void field_set(X86Cpu *c, unsigned field, uint64_t v)
{
    if (c->guest) {
        address_space_write(c->cpu.as, shadow_slot(c, field), vmx_attrs(c), &v, 8);
    } else {
        vmx_set(c, field, v);
    }
}

bool vmx_shadow_exits(X86Cpu *c, const VirtUse *u)
{
    uint64_t field = c->regs[u->info >> 28 & 15];
    bool write = u->arg == EXIT_VMWRITE;

    if ((!write && u->arg != EXIT_VMREAD) || !vmx_proc2(c, PROC2_SHADOW)) {
        return true;
    }
    field = x86_code64(c) ? field : (uint32_t)field;
    return field >> 15 ||
           (vmx_byte(c, vmx_get(c, write ? VM_VMWRITE_MAP : VM_VMREAD_MAP) + field / 8) >>
                (field & 7) &
            1);
}

static void write_back(X86Cpu *c)
{
    if (c->vmx.current != VMX_NONE) {
        address_space_write(c->cpu.as, c->vmx.current, vmx_attrs(c), &c->vmx.vmcs, sizeof(Vmcs));
    }
}

/* ---- results: SDM 3C 31.2 ---- */

static void set_flags(X86Cpu *c, uint32_t flags)
{
    x86_set_eflags(c, flags, FLAGS_CC);
}

static void vm_succeed(X86Cpu *c)
{
    set_flags(c, 0);
}

void vmx_fail(X86Cpu *c, unsigned error)
{
    if (!have_fields(c)) {
        set_flags(c, FLAG_C);
        return;
    }
    field_set(c, VM_INSN_ERROR, error);
    set_flags(c, FLAG_Z);
}

/* ---- operands ---- */

/* The instruction being carried out. */
typedef struct VmxUse {
    X86Cpu *c;
    uint32_t info;
    uint64_t va; /* of the memory operand */
    uintptr_t host_pc;
    unsigned size; /* log2 of the native operand */
    unsigned mmu;
} VmxUse;

static uint64_t pointer_operand(const VmxUse *u)
{
    return cpu_load(&u->c->cpu, u->va, 3, u->mmu, u->host_pc);
}

static uint64_t narrow(const VmxUse *u, uint64_t v)
{
    return u->size == 3 ? v : (uint32_t)v;
}

static unsigned second_register(const VmxUse *u)
{
    return u->info >> 28 & 15;
}

/* ---- VMXON, VMXOFF ---- */

static void vmxon(const VmxUse *u)
{
    X86Cpu *c = u->c;
    uint32_t want = FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX, revision = 0;
    uint64_t pa;

    if (c->vmx.on) {
        vmx_fail(c, VMERR_ON_IN_ROOT);
        return;
    }
    if ((c->feature_control & want) != want || (c->cr0 & VMX_CR0_FIXED) != VMX_CR0_FIXED) {
        x86_raise_error(c, EXC_GP, 0, u->host_pc);
    }
    pa = pointer_operand(u);
    if (vmx_page_ok(c, pa)) {
        address_space_read(c->cpu.as, pa, vmx_attrs(c), &revision, 4);
    }
    c->vmx.current = VMX_NONE;
    if (revision != VMCS_REVISION) {
        vmx_fail(c, 0);
        return;
    }
    c->vmx.on = true;
    c->vmx.vmxon = pa;
    vm_succeed(c);
}

static void vmxoff(const VmxUse *u)
{
    write_back(u->c);
    u->c->vmx.on = false;
    u->c->vmx.current = VMX_NONE;
    vm_succeed(u->c);
}

/* ---- the current VMCS ---- */

static void vmclear(const VmxUse *u)
{
    X86Cpu *c = u->c;
    uint64_t pa = pointer_operand(u), clear = 0;

    if (!vmx_page_ok(c, pa)) {
        vmx_fail(c, VMERR_CLEAR_ADDRESS);
    } else if (pa == c->vmx.vmxon) {
        vmx_fail(c, VMERR_CLEAR_VMXON);
    } else {
        if (pa == c->vmx.current) {
            write_back(c);
            c->vmx.current = VMX_NONE;
        }
        address_space_write(c->cpu.as, pa + offsetof(Vmcs, slot[VMCS_LAUNCHED]), vmx_attrs(c),
                            &clear, 8);
        vm_succeed(c);
    }
}

static void vmptrld(const VmxUse *u)
{
    X86Cpu *c = u->c;
    uint64_t pa = pointer_operand(u);
    uint32_t revision;

    if (!vmx_page_ok(c, pa)) {
        vmx_fail(c, VMERR_LOAD_ADDRESS);
        return;
    }
    if (pa == c->vmx.vmxon) {
        vmx_fail(c, VMERR_LOAD_VMXON);
        return;
    }
    address_space_read(c->cpu.as, pa, vmx_attrs(c), &revision, 4);
    if ((revision & ~VMCS_SHADOW) != VMCS_REVISION ||
        (revision & VMCS_SHADOW && !(c->features[FW_VMX_PROC2] & PROC2_SHADOW))) {
        vmx_fail(c, VMERR_LOAD_REVISION);
        return;
    }
    if (pa != c->vmx.current) {
        write_back(c);
        address_space_read(c->cpu.as, pa, vmx_attrs(c), &c->vmx.vmcs, sizeof(Vmcs));
        c->vmx.current = pa;
    }
    vm_succeed(c);
}

static void vmptrst(const VmxUse *u)
{
    cpu_store(&u->c->cpu, u->va, u->c->vmx.current, 3, u->mmu, u->host_pc);
    vm_succeed(u->c);
}

static void vmread(const VmxUse *u)
{
    X86Cpu *c = u->c;
    uint64_t field = narrow(u, c->regs[second_register(u)]), v;

    if (!have_fields(c) || !field_exists(field)) {
        vmx_fail(c, VMERR_FIELD);
        return;
    }
    v = narrow(u, field_get(c, field) >> (field & 1 ? 32 : 0));
    if (u->info & 1u << 10) {
        c->regs[u->info >> 3 & 15] = v;
    } else {
        cpu_store(&c->cpu, u->va, v, u->size, u->mmu, u->host_pc);
    }
    vm_succeed(c);
}

static void vmwrite(const VmxUse *u)
{
    X86Cpu *c = u->c;
    uint64_t field = narrow(u, c->regs[second_register(u)]), v, old;

    if (!have_fields(c)) {
        vmx_fail(c, 0);
        return;
    }
    v = u->info & 1u << 10 ? narrow(u, c->regs[u->info >> 3 & 15])
                           : cpu_load(&c->cpu, u->va, u->size, u->mmu, u->host_pc);
    if (!field_exists(field)) {
        vmx_fail(c, VMERR_FIELD);
        return;
    }
    if ((field >> 10 & 3) == 1 && !(c->features[FW_VMX_MISC] & MISC_WRITE_ALL)) {
        vmx_fail(c, VMERR_READ_ONLY);
        return;
    }
    old = field_get(c, field);
    switch (field >> 13 & 3) {
    case 0:
        v &= 0xffff;
        break;
    case 1:
        v = field & 1 ? (uint32_t)old | v << 32 : u->size == 3 ? v : (old & ~0xffffffffull) | v;
        break;
    case 2:
        v &= 0xffffffff;
        break;
    default:
        break;
    }
    field_set(c, field, v);
    vm_succeed(c);
}

/* ---- INVEPT, INVVPID: all of it goes ---- */

static void invalidate(const VmxUse *u, bool ept)
{
    X86Cpu *c = u->c;
    uint64_t type = narrow(u, c->regs[second_register(u)]);
    uint64_t low = cpu_load(&c->cpu, u->va, 3, u->mmu, u->host_pc);
    uint64_t high = cpu_load(&c->cpu, u->va + 8, 3, u->mmu, u->host_pc);
    bool good;

    if (ept) {
        good = type == 2 || (type == 1 && vmx_eptp_ok(c, low));
    } else {
        good = type <= 3 && !(low >> 16) && (type == 2 || low) && (type || x86_canonical(c, high));
    }
    if (!good) {
        vmx_fail(c, VMERR_INVALIDATE);
        return;
    }
    tlb_flush(&c->cpu);
    vm_succeed(c);
}

/* ---- all of them ---- */

static void check_mode(X86Cpu *c, unsigned id, uintptr_t host_pc)
{
    bool on = id == EXIT_VMXON ? c->cr4 & CR4_VMXE : c->vmx.on;

    if (!on || !(c->cr0 & CR0_PE) || (c->eflags & FLAG_VM) ||
        (x86_long_mode(c) && !x86_code64(c))) {
        x86_raise(c, EXC_UD, host_pc);
    }
}

void helper_vmx(Cpu *cpu, uint32_t id, uint32_t info, uint64_t next, uint64_t va, uint64_t disp)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    const VmxUse u = {
        .c = c,
        .info = info,
        .va = va,
        .host_pc = host_pc,
        .size = x86_code64(c) ? 3 : 2,
        .mmu = x86_mmu_index(c),
    };

    if (c->guest == &svm_ops) {
        x86_raise(c, EXC_UD, host_pc);
    }
    if (!c->guest || id != EXIT_VMCALL) { /* a guest's VMCALL exits from everywhere */
        check_mode(c, id, host_pc);
    }
    if (c->guest) {
        c->guest->insn(c, &(VirtUse){
                              .id = VI_VMX,
                              .arg = id,
                              .info = info,
                              .next = next,
                              .operand = disp,
                              .host_pc = host_pc,
                          });
    }
    if (c->cpl != 0) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
    switch (id) {
    case EXIT_VMXON:
        vmxon(&u);
        break;
    case EXIT_VMXOFF:
        vmxoff(&u);
        break;
    case EXIT_VMCLEAR:
        vmclear(&u);
        break;
    case EXIT_VMPTRLD:
        vmptrld(&u);
        break;
    case EXIT_VMPTRST:
        vmptrst(&u);
        break;
    case EXIT_VMREAD:
        vmread(&u);
        break;
    case EXIT_VMWRITE:
        vmwrite(&u);
        break;
    case EXIT_INVEPT:
    case EXIT_INVVPID:
        invalidate(&u, id == EXIT_INVEPT);
        break;
    case EXIT_VMLAUNCH:
    case EXIT_VMRESUME:
        vmx_enter(c, id == EXIT_VMLAUNCH, next, host_pc);
        break;
    default:
        vmx_fail(c, VMERR_VMCALL_IN_ROOT);
        break;
    }
}

/* ---- MSRs ---- */

/*
 * Bits that must be 1, and those that may be; `relaxed` are names for "may be 0" of bits in fixed.
 */
static uint64_t control_msr(const X86Cpu *c, unsigned word, uint32_t fixed, uint32_t relaxed,
                            uint32_t always)
{
    uint32_t named = c->features[word];

    return (fixed & ~(named & relaxed)) | (uint64_t)(fixed | named | always) << 32;
}

bool vmx_control_ok(X86Cpu *c, uint32_t index, uint32_t v)
{
    uint64_t may;

    vmx_msr_read(c, index, &may);
    return (v & (uint32_t)may) == (uint32_t)may && !(v & ~(uint32_t)(may >> 32));
}

bool vmx_msr_read(X86Cpu *c, uint32_t index, uint64_t *value)
{
    const uint32_t *f = c->features, cr3 = PROC_CR3_LOAD | PROC_CR3_STORE;
    const uint64_t values[] = {
        VMCS_REVISION | 0x1000ull << 32 | 6ull << 50 | (uint64_t)f[FW_VMX_BASIC_HIGH] << 32,
        control_msr(c, FW_VMX_PIN, PIN_FIXED, 0, 0),
        control_msr(c, FW_VMX_PROC, PROC_FIXED, 0, 0),
        control_msr(c, FW_VMX_EXIT, EXIT_FIXED, 0, EXIT_HOST64),
        control_msr(c, FW_VMX_ENTRY, ENTRY_FIXED, 0, 0),
        f[FW_VMX_MISC] | VM_TIMER_SHIFT | 4 << 16, /* CR3 targets */
        VMX_CR0_FIXED,
        0xffffffff,
        VMX_CR4_FIXED,
        x86_cr4_allowed(c),
        0x32, /* highest index */
        control_msr(c, FW_VMX_PROC2, 0, 0, 0),
        f[FW_VMX_EPT] | 0x4100 | (uint64_t)f[FW_VMX_VPID] << 32, /* UC and WB */
        control_msr(c, FW_VMX_PIN, PIN_FIXED, 0, 0),
        control_msr(c, FW_VMX_PROC, PROC_FIXED, cr3, 0),
        control_msr(c, FW_VMX_EXIT, EXIT_FIXED, EXIT_SAVE_DEBUG, EXIT_HOST64),
        control_msr(c, FW_VMX_ENTRY, ENTRY_FIXED, ENTRY_LOAD_DEBUG, 0),
    };

    *value = values[index - 0x480];
    return true;
}

bool vmx_feature_control_write(X86Cpu *c, uint32_t index, uint64_t value)
{
    if (c->feature_control & FEATURE_CONTROL_LOCK) {
        return false;
    }
    c->feature_control = value;
    return true;
}

uint64_t x86_vmx_cr0_fixed(const X86Cpu *c)
{
    return c->guest && vmx_proc2(c, PROC2_UNRESTRICTED) ? CR0_NE : VMX_CR0_FIXED;
}

void vmx_reset(X86Cpu *c)
{
    c->vmx.on = false;
    c->vmx.current = c->vmx.vmxon = VMX_NONE;
}
