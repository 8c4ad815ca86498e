// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtualization extensions of the GICv2 (ARM IHI 0048B, chapter 5): list registers that a
 * hypervisor fills, and the virtual CPU interface through which its guest takes them.
 */
#include "gicv2.h"

enum {
    H_HCR = 0x00,
    H_VTR = 0x04,
    H_VMCR = 0x08,
    H_MISR = 0x10,
    H_EISR = 0x20,
    H_ELRSR = 0x30,
    H_APR = 0xf0,
    H_LR = 0x100
};
enum {
    HCR_EN = 1,
    HCR_UIE = 2,
    HCR_LRENPIE = 4,
    HCR_NPIE = 8,
    HCR_VGRP0EIE = 0x10,
    HCR_VGRP0DIE = 0x20,
    HCR_VGRP1EIE = 0x40,
    HCR_VGRP1DIE = 0x80
};
enum {
    V_CTLR = 0x00,
    V_PMR = 0x04,
    V_BPR = 0x08,
    V_IAR = 0x0c,
    V_EOIR = 0x10,
    V_RPR = 0x14,
    V_HPPIR = 0x18,
    V_ABPR = 0x1c,
    V_AIAR = 0x20,
    V_AEOIR = 0x24,
    V_AHPPIR = 0x28,
    V_APR = 0xd0,
    V_IIDR = 0xfc,
    V_DIR = 0x1000
};

#define LR_HW (1u << 31)
#define LR_GRP1 (1u << 30)
#define LR_ACTIVE (1u << 29)
#define LR_PENDING (1u << 28)
#define LR_EOI (1u << 19) /* software interrupts: maintenance at the end */
#define VTR_VALUE (4u << 29 | 4u << 26 | (GIC_LRS - 1))
#define IDLE 0x100

static unsigned lr_prio(uint32_t lr)
{
    return lr >> 23 << 3 & 0xf8;
}

static unsigned lr_vid(uint32_t lr)
{
    return lr & 0x3ff;
}

static uint32_t gich_eisr(const GicCpu *c)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < GIC_LRS; i++) {
        if (!(c->lr[i] & (LR_HW | LR_ACTIVE | LR_PENDING)) && (c->lr[i] & LR_EOI)) {
            v |= 1u << i;
        }
    }
    return v;
}

static uint32_t gich_elrsr(const GicCpu *c)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < GIC_LRS; i++) {
        bool eoi = !(c->lr[i] & LR_HW) && (c->lr[i] & LR_EOI);

        if (!(c->lr[i] & (LR_ACTIVE | LR_PENDING)) && !eoi) {
            v |= 1u << i;
        }
    }
    return v;
}

/* 5.3.6 */
static uint32_t gich_misr(const GicCpu *c)
{
    unsigned valid = 0, pending = 0;
    uint32_t v = 0;

    if (!(c->hcr & HCR_EN)) {
        return 0;
    }
    for (unsigned i = 0; i < GIC_LRS; i++) {
        valid += (c->lr[i] & (LR_ACTIVE | LR_PENDING)) != 0;
        pending += (c->lr[i] & (LR_ACTIVE | LR_PENDING)) == LR_PENDING;
    }
    v |= gich_eisr(c) ? 1 : 0;
    v |= (c->hcr & HCR_UIE) && valid < 2 ? 2 : 0;
    v |= (c->hcr & HCR_LRENPIE) && c->hcr >> 27 ? 4 : 0;
    v |= (c->hcr & HCR_NPIE) && pending == 0 ? 8 : 0;
    v |= (c->hcr & HCR_VGRP0EIE) && (c->vctlr & 1) ? 0x10 : 0;
    v |= (c->hcr & HCR_VGRP0DIE) && !(c->vctlr & 1) ? 0x20 : 0;
    v |= (c->hcr & HCR_VGRP1EIE) && (c->vctlr & 2) ? 0x40 : 0;
    v |= (c->hcr & HCR_VGRP1DIE) && !(c->vctlr & 2) ? 0x80 : 0;
    return v;
}

/* ---- the virtual CPU interface ---- */

static int best_lr(const GicCpu *c)
{
    int best = -1;

    for (unsigned i = 0; i < GIC_LRS; i++) {
        uint32_t lr = c->lr[i];

        if ((lr & (LR_ACTIVE | LR_PENDING)) == LR_PENDING && (c->vctlr & (lr & LR_GRP1 ? 2 : 1)) &&
            (best < 0 || lr_prio(lr) < lr_prio(c->lr[best]))) {
            best = i;
        }
    }
    return best;
}

static unsigned v_running(const GicCpu *c)
{
    return c->hapr ? (unsigned)__builtin_ctz(c->hapr) << 3 : IDLE;
}

static uint8_t v_mask(const GicCpu *c, bool grp1)
{
    unsigned bpr = grp1 && !(c->vctlr & GICC_CBPR) ? (c->vabpr ? c->vabpr - 1 : 0) : c->vbpr;

    return 0xffu << (MAX(bpr, 2) + 1);
}

static bool v_may_signal(const GicCpu *c, int i)
{
    return i >= 0 && lr_prio(c->lr[i]) < c->vpmr &&
           (lr_prio(c->lr[i]) & v_mask(c, c->lr[i] & LR_GRP1)) < v_running(c);
}

void gic_update_virtual(Gic *s, unsigned cpu)
{
    GicCpu *c = &s->cpu[cpu];
    int i = c->hcr & HCR_EN ? best_lr(c) : -1;
    bool signal = v_may_signal(c, i);
    bool fiq = signal && !(c->lr[i] & LR_GRP1) && (c->vctlr & GICC_FIQEN);

    irq_set(&s->virq[cpu], signal && !fiq);
    irq_set(&s->vfiq[cpu], fiq);
    irq_set(&s->maintenance[cpu], gich_misr(c) != 0);
}

static uint32_t v_visible(const GicCpu *c, int i, bool alias)
{
    if (i < 0) {
        return GIC_SPURIOUS;
    }
    bool grp1 = c->lr[i] & LR_GRP1;

    if (alias && !grp1) {
        return GIC_SPURIOUS;
    }
    return grp1 && !alias && !(c->vctlr & GICC_ACKCTL) ? 1022 : lr_vid(c->lr[i]);
}

static uint32_t v_acknowledge(GicCpu *c, bool alias)
{
    int i = best_lr(c);

    if (!v_may_signal(c, i)) {
        return GIC_SPURIOUS;
    }
    uint32_t id = v_visible(c, i, alias);

    if (id < 1020) {
        c->hapr |= 1u << ((lr_prio(c->lr[i]) & v_mask(c, c->lr[i] & LR_GRP1)) >> 3);
        c->lr[i] = (c->lr[i] & ~LR_PENDING) | LR_ACTIVE;
        id |= id < 16 && !(c->lr[i] & LR_HW) ? (c->lr[i] >> 10 & 7) << 10 : 0;
    }
    return id;
}

static int find_active(const GicCpu *c, uint32_t value)
{
    for (unsigned i = 0; i < GIC_LRS; i++) {
        bool same_cpu = lr_vid(c->lr[i]) >= 16 || (c->lr[i] & LR_HW) ||
                        (c->lr[i] >> 10 & 7) == (value >> 10 & 7);

        if ((c->lr[i] & LR_ACTIVE) && lr_vid(c->lr[i]) == (value & 0x3ff) && same_cpu) {
            return i;
        }
    }
    return -1;
}

static void v_deactivate(Gic *s, unsigned cpu, int i)
{
    GicCpu *c = &s->cpu[cpu];

    c->lr[i] &= ~LR_ACTIVE;
    if (c->lr[i] & LR_HW) {
        gic_deactivate(s, cpu, c->lr[i] >> 10 & 0x3ff);
    }
}

static void v_end(Gic *s, unsigned cpu, uint32_t value)
{
    GicCpu *c = &s->cpu[cpu];
    int i = find_active(c, value);

    if ((value & 0x3ff) >= 1020) {
        return;
    }
    c->hapr &= c->hapr - 1;
    if (c->vctlr & GICC_EOIMODE) {
        return;
    }
    if (i >= 0) {
        v_deactivate(s, cpu, i);
    } else {
        c->hcr = (c->hcr & ~(31u << 27)) | ((c->hcr >> 27) + 1 > 31 ? 31u : (c->hcr >> 27) + 1)
                                               << 27;
    }
}

static uint32_t vcpu_read(GicCpu *c, hwaddr offset)
{
    switch (offset) {
    case V_CTLR:
        return c->vctlr;
    case V_PMR:
        return c->vpmr;
    case V_BPR:
        return c->vbpr;
    case V_IAR:
    case V_AIAR:
        return v_acknowledge(c, offset == V_AIAR);
    case V_RPR:
        return MIN(v_running(c), 0xff);
    case V_HPPIR:
    case V_AHPPIR:
        return v_visible(c, best_lr(c), offset == V_AHPPIR);
    case V_ABPR:
        return c->vabpr;
    case V_APR:
        return c->hapr;
    case V_IIDR:
        return 0x0002043b;
    default:
        return 0;
    }
}

static void vcpu_write(Gic *s, unsigned cpu, hwaddr offset, uint32_t value)
{
    GicCpu *c = &s->cpu[cpu];
    int i;

    switch (offset) {
    case V_CTLR:
        c->vctlr = value & 0x21f;
        break;
    case V_PMR:
        c->vpmr = value & 0xf8;
        break;
    case V_BPR:
        c->vbpr = MAX(value & 7, 2);
        break;
    case V_ABPR:
        c->vabpr = MAX(value & 7, 3);
        break;
    case V_EOIR:
    case V_AEOIR:
        v_end(s, cpu, value);
        break;
    case V_APR:
        c->hapr = value;
        break;
    case V_DIR:
        i = find_active(c, value);
        if (i >= 0 && (c->vctlr & GICC_EOIMODE)) {
            v_deactivate(s, cpu, i);
        }
        break;
    }
}

MemResult gic_vcpu_access(Region *r, hwaddr offset, uint64_t *value, unsigned size, bool write,
                          MemAttrs attrs)
{
    Gic *s = (Gic *)r->owner;
    unsigned cpu = gic_access_cpu(s, attrs);

    if (size != 4 || (offset & 3) || !s->virtualization) {
        *value = write ? *value : 0;
        return MEM_OK;
    }
    if (write) {
        vcpu_write(s, cpu, offset, *value);
    } else {
        *value = vcpu_read(&s->cpu[cpu], offset);
    }
    gic_update_virtual(s, cpu);
    return MEM_OK;
}

/* ---- the hypervisor's registers ---- */

/* 5.3.4: the guest's interface in one word. */
static uint32_t vmcr_read(const GicCpu *c)
{
    return (c->vctlr & 0x1f) | (c->vctlr & GICC_EOIMODE) | c->vabpr << 18 | c->vbpr << 21 |
           (c->vpmr >> 3) << 27;
}

static void vmcr_write(GicCpu *c, uint32_t v)
{
    c->vctlr = v & 0x21f;
    c->vabpr = v >> 18 & 7;
    c->vbpr = v >> 21 & 7;
    c->vpmr = v >> 27 << 3;
}

static uint32_t hyp_read(const GicCpu *c, hwaddr offset)
{
    if (offset >= H_LR && offset < H_LR + 4 * GIC_LRS) {
        return c->lr[(offset - H_LR) / 4];
    }
    switch (offset) {
    case H_HCR:
        return c->hcr;
    case H_VTR:
        return VTR_VALUE;
    case H_VMCR:
        return vmcr_read(c);
    case H_MISR:
        return gich_misr(c);
    case H_EISR:
        return gich_eisr(c);
    case H_ELRSR:
        return gich_elrsr(c);
    case H_APR:
        return c->hapr;
    default:
        return 0;
    }
}

static void hyp_write(GicCpu *c, hwaddr offset, uint32_t value)
{
    if (offset >= H_LR && offset < H_LR + 4 * GIC_LRS) {
        c->lr[(offset - H_LR) / 4] = value;
    } else if (offset == H_HCR) {
        c->hcr = value & 0xf80000ff;
    } else if (offset == H_VMCR) {
        vmcr_write(c, value);
    } else if (offset == H_APR) {
        c->hapr = value;
    }
}

MemResult gic_hyp_access(Region *r, hwaddr offset, uint64_t *value, unsigned size, bool write,
                         MemAttrs attrs)
{
    Gic *s = (Gic *)r->owner;
    unsigned cpu = gic_access_cpu(s, attrs);

    if (size != 4 || (offset & 3) || !s->virtualization) {
        *value = write ? *value : 0;
        return MEM_OK;
    }
    if (write) {
        hyp_write(&s->cpu[cpu], offset, *value);
        gic_update_virtual(s, cpu);
    } else {
        *value = hyp_read(&s->cpu[cpu], offset);
    }
    return MEM_OK;
}
