// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Control registers, TLB instructions, time stamp counter, XCR0. SDM 3A 2.5;
 * SDM volume 2: MOV CR, LMSW, INVPCID, XSETBV.
 */
#include "target-i386/helpers.h"

#include <sys/random.h>
#include "target-i386/seg.h"
#include "exec/x86-apic.h"
#include "util/main-loop.h"

static void need_cpl0(X86Cpu *c, uintptr_t host_pc)
{
    if (c->cpl != 0) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
}

bool x86_lock_machine(void)
{
    if (machine_locked()) {
        return false;
    }
    machine_lock();
    return true;
}

void x86_unlock_machine(bool taken)
{
    if (taken) {
        machine_unlock();
    }
}

/* EFER.LMA follows CR0.PG and EFER.LME (SDM 3A 9.8.5). */
static void update_lma(X86Cpu *c)
{
    if ((c->cr0 & CR0_PG) && (c->efer & EFER_LME)) {
        c->efer |= EFER_LMA;
    } else {
        c->efer &= ~(uint64_t)EFER_LMA;
    }
}

void x86_write_cr0(X86Cpu *c, uint64_t value)
{
    uint64_t old = c->cr0;

    c->cr0 = (uint32_t)value | CR0_ET;
    if ((old ^ c->cr0) & (CR0_PG | CR0_WP | CR0_PE)) {
        tlb_flush(&c->cpu);
    }
    if ((old ^ c->cr0) & CR0_PG) {
        update_lma(c);
    }
    if ((old ^ c->cr0) & CR0_PE) {
        x86_set_cpl(c, 0);
        c->eflags &= ~FLAG_VM;
        x86_seg_derive(c);
    }
}

void x86_write_cr3(X86Cpu *c, uint64_t value)
{
    c->cr3 = value & ~(1ull << 63);
    if (!(c->cr0 & CR0_PG)) {
        return;
    }
    if (c->cr4 & CR4_PGE && c->cr4 & CR4_PCIDE) {
        /* SDM 3A 4.10.4.1: bit 63 keeps what there is of the PCID */
        if (!(value >> 63)) {
            tlb_flush_space(&c->cpu, value & 0xfff);
        }
        tlb_switch_space(&c->cpu, value & 0xfff);
    } else if (c->cr4 & CR4_PGE) {
        tlb_flush_nonglobal(&c->cpu);
    } else {
        tlb_flush(&c->cpu);
    }
}

void x86_write_cr4(X86Cpu *c, uint64_t value)
{
    uint64_t old = c->cr4;

    c->cr4 = value;
    if ((old ^ value) &
        (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP | CR4_SMAP | CR4_PCIDE | CR4_LA57 | CR4_PKE)) {
        tlb_flush(&c->cpu);
    }
}

void x86_set_efer(X86Cpu *c, uint64_t value)
{
    uint64_t old = c->efer;

    c->efer = value;
    update_lma(c);
    if ((old ^ c->efer) & EFER_NXE) {
        tlb_flush(&c->cpu);
    }
}

uint64_t x86_cr4_allowed(const X86Cpu *c)
{
    static const struct { uint32_t bit; uint32_t feature; } rows[] = {
        {CR4_VME | CR4_PVI, FEAT_VME}, {CR4_TSD, FEAT_TSC}, {CR4_DE, FEAT_DE}, {CR4_PSE, FEAT_PSE},
        {CR4_PAE, FEAT_PAE}, {CR4_MCE, FEAT_MCE}, {CR4_PGE, FEAT_PGE}, {CR4_OSFXSR, FEAT_FXSR},
        {CR4_OSXMMEXCPT, FEAT_SSE}, {CR4_UMIP, FEAT_UMIP}, {CR4_LA57, FEAT_LA57},
        {CR4_FSGSBASE, FEAT_FSGSBASE}, {CR4_PCIDE, FEAT_PCID}, {CR4_OSXSAVE, FEAT_XSAVE},
        {CR4_VMXE, FEAT_VMX}, {CR4_SMEP, FEAT_SMEP}, {CR4_SMAP, FEAT_SMAP}, {CR4_PKE, FEAT_PKU},
    };
    uint64_t allowed = CR4_PCE;

    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        if (x86_has_feature(c, rows[i].feature)) {
            allowed |= rows[i].bit;
        }
    }
    return allowed;
}

/* A guest's CR0 or CR4 as it reads them, and what it writes. */
static uint64_t seen(const X86Cpu *c, unsigned n, uint64_t v)
{
    return c->guest && c->guest->cr_read ? c->guest->cr_read(c, n, v) : v;
}

static uint64_t written(const X86Cpu *c, unsigned n, uint64_t v)
{
    return c->guest && c->guest->cr_write ? c->guest->cr_write(c, n, v) : v;
}

uint64_t helper_read_cr(Cpu *cpu, uint32_t n)
{
    X86Cpu *c = X86(cpu);
    uint64_t v = 0;
    bool taken;

    need_cpl0(c, HOST_PC());
    switch (n) {
    case 0:
        return seen(c, 0, c->cr0);
    case 2:
        return c->cr2;
    case 3:
        return c->cr3;
    case 4:
        return seen(c, 4, c->cr4);
    case 8:
        if (!x86_virtual_tpr(c, &v, false) && c->apic) {
            taken = x86_lock_machine();
            v = apic_cr8(c->apic);
            x86_unlock_machine(taken);
        }
        return v;
    default:
        x86_raise(c, EXC_UD, HOST_PC());
    }
}

/* SDM 2B MOV CR: the #GP conditions of CR0. */
static bool cr0_valid(const X86Cpu *c, uint64_t v)
{
    if (c->vmx.on && (v & x86_vmx_cr0_fixed(c)) != x86_vmx_cr0_fixed(c)) {
        return false;
    }
    if ((v >> 32) || ((v & CR0_PG) && !(v & CR0_PE)) || ((v & CR0_NW) && !(v & CR0_CD))) {
        return false;
    }
    if ((v & CR0_PG) && !(c->cr0 & CR0_PG) && (c->efer & EFER_LME) &&
        (!(c->cr4 & CR4_PAE) || (c->segs[S_CS].flags & SEG_L))) {
        return false;
    }
    return (v & CR0_PG) || !x86_code64(c);
}

static bool cr4_valid(const X86Cpu *c, uint64_t v)
{
    if ((v & ~x86_cr4_allowed(c)) || (c->vmx.on && !(v & CR4_VMXE))) {
        return false;
    }
    if ((c->efer & EFER_LMA) && (!(v & CR4_PAE) || ((v ^ c->cr4) & CR4_LA57))) {
        return false;
    }
    return !(v & CR4_PCIDE) ||
           ((c->efer & EFER_LMA) && ((c->cr4 & CR4_PCIDE) || !(c->cr3 & 0xfff)));
}

void helper_write_cr(Cpu *cpu, uint32_t n, uint64_t value)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    bool ok = true, taken;

    need_cpl0(c, host_pc);
    switch (n) {
    case 0:
        value = written(c, 0, value);
        ok = cr0_valid(c, value);
        if (ok) {
            x86_write_cr0(c, value);
        }
        break;
    case 2:
        c->cr2 = value;
        break;
    case 3:
        ok = !(c->efer & EFER_LMA) || !((value & ~(1ull << 63)) >> c->phys_bits);
        if (ok) {
            x86_write_cr3(c, value);
        }
        break;
    case 4:
        value = written(c, 4, value);
        ok = cr4_valid(c, value);
        if (ok) {
            x86_write_cr4(c, value);
        }
        break;
    case 8:
        ok = value < 16;
        if (ok && !x86_virtual_tpr(c, &value, true) && c->apic) {
            taken = x86_lock_machine();
            apic_set_cr8(c->apic, value);
            x86_unlock_machine(taken);
        }
        break;
    default:
        x86_raise(c, EXC_UD, host_pc);
    }
    if (!ok) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
}

uint64_t helper_smsw(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    if ((c->cr4 & CR4_UMIP) && c->cpl == 3) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    return seen(c, 0, c->cr0);
}

void helper_lmsw(Cpu *cpu, uint32_t value)
{
    X86Cpu *c = X86(cpu);

    need_cpl0(c, HOST_PC());
    /* PE can be set, not cleared */
    x86_write_cr0(c, written(c, 0, (c->cr0 & ~0xeull) | (value & 0xf) | (c->cr0 & CR0_PE)));
}

void helper_clts(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    need_cpl0(c, HOST_PC());
    c->cr0 = written(c, 0, c->cr0 & ~(uint64_t)CR0_TS);
}

void helper_invlpg(Cpu *cpu, uint64_t va)
{
    X86Cpu *c = X86(cpu);

    need_cpl0(c, HOST_PC());
    if (c->nested_split) {
        c->nested_split = false;
        tlb_flush(cpu);
        return;
    }
    tlb_flush_page(cpu, va);
}

void helper_invpcid(Cpu *cpu, uint64_t type, uint64_t va)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    uint64_t pcid, address;

    need_cpl0(c, host_pc);
    pcid = cpu_load(cpu, va, 3, x86_mmu_index(c), host_pc);
    address = cpu_load(cpu, va + 8, 3, x86_mmu_index(c), host_pc);
    if (type > 3 || pcid >> 12 || (type < 2 && !(c->cr4 & CR4_PCIDE) && pcid) ||
        (type == 0 && !x86_canonical(c, address))) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
    if (type == 0 && !c->nested_split) {
        tlb_flush_page(cpu, address);
    } else if (type == 2 || type == 0) {
        c->nested_split = false;
        tlb_flush(cpu);
    } else if (type == 1 && c->cr4 & CR4_PCIDE) {
        tlb_flush_space(cpu, pcid);
    } else {
        tlb_flush_nonglobal(cpu);
    }
}

void helper_wbinvd(Cpu *cpu)
{
    need_cpl0(X86(cpu), HOST_PC());
}

/* ---- extended control register ---- */

uint64_t x86_xcr0_supported(const X86Cpu *c)
{
    if (!x86_has_feature(c, FEAT_XSAVE)) {
        return 0;
    }
    return XCR0_X87 | XCR0_SSE | (x86_has_feature(c, FEAT_AVX) ? XCR0_AVX : 0) |
           (x86_has_feature(c, FEAT_AVX512F) ? XCR0_AVX512 : 0) |
           (x86_has_feature(c, FEAT_PKU) ? XCR0_PKRU : 0);
}

static void set_edx_eax(X86Cpu *c, uint64_t v)
{
    c->regs[R_AX] = (uint32_t)v;
    c->regs[R_DX] = v >> 32;
}

void helper_xgetbv(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    uint32_t n = c->regs[R_CX];

    if (!(c->cr4 & CR4_OSXSAVE)) {
        x86_raise(c, EXC_UD, HOST_PC());
    }
    if (n > 1 || (n == 1 && !x86_has_feature(c, FEAT_XGETBV1))) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    set_edx_eax(c, c->xcr0);
}

void helper_xsetbv(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    uint64_t v = (uint32_t)c->regs[R_AX] | c->regs[R_DX] << 32;

    if (!(c->cr4 & CR4_OSXSAVE)) {
        x86_raise(c, EXC_UD, HOST_PC());
    }
    need_cpl0(c, HOST_PC());
    if ((uint32_t)c->regs[R_CX] != 0 || !(v & XCR0_X87) || (v & ~x86_xcr0_supported(c)) ||
        ((v & XCR0_AVX) && !(v & XCR0_SSE)) ||
        (v & XCR0_AVX512 && (~v & (XCR0_AVX512 | XCR0_AVX)))) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    c->xcr0 = v;
}

/* ---- protection keys: SDM 3A 4.6.2 ---- */

static void check_pkru(X86Cpu *c, bool write, uintptr_t host_pc)
{
    if (!(c->cr4 & CR4_PKE)) {
        x86_raise(c, EXC_UD, host_pc);
    }
    if ((uint32_t)c->regs[R_CX] || (write && (uint32_t)c->regs[R_DX])) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
}

void x86_set_pkru(X86Cpu *c, uint32_t pkru)
{
    if (pkru != c->pkru) {
        c->pkru = pkru;
        tlb_flush(&c->cpu);
    }
}

void helper_rdpkru(Cpu *cpu)
{
    check_pkru(X86(cpu), false, HOST_PC());
    set_edx_eax(X86(cpu), X86(cpu)->pkru);
}

void helper_wrpkru(Cpu *cpu)
{
    check_pkru(X86(cpu), true, HOST_PC());
    x86_set_pkru(X86(cpu), (uint32_t)X86(cpu)->regs[R_AX]);
}

/* ---- time ---- */

uint64_t x86_tsc(X86Cpu *c)
{
    uint64_t ns = clock_now_ns(CLOCK_GUEST);

    if (c->tsc_hz != NANOSECONDS_PER_SECOND) {
        ns = (uint64_t)((unsigned __int128)ns * c->tsc_hz / NANOSECONDS_PER_SECOND);
    }
    ns += c->tsc_offset;
    if (c->guest_tsc_scale) {
        ns = (uint64_t)((unsigned __int128)ns * c->guest_tsc_scale >> 48);
    }
    return ns + c->guest_tsc_offset;
}

static void check_tsd(X86Cpu *c, uintptr_t host_pc)
{
    if ((c->cr4 & CR4_TSD) && c->cpl != 0) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
}

void helper_rdtsc(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    check_tsd(c, HOST_PC());
    set_edx_eax(c, x86_tsc(c));
}

void helper_rdtscp(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    check_tsd(c, HOST_PC());
    set_edx_eax(c, x86_tsc(c));
    c->regs[R_CX] = (uint32_t)c->tsc_aux;
}

void helper_rdpmc(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    /* no counters are announced */
    x86_raise_error(c, EXC_GP, 0, HOST_PC());
}

uint64_t helper_rdpid(Cpu *cpu)
{
    return (uint32_t)X86(cpu)->tsc_aux;
}

void helper_cpuid(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    uint32_t r[4];

    x86_cpuid(c, c->regs[R_AX], c->regs[R_CX], r);
    c->regs[R_AX] = r[0];
    c->regs[R_BX] = r[1];
    c->regs[R_CX] = r[2];
    c->regs[R_DX] = r[3];
}

uint64_t helper_rdrand(Cpu *cpu, uint32_t size)
{
    uint64_t v = 0;

    if (getrandom(&v, sizeof(v), GRND_NONBLOCK) != sizeof(v)) {
        v = (uint64_t)g_random_int() << 32 | g_random_int();
    }
    return size == 3 ? v : v & ((1ull << (8u << size)) - 1);
}
