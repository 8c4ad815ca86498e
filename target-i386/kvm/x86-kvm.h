// SPDX-License-Identifier: GPL-2.0-or-later
/* x86 guests under KVM: what the files of this folder share. */
#ifndef TARGET_I386_KVM_H
#define TARGET_I386_KVM_H

#include "accel/kvm.h"
#include "target-i386/models.h"

/* KvmCpu.arch. */
typedef struct X86KvmCpu {
    struct kvm_vcpu_events events;    /* as last read, with the place where they were: what is under way */
    uint64_t events_rip;
} X86KvmCpu;

/* state.c: registers to the kernel and back. False: errno. */
bool x86_kvm_put(Cpu *cpu);
bool x86_kvm_get(Cpu *cpu);
/* Which MSRs the kernel has; once. */
bool x86_kvm_init_msrs(Kvm *k, GError **error);

/* features.c: what the kernel offers, as features; and what a vCPU's CPUID says. */
bool x86_kvm_init_features(Kvm *k, GError **error);
bool x86_kvm_set_cpuid(Cpu *cpu, GError **error);

#endif
