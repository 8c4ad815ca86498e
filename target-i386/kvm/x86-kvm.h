// SPDX-License-Identifier: GPL-2.0-or-later
/* x86 guests under KVM: what the files of this folder share. */
#ifndef TARGET_I386_KVM_H
#define TARGET_I386_KVM_H

#include "accel/kvm.h"
#include "exec/x86-apic.h"
#include "target-i386/models.h"

/* KvmCpu.arch. */
typedef struct X86KvmCpu {
    struct kvm_vcpu_events events;    /* as last read, with the place where they were: what is under way */
    uint64_t events_rip;
    uint64_t apic_base, cr8;          /* with a local APIC in the kernel: as last read */
    uint32_t resets;                  /* X86Cpu.resets that the kernel knows of */
} X86KvmCpu;

/* kernel-irqchip; the machine's property has the same numbers. */
typedef enum X86Irqchip {
    X86_IRQCHIP_DEFAULT,
    X86_IRQCHIP_OFF,
    X86_IRQCHIP_ON,
    X86_IRQCHIP_SPLIT,
} X86Irqchip;

/* irqchip.c. Before there are vCPUs. */
bool x86_kvm_init_irqchip(Kvm *k, X86Irqchip kind, GError **error);
/* Local APIC and multiprocessing state as at power-up. False: errno. */
bool x86_kvm_reset_apic(X86Cpu *c, int fd);

static inline bool x86_kvm_has_apic(const X86Cpu *c)
{
    return c->apic && apic_in_kernel(c->apic);
}

/* state.c: registers to the kernel and back. False: errno. */
bool x86_kvm_put(Cpu *cpu);
bool x86_kvm_get(Cpu *cpu);
/* Which MSRs the kernel has; once. */
bool x86_kvm_init_msrs(Kvm *k, GError **error);

/* features.c: what the kernel offers, as features; and what a vCPU's CPUID says. */
bool x86_kvm_init_features(Kvm *k, GError **error);
bool x86_kvm_set_cpuid(Cpu *cpu, GError **error);

#endif
