// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The local APIC that a VMX guest sees: its registers in the virtual-APIC page, by CR8, by the
 * APIC-access page and by x2APIC's MSRs; virtual interrupts, their ends, posted ones. SDM 3C
 * chapter 30.
 */
#include "exec/x86-apic.h"
#include "target-i386/seg.h"
#include "target-i386/vmx.h"
#include "util/rcu.h"

enum {
    VAPIC_ID = 0x20,
    VAPIC_VERSION = 0x30,
    VAPIC_TPR = 0x80,
    VAPIC_PPR = 0xa0,
    VAPIC_EOI = 0xb0,
    VAPIC_LDR = 0xd0,
    VAPIC_DFR = 0xe0,
    VAPIC_SVR = 0xf0,
    VAPIC_ISR = 0x100,
    VAPIC_IRR = 0x200,
    VAPIC_ESR = 0x280,
    VAPIC_ICR = 0x300,
    VAPIC_ICR2 = 0x310,
    VAPIC_LVT = 0x320,
    VAPIC_INITIAL = 0x380,
    VAPIC_DIVIDE = 0x3e0,
    VAPIC_SELF_IPI = 0x3f0,
};

/* ---- registers in the page ---- */

static uint32_t reg_get(X86Cpu *c, unsigned offset)
{
    return (uint32_t)address_space_load(c->cpu.as, vmx_get(c, VM_VIRTUAL_APIC) + offset, 4,
                                        DEV_LITTLE, vmx_attrs(c), NULL);
}

static void reg_set(X86Cpu *c, unsigned offset, uint32_t v)
{
    address_space_store(c->cpu.as, vmx_get(c, VM_VIRTUAL_APIC) + offset, v, 4, DEV_LITTLE,
                        vmx_attrs(c));
}

static unsigned vector_register(unsigned bank, unsigned vector)
{
    return bank + (vector >> 5) * 16;
}

static void vector_put(X86Cpu *c, unsigned bank, unsigned vector, bool on)
{
    unsigned at = vector_register(bank, vector);
    uint32_t bit = 1u << (vector & 31), v = reg_get(c, at);

    reg_set(c, at, on ? v | bit : v & ~bit);
}

/* 0: none is set. */
static unsigned vector_highest(X86Cpu *c, unsigned bank)
{
    for (unsigned n = 8; n-- > 0;) {
        uint32_t v = reg_get(c, bank + n * 16);
        if (v) {
            return n * 32 + 31 - (unsigned)__builtin_clz(v);
        }
    }
    return 0;
}

/* Guest interrupt status: the vector that is requested, the one in service. */
static unsigned requested(const X86Cpu *c)
{
    return vmx_get(c, VM_G_INTERRUPTS) & 0xff;
}

static unsigned in_service(const X86Cpu *c)
{
    return vmx_get(c, VM_G_INTERRUPTS) >> 8 & 0xff;
}

static void set_status(X86Cpu *c, unsigned rvi, unsigned svi)
{
    vmx_set(c, VM_G_INTERRUPTS, rvi | svi << 8);
}

/* ---- controls ---- */

/* Bits 7:4 of the TPR against the threshold. */
bool vmx_tpr_below(X86Cpu *c)
{
    return vmx_proc(c, PROC_TPR_SHADOW) && !vmx_proc2(c, PROC2_VIRTUAL_INTR) &&
           (reg_get(c, VAPIC_TPR) >> 4 & 15) < (vmx_get(c, VM_TPR_THRESHOLD) & 15);
}

bool vmx_tpr_controls_ok(X86Cpu *c)
{
    bool page = vmx_proc2(c, PROC2_APIC), virtual = vmx_proc2(c, PROC2_VIRTUAL_INTR);

    if (!vmx_proc(c, PROC_TPR_SHADOW)) {
        return !vmx_proc2(c, PROC2_X2APIC | PROC2_APIC_REGS | PROC2_VIRTUAL_INTR) &&
               (!page || vmx_address_ok(c, vmx_get(c, VM_APIC_ACCESS)));
    }
    if (!vmx_page_ok(c, vmx_get(c, VM_VIRTUAL_APIC)) ||
        (!virtual && vmx_get(c, VM_TPR_THRESHOLD) > 15) ||
        (virtual && !(vmx_get(c, VM_PIN) & PIN_INTR))) {
        return false;
    }
    if (page) {
        return !vmx_proc2(c, PROC2_X2APIC) && vmx_address_ok(c, vmx_get(c, VM_APIC_ACCESS));
    }
    return !vmx_tpr_below(c);
}

bool vmx_posted_controls_ok(X86Cpu *c)
{
    uint64_t at = vmx_get(c, VM_POSTED);

    return !(vmx_get(c, VM_PIN) & PIN_POSTED) ||
           (vmx_proc2(c, PROC2_VIRTUAL_INTR) && (vmx_get(c, VM_EXIT_CTL) & EXIT_ACK_INTR) &&
            vmx_get(c, VM_POSTED_VECTOR) < 256 && !(at & 63) && !(at >> c->phys_bits));
}

/* ---- virtual interrupts: 30.1.3, 30.2 ---- */

static void look_soon(X86Cpu *c)
{
    bool taken = x86_lock_machine();

    cpu_interrupt(&c->cpu, X86_PENDING_VIRTUAL);
    x86_unlock_machine(taken);
}

bool vmx_virtual_waits(X86Cpu *c)
{
    return vmx_proc2(c, PROC2_VIRTUAL_INTR) && !vmx_proc(c, PROC_INTR_WINDOW) &&
           requested(c) >> 4 > (reg_get(c, VAPIC_PPR) >> 4 & 15);
}

static void evaluate(X86Cpu *c)
{
    if (vmx_virtual_waits(c)) {
        look_soon(c);
    }
}

static void virtualize_ppr(X86Cpu *c)
{
    uint32_t tpr = reg_get(c, VAPIC_TPR) & 0xff, svi = in_service(c);

    reg_set(c, VAPIC_PPR, tpr >> 4 >= svi >> 4 ? tpr : svi & 0xf0);
}

void vmx_virtual_take(X86Cpu *c)
{
    unsigned vector = requested(c);

    vector_put(c, VAPIC_ISR, vector, true);
    reg_set(c, VAPIC_PPR, vector & 0xf0);
    vector_put(c, VAPIC_IRR, vector, false);
    set_status(c, vector_highest(c, VAPIC_IRR), vector);
    c->cpu.halted = false;
    x86_do_interrupt(c, vector, EVENT_INTR, false, 0, 0);
}

static void set_exit(X86Cpu *c, unsigned reason, unsigned qualification)
{
    c->vmx.apic_exit = (uint16_t)reason;
    c->vmx.apic_vector = (uint16_t)qualification;
}

static void end_of_interrupt(X86Cpu *c)
{
    unsigned vector = in_service(c);

    vector_put(c, VAPIC_ISR, vector, false);
    set_status(c, requested(c), vector_highest(c, VAPIC_ISR));
    virtualize_ppr(c);
    if (vmx_get(c, VM_EOI_EXITS + 2 * (vector >> 6)) >> (vector & 63) & 1) {
        set_exit(c, EXIT_EOI, vector);
    } else {
        evaluate(c);
    }
}

static void request(X86Cpu *c, unsigned vector)
{
    vector_put(c, VAPIC_IRR, vector, true);
    set_status(c, MAX(requested(c), vector), in_service(c));
    evaluate(c);
}

/* 30.6: the notification's own end, then what the descriptor has gathered. */
bool vmx_posted(X86Cpu *c, unsigned vector)
{
    hwaddr at = vmx_get(c, VM_POSTED);

    if (!(vmx_get(c, VM_PIN) & PIN_POSTED) || vector != vmx_get(c, VM_POSTED_VECTOR)) {
        return false;
    }
    apic_end_interrupt(c->apic);
    rcu_read_lock();
    Section s = address_space_lookup(c->cpu.as, at, true, vmx_attrs(c));
    uint32_t *host = s.len >= 64 ? (uint32_t *)section_host(&s, true) : NULL;
    if (host) {
        __atomic_fetch_and(&host[8], ~1u, __ATOMIC_SEQ_CST);
        for (unsigned n = 0; n < 8; n++) {
            uint32_t bits = __atomic_exchange_n(&host[n], 0, __ATOMIC_SEQ_CST);
            unsigned reg = VAPIC_IRR + n * 16;
            if (bits) {
                reg_set(c, reg, reg_get(c, reg) | bits);
            }
        }
        ram_written(s.region->ram, s.region->ram_offset + s.offset, 64);
    }
    rcu_read_unlock();
    set_status(c, MAX(requested(c), vector_highest(c, VAPIC_IRR)), in_service(c));
    evaluate(c);
    return true;
}

/* ---- after a write: 30.1.2, 30.4.3.2 ---- */

/* The instruction's end is near: what it wrote is looked at there, and may exit. */
static void written(X86Cpu *c, unsigned offset)
{
    c->vmx.apic_written = (uint16_t)(offset + 1);
    look_soon(c);
}

/* 30.1.5: fixed, edge, to itself alone, nothing else. */
static bool is_self_ipi(uint32_t icr)
{
    return (icr & 0xfffff700u) == 1u << 18 && (icr & 0xff) >= 16;
}

static void emulate_write(X86Cpu *c, unsigned offset)
{
    bool virtual = vmx_proc2(c, PROC2_VIRTUAL_INTR);

    switch (offset & ~3u) {
    case VAPIC_TPR:
        reg_set(c, VAPIC_TPR, reg_get(c, VAPIC_TPR) & 0xff);
        if (virtual) {
            virtualize_ppr(c);
            evaluate(c);
        } else if (vmx_tpr_below(c)) {
            set_exit(c, EXIT_TPR_BELOW, 0);
        }
        return;
    case VAPIC_EOI:
        if (virtual) {
            reg_set(c, VAPIC_EOI, 0);
            end_of_interrupt(c);
            return;
        }
        break;
    case VAPIC_ICR:
        if (virtual && is_self_ipi(reg_get(c, VAPIC_ICR))) {
            request(c, reg_get(c, VAPIC_ICR) & 0xff);
            return;
        }
        break;
    case VAPIC_ICR2:
        reg_set(c, VAPIC_ICR2, reg_get(c, VAPIC_ICR2) & 0xff000000);
        return;
    default:
        break;
    }
    set_exit(c, EXIT_APIC_WRITE, offset);
}

bool vmx_apic_due(X86Cpu *c)
{
    if (c->vmx.apic_written) {
        unsigned offset = c->vmx.apic_written - 1u;
        c->vmx.apic_written = 0;
        emulate_write(c, offset);
    }
    return c->vmx.apic_exit;
}

void vmx_tpr_enter(X86Cpu *c)
{
    if (vmx_proc2(c, PROC2_VIRTUAL_INTR)) {
        virtualize_ppr(c);
        evaluate(c);
    } else if (vmx_proc(c, PROC_TPR_SHADOW) && vmx_proc2(c, PROC2_APIC)) {
        written(c, VAPIC_TPR);
    }
}

bool vmx_virtual_tpr(X86Cpu *c, uint64_t *value, bool write)
{
    if (!vmx_proc(c, PROC_TPR_SHADOW)) {
        return false;
    }
    if (write) {
        reg_set(c, VAPIC_TPR, *value << 4 & 0xff);
        written(c, VAPIC_TPR);
    } else {
        *value = reg_get(c, VAPIC_TPR) >> 4 & 15;
    }
    return true;
}

/* ---- x2APIC's MSRs: 30.5 ---- */

/* Whether WRMSR is virtualized; the bits that it may set. */
static bool msr_written(X86Cpu *c, unsigned offset, uint64_t *bits)
{
    *bits = offset == VAPIC_EOI ? 0 : 0xff;
    return offset == VAPIC_TPR ||
           (vmx_proc2(c, PROC2_VIRTUAL_INTR) && (offset == VAPIC_EOI || offset == VAPIC_SELF_IPI));
}

void vmx_x2apic_msr(X86Cpu *c, const VirtUse *u)
{
    uint64_t value = (uint32_t)c->regs[R_AX] | c->regs[R_DX] << 32, bits;
    uint32_t msr = (uint32_t)c->regs[R_CX];
    unsigned offset = (msr & 0xff) << 4;

    if (!vmx_proc2(c, PROC2_X2APIC) || msr >> 8 != 8) {
        return;
    }
    if (u->id == VI_WRMSR) {
        if (!msr_written(c, offset, &bits)) {
            return;
        }
        if (value & ~bits) {
            x86_raise_error(c, EXC_GP, 0, u->host_pc);
        }
        cpu_restore_state(&c->cpu, u->host_pc);
        if (offset == VAPIC_SELF_IPI) {
            request(c, (unsigned)value);
        } else {
            reg_set(c, offset, (uint32_t)value);
            written(c, offset);
        }
    } else {
        if (offset != VAPIC_TPR && !vmx_proc2(c, PROC2_APIC_REGS)) {
            return;
        }
        cpu_restore_state(&c->cpu, u->host_pc);
        c->regs[R_AX] = reg_get(c, offset);
        c->regs[R_DX] = offset == VAPIC_TPR ? 0 : reg_get(c, offset + 4);
    }
    c->rip = u->next;
    c->inhibit_irq = 0;
    cpu_leave(&c->cpu, 0);
}

/* ---- the APIC-access page: 30.4 ---- */

/* Registers that are there for reading and for writing, beside the TPR. */
static bool read_virtual(X86Cpu *c, unsigned reg)
{
    return reg == VAPIC_TPR ||
           (vmx_proc2(c, PROC2_APIC_REGS) &&
            (reg == VAPIC_ID || reg == VAPIC_VERSION || reg == VAPIC_EOI || reg == VAPIC_LDR ||
             reg == VAPIC_DFR || reg == VAPIC_SVR || (reg >= VAPIC_ISR && reg <= VAPIC_ESR) ||
             (reg >= VAPIC_ICR && reg <= VAPIC_INITIAL) || reg == VAPIC_DIVIDE));
}

static bool write_virtual(X86Cpu *c, unsigned reg)
{
    if (reg == VAPIC_TPR ||
        ((reg == VAPIC_EOI || reg == VAPIC_ICR) && vmx_proc2(c, PROC2_VIRTUAL_INTR))) {
        return true;
    }
    return vmx_proc2(c, PROC2_APIC_REGS) &&
           (reg == VAPIC_ID || reg == VAPIC_EOI || reg == VAPIC_LDR || reg == VAPIC_DFR ||
            reg == VAPIC_SVR || reg == VAPIC_ESR || (reg >= VAPIC_ICR && reg < 0x380) ||
            reg == VAPIC_INITIAL || reg == VAPIC_DIVIDE);
}

static bool page_virtual(X86Cpu *c, unsigned offset, unsigned size, bool store)
{
    unsigned reg = offset & ~15u;

    return vmx_proc(c, PROC_TPR_SHADOW) && (offset & 15) + size <= 4 &&
           (store ? write_virtual(c, reg) : read_virtual(c, reg));
}

bool vmx_page(X86Cpu *c, uint64_t va, unsigned size, MmuAccess access, bool probe,
              uintptr_t host_pc, X86Page *page)
{
    unsigned offset = va & 0xfff, type;
    bool store = access == ACCESS_STORE;

    if (!vmx_proc2(c, PROC2_APIC)) {
        return true;
    }
    if (page->pa != vmx_get(c, VM_APIC_ACCESS)) {
        /* a large page around it must not be known as a whole */
        if (page->page_bits > 12 && !((page->pa ^ vmx_get(c, VM_APIC_ACCESS)) >> page->page_bits)) {
            page->page_bits = 12;
            c->nested_split = true;
        }
        return true;
    }
    /* what the instruction before wrote comes first */
    if (c->vmx.apic_written && !probe && vmx_apic_due(c)) {
        unsigned reason = c->vmx.apic_exit, vector = c->vmx.apic_vector;
        if (host_pc) {
            cpu_restore_state(&c->cpu, host_pc);
        }
        vmx_vmexit(c, reason, vector);
    }
    if (access != ACCESS_FETCH && page_virtual(c, offset, size, store)) {
        page->pa = vmx_get(c, VM_VIRTUAL_APIC);
        page->page_bits = 0; /* for this access only */
        page->prot = store ? TLB_PROT_WRITE | TLB_PROT_READ : TLB_PROT_READ;
        if (store && !probe) {
            written(c, offset);
        }
        return true;
    }
    if (probe) {
        return false;
    }
    if (host_pc) {
        cpu_restore_state(&c->cpu, host_pc);
    }
    type = c->event.valid ? 3 : access == ACCESS_FETCH ? 2 : store ? 1 : 0;
    if (type == 0 && x86_insn_modifies(c)) {
        type = 1; /* an operand that is read and written */
    }
    vmx_set(c, VM_GUEST_LINEAR, va);
    vmx_set(c, VM_EXIT_LENGTH, type < 2 ? x86_insn_length(c) : 0);
    vmx_vmexit(c, EXIT_APIC_ACCESS, offset | type << 12);
}
