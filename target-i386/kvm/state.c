// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state of an x86 vCPU between struct X86Cpu and the kernel: KVM_{GET,SET}_{REGS,SREGS,XSAVE,
 * XCRS,DEBUGREGS,MSRS,VCPU_EVENTS} (Documentation/virt/kvm/api.rst).
 */
#include "x86-kvm.h"

#include <cpuid.h>
#include <errno.h>
#include <string.h>
#include "exec/x86-apic.h"
#include "util/error.h"

#define LEGACY 512

/* MSRs with a place of their own; TSC runs on by itself. */
static const struct {
    uint32_t index;
    uint32_t offset;
} msr_rows[] = {
    {0x174, offsetof(X86Cpu, sysenter_cs)},
    {0x175, offsetof(X86Cpu, sysenter_esp)},
    {0x176, offsetof(X86Cpu, sysenter_eip)},
    {0xc0000081, offsetof(X86Cpu, star)},
    {0xc0000082, offsetof(X86Cpu, lstar)},
    {0xc0000083, offsetof(X86Cpu, cstar)},
    {0xc0000084, offsetof(X86Cpu, sfmask)},
    {0xc0000102, offsetof(X86Cpu, kernel_gs_base)},
    {0xc0000103, offsetof(X86Cpu, tsc_aux)},
    {0x3b, offsetof(X86Cpu, tsc_adjust)},
    {0x277, offsetof(X86Cpu, pat)},
    {0x1a0, offsetof(X86Cpu, misc_enable)},
    {0x17a, offsetof(X86Cpu, mcg_status)},
    {0x48, offsetof(X86Cpu, spec_ctrl)},
    {0x3a, offsetof(X86Cpu, feature_control)},
    {0xda0, offsetof(X86Cpu, xss)},
    {0x1d9, offsetof(X86Cpu, debugctl)},
    {0x2ff, offsetof(X86Cpu, mtrr_def_type)},
    {0x250, offsetof(X86Cpu, mtrr_fixed[0])},
    {0x258, offsetof(X86Cpu, mtrr_fixed[1])},
    {0x259, offsetof(X86Cpu, mtrr_fixed[2])},
    {0x268, offsetof(X86Cpu, mtrr_fixed[3])},
    {0x269, offsetof(X86Cpu, mtrr_fixed[4])},
    {0x26a, offsetof(X86Cpu, mtrr_fixed[5])},
    {0x26b, offsetof(X86Cpu, mtrr_fixed[6])},
    {0x26c, offsetof(X86Cpu, mtrr_fixed[7])},
    {0x26d, offsetof(X86Cpu, mtrr_fixed[8])},
    {0x26e, offsetof(X86Cpu, mtrr_fixed[9])},
    {0x26f, offsetof(X86Cpu, mtrr_fixed[10])},
};

typedef struct MsrBuffer {
    struct kvm_msrs head;
    struct kvm_msr_entry entry;
} MsrBuffer;

/* Of msr_rows, those that the kernel has. Set once. */
static bool msr_there[ARRAY_COUNT(msr_rows)];

bool x86_kvm_init_msrs(Kvm *k, GError **error)
{
    struct kvm_msr_list none = {0};
    g_autofree struct kvm_msr_list *list = NULL;

    kvm_ioctl(k->fd, KVM_GET_MSR_INDEX_LIST, &none);    /* E2BIG, and how many there are */
    list = g_malloc0(sizeof(none) + none.nmsrs * sizeof(uint32_t));
    list->nmsrs = none.nmsrs;
    if (kvm_ioctl(k->fd, KVM_GET_MSR_INDEX_LIST, list) < 0) {
        return fail_errno(error, errno, "KVM_GET_MSR_INDEX_LIST");
    }
    for (unsigned i = 0; i < ARRAY_COUNT(msr_rows); i++) {
        bool mtrr = msr_rows[i].index >= 0x250 && msr_rows[i].index <= 0x2ff;

        msr_there[i] = mtrr;          /* always there, and in no list before Linux 6.5 */
        for (unsigned n = 0; n < list->nmsrs; n++) {
            msr_there[i] |= list->indices[n] == msr_rows[i].index;
        }
    }
    return true;
}

/* ---- to the kernel ---- */

static struct kvm_segment segment_out(const X86Seg *s, bool system)
{
    return (struct kvm_segment){
        .base = s->base,
        .limit = s->limit,
        .selector = (uint16_t)s->selector,
        .type = s->flags >> SEG_TYPE_SHIFT & 15,
        .present = (s->flags & SEG_P) != 0,
        .dpl = s->flags >> SEG_DPL_SHIFT & 3,
        .db = (s->flags & SEG_B) != 0,
        .s = (s->flags & SEG_S) != 0,
        .l = (s->flags & SEG_L) != 0,
        .g = (s->flags & SEG_G) != 0,
        .avl = (s->flags & SEG_AVL) != 0,
        .unusable = !(s->flags & SEG_P) && (system || !(s->selector & ~3u)),
    };
}

/* Virtual-8086 mode: the segments are what entry to the guest demands of them (SDM 3C 26.3.1.2). */
static struct kvm_segment segment_vm86(const X86Seg *s)
{
    return (struct kvm_segment){
        .base = s->selector << 4,
        .limit = 0xffff,
        .selector = (uint16_t)s->selector,
        .type = 3,
        .present = 1,
        .dpl = 3,
        .s = 1,
    };
}

static struct kvm_segment user_segment(const X86Cpu *c, unsigned n)
{
    struct kvm_segment s;

    if (c->eflags & FLAG_VM) {
        return segment_vm86(&c->segs[n]);
    }
    s = segment_out(&c->segs[n], false);
    if (!s.unusable) {
        s.type |= 1;                  /* loaded, so accessed */
    }
    return s;
}

static bool put_registers(X86Cpu *c, int fd)
{
    const uint64_t *r = c->regs;
    struct kvm_regs regs = {
        .rax = r[R_AX],
        .rbx = r[R_BX],
        .rcx = r[R_CX],
        .rdx = r[R_DX],
        .rsi = r[R_SI],
        .rdi = r[R_DI],
        .rsp = r[R_SP],
        .rbp = r[R_BP],
        .r8 = r[R_8],
        .r9 = r[R_9],
        .r10 = r[R_10],
        .r11 = r[R_11],
        .r12 = r[R_12],
        .r13 = r[R_13],
        .r14 = r[R_14],
        .r15 = r[R_15],
        .rip = c->rip,
        .rflags = x86_get_eflags(c),
    };

    return kvm_ioctl(fd, KVM_SET_REGS, &regs) >= 0;
}

static bool put_system(X86Cpu *c, int fd, const X86KvmCpu *k)
{
    bool own = c->apic && !apic_in_kernel(c->apic);
    struct kvm_sregs s = {
        .es = user_segment(c, S_ES),
        .cs = user_segment(c, S_CS),
        .ss = user_segment(c, S_SS),
        .ds = user_segment(c, S_DS),
        .fs = user_segment(c, S_FS),
        .gs = user_segment(c, S_GS),
        .ldt = segment_out(&c->ldt, true),
        .tr = segment_out(&c->tr, true),
        .gdt = {.base = c->gdt.base, .limit = (uint16_t)c->gdt.limit},
        .idt = {.base = c->idt.base, .limit = (uint16_t)c->idt.limit},
        .cr0 = c->cr0,
        .cr2 = c->cr2,
        .cr3 = c->cr3,
        .cr4 = c->cr4,
        .cr8 = own ? apic_cr8(c->apic) : k->cr8,
        .efer = c->efer,
        .apic_base = own ? apic_base(c->apic) : k->apic_base,
    };

    return kvm_ioctl(fd, KVM_SET_SREGS, &s) >= 0;
}

/* Components of an image beside the legacy region, as they lie in X86Cpu. */
static const struct {
    uint64_t bit;
    unsigned number, size, feature;
    size_t at;
} components[] = {
    {XCR0_AVX, 2, 256, FEAT_AVX, offsetof(X86Cpu, ymm_hi)},
    {XCR0_OPMASK, 5, 64, FEAT_AVX512F, offsetof(X86Cpu, opmask)},
    {XCR0_ZMM_HI256, 6, 512, FEAT_AVX512F, offsetof(X86Cpu, zmm_hi)},
    {XCR0_HI16_ZMM, 7, 1024, FEAT_AVX512F, offsetof(X86Cpu, zmm_more)},
    {XCR0_PKRU, 9, 4, FEAT_PKU, offsetof(X86Cpu, pkru)},
};

/* Where the host's standard form has a component; 0: nowhere. */
static unsigned component_offset(unsigned k)
{
    uint32_t a, b, c, d;

    __cpuid_count(13, components[k].number, a, b, c, d);
    return a == components[k].size && b + a <= sizeof(struct kvm_xsave) ? b : 0;
}

static bool put_float(X86Cpu *c, int fd)
{
    struct kvm_xsave x = {0};
    uint8_t *at = (uint8_t *)x.region;
    uint64_t *there = (uint64_t *)(at + LEGACY);

    x86_fx_image(c, at);
    *there = XCR0_X87 | XCR0_SSE;
    for (unsigned k = 0; k < ARRAY_COUNT(components); k++) {
        unsigned offset = component_offset(k);

        if (offset && x86_has_feature(c, components[k].feature)) {
            *there |= components[k].bit;
            memcpy(at + offset, (const uint8_t *)c + components[k].at, components[k].size);
        }
    }
    if (kvm_ioctl(fd, KVM_SET_XSAVE, &x) < 0) {
        return false;
    }
    if (x86_has_feature(c, FEAT_XSAVE)) {
        struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs = {{.xcr = 0, .value = c->xcr0}}};

        return kvm_ioctl(fd, KVM_SET_XCRS, &xcrs) >= 0;
    }
    return true;
}

/* What only the kernel has goes back to what it is at power-up. */
static bool put_reset(X86Cpu *c, KvmCpu *v)
{
    X86KvmCpu *k = v->arch;

    k->resets = c->resets;
    if (!x86_kvm_has_apic(c)) {
        return true;
    }
    return x86_kvm_reset_apic(c, v->fd);
}

static bool put_debug(X86Cpu *c, int fd)
{
    struct kvm_debugregs d = {.dr6 = c->dr[6], .dr7 = c->dr[7]};

    memcpy(d.db, c->dr, sizeof(d.db));
    return kvm_ioctl(fd, KVM_SET_DEBUGREGS, &d) >= 0;
}

static uint64_t *msr_place(X86Cpu *c, unsigned row)
{
    return (uint64_t *)((uint8_t *)c + msr_rows[row].offset);
}

/* One by one: the kernel ends a list at the first that it refuses, and some depend on features. */
static void put_msrs(X86Cpu *c, int fd)
{
    for (unsigned i = 0; i < ARRAY_COUNT(msr_rows); i++) {
        MsrBuffer b = {.head = {.nmsrs = 1}};

        if (msr_there[i]) {
            b.entry.index = msr_rows[i].index;
            b.entry.data = *msr_place(c, i);
            kvm_ioctl(fd, KVM_SET_MSRS, &b);
        }
    }
}

/* Of KVM itself, and the deadline timer: nothing of a system that is gone may be written to. */
static void reset_msrs(int fd)
{
    static const uint32_t own[] = {
        0x11, 0x12, 0x4b564d00, 0x4b564d01, 0x4b564d02, 0x4b564d03, 0x4b564d04, 0x6e0,
    };

    for (unsigned i = 0; i < ARRAY_COUNT(own); i++) {
        MsrBuffer b = {.head = {.nmsrs = 1}, .entry = {.index = own[i]}};

        kvm_ioctl(fd, KVM_SET_MSRS, &b);
    }
}

/* What was being delivered when the events were read still is, if the vCPU is where it was. */
static bool put_events(X86Cpu *c, KvmCpu *v)
{
    X86KvmCpu *k = v->arch;
    struct kvm_vcpu_events e = {.flags =
                                    KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW};

    if (k->events_rip == c->rip) {
        e.exception = k->events.exception;
        e.interrupt = k->events.interrupt;
        e.nmi = k->events.nmi;
    }
    e.interrupt.shadow = c->inhibit_irq ? KVM_X86_SHADOW_INT_STI : 0;
    e.nmi.masked = c->nmi_masked;
    return kvm_ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e) >= 0;
}

bool x86_kvm_put(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    KvmCpu *v = kvm_cpu(cpu);
    X86KvmCpu *k = v->arch;
    bool reset = k->resets != c->resets;

    if (reset) {
        k->apic_base =
            c->apic ? APIC_BASE_ADDRESS | APIC_BASE_ENABLE | (cpu->index ? 0 : APIC_BASE_BSP) : 0;
        k->cr8 = 0;
        memset(&k->events, 0, sizeof(k->events));
    }
    if (!put_system(c, v->fd, k) || !put_registers(c, v->fd) || !put_float(c, v->fd) ||
        !put_debug(c, v->fd)) {
        return false;
    }
    put_msrs(c, v->fd);
    if (reset) {
        reset_msrs(v->fd);
        if (!put_reset(c, v)) {
            return false;
        }
    }
    return put_events(c, v);
}

/* ---- from the kernel ---- */

static X86Seg segment_in(const struct kvm_segment *s)
{
    return (X86Seg){
        .base = s->base,
        .limit = s->limit,
        .selector = s->selector,
        .flags = s->unusable ? 0
                             : (uint32_t)s->type << SEG_TYPE_SHIFT | (s->present ? SEG_P : 0) |
                                   (uint32_t)s->dpl << SEG_DPL_SHIFT | (s->db ? SEG_B : 0) |
                                   (s->s ? SEG_S : 0) | (s->l ? SEG_L : 0) | (s->g ? SEG_G : 0) |
                                   (s->avl ? SEG_AVL : 0),
    };
}

static bool get_registers(X86Cpu *c, int fd)
{
    struct kvm_regs k;

    if (kvm_ioctl(fd, KVM_GET_REGS, &k) < 0) {
        return false;
    }
    const uint64_t r[16] = {
        [R_AX] = k.rax, [R_BX] = k.rbx, [R_CX] = k.rcx, [R_DX] = k.rdx,
        [R_SI] = k.rsi, [R_DI] = k.rdi, [R_SP] = k.rsp, [R_BP] = k.rbp,
        [R_8] = k.r8,   [R_9] = k.r9,   [R_10] = k.r10, [R_11] = k.r11,
        [R_12] = k.r12, [R_13] = k.r13, [R_14] = k.r14, [R_15] = k.r15,
    };

    memcpy(c->regs, r, sizeof(r));
    c->rip = k.rip;
    x86_set_eflags(c, (uint32_t)k.rflags, ~0u);
    return true;
}

static bool get_system(X86Cpu *c, int fd, X86KvmCpu *k)
{
    struct kvm_sregs s;

    if (kvm_ioctl(fd, KVM_GET_SREGS, &s) < 0) {
        return false;
    }
    const struct kvm_segment *from[6] = {&s.es, &s.cs, &s.ss, &s.ds, &s.fs, &s.gs};

    for (unsigned i = 0; i < 6; i++) {
        c->segs[i] = segment_in(from[i]);
    }
    c->ldt = segment_in(&s.ldt);
    c->tr = segment_in(&s.tr);
    c->gdt = (X86TableReg){.base = s.gdt.base, .limit = s.gdt.limit};
    c->idt = (X86TableReg){.base = s.idt.base, .limit = s.idt.limit};
    c->cr0 = s.cr0;
    c->cr2 = s.cr2;
    c->cr3 = s.cr3;
    c->cr4 = s.cr4;
    c->efer = s.efer;
    k->cr8 = s.cr8;
    k->apic_base = s.apic_base;
    c->cpl = s.ss.dpl;
    return true;
}

static bool get_float(X86Cpu *c, int fd)
{
    struct kvm_xsave x;
    const uint8_t *at = (const uint8_t *)x.region;
    uint64_t there;

    if (kvm_ioctl(fd, KVM_GET_XSAVE, &x) < 0) {
        return false;
    }
    memcpy(&there, at + LEGACY, sizeof(there));
    x86_fx_take(c, at);
    if (!(there & XCR0_X87)) {
        x86_fpu_reset(c);
        c->fp_cw = 0x37f;
    }
    for (unsigned k = 0; k < ARRAY_COUNT(components); k++) {
        unsigned offset = component_offset(k);
        uint8_t *to = (uint8_t *)c + components[k].at;

        if (offset && there & components[k].bit) {
            memcpy(to, at + offset, components[k].size);
        } else {
            memset(to, 0, components[k].size);
        }
    }
    if (x86_has_feature(c, FEAT_XSAVE)) {
        struct kvm_xcrs xcrs = {0};

        if (kvm_ioctl(fd, KVM_GET_XCRS, &xcrs) < 0) {
            return false;
        }
        c->xcr0 = xcrs.nr_xcrs ? xcrs.xcrs[0].value : XCR0_X87;
    }
    return true;
}

static bool get_debug(X86Cpu *c, int fd)
{
    struct kvm_debugregs d;

    if (kvm_ioctl(fd, KVM_GET_DEBUGREGS, &d) < 0) {
        return false;
    }
    memcpy(c->dr, d.db, sizeof(d.db));
    c->dr[6] = d.dr6;
    c->dr[7] = d.dr7;
    return true;
}

static void get_msrs(X86Cpu *c, int fd)
{
    for (unsigned i = 0; i < ARRAY_COUNT(msr_rows); i++) {
        MsrBuffer b = {.head = {.nmsrs = 1}};

        b.entry.index = msr_rows[i].index;
        if (msr_there[i] && kvm_ioctl(fd, KVM_GET_MSRS, &b) == 1) {
            *msr_place(c, i) = b.entry.data;
        }
    }
}

bool x86_kvm_get(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    KvmCpu *v = kvm_cpu(cpu);
    X86KvmCpu *k = v->arch;

    if (!get_system(c, v->fd, k) || !get_registers(c, v->fd) || !get_float(c, v->fd) ||
        !get_debug(c, v->fd) || kvm_ioctl(v->fd, KVM_GET_VCPU_EVENTS, &k->events) < 0) {
        return false;
    }
    get_msrs(c, v->fd);
    k->events_rip = c->rip;
    c->inhibit_irq = k->events.interrupt.shadow != 0;
    c->nmi_masked = k->events.nmi.masked;
    x86_seg_derive(c);
    return true;
}
