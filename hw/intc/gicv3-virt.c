// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtual CPU interfaces of the GICv3 (ARM IHI 0069H, chapter 6): the hypervisor's ICH registers
 * with four list registers, and the ICC registers as its guest sees them.
 */
#include "gicv3.h"

#define LR_ACTIVE (1ull << 63)
#define LR_PENDING (1ull << 62)
#define LR_HW (1ull << 61)
#define LR_GROUP1 (1ull << 60)
#define LR_EOI (1ull << 41)
#define LR_STATE (LR_ACTIVE | LR_PENDING)

enum {
    HCR_EN = 1,
    HCR_UIE = 2,
    HCR_LRENPIE = 4,
    HCR_NPIE = 8,
    HCR_G0EIE = 0x10,
    HCR_G0DIE = 0x20,
    HCR_G1EIE = 0x40,
    HCR_G1DIE = 0x80 };
enum { VMCR_G0 = 1, VMCR_G1 = 2, VMCR_FIQEN = 8, VMCR_CBPR = 0x10, VMCR_EOIM = 0x200 };
enum {
    ICH_AP0,
    ICH_AP1,
    ICH_HCR,
    ICH_VTR,
    ICH_MISR,
    ICH_EISR,
    ICH_ELRSR,
    ICH_VMCR,
    ICH_LR = 0x10,
    ICH_LRC = 0x20
};

/* 4 list registers, no direct injection, affinity 3, TDIR, 24-bit numbers, 5 bits of priority. */
#define VTR_VALUE \
    ((GICV3_LRS - 1) | 1u << 19 | 1u << 20 | 1u << 21 | 1u << 23 | 4u << 26 | 4u << 29)
#define HCR_WRITABLE 0xf8007cffu
#define VMCR_WRITABLE 0xfffc021fu

static unsigned lr_prio(uint64_t lr)
{
    return lr >> 48 & 0xf8;
}

static uint32_t lr_vid(uint64_t lr)
{
    return lr & 0xffffff;
}

/* ---- what the hypervisor is told ---- */

static uint32_t eisr(const Gicv3Redist *r)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < GICV3_LRS; i++) {
        v |= (r->ich_lr[i] & (LR_STATE | LR_HW | LR_EOI)) == LR_EOI ? 1u << i : 0;
    }
    return v;
}

static uint32_t elrsr(const Gicv3Redist *r)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < GICV3_LRS; i++) {
        uint64_t lr = r->ich_lr[i];

        v |= !(lr & LR_STATE) && ((lr & LR_HW) || !(lr & LR_EOI)) ? 1u << i : 0;
    }
    return v;
}

static uint32_t misr(const Gicv3Redist *r)
{
    uint32_t hcr = r->ich_hcr, v = 0;
    unsigned valid = 0, pending = 0;

    for (unsigned i = 0; i < GICV3_LRS; i++) {
        valid += (r->ich_lr[i] & LR_STATE) != 0;
        pending += (r->ich_lr[i] & LR_STATE) == LR_PENDING;
    }
    v |= eisr(r) ? 1 : 0;
    v |= (hcr & HCR_UIE) && valid < 2 ? 2 : 0;
    v |= (hcr & HCR_LRENPIE) && hcr >> 27 ? 4 : 0;
    v |= (hcr & HCR_NPIE) && !pending ? 8 : 0;
    v |= (hcr & HCR_G0EIE) && (r->ich_vmcr & VMCR_G0) ? 0x10 : 0;
    v |= (hcr & HCR_G0DIE) && !(r->ich_vmcr & VMCR_G0) ? 0x20 : 0;
    v |= (hcr & HCR_G1EIE) && (r->ich_vmcr & VMCR_G1) ? 0x40 : 0;
    v |= (hcr & HCR_G1DIE) && !(r->ich_vmcr & VMCR_G1) ? 0x80 : 0;
    return v;
}

/* ---- the guest's interface ---- */

static int best_lr(const Gicv3Redist *r)
{
    int best = -1;

    for (unsigned i = 0; i < GICV3_LRS; i++) {
        uint64_t lr = r->ich_lr[i];

        if ((lr & LR_STATE) == LR_PENDING && (r->ich_vmcr & (lr & LR_GROUP1 ? VMCR_G1 : VMCR_G0)) &&
            (best < 0 || lr_prio(lr) < lr_prio(r->ich_lr[best]))) {
            best = i;
        }
    }
    return best;
}

static unsigned v_bpr(const Gicv3Redist *r, bool grp1)
{
    return r->ich_vmcr >> (grp1 ? 18 : 21) & 7;
}

static uint8_t v_mask(const Gicv3Redist *r, bool grp1)
{
    if (grp1 && !(r->ich_vmcr & VMCR_CBPR)) {
        return 0xffu << MAX(v_bpr(r, true), 3);
    }
    return 0xffu << (MAX(v_bpr(r, false), 2) + 1);
}

static unsigned v_running(const Gicv3Redist *r)
{
    uint32_t both = r->ich_apr[0] | r->ich_apr[1];

    return both ? (unsigned)__builtin_ctz(both) << 3 : GICV3_IDLE;
}

static bool v_can_preempt(const Gicv3Redist *r, int i)
{
    if (i < 0) {
        return false;
    }
    unsigned prio = lr_prio(r->ich_lr[i]);

    return prio < r->ich_vmcr >> 24 && (prio & v_mask(r, r->ich_lr[i] & LR_GROUP1)) < v_running(r);
}

void gicv3_drive_virtual(Gicv3Redist *r)
{
    int i = r->ich_hcr & HCR_EN ? best_lr(r) : -1;
    bool signal = v_can_preempt(r, i);
    bool fiq = signal && !(r->ich_lr[i] & LR_GROUP1);

    irq_set(&r->vfiq, fiq);
    irq_set(&r->virq, signal && !fiq);
    irq_set(&r->maintenance, (r->ich_hcr & HCR_EN) && misr(r) != 0);
}

static uint32_t v_acknowledge(Gicv3Redist *r, bool grp1, bool take)
{
    int i = best_lr(r);

    if (i < 0 || !(r->ich_lr[i] & LR_GROUP1) == grp1 || (take && !v_can_preempt(r, i))) {
        return GICV3_SPURIOUS;
    }
    uint32_t id = lr_vid(r->ich_lr[i]);

    if (take) {
        bool lpi = id >= GICV3_LPI_FIRST;

        r->ich_apr[grp1] |= 1u << ((lr_prio(r->ich_lr[i]) & v_mask(r, grp1)) >> 3);
        r->ich_lr[i] = (r->ich_lr[i] & ~LR_STATE) | (lpi ? 0 : LR_ACTIVE);
    }
    return id;
}

static int find_active(const Gicv3Redist *r, uint32_t id)
{
    for (unsigned i = 0; i < GICV3_LRS; i++) {
        if ((r->ich_lr[i] & LR_ACTIVE) && lr_vid(r->ich_lr[i]) == id) {
            return i;
        }
    }
    return -1;
}

static void v_deactivate(Gicv3Redist *r, int i)
{
    uint64_t lr = r->ich_lr[i];

    r->ich_lr[i] &= ~LR_ACTIVE;
    if (lr & LR_HW) {
        uint32_t physical = lr >> 32 & 0x1fff;

        if (physical < 1020) {
            gicv3_deactivate(r, physical);
        }
    }
}

static void count_eoi(Gicv3Redist *r)
{
    if (r->ich_hcr >> 27 < 31) {
        r->ich_hcr += 1u << 27;
    }
}

static void v_end(Gicv3Redist *r, bool grp1, uint32_t id)
{
    int i = find_active(r, id);

    if (id >= 1020 && id < GICV3_LPI_FIRST) {
        return;
    }
    uint32_t *apr = &r->ich_apr[grp1];

    if (*apr == 0 || (unsigned)__builtin_ctz(*apr) << 3 != v_running(r)) {
        return;
    }
    *apr &= *apr - 1;
    if (i < 0) {
        /* 8.4.5: not in a list register: counted. */
        if (!(r->ich_vmcr & VMCR_EOIM) && id < GICV3_LPI_FIRST) {
            count_eoi(r);
        }
    } else if (!(r->ich_vmcr & VMCR_EOIM)) {
        v_deactivate(r, i);
    }
}

static void v_dir(Gicv3Redist *r, uint32_t id)
{
    int i = find_active(r, id);

    if (!(r->ich_vmcr & VMCR_EOIM) || id >= GICV3_LPI_FIRST) {
        return;
    }
    if (i >= 0) {
        v_deactivate(r, i);
    } else {
        count_eoi(r);
    }
}

static uint64_t v_read_bpr(const Gicv3Redist *r, bool grp1)
{
    if (grp1 && (r->ich_vmcr & VMCR_CBPR)) {
        return MIN(v_bpr(r, false) + 1, 7);
    }
    return v_bpr(r, grp1);
}

static uint64_t v_read_rpr(const Gicv3Redist *r)
{
    unsigned p = v_running(r);

    return p == GICV3_IDLE ? 0xff : p;
}

uint64_t gicv3_virt_read(Gicv3Redist *r, unsigned reg)
{
    bool grp1 = reg & ICC_GROUP1;
    uint64_t v = 0;

    switch (reg & ~(unsigned)ICC_GROUP1) {
    case ICC_IAR:
        v = v_acknowledge(r, grp1, true);
        gicv3_drive_virtual(r);
        return v;
    case ICC_HPPIR:
        return v_acknowledge(r, grp1, false);
    case ICC_BPR:
        return v_read_bpr(r, grp1);
    case ICC_AP:
        return r->ich_apr[grp1];
    case ICC_IGRPEN:
        return (r->ich_vmcr & (grp1 ? VMCR_G1 : VMCR_G0)) != 0;
    case ICC_PMR:
        return r->ich_vmcr >> 24;
    case ICC_RPR:
        return v_read_rpr(r);
    case ICC_CTLR:
        return (r->ich_vmcr & VMCR_CBPR ? 1 : 0) | (r->ich_vmcr & VMCR_EOIM ? 2 : 0) | 4u << 8 |
               1u << 11 | 1u << 15;
    default:
        return 0;
    }
}

static void set_field(uint32_t *v, unsigned shift, uint32_t mask, uint32_t value)
{
    *v = (*v & ~(mask << shift)) | (value & mask) << shift;
}

void gicv3_virt_write(Gicv3Redist *r, unsigned reg, uint64_t value)
{
    bool grp1 = reg & ICC_GROUP1;

    switch (reg & ~(unsigned)ICC_GROUP1) {
    case ICC_EOIR:
        v_end(r, grp1, value & 0xffffff);
        break;
    case ICC_BPR:
        if (!grp1 || !(r->ich_vmcr & VMCR_CBPR)) {
            set_field(&r->ich_vmcr, grp1 ? 18 : 21, 7, MAX(value & 7, grp1 ? 3 : 2));
        }
        break;
    case ICC_AP:
        r->ich_apr[grp1] = value;
        break;
    case ICC_IGRPEN:
        set_field(&r->ich_vmcr, grp1 ? 1 : 0, 1, value);
        break;
    case ICC_PMR:
        set_field(&r->ich_vmcr, 24, 0xff, value & 0xf8);
        break;
    case ICC_DIR:
        v_dir(r, value & 0xffffff);
        break;
    case ICC_CTLR:
        set_field(&r->ich_vmcr, 4, 1, value);
        set_field(&r->ich_vmcr, 9, 1, value >> 1);
        break;
    }
    gicv3_drive_virtual(r);
}

/* ---- the hypervisor's registers ---- */

static ArmSysregResult ich_read(Cpu *cpu, void *opaque, const ArmSysregRow *row, uint64_t *value)
{
    Gicv3Redist *r = opaque;
    unsigned reg = row->aux;

    if (reg >= ICH_LRC) {
        *value = r->ich_lr[reg - ICH_LRC] >> 32;
    } else if (reg >= ICH_LR) {
        *value = r->ich_lr[reg - ICH_LR];
    } else {
        const uint64_t values[] = { r->ich_apr[0], r->ich_apr[1], r->ich_hcr, VTR_VALUE,
                                    misr(r), eisr(r), elrsr(r), r->ich_vmcr };

        *value = values[reg];
    }
    return ARM_SYSREG_OK;
}

static ArmSysregResult ich_write(Cpu *cpu, void *opaque, const ArmSysregRow *row, uint64_t value)
{
    Gicv3Redist *r = opaque;
    unsigned reg = row->aux;
    ArmCpuView v;

    arm_cpu_view(cpu, &v);
    if (reg >= ICH_LRC) {
        r->ich_lr[reg - ICH_LRC] = (uint32_t)r->ich_lr[reg - ICH_LRC] | value << 32;
    } else if (reg >= ICH_LR) {
        uint64_t *lr = &r->ich_lr[reg - ICH_LR];

        *lr = v.aarch64 ? value : (*lr & ~0xffffffffull) | (uint32_t)value;
    } else if (reg == ICH_AP0 || reg == ICH_AP1) {
        r->ich_apr[reg - ICH_AP0] = value;
    } else if (reg == ICH_HCR) {
        r->ich_hcr = value & HCR_WRITABLE;
    } else if (reg == ICH_VMCR) {
        r->ich_vmcr = (value & VMCR_WRITABLE) | VMCR_FIQEN;
    }
    gicv3_drive_virtual(r);
    return ARM_SYSREG_OK;
}

/* clang-format off */
#define ROW(n, crm, op2, w, a) { .name = n, .id = ARM_SYSREG(3, 4, 12, crm, op2), \
    .cp15 = ARM_CP15(0, 4, 12, crm, op2), .min_el = 2, .read = ich_read, .write = w, .aux = a }
#define ROW_LRC(n, op2, a) { .name = n, .id = 0, .cp15 = ARM_CP15(0, 4, 12, 14, op2), .min_el = 2, \
    .read = ich_read, .write = ich_write, .aux = a }

const ArmSysregRow gicv3_hyp_sysregs[] = {
    ROW("ICH_AP0R0_EL2", 8, 0, ich_write, ICH_AP0),
    ROW("ICH_AP1R0_EL2", 9, 0, ich_write, ICH_AP1),
    ROW("ICH_HCR_EL2", 11, 0, ich_write, ICH_HCR),
    ROW("ICH_VTR_EL2", 11, 1, NULL, ICH_VTR),
    ROW("ICH_MISR_EL2", 11, 2, NULL, ICH_MISR),
    ROW("ICH_EISR_EL2", 11, 3, NULL, ICH_EISR),
    ROW("ICH_ELRSR_EL2", 11, 5, NULL, ICH_ELRSR),
    ROW("ICH_VMCR_EL2", 11, 7, ich_write, ICH_VMCR),
    ROW("ICH_LR0_EL2", 12, 0, ich_write, ICH_LR + 0),
    ROW("ICH_LR1_EL2", 12, 1, ich_write, ICH_LR + 1),
    ROW("ICH_LR2_EL2", 12, 2, ich_write, ICH_LR + 2),
    ROW("ICH_LR3_EL2", 12, 3, ich_write, ICH_LR + 3),
    ROW_LRC("ICH_LRC0", 0, ICH_LRC + 0),
    ROW_LRC("ICH_LRC1", 1, ICH_LRC + 1),
    ROW_LRC("ICH_LRC2", 2, ICH_LRC + 2),
    ROW_LRC("ICH_LRC3", 3, ICH_LRC + 3),
    { 0 },
};
/* clang-format on */
