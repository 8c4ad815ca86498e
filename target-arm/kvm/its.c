// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's interrupt translation service as device "kvm-arm-its", beside "kvm-arm-gicv3"
 * (Documentation/virt/kvm/devices/arm-vgic-its.rst). What the guest's CPUs write to it the kernel
 * sees itself; messages of devices that are emulated here come to the frame of GITS_TRANSLATER and
 * go on by KVM_SIGNAL_MSI with their requester number. Its tables are not saved.
 */
#include <errno.h>
#include <string.h>

#include "arm-kvm.h"
#include "exec/bank.h"
#include "exec/memory.h"
#include "util/error.h"

#define TRANSLATER 0x40
#define FRAME 0x10000

typedef struct KvmIts {
    Device dev;
    int fd;
    uint64_t base;
} KvmIts;

static MemResult message(Region *region, hwaddr offset, uint64_t *value, unsigned size, bool write,
                         MemAttrs attrs)
{
    KvmIts *s = (KvmIts *)region->owner;
    const uint64_t at = s->base + FRAME + TRANSLATER;
    struct kvm_msi msi = {.address_lo = (uint32_t)at,
                          .address_hi = (uint32_t)(at >> 32),
                          .flags = KVM_MSI_VALID_DEVID,
                          .devid = attrs.requester_id};

    if (!write) {
        *value = 0;
    } else if (offset == TRANSLATER && (size == 4 || size == 2)) {
        msi.data = (uint32_t)*value;
        /* 0: the guest has not mapped or has masked it */
        if (kvm_ioctl(((const Kvm *)s->dev.vm->accel)->vm_fd, KVM_SIGNAL_MSI, &msi) < 0) {
            guest_error("kvm-arm-its: message %u of requester %#x: %s\n", msi.data, msi.devid,
                        strerror(errno));
        }
    }
    return MEM_OK;
}

static uint64_t no_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void no_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static bool its_realize(Device *d, GError **error)
{
    KvmIts *s = (KvmIts *)d;
    struct kvm_create_device make = {.type = KVM_DEV_TYPE_ARM_VGIC_ITS};

    if (!d->vm->accel->type->gic_versions) {
        return fail(error, "kvm-arm-its: needs -accel kvm");
    }
    if (kvm_ioctl(((const Kvm *)d->vm->accel)->vm_fd, KVM_CREATE_DEVICE, &make) < 0) {
        return fail_errno(error, errno, "KVM_CREATE_DEVICE of an ITS");
    }
    s->fd = (int)make.fd;
    if (!arm_kvm_set_attr(s->fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_ITS_ADDR_TYPE, &s->base) ||
        !arm_kvm_set_attr(s->fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL)) {
        const int reason = errno;

        kvm_kernel->close(s->fd);
        s->fd = -1;
        return fail_errno(error, reason, "KVM: the ITS's address");
    }
    device_region(d, "translation")->access = message;
    return true;
}

static void its_unrealize(Device *d)
{
    KvmIts *s = (KvmIts *)d;

    kvm_kernel->close(s->fd);
    s->fd = -1;
}

/* Kernels before 4.15 have no reset: what they keep is what the guest has set. */
static void its_reset(Device *d)
{
    const KvmIts *s = (const KvmIts *)d;

    if (arm_kvm_has_attr(s->fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_ITS_CTRL_RESET) &&
        !arm_kvm_set_attr(s->fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_ITS_CTRL_RESET, NULL)) {
        warn_report("KVM: the ITS cannot be reset: %s", strerror(errno));
    }
}

static const RegionOps translation_ops = {
    .read = no_read, .write = no_write, .min_size = 1, .max_size = 8};

static const RegBank its_banks[] = {
    {.name = "translation", .size = FRAME, .ops = &translation_ops, .help = "messages"},
    {0},
};

static const Prop its_props[] = {
    PROP_U64(KvmIts, base, "base", 0, .help = "of the control frame"),
    PROP_END,
};

static const StateField its_state[] = {
    HOST_ONLY(KvmIts, fd, "the kernel's device, whose tables are in the guest's memory"),
    STATE_END,
};

static const DeviceType its_type = {
    .name = "kvm-arm-its",
    .category = "misc",
    .desc = "the kernel's GICv3 interrupt translation service",
    .internal = true,
    .size = sizeof(KvmIts),
    .state_version = 1,
    .props = its_props,
    .banks = its_banks,
    .state = its_state,
    .realize = its_realize,
    .unrealize = its_unrealize,
    .reset = its_reset,
};
DEVICE_TYPE(its_type);
