// SPDX-License-Identifier: GPL-2.0-or-later
/* ARM guests under KVM: what the files of this folder share. */
#ifndef TARGET_ARM_KVM_H
#define TARGET_ARM_KVM_H

#include "accel/kvm.h"
#include "target-arm/models.h"

/* A register of the kernel's and the field of ArmCpu that has the same. */
typedef struct ArmKvmReg {
    uint64_t id;
    uint32_t field;
} ArmKvmReg;

/* KvmCpu.arch. */
typedef struct ArmKvmCpu {
    struct kvm_vcpu_init init;
    GArray *regs; /* ArmKvmReg: system registers that are brought over */
    unsigned resets; /* ArmCpu.resets when the kernel's registers were last reset */
} ArmKvmCpu;

/* One register, as API 4.68 and 4.69. False: errno. */
bool arm_kvm_get_one(int fd, uint64_t id, void *value);
bool arm_kvm_set_one(int fd, uint64_t id, const void *value);

/* state.c: which registers there are; all to the kernel and back. False: errno. */
bool arm_kvm_list_regs(Cpu *cpu, GError **error);
bool arm_kvm_put(Cpu *cpu);
bool arm_kvm_get(Cpu *cpu);

/* features.c: the host's processor as model "host"; the target and features of a vCPU. */
bool arm_kvm_init_features(Kvm *k, GError **error);
bool arm_kvm_vcpu_init(Cpu *cpu, GError **error);

/* gic.c: a bit for each version of GIC that the kernel makes. */
unsigned arm_kvm_gic_versions(Accel *a);

/* Attributes of devices and vCPUs (API 4.80). */
bool arm_kvm_set_attr(int fd, uint32_t group, uint64_t attr, const void *value);
bool arm_kvm_get_attr(int fd, uint32_t group, uint64_t attr, void *value);
bool arm_kvm_has_attr(int fd, uint32_t group, uint64_t attr);

#endif
