// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -accel kvm for ARM: the type, a vCPU's beginning, the debugger's points. Interrupt controller,
 * timers and PSCI are the kernel's (Documentation/virt/kvm/api.rst and kvm/devices), so nothing is
 * injected here and a vCPU that waits does so in KVM_RUN.
 */
#include "arm-kvm.h"

#include <errno.h>
#include "util/error.h"

/* Physical addresses that `virt` needs: its last window ends at 1 TiB. */
#define IPA_BITS 40

static unsigned long arm_vm_type(int fd)
{
    int bits = kvm_ioctl(fd, KVM_CHECK_EXTENSION, (void *)(uintptr_t)KVM_CAP_ARM_VM_IPA_SIZE);

    /* 0 is 40 bits on every kernel; a host with fewer must be told so. */
    return bits > 0 && bits < IPA_BITS ? KVM_VM_TYPE_ARM_IPA_SIZE((unsigned long)bits) : 0;
}

static bool arm_kvm_init(Kvm *k, GError **error)
{
    static const struct {
        unsigned capability;
        const char *name;
    } needed[] = {
        {KVM_CAP_ONE_REG, "KVM_CAP_ONE_REG"},
        {KVM_CAP_ARM_PSCI_0_2, "KVM_CAP_ARM_PSCI_0_2"},
        {KVM_CAP_DEVICE_CTRL, "KVM_CAP_DEVICE_CTRL"},
        {KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE"},
    };

    for (unsigned i = 0; i < ARRAY_COUNT(needed); i++) {
        if (!kvm_has(k, needed[i].capability)) {
            return fail(error, "kvm does not support %s", needed[i].name);
        }
    }
    return arm_kvm_init_features(k, error);
}

static bool arm_kvm_cpu_init(Cpu *cpu, GError **error)
{
    ArmKvmCpu *a = g_new0(ArmKvmCpu, 1);

    kvm_cpu(cpu)->arch = a;
    a->regs = g_array_new(FALSE, FALSE, sizeof(ArmKvmReg));
    return arm_kvm_vcpu_init(cpu, error) && arm_kvm_list_regs(cpu, error);
}

static void arm_kvm_cpu_fini(Cpu *cpu)
{
    ArmKvmCpu *a = kvm_cpu(cpu)->arch;

    if (a) {
        g_array_free(a->regs, TRUE);
        g_clear_pointer(&kvm_cpu(cpu)->arch, g_free);
    }
}

/* Halted or off: KVM_RUN waits. */
static bool arm_kvm_before(Cpu *cpu)
{
    cpu->halted = false;
    return true;
}

static void arm_kvm_after(Cpu *cpu)
{
}

/* ---- the debugger: D2.8 and D2.9; DBGBCR E, PMC (EL0 and EL1), BAS; DBGWCR PAC, LSC ---- */

enum {
    BCR_ON = 1 | 3 << 1 | 15 << 5,
    WCR_ON = 1 | 3 << 1,
    WCR_LOAD = 1 << 3,
    WCR_STORE = 2 << 3,
    WCR_BAS_SHIFT = 5,
};

/* Bytes of one doubleword; what is longer is watched by its first ones. */
static void add_watch(struct kvm_guest_debug *d, unsigned n, const Breakpoint *p)
{
    const unsigned from = p->va & 7, len = (unsigned)MIN(p->len, 8 - from);

    d->arch.dbg_wvr[n] = p->va & ~(uint64_t)7;
    d->arch.dbg_wcr[n] = WCR_ON | (p->flags & BP_READ ? WCR_LOAD : 0) |
                         (p->flags & BP_WRITE ? WCR_STORE : 0) |
                         (uint64_t)(((1u << len) - 1) << from) << WCR_BAS_SHIFT;
}

static void arm_kvm_debug(Cpu *cpu, struct kvm_guest_debug *d)
{
    Kvm *k = kvm_of(cpu);
    const unsigned max[2] = {(unsigned)kvm_has(k, KVM_CAP_GUEST_DEBUG_HW_BPS),
                             (unsigned)kvm_has(k, KVM_CAP_GUEST_DEBUG_HW_WPS)};
    GArray *lists[2] = {cpu->breakpoints, cpu->watchpoints};

    for (unsigned l = 0; l < 2; l++) {
        unsigned used = 0;
        for (unsigned i = 0; lists[l] && i < lists[l]->len; i++) {
            const Breakpoint *p = &g_array_index(lists[l], Breakpoint, i);

            if (!(p->flags & BP_DEBUGGER)) {
                continue;
            }
            if (used == MIN(max[l], (unsigned)KVM_ARM_MAX_DBG_REGS)) {
                warn_report("KVM: the host has %u %s: some have no effect", used,
                            l ? "watchpoints" : "breakpoints");
                break;
            }
            d->control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW;
            if (l) {
                add_watch(d, used++, p);
            } else {
                d->arch.dbg_bvr[used] = p->va & ~(uint64_t)3;
                d->arch.dbg_bcr[used++] = BCR_ON;
            }
        }
    }
}

/* ---- the type ---- */

static const KvmArch arm_kvm = {
    .vm_type = arm_vm_type,
    .init = arm_kvm_init,
    .cpu_init = arm_kvm_cpu_init,
    .cpu_fini = arm_kvm_cpu_fini,
    .put = arm_kvm_put,
    .get = arm_kvm_get,
    .before = arm_kvm_before,
    .after = arm_kvm_after,
    .debug = arm_kvm_debug,
};

static bool type_init(Accel *a, Vm *vm, GError **error)
{
    return kvm_init(a, &arm_kvm, vm, error);
}

static const AccelType kvm_type = {
    .object = {.name = "kvm-accel",
               .parent = "accel",
               .desc = "the host's processor",
               .size = sizeof(Kvm)},
    .thread_name = "KVM",
    .init = type_init,
    .fini = kvm_fini,
    .cpu_create = kvm_cpu_create,
    .cpu_destroy = kvm_cpu_destroy,
    .cpu_exec = kvm_cpu_exec,
    .cpu_kick = kvm_cpu_kick,
    .cpu_sync = kvm_cpu_sync,
    .debug_changed = kvm_debug_changed,
    .gic_versions = arm_kvm_gic_versions,
};
ACCEL_TYPE(kvm_type);
