// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's GIC as a device, for the files of this folder and for tests. */
#ifndef TARGET_ARM_KVM_GIC_H
#define TARGET_ARM_KVM_GIC_H

#include "qom/device.h"

typedef struct KvmGic {
    Device dev;
    int fd; /* of KVM_CREATE_DEVICE; -1: made the old way, no attributes */
    unsigned version;
    uint32_t num_irq, redist_count;
    uint64_t dist_base, cpu_base, redist_base, redist_base_high;
} KvmGic;

extern const StateField kvm_gic_fields[];

/*
 * All registers that software sees, in an order in which they can be written (arm-vgic-v3.rst,
 * "init" and "restore"): an array that kvm_gic_restore takes. The vCPUs are stopped. Kept by the
 * caller; NULL or false: errno.
 */
GArray *kvm_gic_save(KvmGic *s);
bool kvm_gic_restore(KvmGic *s, const GArray *image);
/* What reset leaves in them. */
bool kvm_gic_clear(KvmGic *s);

#endif
