// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * FXSAVE, FXRSTOR, the XSAVE family, LDMXCSR, STMXCSR. SDM 1 10.5 and chapter 13. An area of one
 * page of RAM is written in place, others by way of a copy.
 */
#include "target-i386/x87.h"

#include <string.h>
#include "target-i386/helpers.h"
#include "target-i386/seg.h"

/* The legacy region, SDM 1 table 10-2. */
typedef struct FxArea {
    uint16_t fcw, fsw;
    uint8_t ftw, pad;
    uint16_t fop;
    uint64_t fip, fdp;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16];
    uint8_t xmm[16][16];
    uint8_t rest[96];
} FxArea;

typedef struct XHeader {
    uint64_t xstate_bv, xcomp_bv, zero[6];
} XHeader;

#define XSAVE_LEGACY 512
#define XSAVE_AVX_OFFSET 576
#define XCOMP_COMPACT (1ull << 63)

_Static_assert(sizeof(FxArea) == XSAVE_LEGACY, "legacy region");

static void store_x87(X86Cpu *c, FxArea *a, bool rexw)
{
    a->fcw = c->fp_cw;
    a->fsw = x87_status(c);
    a->ftw = 0;
    for (unsigned i = 0; i < 8; i++) {
        a->ftw |= !c->fp_tag[i] << i;
        memcpy(a->st[i], x87_st(c, i), 10);
    }
    a->pad = 0;
    a->fop = c->fp_op;
    a->fip = rexw ? c->fp_ip : (uint32_t)c->fp_ip | (uint64_t)c->fp_cs << 32;
    a->fdp = rexw ? c->fp_dp : (uint32_t)c->fp_dp | (uint64_t)c->fp_ds << 32;
}

static void load_x87(X86Cpu *c, const FxArea *a, bool rexw)
{
    c->fp_cw = (a->fcw & 0x1f7f) | 0x40;
    x87_set_status(c, a->fsw);
    for (unsigned i = 0; i < 8; i++) {
        X87Reg *r = x87_st(c, i);

        c->fp_tag[i] = !(a->ftw >> i & 1);
        memcpy(r, a->st[i], 10);
    }
    c->fp_op = a->fop & 0x7ff;
    c->fp_ip = rexw ? a->fip : (uint32_t)a->fip;
    c->fp_dp = rexw ? a->fdp : (uint32_t)a->fdp;
    c->fp_cs = rexw ? 0 : a->fip >> 32 & 0xffff;
    c->fp_ds = rexw ? 0 : a->fdp >> 32 & 0xffff;
}

static unsigned xmm_count(const X86Cpu *c)
{
    return x86_code64(c) ? 16 : 8;
}

static void check_fx(X86Cpu *c, uint64_t va, uintptr_t host_pc)
{
    x87_enter(c, false, host_pc);
    if (va & 15) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
}

void helper_fxsave(Cpu *cpu, uint64_t va, uint32_t rexw)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    unsigned mmu = x86_mmu_index(c);
    FxArea a = {0};
    size_t size;

    check_fx(c, va, host_pc);
    store_x87(c, &a, rexw);
    a.mxcsr = x86_get_mxcsr(c);
    a.mxcsr_mask = x86_mxcsr_mask(c);
    size = offsetof(FxArea, xmm);
    if ((c->cr4 & CR4_OSFXSR) && !((c->efer & EFER_FFXSR) && c->cpl == 0 && x86_code64(c))) {
        memcpy(a.xmm, c->xmm, xmm_count(c) * 16);
        size += xmm_count(c) * 16;
    }
    cpu_store_bytes(cpu, va, &a, size, mmu, host_pc);
}

void helper_fxrstor(Cpu *cpu, uint64_t va, uint32_t rexw)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    FxArea a;

    check_fx(c, va, host_pc);
    cpu_load_bytes(cpu, va, &a, offsetof(FxArea, rest), x86_mmu_index(c), host_pc);
    if ((c->cr4 & CR4_OSFXSR) && (a.mxcsr & ~x86_mxcsr_mask(c))) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
    load_x87(c, &a, rexw);
    if (c->cr4 & CR4_OSFXSR) {
        x86_set_mxcsr(c, a.mxcsr);
        if (!((c->efer & EFER_FFXSR) && c->cpl == 0 && x86_code64(c))) {
            memcpy(c->xmm, a.xmm, xmm_count(c) * 16);
        }
    }
}

/* ---- XSAVE ---- */

static void check_xsave(X86Cpu *c, uint64_t va, uintptr_t host_pc)
{
    if (!(c->cr4 & CR4_OSXSAVE)) {
        x86_raise(c, EXC_UD, host_pc);
    }
    if (c->cr0 & CR0_TS) {
        x86_raise(c, EXC_NM, host_pc);
    }
    if (va & 63) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
}

/* The extended region: bits in their order, SDM 1 13.4.2. PKRU goes through its own functions. */
static const struct {
    uint32_t bit, offset, size;
    size_t field;
} extended[] = {
    {XCR0_AVX, XSAVE_AVX_OFFSET, 256, offsetof(X86Cpu, ymm_hi)},
    {XCR0_OPMASK, 1088, 64, offsetof(X86Cpu, opmask)},
    {XCR0_ZMM_HI256, 1152, 512, offsetof(X86Cpu, zmm_hi)},
    {XCR0_HI16_ZMM, 1664, 1024, offsetof(X86Cpu, zmm_more)},
    {XCR0_PKRU, 2688, 8, 0},
};

bool x86_xsave_component(unsigned bit, uint32_t *offset, uint32_t *size)
{
    for (unsigned n = 0; n < ARRAY_COUNT(extended); n++) {
        if (extended[n].bit == 1u << bit) {
            *offset = extended[n].offset;
            *size = extended[n].size;
            return true;
        }
    }
    return false;
}

/* Where a component lies (SDM 1 13.4.3: compacted ones follow each other). */
static uint64_t component_offset(unsigned n, uint64_t compact_bv)
{
    uint64_t at = XSAVE_AVX_OFFSET;

    if (!(compact_bv & XCOMP_COMPACT)) {
        return extended[n].offset;
    }
    for (unsigned k = 0; k < n; k++) {
        at += compact_bv & extended[k].bit ? extended[k].size : 0;
    }
    return at;
}

/* Bytes of it that the mode knows: outside of 64-bit mode there are eight registers. */
static unsigned component_bytes(const X86Cpu *c, unsigned n)
{
    unsigned size = extended[n].size;

    if (x86_code64(c) || extended[n].bit & (XCR0_OPMASK | XCR0_PKRU)) {
        return size;
    }
    return extended[n].bit == XCR0_HI16_ZMM ? 0 : size / 2;
}

static void *component_state(X86Cpu *c, unsigned n)
{
    return (uint8_t *)c + extended[n].field;
}

static bool all_zero(const void *p, size_t size)
{
    const uint64_t *v = p;

    for (size_t n = 0; n < size / 8; n++) {
        if (v[n]) {
            return false;
        }
    }
    return true;
}

/* Components that are not in their initial state (SDM 1 13.6). */
static uint64_t components_in_use(X86Cpu *c)
{
    static const Vec128 zero[16];
    uint64_t in_use = 0;
    bool x87_init =
        c->fp_cw == 0x37f && !c->fp_sw && !c->fp_top && !c->fp_op && !c->fp_ip && !c->fp_dp;

    for (unsigned i = 0; i < 8; i++) {
        x87_init = x87_init && c->fp_tag[i];
    }
    in_use |= x87_init ? 0 : XCR0_X87;
    in_use |= memcmp(c->xmm, zero, sizeof(zero)) ? XCR0_SSE : 0;
    for (unsigned n = 0; n < ARRAY_COUNT(extended); n++) {
        bool used = extended[n].bit == XCR0_PKRU
                        ? c->pkru != 0
                        : !all_zero(component_state(c, n), extended[n].size);
        in_use |= used ? extended[n].bit : 0;
    }
    return in_use;
}

static uint64_t requested(const X86Cpu *c)
{
    return ((uint32_t)c->regs[R_AX] | c->regs[R_DX] << 32) & c->xcr0;
}

void helper_xsave(Cpu *cpu, uint64_t va, uint32_t rexw, uint32_t kind)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    unsigned mmu = x86_mmu_index(c);
    uint64_t want = requested(c), used = kind ? components_in_use(c) : UINT64_MAX;
    bool compact = kind >= 2;
    FxArea a = {0};
    XHeader h;

    if (compact && x86_get_mxcsr(c) != MXCSR_DEFAULT) {
        used |= XCR0_SSE; /* 13.10: MXCSR belongs to it here */
    }

    check_xsave(c, va, host_pc);
    /* all of it must be writable before any of it is written */
    cpu_load_bytes(cpu, va + XSAVE_LEGACY, &h, sizeof(h), mmu, host_pc);
    uint64_t form = compact ? want | XCOMP_COMPACT : 0;
    for (unsigned n = 0; n < ARRAY_COUNT(extended); n++) {
        if (want & extended[n].bit) {
            uint64_t at = va + component_offset(n, form);
            cpu_probe(cpu, at, 1, ACCESS_STORE, mmu, host_pc);
            cpu_probe(cpu, at + extended[n].size - 1, 1, ACCESS_STORE, mmu, host_pc);
        }
    }
    if (want & used & XCR0_X87) {
        store_x87(c, &a, rexw);
        cpu_store_bytes(cpu, va, &a, offsetof(FxArea, mxcsr), mmu, host_pc);
        cpu_store_bytes(cpu, va + offsetof(FxArea, st), a.st, sizeof(a.st), mmu, host_pc);
    }
    if (want & (compact ? used & XCR0_SSE : XCR0_SSE | XCR0_AVX)) {
        uint32_t csr[2] = {x86_get_mxcsr(c), x86_mxcsr_mask(c)};

        cpu_store_bytes(cpu, va + offsetof(FxArea, mxcsr), csr, 8, mmu, host_pc);
    }
    if (want & used & XCR0_SSE) {
        cpu_store_bytes(cpu, va + offsetof(FxArea, xmm), c->xmm, xmm_count(c) * 16, mmu, host_pc);
    }
    for (unsigned n = 0; n < ARRAY_COUNT(extended); n++) {
        uint64_t pkru = c->pkru, at = va + component_offset(n, form);
        if (want & used & extended[n].bit) {
            cpu_store_bytes(cpu, at, extended[n].bit == XCR0_PKRU ? &pkru : component_state(c, n),
                            component_bytes(c, n), mmu, host_pc);
        }
    }
    if (compact) {
        h = (XHeader){.xstate_bv = want & used, .xcomp_bv = want | XCOMP_COMPACT};
    } else {
        h.xstate_bv = (h.xstate_bv & ~want) | (want & (kind ? used : components_in_use(c) | want));
    }
    /* 13.7, 13.10: nothing else of the header is written */
    cpu_store_bytes(cpu, va + XSAVE_LEGACY, &h, compact ? 16 : 8, mmu, host_pc);
}

/*
 * SDM 1 13.8.1, 13.8.2: reserved header fields (bytes 8 to 23 of the standard form), components
 * that are not enabled.
 */
static bool header_valid(const X86Cpu *c, const XHeader *h)
{
    bool compact = h->xcomp_bv & XCOMP_COMPACT;

    for (unsigned i = 0; i < (compact ? 6 : 1); i++) {
        if (h->zero[i]) {
            return false;
        }
    }
    if (compact) {
        return x86_has_feature(c, FEAT_XSAVEC) && !(h->xcomp_bv & ~XCOMP_COMPACT & ~c->xcr0) &&
               !(h->xstate_bv & ~h->xcomp_bv);
    }
    return h->xcomp_bv == 0 && !(h->xstate_bv & ~c->xcr0);
}

static void init_x87(X86Cpu *c)
{
    c->fp_cw = 0x37f;
    c->fp_sw = c->fp_top = c->fp_op = c->fp_host_clean = 0;
    c->fp_ip = c->fp_dp = 0;
    c->fp_cs = c->fp_ds = 0;
    memset(c->fp_tag, 1, sizeof(c->fp_tag));
    memset(c->fpr, 0, sizeof(c->fpr));
}

void helper_xrstor(Cpu *cpu, uint64_t va, uint32_t rexw, uint32_t supervisor)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    unsigned mmu = x86_mmu_index(c);
    uint64_t want = requested(c);
    uint64_t more[ARRAY_COUNT(extended)][128] = {{0}};
    XHeader h;
    FxArea a;

    check_xsave(c, va, host_pc);
    cpu_load_bytes(cpu, va + XSAVE_LEGACY, &h, sizeof(h), mmu, host_pc);
    if (!header_valid(c, &h)) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
    cpu_load_bytes(cpu, va, &a, offsetof(FxArea, rest), mmu, host_pc);
    for (unsigned n = 0; n < ARRAY_COUNT(extended); n++) {
        if (want & h.xstate_bv & extended[n].bit) {
            cpu_load_bytes(cpu, va + component_offset(n, h.xcomp_bv), more[n],
                           component_bytes(c, n), mmu, host_pc);
        }
    }
    if ((want & (XCR0_SSE | XCR0_AVX)) && !(h.xcomp_bv & XCOMP_COMPACT) &&
        (a.mxcsr & ~x86_mxcsr_mask(c))) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
    if (want & XCR0_X87) {
        if (h.xstate_bv & XCR0_X87) {
            load_x87(c, &a, rexw);
        } else {
            init_x87(c);
        }
    }
    if (want & XCR0_SSE) {
        if (h.xstate_bv & XCR0_SSE) {
            memcpy(c->xmm, a.xmm, xmm_count(c) * 16);
        } else {
            memset(c->xmm, 0, xmm_count(c) * 16);
        }
    }
    if (want & (XCR0_SSE | XCR0_AVX)) {
        bool init = (h.xcomp_bv & XCOMP_COMPACT) && !(h.xstate_bv & XCR0_SSE);

        x86_set_mxcsr(c, init ? MXCSR_DEFAULT : a.mxcsr);
    }
    for (unsigned n = 0; n < ARRAY_COUNT(extended); n++) {
        if (want & extended[n].bit & XCR0_PKRU) {
            x86_set_pkru(c, (uint32_t)more[n][0]);
        } else if (want & extended[n].bit) {
            memcpy(component_state(c, n), more[n], component_bytes(c, n));
        }
    }
}

/* ---- MXCSR ---- */

void helper_ldmxcsr(Cpu *cpu, uint32_t value)
{
    X86Cpu *c = X86(cpu);

    if (value & ~x86_mxcsr_mask(c)) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    x86_set_mxcsr(c, value);
}

uint32_t helper_stmxcsr(Cpu *cpu)
{
    return x86_get_mxcsr(X86(cpu));
}

/* ---- images outside of guest memory ---- */

void x86_fx_image(X86Cpu *c, void *legacy)
{
    FxArea *a = legacy;

    memset(a, 0, sizeof(*a));
    store_x87(c, a, true);
    a->mxcsr = x86_get_mxcsr(c);
    a->mxcsr_mask = x86_mxcsr_mask(c);
    for (unsigned i = 0; i < ARRAY_COUNT(a->xmm); i++) {
        memcpy(a->xmm[i], &c->xmm[i], 16);
    }
}

void x86_fx_take(X86Cpu *c, const void *legacy)
{
    const FxArea *a = legacy;

    load_x87(c, a, true);
    x86_set_mxcsr(c, a->mxcsr);
    for (unsigned i = 0; i < ARRAY_COUNT(a->xmm); i++) {
        memcpy(&c->xmm[i], a->xmm[i], 16);
    }
}
