// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The KVM accelerator: what is the same on every architecture (accel/kvm), and the KvmArch that a
 * target-X/kvm folder supplies for the hosts that run its guests (Documentation/virt/kvm/api.rst of
 * the kernel, "API" below). Where interrupt controllers are the emulator's own, KVM is told of an
 * interrupt when the vCPU can take it.
 *
 * The guest's registers are the kernel's while a vCPU runs. kvm_cpu_sync() brings them into the
 * target's CPU struct, from where they go back before the vCPU runs again.
 */
#ifndef ACCEL_KVM_H
#define ACCEL_KVM_H

#include <linux/kvm.h>
#include "accel/accel.h"

typedef struct Kvm Kvm;
typedef struct KvmArch KvmArch;

/*
 * How the kernel is reached; a test puts one of its own in this one's place before a VM is made.
 * All set errno.
 */
typedef struct KvmKernel {
    int (*open)(void);                             /* /dev/kvm; -1: none */
    int (*control)(int fd, unsigned long request, void *arg);
    void *(*map)(int fd, size_t size);             /* a vCPU's struct kvm_run; NULL: failed */
    void (*unmap)(void *p, size_t size);
    void (*close)(int fd);
} KvmKernel;
extern const KvmKernel *kvm_kernel;

/* Hooks marked * may be NULL. */
struct KvmArch {
    /* KVM_CREATE_VM's argument, by what /dev/kvm says. NULL: 0. */
    unsigned long (*vm_type)(int fd);
    /* Behind KVM_CREATE_VM. */
    bool (*init)(Kvm *k, GError **error);
    /* Behind KVM_CREATE_VCPU, before anything else of the vCPU. */
    bool (*cpu_init)(Cpu *cpu, GError **error);
    void (*cpu_fini)(Cpu *cpu);                    /* * */
    /* All of the guest's state to the kernel, and back. Own thread, or stopped. False: errno. */
    bool (*put)(Cpu *cpu);
    bool (*get)(Cpu *cpu);
    /*
     * Takes what is pending, injects an interrupt or asks to be told when one can be. Machine lock.
     * False: the vCPU is not to run now.
     */
    bool (*before)(Cpu *cpu);
    /* What struct kvm_run says beside the exit. Machine lock. */
    void (*after)(Cpu *cpu);
    /* The number of KVM_CREATE_VCPU; NULL: Cpu.index. */
    unsigned (*vcpu_id)(const Cpu *cpu);
    /* An exit of the architecture's own, of struct kvm_run. Machine lock. False: not known. */
    bool (*own_exit)(Cpu *cpu, const struct kvm_run *run);
    /* Fills struct kvm_guest_debug's arch part from the debugger's points. */
    void (*debug)(Cpu *cpu, struct kvm_guest_debug *d);
};

struct Kvm {
    Accel accel;
    const KvmArch *arch;
    int fd, vm_fd;
    GArray *parked;                                /* vCPUs without a CPU; kvm.c's; NULL: none */
    size_t run_size;                               /* of struct kvm_run's mapping, bytes */
};

/* Cpu.accel. */
typedef struct KvmCpu {
    int fd;
    struct kvm_run *run;
    bool synced;                                   /* the CPU struct has the guest's state */
    bool kickable;                                 /* its thread lets the kick's signal in */
    bool unfinished;                               /* the last exit's access is not in it yet */
    void *arch;                                    /* KvmArch's own */
} KvmCpu;

/* AccelType's hooks; a KVM accelerator is a type whose init calls kvm_init with its KvmArch. */
bool kvm_init(Accel *a, const KvmArch *arch, Vm *vm, GError **error);
void kvm_fini(Accel *a);
bool kvm_cpu_create(Cpu *cpu, GError **error);
void kvm_cpu_destroy(Cpu *cpu);
CpuExecResult kvm_cpu_exec(Cpu *cpu);
void kvm_cpu_kick(Cpu *cpu);
void kvm_cpu_sync(Cpu *cpu);
void kvm_debug_changed(Cpu *cpu);

static inline Kvm *kvm_of(const Cpu *cpu)
{
    return (Kvm *)cpu->dev.vm->accel;
}

static inline KvmCpu *kvm_cpu(const Cpu *cpu)
{
    return cpu->accel;
}

/* ioctl on a descriptor, again after EINTR; -1: errno. */
int kvm_ioctl(int fd, unsigned long request, void *arg);
/* KVM_CHECK_EXTENSION of the VM: 0 when it is not there. */
int kvm_has(const Kvm *k, unsigned capability);

#endif
