// SPDX-License-Identifier: GPL-2.0-or-later
/* PSCI 1.1 (DEN 0022D) as firmware would give it: CPUs on and off, machine off and reset. */
#include "target-arm/cpu.h"

#include "qom/runstate.h"
#include "qom/vm.h"
#include "util/main-loop.h"

enum {
    PSCI_VERSION = 0x84000000, PSCI_CPU_SUSPEND = 0x84000001, PSCI_CPU_OFF = 0x84000002, PSCI_CPU_ON = 0x84000003,
    PSCI_AFFINITY_INFO = 0x84000004, PSCI_MIGRATE = 0x84000005, PSCI_MIGRATE_INFO_TYPE = 0x84000006,
    PSCI_SYSTEM_OFF = 0x84000008, PSCI_SYSTEM_RESET = 0x84000009, PSCI_FEATURES = 0x8400000a,
    SMCCC_VERSION = 0x80000000, PSCI_64 = 0x40000000,
    SUCCESS = 0, NOT_SUPPORTED = -1, INVALID_PARAMETERS = -2, DENIED = -3, ALREADY_ON = -4, ON_PENDING = -5,
};

static uint64_t args(const ArmCpu *c, unsigned n)
{
    return arm_is_a32(c) ? (uint32_t)c->x[n] : c->x[n];
}

static int64_t cpu_on(ArmCpu *c)
{
    Cpu *target = arm_cpu_by_affinity(c->cpu.dev.vm, args(c, 1) & 0xff00ffffffull);
    unsigned el = arm_secure_below_el3(c) && c->has_el3 ? 3 : c->has_el2 ? 2 : 1;

    if (!target) {
        return INVALID_PARAMETERS;
    }
    if (!ARM(target)->powered_off) {
        return ALREADY_ON;
    }
    ArmEntry e = {.pc = args(c, 2),
                  .x = {args(c, 3)},
                  .el = el,
                  .aarch64 = !arm_is_a32(c),
                  .secure = arm_secure_below_el3(c)};

    arm_power_up(ARM(target), &e);
    return SUCCESS;
}

static void stop_machine(ArmCpu *c, bool reset)
{
    if (reset) {
        request_reset(SHUTDOWN_GUEST_RESET);
    } else {
        request_shutdown(SHUTDOWN_GUEST_SHUTDOWN);
    }
    c->cpu.stop_requested = true;
    cpu_interrupt(&c->cpu, CPU_PENDING_STOP);
}

static int64_t features(const ArmCpu *c, uint32_t fn)
{
    switch (fn) {
    case PSCI_VERSION:
    case PSCI_CPU_SUSPEND:
    case PSCI_CPU_SUSPEND | PSCI_64:
    case PSCI_CPU_OFF:
    case PSCI_CPU_ON:
    case PSCI_CPU_ON | PSCI_64:
    case PSCI_AFFINITY_INFO:
    case PSCI_AFFINITY_INFO | PSCI_64:
    case PSCI_MIGRATE_INFO_TYPE:
    case PSCI_SYSTEM_OFF:
    case PSCI_SYSTEM_RESET:
    case PSCI_FEATURES:
        return arm_is_a32(c) && fn & PSCI_64 ? NOT_SUPPORTED : SUCCESS;
    default:
        return NOT_SUPPORTED;
    }
}

static int64_t affinity_info(ArmCpu *c)
{
    Cpu *target = arm_cpu_by_affinity(c->cpu.dev.vm, args(c, 1) & 0xff00ffffffull);

    if (args(c, 2) > 0 || !target) {
        return INVALID_PARAMETERS;
    }
    return ARM(target)->powered_off ? 1 : 0;
}

bool arm_psci_call(ArmCpu *c, bool smc)
{
    uint32_t fn = (uint32_t)c->x[0];
    int64_t r = NOT_SUPPORTED;
    bool taken = arm_lock();

    switch (arm_is_a32(c) && fn & PSCI_64 ? 0 : fn) {
    case PSCI_VERSION:
        r = 0x10001;
        break;
    case PSCI_MIGRATE_INFO_TYPE:
        r = 2;      /* no trusted OS, or one that needs no migration */
        break;
    case PSCI_AFFINITY_INFO:
    case PSCI_AFFINITY_INFO | PSCI_64:
        r = affinity_info(c);
        break;
    case PSCI_SYSTEM_OFF:
        stop_machine(c, false);
        r = SUCCESS;
        break;
    case PSCI_SYSTEM_RESET:
        stop_machine(c, true);
        r = SUCCESS;
        break;
    case PSCI_CPU_ON:
    case PSCI_CPU_ON | PSCI_64:
        r = cpu_on(c);
        break;
    case PSCI_CPU_OFF:
        c->powered_off = true;
        c->cpu.halted = true;
        cpu_interrupt(&c->cpu, CPU_PENDING_EXIT);
        r = SUCCESS;
        break;
    case PSCI_CPU_SUSPEND:
    case PSCI_CPU_SUSPEND | PSCI_64:
        if ((uint32_t)args(c, 1) & 0xfffe0000) {
            r = INVALID_PARAMETERS;
            break;
        }
        r = SUCCESS;    /* an immediate wake-up; a real wait would be WFI */
        if (!arm_has_work(&c->cpu)) {
            c->cpu.halted = true;
        }
        cpu_interrupt(&c->cpu, CPU_PENDING_EXIT);
        break;
    case PSCI_FEATURES:
        r = (uint32_t)args(c, 1) == SMCCC_VERSION ? NOT_SUPPORTED
                                                  : features(c, (uint32_t)args(c, 1));
        break;
    default:
        break;
    }
    c->x[0] = arm_is_a32(c) ? (uint32_t)r : (uint64_t)r;
    arm_unlock(taken);
    return true;
}
