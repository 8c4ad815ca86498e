// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state of an ARM vCPU between struct ArmCpu and the kernel: KVM_{GET,SET}_ONE_REG of core,
 * FP/SIMD and system registers, and the power state (Documentation/virt/kvm/api.rst 4.68, 4.69,
 * 4.38). System registers are those that KVM_GET_REG_LIST and the tables of target-arm both have;
 * timers, the PMU and what else the kernel alone knows stay there. SVE's upper parts are not
 * brought over.
 */
#include "arm-kvm.h"

#include <errno.h>
#include "target-arm/sysreg.h"
#include "util/error.h"

#define CORE(field) (KVM_REG_ARM64 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(field))

bool arm_kvm_get_one(int fd, uint64_t id, void *value)
{
    struct kvm_one_reg r = {.id = id, .addr = (uintptr_t)value};

    return kvm_ioctl(fd, KVM_GET_ONE_REG, &r) >= 0;
}

bool arm_kvm_set_one(int fd, uint64_t id, const void *value)
{
    struct kvm_one_reg r = {.id = id, .addr = (uintptr_t)value};

    return kvm_ioctl(fd, KVM_SET_ONE_REG, &r) >= 0;
}

/* ---- which system registers ---- */

/* A plain field that the guest can write; identification and time are the kernel's own. */
static const ArmSysreg *known(uint64_t id)
{
    const ArmSysreg *r;

    if ((id & (KVM_REG_ARM_COPROC_MASK | KVM_REG_SIZE_MASK)) !=
        (KVM_REG_ARM64_SYSREG | KVM_REG_SIZE_U64)) {
        return NULL;
    }
    r = arm_sysreg_find((uint32_t)id & 0xffff);
    if (!r || !r->field || r->flags & (SR_CONST | SR_IGNORE | SR_WO | SR_ALIAS12) ||
        (id >> KVM_REG_ARM64_SYSREG_CRN_SHIFT & 15) == 14 ||
        (id >> KVM_REG_ARM64_SYSREG_CRN_SHIFT & 15) == 9) {
        return NULL;
    }
    return r;
}

bool arm_kvm_list_regs(Cpu *cpu, GError **error)
{
    struct kvm_reg_list none = {0};
    g_autofree struct kvm_reg_list *list = NULL;
    ArmKvmCpu *a = kvm_cpu(cpu)->arch;
    const int fd = kvm_cpu(cpu)->fd;

    kvm_ioctl(fd, KVM_GET_REG_LIST, &none); /* E2BIG, and how many there are */
    list = g_malloc0(sizeof(none) + none.n * sizeof(uint64_t));
    list->n = none.n;
    if (kvm_ioctl(fd, KVM_GET_REG_LIST, list) < 0) {
        return fail_errno(error, errno, "KVM_GET_REG_LIST");
    }
    for (uint64_t i = 0; i < list->n; i++) {
        const ArmSysreg *r = known(list->reg[i]);
        ArmKvmReg row = {.id = list->reg[i], .field = r ? r->field : 0};

        if (r) {
            g_array_append_val(a->regs, row);
        }
    }
    return true;
}

/* ---- core registers ---- */

/* Where the registers that AArch32 modes have for themselves lie among x13..x30: D1.20.1. */
static const struct {
    uint8_t bank, lr, sp;
} banked[] = {
    {BANK_USR, 14, 13}, {BANK_IRQ, 16, 17}, {BANK_SVC, 18, 19},
    {BANK_ABT, 20, 21}, {BANK_UND, 22, 23}, {BANK_FIQ, 30, 29},
};

/* All of x0..x30 as AArch64 sees an AArch32 guest's registers. */
static void a32_out(const ArmCpu *c, uint64_t x[31])
{
    const unsigned mode = arm_bank_of(c->pstate & 31);
    const bool fiq = mode == BANK_FIQ;

    for (unsigned i = 0; i < 8; i++) {
        x[i] = c->x[i];
    }
    for (unsigned i = 0; i < 5; i++) {
        x[8 + i] = fiq ? c->bank_r8_usr[i] : c->x[8 + i];
        x[24 + i] = fiq ? c->x[8 + i] : c->bank_r8_fiq[i];
    }
    for (unsigned i = 0; i < ARRAY_COUNT(banked); i++) {
        const bool now = banked[i].bank == mode;
        x[banked[i].lr] = now ? c->x[14] : c->bank_lr[banked[i].bank];
        x[banked[i].sp] = now ? c->x[13] : c->bank_sp[banked[i].bank];
    }
    x[15] = c->bank_sp[BANK_HYP];
}

/* The mode is the present one already. */
static void a32_in(ArmCpu *c, const uint64_t x[31])
{
    const unsigned mode = arm_bank_of(c->pstate & 31);
    const bool fiq = mode == BANK_FIQ;

    for (unsigned i = 0; i < 8; i++) {
        c->x[i] = (uint32_t)x[i];
    }
    for (unsigned i = 0; i < 5; i++) {
        c->bank_r8_usr[i] = (uint32_t)x[8 + i];
        c->bank_r8_fiq[i] = (uint32_t)x[24 + i];
        c->x[8 + i] = fiq ? c->bank_r8_fiq[i] : c->bank_r8_usr[i];
    }
    for (unsigned i = 0; i < ARRAY_COUNT(banked); i++) {
        c->bank_lr[banked[i].bank] = (uint32_t)x[banked[i].lr];
        c->bank_sp[banked[i].bank] = (uint32_t)x[banked[i].sp];
        if (banked[i].bank == mode) {
            c->x[14] = (uint32_t)x[banked[i].lr];
            c->x[13] = (uint32_t)x[banked[i].sp];
        }
    }
}

/* SP_EL0 and SP_EL1, one of which is in use as x31. */
static bool uses_sp_el1(const ArmCpu *c)
{
    return !arm_is_a32(c) && arm_el(c) == 1 && c->pstate & PSTATE_SP;
}

/* Bank of each of kvm_regs.spsr; the first is SPSR_EL1, which is AArch32's SPSR_svc. */
static const uint8_t spsr_banks[KVM_NR_SPSR] = {BANK_SVC, BANK_ABT, BANK_UND, BANK_IRQ, BANK_FIQ};

static void regs_out(const ArmCpu *c, struct kvm_regs *r)
{
    if (arm_is_a32(c)) {
        a32_out(c, (uint64_t *)r->regs.regs);
    } else {
        for (unsigned i = 0; i < 31; i++) {
            r->regs.regs[i] = c->x[i];
        }
        r->regs.sp = uses_sp_el1(c) ? c->sp_el[0] : c->x[31];
        r->sp_el1 = uses_sp_el1(c) ? c->x[31] : c->sp_el[1];
    }
    r->regs.pc = c->pc;
    r->regs.pstate = arm_get_spsr(c);
    r->elr_el1 = c->elr[1];
    for (unsigned i = 0; i < KVM_NR_SPSR; i++) {
        r->spsr[i] = c->bank_spsr[spsr_banks[i]];
    }
    if (!arm_is_a32(c)) {
        r->spsr[KVM_SPSR_EL1] = c->spsr[1];
    }
}

static void regs_in(ArmCpu *c, const struct kvm_regs *r)
{
    arm_set_pstate(c, r->regs.pstate);
    if (arm_is_a32(c)) {
        a32_in(c, (const uint64_t *)r->regs.regs);
    } else {
        for (unsigned i = 0; i < 31; i++) {
            c->x[i] = r->regs.regs[i];
        }
        c->sp_el[0] = r->regs.sp;
        c->sp_el[1] = r->sp_el1;
        c->x[31] = uses_sp_el1(c) ? r->sp_el1 : r->regs.sp;
    }
    c->pc = r->regs.pc;
    c->elr[1] = r->elr_el1;
    for (unsigned i = 0; i < KVM_NR_SPSR; i++) {
        c->bank_spsr[spsr_banks[i]] = (uint32_t)r->spsr[i];
    }
    c->spsr[1] = r->spsr[KVM_SPSR_EL1];
}

/* Each 64-bit register of struct kvm_regs before the vectors has its number. */
static bool each_core(int fd, struct kvm_regs *r, bool (*one)(int fd, uint64_t id, void *value))
{
    const unsigned end = KVM_REG_ARM_CORE_REG(spsr[0]) + 2 * KVM_NR_SPSR;

    for (unsigned at = 0; at < end; at += 2) {
        if (!one(fd, KVM_REG_ARM64 | KVM_REG_ARM_CORE | KVM_REG_SIZE_U64 | at,
                 (uint32_t *)(void *)r + at)) {
            return false;
        }
    }
    return true;
}

static bool set_one(int fd, uint64_t id, void *value)
{
    return arm_kvm_set_one(fd, id, value);
}

static bool each_vector(int fd, ArmCpu *c, bool (*one)(int fd, uint64_t id, void *value))
{
    for (unsigned i = 0; i < 32; i++) {
        uint64_t id = KVM_REG_ARM64 | KVM_REG_ARM_CORE | KVM_REG_SIZE_U128 |
                      (KVM_REG_ARM_CORE_REG(fp_regs.vregs[0]) + 4 * i);
        if (!one(fd, id, &c->z[i].q[0])) {
            return false;
        }
    }
    return true;
}

/* ---- all of it ---- */

static bool put_power(int fd, const ArmCpu *c)
{
    struct kvm_mp_state s = {.mp_state =
                                 c->powered_off ? KVM_MP_STATE_STOPPED : KVM_MP_STATE_RUNNABLE};

    return kvm_ioctl(fd, KVM_SET_MP_STATE, &s) >= 0;
}

bool arm_kvm_put(Cpu *cpu)
{
    ArmCpu *c = ARM(cpu);
    ArmKvmCpu *a = kvm_cpu(cpu)->arch;
    const int fd = kvm_cpu(cpu)->fd;
    struct kvm_regs r = {0};
    uint32_t fpsr = arm_get_fpsr(c);

    if (a->resets != c->resets) { /* all that only the kernel knows as well */
        if (kvm_ioctl(fd, KVM_ARM_VCPU_INIT, &a->init) < 0) {
            return false;
        }
        a->resets = c->resets;
    }
    regs_out(c, &r);
    if (!each_core(fd, &r, set_one) || !each_vector(fd, c, set_one) ||
        !arm_kvm_set_one(fd, CORE(fp_regs.fpsr) | KVM_REG_SIZE_U32, &fpsr) ||
        !arm_kvm_set_one(fd, CORE(fp_regs.fpcr) | KVM_REG_SIZE_U32, &c->fpcr)) {
        return false;
    }
    for (unsigned i = 0; i < a->regs->len; i++) {
        const ArmKvmReg *g = &g_array_index(a->regs, ArmKvmReg, i);
        if (!arm_kvm_set_one(fd, g->id, (const char *)c + g->field)) {
            return false;
        }
    }
    return put_power(fd, c);
}

bool arm_kvm_get(Cpu *cpu)
{
    ArmCpu *c = ARM(cpu);
    ArmKvmCpu *a = kvm_cpu(cpu)->arch;
    const int fd = kvm_cpu(cpu)->fd;
    struct kvm_mp_state power = {0};
    struct kvm_regs r = {0};
    uint32_t fpsr, fpcr;

    if (!each_core(fd, &r, arm_kvm_get_one) || !each_vector(fd, c, arm_kvm_get_one) ||
        !arm_kvm_get_one(fd, CORE(fp_regs.fpsr) | KVM_REG_SIZE_U32, &fpsr) ||
        !arm_kvm_get_one(fd, CORE(fp_regs.fpcr) | KVM_REG_SIZE_U32, &fpcr)) {
        return false;
    }
    for (unsigned i = 0; i < a->regs->len; i++) {
        const ArmKvmReg *g = &g_array_index(a->regs, ArmKvmReg, i);
        if (!arm_kvm_get_one(fd, g->id, (char *)c + g->field)) {
            return false;
        }
    }
    if (kvm_ioctl(fd, KVM_GET_MP_STATE, &power) < 0) {
        return false;
    }
    regs_in(c, &r);
    arm_set_fpcr(c, fpcr);
    arm_set_fpsr(c, fpsr);
    c->powered_off = power.mp_state == KVM_MP_STATE_STOPPED;
    return true;
}
