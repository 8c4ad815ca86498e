// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's interrupt controllers as devices "kvm-arm-gic" (GICv2) and "kvm-arm-gicv3": made by
 * KVM_CREATE_DEVICE when the vCPUs are there, set up by attributes, and fed by KVM_IRQ_LINE
 * (Documentation/virt/kvm/devices/arm-vgic.rst, arm-vgic-v3.rst, vcpu.rst). Boards give the
 * addresses as properties. Kernels without KVM_CREATE_DEVICE for GICv2 have KVM_CREATE_IRQCHIP and
 * KVM_ARM_SET_DEVICE_ADDR.
 */
#include "gic.h"

#include <errno.h>
#include <string.h>
#include "arm-kvm.h"
#include "util/error.h"

enum {
    INTERNAL = 32,
    MAX_IRQS = 1020,
    PMU_PPI = 23,
    REDIST_COUNT_SHIFT = 52
};

bool arm_kvm_set_attr(int fd, uint32_t group, uint64_t attr, const void *value)
{
    struct kvm_device_attr a = {.group = group, .attr = attr, .addr = (uintptr_t)value};

    return kvm_ioctl(fd, KVM_SET_DEVICE_ATTR, &a) >= 0;
}

bool arm_kvm_get_attr(int fd, uint32_t group, uint64_t attr, void *value)
{
    struct kvm_device_attr a = {.group = group, .attr = attr, .addr = (uintptr_t)value};

    return kvm_ioctl(fd, KVM_GET_DEVICE_ATTR, &a) >= 0;
}

bool arm_kvm_has_attr(int fd, uint32_t group, uint64_t attr)
{
    struct kvm_device_attr a = {.group = group, .attr = attr};

    return kvm_ioctl(fd, KVM_HAS_DEVICE_ATTR, &a) >= 0;
}

static bool can_create(const Kvm *k, uint32_t type)
{
    struct kvm_create_device d = {
        .type = type, .fd = (uint32_t)-1, .flags = KVM_CREATE_DEVICE_TEST};

    return kvm_ioctl(k->vm_fd, KVM_CREATE_DEVICE, &d) >= 0;
}

unsigned arm_kvm_gic_versions(Accel *a)
{
    const Kvm *k = (const Kvm *)a;
    const bool v2 = can_create(k, KVM_DEV_TYPE_ARM_VGIC_V2) || kvm_has(k, KVM_CAP_IRQCHIP);

    const bool its = can_create(k, KVM_DEV_TYPE_ARM_VGIC_ITS) && kvm_has(k, KVM_CAP_MSI_DEVID);

    return (v2 ? 1u << 2 : 0) | (can_create(k, KVM_DEV_TYPE_ARM_VGIC_V3) ? 1u << 3 : 0) |
           (its ? ACCEL_GIC_ITS : 0);
}

/* ---- lines ---- */

static void irq_line(Device *d, uint32_t type, unsigned cpu, unsigned n, int level)
{
    const Kvm *k = (const Kvm *)d->vm->accel;
    struct kvm_irq_level line = {.irq = type << KVM_ARM_IRQ_TYPE_SHIFT |
                                        (cpu >> 8 & KVM_ARM_IRQ_VCPU2_MASK)
                                            << KVM_ARM_IRQ_VCPU2_SHIFT |
                                        (cpu & KVM_ARM_IRQ_VCPU_MASK) << KVM_ARM_IRQ_VCPU_SHIFT | n,
                                 .level = level != 0};

    if (kvm_ioctl(k->vm_fd, KVM_IRQ_LINE, &line) < 0) {
        warn_report("KVM: interrupt %u cannot be set: %s", n, strerror(errno));
    }
}

static void spi(Device *d, unsigned pin, int level)
{
    irq_line(d, KVM_ARM_IRQ_TYPE_SPI, 0, INTERNAL + pin, level);
}

static void ppi(Device *d, unsigned pin, int level)
{
    irq_line(d, KVM_ARM_IRQ_TYPE_PPI, pin / INTERNAL, pin % INTERNAL, level);
}

/* ---- making one ---- */

static bool create(KvmGic *s, uint32_t type, GError **error)
{
    const Kvm *k = (const Kvm *)s->dev.vm->accel;
    struct kvm_create_device d = {.type = type};

    if (kvm_ioctl(k->vm_fd, KVM_CREATE_DEVICE, &d) < 0) {
        return fail_errno(error, errno, "KVM_CREATE_DEVICE of a GICv%u", s->version);
    }
    s->fd = (int)d.fd;
    return true;
}

static bool set(KvmGic *s, uint32_t group, uint64_t attr, const void *value, const char *what,
                GError **error)
{
    if (!arm_kvm_set_attr(s->fd, group, attr, value)) {
        return fail_errno(error, errno, "KVM: GICv%u: %s", s->version, what);
    }
    return true;
}

/* All vCPUs: their PMUs interrupt by PPI 23; behind the GIC's own init. */
static bool init_pmus(KvmGic *s, GError **error)
{
    const GPtrArray *cpus = s->dev.vm->cpus;
    const int irq = PMU_PPI;

    for (unsigned i = 0; i < cpus->len; i++) {
        Cpu *cpu = g_ptr_array_index(cpus, i);
        const int fd = kvm_cpu(cpu)->fd;

        if (!ARM(cpu)->has_pmu) {
            continue;
        }
        if (!arm_kvm_set_attr(fd, KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_IRQ, &irq) ||
            !arm_kvm_set_attr(fd, KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_INIT, NULL)) {
            return fail_errno(error, errno, "KVM: the PMU of vCPU %u", i);
        }
    }
    return true;
}

/* The old way: addresses by KVM_ARM_SET_DEVICE_ADDR, and no other attributes. */
static bool old_gicv2(KvmGic *s, GError **error)
{
    const Kvm *k = (const Kvm *)s->dev.vm->accel;
    struct kvm_arm_device_addr addr[2] = {
        {KVM_ARM_DEVICE_VGIC_V2 << KVM_ARM_DEVICE_ID_SHIFT | KVM_VGIC_V2_ADDR_TYPE_DIST,
         s->dist_base},
        {KVM_ARM_DEVICE_VGIC_V2 << KVM_ARM_DEVICE_ID_SHIFT | KVM_VGIC_V2_ADDR_TYPE_CPU,
         s->cpu_base},
    };

    if (kvm_ioctl(k->vm_fd, KVM_CREATE_IRQCHIP, NULL) < 0) {
        return fail_errno(error, errno, "KVM_CREATE_IRQCHIP");
    }
    for (unsigned i = 0; i < ARRAY_COUNT(addr); i++) {
        if (kvm_ioctl(k->vm_fd, KVM_ARM_SET_DEVICE_ADDR, &addr[i]) < 0) {
            return fail_errno(error, errno, "KVM_ARM_SET_DEVICE_ADDR");
        }
    }
    return true;
}

static bool set_redistributors(KvmGic *s, GError **error)
{
    const unsigned n = s->dev.vm->cpus->len;
    const unsigned low = MIN(n, s->redist_count ? s->redist_count : n);
    uint64_t region;

    if (!arm_kvm_has_attr(s->fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION)) {
        return low < n
                   ? fail(error, "KVM: the host has one range of redistributors: at most %u vCPUs",
                          low)
                   : set(s, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST,
                         &s->redist_base, "redistributors' address", error);
    }
    region = (uint64_t)low << REDIST_COUNT_SHIFT | s->redist_base;
    if (!set(s, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION, &region,
             "redistributors' region", error)) {
        return false;
    }
    region = (uint64_t)(n - low) << REDIST_COUNT_SHIFT | s->redist_base_high | 1;
    return low == n || set(s, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION,
                           &region, "second redistributors' region", error);
}

static bool set_up(KvmGic *s, GError **error)
{
    const bool v2 = s->version == 2;

    return create(s, v2 ? KVM_DEV_TYPE_ARM_VGIC_V2 : KVM_DEV_TYPE_ARM_VGIC_V3, error) &&
           set(s, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &s->num_irq, "number of interrupts", error) &&
           set(s, KVM_DEV_ARM_VGIC_GRP_ADDR,
               v2 ? KVM_VGIC_V2_ADDR_TYPE_DIST : KVM_VGIC_V3_ADDR_TYPE_DIST, &s->dist_base,
               "distributor's address", error) &&
           (v2 ? set(s, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_CPU, &s->cpu_base,
                     "CPU interface's address", error)
               : set_redistributors(s, error)) &&
           set(s, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL, "init", error);
}

static bool realize(KvmGic *s, unsigned version, GError **error)
{
    Accel *accel = s->dev.vm->accel;

    s->fd = -1;
    s->version = version;
    if (!accel->type->gic_versions) {
        return fail(error, "%s: needs -accel kvm", s->dev.obj.type->name);
    }
    if (s->num_irq > MAX_IRQS || s->num_irq < 64 || s->num_irq % 32) {
        return fail(error, "%s: num-irq=%u is not a multiple of 32 from 64 to 1020",
                    s->dev.obj.type->name, s->num_irq);
    }
    if (version == 2 && !can_create((const Kvm *)accel, KVM_DEV_TYPE_ARM_VGIC_V2)) {
        return old_gicv2(s, error) && init_pmus(s, error);
    }
    if (!set_up(s, error) || !init_pmus(s, error)) {
        if (s->fd >= 0) {
            kvm_kernel->close(s->fd);
            s->fd = -1;
        }
        return false;
    }
    return true;
}

static bool gicv2_realize(Device *d, GError **error)
{
    return realize((KvmGic *)d, 2, error);
}

static bool gicv3_realize(Device *d, GError **error)
{
    return realize((KvmGic *)d, 3, error);
}

static void gic_unrealize(Device *d)
{
    KvmGic *s = (KvmGic *)d;

    if (s->fd >= 0) {
        kvm_kernel->close(s->fd);
        s->fd = -1;
    }
}

static void gic_reset(Device *d)
{
    KvmGic *s = (KvmGic *)d;

    if (s->fd >= 0 && !kvm_gic_clear(s)) {
        warn_report("KVM: GICv%u: registers cannot be reset: %s", s->version, strerror(errno));
    }
}

static const Prop gic_props[] = {
    PROP_U32(KvmGic, num_irq, "num-irq", 288, .help = "interrupts, the 32 of each CPU included"),
    PROP_U64(KvmGic, dist_base, "dist-base", 0),
    PROP_U64(KvmGic, cpu_base, "cpu-base", 0, .help = "GICv2"),
    PROP_U64(KvmGic, redist_base, "redist-base", 0, .help = "GICv3"),
    PROP_U64(KvmGic, redist_base_high, "redist-base-high", 0,
             .help = "of those behind redist-count"),
    PROP_U32(KvmGic, redist_count, "redist-count", 0, .help = "at redist-base; 0: all"),
    PROP_END,
};

static const PinRow gic_pins[] = {
    PIN_IN("spi", MAX_IRQS - INTERNAL, spi),
    PIN_IN("ppi", 512 * INTERNAL, ppi),
    PIN_END,
};

static const DeviceType gicv2_type = {
    .name = "kvm-arm-gic",
    .category = "misc",
    .desc = "the kernel's GICv2",
    .internal = true,
    .size = sizeof(KvmGic),
    .state_version = 1,
    .props = gic_props,
    .pins = gic_pins,
    .state = kvm_gic_fields,
    .realize = gicv2_realize,
    .unrealize = gic_unrealize,
    .reset = gic_reset,
};
DEVICE_TYPE(gicv2_type);

static const DeviceType gicv3_type = {
    .name = "kvm-arm-gicv3",
    .category = "misc",
    .desc = "the kernel's GICv3",
    .internal = true,
    .size = sizeof(KvmGic),
    .state_version = 1,
    .props = gic_props,
    .pins = gic_pins,
    .state = kvm_gic_fields,
    .realize = gicv3_realize,
    .unrealize = gic_unrealize,
    .reset = gic_reset,
};
DEVICE_TYPE(gicv3_type);
