// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host's processor as model "host": the kernel tells its target and its identification
 * registers, for which a vCPU must have been made (Documentation/virt/kvm/api.rst 4.82, 4.83). That
 * one lives in a VM of its own.
 */
#include "arm-kvm.h"

#include <errno.h>
#include <string.h>
#include "util/error.h"

/* ID space (op0 3, op1 0, CRn 0) by CRm and op2; wide: of 64 bits in ArmIdRegs. */
typedef struct IdRow {
    uint8_t crm, op2;
    bool wide;
    uint16_t offset;
} IdRow;
#define ID64(crm, op2, f)                      \
    {                                          \
        crm, op2, true, offsetof(ArmIdRegs, f) \
    }
#define ID32(crm, op2, f)                       \
    {                                           \
        crm, op2, false, offsetof(ArmIdRegs, f) \
    }

static const IdRow id_rows[] = {
    ID64(0, 0, midr),        ID64(0, 6, revidr),      ID32(1, 0, a32_pfr0),
    ID32(1, 1, a32_pfr1),    ID32(1, 2, a32_dfr0),    ID32(1, 3, a32_afr0),
    ID32(1, 4, a32_mmfr[0]), ID32(1, 5, a32_mmfr[1]), ID32(1, 6, a32_mmfr[2]),
    ID32(1, 7, a32_mmfr[3]), ID32(2, 0, a32_isar[0]), ID32(2, 1, a32_isar[1]),
    ID32(2, 2, a32_isar[2]), ID32(2, 3, a32_isar[3]), ID32(2, 4, a32_isar[4]),
    ID32(2, 5, a32_isar[5]), ID32(2, 6, a32_mmfr[4]), ID32(2, 7, a32_isar[6]),
    ID32(3, 0, mvfr[0]),     ID32(3, 1, mvfr[1]),     ID32(3, 2, mvfr[2]),
    ID32(3, 4, a32_pfr2),    ID32(3, 5, a32_dfr1),    ID32(3, 6, a32_mmfr[5]),
    ID64(4, 0, pfr0),        ID64(4, 1, pfr1),        ID64(4, 4, zfr0),
    ID64(4, 5, smfr0),       ID64(5, 0, dfr0),        ID64(6, 0, isar0),
    ID64(6, 1, isar1),       ID64(6, 2, isar2),       ID64(7, 0, mmfr0),
    ID64(7, 1, mmfr1),       ID64(7, 2, mmfr2),
};

/* A register that the kernel does not have is 0; older ones have not all. */
static void read_ids(int fd, ArmIdRegs *id)
{
    for (unsigned i = 0; i < ARRAY_COUNT(id_rows); i++) {
        const IdRow *r = &id_rows[i];
        char *at = (char *)id + r->offset;
        uint64_t v = 0;

        if (!arm_kvm_get_one(fd, ARM64_SYS_REG(3, 0, 0, r->crm, r->op2), &v)) {
            v = 0;
        }
        if (r->wide) {
            memcpy(at, &v, sizeof(uint64_t));
        } else {
            memcpy(at, &(uint32_t){(uint32_t)v}, sizeof(uint32_t));
        }
    }
    arm_kvm_get_one(fd, ARM64_SYS_REG(3, 1, 0, 0, 1), &id->clidr);
    arm_kvm_get_one(fd, ARM64_SYS_REG(3, 3, 0, 0, 1), &id->ctr);
    /* SVE and what else needs a feature of the vCPU that is not asked for: not the guest's. */
    id->pfr0 &= ~(15ull << 32);
    id->zfr0 = id->smfr0 = 0;
}

static bool probe(int kvm_fd, int *vm_fd, int *cpu_fd, ArmIdRegs *id)
{
    struct kvm_vcpu_init init = {0};

    *vm_fd = kvm_ioctl(kvm_fd, KVM_CREATE_VM, NULL);
    if (*vm_fd < 0) {
        return false;
    }
    *cpu_fd = kvm_ioctl(*vm_fd, KVM_CREATE_VCPU, NULL);
    if (*cpu_fd < 0 || kvm_ioctl(*vm_fd, KVM_ARM_PREFERRED_TARGET, &init) < 0 ||
        kvm_ioctl(*cpu_fd, KVM_ARM_VCPU_INIT, &init) < 0) {
        return false;
    }
    read_ids(*cpu_fd, id);
    return true;
}

bool arm_kvm_init_features(Kvm *k, GError **error)
{
    ArmIdRegs id = {0};
    int vm_fd = -1, cpu_fd = -1;
    bool ok = probe(k->fd, &vm_fd, &cpu_fd, &id);
    int failed = errno;

    if (cpu_fd >= 0) {
        kvm_kernel->close(cpu_fd);
    }
    if (vm_fd >= 0) {
        kvm_kernel->close(vm_fd);
    }
    if (!ok) {
        return fail_errno(error, failed, "KVM: the host's processor cannot be asked");
    }
    arm_model_offer_host(&id);
    return true;
}

static void set(struct kvm_vcpu_init *init, unsigned feature)
{
    init->features[feature / 32] |= 1u << feature % 32;
}

bool arm_kvm_vcpu_init(Cpu *cpu, GError **error)
{
    Kvm *k = kvm_of(cpu);
    ArmCpu *c = ARM(cpu);
    ArmKvmCpu *a = kvm_cpu(cpu)->arch;

    if (c->has_el2 || c->has_el3) {
        return fail(error, "KVM: guests have neither EL2 nor EL3");
    }
    if (kvm_ioctl(k->vm_fd, KVM_ARM_PREFERRED_TARGET, &a->init) < 0) {
        return fail_errno(error, errno, "KVM_ARM_PREFERRED_TARGET");
    }
    set(&a->init, KVM_ARM_VCPU_PSCI_0_2);
    if (c->start_powered_off) {
        set(&a->init, KVM_ARM_VCPU_POWER_OFF);
    }
    if (!c->aarch64_prop) {
        if (!kvm_has(k, KVM_CAP_ARM_EL1_32BIT)) {
            return fail(error, "KVM: the host runs no guests in AArch32 (aarch64=off)");
        }
        set(&a->init, KVM_ARM_VCPU_EL1_32BIT);
    }
    c->has_pmu = c->has_pmu && kvm_has(k, KVM_CAP_ARM_PMU_V3);
    if (c->has_pmu) {
        set(&a->init, KVM_ARM_VCPU_PMU_V3);
    }
    if (kvm_ioctl(kvm_cpu(cpu)->fd, KVM_ARM_VCPU_INIT, &a->init) < 0) {
        return fail_errno(error, errno, "KVM_ARM_VCPU_INIT of vCPU %u", cpu->index);
    }
    a->resets = c->resets;
    return true;
}
