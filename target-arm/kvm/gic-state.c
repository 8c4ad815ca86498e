// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The registers of the kernel's GIC, read and written by attributes: of the distributor, of each
 * CPU's own interrupts (banked in a GICv2's distributor, the redistributor of a GICv3) and of each
 * CPU's interface (IHI 0048B 4 and 5, IHI 0069 12; Documentation/virt/kvm/devices/arm-vgic.rst,
 * arm-vgic-v3.rst). Bits that are set and cleared by different registers are cleared first. The
 * tables of an ITS (its.c) and pending LPIs are not here.
 */
#include "gic.h"

#include <errno.h>
#include "arm-kvm.h"

/* A row of bits or bytes for each interrupt. */
typedef struct IrqRow {
    uint16_t offset, clear; /* clear: the register that takes ones; 0: none */
    uint8_t bits; /* of each interrupt */
    bool spi_only;
    uint8_t version; /* 0: both */
} IrqRow;

static const IrqRow irq_rows[] = {
    {.offset = 0x080, .bits = 1}, /* IGROUPR */
    {.offset = 0x100, .clear = 0x180, .bits = 1}, /* ISENABLER */
    {.offset = 0x400, .bits = 8}, /* IPRIORITYR */
    {.offset = 0x800, .bits = 8, .spi_only = true, .version = 2}, /* ITARGETSR */
    {.offset = 0x6000, .bits = 64, .spi_only = true, .version = 3}, /* IROUTER */
    {.offset = 0xc00, .bits = 2}, /* ICFGR */
    {.offset = 0x200, .clear = 0x280, .bits = 1}, /* ISPENDR */
    {.offset = 0x300, .clear = 0x380, .bits = 1}, /* ISACTIVER */
};

/* GICC: CTLR PMR BPR ABPR APR0 */
static const uint16_t gicc_regs[] = {0x00, 0x04, 0x08, 0x1c, 0xd0};

#define ICC(op1, crn, crm, op2) (3u << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
/* keep: the implementation's, the same after reset. */
static const struct {
    uint16_t id;
    bool keep;
} icc_regs[] = {
    {ICC(0, 12, 12, 5), true}, /* ICC_SRE_EL1 */
    {ICC(0, 12, 12, 4), true}, /* ICC_CTLR_EL1 */
    {ICC(0, 4, 6, 0), false}, /* ICC_PMR_EL1 */
    {ICC(0, 12, 8, 3), false}, /* ICC_BPR0_EL1 */
    {ICC(0, 12, 12, 3), false}, /* ICC_BPR1_EL1 */
    {ICC(0, 12, 8, 4), false}, /* ICC_AP0R0_EL1 */
    {ICC(0, 12, 9, 0), false}, /* ICC_AP1R0_EL1 */
    {ICC(0, 12, 12, 6), false}, /* ICC_IGRPEN0_EL1 */
    {ICC(0, 12, 12, 7), false}, /* ICC_IGRPEN1_EL1 */
};

const StateField kvm_gic_fields[] = {
    HOST_ONLY(KvmGic, fd, "the kernel's device, whose registers are its own"),
    HOST_ONLY(KvmGic, version, "by the type"),
    STATE_END,
};

/* One register of the walk: 32 bits, or a CPU interface's 64. */
typedef struct Place {
    uint32_t group;
    uint64_t attr;
    uint64_t clear; /* attribute that takes ones first; 0: none */
    bool keep; /* not cleared by reset */
} Place;
typedef bool Visit(KvmGic *s, const Place *p, void *opaque);

static uint64_t cpu_part(const KvmGic *s, unsigned i)
{
    const Cpu *cpu = g_ptr_array_index(s->dev.vm->cpus, i);
    const uint64_t affinity = ARM(cpu)->mp_affinity;

    if (s->version == 2) {
        return (uint64_t)i << KVM_DEV_ARM_VGIC_CPUID_SHIFT;
    }
    return ((affinity >> 8 & 0xff000000) | (affinity & 0xffffff))
           << KVM_DEV_ARM_VGIC_V3_MPIDR_SHIFT;
}

/* Interrupts from..to of a row. */
static bool walk_row(KvmGic *s, const IrqRow *r, uint32_t group, uint64_t base, unsigned from,
                     unsigned to, Visit *visit, void *opaque)
{
    for (unsigned at = from * r->bits / 8; at < to * r->bits / 8; at += 4) {
        Place p = {.group = group,
                   .attr = base + r->offset + at,
                   .clear = r->clear ? base + r->clear + at : 0};
        if (!visit(s, &p, opaque)) {
            return false;
        }
    }
    return true;
}

/* A CPU's own interrupts. */
static bool walk_internal(KvmGic *s, unsigned cpu, Visit *visit, void *opaque)
{
    const bool v2 = s->version == 2;
    const uint32_t group = v2 ? KVM_DEV_ARM_VGIC_GRP_DIST_REGS : KVM_DEV_ARM_VGIC_GRP_REDIST_REGS;
    const uint64_t base = cpu_part(s, cpu) + (v2 ? 0 : 0x10000);

    for (unsigned i = 0; i < ARRAY_COUNT(irq_rows); i++) {
        const IrqRow *r = &irq_rows[i];
        if (!r->spi_only && !walk_row(s, r, group, base, 0, 32, visit, opaque)) {
            return false;
        }
    }
    return true;
}

static bool walk_interface(KvmGic *s, unsigned cpu, Visit *visit, void *opaque)
{
    const unsigned n = s->version == 2 ? ARRAY_COUNT(gicc_regs) : ARRAY_COUNT(icc_regs);

    for (unsigned i = 0; i < n; i++) {
        Place p = {.group = KVM_DEV_ARM_VGIC_GRP_CPU_REGS, .attr = cpu_part(s, cpu)};
        if (s->version == 2) {
            p.attr += gicc_regs[i];
        } else {
            p.group = KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS;
            p.attr += icc_regs[i].id;
            p.keep = icc_regs[i].keep;
        }
        if (!visit(s, &p, opaque)) {
            return false;
        }
    }
    return true;
}

static bool walk(KvmGic *s, Visit *visit, void *opaque)
{
    const Place ctlr = {.group = KVM_DEV_ARM_VGIC_GRP_DIST_REGS, .attr = 0};

    if (!visit(s, &ctlr, opaque)) {
        return false;
    }
    for (unsigned i = 0; i < ARRAY_COUNT(irq_rows); i++) {
        const IrqRow *r = &irq_rows[i];
        if ((!r->version || r->version == s->version) &&
            !walk_row(s, r, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0, 32, s->num_irq, visit, opaque)) {
            return false;
        }
    }
    for (unsigned cpu = 0; cpu < s->dev.vm->cpus->len; cpu++) {
        if (!walk_internal(s, cpu, visit, opaque) || !walk_interface(s, cpu, visit, opaque)) {
            return false;
        }
    }
    return true;
}

static bool is_wide(const Place *p)
{
    return p->group == KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS;
}

static bool save_one(KvmGic *s, const Place *p, void *opaque)
{
    uint64_t v = 0;
    uint32_t narrow = 0;

    if (!arm_kvm_get_attr(s->fd, p->group, p->attr, is_wide(p) ? (void *)&v : &narrow)) {
        return false;
    }
    v = is_wide(p) ? v : narrow;
    g_array_append_val((GArray *)opaque, v);
    return true;
}

static bool write_one(KvmGic *s, const Place *p, uint64_t v)
{
    const uint32_t narrow = (uint32_t)v, ones = UINT32_MAX;

    if (p->clear && !arm_kvm_set_attr(s->fd, p->group, p->clear, &ones)) {
        return false;
    }
    return arm_kvm_set_attr(s->fd, p->group, p->attr, is_wide(p) ? (const void *)&v : &narrow);
}

typedef struct Cursor {
    const GArray *image;
    unsigned at;
} Cursor;

static bool restore_one(KvmGic *s, const Place *p, void *opaque)
{
    Cursor *c = opaque;

    if (c->at == c->image->len) {
        errno = EINVAL;
        return false;
    }
    return write_one(s, p, g_array_index(c->image, uint64_t, c->at++));
}

static bool clear_one(KvmGic *s, const Place *p, void *opaque)
{
    return p->keep || write_one(s, p, 0);
}

GArray *kvm_gic_save(KvmGic *s)
{
    GArray *image = g_array_new(FALSE, FALSE, sizeof(uint64_t));

    if (!walk(s, save_one, image)) {
        g_array_free(image, TRUE);
        return NULL;
    }
    return image;
}

bool kvm_gic_restore(KvmGic *s, const GArray *image)
{
    Cursor c = {.image = image};

    return walk(s, restore_one, &c);
}

bool kvm_gic_clear(KvmGic *s)
{
    return walk(s, clear_one, NULL);
}
